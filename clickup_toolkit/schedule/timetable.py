"""The timetable: exports that start so many hours apart, whatever the clock says.

The phase lies in the data folder (``schedule.json``), so a restart keeps it. What was missed while nothing
ran is made up for once, at once, and does not shift the phase; a run that was cut off goes on at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog
from apscheduler.triggers.interval import IntervalTrigger

from clickup_toolkit.errors import ExportRunning, StorageError, ToolkitError
from clickup_toolkit.schedule.notebook import run_notebook
from clickup_toolkit.schedule.report import read_facts
from clickup_toolkit.settings import Settings

__all__ = ["Clock", "SteadyClock", "Timetable", "run_forever"]

_log = structlog.get_logger("clickup_toolkit.schedule")
_LONGEST_WAIT = 60.0  # seconds; a machine that slept wakes up with its timers late, so look again


class Clock(Protocol):
    """What the scheduler knows of time."""

    def now(self) -> datetime:
        """Return the time, in UTC."""

    def wait(self, seconds: float) -> bool:
        """Wait so long, and return True as soon as the end is wanted."""


class SteadyClock:
    """The time of day when it was made, and from then on evenly: nobody setting the clock moves a run."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._zero = datetime.now(UTC) - timedelta(seconds=_seconds_since_boot())

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._zero + timedelta(seconds=_seconds_since_boot())

    def wait(self, seconds: float) -> bool:
        """Wait so long, and return True as soon as the end is wanted."""
        return self._stop.wait(seconds)


def _seconds_since_boot() -> float:
    """Read a clock that cannot be set and, where the system has one, goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class _Plan:
    next: str
    interval_hours: float
    running: bool = False


class Timetable:
    """When the next export is due; kept in a file, so that the phase outlives the process.

    A first timetable is due at once. With another interval than before, the phase begins anew at the time
    that was planned next, or now if that lies further away than the new interval.
    """

    def __init__(self, path: Path, interval_hours: float, now: datetime) -> None:
        self._path = path
        self._interval = timedelta(hours=interval_hours)
        self._plan = _read_plan(path) or _Plan(now.isoformat(), interval_hours)
        # More than one interval ahead: it was shortened, or the clock was wrong when this was noted.
        if self._next > now + self._interval:
            self._plan.next = now.isoformat()
        self._plan.interval_hours = interval_hours

    @property
    def _next(self) -> datetime:
        return datetime.fromisoformat(self._plan.next)

    def due(self, now: datetime) -> datetime:
        """Return when the next run starts; what was missed or cut off is due now."""
        return now if self._plan.running else max(self._next, now)

    def begin(self, now: datetime) -> None:
        """Note that a run begins, and when the one after it is due: in phase, and after now."""
        if self._next <= now:
            trigger = IntervalTrigger(
                seconds=self._interval.total_seconds(), start_date=self._next, timezone=UTC
            )
            self._plan.next = trigger.get_next_fire_time(None, now + timedelta(microseconds=1)).isoformat()
        self._plan.running = True
        self._write()

    def finish(self) -> None:
        """Note that the run ended, well or not; without this note a restart takes it up again at once."""
        self._plan.running = False
        self._write()

    def _write(self) -> None:
        aside = self._path.with_suffix(".new")
        try:
            with aside.open("w") as file:
                json.dump(asdict(self._plan), file)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
        except OSError as error:
            # The phase is worth a warning, not the exports: in this process it goes on from memory.
            _log.warning("schedule.plan_not_kept", path=str(self._path), error=error.strerror)


def _read_plan(path: Path) -> _Plan | None:
    try:
        plan = _Plan(**json.loads(path.read_bytes()))
        if datetime.fromisoformat(plan.next).tzinfo is None:
            raise ValueError("a time without a zone")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        _log.warning("schedule.plan_unreadable", path=str(path), error=str(error))
        return None
    return plan


def run_forever(
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    run: Callable[[], Path] | None = None,
) -> None:
    """Run the export notebook every ``export_interval_hours`` until ``stop`` is set.

    A failed run is logged and the next one comes at its time. When ``stop`` is set, a run under way is ended
    in order and taken up again by the next start. ``clock`` and ``run`` replace time and the run itself.
    Raises :class:`ExportRunning` when another scheduler works in the same data folder.
    """
    stop = stop or threading.Event()
    clock = clock or SteadyClock(stop)
    run = run or (lambda: run_notebook(settings, stop=stop))
    with _only_one(settings.data_dir):
        timetable = Timetable(
            settings.data_dir / "schedule.json", settings.export_interval_hours, clock.now()
        )
        while not _wait_until_due(timetable, clock):
            timetable.begin(clock.now())
            _run_once(run)
            if stop.is_set():
                break  # the run stays noted as under way
            timetable.finish()
    _log.info("schedule.ended")


def _wait_until_due(timetable: Timetable, clock: Clock) -> bool:
    due = timetable.due(clock.now())
    _log.info("schedule.next", at=due.isoformat(timespec="seconds"))
    while (left := (due - clock.now()).total_seconds()) > 0:
        if clock.wait(min(left, _LONGEST_WAIT)):
            return True
    return clock.wait(0)


def _run_once(run: Callable[[], Path]) -> None:
    began = time.monotonic()
    _log.info("schedule.run_begun")
    try:
        executed = run()
    except ToolkitError as error:
        _log.error(
            "schedule.run_failed",
            error=error.message,
            remedy=error.remedy,
            exit_code=error.exit_code,
            seconds=round(time.monotonic() - began, 1),
        )
        return
    seconds = round(time.monotonic() - began, 1)
    _log.info("schedule.run_done", notebook=str(executed), seconds=seconds, **_facts(executed))


def _facts(executed: Path) -> dict[str, object]:
    facts = read_facts(executed)
    return {name: facts[name] for name in ("version", "complete", "tasks") if name in facts}


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    path = data_dir / "schedule.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}.",
            "Set CLICKUP_DATA_DIR to a folder that can be written.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportRunning(
                f"Another scheduler already works in {data_dir}.",
                "End it first, or give this one another CLICKUP_DATA_DIR.",
            ) from None
        yield
