"""``clickup-toolkit versions``: what Redis holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging

if TYPE_CHECKING:
    from clickup_toolkit.publish import StoredVersion

_HEAD = ("version", "updated (UTC)", "tasks", "text MB", "stored MB", "complete")


@click.command()
@data_dir_option
def versions(data_dir: Path | None) -> None:
    """List the versions of the export that Redis holds, the newest first.

    The first is the one that is served.
    """
    settings = read_settings("team_id", data_dir=data_dir)
    start_logging(settings, "warning")
    from clickup_toolkit import publish

    assert settings.team_id
    stored = publish.versions(publish.connect(settings), settings.team_id)
    if stored:
        click.echo(_table([_HEAD, *map(_row, stored)]))
    else:
        click.echo(
            f"Redis holds no version of workspace {settings.team_id}. Make one: clickup-toolkit export"
        )


def _row(stored: StoredVersion) -> tuple[str, ...]:
    return (
        stored.version,
        f"{stored.updated_at:%Y-%m-%d %H:%M:%S}",
        f"{stored.tasks:,}",
        f"{stored.text_bytes / 1e6:,.2f}",
        f"{stored.gzip_bytes / 1e6:,.2f}",
        "yes" if stored.complete else "with gaps",
    )


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 2 <= place <= 4 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
