"""Flow efficiency: the part of a task's time in which somebody works on it."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import FINISHED, NOT_STARTED, instant, is_finished, milliseconds
from clickup_toolkit.analyse.columns import OF_TASK, STATUS, STATUSES, STAYS
from clickup_toolkit.analyse.groups import Grouping, told
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, EXACT, sourced
from clickup_toolkit.analyse.stays import group_stays, stays
from clickup_toolkit.analyse.words import contains
from clickup_toolkit.analyse.working import WorkingTime

__all__ = ["WAITING", "flow_efficiency", "status_roles"]

WAITING = ("blocked", "on hold", "waiting", "pending", "ready", "queue", "paused")
"""Words in the names of active statuses in which work waits; the setting WAITING_STATUSES."""


@measure(tasks=OF_TASK, time_in_status=STAYS, statuses=STATUSES)
def flow_efficiency(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    since: datetime | None = None,
    waiting: tuple[str, ...] = WAITING,
    statuses: pd.DataFrame | None = None,
    working: WorkingTime | None = None,
) -> pd.DataFrame:
    """Tell which part of the time of started, finished work was worked in: one row a group.

    Flow efficiency = time in active statuses / time in active and waiting statuses (N. Modig and P. Åhlström,
    *This is Lean*, 2012; D. Vacanti, *Actionable Agile Metrics for Predictability*, 2015), sum over sum: a
    mean of the tasks' ratios would let a task of an hour weigh as much as one of a year. Counted are tasks
    done from ``since`` (default: ever) to ``now``, and of their time that between start and end: statuses
    before the start (open, unstarted) and done ones do not count. Active is every other status, unless its
    name contains one of the words of ``waiting``, see :func:`status_roles`.

    Columns: ``<by>_id``, ``<by>``, ``tasks``, ``active_ms``, ``waiting_ms``, ``efficiency`` (0 to 1; empty
    without time). Exact as far as the statuses are: who sits in 'doing' is not always worked on.
    """
    done = milliseconds(tasks["date_done"].fillna(tasks["date_closed"]))
    keep = is_finished(tasks) & (done <= instant(now))
    if since is not None:
        keep &= done >= instant(since)
    spent = stays(
        tasks[keep],
        time_in_status,
        now=now,
        statuses=statuses,
        leave_out=NOT_STARTED + FINISHED,
        working=working,
    )
    found = group_stays(spent, by)
    waits = contains(spent.legend["status"], waiting)[found.rows.status]
    group, many = found.pairs["group"].to_numpy()[found.key], len(found.groups.ids)
    table = pd.DataFrame({"group": np.arange(many), "tasks": found.tasks_of_group})
    for name, rows in (("active_ms", ~waits), ("waiting_ms", waits)):
        table[name] = np.bincount(group, np.where(rows, found.rows.ms, 0), many).round().astype("int64")
    whole = table["active_ms"] + table["waiting_ms"]
    table["efficiency"] = table["active_ms"] / whole.where(whole > 0)
    table["label"] = found.groups.labels
    table = table[table["tasks"] > 0].sort_values(["tasks", "label"], ascending=[False, True])
    measures = ["tasks", "active_ms", "waiting_ms", "efficiency"]
    return sourced(told(table, found.groups, measures), EXACT if working is None else APPROXIMATED)


@measure(tasks=OF_TASK, time_in_status=STAYS, statuses=STATUSES)
def status_roles(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    waiting: tuple[str, ...] = WAITING,
    statuses: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell what each status counts as: ``before`` the start, ``active``, ``waiting``, or ``after`` the end.

    For whoever wants to check, or correct by the setting WAITING_STATUSES, what flow efficiency rests on.
    Columns: ``status``, ``status_type``, ``place``, ``color``, ``orderindex``, ``status_key``, ``role``.
    """
    legend = stays(tasks, time_in_status, now=now, statuses=statuses, leave_out=()).legend
    waits = np.where(contains(legend["status"], waiting), "waiting", "active")
    before, after = legend["status_type"].isin(NOT_STARTED), legend["status_type"].isin(FINISHED)
    table = legend.assign(role=np.where(before, "before", np.where(after, "after", waits)))
    table = table.sort_values(["place", "orderindex", "status_key"]).reset_index(drop=True)
    return sourced(table[[*STATUS, "role"]])
