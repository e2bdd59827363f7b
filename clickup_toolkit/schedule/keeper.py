"""Keeps the timetable: runs the notebook when it is due, tries again what failed, and tells of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import structlog

from clickup_toolkit.errors import SchedulerRunning, ToolkitError
from clickup_toolkit.schedule.notebook import run_notebook
from clickup_toolkit.schedule.notify import Notifier
from clickup_toolkit.schedule.outcome import exit_code_of, is_hopeless
from clickup_toolkit.schedule.report import read_facts
from clickup_toolkit.schedule.timetable import PLAN, Clock, SteadyClock, Timetable, read_anchor
from clickup_toolkit.settings import Settings
from clickup_toolkit.store import hold

__all__ = ["LOCK", "SchedulerRunning", "run_forever", "run_if_due"]

_log = structlog.get_logger("clickup_toolkit.schedule")
_INTERRUPTED = 130  # as `export` ends when it is stopped
_LONGEST_WAIT = 60.0  # seconds; a machine that slept wakes up with its timers late, so look again
LOCK = "schedule.lock"
"""The file in the data folder that a living scheduler holds."""


class Tells(Protocol):
    """Who is told how runs end."""

    def failed(self, error: ToolkitError) -> None:
        """Take note that a run failed, and no more tries follow."""

    def recovered(self) -> None:
        """Take note that a run went well."""


def run_forever(
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    run: Callable[[], Path] | None = None,
    tell: Tells | None = None,
) -> None:
    """Run the export notebook every ``export_interval_hours`` until ``stop`` is set.

    A failed run is tried again, then logged and told, and the next one comes at its time. When ``stop`` is
    set, a run under way is ended in order and taken up again by the next start. ``clock``, ``run`` and
    ``tell`` replace time, the run itself and whoever is told.
    Raises :class:`ExportRunning` when another scheduler works in the same data folder.
    """
    keeper = _Keeper(settings, stop or threading.Event(), clock, run, tell)
    with _only_one(settings.data_dir):
        timetable = keeper.open_timetable()
        while not keeper.wait_until_due(timetable):
            if keeper.keep(timetable) is None:
                break
    _log.info("schedule.ended")


def run_if_due(
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    run: Callable[[], Path] | None = None,
    tell: Tells | None = None,
) -> int | None:
    """Run the export notebook if it is due by the timetable, for whoever calls often, as cron does.

    Return its exit code, 130 when it was stopped, None when nothing was due. The rest is as in
    :func:`run_forever`.
    """
    keeper = _Keeper(settings, stop or threading.Event(), clock, run, tell)
    with _only_one(settings.data_dir):
        timetable = keeper.open_timetable()
        due = timetable.due(keeper.clock.now())
        if due > keeper.clock.now():
            _log.info("schedule.next", at=due.isoformat(timespec="seconds"))
            return None
        code = keeper.keep(timetable)
        return _INTERRUPTED if code is None else code


class _Keeper:
    """What a scheduler needs while it works."""

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        clock: Clock | None,
        run: Callable[[], Path] | None,
        tell: Tells | None,
    ) -> None:
        limit = settings.export_timeout_hours * 3600
        self._settings = settings
        self._stop = stop
        self._run = run or (lambda: run_notebook(settings, stop=stop, timeout=limit))
        self._tell = tell or Notifier(settings)
        self.clock = clock or SteadyClock(stop, read_anchor(settings.data_dir / PLAN))

    def open_timetable(self) -> Timetable:
        settings = self._settings
        return Timetable(
            settings.data_dir / PLAN,
            settings.export_interval_hours,
            self.clock.now(),
            jitter_minutes=settings.export_jitter_minutes,
            seed=settings.team_id or "",
            anchor=self.clock.anchor,
        )

    def wait_until_due(self, timetable: Timetable) -> bool:
        """Wait for the next run; return True when the end is wanted before."""
        due = timetable.due(self.clock.now())
        _log.info("schedule.next", at=due.isoformat(timespec="seconds"))
        return self._wait((due - self.clock.now()).total_seconds()) or self.clock.wait(0)

    def keep(self, timetable: Timetable) -> int | None:
        """Run what is due, with its retries; return its exit code, None when it was stopped."""
        timetable.begin(self.clock.now())
        for pause in self._pauses(timetable):
            ended = self._run_once()
            if self._stop.is_set():
                return None  # the run stays noted as under way
            if isinstance(ended, Path):
                self._tell.recovered()
                timetable.finish()
                return exit_code_of(ended)
            if pause is None or is_hopeless(ended):
                self._tell.failed(ended)
                timetable.finish()
                return ended.exit_code
            _log.warning("schedule.retry", in_seconds=round(pause))
            if self._wait(pause):
                return None
        raise AssertionError("the last pause is None")

    def _pauses(self, timetable: Timetable) -> Iterator[float | None]:
        """Yield the seconds to wait after each failing try; None after the last.

        A try that would reach into the time of the next planned run is left to that run.
        """
        pause = self._settings.run_retry_minutes * 60
        for _ in range(self._settings.run_retries):
            if self.clock.now() + timedelta(seconds=pause) >= timetable.starts:
                break
            yield pause
            pause *= 2
        yield None

    def _wait(self, seconds: float) -> bool:
        until = self.clock.now() + timedelta(seconds=seconds)
        while (left := (until - self.clock.now()).total_seconds()) > 0:
            if self.clock.wait(min(left, _LONGEST_WAIT)):
                return True
        return False

    def _run_once(self) -> Path | ToolkitError:
        began = time.monotonic()
        _log.info("schedule.run_begun")
        try:
            executed = self._run()
        except ToolkitError as error:
            seconds = round(time.monotonic() - began, 1)
            if self._stop.is_set():
                _log.info("schedule.run_stopped", seconds=seconds)
                return error
            facts = {"error": error.message, "remedy": error.remedy, "exit_code": error.exit_code}
            _log.error("schedule.run_failed", **facts, seconds=seconds)
            return error
        seconds = round(time.monotonic() - began, 1)
        _log.info("schedule.run_done", notebook=str(executed), seconds=seconds, **_facts(executed))
        return executed


def _facts(executed: Path) -> dict[str, object]:
    facts = read_facts(executed)
    return {name: facts[name] for name in ("version", "complete", "tasks") if name in facts}


def _only_one(data_dir: Path) -> AbstractContextManager[None]:
    return hold(
        data_dir / LOCK,
        lambda who: SchedulerRunning(
            f"Another scheduler already works in {data_dir} ({who}).",
            "End it first, or give this one another CLICKUP_DATA_DIR.",
        ),
    )
