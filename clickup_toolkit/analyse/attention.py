"""What needs attention: blocked and stale work."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    NOT_STARTED,
    Places,
    instant,
    is_abandoned,
    is_finished,
    is_in,
    is_of_type,
    milliseconds,
    positions,
    text,
)
from clickup_toolkit.analyse.columns import OF_TASK
from clickup_toolkit.analyse.flow import described
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import EXACT, sourced
from clickup_toolkit.analyse.words import contains

__all__ = ["BLOCKED", "STALE_DAYS", "blocked_and_stale"]

BLOCKED = ("blocked", "on hold", "impediment")
"""Words in the names of statuses in which work is blocked; the setting BLOCKED_STATUSES."""
STALE_DAYS = 14.0
"""Days without a change after which unfinished work is stale; the setting STALE_DAYS."""
_DAY = 86_400_000


@measure(
    rows={"tasks": "unfinished"},
    tasks=(*OF_TASK, "name", "url", "status", "status_since", "date_updated", "due_date"),
    task_links=("task_id", "other_id", "kind"),
)
def blocked_and_stale(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    task_links: pd.DataFrame | None = None,
    blocked: tuple[str, ...] = BLOCKED,
    stale_days: float = STALE_DAYS,
) -> pd.DataFrame:
    """List the unfinished tasks that are blocked, stale or overdue, the longest untouched first.

    A task is **blocked** when the name of its status contains one of the words of ``blocked``, or when it
    waits on a task that is not finished (``task_links``: dependencies); **stale** when it was started and has
    not been changed for more than ``stale_days`` days; **overdue** when its due date has passed. Whatever
    ClickUp counts as an update, a comment perhaps not, ends staleness.

    Columns: ``task_id``, ``name``, ``url``, ``list_id``, ``list``, ``status``, ``blocked``, ``stale``,
    ``overdue`` (booleans), ``waits_on`` (unfinished tasks that it waits for), ``in_status_ms``,
    ``untouched_ms`` (since the last change), ``overdue_ms`` (empty where not). Exact.
    """
    at, updated = instant(now), milliseconds(tasks["date_updated"])
    due, since = milliseconds(tasks["due_date"]), milliseconds(tasks["status_since"])
    waits = _waits_on(tasks, task_links)
    held = contains(text(tasks["status"]), blocked) | (waits > 0)
    stale = ~is_of_type(tasks, NOT_STARTED) & (at - updated > stale_days * _DAY)
    late = due < at
    rows = np.flatnonzero((held | stale | late) & ~is_finished(tasks) & ~is_abandoned(tasks))
    table = described(tasks, rows).assign(
        status=text(tasks["status"].iloc[rows]).array,
        blocked=held[rows],
        stale=stale[rows],
        overdue=late[rows],
        waits_on=waits[rows],
        in_status_ms=(at - since[rows]).clip(min=0),
        untouched_ms=(at - updated[rows]).clip(min=0),
        overdue_ms=np.where(late[rows], at - due[rows], np.nan),
    )
    table = table.sort_values(["untouched_ms", "task_id"], ascending=[False, True])
    return sourced(table.reset_index(drop=True), EXACT)


def _waits_on(tasks: pd.DataFrame, links: pd.DataFrame | None) -> Places:
    """Count the unfinished tasks that each task waits for; a dependency told from both ends counts once."""
    if links is None or not len(links):
        return np.zeros(len(tasks), dtype="int64")
    waiting, blocking = is_in(links["kind"], ("waiting_on",)), is_in(links["kind"], ("blocking",))
    one, other = positions(links["task_id"], tasks["id"]), positions(links["other_id"], tasks["id"])
    who = np.concatenate([one[waiting], other[blocking]])
    for_whom = np.concatenate([other[waiting], one[blocking]])
    unfinished = ~is_finished(tasks) & ~is_abandoned(tasks)
    known = (who >= 0) & (for_whom >= 0)
    pairs = np.unique(np.stack([who[known], for_whom[known]], axis=1), axis=0)
    return np.bincount(pairs[unfinished[pairs[:, 1]], 0], minlength=len(tasks))
