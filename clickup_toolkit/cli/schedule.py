"""``clickup-toolkit schedule``: the export notebook, every so many hours."""

from __future__ import annotations

from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging, stop_on_signals
from clickup_toolkit.settings import Settings


@click.command()
@click.option("--once", is_flag=True, help="Run the notebook once, now, and end.")
@click.option(
    "--once-if-due", is_flag=True, help="Run the notebook if it is due, and end; for cron and its like."
)
@click.option("--full", is_flag=True, help="With --once: read everything again, even what did not change.")
@data_dir_option
@click.pass_context
def schedule(ctx: click.Context, once: bool, once_if_due: bool, full: bool, data_dir: Path | None) -> None:
    """Run scheduled/export.ipynb every EXPORT_INTERVAL_HOURS until Ctrl-C.

    A run that fails is tried again RUN_RETRIES times, then told to NOTIFY_WEBHOOK and NOTIFY_MAIL_TO. The
    newest KEEP_RUNS executed notebooks stay in the data folder, under runs/. A restart keeps the phase; what
    was missed is made up for once. With --once the exit codes are those of `export`; with --once-if-due,
    too, and 0 where nothing was due or another scheduler is at work.
    """
    if full and not once:
        raise click.UsageError("--full goes with --once.")
    if once and once_if_due:
        raise click.UsageError("Give --once or --once-if-due, not both.")
    settings = read_settings("token", "team_id", data_dir=data_dir)
    start_logging(settings, "info")
    if once:
        ctx.exit(_run_once(settings, full))
    if once_if_due:
        ctx.exit(_run_if_due(settings))
    from clickup_toolkit.schedule import run_forever

    with stop_on_signals() as stop:
        run_forever(settings, stop=stop)


def _run_once(settings: Settings, full: bool) -> int:
    from clickup_toolkit.schedule import describe, read_report, run_notebook

    with stop_on_signals() as stop:
        limit = settings.export_timeout_hours * 3600
        executed = run_notebook(settings, {"full": full}, stop=stop, timeout=limit)
    report = read_report(executed)
    if report is None:
        click.echo(f"Executed {executed}")
        return 0
    click.echo(f"{describe(report)}\n\nExecuted notebook: {executed}")
    return report.exit_code


def _run_if_due(settings: Settings) -> int:
    from clickup_toolkit.schedule import SchedulerRunning, run_if_due

    try:
        with stop_on_signals() as stop:
            return run_if_due(settings, stop=stop) or 0
    except SchedulerRunning:
        return 0  # whoever holds the timetable runs what is due
