"""Effort: estimates against tracked time, and tracked time by member and week."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    PERCENTILE,
    coded,
    flags,
    instant,
    is_finished,
    milliseconds,
    percentiles,
    text,
)
from clickup_toolkit.analyse.calendar import Unit, beginnings, calendar, period_of
from clickup_toolkit.analyse.columns import OF_TASK
from clickup_toolkit.analyse.counting import counted_entries, weights
from clickup_toolkit.analyse.groups import Grouping, grouped, told
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import EXACT, sourced

__all__ = ["estimate_against_tracked", "tracked_time"]


@measure(tasks=(*OF_TASK, "time_estimate_ms", "tracked_ms"))
def estimate_against_tracked(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "list",
    since: datetime | None = None,
) -> pd.DataFrame:
    """Compare estimates with tracked time: one row a group, the one with most estimated time first.

    Counted are the tasks done from ``since`` (default: ever) to ``now`` that have both an estimate and
    tracked time; how many lack one of them is told beside, for what cannot be compared says something, too.
    Ratio = tracked / estimated, sum over sum: 1.2 is a fifth more than estimated. The median and p85 of the
    tasks' own ratios tell how far single estimates are off; p85 as in :data:`PERCENTILE`.

    Columns: ``<by>_id``, ``<by>``, ``done``, ``compared``, ``without_estimate``, ``without_time`` (tasks),
    ``estimated_ms``, ``tracked_ms``, ``ratio``, ``ratio_median``, ``ratio_p85``, ``over`` (compared tasks
    that took more than estimated). Exact.
    """
    at = milliseconds(tasks["date_done"].fillna(tasks["date_closed"]))
    done = is_finished(tasks) & (at <= instant(now))
    if since is not None:
        done &= at >= instant(since)
    groups = grouped(tasks, by)
    keep = done[groups.task]
    task, code, many = groups.task[keep], groups.code[keep], len(groups.ids)
    estimate = tasks["time_estimate_ms"].to_numpy("float64", na_value=0)[task]
    tracked = tasks["tracked_ms"].to_numpy("float64", na_value=0)[task]
    both = (estimate > 0) & (tracked > 0)
    ratio = np.divide(tracked, estimate, out=np.full(len(task), np.nan), where=both)
    table = pd.DataFrame({"group": np.arange(many), "done": np.bincount(code, minlength=many)})
    for name, rows in (
        ("compared", both),
        ("without_estimate", estimate <= 0),
        ("without_time", tracked <= 0),
    ):
        table[name] = np.bincount(code[rows], minlength=many)
    for name, values in (("estimated_ms", estimate), ("tracked_ms", tracked)):
        table[name] = np.bincount(code, np.where(both, values, 0), many).round().astype("int64")
    table["ratio"] = table["tracked_ms"] / table["estimated_ms"].where(table["estimated_ms"] > 0)
    table["ratio_median"], table["ratio_p85"] = percentiles(code, many, ratio, (0.5, PERCENTILE)).T
    table["over"] = np.bincount(code[np.nan_to_num(ratio) > 1], minlength=many)
    table["label"] = groups.labels
    table = table[table["done"] > 0].sort_values(["estimated_ms", "label"], ascending=[False, True])
    columns = ["done", "compared", "without_estimate", "without_time", "estimated_ms", "tracked_ms"]
    return sourced(told(table, groups, [*columns, "ratio", "ratio_median", "ratio_p85", "over"]), EXACT)


@measure(
    counted={"time_entries": counted_entries},
    time_entries=("member_id", "start", "duration_ms", "billable"),
    members=("id", "username", "email"),
)
def tracked_time(
    time_entries: pd.DataFrame,
    *,
    now: datetime,
    members: pd.DataFrame | None = None,
    weeks: int | None = None,
    unit: Unit = "week",
    tz: str = "UTC",
) -> pd.DataFrame:
    """Add up the tracked time of each member in each week, Monday to Sunday in time zone ``tz``.

    An entry counts in the week in which it began. The weeks run from the first entry (or the last ``weeks``)
    to that of ``now``, for every member alike, those without time as 0; ``unit="day"`` tells days. Entries
    with an amount and no times stand last, in a row without a week; running timers and entries of the
    future do not count.

    Columns: ``member_id``, ``member``, ``week`` or ``day`` (its first instant; empty for entries without
    times), ``tracked_ms``, ``billable_ms``, ``entries``, ``complete`` (false for the one that is not over at
    ``now``). Exact.
    """
    start = milliseconds(time_entries["start"])
    spent = time_entries["duration_ms"].to_numpy("float64", na_value=np.nan)
    rows = np.flatnonzero(~np.isnan(spent) & ~(start > instant(now)))
    start, spent, many_of = start[rows], spent[rows], weights(time_entries)
    people = coded(time_entries["member_id"].iloc[rows])
    dated = ~np.isnan(start)
    period = period_of(start[dated], unit, tz)
    dates = calendar(period.min() if len(period) else None, now, unit, weeks, tz)
    place = np.full(len(rows), len(dates))
    place[dated] = pd.Index(dates).get_indexer(pd.Index(period))
    shown = place >= 0
    many, width = len(people.values), len(dates) + 1
    cell = (people.codes * width + place)[shown]
    billed = spent * flags(time_entries["billable"].iloc[rows])
    table = _people(people.values, members, width)
    table[unit] = np.tile(np.append(dates.to_numpy("datetime64[ms]"), np.datetime64("NaT")), many)
    table["tracked_ms"] = np.bincount(cell, spent[shown], many * width).astype("int64")
    table["billable_ms"] = np.bincount(cell, billed[shown], many * width).astype("int64")
    table["entries"] = np.bincount(cell, many_of[rows][shown], many * width).astype("int64")
    following = table[unit] + pd.Timedelta(days=7 if unit == "week" else 1)
    table["complete"] = (beginnings(following, tz) <= pd.Timestamp(now)) | table[unit].isna()
    table = table[table[unit].notna() | (table["entries"] > 0)]
    table = table.sort_values(["member", "member_id", unit], na_position="last").reset_index(drop=True)
    table[unit] = beginnings(table[unit], tz)
    columns = ["member_id", "member", unit, "tracked_ms", "billable_ms", "entries", "complete"]
    return sourced(table[columns], EXACT)


def _people(ids: np.typing.NDArray[np.object_], members: pd.DataFrame | None, rows: int) -> pd.DataFrame:
    """Return so many rows for each person: id and name."""
    keys = pd.Series(ids.astype(object), dtype="str")
    names = keys.replace("", "Nobody")
    if members is not None:
        known = text(members["username"]).fillna(text(members["email"])).fillna(text(members["id"]))
        labels = dict(zip(text(members["id"]), known, strict=True))
        names = keys.map(labels).fillna(names).astype("str")
    return pd.DataFrame({"member_id": keys.repeat(rows), "member": names.repeat(rows)}).reset_index(drop=True)
