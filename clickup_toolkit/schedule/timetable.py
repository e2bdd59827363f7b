"""The timetable: exports that start so many hours apart, whatever the clock says.

The phase lies in the data folder (``schedule.json``), so a restart keeps it. What was missed while nothing
ran is made up for once, at once, and does not shift the phase; a run that was cut off goes on at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog
from apscheduler.triggers.interval import IntervalTrigger

__all__ = ["PLAN", "Clock", "Plan", "SteadyClock", "Timetable", "read_anchor", "read_plan"]

_log = structlog.get_logger("clickup_toolkit.schedule")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SET = timedelta(minutes=1)  # a clock that is further off was set, not slewed
PLAN = "schedule.json"
"""The plan's file in the data folder."""


class Clock(Protocol):
    """What the scheduler knows of time. ``anchor`` is what a later clock needs to go on from this one."""

    anchor: str

    def now(self) -> datetime:
        """Return the time, in UTC."""

    def wait(self, seconds: float) -> bool:
        """Wait so long, and return True as soon as the end is wanted."""


class SteadyClock:
    """The time of day when it was made, and from then on evenly: nobody setting the clock moves a run.

    With the ``anchor`` of an earlier one, and no boot in between, it goes on evenly from that one.
    """

    def __init__(self, stop: threading.Event, anchor: str = "") -> None:
        self._stop = stop
        told = datetime.now(UTC) - timedelta(seconds=_seconds_since_boot())
        self._zero = _zero_of(anchor) or told
        if abs(told - self._zero) > _SET:
            _log.warning("schedule.clock_was_set", by_seconds=round((told - self._zero).total_seconds()))
        self.anchor = f"{_boot()} {self._zero.isoformat()}" if _boot() else ""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._zero + timedelta(seconds=_seconds_since_boot())

    def wait(self, seconds: float) -> bool:
        """Wait so long, and return True as soon as the end is wanted."""
        return self._stop.wait(seconds)


def _seconds_since_boot() -> float:
    """Read a clock that cannot be set and, where the system has one, goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _zero_of(anchor: str) -> datetime | None:
    """Return when the machine was booted by an anchor's clock; None for that of an earlier boot."""
    boot, _, zero = anchor.partition(" ")
    try:
        instant = datetime.fromisoformat(zero) if boot and boot == _boot() else None
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None


def _boot() -> str:
    """Return what names this run of the machine; empty where nothing does."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


@dataclass
class Plan:
    """When the next run is due (ISO 8601, UTC), hours between runs, and whether one is under way.

    ``anchor`` is that of the clock by which it is due.
    """

    next: str
    interval_hours: float
    running: bool = False
    anchor: str = ""


class Timetable:
    """When the next export is due; kept in a file, so that the phase outlives the process.

    A first timetable is due at once. With another interval than before, the phase begins anew at the time
    that was planned next, or now if that lies further away than the new interval.

    ``jitter_minutes`` is the most by which a run starts later than planned. How much it is follows from
    ``seed`` and the planned time, so that it is the same after a restart, and the phase never moves.
    """

    def __init__(
        self,
        path: Path,
        interval_hours: float,
        now: datetime,
        *,
        jitter_minutes: float = 0.0,
        seed: str = "",
        anchor: str = "",
    ) -> None:
        self._path = path
        self._interval = timedelta(hours=interval_hours)
        self._jitter = min(timedelta(minutes=jitter_minutes), self._interval / 2)
        self._seed = seed
        self._plan = read_plan(path) or Plan(now.isoformat(), interval_hours)
        # More than one interval ahead: it was shortened, or the clock was wrong when this was noted.
        if self._next > now + self._interval:
            self._plan.next = now.isoformat()
        self._plan.interval_hours = interval_hours
        self._plan.anchor = anchor

    @property
    def _next(self) -> datetime:
        return datetime.fromisoformat(self._plan.next)

    @property
    def starts(self) -> datetime:
        """When the next run starts: as planned, and the jitter later."""
        drawn = hashlib.sha256(f"{self._seed} {self._plan.next}".encode()).digest()[:8]
        return self._next + self._jitter * (int.from_bytes(drawn, "big") / 2**64)

    def due(self, now: datetime) -> datetime:
        """Return when the next run starts; what was missed or cut off is due now."""
        return now if self._plan.running else max(self.starts, now)

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


def read_anchor(path: Path) -> str:
    """Return the anchor of the clock that a plan was made by; empty where there is none."""
    try:
        return str(json.loads(path.read_bytes()).get("anchor", ""))
    except (OSError, ValueError, AttributeError):
        return ""  # whoever reads the plan says what is wrong with it


def read_plan(path: Path) -> Plan | None:
    """Return the plan that a scheduler keeps; None where there is none, or one that cannot be read."""
    try:
        plan = Plan(**json.loads(path.read_bytes()))
        if datetime.fromisoformat(plan.next).tzinfo is None:
            raise ValueError("a time without a zone")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        _log.warning("schedule.plan_unreadable", path=str(path), error=str(error))
        return None
    return plan
