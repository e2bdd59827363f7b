"""Tracked time: on tasks and without, of those who left too, running timers, amounts without times."""

from __future__ import annotations

from array import array
from random import Random
from typing import NamedTuple

from clickup_toolkit.demo.flow import working_time
from clickup_toolkit.demo.model import DAY, HOUR, MINUTE
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.vocabulary import ENTRY_TEXTS, LONE_ENTRY_TEXTS

__all__ = ["SOURCES", "Draft", "add_entries", "record_entry"]

SOURCES = ("clickup", "chrome", "clickup_ios", "clickup_android", None)
"""Where entries come from, by the number in ``Entries.source``."""

_LEFT_SHARE = 0.017
_LUMP_SHARE = 0.02
_LONE_SHARE = 0.08
_MOBILE_SHARE = 0.012


class Draft(NamedTuple):
    """A time entry before it is recorded; see :class:`~clickup_toolkit.demo.model.Entries`."""

    at: int
    task: int
    member: int
    start: int
    end: int
    duration: int
    billable: int
    source: int
    text: str | None


def add_entries(world: State, total: int, rng: Random) -> None:
    """Add ``total`` time entries, about one in sixty of them by the person who left."""
    workers = sorted(
        {person for team in world.tasks.assignees for person in team}
        & {place for place, who in enumerate(world.people) if who.state == "active"}
    ) or [0]
    left = len(world.people) - 1
    drafts = _running(world, workers, min(total, 2 + len(workers) // 12), rng)
    gone = max(1, int(total * _LEFT_SHARE)) if total > 20 else 0
    last_day = world.born_at - 60 * DAY
    drafts += [_draft(world, [left], last_day, rng) for _ in range(gone)]
    drafts += [_draft(world, workers, world.born_at, rng) for _ in range(total - len(drafts))]
    for draft in sorted(drafts, key=lambda draft: draft[:3]):
        record_entry(world, draft)
    for entries in world.entries_by.values():
        ordered = sorted(entries, key=world.entry_instant)
        entries[:] = array("I", ordered)


def record_entry(world: State, draft: Draft) -> int:
    """Append an entry to the columns and to the sums, unsorted; return its index."""
    columns, entry = world.entries, len(world.entries)
    columns.task.append(draft.task)
    columns.member.append(draft.member)
    columns.start.append(draft.start)
    columns.end.append(draft.end)
    columns.duration.append(draft.duration)
    columns.at.append(draft.at)
    columns.billable.append(draft.billable)
    columns.source.append(draft.source)
    columns.deleted.append(0)
    columns.texts.append(draft.text)
    world.entries_by.setdefault(draft.member, array("I")).append(entry)
    if draft.task >= 0:
        world.entries_of.setdefault(draft.task, array("I")).append(entry)
        world.tasks.spent[draft.task] += max(0, draft.duration)
    return entry


def _running(world: State, workers: list[int], count: int, rng: Random) -> list[Draft]:
    """Return timers that run at this moment, one a person; every third without a task."""
    columns, now = world.tasks, world.born_at
    busy = [
        task
        for task in range(len(columns) - 1, max(-1, len(columns) - 400), -1)
        if not columns.done[task] and columns.assignees[task] and world.on_team_route(task)
    ]
    drafts = []
    for order, person in enumerate(workers[:count]):
        start = now - int(rng.uniform(5, 200) * MINUTE)
        task = busy[order * 3 % len(busy)] if busy and order % 3 != 2 else -1
        drafts.append(Draft(start, task, person, start, 0, -start, 0, 0, ""))
    return drafts


def _draft(world: State, people: list[int], until: int, rng: Random) -> Draft:
    task = -1 if rng.random() < _LONE_SHARE else _pick_task(world, until, rng)
    person = people[int(rng.random() * len(people))]
    begin, end = world.tasks.created[0], until
    if task >= 0:
        team = [who for who in world.tasks.assignees[task] if who in people] if len(people) > 1 else []
        person = team[int(rng.random() * len(team))] if team else person
        begin, end = _busy_span(world, task, until)
    duration = max(1, min(int(rng.lognormvariate(3.9, 0.75)), 540)) * MINUTE + int(rng.random() * MINUTE)
    start = working_time(begin + int(rng.random() * max(1, end - begin)), rng)
    start = min(start, until - duration - HOUR)
    at = start + duration + int(rng.random() ** 3 * 20 * HOUR)
    texts = ENTRY_TEXTS if task >= 0 else LONE_ENTRY_TEXTS
    text: str | None = texts[int(rng.random() * len(texts))]
    billable, source = (1 if rng.random() < 0.4 else 0), (0, 0, 0, 1, 2)[int(rng.random() * 5)]
    if rng.random() < _MOBILE_SHARE:  # the mobile app leaves these null
        billable, source, text = 2, 4, None
    if task >= 0 and rng.random() < _LUMP_SHARE:
        return Draft(min(at, until), task, person, 0, 0, duration, billable, source, text)
    return Draft(min(at, until), task, person, start, start + duration, duration, billable, source, text)


def _pick_task(world: State, until: int, rng: Random) -> int:
    """Return a task that had been begun by then, or -1 when chance finds none."""
    columns = world.tasks
    for _ in range(12):
        task = int(rng.random() * len(columns))
        last = columns.path_first[task + 1] - 1
        if columns.created[task] < until and last > columns.path_first[task]:
            return task
    return -1


def _busy_span(world: State, task: int, until: int) -> tuple[int, int]:
    """Return when the task was worked on: its first visit to an active status."""
    visits = world.visits(task)
    for (begin, status), (end, _) in zip(visits, [*visits[1:], (until, -1)], strict=True):
        if world.statuses[status].type == "custom" and begin < until:
            return begin, min(end, until, begin + 12 * DAY)
    return visits[0][0], min(until, visits[0][0] + 5 * DAY)
