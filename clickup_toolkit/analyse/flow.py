"""Flow of finished and unfinished work: throughput, lead and cycle time, work item age."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    NOT_STARTED,
    PERCENTILE,
    instant,
    is_abandoned,
    is_finished,
    milliseconds,
    whole,
)
from clickup_toolkit.analyse.groups import Grouping, grouping, place_labels

__all__ = ["lead_and_cycle_time", "throughput", "work_item_age"]

_TIMES = ["done", "lead_median_ms", "lead_p85_ms", "started", "cycle_median_ms", "cycle_p85_ms"]
_AGES = ["task_id", "name", "url", "list_id", "list", "status", "started", "age_ms", "since_created_ms"]


def lead_and_cycle_time(
    tasks: pd.DataFrame, *, now: datetime, by: str | Grouping = "list", since: datetime | None = None
) -> pd.DataFrame:
    """Tell how long finished work took: one row a group, the one that finished most first.

    Lead time runs from creation to done (from the customer's wish to its fulfilment), cycle time from
    leaving the not-started statuses to done (elapsed time between start and finish, after *The Kanban
    Guide*, 2020). Counted are tasks done from ``since`` (default: ever) to ``now``; cycle time is empty
    where ClickUp's sums do not tell the start.

    ============================ ===== ===============================================
    <by>_id, <by>                      the group; absent with ``by="status"``
    done                         tasks tasks finished
    lead_median_ms, lead_p85_ms  ms    half, and 85 in 100, took at most this
    started                      tasks those of them with a known cycle time
    cycle_median_ms, cycle_p85_ms ms   the same of their cycle times; empty without one
    ============================ ===== ===============================================
    """
    done = _finished_between(tasks, since, now)
    grouped = _joined(done, by).groupby(["id", "label"], sort=False)
    table = grouped.agg(done=("lead_time_ms", "size"), started=("cycle_time_ms", "count"))
    for name in ("lead", "cycle"):
        times = grouped[f"{name}_time_ms"]
        table[f"{name}_median_ms"] = times.median().round()
        table[f"{name}_p85_ms"] = times.quantile(PERCENTILE).round()
    table = table.reset_index().sort_values(["done", "label", "id"], ascending=[False, True, True])
    return _named(table, by, _TIMES)


def throughput(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    weeks: int | None = None,
    tz: str = "UTC",
) -> pd.DataFrame:
    """Count the tasks finished in each week, Monday to Sunday in time zone ``tz``; empty weeks count 0.

    Work items finished per unit of time, after *The Kanban Guide*, 2020. The weeks run from the first one
    in which anything was finished (or the last ``weeks``) to that of ``now``, for every group alike.

    Columns: ``<by>_id``, ``<by>`` (absent with ``by="status"``, the default: all together), ``week`` (its
    first instant), ``done`` (tasks), ``complete`` (false for the week that is not over at ``now``).
    """
    rows = _joined(_finished_between(tasks, None, now), by)
    rows["week"] = _monday(rows["finished"], tz)
    table = _groups(rows, by).merge(_calendar(rows["week"], now, weeks, tz), how="cross")
    counts = rows.groupby(["id", "week"]).size().rename("done").reset_index()
    table = table.merge(counts, on=["id", "week"], how="left").fillna({"done": 0}).astype({"done": "int64"})
    table["complete"] = _midnight(table["week"] + pd.Timedelta(weeks=1), tz) <= pd.Timestamp(now)
    table["week"] = _midnight(table["week"], tz)
    return _named(table, by, ["week", "done", "complete"])


def work_item_age(tasks: pd.DataFrame, *, now: datetime) -> pd.DataFrame:
    """List the unfinished tasks that have been started, the oldest first.

    Work item age is the time from the start to the current instant, after *The Kanban Guide*, 2020. Tasks
    that have not left the not-started statuses have no age; those whose start ClickUp's sums do not tell
    are left out.

    One row a task: ``task_id``, ``name``, ``url``, ``list_id``, ``list``, ``status``, ``started``,
    ``age_ms`` (ms from ``started`` to ``now``) and ``since_created_ms`` (ms from creation to ``now``).
    """
    started = ~tasks["status_type"].isin(NOT_STARTED) & tasks["cycle_started"].notna()
    table = tasks[started & ~is_finished(tasks) & ~is_abandoned(tasks)]
    lists = table["list_id"].fillna("")
    table = table.assign(
        list_id=lists,
        list=lists.map(place_labels(tasks, "list")).astype("str"),
        age_ms=_until(table["cycle_started"], now),
        since_created_ms=_until(table["date_created"], now),
    ).rename(columns={"id": "task_id", "cycle_started": "started"})
    return table.sort_values(["age_ms", "task_id"], ascending=[False, True])[_AGES].reset_index(drop=True)


def _until(times: pd.Series, now: datetime) -> pd.Series:
    age = pd.Series(instant(now) - milliseconds(times), index=times.index)
    return whole(age.clip(lower=0)) if age.notna().all() else age.clip(lower=0)


def _finished_between(tasks: pd.DataFrame, since: datetime | None, now: datetime) -> pd.DataFrame:
    finished = tasks["date_done"].fillna(tasks["date_closed"])
    at = milliseconds(finished)
    keep = is_finished(tasks) & (at <= instant(now))
    if since is not None:
        keep &= at >= instant(since)
    return tasks.assign(finished=pd.to_datetime(np.where(np.isnan(at), np.nan, at), unit="ms", utc=True))[
        keep
    ]


def _joined(tasks: pd.DataFrame, by: str | Grouping) -> pd.DataFrame:
    rows = grouping(tasks, by).rows
    return rows.merge(tasks.rename(columns={"id": "task_id"}), on="task_id")


def _groups(rows: pd.DataFrame, by: str | Grouping) -> pd.DataFrame:
    if _name(by) == "status":
        return pd.DataFrame({"id": [""], "label": [""]})
    return rows[["id", "label"]].drop_duplicates().sort_values(["label", "id"])


def _calendar(finished: pd.Series, now: datetime, weeks: int | None, tz: str) -> pd.DataFrame:
    last = _monday(pd.Series([pd.Timestamp(now)]), tz).iloc[0]
    first = finished.min() if weeks is None else last - pd.Timedelta(weeks=weeks - 1)
    days = pd.date_range(last if pd.isna(first) else first, last, freq="7D", unit="ms")
    return pd.DataFrame({"week": days})


def _monday(times: pd.Series, tz: str) -> pd.Series:
    """Return the date of the Monday before, without a time zone: dates, not hours, survive a clock change."""
    local = times.dt.tz_convert(tz).dt.tz_localize(None).dt.normalize()
    return pd.Series(local - pd.to_timedelta(local.dt.day_of_week, unit="D")).dt.as_unit("ms")


def _midnight(days: pd.Series, tz: str) -> pd.Series:
    return pd.Series(days.dt.tz_localize(tz, nonexistent="shift_forward", ambiguous=True))


def _name(by: str | Grouping) -> str:
    return by.name if isinstance(by, Grouping) else by


def _named(table: pd.DataFrame, by: str | Grouping, columns: list[str]) -> pd.DataFrame:
    name = _name(by)
    if name == "status":
        return table[columns].reset_index(drop=True)
    table = table.rename(columns={"id": f"{name}_id", "label": name})
    return table[[f"{name}_id", name, *columns]].reset_index(drop=True)
