"""Rework: tasks that went back in their workflow, or were opened again after they were done."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    Floats,
    Mask,
    Places,
    coded,
    dense,
    instant,
    is_in,
    milliseconds,
    positions,
)
from clickup_toolkit.analyse.columns import CHANGES, OF_TASK, STATUSES, STAYS
from clickup_toolkit.analyse.groups import Grouping, grouped, told
from clickup_toolkit.analyse.history import changes_of
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, OBSERVED, Observation, sourced

__all__ = ["rework"]


@measure(
    tasks=(*OF_TASK, "date_created"),
    status_changes=CHANGES,
    exports=("started",),
    statuses=STATUSES,
    time_in_status=STAYS,
)
def rework(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
    statuses: pd.DataFrame | None = None,
    time_in_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the tasks that went back, and how often: one row for each group and source.

    A move goes back when it leads to an earlier status of the list's workflow (``statuses``; where those do
    not know it, to an earlier type); it opens a task again when it leads out of a done or closed status.
    Rework = tasks that went back or were opened again, by tasks that moved at all: the complement of first
    pass yield (M. George, *Lean Six Sigma*, 2002), counted over tasks.

    Tasks created after the first export are **observed**: each change between two exports counts once. For
    older ones ClickUp's sums are all there is (``time_in_status``), and rework is **approximated**, from
    below: a task whose earlier status began after a later one has gone back at least once.

    Columns: ``<by>_id``, ``<by>``, ``tasks`` (that moved), ``moves`` (observed; 0 where approximated),
    ``backward`` and ``reopened`` (moves), ``reworked`` (tasks), ``share`` (reworked / tasks), ``source``.
    """
    at = instant(now)
    seen, groups = Observation.of(status_changes, exports), grouped(tasks, by)
    watched = milliseconds(tasks["date_created"]) >= seen.since
    parts = []
    if seen.changes is not None:
        parts.append((OBSERVED, watched, _observed(tasks, seen.changes, statuses, at)))
    if time_in_status is not None:
        parts.append((APPROXIMATED, ~watched, _approximated(tasks, time_in_status)))
    tables = []
    for word, whose, counts in parts:
        keep = whose[groups.task]
        sums = {
            name: np.bincount(groups.code[keep], value[groups.task[keep]], len(groups.ids)).astype("int64")
            for name, value in counts.items()
        }
        tables.append(pd.DataFrame(sums).assign(group=np.arange(len(groups.ids)), source=word))
    empty = pd.DataFrame(columns=[*_COUNTS, "group", "source"], dtype="int64")
    table = pd.concat(tables, ignore_index=True) if tables else empty
    table = table[table["tasks"] > 0].astype(dict.fromkeys((*_COUNTS, "group"), "int64"))
    table["share"] = table["reworked"] / table["tasks"]
    table = table.sort_values(["reworked", "group", "source"], ascending=[False, True, False])
    return sourced(told(table, groups, [*_COUNTS, "share", "source"]), OBSERVED, seen.at)


_COUNTS = ["tasks", "moves", "backward", "reopened", "reworked"]


def _observed(
    tasks: pd.DataFrame, changes: pd.DataFrame, statuses: pd.DataFrame | None, now: float
) -> dict[str, Floats]:
    found = changes_of(tasks, changes)
    moved = found.rows["from_status"].notna().to_numpy() & (found.at <= now)
    task, rows = found.task[moved], found.rows[moved]
    back, again = _backward(rows, statuses), _reopened(rows)
    moves, backward, reopened = (
        np.bincount(task, weights, len(tasks)) for weights in (np.ones(len(task)), back, again)
    )
    return {
        "tasks": (moves > 0).astype("float64"),
        "moves": moves,
        "backward": backward,
        "reopened": reopened,
        "reworked": ((backward > 0) | (reopened > 0)).astype("float64"),
    }


def _backward(rows: pd.DataFrame, statuses: pd.DataFrame | None) -> Mask:
    """Tell which moves lead to an earlier status of their list's workflow."""
    before, after = (_place(rows, f"{end}_status", statuses) for end in ("from", "to"))
    early, late = _rank(rows["to_type"]), _rank(rows["from_type"])
    unknown = np.isnan(before) | np.isnan(after)
    return np.asarray(np.where(unknown, early < late, after < before), dtype=bool)


def _place(rows: pd.DataFrame, column: str, statuses: pd.DataFrame | None) -> Floats:
    """Return where a status stands in its list's workflow; NaN where that is not known."""
    if statuses is None:
        return np.full(len(rows), np.nan)
    order = statuses.drop_duplicates(["list_id", "status"])
    keys = pd.MultiIndex.from_arrays([order["list_id"].astype("str"), order["status"].astype("str")])
    lists, names = coded(rows["list_id"]), coded(rows[column])
    width = max(len(names.values), 1)
    pair, which = dense(lists.codes * width + names.codes, len(lists.values) * width)
    wanted = pd.MultiIndex.from_arrays([lists.values[which // width], names.values[which % width]])
    place = keys.get_indexer(wanted)
    known = np.append(order["orderindex"].to_numpy("float64", na_value=np.nan), np.nan)
    return np.asarray(known[place][pair], dtype="float64")


def _rank(types: pd.Series) -> Places:
    """Return 0 before the start, 1 active, 2 done, 3 closed."""
    rank = {"open": 0, "unstarted": 0, "done": 2, "closed": 3}
    found = coded(types)
    return np.array([rank.get(str(value), 1) for value in found.values], dtype="int64")[found.codes]


def _reopened(rows: pd.DataFrame) -> Mask:
    return is_in(rows["from_type"], FINISHED) & ~is_in(rows["to_type"], FINISHED)


def _approximated(tasks: pd.DataFrame, time_in_status: pd.DataFrame) -> dict[str, Floats]:
    """Count, for each task, the statuses that began after a later one: at least so often it went back."""
    task = positions(time_in_status["task_id"], tasks["id"])
    since = milliseconds(time_in_status["since"])
    place = time_in_status["orderindex"].to_numpy("float64", na_value=np.nan)
    rows = np.flatnonzero((task >= 0) & ~np.isnan(since) & ~np.isnan(place))
    apart = np.diff(task[rows])
    if (apart < 0).any() or ((apart == 0) & (np.diff(since[rows]) < 0)).any():
        rows = rows[np.lexsort((since[rows], task[rows]))]  # exported files are in order already
    since, task, place = since[rows], task[rows], place[rows]
    kinds = time_in_status["status_type"].iloc[rows]
    same = (task[1:] == task[:-1]) & (since[1:] > since[:-1])
    done = is_in(kinds, FINISHED)
    back = same & (place[1:] < place[:-1])
    again = same & done[:-1] & ~done[1:]
    backward, reopened = (np.bincount(task[1:][each], minlength=len(tasks)) for each in (back, again))
    many = np.bincount(task, minlength=len(tasks)) > 1
    return {
        "tasks": many.astype("float64"),
        "moves": np.zeros(len(tasks)),
        "backward": backward.astype("float64"),
        "reopened": reopened.astype("float64"),
        "reworked": ((backward > 0) | (reopened > 0)).astype("float64"),
    }
