"""``clickup-toolkit backup``: data folder and published versions in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from clickup_toolkit.cli.common import data_dir_option, end_like_ctrl_c, read_settings, start_logging

if TYPE_CHECKING:
    from clickup_toolkit.backup import Taken

_INCOMPLETE = 3


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write, or folder to put it into.  [default: clickup-<workspace>-<UTC time>.tar here]",
)
@click.option("--without-versions", is_flag=True, help="Leave out what Redis holds; it is not asked.")
@click.option("--json", "as_json", is_flag=True, help="Print what was taken as one line of JSON.")
@data_dir_option
@click.pass_context
def backup(
    ctx: click.Context, out: Path | None, without_versions: bool, as_json: bool, data_dir: Path | None
) -> None:
    """Write data folder and published versions into one file, beside whatever runs.

    Database with its history, journal, executed notebooks, timetable, and the versions in Redis with pins and
    expiry; every part with its hash. No settings, and no secret. The file appears when it is whole, readable
    by its owner alone, in the place of an older one of that name. `clickup-toolkit restore` puts it back.

    Exit codes: 0 everything, 3 written, but without what it names, 1 failed, 2 wrong usage or settings,
    130 interrupted.
    """
    end_like_ctrl_c()
    settings = read_settings(data_dir=data_dir)
    start_logging(settings, "error")
    from clickup_toolkit.backup import take

    taken = take(settings, out, versions=not without_versions)
    click.echo(msgspec.json.encode(taken) if as_json else _described(taken))
    ctx.exit(_INCOMPLETE if taken.left_out else 0)


def _described(taken: Taken) -> str:
    lines = [f"Wrote {taken.file}: workspace {taken.team_id}, {_size(taken.bytes)}"]
    if taken.database:
        lines.append(
            f"  database  version {taken.database}, {taken.tasks:,} tasks, {_size(taken.database_bytes)}"
        )
    if taken.journal_bytes:
        lines.append(f"  journal   {taken.journal_answers:,} answers, {_size(taken.journal_bytes)}")
    lines.append(f"  runs      {taken.runs:,} files")
    stay = f"{taken.pinned} pinned, {taken.leaving} leaving"
    chunks = f"{taken.chunks:,} chunks, {_size(taken.chunk_bytes)}"
    lines.append(f"  versions  {taken.versions} ({stay}), {chunks}")
    return "\n".join([*lines, *(f"  LEFT OUT  {what}" for what in taken.left_out)])


def _size(count: int) -> str:
    return f"{count / 1e6:,.2f} MB"
