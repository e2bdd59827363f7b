"""``clickup-toolkit demo``: the whole way, from a synthetic ClickUp to a served, charted export."""

from __future__ import annotations

from pathlib import Path

import click

from clickup_toolkit.cli.common import stop_on_signals
from clickup_toolkit.errors import NotebookFailed


@click.command(context_settings={"show_default": True})
@click.option("--once", is_flag=True, help="Export, report, and end.")
@click.option("--tasks", type=click.IntRange(60), default=2500, help="Tasks of the workspace.")
@click.option("--seed", type=int, default=1, help="The same seed makes the same workspace.")
@click.option("--rate-limit", type=click.IntRange(1), default=10_000, help="Requests a minute it allows.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to serve on.  [default: 8000, or a free one]"
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default="data/demo",
    help="Folder for the demo alone; emptied at the start.",
)
@click.pass_context
def demo(
    ctx: click.Context,
    once: bool,
    tasks: int,
    seed: int,
    rate_limit: int,
    port: int | None,
    data_dir: Path,
) -> None:
    """Export a synthetic ClickUp workspace and serve it; needs no token and touches no real data.

    Starts a ClickUp of its own on this machine, runs scheduled/export.ipynb as `schedule` does, compares the
    export with the workspace, and serves tables and JSON export until Ctrl-C.

    Two members of the workspace do not show the token their time, so that gaps can be seen. Exit codes: 0
    the export holds everything else, 1 it does not, 2 wrong usage, 130 interrupted.
    """
    from clickup_toolkit.cli.showcase import Size, showcase

    with stop_on_signals() as stop:
        try:
            good = showcase(Size(tasks, seed, rate_limit), data_dir, port, once=once, stop=stop)
        except NotebookFailed:
            if stop.is_set():
                raise KeyboardInterrupt from None
            raise
    ctx.exit(0 if good else 1)
