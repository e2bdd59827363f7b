"""Ageing work in progress against the pace of finished work, and the service level expectation."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    NOT_STARTED,
    Floats,
    Mask,
    Places,
    instant,
    percentiles,
    times,
)
from clickup_toolkit.analyse.columns import CHANGES, CYCLE, STATUS, STATUSES, STAYS
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Cycle, Spans, spans, spans_seen
from clickup_toolkit.analyse.flow import described, finished_between, passed, taken
from clickup_toolkit.analyse.groups import Grouping, grouped, told
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, OBSERVED, sourced
from clickup_toolkit.analyse.stays import Stays, stays
from clickup_toolkit.analyse.working import WorkingTime

__all__ = ["PACE", "ageing_work", "pace_percentiles", "service_level_expectation"]

PACE = (0.5, 0.7, 0.85, 0.95)
"""The pace percentiles that are drawn beside ageing work."""
_PACE_COLUMNS = [f"pace_{round(part * 100)}_ms" for part in PACE]


@measure(rows={"time_in_status": "started"}, tasks=CYCLE, time_in_status=STAYS, statuses=STATUSES)
def pace_percentiles(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    since: datetime | None = None,
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    cycle: Cycle = CLICKUP_RULE,
) -> pd.DataFrame:
    """Tell how old finished tasks were when they left each status: one row a status.

    The pace percentiles of the ageing work in progress chart (D. Vacanti, *Actionable Agile Metrics for
    Predictability*, 2015): of the tasks done from ``since`` (default: ever) to ``now`` that have been in
    the status, the time that they had spent by then in it and in the started statuses before it in the
    workflow; with another ``cycle`` in those that they came to since its start. Percentiles 50, 70,
    85 and 95, as in :data:`PERCENTILE`.

    Columns: the status as in :func:`time_in_status`, ``tasks``, ``pace_50_ms``, ``pace_70_ms``,
    ``pace_85_ms``, ``pace_95_ms``. Exact: ClickUp's sums, in the order of the workflow.
    """
    found = spans(tasks, cycle, time_in_status)
    spent = _started_stays(tasks, time_in_status, found, now, statuses, merge_statuses, cycle)
    return sourced(_pace(spent, finished_between(found, since, now)))


@measure(
    rows={"time_in_status": "started"},
    tasks=(*CYCLE, "name", "url"),
    time_in_status=STAYS,
    statuses=STATUSES,
    status_changes=CHANGES,
    exports=("started",),
)
def ageing_work(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    since: datetime | None = None,
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    cycle: Cycle = CLICKUP_RULE,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List the started, unfinished tasks with their age beside the pace of their status, the latest first.

    A task that is older than 85 in 100 finished tasks were when they left its status will hardly be among
    the quick 85 (D. Vacanti, *Actionable Agile Metrics for Predictability*, 2015). Pace as in
    :func:`pace_percentiles`, age as in :func:`work_item_age`.

    Columns: ``task_id``, ``name``, ``url``, ``list_id``, ``list``, the status as in :func:`time_in_status`,
    ``started``, ``age_ms``, ``pace_50_ms`` to ``pace_95_ms`` (empty where no finished task was in the
    status), ``pace`` (the largest of 0, 50, 70, 85, 95 that the age exceeds) and ``source`` (of the start).
    """
    seen, found = spans_seen(tasks, cycle, time_in_status, status_changes, exports)
    spent = _started_stays(tasks, time_in_status, found, now, statuses, merge_statuses, cycle)
    pace = _pace(spent, finished_between(found, since, now)).set_index("status_key")[_PACE_COLUMNS]
    here = spent.only(spent.waiting)
    here = here.only(found.going[here.task])
    table = described(tasks, here.task).join(spent.legend[STATUS].iloc[here.status].reset_index(drop=True))
    table["started"] = times(found.start[here.task])
    age = passed(found.start[here.task], instant(now), None)
    table["age_ms"] = age.round().astype("int64")
    table[_PACE_COLUMNS] = pace.reindex(table["status_key"]).to_numpy("float64")
    beyond = np.stack([age > table[column].to_numpy("float64") for column in _PACE_COLUMNS], axis=1)
    levels = np.array([0, *(round(part * 100) for part in PACE)])
    table["pace"] = levels[beyond.sum(axis=1)]
    table["source"] = found.source(here.task)
    table = table.sort_values(["pace", "age_ms", "task_id"], ascending=[False, False, True])
    return sourced(table.reset_index(drop=True), APPROXIMATED, seen.at)


@measure(tasks=CYCLE, time_in_status=STAYS, status_changes=CHANGES, exports=("started",))
def service_level_expectation(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    probability: float = 0.85,
    since: datetime | None = None,
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell within which time a started task is expected to be finished, and which ones are beyond it.

    The service level expectation forecasts how long one item should take from start to finish: a period of
    elapsed time and a probability (*The Kanban Guide*, 2020). The period is the percentile ``probability``
    of the cycle times of the tasks done from ``since`` (default: ever) to ``now``, as in
    :data:`PERCENTILE`.

    Columns: ``<by>_id``, ``<by>``, ``done`` (tasks that it rests on; with few it says little),
    ``probability``, ``within_ms``, ``in_progress`` (tasks), ``beyond`` (those of them older than it),
    ``near`` (older than half of it, and not beyond) and ``source``.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1, such as 0.85; it is {probability!r}")
    seen, found = spans_seen(tasks, cycle, time_in_status, status_changes, exports)
    groups = grouped(tasks, by)
    took = np.where(finished_between(found, since, now), taken(found, working)[1], np.nan)
    age = np.where(found.going, passed(found.start, instant(now), working), np.nan)
    many, code = len(groups.ids), groups.code
    within = percentiles(code, many, took[groups.task], (probability,))[:, 0]
    ages = age[groups.task]
    table = pd.DataFrame({"group": np.arange(many), "label": groups.labels})
    known, watched = ~np.isnan(took[groups.task]), found.observed[groups.task]
    table["done"] = np.bincount(code[known], minlength=many)
    unseen = np.bincount(code[(known | ~np.isnan(ages)) & ~watched], minlength=many)
    table["source"] = np.where(unseen == 0, OBSERVED, APPROXIMATED)
    table["probability"], table["within_ms"] = probability, within.round()
    late = ages > within[code]
    for name, rows in (
        ("in_progress", ~np.isnan(ages)),
        ("beyond", late),
        ("near", ~late & (ages > within[code] / 2)),
    ):
        table[name] = np.bincount(code[rows], minlength=many)
    table = table[table["done"] + table["in_progress"] > 0]
    table = table.sort_values(["done", "label"], ascending=[False, True])
    columns = ["done", "probability", "within_ms", "in_progress", "beyond", "near", "source"]
    return sourced(told(table, groups, columns), APPROXIMATED, seen.at)


def _started_stays(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    found: Spans,
    now: datetime,
    statuses: pd.DataFrame | None,
    merge_statuses: bool,
    cycle: Cycle,
) -> Stays:
    """Return the stays between start and end: what ages, and what the pace of finished work is made of."""
    usual = cycle.start == CLICKUP_RULE.start
    spent = stays(
        tasks,
        time_in_status,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        leave_out=NOT_STARTED + FINISHED if usual else FINISHED,
    )
    return spent if usual else spent.only(~(spent.since < found.start[spent.task]))


def _pace(spent: Stays, done: Mask) -> pd.DataFrame:
    rows, statuses = np.flatnonzero(done[spent.task]), len(spent.legend)
    order = np.nan_to_num(spent.legend["orderindex"].to_numpy("float64"), nan=np.inf)
    rank = np.argsort(np.argsort(order, kind="stable"))
    by_workflow = np.argsort(spent.task[rows] * np.int64(statuses) + rank[spent.status[rows]], kind="stable")
    rows = rows[by_workflow]
    status = spent.status[rows]
    values = percentiles(status, statuses, _added_up(spent.task[rows], spent.ms[rows]), PACE).round()
    table = spent.legend[STATUS].copy()
    table["tasks"] = np.bincount(status, minlength=len(table))
    table[_PACE_COLUMNS] = values
    table = table[table["tasks"] > 0]
    return table.sort_values(["place", "orderindex", "status_key"]).reset_index(drop=True)


def _added_up(task: Places, ms: Floats) -> Floats:
    """Return what each task had spent when it left each status, in the order of the rows."""
    if not len(task):
        return np.zeros(0)
    total = np.cumsum(ms)
    first = np.append(True, task[1:] != task[:-1])
    before = np.where(first, total - ms, 0)
    return np.asarray(total - np.maximum.accumulate(before), dtype="float64")
