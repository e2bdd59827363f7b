"""``clickup-toolkit export``: one export, or one for each of many workspaces, with progress and a report."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, end_like_ctrl_c, read_settings, start_logging
from clickup_toolkit.cli.failures import INTERRUPTED


@click.command()
@click.option("--full", is_flag=True, help="Read everything again, even what did not change.")
@click.option("--json", is_flag=True, help="Print the report as one line of JSON; a line for each workspace.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--workspaces",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Export all workspaces that this TOML file names, see docs/scale.md.",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="With --workspaces: the Dask scheduler whose workers export them, such as tcp://host:8786, or local "
    "for processes on this machine.  [default: local]",
)
@data_dir_option
@click.pass_context
def export(
    ctx: click.Context,
    full: bool,
    json: bool,
    quiet: bool,
    workspaces: Path | None,
    dask: str | None,
    data_dir: Path | None,
) -> None:
    """Export the workspace, publish it as the latest version, and report.

    Progress goes to standard error, the report to standard output. An export that was cut off goes on where
    it stopped when the command is given again.

    Exit codes: 0 complete, 3 published with gaps, 4 another export is running, 1 failed, 2 wrong usage or
    settings, 130 interrupted. Of many workspaces: 0 all complete, 3 some with gaps, 1 some failed.
    """
    end_like_ctrl_c()
    if workspaces is not None:
        if data_dir is not None:
            raise click.UsageError("With --workspaces the folder stands in the file, as data_dir.")
        _export_all(ctx, workspaces, dask, full=full, json=json, quiet=quiet)
    elif dask is not None:
        raise click.UsageError("--dask needs --workspaces.")
    else:
        _export_one(ctx, data_dir, full=full, json=json, quiet=quiet)


def _export_one(ctx: click.Context, data_dir: Path | None, *, full: bool, json: bool, quiet: bool) -> None:
    settings = read_settings("token", "team_id", data_dir=data_dir)
    start_logging(settings, "error")  # the report or the error says what came of it
    from tqdm.contrib.logging import logging_redirect_tqdm

    from clickup_toolkit.export import run_export_sync
    from clickup_toolkit.recording import recorded
    from clickup_toolkit.schedule import ProgressBar, as_json, describe

    try:
        with (
            recorded(settings) as record,
            logging_redirect_tqdm(),
            nullcontext() if quiet else ProgressBar(disable=None) as progress,
        ):
            report = run_export_sync(settings, full=full, progress=progress)
            record(report)
    except KeyboardInterrupt:
        click.echo("Stopped. Give the command again: the export goes on where it stopped.", err=True)
        ctx.exit(INTERRUPTED)
    click.echo(as_json(report) if json else describe(report))
    ctx.exit(report.exit_code)


def _export_all(
    ctx: click.Context, path: Path, dask: str | None, *, full: bool, json: bool, quiet: bool
) -> None:
    from clickup_toolkit.fleet import read_plan

    plan = read_plan(path)
    start_logging(read_settings(), "error")
    from clickup_toolkit.fleet.cluster import LOCAL, connected, outcomes
    from clickup_toolkit.fleet.outcome import exit_code
    from clickup_toolkit.fleet.showing import FleetProgress, as_json, describe

    address, run = dask or LOCAL, f"{time.time_ns():x}"
    names = {entry.team_id: entry.name for entry in plan.entries}
    found = []
    try:
        with (
            connected(address, plan) as client,
            FleetProgress(names, disable=True if quiet else None) as progress,
        ):
            one_machine = address == LOCAL
            for outcome in outcomes(client, plan, run, full=full, one_machine=one_machine, watch=progress):
                found.append(outcome)
                progress.ended(outcome)
                if json:
                    click.echo(as_json(outcome))
    except KeyboardInterrupt:
        click.echo(
            f"Stopped; {len(found)} of {len(names)} workspaces were exported. Give the command again: what "
            "workers had begun goes on, or is taken up.",
            err=True,
        )
        ctx.exit(INTERRUPTED)
    if not json:
        click.echo(describe(found))
    ctx.exit(exit_code(found))
