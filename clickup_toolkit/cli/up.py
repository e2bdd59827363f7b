"""``clickup-toolkit up``: everything a workspace needs, in the foreground."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging, stop_on_signals
from clickup_toolkit.errors import SettingsError
from clickup_toolkit.settings import Settings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port to serve on.  [default: PORT, or 8000]")
@data_dir_option
def up(port: int | None, data_dir: Path | None) -> None:
    """Export on schedule and serve, in the foreground, until Ctrl-C.

    Starts the embedded Redis unless REDIS_URL names one, the scheduler and the server; restarts them when
    they die and ends them in order.
    """
    settings = _settings(data_dir)
    if port is not None:
        settings = dataclasses.replace(settings, port=port)
    start_logging(settings, "info")
    from clickup_toolkit import publish
    from clickup_toolkit.cli.supervise import Child, supervise
    from clickup_toolkit.schedule import environment

    options = _log_options()
    children = [Child(name, [*_COMMAND, *options, name]) for name in ("schedule", "serve")]
    with stop_on_signals() as stop:
        publish.connect(settings).close()
        try:
            supervise(children, environment(settings), stop)
        finally:
            publish.stop(settings)


_COMMAND = (sys.executable, "-m", "clickup_toolkit.cli")


def _settings(data_dir: Path | None) -> Settings:
    try:
        return read_settings("token", "team_id", "api_auth_token", data_dir=data_dir)
    except SettingsError as error:
        # Demo data never stands in for missing settings: who sees tables would take them for their own.
        raise SettingsError(
            error.message,
            "Put them into the environment or into a file named .env here. "
            "To see the toolkit work without any of them: make demo",
        ) from None


def _log_options() -> list[str]:
    level, as_json = click.get_current_context().find_root().obj or (None, None)
    options = ["--log-level", level] if level else []
    return options + {True: ["--log-json"], False: ["--log-text"], None: []}[as_json]
