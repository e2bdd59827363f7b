"""Flow of finished and unfinished work: throughput, lead and cycle time, work item age."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    PERCENTILE,
    Floats,
    Mask,
    Places,
    instant,
    largest_first,
    percentiles,
    text,
    times,
)
from clickup_toolkit.analyse.calendar import Unit, beginnings, calendar, period_of
from clickup_toolkit.analyse.columns import CHANGES, CYCLE, STAYS
from clickup_toolkit.analyse.counting import counted_tasks, weights
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Cycle, Spans, ends, spans_seen
from clickup_toolkit.analyse.groups import Grouping, grouped, place_labels, told
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, OBSERVED, sourced
from clickup_toolkit.analyse.working import WorkingTime

__all__ = [
    "described",
    "finished_between",
    "finished_work",
    "lead_and_cycle_time",
    "passed",
    "taken",
    "throughput",
    "work_item_age",
]

_TIMES = ["done", "lead_median_ms", "lead_p85_ms", "started", "cycle_median_ms", "cycle_p85_ms", "source"]
_AGES = [
    "task_id",
    "name",
    "url",
    "list_id",
    "list",
    "status",
    "started",
    "age_ms",
    "since_created_ms",
    "source",
]
_DONE = ["task_id", "name", "url", "list_id", "list", "created", "started", "finished", "lead_ms", "cycle_ms"]


@measure(
    tasks=CYCLE,
    time_in_status=STAYS,
    status_changes=CHANGES,
    exports=("started",),
)
def lead_and_cycle_time(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    since: datetime | None = None,
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell how long finished work took: one row a group, the one that finished most first.

    Lead time runs from creation to done (from the customer's wish to its fulfilment), cycle time from
    leaving the not-started statuses to done (elapsed time between start and finish, after *The Kanban
    Guide*, 2020), or as ``cycle`` says. Counted are tasks done from ``since`` (default: ever) to ``now``;
    cycle time is empty where ClickUp's sums do not tell the start. With ``working``, working time counts.

    ============================ ===== ===============================================
    <by>_id, <by>                      the group; absent with ``by="status"``
    done                         tasks tasks finished
    lead_median_ms, lead_p85_ms  ms    half, and 85 in 100, took at most this
    started                      tasks those of them with a known cycle time
    cycle_median_ms, cycle_p85_ms ms   the same of their cycle times; empty without one
    source                             of the cycle times; lead times are exact
    ============================ ===== ===============================================
    """
    seen, found = spans_seen(tasks, cycle, time_in_status, status_changes, exports)
    rows, groups = np.flatnonzero(finished_between(found, since, now)), grouped(tasks, by)
    task, code = _members(groups.task, groups.code, rows, len(tasks))
    count = len(groups.ids)
    lead, took = taken(found, working)
    table = pd.DataFrame({"group": np.arange(count), "done": np.bincount(code, minlength=count)})
    for name, values in (("lead", lead), ("cycle", took)):
        late = percentiles(code, count, values[task], (0.5, PERCENTILE)).round()
        table[f"{name}_median_ms"], table[f"{name}_p85_ms"] = late.T
    known = ~np.isnan(took[task])
    table["started"] = np.bincount(code[known], minlength=count)
    unseen = np.bincount(code[known & ~found.observed[task]], minlength=count)
    table["source"] = np.where((table["started"] > 0) & (unseen == 0), OBSERVED, APPROXIMATED)
    table["label"], table["id"] = groups.labels, groups.ids
    table = table[table["done"] > 0].sort_values(["done", "label", "id"], ascending=[False, True, True])
    return sourced(told(table, groups, _TIMES), APPROXIMATED, seen.at)


@measure(
    tasks=(*CYCLE, "name", "url"),
    time_in_status=STAYS,
    status_changes=CHANGES,
    exports=("started",),
)
def finished_work(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    since: datetime | None = None,
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List the finished tasks with what they took, the last finished first: the points of a scatterplot.

    The cycle time scatterplot of D. Vacanti, *Actionable Agile Metrics for Predictability*, 2015; lead and
    cycle time as in :func:`lead_and_cycle_time`.

    One row a task: ``task_id``, ``name``, ``url``, ``list_id``, ``list``, ``created``, ``started``,
    ``finished``, ``lead_ms``, ``cycle_ms`` (empty where the start is not known), ``source`` (of the start).
    """
    seen, found = spans_seen(tasks, cycle, time_in_status, status_changes, exports)
    rows = np.flatnonzero(finished_between(found, since, now))
    rows = rows[largest_first(found.finish[rows], tasks["id"].iloc[rows])]
    lead, took = taken(found, working)
    table = described(tasks, rows).assign(
        created=times(found.created[rows]),
        started=times(found.start[rows]),
        finished=times(found.finish[rows]),
        lead_ms=lead[rows],
        cycle_ms=took[rows],
        source=found.source(rows),
    )
    return sourced(table[[*_DONE, "source"]], APPROXIMATED, seen.at)


@measure(rows={"tasks": "finished"}, counted={"tasks": counted_tasks}, tasks=CYCLE, time_in_status=STAYS)
def throughput(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    weeks: int | None = None,
    days: int | None = None,
    unit: Unit = "week",
    tz: str = "UTC",
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the tasks finished in each week, Monday to Sunday in time zone ``tz``; empty weeks count 0.

    Work items finished per unit of time, after *The Kanban Guide*, 2020. The weeks run from the first one
    in which anything was finished (or the last ``weeks``) to that of ``now``, for every group alike. With
    ``unit="day"`` (or ``days``, the last so many) days are counted instead, those that had none as 0. Where
    ``cycle`` ends work before it is done, it is finished then, as in :func:`lead_and_cycle_time`.

    Columns: ``<by>_id``, ``<by>`` (absent with ``by="status"``, the default: all together), ``week`` or
    ``day`` (its first instant), ``done`` (tasks), ``complete`` (false for the one that is not over at
    ``now``). Exact; approximated with an end of one's own.
    """
    unit, last = ("day", days) if days is not None else (unit, weeks if unit == "week" else None)
    (found, source), groups = ends(tasks, cycle, time_in_status), grouped(tasks, by)
    rows = np.flatnonzero(finished_between(found, None, now))
    period = period_of(found.finish[rows], unit, tz)
    dates = calendar(period.min() if len(period) else None, now, unit, last, tz)
    place = np.full(len(tasks), -1)
    place[rows] = pd.Index(dates).get_indexer(pd.Index(period))
    task, code = _members(groups.task, groups.code, rows, len(tasks))
    shown = _shown(code, len(groups.ids), groups.name)
    within = place[task] >= 0
    cells = np.bincount(
        code[within] * len(dates) + place[task][within],
        weights(tasks)[task][within],
        minlength=len(groups.ids) * len(dates),
    ).astype("int64")
    group = pd.DataFrame({"group": shown, "label": np.array(groups.labels, dtype=object)[shown]})
    group = group.assign(id=np.array(groups.ids, dtype=object)[shown]).sort_values(["label", "id"])
    table = group.merge(pd.DataFrame({"place": np.arange(len(dates)), unit: dates}), how="cross")
    table["done"] = cells[table["group"].to_numpy() * len(dates) + table["place"].to_numpy()]
    following = table[unit] + pd.Timedelta(days=7 if unit == "week" else 1)
    table["complete"] = beginnings(following, tz) <= pd.Timestamp(now)
    table[unit] = beginnings(table[unit], tz)
    return sourced(told(table, groups, [unit, "done", "complete"]), source)


@measure(
    rows={"tasks": "unfinished"},
    tasks=(*CYCLE, "name", "url"),
    time_in_status=STAYS,
    status_changes=CHANGES,
    exports=("started",),
)
def work_item_age(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    working: WorkingTime | None = None,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List the unfinished tasks that have been started, the oldest first.

    Work item age is the time from the start to the current instant, after *The Kanban Guide*, 2020. Tasks
    that have not left the not-started statuses have no age; those whose start ClickUp's sums do not tell
    are left out. ``cycle`` and ``working`` as in :func:`lead_and_cycle_time`.

    One row a task: ``task_id``, ``name``, ``url``, ``list_id``, ``list``, ``status``, ``started``,
    ``age_ms`` (ms from ``started`` to ``now``), ``since_created_ms`` (ms from creation to ``now``) and
    ``source`` (of the start).
    """
    seen, found = spans_seen(tasks, cycle, time_in_status, status_changes, exports)
    rows, at = np.flatnonzero(found.going), instant(now)
    age, since_created = (passed(each[rows], at, working) for each in (found.start, found.created))
    table = described(tasks, rows).assign(
        status=text(tasks["status"].iloc[rows]).to_numpy(),
        started=times(found.start[rows]),
        age_ms=age.round().astype("int64"),
        since_created_ms=pd.Series(since_created).round(),
        source=found.source(rows),
    )
    if table["since_created_ms"].notna().all():
        table["since_created_ms"] = table["since_created_ms"].astype("int64")
    table = table.sort_values(["age_ms", "task_id"], ascending=[False, True]).reset_index(drop=True)
    return sourced(table[_AGES], APPROXIMATED, seen.at)


def described(tasks: pd.DataFrame, rows: Places) -> pd.DataFrame:
    """Return ``task_id``, ``name``, ``url``, ``list_id`` and ``list`` of some tasks."""
    lists = text(tasks["list_id"].iloc[rows]).fillna("").reset_index(drop=True)
    return pd.DataFrame(
        {
            "task_id": text(tasks["id"].iloc[rows]).array,
            "name": text(tasks["name"].iloc[rows]).array,
            "url": text(tasks["url"].iloc[rows]).array,
            "list_id": lists.array,
            "list": lists.map(place_labels(tasks, "list")).astype("str").array,
        }
    )


def taken(found: Spans, working: WorkingTime | None) -> tuple[Floats, Floats]:
    """Return lead and cycle times in ms; NaN where an end is missing or the order is wrong."""
    lead, took = found.finish - found.created, found.finish - found.start
    if working is None:
        return np.where(lead < 0, np.nan, lead), np.where(took < 0, np.nan, took)
    worked = working.between(found.created, found.finish), working.between(found.start, found.finish)
    return np.where(lead < 0, np.nan, worked[0]), np.where(took < 0, np.nan, worked[1])


def passed(since: Floats, now: float, working: WorkingTime | None) -> Floats:
    """Return the time from each instant to now in ms; 0 for one that lies ahead."""
    if working is None:
        return (now - since).clip(min=0)
    return working.between(since, np.full(len(since), now))


def finished_between(found: Spans, since: datetime | None, now: datetime) -> Mask:
    """Tell which tasks finished from ``since`` (default: ever) to ``now``."""
    keep = found.finish <= instant(now)
    return keep if since is None else keep & (found.finish >= instant(since))


def _members(task: Places, code: Places, rows: Places, tasks: int) -> tuple[Places, Places]:
    """Return those memberships of groups that are about some of the tasks."""
    wanted = np.zeros(tasks, dtype=bool)
    wanted[rows] = True
    return task[wanted[task]], code[wanted[task]]


def _shown(code: Places, groups: int, name: str) -> Places:
    """Return the groups to show: all together always, others where they finished something."""
    return np.arange(groups) if name == "status" else np.flatnonzero(np.bincount(code, minlength=groups))
