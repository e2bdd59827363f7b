"""What every measure rests on: instants, durations, and which tasks count as what.

ClickUp's status types are ``open`` and ``unstarted`` (not started), ``custom`` (active), ``done`` and
``closed`` (finished).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "FINISHED",
    "NOT_STARTED",
    "PERCENTILE",
    "TASK_COLUMNS",
    "TIME_IN_STATUS_COLUMNS",
    "Floats",
    "Mask",
    "Places",
    "instant",
    "is_abandoned",
    "is_finished",
    "milliseconds",
    "whole",
]

NOT_STARTED = ("open", "unstarted")
FINISHED = ("done", "closed")
PERCENTILE = 0.85
"""The percentile beside the median: the usual service level in flow metrics (D. Vacanti, *Actionable
Agile Metrics for Predictability*, 2015). Interpolated linearly between the closest ranks, as numpy does."""

TASK_COLUMNS = (
    *("id", "name", "url", "list_id", "list_name", "folder_id", "folder_name", "space_id", "space_name"),
    *("status", "status_type", "status_color", "status_since", "archived", "in_archived", "as_of"),
    *("date_created", "date_done", "date_closed", "lead_time_ms", "cycle_started", "cycle_time_ms"),
    *("priority", "task_type_id"),
)
"""The columns of ``tasks`` that the measures need, and no other."""
TIME_IN_STATUS_COLUMNS = (
    *("task_id", "status", "status_type", "orderindex", "color", "total_ms", "since", "current", "as_of"),
)
"""The columns of ``time_in_status`` that the measures need, and no other."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.integer]


def instant(now: datetime) -> float:
    """Return ``now`` in ms since 1970 UTC. Raises ValueError for an instant without a time zone."""
    if now.tzinfo is None:
        raise ValueError(f"now must have a time zone, such as datetime.now(UTC); it is {now!r}")
    return pd.Timestamp(now).timestamp() * 1000


def milliseconds(times: pd.Series) -> Floats:
    """Return a column of times as ms since 1970 UTC, NaN where there is none."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        times = pd.to_datetime(times, utc=True)  # a column of nothing has no type of its own
    naive = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ms]")
    values: Floats = naive.view("int64").astype("float64")
    values[np.isnat(naive)] = np.nan
    return values


def is_finished(tasks: pd.DataFrame) -> Mask:
    """Tell which tasks are done or closed; by the status, and where that has no type, by the date."""
    by_type = tasks["status_type"].isin(FINISHED)
    return np.asarray(by_type | (tasks["status_type"].isna() & tasks["date_done"].notna()), dtype=bool)


def is_abandoned(tasks: pd.DataFrame) -> Mask:
    """Tell which tasks lie unfinished in the archive.

    Their clocks run on in ClickUp, but nobody waits for them: every measure leaves them out.
    """
    archived = tasks["archived"].astype(bool) | tasks["in_archived"].astype(bool)
    return np.asarray(archived, dtype=bool) & ~is_finished(tasks)


def whole(values: pd.Series) -> pd.Series:
    """Round durations to whole milliseconds."""
    return values.round().astype("int64")
