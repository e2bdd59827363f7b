"""Working time: the part of a span that lies in working hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Floats

__all__ = ["WorkingTime"]

_WEEK = (0, 1, 2, 3, 4)
_DAY = 86_400_000


@dataclass(frozen=True)
class WorkingTime:
    """When people work: weekdays (Monday is 0), hours of the day, days off, and where.

    ``hours`` are spans from one time of day to a later one that do not overlap; an end of 00:00 is midnight.
    ``tz`` is the name of a time zone of the tz database. Where clocks change, a working day has the hours
    that it has: one that starts before the change and ends after it is an hour shorter or longer.
    """

    days: tuple[int, ...] = _WEEK
    hours: tuple[tuple[time, time], ...] = ((time(9), time(17)),)
    holidays: frozenset[date] = frozenset()
    tz: str = "UTC"

    def __post_init__(self) -> None:
        ZoneInfo(self.tz)  # raises for a name that is none
        if not self.days or not set(self.days) <= set(range(7)):
            raise ValueError("days must be weekdays from 0 (Monday) to 6, at least one")
        if not self.hours or any(end != time(0) and end <= start for start, end in self.hours):
            raise ValueError("hours must be spans that end after they begin, at least one")

    @property
    def day_ms(self) -> float:
        """The length of a working day without a change of clocks, in ms."""
        return sum(_of_day(end) or _DAY for _, end in self.hours) - sum(_of_day(s) for s, _ in self.hours)

    def between(self, start: Floats, end: Floats) -> Floats:
        """Return the working time from each start to each end, in ms; NaN where one is missing.

        ``start`` and ``end`` are ms since 1970 UTC. An end before its start gives 0. Each span counts
        from the opening hours that it covers: the sum of working time up to the end, less that up to the
        start.
        """
        start, end = np.asarray(start, dtype="float64"), np.asarray(end, dtype="float64")
        known = ~(np.isnan(start) | np.isnan(end))
        found = np.full(start.shape, np.nan)
        if known.any():
            opens, closes = self._opening(start[known].min(), end[known].max())
            before = _until(end[known], opens, closes) - _until(start[known], opens, closes)
            found[known] = np.where(end[known] > start[known], before, 0)
        return found

    def is_working_day(self, days: pd.DatetimeIndex) -> np.typing.NDArray[np.bool_]:
        """Tell which days (midnights without a time zone) are worked on."""
        off = pd.DatetimeIndex(sorted(pd.Timestamp(day) for day in self.holidays))
        return np.asarray(np.isin(days.day_of_week, self.days) & ~days.isin(off), dtype=bool)

    def _opening(self, start: float, end: float) -> tuple[Floats, Floats]:
        """Return when work begins and ends, span by span, from the day of ``start`` to that of ``end``."""
        first, last = (
            pd.Timestamp(at, unit="ms", tz="UTC").tz_convert(self.tz) for at in (start, max(start, end))
        )
        days = pd.date_range(first.tz_localize(None).normalize(), last.tz_localize(None).normalize())
        days = days[self.is_working_day(days)].as_unit("ms")
        spans = sorted(self.hours)
        opens = np.stack([self._instants(days, _of_day(begin)) for begin, _ in spans], axis=1).reshape(-1)
        closes = np.stack([self._instants(days, _of_day(stop) or _DAY) for _, stop in spans], axis=1).reshape(
            -1
        )
        return opens, np.maximum(closes, opens)

    def _instants(self, days: pd.DatetimeIndex, ms: int) -> Floats:
        """Return the instants at which clocks show a time of day; the first one where they show it twice."""
        local = days + pd.Timedelta(milliseconds=ms)
        there = local.tz_localize(
            self.tz, nonexistent="shift_forward", ambiguous=np.ones(len(local), dtype=bool)
        )
        return np.asarray(there.tz_convert("UTC").as_unit("ms").asi8, dtype="float64")


def _until(at: Floats, opens: Floats, closes: Floats) -> Floats:
    """Return the working time up to each instant, from the first opening on."""
    if not len(opens):
        return np.zeros(len(at))
    done = np.concatenate([[0.0], np.cumsum(closes - opens)])
    span = np.searchsorted(opens, at, side="right") - 1
    inside = np.minimum(at, closes[span]) - opens[span]
    return np.where(span < 0, 0.0, done[span] + inside)


def _of_day(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000
