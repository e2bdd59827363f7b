"""How far the data can be trusted: what is missing, contradicts itself, or could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    Mask,
    coded,
    dense,
    flags,
    instant,
    is_abandoned,
    is_finished,
    milliseconds,
    positions,
    text,
)
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import EXACT, sourced

__all__ = ["data_quality"]

_EXAMPLES = 5
_TASKS = (
    *("id", "list_id", "status", "status_type", "archived", "in_archived", "date_created", "date_done"),
    *("date_closed", "due_date", "time_estimate_ms", "tracked_ms", "cycle_started", "parent_id"),
)


class _Check(NamedTuple):
    name: str
    meaning: str
    ids: pd.Series
    failing: Mask


@measure(
    tasks=_TASKS,
    task_assignees=("task_id",),
    time_entries=("id", "task_id", "member_id", "start", "end", "duration_ms", "running"),
    time_in_status=("task_id", "total_ms", "since", "as_of"),
    statuses=("list_id", "status"),
    gaps=("what", "id"),
)
def data_quality(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    task_assignees: pd.DataFrame | None = None,
    time_entries: pd.DataFrame | None = None,
    time_in_status: pd.DataFrame | None = None,
    statuses: pd.DataFrame | None = None,
    gaps: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Report what is missing or contradicts itself in the tables that are given, one row a check.

    Share = failing / rows that the check is about. Abandoned tasks (unfinished in the archive) do not count.

    Columns: ``check``, ``meaning``, ``count`` (that fail), ``of`` (that were looked at), ``share`` (0 to
    1; empty without any), ``examples`` (ids of up to five that fail, apart by blanks). Checks without a
    failure are told, too: that is what they are for. The order is fixed. Exact.
    """
    counted = tasks[~is_abandoned(tasks)]
    checks = [*_of_tasks(counted, instant(now), task_assignees, statuses)]
    if time_entries is not None:
        checks += _of_entries(time_entries, tasks, instant(now))
    if time_in_status is not None:
        checks += _of_stays(time_in_status, counted)
    if gaps is not None:
        everything = np.ones(len(gaps), dtype=bool)
        checks.append(_Check("gaps", "could not be read at the last export", gaps["what"], everything))
    table = pd.DataFrame([_told(check) for check in checks])
    return sourced(table, EXACT)


def _told(check: _Check) -> dict[str, object]:
    count, of = int(check.failing.sum()), len(check.failing)
    examples = text(check.ids.iloc[np.flatnonzero(check.failing)[:_EXAMPLES]])
    return {
        "check": check.name,
        "meaning": check.meaning,
        "count": count,
        "of": of,
        "share": count / of if of else np.nan,
        "examples": " ".join(examples.fillna("").astype("str")),
    }


def _of_tasks(
    tasks: pd.DataFrame, now: float, assignees: pd.DataFrame | None, statuses: pd.DataFrame | None
) -> Iterator[_Check]:
    ids, finished = tasks["id"], is_finished(tasks)
    created, done = milliseconds(tasks["date_created"]), milliseconds(tasks["date_done"])
    closed, started = milliseconds(tasks["date_closed"]), milliseconds(tasks["cycle_started"])
    ended = np.where(np.isnan(done), closed, done)
    tracked = tasks["tracked_ms"].to_numpy("float64", na_value=0)
    estimate = tasks["time_estimate_ms"].to_numpy("float64", na_value=0)
    if assignees is not None:
        assigned = positions(assignees["task_id"], ids)
        nobody = np.bincount(assigned[assigned >= 0], minlength=len(tasks)) == 0
        yield _Check(
            "no_owner", "unfinished tasks that nobody is assigned to", ids[~finished], nobody[~finished]
        )
    yield _Check("no_estimate", "tasks without an estimate", ids, estimate <= 0)
    yield _Check(
        "closed_without_time", "finished tasks without tracked time", ids[finished], tracked[finished] <= 0
    )
    yield _Check(
        "no_done_date", "finished tasks without a date of it", ids[finished], np.isnan(ended)[finished]
    )
    yield _Check(
        "no_start", "finished tasks whose start is not known", ids[finished], np.isnan(started)[finished]
    )
    yield _Check("done_before_created", "tasks done before they were made", ids, ended < created)
    yield _Check("done_before_started", "tasks done before they were started", ids, ended < started)
    yield _Check("in_the_future", "tasks made or done after now", ids, (created > now) | (ended > now))
    yield _Check("no_list", "tasks without a list", ids, tasks["list_id"].isna().to_numpy())
    parents = tasks["parent_id"]
    has = parents.notna().to_numpy()
    lost = positions(parents[has], ids) < 0
    yield _Check("lost_parent", "subtasks whose parent is not in the export", ids[has], lost)
    if statuses is not None:
        yield _Check(
            "unknown_status",
            "tasks in a status that their list does not offer",
            ids,
            _foreign(tasks, statuses),
        )


def _foreign(tasks: pd.DataFrame, statuses: pd.DataFrame) -> Mask:
    """Tell which tasks are in a status that their list, where its statuses are known, does not offer."""
    lists, names = coded(tasks["list_id"]), coded(tasks["status"])
    width = max(len(names.values), 1)
    pair, which = dense(lists.codes * width + names.codes, len(lists.values) * width)
    homes, words = lists.values[which // width], names.values[which % width]
    offered = set(zip(text(statuses["list_id"]), text(statuses["status"]).str.casefold(), strict=True))
    known = {home for home, _ in offered}
    odd = [
        home in known and word != "" and (home, str(word).casefold()) not in offered
        for home, word in zip(homes, words, strict=True)
    ]
    return np.array(odd, dtype=bool)[pair]


def _of_entries(entries: pd.DataFrame, tasks: pd.DataFrame, now: float) -> Iterator[_Check]:
    ids, spent = entries["id"], entries["duration_ms"].to_numpy("float64", na_value=np.nan)
    start, end = milliseconds(entries["start"]), milliseconds(entries["end"])
    running, named = flags(entries["running"]), entries["task_id"].notna().to_numpy()
    yield _Check("time_without_task", "time entries without a task", ids, ~named)
    lost = positions(entries["task_id"][named], tasks["id"]) < 0
    yield _Check("time_of_unknown_task", "time entries of tasks not in the export", ids[named], lost)
    yield _Check("time_without_person", "time entries of nobody", ids, entries["member_id"].isna().to_numpy())
    yield _Check(
        "negative_time",
        "time entries that end before they begin",
        ids,
        (spent < 0) | (end < start),
    )
    yield _Check("long_time", "time entries of more than a day", ids, spent > 86_400_000)
    yield _Check(
        "running",
        "timers that have been running for more than a day",
        ids[running],
        (now - start[running]) > 86_400_000,
    )
    yield _Check("time_in_the_future", "time entries that begin after now", ids, start > now)


def _of_stays(stays: pd.DataFrame, tasks: pd.DataFrame) -> Iterator[_Check]:
    found = positions(stays["task_id"], tasks["id"])
    missing = np.bincount(found[found >= 0], minlength=len(tasks)) == 0
    yield _Check("no_time_in_status", "tasks for which ClickUp tells no time in status", tasks["id"], missing)
    total = stays["total_ms"].to_numpy("float64", na_value=0)
    since = milliseconds(stays["since"])
    yield _Check("negative_time_in_status", "times in status below 0", stays["task_id"], total < 0)
    yield _Check(
        "time_in_status_without_start",
        "times in status without since when",
        stays["task_id"],
        np.isnan(since),
    )
