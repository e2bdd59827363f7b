"""Counted where they lie: rows of a partition as few rows that say how many they stand for.

What only counts or adds up needs no single task: the partitions of a Dask DataFrame are counted one by one,
and a measure sees a row for each group and week instead of one for each task, however many there are. The
column :data:`WEIGHT` says how many a row stands for; a table without it has one of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Floats, instant, is_abandoned, is_finished, milliseconds
from clickup_toolkit.analyse.calendar import Unit, period_of
from clickup_toolkit.analyse.measure import combined, is_usual

__all__ = ["WEIGHT", "counted_entries", "counted_samples", "counted_tasks", "weights"]

WEIGHT = "weight"
_SPACE = ("space_id", "space_name")
_FOLDER = ("folder_id", "folder_name", *_SPACE)
_OF_GROUPS = {
    "list": ("list_id", "list_name", *_FOLDER),
    "folder": _FOLDER,
    "space": _SPACE,
    "priority": ("priority",),
    "task_type": ("task_type_id",),
}
"""The columns that tell a task's group; by status, all together, needs none."""


def weights(table: pd.DataFrame) -> Floats:
    """Return how many each row of a table stands for."""
    if WEIGHT in table.columns:
        return table[WEIGHT].to_numpy("float64")
    return np.ones(len(table))


def counted_tasks(tasks: pd.DataFrame, given: Mapping[str, Any]) -> pd.DataFrame:
    """Count the finished tasks of each group and day, or week, for a measure that is asked so.

    Returned as it is where single tasks are needed: with a grouping of single tasks, or by periods, or with
    boundaries of cycle time of one's own.
    """
    by = given.get("by", "status")
    if not isinstance(by, str) or by.startswith("done_") or not is_usual(given.get("cycle")):
        return tasks
    done = milliseconds(tasks["date_done"].fillna(tasks["date_closed"]))
    keep = is_finished(tasks) & (done <= instant(given["now"]))
    keys = [*_OF_GROUPS.get(by, ()), "period"]
    unit: Unit = "week" if given.get("unit") == "week" and given.get("days") is None else "day"
    told = tasks[keep].assign(period=period_of(done[keep], unit, _zone(given)).array)
    told[WEIGHT] = weights(tasks)[keep]
    told["date_done"] = told["date_done"].fillna(told["date_closed"])
    sums = _summed(told, keys, {"date_done": "first", "date_created": "min", WEIGHT: "sum"})
    none = pd.Series(pd.NaT, index=sums.index, dtype=tasks["date_done"].dtype)
    return sums.drop(columns="period").assign(
        id="",
        status="",
        status_type="closed",
        archived=False,
        in_archived=False,
        date_closed=none,
        cycle_started=none,
    )


def counted_samples(tasks: pd.DataFrame, given: Mapping[str, Any]) -> pd.DataFrame:
    """Count the finished tasks as :func:`counted_tasks` does; keep the unfinished one that was made first."""
    counts = counted_tasks(tasks, given)
    if counts is tasks:
        return tasks
    made = milliseconds(tasks["date_created"])
    made[is_finished(tasks) | is_abandoned(tasks)] = np.nan
    if np.isnan(made).all():
        return counts
    first = tasks.iloc[[int(np.nanargmin(made))]].assign(**{WEIGHT: 1.0})
    return combined([counts, first[counts.columns.to_list()]])


def counted_entries(entries: pd.DataFrame, given: Mapping[str, Any]) -> pd.DataFrame:
    """Add up the tracked time of each member and day, billable and not, for a measure that is asked so."""
    start = milliseconds(entries["start"])
    keep = entries["duration_ms"].notna().to_numpy() & ~(start > instant(given["now"]))
    told = entries[keep].assign(day=period_of(start[keep], "day", _zone(given)).array)
    told[WEIGHT] = weights(entries)[keep]
    how = {"start": "first", "duration_ms": "sum", WEIGHT: "sum"}
    return _summed(told, ["member_id", "billable", "day"], how).drop(columns="day")


def _summed(table: pd.DataFrame, keys: list[str], how: Mapping[str, str]) -> pd.DataFrame:
    groups = table.groupby(keys, dropna=False, observed=True, sort=False)
    return groups.agg(dict(how)).reset_index()


def _zone(given: Mapping[str, Any]) -> str:
    working = given.get("working")
    return str(given.get("tz", "UTC") if working is None else working.tz)
