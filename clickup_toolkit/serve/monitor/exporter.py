"""An export that somebody asked for on a page: the scheduled notebook, once, in a process of its own.

It is the same command that an operator would type, so it works beside a scheduler and without one. That no
two exports work at once is not decided here: whoever comes second finds the data folder locked.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from typing import IO, NamedTuple

import structlog

from clickup_toolkit.errors import ExportRunning, SettingsError
from clickup_toolkit.serve.monitor.state import is_under_way
from clickup_toolkit.serve.runs import newest_run
from clickup_toolkit.settings import Settings
from clickup_toolkit.settings.passing import environment

__all__ = ["COMMAND", "Ended", "Exporter"]

COMMAND = (sys.executable, "-m", "clickup_toolkit.cli", "schedule", "--once")
"""What is started."""

_GRACE_SECONDS = 32.0  # a run takes up to 30 to give back its lock and save its notebook
_LAST_LINES = 6
_ENDED_WELL = (0, 3)

_log = structlog.get_logger(__name__)


class Ended(NamedTuple):
    """How an export that was asked for ended: exit code, and the last lines it said."""

    exit_code: int
    said: str


class Exporter:
    """Starts exports, one at a time, and ends the one under way with the server.

    ``command`` replaces what is started; it gets the settings in its environment.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        self._settings = settings
        self._command = command
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._follower: threading.Thread | None = None
        self._ended: Ended | None = None
        self._before = ""  # the newest run when this one was asked for

    @property
    def is_busy(self) -> bool:
        """Tell whether an export that was asked for is under way."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_coming(self) -> bool:
        """Tell whether an export that was asked for is under way, and its run did not begin yet."""
        return self.is_busy and self._has_no_run()

    @property
    def failure(self) -> Ended | None:
        """How the last one that was asked for ended, where it failed and no run of it says why."""
        ended = self._ended
        if ended is None or self.is_busy or ended.exit_code in _ENDED_WELL:
            return None
        return ended if self._has_no_run() else None

    def start(self) -> None:
        """Start an export and return. Blocks for a moment.

        Raises :class:`SettingsError` where the token for ClickUp is not set, and :class:`ExportRunning`
        where an export is under way.
        """
        if self._settings.token is None:
            raise SettingsError(
                "The server does not know the token for ClickUp.", "Set CLICKUP_TOKEN for it, and restart it."
            )
        with self._starting:
            if self.is_busy or is_under_way(self._settings.data_dir):
                raise ExportRunning("An export is running already.", "Wait until it ends.")
            self._begin()

    def close(self) -> None:
        """End the export under way in order; it goes on from its journal the next time. Blocks so long."""
        process = self._process
        if process is None or self._follower is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._follower.join()

    def _has_no_run(self) -> bool:
        return newest_run(self._settings.data_dir / "runs") == self._before

    def _begin(self) -> None:
        self._ended, self._before = None, newest_run(self._settings.data_dir / "runs")
        said = tempfile.TemporaryFile()  # noqa: SIM115  # no pipe: it outlives a server that is killed
        self._process = subprocess.Popen(  # noqa: S603  # a command of our own
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment(self._settings),
            start_new_session=True,  # Ctrl-C reaches the server alone, which ends it in order
        )
        _log.info("export.requested", pid=self._process.pid)
        self._follower = threading.Thread(
            target=self._follow, args=(self._process, said), name="export", daemon=True
        )
        self._follower.start()

    def _follow(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        """Take note of the end of the export, and pass on what it logged."""
        code = process.wait()
        with said:
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").splitlines(keepends=True)
        sys.stderr.writelines(lines)
        self._ended = Ended(code, "".join(lines[-_LAST_LINES:]).strip())
