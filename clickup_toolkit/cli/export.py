"""``clickup-toolkit export``: one export, with progress, a report and an exit code that tells."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging
from clickup_toolkit.cli.failures import INTERRUPTED


@click.command()
@click.option("--full", is_flag=True, help="Read everything again, even what did not change.")
@click.option("--json", is_flag=True, help="Print the report as one line of JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@data_dir_option
@click.pass_context
def export(ctx: click.Context, full: bool, json: bool, quiet: bool, data_dir: Path | None) -> None:
    """Export the workspace, publish it as the latest version, and report.

    Progress goes to standard error, the report to standard output. An export that was cut off goes on where
    it stopped when the command is given again.

    Exit codes: 0 complete, 3 published with gaps, 4 another export is running, 1 failed, 2 wrong usage or
    settings, 130 interrupted.
    """
    settings = read_settings("token", "team_id", data_dir=data_dir)
    start_logging(settings, "error")  # the report or the error says what came of it
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    from tqdm.contrib.logging import logging_redirect_tqdm

    from clickup_toolkit.export import run_export_sync
    from clickup_toolkit.schedule import ProgressBar, as_json, describe

    try:
        with logging_redirect_tqdm(), nullcontext() if quiet else ProgressBar(disable=None) as progress:
            report = run_export_sync(settings, full=full, progress=progress)
    except KeyboardInterrupt:
        click.echo("Stopped. Give the command again: the export goes on where it stopped.", err=True)
        ctx.exit(INTERRUPTED)
    click.echo(as_json(report) if json else describe(report))
    ctx.exit(report.exit_code)
