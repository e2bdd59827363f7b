"""What the settings say about measures, as the arguments that measures take."""

from __future__ import annotations

from typing import NamedTuple

from clickup_toolkit.analyse.cycle import Cycle
from clickup_toolkit.analyse.working import WorkingTime
from clickup_toolkit.settings import Settings

__all__ = ["Configuration", "configuration"]


class Configuration(NamedTuple):
    """Working time, boundaries of cycle time, words for waiting and blocked work, when work is stale."""

    working: WorkingTime
    cycle: Cycle
    waiting: tuple[str, ...]
    blocked: tuple[str, ...]
    stale_days: float
    tz: str


def configuration(settings: Settings) -> Configuration:
    """Return what the settings say, for the arguments of the same names."""
    working = WorkingTime(
        days=settings.working_days,
        hours=settings.working_hours,
        holidays=settings.holidays or frozenset(),
        tz=settings.time_zone,
    )
    return Configuration(
        working=working,
        cycle=Cycle.read(settings.cycle_start, settings.cycle_end),
        waiting=settings.waiting_statuses,
        blocked=settings.blocked_statuses,
        stale_days=settings.stale_days,
        tz=settings.time_zone,
    )
