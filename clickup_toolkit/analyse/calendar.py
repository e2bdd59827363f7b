"""Days and weeks of a time zone: dates, not hours, survive a change of clocks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Floats, instant, milliseconds, times

__all__ = ["Unit", "beginnings", "calendar", "edges", "period_of"]

Unit = Literal["day", "week"]
_FREQUENCY = {"day": "D", "week": "7D"}


def period_of(at: Floats, unit: Unit, tz: str) -> pd.Series:
    """Return the date, without a time zone, of the day or of the Monday of its week."""
    local = pd.Series(times(at)).dt.tz_convert(tz).dt.tz_localize(None).dt.normalize()
    if unit == "week":
        local = pd.Series(local - pd.to_timedelta(local.dt.day_of_week, unit="D"))
    return local.dt.as_unit("ms")


def beginnings(dates: pd.Series, tz: str) -> pd.Series:
    """Return the first instant of each date; where clocks skip midnight, the first one after it."""
    return pd.Series(dates.dt.tz_localize(tz, nonexistent="shift_forward", ambiguous=True))


def calendar(first: pd.Timestamp | None, now: datetime, unit: Unit, last: int | None, tz: str) -> pd.Series:
    """Return the dates of the periods up to that of ``now``: from ``first`` on, or the ``last`` so many."""
    end = period_of(np.array([instant(now)]), unit, tz).iloc[0]
    if last is not None:
        first = end - pd.Timedelta(days=(last - 1) * (7 if unit == "week" else 1))
    if first is None or pd.isna(first) or first > end:
        first = end
    return pd.Series(pd.date_range(first, end, freq=_FREQUENCY[unit], unit="ms"))


def edges(now: datetime, unit: Unit, last: int, tz: str) -> Floats:
    """Return ``last`` + 1 instants in ms since 1970 UTC: where the last periods begin, and ``now``."""
    starts = milliseconds(beginnings(calendar(None, now, unit, last, tz), tz))
    return np.append(starts, instant(now))
