"""Queues: how many tasks stood in each status, week by week."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import instant
from clickup_toolkit.analyse.columns import CHANGES, OF_TASK, STATUS, STATUSES, STAYS
from clickup_toolkit.analyse.groups import Grouping, told
from clickup_toolkit.analyse.history import came_and_went, walked_back
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, OBSERVED, Observation, sourced
from clickup_toolkit.analyse.stays import GroupedStays, grouped_visits

__all__ = ["queues", "queues_of"]


@measure(
    tasks=(*OF_TASK, "date_created"),
    time_in_status=STAYS,
    statuses=STATUSES,
    status_changes=CHANGES,
    exports=("started",),
)
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
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell how many tasks stood in each status at the end of each of the last ``weeks`` weeks up to ``now``.

    With ``status_changes`` (and ``exports``, which say since when) the weeks that lie after the first export
    are observed: the queue of an instant is that of now, less what arrived since, plus what left since.
    Weeks before, and all of them without, are approximated: ClickUp keeps one sum for each status and no
    history. Each sum is taken to be one visit that ended when the task left the status for good; exact for
    a task that was in it once. The visits of a task that came back count with their whole time, but all in
    one at the end. The last instant, ``now``, is exact.

    Columns: those of the group and the status as in :func:`time_in_status`, ``at`` (the instant), ``queue``
    (tasks), ``arrived`` and ``left`` (tasks, since the instant before) and ``source`` (of the row).
    """
    found = grouped_visits(
        tasks,
        time_in_status,
        by,
        now=now,
        statuses=statuses,
        merge_statuses=merge_statuses,
        not_started=not_started,
    )
    return queues_of(found, now, weeks, Observation.of(status_changes, exports))


def queues_of(found: GroupedStays, now: datetime, weeks: int, seen: Observation) -> pd.DataFrame:
    """Return the table of :func:`queues` for stays that have been grouped, with their visits."""
    instants = [pd.Timestamp(now) - pd.Timedelta(weeks=week) for week in range(weeks, -1, -1)]
    edges = np.array([instant(at.to_pydatetime()) for at in instants])
    came, went = came_and_went(found, edges, instant(now))
    queue, arrived, left = (came - went)[:, 1:], np.diff(came), np.diff(went)
    if seen.changes is not None:
        back = walked_back(found, seen.changes, edges)
        observed = edges >= seen.since
        queue = np.where(observed[1:], back.queue[:, 1:], queue)
        arrived = np.where(observed[:-1], np.diff(back.came), arrived)
        left = np.where(observed[:-1], np.diff(back.went), left)
    table = found.pairs.join(found.rows.legend, on="legend")
    table = table.loc[table.index.repeat(weeks)].reset_index(drop=True)
    table["at"] = pd.to_datetime(instants[1:] * len(found.pairs), utc=True).as_unit("ms")
    table["queue"], table["arrived"], table["left"] = queue.reshape(-1), arrived.reshape(-1), left.reshape(-1)
    words = np.where(edges[:-1] >= seen.since, OBSERVED, APPROXIMATED)
    table["source"] = np.tile(words, len(found.pairs))
    table = table.sort_values(["group", "orderindex", "status_key", "at"])
    columns = [*STATUS, "at", "queue", "arrived", "left", "source"]
    return sourced(told(table, found.groups, columns), APPROXIMATED, seen.at)
