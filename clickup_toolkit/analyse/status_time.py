"""Time in status: how long tasks stay where, and where unfinished work waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    NOT_STARTED,
    PERCENTILE,
    Floats,
    Places,
    instant,
    percentiles,
    text,
)
from clickup_toolkit.analyse.columns import OF_TASK, STATUS, STATUSES, STAYS
from clickup_toolkit.analyse.groups import Grouping, place_labels, told
from clickup_toolkit.analyse.history import came_and_went
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, EXACT, sourced
from clickup_toolkit.analyse.stays import GroupedStays, group_stays, grouped_visits, stays
from clickup_toolkit.analyse.working import WorkingTime

__all__ = ["QUEUE_WEEKS", "time_in_status", "waiting_now", "waits_of", "where_work_waits"]

QUEUE_WEEKS = 4
"""How far :func:`where_work_waits` looks back to tell whether a queue grows."""

_WAITING = ["task_id", "name", "url", "list_id", "list", *STATUS, "since", "age_ms"]


@measure(tasks=OF_TASK, time_in_status=STAYS, statuses=STATUSES)
def time_in_status(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    finished: bool = False,
    working: WorkingTime | None = None,
) -> pd.DataFrame:
    """Tell how long tasks stay in each status, up to ``now``: one row for each group and status.

    Groups stand in the order of their whole time, statuses in the order of the workflow. ``statuses`` (the
    table) lets lists that inherit their statuses share them; ``merge_statuses`` merges all of one name.
    Done and closed statuses, where nothing waits, are left out unless ``finished``.

    ============ ========= ==========================================================================
    column       unit      meaning
    ============ ========= ==========================================================================
    <by>_id, <by>          the group's id and label; absent with ``by="status"``
    status                 name of the status
    status_type            ClickUp's type: open, unstarted, custom (active), done, closed
    place                  the list that the status lives in; when lists share it, their space
    color, orderindex      ClickUp's colour, and position in the workflow
    status_key             what tells statuses apart: ClickUp's id, or list id and name
    tasks        tasks     tasks that have been in it
    waiting      tasks     unfinished tasks that are in it now
    sum_ms       ms        time that they spent in it, all told
    per_task_ms  ms        the same per task of the group, whether it has been in the status or not:
                           these add up over the statuses to the time a task of the group takes
    mean_ms      ms        per task that has been in it
    median_ms    ms        half of the tasks that have been in it spent at most this
    p85_ms       ms        85 in 100 spent at most this
    share        0 to 1    part of the group's whole time
    ============ ========= ==========================================================================

    A task counts once for each status, with the sum of its visits, as ClickUp tells it. Stays that still
    last count with what they have reached, so medians and percentiles are what is known so far.

    Exact: ClickUp's own sums ("Total time in Status" of its own cards). Percentiles as in :data:`PERCENTILE`.
    With ``working``, working time alone counts; that is approximated, since ClickUp tells no visits: each
    sum is taken to be one visit that ended when the task left the status for good.
    """
    left_out = () if finished else FINISHED
    spent = stays(
        tasks,
        time_in_status,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=left_out,
        working=working,
    )
    found = group_stays(spent, by)
    table = _summed(found)
    of_group = table["group"]
    time = table["sum_ms"].groupby(of_group).transform("sum")
    table["share"] = table["sum_ms"] / time.where(time > 0)
    table["per_task_ms"] = (table["sum_ms"] / found.tasks_of_group[of_group]).round().astype("int64")
    table = table.assign(whole_time=time).join(spent.legend, on="legend")
    order = ["whole_time", "group", "orderindex", "status", "status_key"]
    table = table.sort_values(order, ascending=[False, True, True, True, True])
    measures = ["tasks", "waiting", "sum_ms", "per_task_ms", "mean_ms", "median_ms", "p85_ms", "share"]
    return sourced(
        told(table, found.groups, [*STATUS, *measures]), EXACT if working is None else APPROXIMATED
    )


@measure(tasks=OF_TASK, time_in_status=STAYS, statuses=STATUSES)
def where_work_waits(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    not_started: bool = False,
) -> pd.DataFrame:
    """Rank the statuses by the part of unfinished work's time that is spent in them.

    By default each status is one row, however many lists share it; ``by="list"`` shows each list's part.
    Statuses before the start (a backlog, which is meant to wait) are left out unless ``not_started``.

    =================== ======== =====================================================================
    column              unit     meaning
    =================== ======== =====================================================================
    <by>_id … status_key         as in :func:`time_in_status`
    waiting             tasks    unfinished tasks that are in it now
    waiting_before      tasks    the same four weeks ago, as :func:`queues` approximates it
    time_ms             ms       time that unfinished tasks have spent in it
    share               0 to 1   part of the time that unfinished tasks have spent in all of these
    median_ms, p85_ms   ms       time in it of all tasks, finished ones too
    oldest_ms           ms       longest that a task has been waiting in it now; empty where none is
    =================== ======== =====================================================================
    """
    found = grouped_visits(
        tasks,
        time_in_status,
        by,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        not_started=not_started,
    )
    return waits_of(found, now)


def waits_of(found: GroupedStays, now: datetime) -> pd.DataFrame:
    """Return the table of :func:`where_work_waits` for stays that have been grouped, with their visits."""
    rows, at = found.rows, instant(now)
    table = _summed(found)
    table["time_ms"] = np.bincount(found.key, np.where(rows.unfinished, rows.ms, 0), len(table)).astype(
        "int64"
    )
    table["oldest_ms"] = _largest(
        found.key, len(table), np.where(rows.waiting, np.maximum(at - rows.since, 0), np.nan)
    )
    table["share"] = table["time_ms"] / max(int(table["time_ms"].sum()), 1)
    came, went = came_and_went(found, np.array([instant(now - timedelta(weeks=QUEUE_WEEKS))]), at)
    table["waiting_before"] = (came - went)[:, 0]
    table = table.join(rows.legend, on="legend")
    table = table.sort_values(["time_ms", "p85_ms", "status_key"], ascending=[False, False, True])
    measures = ["waiting", "waiting_before", "time_ms", "share", "median_ms", "p85_ms", "oldest_ms"]
    return sourced(told(table, found.groups, [*STATUS, *measures]))


@measure(
    rows={"tasks": "unfinished"},
    tasks=(*OF_TASK, "name", "url", "status", "status_color", "status_since", "as_of"),
    statuses=STATUSES,
)
def waiting_now(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    not_started: bool = False,
) -> pd.DataFrame:
    """List the unfinished tasks with their age in the current status, the longest waiting first.

    One row a task: ``task_id``, ``name``, ``url``, ``list_id``, ``list``, the status as in
    :func:`time_in_status`, ``since`` and ``age_ms`` (ms from ``since`` to ``now``: the current visit alone).
    Tasks for which ClickUp tells no time in status are left out, and those before the start unless
    ``not_started``.
    """
    spent = stays(
        tasks,
        _current_stays(tasks),
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=FINISHED if not_started else FINISHED + NOT_STARTED,
    )
    spent = spent.only(spent.waiting)
    about = spent.tasks[["id", "name", "url", "list_id", "status_since"]].iloc[spent.task]
    about = about.rename(columns={"id": "task_id", "status_since": "since"}).reset_index(drop=True)
    about["list_id"] = text(about["list_id"]).fillna("")
    about["list"] = about["list_id"].map(place_labels(spent.tasks, "list")).astype("str")
    table = about.join(spent.legend[STATUS].iloc[spent.status].reset_index(drop=True))
    table["age_ms"] = (instant(now) - spent.since).clip(min=0).round().astype("int64")
    table = table.sort_values(["age_ms", "task_id"], ascending=[False, True])
    return sourced(table[_WAITING].reset_index(drop=True))


def _current_stays(tasks: pd.DataFrame) -> pd.DataFrame:
    """Return what the task table knows of time in status: the current one of each task."""
    known = tasks[tasks["status_since"].notna()]
    return pd.DataFrame(
        {
            "task_id": known["id"],
            "status": known["status"],
            "status_type": known["status_type"],
            "color": known["status_color"],
            "orderindex": np.nan,
            "total_ms": 0,
            "since": known["status_since"],
            "current": True,
            "as_of": known["as_of"],
        }
    )


def _summed(found: GroupedStays) -> pd.DataFrame:
    """Sum up each group's stays in each status."""
    table, rows = found.pairs.copy(), found.rows
    count = np.bincount(found.key, minlength=len(table))
    table["tasks"] = count
    table["waiting"] = np.bincount(found.key, rows.waiting, len(table)).astype("int64")
    table["sum_ms"] = np.bincount(found.key, rows.ms, len(table)).round().astype("int64")
    table["mean_ms"] = (table["sum_ms"] / count).round().astype("int64")
    late = percentiles(found.key, len(table), rows.ms, (0.5, PERCENTILE))
    table["median_ms"], table["p85_ms"] = late.round().astype("int64").T
    return table


def _largest(key: Places, keys: int, values: Floats) -> Floats:
    largest = np.full(keys, np.nan)
    known = ~np.isnan(values)
    np.fmax.at(largest, key[known], values[known])
    return largest
