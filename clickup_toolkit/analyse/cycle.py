"""Where cycle time starts and ends.

ClickUp's own rule, the default: a task starts when it first comes to an active status (type ``custom``) and
ends when it is done or closed. Other boundaries are named by status type, by status or for single lists
(settings ``CYCLE_START`` and ``CYCLE_END``)::

    type:custom                          every active status
    status:in review                     the status of this name, whatever the list
    list:Incidents/status:investigating  in this list (name or id); what names no list does not count in it

First starts are approximated, since ClickUp tells one instant for each status: that of the latest visit, it
may be. For a task that was created after the first export, the first start that was observed counts where
it is earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from clickup_toolkit.analyse.basis import (
    FINISHED,
    NOT_STARTED,
    Coded,
    Floats,
    Mask,
    Places,
    coded,
    is_abandoned,
    is_finished,
    is_of_type,
    milliseconds,
    positions,
)
from clickup_toolkit.analyse.history import changes_of
from clickup_toolkit.analyse.source import APPROXIMATED, EXACT, OBSERVED, Observation

__all__ = ["CLICKUP_RULE", "Boundary", "Cycle", "Spans", "ends", "spans", "spans_seen"]

_BOUNDARY = re.compile(r"(?:list:(?P<place>.+?)/)?(?P<kind>type|status):(?P<word>.+)", re.IGNORECASE)


class Boundary(NamedTuple):
    """A status type or a status, in one list (its id or name) or in all."""

    kind: str
    word: str
    place: str = ""

    @classmethod
    def read(cls, text: str) -> Boundary:
        """Read ``type:custom``, ``status:review`` or ``list:App/status:review``; else raises ValueError."""
        found = _BOUNDARY.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                f"{text.strip()!r} is no boundary: write type:custom, status:review or list:App/status:review"
            )
        return cls(found["kind"].lower(), found["word"].strip().casefold(), (found["place"] or "").casefold())


@dataclass(frozen=True)
class Cycle:
    """Boundaries of cycle time; without arguments ClickUp's own rule."""

    start: tuple[Boundary, ...] = (Boundary("type", "custom"),)
    end: tuple[Boundary, ...] = tuple(Boundary("type", word) for word in FINISHED)

    @classmethod
    def read(cls, start: str | Iterable[str] = "type:custom", end: str | Iterable[str] = "") -> Cycle:
        """Read boundaries as the settings write them, several apart by commas; empty is ClickUp's rule."""
        rule = cls()
        return cls(_boundaries(start) or rule.start, _boundaries(end) or rule.end)


CLICKUP_RULE = Cycle()


class Spans(NamedTuple):
    """Instants of each task in ms since 1970 UTC, NaN where there is none, and what is known of them.

    ``finish`` is set where the task has ended; ``going`` tells started work that has not; ``observed`` tells
    whether the start was watched for from the task's creation on.
    """

    created: Floats
    start: Floats
    finish: Floats
    going: Mask
    observed: Mask

    def source(self, rows: Places) -> npt.NDArray[np.object_]:
        """Return the word for the start of some of the tasks."""
        return np.where(self.observed[rows], np.array(OBSERVED, dtype=object), APPROXIMATED)


def spans(
    tasks: pd.DataFrame,
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    seen: Observation | None = None,
) -> Spans:
    """Tell when each task was created, started and finished.

    Boundaries other than ClickUp's need ``time_in_status``; without it ValueError is raised. Unfinished
    tasks in the archive are not ``going``.
    """
    created, finished = milliseconds(tasks["date_created"]), is_finished(tasks)
    finish = milliseconds(tasks["date_done"].fillna(tasks["date_closed"]))
    finish = np.where(finished, finish, np.nan)
    if cycle.start == CLICKUP_RULE.start:
        start, going = milliseconds(tasks["cycle_started"]), ~is_of_type(tasks, NOT_STARTED)
    else:
        start, going = _first_since(tasks, time_in_status, cycle.start), np.ones(len(tasks), dtype=bool)
    if cycle.end != CLICKUP_RULE.end:
        reached = _first_since(tasks, time_in_status, cycle.end)
        ended = finished | _matches(tasks, tasks, cycle.end)
        finish = np.where(ended, np.where(np.isnan(reached), finish, reached), np.nan)
        finished = ended
    observed = np.zeros(len(tasks), dtype=bool)
    if seen is not None and seen.changes is not None:
        observed = created >= seen.since
        start = np.where(observed, np.fmin(start, _first_seen(tasks, seen.changes, cycle.start)), start)
    going &= ~finished & ~np.isnan(start) & ~is_abandoned(tasks)
    return Spans(created, start, finish, going, observed)


def spans_seen(
    tasks: pd.DataFrame,
    cycle: Cycle,
    time_in_status: pd.DataFrame | None,
    status_changes: pd.DataFrame | None,
    exports: pd.DataFrame | None,
) -> tuple[Observation, Spans]:
    """Return what was observed, and the spans with the first starts that were."""
    seen = Observation.of(status_changes, exports)
    return seen, spans(tasks, cycle, time_in_status, seen)


def ends(tasks: pd.DataFrame, cycle: Cycle, time_in_status: pd.DataFrame | None) -> tuple[Spans, str]:
    """Return the spans for what counts finished work whatever its start, and where their ends come from."""
    found = spans(tasks, Cycle(end=cycle.end), time_in_status)
    return found, EXACT if cycle.end == CLICKUP_RULE.end else APPROXIMATED


def _boundaries(words: str | Iterable[str]) -> tuple[Boundary, ...]:
    parts = words.split(",") if isinstance(words, str) else words
    return tuple(Boundary.read(part) for part in parts if part.strip())


def _first_since(
    tasks: pd.DataFrame, time_in_status: pd.DataFrame | None, wanted: tuple[Boundary, ...]
) -> Floats:
    if time_in_status is None:
        raise ValueError("boundaries of cycle time other than ClickUp's own need time_in_status")
    task = positions(time_in_status["task_id"], tasks["id"])
    rows = np.flatnonzero(task >= 0)
    stays = time_in_status[["status", "status_type"]].iloc[rows].reset_index(drop=True)
    places = tasks[["list_id", "list_name"]].iloc[task[rows]].reset_index(drop=True)
    match = _matches(stays, places, wanted)
    return _least(task[rows][match], milliseconds(time_in_status["since"].iloc[rows[match]]), len(tasks))


def _first_seen(tasks: pd.DataFrame, changes: pd.DataFrame, wanted: tuple[Boundary, ...]) -> Floats:
    seen = changes_of(tasks, changes)
    arrivals = seen.rows.rename(columns={"to_status": "status", "to_type": "status_type"})
    places = tasks[["list_id", "list_name"]].iloc[seen.task].reset_index(drop=True)
    match = _matches(arrivals.reset_index(drop=True), places, wanted)
    return _least(seen.task[match], seen.at[match], len(tasks))


def _least(task: Places, at: Floats, tasks: int) -> Floats:
    least = np.full(tasks, np.nan)
    np.fmin.at(least, task, at)
    return least


def _matches(statuses: pd.DataFrame, places: pd.DataFrame, wanted: tuple[Boundary, ...]) -> Mask:
    """Tell which rows' status (``status``, ``status_type``) lies within these boundaries."""
    found = np.zeros(len(statuses), dtype=bool)
    own = np.zeros(len(statuses), dtype=bool)
    words = {"type": coded(statuses["status_type"]), "status": coded(statuses["status"])}
    homes = [coded(places["list_id"]), coded(places["list_name"])]
    for boundary in sorted(wanted, key=lambda each: not each.place):
        same = _same(words[boundary.kind], boundary.word)
        if boundary.place:
            there = _same(homes[0], boundary.place) | _same(homes[1], boundary.place)
            own |= there
            found |= there & same
        else:
            found |= same & ~own
    return found


def _same(column: Coded, word: str) -> Mask:
    if not len(column.codes):
        return np.zeros(0, dtype=bool)
    return np.array([str(value).casefold() == word for value in column.values], dtype=bool)[column.codes]
