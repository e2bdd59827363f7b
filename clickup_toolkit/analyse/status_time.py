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
    whole,
)
from clickup_toolkit.analyse.groups import Grouping, place_labels
from clickup_toolkit.analyse.stays import group_stays, stays

__all__ = ["QUEUE_WEEKS", "queues", "time_in_status", "waiting_now", "where_work_waits"]

QUEUE_WEEKS = 4
"""How far :func:`where_work_waits` looks back to tell whether a queue grows."""

_STATUS = ["status", "status_type", "place", "color", "orderindex", "status_key"]
_WAITING = ["task_id", "name", "url", "list_id", "list", *_STATUS, "since", "age_ms"]


def time_in_status(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    finished: bool = False,
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
    """
    left_out = () if finished else FINISHED
    spent = stays(
        tasks,
        time_in_status,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=left_out,
    )
    rows, groups = group_stays(spent, by)
    table = _summed(rows)
    whole_time = table.groupby("group")["sum_ms"].transform("sum")
    table["share"] = table["sum_ms"] / whole_time.where(whole_time > 0)
    table["per_task_ms"] = whole(
        table["sum_ms"] / table["group"].map(rows.groupby("group")["task"].nunique())
    )
    table = table.assign(whole_time=whole_time).join(spent.legend, on="legend")
    order = ["whole_time", "group", "orderindex", "status", "status_key"]
    table = table.sort_values(order, ascending=[False, True, True, True, True])
    measures = ["tasks", "waiting", "sum_ms", "per_task_ms", "mean_ms", "median_ms", "p85_ms", "share"]
    return _told(table, by, groups, [*_STATUS, *measures])


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
    left_out = FINISHED if not_started else FINISHED + NOT_STARTED
    spent = stays(
        tasks,
        time_in_status,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=left_out,
    )
    rows, groups = group_stays(spent, by)
    rows["age"] = np.where(rows["waiting"], instant(now) - rows["since"], np.nan)
    rows["open_ms"] = rows["ms"].where(rows["unfinished"], 0)
    table = _summed(rows)
    keys = rows.groupby(["group", "status"], sort=False)
    table["time_ms"], table["oldest_ms"] = keys["open_ms"].sum().array, keys["age"].max().array
    table["share"] = table["time_ms"] / max(int(table["time_ms"].sum()), 1)
    before = np.array([instant(now - timedelta(weeks=QUEUE_WEEKS))])
    came, went = _came_and_went(rows, before, instant(now))
    table["waiting_before"] = (came - went)[:, 0]
    table = table.join(spent.legend, on="legend")
    table = table.sort_values(["time_ms", "p85_ms", "status_key"], ascending=[False, False, True])
    measures = ["waiting", "waiting_before", "time_ms", "share", "median_ms", "p85_ms", "oldest_ms"]
    return _told(table, by, groups, [*_STATUS, *measures])


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
    rows = spent.rows[spent.rows["waiting"]].rename(columns={"status": "legend"})
    about = spent.tasks[["id", "name", "url", "list_id", "status_since"]].rename(
        columns={"id": "task_id", "status_since": "since"}
    )
    about["list_id"] = about["list_id"].fillna("")
    about["list"] = about["list_id"].map(place_labels(tasks, "list")).astype("str")
    table = rows[["task", "legend"]].join(about, on="task").join(spent.legend, on="legend")
    table["age_ms"] = whole((instant(now) - rows["since"]).clip(lower=0))
    return table.sort_values(["age_ms", "task_id"], ascending=[False, True])[_WAITING].reset_index(drop=True)


def queues(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    weeks: int = 13,
    by: str | Grouping = "status",
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    not_started: bool = False,
) -> pd.DataFrame:
    """Tell how many tasks stood in each status at the end of each of the last ``weeks`` weeks up to ``now``.

    Approximated: ClickUp keeps one sum for each status and no history. Each sum is taken to be one visit
    that ended when the task left the status for good; exact for a task that was in it once. The visits of a
    task that came back count with their whole time, but all in one at the end. The last instant, ``now``,
    is exact.

    Columns: those of the group and the status as in :func:`time_in_status`, ``at`` (the instant), ``queue``
    (tasks), ``arrived`` and ``left`` (tasks, since the instant before).
    """
    left_out = FINISHED if not_started else FINISHED + NOT_STARTED
    spent = stays(
        tasks,
        time_in_status,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=left_out,
    )
    rows, groups = group_stays(spent, by)
    instants = [pd.Timestamp(now) - pd.Timedelta(weeks=week) for week in range(weeks, -1, -1)]
    edges = np.array([instant(at.to_pydatetime()) for at in instants])
    came, went = _came_and_went(rows, edges, instant(now))
    keys = rows.groupby(["group", "status"], sort=False).size().index.to_frame(index=False)
    table = keys.rename(columns={"status": "legend"}).join(spent.legend, on="legend")
    table = table.loc[table.index.repeat(weeks)].reset_index(drop=True)
    table["at"] = pd.to_datetime(instants[1:] * len(keys), utc=True).as_unit("ms")
    table["queue"] = (came - went)[:, 1:].reshape(-1)
    table["arrived"] = np.diff(came).reshape(-1)
    table["left"] = np.diff(went).reshape(-1)
    table = table.sort_values(["group", "orderindex", "status_key", "at"])
    return _told(table, by, groups, [*_STATUS, "at", "queue", "arrived", "left"])


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


def _summed(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum up each group's stays in each status (its number is ``legend``), in order of appearance."""
    keys = rows.groupby(["group", "status"], sort=False)
    table = keys.agg(
        tasks=("ms", "count"), waiting=("waiting", "sum"), sum_ms=("ms", "sum"), mean_ms=("ms", "mean")
    )
    table["median_ms"] = keys["ms"].median()
    table["p85_ms"] = keys["ms"].quantile(PERCENTILE)
    for column in ("mean_ms", "median_ms", "p85_ms"):
        table[column] = whole(table[column])
    return table.reset_index().rename(columns={"status": "legend"})


def _came_and_went(rows: pd.DataFrame, edges: Floats, now: float) -> tuple[Places, Places]:
    """Count, for each group's status in order of appearance, the arrivals and departures up to each edge."""
    known = rows["since"].notna().to_numpy()
    keys = rows.groupby(["group", "status"], sort=False)
    key, seen = keys.ngroup().to_numpy()[known], rows[known]
    spent = seen["ms"].to_numpy()
    left = np.minimum(seen["since"].to_numpy() + spent, seen["next"].fillna(now).to_numpy())
    came = np.where(seen["waiting"], now, left) - spent
    went = np.where(seen["waiting"], np.inf, left)
    return _up_to(key, keys.ngroups, came, edges), _up_to(key, keys.ngroups, went, edges)


def _up_to(key: Places, keys: int, times: Floats, edges: Floats) -> Places:
    first = np.searchsorted(edges, times, side="left")
    cells = np.bincount(key * (len(edges) + 1) + first, minlength=keys * (len(edges) + 1))
    return cells.reshape(keys, len(edges) + 1)[:, :-1].cumsum(axis=1)


def _told(table: pd.DataFrame, by: str | Grouping, groups: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Put the group's id and label in front, named after the grouping, and the columns in order."""
    name = by.name if isinstance(by, Grouping) else by
    if name == "status":
        return table[columns].reset_index(drop=True)
    labelled = table.assign(
        **{f"{name}_id": table["group"].map(groups["id"]), name: table["group"].map(groups["label"])}
    )
    return labelled[[f"{name}_id", name, *columns]].reset_index(drop=True)
