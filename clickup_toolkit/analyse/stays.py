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
from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    Floats,
    Mask,
    Places,
    instant,
    is_abandoned,
    is_finished,
    milliseconds,
)
from clickup_toolkit.analyse.groups import Grouping, grouping, place_labels

__all__ = ["Stays", "group_stays", "stays"]


class Stays(NamedTuple):
    """``rows``: one for each task and status; ``legend``: one for each status, which ``rows.status`` counts.

    ``rows`` has ``task`` (position in ``tasks``), ``status`` (position in ``legend``), ``ms``, ``since`` and
    ``next`` (ms since 1970 UTC, NaN where unknown: when the task came to the status, and when to the one
    after it), ``unfinished`` (whether the task is) and ``waiting`` (whether it is in the status now,
    unfinished). ``legend`` has ``status_key``, ``status``, ``status_type``, ``color``, ``orderindex`` and
    ``place``.
    """

    tasks: pd.DataFrame
    rows: pd.DataFrame
    legend: pd.DataFrame


def stays(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    leave_out: tuple[str, ...] = FINISHED,
) -> Stays:
    """Join the two tables, let the current statuses grow to ``now``, and tell the statuses apart.

    ``leave_out`` names the status types that do not count. Abandoned tasks (unfinished in the archive) and
    time in status of tasks that are not in ``tasks`` are left out.
    """
    tasks = tasks.reset_index(drop=True)
    rows, raw = _joined(tasks, time_in_status, leave_out)
    rows["ms"] = _grown(rows, raw, now)
    codes, legend = _told_apart(tasks, rows, raw, statuses, merge_statuses)
    rows["status"] = codes
    return Stays(tasks, _one_row_each(rows), legend)


def group_stays(spent: Stays, by: str | Grouping) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the stays with a ``group`` number, and the groups (``id``, ``label``) by that number.

    A task in several groups has its stays in each.
    """
    rows = grouping(spent.tasks, by).rows
    tasks = pd.Index(spent.tasks["id"]).get_indexer(pd.Index(rows["task_id"]))
    codes, ids = pd.factorize(rows["id"])
    labels = rows["label"].to_numpy()[pd.Series(codes).drop_duplicates().index]
    groups = pd.DataFrame({"id": np.asarray(ids, dtype=object), "label": labels}).astype("str")
    belongs = pd.DataFrame({"task": tasks, "group": codes})
    return spent.rows.merge(belongs[belongs["task"] >= 0], on="task"), groups


def _joined(
    tasks: pd.DataFrame, times: pd.DataFrame, leave_out: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    position = pd.Index(tasks["id"]).get_indexer(pd.Index(times["task_id"]))
    keep: Mask = (position >= 0) & ~np.asarray(times["status_type"].isin(leave_out), dtype=bool)
    keep &= ~is_abandoned(tasks)[position] if len(tasks) else False
    since = milliseconds(times["since"])
    unfinished = ~is_finished(tasks)[position[keep]]
    rows = {
        "task": position[keep],
        "since": since[keep],
        "next": _next(position, since)[keep],
        "unfinished": unfinished,
        "waiting": times["current"].to_numpy(bool)[keep] & unfinished,
    }
    return pd.DataFrame(rows), times[keep].reset_index(drop=True)


def _next(task: Places, since: Floats) -> Floats:
    """Return for each stay when the task came to the status after it; NaN after the last one."""
    order = np.lexsort((since, task))
    follows = np.full(len(since), np.nan)
    same = task[order[1:]] == task[order[:-1]]
    follows[order[:-1]] = np.where(same, since[order[1:]], np.nan)
    return follows


def _grown(rows: pd.DataFrame, raw: pd.DataFrame, now: datetime) -> pd.Series:
    growth = (instant(now) - milliseconds(raw["as_of"])).clip(min=0)
    added = np.where(rows["waiting"] & ~np.isnan(growth), growth, 0).astype("int64")
    return pd.Series(raw["total_ms"].to_numpy() + added)


def _told_apart(
    tasks: pd.DataFrame,
    rows: pd.DataFrame,
    raw: pd.DataFrame,
    statuses: pd.DataFrame | None,
    merge: bool,
) -> tuple[pd.Series, pd.DataFrame]:
    """Number the statuses; worked out on the few pairs of list and name, not on every stay."""
    list_codes, list_ids = pd.factorize(tasks["list_id"].fillna(""))
    name_codes, names = pd.factorize(raw["status"])
    pair_of_row = list_codes[rows["task"]].astype("int64") * max(len(names), 1) + name_codes
    pair_codes, pair_ids = pd.factorize(pair_of_row)
    pairs = pd.DataFrame({"list_id": np.asarray(list_ids)[pair_ids // max(len(names), 1)]})
    pairs["status"] = np.asarray(names)[pair_ids % max(len(names), 1)]
    told = raw[["status_type", "color", "orderindex"]].groupby(pair_codes).first()
    pairs = _described(pd.concat([pairs.astype("str"), told], axis=1), statuses)
    pairs["status_key"] = pairs["status"] if merge else pairs["status_id"].fillna(_own_key(pairs))
    keys, _ = pd.factorize(pairs["status_key"])
    return pd.Series(keys[pair_codes]), _legend(pairs, tasks, _shared(statuses))


def _shared(statuses: pd.DataFrame | None) -> pd.Series:
    """Return the ids of the statuses that several lists offer."""
    if statuses is None:
        return pd.Series(dtype="str")
    ids = statuses["status_id"].dropna()
    return ids[ids.duplicated()]


def _own_key(pairs: pd.DataFrame) -> pd.Series:
    return pairs["list_id"] + ":" + pairs["status"]


def _described(pairs: pd.DataFrame, statuses: pd.DataFrame | None) -> pd.DataFrame:
    """Take type, colour and position from what the list offers; else from what the stays tell."""
    if statuses is None:
        return pairs.assign(status_id=pd.Series(None, index=pairs.index, dtype="str"))
    offered = pairs[["list_id", "status"]].merge(
        statuses.drop_duplicates(["list_id", "status"]).rename(columns={"type": "status_type"}),
        on=["list_id", "status"],
        how="left",
    )
    for column in ("status_type", "color", "orderindex"):
        pairs[column] = offered[column].fillna(pairs[column])
    return pairs.assign(status_id=offered["status_id"])


def _legend(pairs: pd.DataFrame, tasks: pd.DataFrame, shared: pd.Series) -> pd.DataFrame:
    """Describe each status once; ``place`` is its list, or the space of the lists that share it."""
    homes = tasks.drop_duplicates("list_id")
    spaces = homes.set_index(homes["list_id"].fillna(""))["space_name"]
    placed = pairs.assign(
        place=pairs["list_id"].map(place_labels(tasks, "list")), space=pairs["list_id"].map(spaces)
    )
    by_key = placed.groupby("status_key", sort=False)
    legend = by_key[["status", "status_type", "color", "orderindex", "place"]].first()
    lists = by_key["list_id"].nunique()
    counted = lists.astype("str") + " lists"
    of_space = by_key["space"].first().where(by_key["space"].nunique() == 1, counted)
    alone = (lists == 1) & ~legend.index.isin(shared)
    return legend.assign(place=legend["place"].where(alone, of_space)).reset_index()


def _one_row_each(rows: pd.DataFrame) -> pd.DataFrame:
    """Add up the stays of one task that count as one status (two lists' statuses merged by name)."""
    if not rows.duplicated(["task", "status"]).any():
        return rows
    how = {"ms": "sum", "since": "max", "next": "max", "unfinished": "first", "waiting": "any"}
    return rows.groupby(["task", "status"], as_index=False, sort=False).agg(how)
