"""How many tasks were to do, in progress and done at earlier instants."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    NOT_STARTED,
    Floats,
    Mask,
    Places,
    coded,
    is_abandoned,
    is_finished,
    is_of_type,
)
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Cycle, Spans
from clickup_toolkit.analyse.groups import Grouped
from clickup_toolkit.analyse.history import changes_of, up_to
from clickup_toolkit.analyse.source import Observation

__all__ = ["STAGES", "Staged", "staged"]

STAGES = ("to do", "in progress", "done")


class Staged(NamedTuple):
    """Counts of tasks with an axis for stage, group and edge; ``observed`` tells which edges are.

    ``there`` is how many were in the stage; ``came`` and ``went`` count since long ago, so that only their
    differences between edges say something: between two edges that are both observed, or both not.
    """

    there: Places
    came: Places
    went: Places
    observed: Mask

    def between(self, stage: int) -> tuple[Places, Places]:
        """Return how many came to a stage, and left it, between each edge and the next."""
        return np.diff(self.came[stage]).clip(min=0), np.diff(self.went[stage]).clip(min=0)


def staged(
    tasks: pd.DataFrame, found: Spans, groups: Grouped, edges: Floats, seen: Observation, cycle: Cycle
) -> Staged:
    """Count the tasks in each stage at each edge; the last edge is now.

    A task is in progress while it is in a started status. Approximated from the instants of creation, start
    and finish: one that is in such a status now, but whose start is not known, from its creation on. From
    the first observed edge on, by walking back from now, each observed change undone (where ClickUp's own
    rule tells the stages). Abandoned tasks do not count.
    """
    told = _from_spans(tasks, found, groups, edges, cycle)
    observed = edges >= seen.since
    if seen.changes is None or cycle != CLICKUP_RULE or not observed.any():
        return told._replace(observed=np.zeros(len(edges), dtype=bool))
    back = _walked_back(tasks, groups, edges, seen.changes)
    mixed = [np.where(observed, new, old) for new, old in zip(back[:3], told[:3], strict=True)]
    return _evened(Staged(mixed[0], mixed[1], mixed[2], observed), told)


def _from_spans(tasks: pd.DataFrame, found: Spans, groups: Grouped, edges: Floats, cycle: Cycle) -> Staged:
    counted = ~is_abandoned(tasks)[groups.task]
    task, key, keys = groups.task[counted], groups.code[counted], len(groups.ids)
    ended = ~np.isnan(found.finish)
    start = np.where(ended, np.fmin(found.start, found.finish), np.where(found.going, found.start, np.nan))
    start = np.where(_is_of_unknown_start(tasks, found, cycle), found.created, start)
    created = np.fmin(np.fmin(found.created, start), found.finish)
    at = [_reached(each[task], key, keys, edges) for each in (created, start, found.finish)]
    none = np.zeros_like(at[0])
    came, went = np.stack(at), np.stack([at[1], at[2], none])
    return Staged(came - went, came, went, np.zeros(len(edges), dtype=bool))


def _is_of_unknown_start(tasks: pd.DataFrame, found: Spans, cycle: Cycle) -> Mask:
    """Tell which unfinished tasks are started by their status, though nothing says since when."""
    started = ~is_of_type(tasks, NOT_STARTED) & ~is_finished(tasks)
    told = cycle.start == CLICKUP_RULE.start  # with a start of one's own, no start is none
    return np.asarray(started & told & np.isnan(found.start) & np.isnan(found.finish), dtype=bool)


def _reached(at: Floats, key: Places, keys: int, edges: Floats) -> Places:
    known = ~np.isnan(at)
    return up_to(key[known], keys, at[known], edges)


def _walked_back(
    tasks: pd.DataFrame, groups: Grouped, edges: Floats, changes: pd.DataFrame
) -> tuple[Places, Places, Places]:
    keys, counted = len(groups.ids), ~is_abandoned(tasks)[groups.task]
    now = _stage(tasks["status_type"])
    task, key = groups.task[counted], groups.code[counted]
    edges = np.append(edges, np.inf)  # an instant may be asked for that lies before the last change
    seen = changes_of(tasks, changes)
    came_to, went_from = _stage(seen.rows["to_type"]), _stage(seen.rows["from_type"])
    went_from[seen.rows["from_status"].isna().to_numpy()] = -1  # it was made then
    moved = came_to != went_from
    many, row = _of_groups(seen.task, task, len(tasks))
    at, moved = np.repeat(seen.at, many), np.repeat(moved, many)
    came: list[Places] = []
    went: list[Places] = []
    for stage in range(len(STAGES)):
        for stages, counts in ((came_to, came), (went_from, went)):
            rows = np.repeat(stages == stage, many) & moved
            counts.append(up_to(key[row[rows]], keys, at[rows], edges))
    there = [np.bincount(key[now[task] == stage], minlength=keys)[:, None] for stage in range(len(STAGES))]
    arrived, left = np.stack(came), np.stack(went)
    queue = np.stack(there) - (arrived[..., -1:] - arrived) + (left[..., -1:] - left)
    return queue[..., :-1], arrived[..., :-1], left[..., :-1]


def _of_groups(task: Places, members: Places, tasks: int) -> tuple[Places, Places]:
    """Find the memberships of each of these tasks: how many it has, and which rows they are."""
    order = np.argsort(members, kind="stable")
    count = np.bincount(members, minlength=tasks)
    first = (np.cumsum(count) - count)[task] if len(task) else np.zeros(0, dtype="int64")
    many = count[task]
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return many, order[np.repeat(first, many) + within]


def _evened(mixed: Staged, told: Staged) -> Staged:
    """Let the counts of what came and went go on from the approximated ones at the first observed edge."""
    first = int(np.argmax(mixed.observed))
    shift_came = told.came[..., first : first + 1] - mixed.came[..., first : first + 1]
    shift_went = told.went[..., first : first + 1] - mixed.went[..., first : first + 1]
    return mixed._replace(
        came=np.where(mixed.observed, mixed.came + shift_came, mixed.came),
        went=np.where(mixed.observed, mixed.went + shift_went, mixed.went),
    )


def _stage(types: pd.Series) -> Places:
    """Return 0, 1 or 2 for to do, in progress and done."""
    found = coded(types)
    stage = np.where(np.isin(found.values, NOT_STARTED), 0, np.where(np.isin(found.values, FINISHED), 2, 1))
    return stage[found.codes] if len(found.codes) else np.zeros(0, dtype="int64")
