"""``clickup-toolkit up``: everything a workspace needs, in the foreground."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from pathlib import Path

import click

from clickup_toolkit.cli.common import data_dir_option, read_settings, start_logging, stop_on_signals
from clickup_toolkit.errors import ExportRunning, SettingsError, ToolkitError
from clickup_toolkit.settings import Settings

__all__ = ["end_running", "up"]

_LOCK = "up.lock"
_ENDS_WITHIN = 60.0  # seconds; what it ends itself is given 45


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
    from clickup_toolkit import publish, store
    from clickup_toolkit.cli.supervise import Child, supervise
    from clickup_toolkit.schedule import environment

    options = _log_options()
    children = [Child(name, [*_COMMAND, *options, name]) for name in ("schedule", "serve")]
    only = store.hold(settings.data_dir / _LOCK, lambda who: _busy(settings.data_dir, who))
    with stop_on_signals() as stop, only:
        publish.connect(settings).close()
        try:
            supervise(children, environment(settings), stop)
        finally:
            publish.stop(settings)


_COMMAND = (sys.executable, "-m", "clickup_toolkit.cli")


def end_running(data_dir: Path) -> bool:
    """End the `up` that runs in the data folder, in order, and wait for its end; return whether one ran.

    Raises :class:`ToolkitError` when it is somebody else's, or does not end.
    """
    from clickup_toolkit import store

    pid = store.holder(data_dir / _LOCK)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise ToolkitError(
            f"Process {pid} works in {data_dir} for another user.", "Let them end it."
        ) from None
    deadline = time.monotonic() + _ENDS_WITHIN
    while store.holder(data_dir / _LOCK) == pid:
        if time.monotonic() > deadline:
            raise ToolkitError(f"Process {pid} was told to end, but still runs.", f"End it: kill -9 {pid}")
        time.sleep(0.1)
    return True


def _busy(data_dir: Path, who: str) -> ExportRunning:
    return ExportRunning(
        f"`up` already runs in {data_dir} ({who}).",
        "End it first (make down), or set another CLICKUP_DATA_DIR.",
    )


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
