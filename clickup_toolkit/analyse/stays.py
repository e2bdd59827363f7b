"""Stays: which task has spent how long in which status, up to ``now``.

ClickUp tells one sum for each status that a task has been in. The sum of the current status counts up to the
instant ``as_of`` at which ClickUp answered; for a task that is not finished it has been growing since, so
the time from ``as_of`` to ``now`` is added. An instant before ``as_of`` takes nothing away: what the sum was
then, ClickUp does not tell.

A status is not its name: 'review' in one list and 'review' in another are two statuses, unless ClickUp
gives both the same id (lists that inherit their space's or folder's statuses) or the caller asks to merge
by name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    NOT_STARTED,
    Floats,
    Mask,
    Places,
    dense,
    flags,
    instant,
    is_abandoned,
    is_finished,
    is_in,
    milliseconds,
    positions,
)
from clickup_toolkit.analyse.groups import Grouped, Grouping, grouped
from clickup_toolkit.analyse.legend import Legend, legend_of
from clickup_toolkit.analyse.working import WorkingTime

__all__ = ["GroupedStays", "Stays", "by_task", "group_stays", "grouped_visits", "left_at", "stays"]


_TOLD = ["status", "status_type", "color", "orderindex", "total_ms", "as_of", "current"]


class Stays(NamedTuple):
    """Arrays with a place for each task and status, and the ``legend`` that ``status`` counts.

    ``task`` (position in ``tasks``), ``ms``, ``since`` and ``next`` (ms since 1970 UTC, NaN where unknown:
    when the task came to the status, and when to the one after it), ``unfinished`` (whether the task is) and
    ``waiting`` (whether it is in the status now, unfinished).
    """

    tasks: pd.DataFrame
    legend: pd.DataFrame
    task: Places
    status: Places
    ms: Floats
    since: Floats
    next: Floats
    unfinished: Mask
    waiting: Mask

    def only(self, rows: Mask | Places) -> Stays:
        """Return the stays of some rows."""
        return self._replace(**{name: getattr(self, name)[rows] for name in self._fields[2:]})


class GroupedStays(NamedTuple):
    """The stays of each group and status: ``key`` numbers these pairs, of which row i is ``pairs[i]``.

    ``rows`` are the stays, repeated for tasks in several groups; ``pairs`` has ``group`` and ``legend``.
    """

    rows: Stays
    key: Places
    pairs: pd.DataFrame
    groups: Grouped
    tasks_of_group: Places


def stays(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    leave_out: tuple[str, ...] = FINISHED,
    working: WorkingTime | None = None,
    visits: bool = False,
) -> Stays:
    """Join the two tables, let the current statuses grow to ``now``, and tell the statuses apart.

    ``leave_out`` names the status types that do not count. Abandoned tasks (unfinished in the archive) and
    time in status of tasks that are not in ``tasks`` are left out. With ``working`` the time counts that
    lies in working hours, each sum taken as one visit that ended when the task left the status for good.
    ``next`` is only right with ``visits``, which takes its time.
    """
    tasks = tasks.reset_index(drop=True)
    task = positions(time_in_status["task_id"], tasks["id"])
    keep = (task >= 0) & ~is_in(time_in_status["status_type"], leave_out)
    keep &= ~is_abandoned(tasks)[task] if len(tasks) else False
    rows = np.flatnonzero(keep)
    since = milliseconds(time_in_status["since"].iloc[rows])
    after = _next(task, milliseconds(time_in_status["since"]))[rows] if visits or working else since
    raw = time_in_status[_TOLD] if len(rows) == len(keep) else time_in_status[_TOLD].iloc[rows]
    task = task[rows]
    unfinished = ~is_finished(tasks)[task] if len(tasks) else np.zeros(0, dtype=bool)
    waiting = flags(raw["current"]) & unfinished
    ms = _grown(raw, waiting, now)
    told: Legend = legend_of(tasks, task, raw, statuses, merge_statuses)
    found = Stays(tasks, told.table, task, told.code, ms, since, after, unfinished, waiting)
    found = _one_row_each(found)
    return found if working is None else found._replace(ms=_worked(found, instant(now), working))


def group_stays(spent: Stays, by: str | Grouping) -> GroupedStays:
    """Put the stays into the groups that ``by`` names; a task in several groups has its stays in each."""
    groups = grouped(spent.tasks, by)
    rows, group = _expanded(spent, groups)
    statuses = max(len(spent.legend), 1)
    key, pairs = dense(group * statuses + rows.status, len(groups.ids) * statuses)
    table = pd.DataFrame({"group": pairs // statuses, "legend": pairs % statuses}, dtype="int64")
    return GroupedStays(rows, key, table, groups, _tasks_of(rows.task, group, len(groups.ids)))


def grouped_visits(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    by: str | Grouping,
    *,
    now: datetime,
    statuses: pd.DataFrame | None,
    merge_statuses: bool,
    not_started: bool = False,
) -> GroupedStays:
    """Return the stays that can wait, with their visits, in groups: started ones, and others if asked for."""
    spent = stays(
        tasks,
        time_in_status,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=FINISHED if not_started else FINISHED + NOT_STARTED,
        visits=True,
    )
    return group_stays(spent, by)


def by_task(spent: Stays, values: Floats) -> Floats:
    """Add up a value of the stays for each task."""
    return np.asarray(np.bincount(spent.task, values, len(spent.tasks)), dtype="float64")


def left_at(spent: Stays, now: float) -> Floats:
    """Return when each task left each status for good, ``now`` where it still is in it, as the sums tell.

    Each sum is taken to be one visit, which began at ``since`` and ended at the latest when the task came to
    the status after it.
    """
    after = np.where(np.isnan(spent.next), now, spent.next)
    return np.where(spent.waiting, now, np.minimum(spent.since + spent.ms, after))


def _worked(spent: Stays, now: float, working: WorkingTime) -> Floats:
    left = left_at(spent, now)
    left = np.where(np.isnan(left), now, left)
    return working.between(left - spent.ms, left)


def _expanded(spent: Stays, groups: Grouped) -> tuple[Stays, Places]:
    """Repeat each stay for each group of its task; return the stays and the group of each."""
    if len(groups.task) == len(spent.tasks) and np.array_equal(groups.task, np.arange(len(spent.tasks))):
        return spent, groups.code[spent.task]
    order = np.argsort(groups.task, kind="stable")
    many = np.bincount(groups.task, minlength=len(spent.tasks))
    first = np.cumsum(many) - many
    repeats = many[spent.task]
    row = np.repeat(np.arange(len(spent.task)), repeats)
    within = np.arange(len(row)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return spent.only(row), groups.code[order[first[spent.task[row]] + within]]


def _tasks_of(task: Places, group: Places, groups: int) -> Places:
    """Count the tasks with a stay in each group."""
    if not len(task):
        return np.zeros(groups, dtype="int64")
    pairs = pd.unique(group.astype("int64") * (int(task.max()) + 1) + task)
    return np.bincount(pairs // (int(task.max()) + 1), minlength=groups)


def _next(task: Places, since: Floats) -> Floats:
    """Return for each stay when the task came to the status after it; NaN after the last one."""
    if not len(task):
        return np.zeros(0)
    follows = np.full(len(since), np.nan)
    same = task[1:] == task[:-1]
    if (task[1:] >= task[:-1]).all() and not (same & ~(since[1:] >= since[:-1]) & ~np.isnan(since[1:])).any():
        follows[:-1][same] = since[1:][same]  # in order already, as the exported files are
        return follows
    order = np.lexsort((since, task))
    same = task[order[1:]] == task[order[:-1]]
    follows[order[:-1]] = np.where(same, since[order[1:]], np.nan)
    return follows


def _grown(raw: pd.DataFrame, waiting: Mask, now: datetime) -> Floats:
    ms = raw["total_ms"].to_numpy(dtype="float64", na_value=0, copy=True)
    rows = np.flatnonzero(waiting)
    growth = (instant(now) - milliseconds(raw["as_of"].iloc[rows])).clip(min=0)
    ms[rows] += np.floor(np.nan_to_num(growth))
    return ms


def _one_row_each(spent: Stays) -> Stays:
    """Add up the stays of one task that count as one status (two lists' statuses merged by name)."""
    if not _has_twins(spent.task, spent.status):
        return spent
    table = pd.DataFrame({name: getattr(spent, name) for name in spent._fields[2:]})
    how = {"ms": "sum", "since": "max", "next": "max", "unfinished": "first", "waiting": "any"}
    merged = table.groupby(["task", "status"], as_index=False, sort=False).agg(how)
    parts: dict[str, Any] = {name: merged[name].to_numpy() for name in spent._fields[2:]}
    return spent._replace(**parts)


def _has_twins(task: Places, status: Places) -> bool:
    """Tell whether a task has two stays in one status; its stays stand one after the other, mostly."""
    if len(task) and (task[1:] < task[:-1]).any():
        order = np.argsort(task, kind="stable")
        task, status = task[order], status[order]
    for apart in range(1, len(task)):
        same = task[apart:] == task[:-apart]
        if not same.any():
            return False
        if (same & (status[apart:] == status[:-apart])).any():
            return True
    return False
