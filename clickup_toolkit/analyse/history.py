"""What was observed: the changes of status between exports, and the counts of earlier instants from them.

The state of now is exact. Walking back from it, each observed change undone, gives the state of an earlier
instant, as far back as the first export. Two changes between two exports are seen as one, at the instant
that ClickUp tells for the last of them (else at that of the export that saw it). A task counts in the list
that it is in now; deleted tasks do not count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Floats, Places, coded, milliseconds, positions
from clickup_toolkit.analyse.stays import GroupedStays, left_at

__all__ = ["Changes", "Counted", "came_and_went", "changes_of", "up_to", "walked_back"]


class Changes(NamedTuple):
    """Observed changes, in no order: ``task`` (position), ``at`` (ms), and the table's ``rows``."""

    task: Places
    at: Floats
    rows: pd.DataFrame


class Counted(NamedTuple):
    """Up to each edge: how many ``came`` and ``went``; ``queue`` is how many were there then."""

    queue: Places
    came: Places
    went: Places


def changes_of(tasks: pd.DataFrame, status_changes: pd.DataFrame) -> Changes:
    """Return the changes of these tasks; a new task's first row is its arrival at its creation."""
    task = positions(status_changes["task_id"], tasks["id"])
    seen = milliseconds(status_changes["changed_by"])
    at = milliseconds(status_changes["changed_at"])
    at = np.where(np.isnan(at), seen, np.minimum(at, seen))
    new = status_changes["from_status"].isna().to_numpy()
    created = milliseconds(tasks["date_created"])[task] if len(tasks) else np.full(len(task), np.nan)
    at = np.where(new & (created <= at), created, at)
    rows = np.flatnonzero(task >= 0)
    return Changes(task[rows], at[rows], status_changes.iloc[rows])


def up_to(key: Places, keys: int, times: Floats, edges: Floats) -> Places:
    """Count how many instants of each key lie at or before each edge."""
    first = np.searchsorted(edges, times, side="left")
    cells = np.bincount(key * (len(edges) + 1) + first, minlength=keys * (len(edges) + 1))
    return cells.reshape(keys, len(edges) + 1)[:, :-1].cumsum(axis=1)


def came_and_went(found: GroupedStays, edges: Floats, now: float) -> tuple[Places, Places]:
    """Count each group and status's arrivals and departures up to each edge, approximated from the sums."""
    known = ~np.isnan(found.rows.since)
    rows, key = found.rows.only(known), found.key[known]
    left = left_at(rows, now)
    went = np.where(rows.waiting, np.inf, left)
    keys = len(found.pairs)
    return up_to(key, keys, left - rows.ms, edges), up_to(key, keys, went, edges)


def walked_back(found: GroupedStays, status_changes: pd.DataFrame, edges: Floats) -> Counted:
    """Count the tasks of each group and status at each edge, from the last export backwards."""
    rows, keys = found.rows, len(found.pairs)
    seen = changes_of(rows.tasks, status_changes)
    now = np.bincount(found.key, rows.waiting, keys).astype("int64")[:, None]
    edges = np.append(edges, np.inf)  # an instant may be asked for that lies before the last change
    came = _moves(found, seen, "to_status", edges)
    went = _moves(found, seen, "from_status", edges)
    queue = now - (came[:, -1:] - came) + (went[:, -1:] - went)
    return Counted(queue[:, :-1], came[:, :-1], went[:, :-1])


def _moves(found: GroupedStays, seen: Changes, column: str, edges: Floats) -> Places:
    """Count the changes to, or from, each group's status up to each edge."""
    keys = len(found.pairs)
    concerned = np.flatnonzero(np.isin(found.rows.task, seen.task))
    legend = coded(found.rows.legend["status"].str.casefold())
    names = coded(seen.rows[column])
    known = pd.Index([str(name).casefold() for name in names.values])
    width = len(legend.values) + 1
    have = found.rows.task[concerned] * width + legend.codes[found.rows.status[concerned]]
    place = pd.Index(legend.values).get_indexer(known)[names.codes]
    many, row = _matches(have, np.where(place < 0, -1, seen.task * width + place))
    return up_to(found.key[concerned][row], keys, np.repeat(seen.at, many), edges)


def _matches(have: Places, wanted: Places) -> tuple[Places, Places]:
    """Find each wanted number in ``have``: how often it is there, and at which places."""
    order = np.argsort(have, kind="stable")
    first = np.searchsorted(have[order], wanted, side="left")
    many = np.searchsorted(have[order], wanted, side="right") - first
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return many, order[np.repeat(first, many) + within]
