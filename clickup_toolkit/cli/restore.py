"""``clickup-toolkit restore``: what a backup holds, back in its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from clickup_toolkit.cli.common import data_dir_option, end_like_ctrl_c, read_settings, start_logging

if TYPE_CHECKING:
    from clickup_toolkit.backup import Restored


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Read and prove the whole file, say what it holds, change nothing."
)
@click.option("--force", is_flag=True, help="Replace what the data folder holds.")
@click.option("--json", "as_json", is_flag=True, help="Print what was restored as one line of JSON.")
@data_dir_option
def restore(file: Path, check: bool, force: bool, as_json: bool, data_dir: Path | None) -> None:
    """Put a backup FILE back into the data folder and to Redis.

    Every hash is checked before anything is touched. Nothing is restored while an export or `up` works in the
    folder, nor over what is there already, unless --force is given; the refusal says what would be lost. A
    restore that was cut off is finished by giving the command again.

    Exit codes: 0 done, 4 an export or `up` is running, 1 refused or failed, 2 wrong usage or settings,
    130 interrupted.
    """
    end_like_ctrl_c()
    settings = read_settings(data_dir=data_dir)
    start_logging(settings, "error")
    from clickup_toolkit.backup import restore as put_back

    restored = put_back(settings, file, force=force, check=check)
    click.echo(msgspec.json.encode(restored) if as_json else _described(restored))


def _described(restored: Restored) -> str:
    done = "Good, nothing changed" if restored.checked_only else f"Restored into {restored.folder}"
    lines = [f"{done}: workspace {restored.team_id}, backed up {restored.made}"]
    if restored.database:
        came = f", migrated from format {restored.migrated}" if restored.migrated is not None else ""
        lines.append(f"  database  version {restored.database}, {restored.tasks:,} tasks{came}")
    lines.append(f"  runs      {restored.runs:,} files")
    latest = f", the latest is {restored.latest}" if restored.latest else ""
    return "\n".join([*lines, f"  versions  {restored.versions}{latest}"])
