"""Tracked time of people who left, or who may not be read: by task, where ClickUp counts more than was read.

A task's legacy route shows everybody's intervals, for a request a task. It also tells who they are: whether
ClickUp answers for them by person, as for members, is not known, so that is tried with the first ones; it
would spare a request for every other task of theirs. The answers need no trust: what a task's ``time_spent``
still exceeds is asked for by task.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from clickup_toolkit.client import Request
from clickup_toolkit.crawl.cursor import instant
from clickup_toolkit.crawl.places import key_of
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.crawl.time_entries import TimeEntries, newest_window
from clickup_toolkit.errors import Refused, Unanswered

__all__ = ["read_left_time"]

WORTH_TRYING = 10
"""Tasks from which on a person may be asked for: a few windows of time cost as much as a few tasks."""
PATIENCE = 2
"""People who may be refused before nobody else is tried."""
_GROWTH = 8


class _Item(msgspec.Struct):
    """A person with intervals, or an interval; whatever type anything has."""

    id: object = None
    user: object = None
    intervals: object = None
    time: object = None


class _TaskTime(msgspec.Struct):
    data: list[object] | None


_decode = msgspec.json.Decoder(_TaskTime).decode


def _items(found: object) -> list[_Item]:
    things = found if isinstance(found, list) else ()
    return [msgspec.convert(thing, _Item) for thing in things if isinstance(thing, dict)]


def _person_of(one: _Item) -> str:
    return key_of(one.user.get("id")) if isinstance(one.user, dict) else ""


async def read_left_time(reader: Reader, team: str, members: Collection[str]) -> None:
    """Read the time on tasks for which more, or less, is counted than the entries of ``members`` and those
    remembered of others come to.
    """
    await _LeftTime(reader, team, members).read()


class _LeftTime:
    def __init__(self, reader: Reader, team: str, members: Collection[str]) -> None:
        self._reader = reader
        self._team = team
        self._tried = set(members)
        self._met: set[str] = set()
        self._refused = 0
        self._asked: set[str] = set()

    async def read(self) -> None:
        """Read in waves: a task, some, all others; behind each, whom they showed is tried by person."""
        wave = 1
        while due := self._due():
            if not self._may_try(due):
                wave = len(due)
            await each(self._read_task, due[:wave])
            await self._try_people(len(due) - wave)
            wave *= _GROWTH

    def _due(self) -> list[str]:
        journal = self._reader.journal
        due = {*journal.undertracked_tasks(), *journal.readings.overtold_tasks()}
        return sorted(due - self._asked)

    def _may_try(self, due: Collection[str]) -> bool:
        """An incremental crawl has few tasks to ask for; it does not read anybody's time back to 1970."""
        full = self._reader.journal.since is None
        return full and len(due) >= WORTH_TRYING and self._refused < PATIENCE

    async def _read_task(self, task: str) -> None:
        self._asked.add(task)
        found = await self._reader.ask_or_gap(
            "task_time",
            Request(f"/task/{task}/time"),
            _decode,
            {"task_id": task},
            what="time_entries",
            id=task,
        )
        people = _items(found.data if found else None)
        self._met |= {_person_of(one) for one in people} - {""}
        intervals = [interval for person in people for interval in _items(person.intervals)]
        self._reader.journal.note_entries(
            (key_of(interval.id), task, max(0, instant(interval.time) or 0))
            for interval in intervals
            if key_of(interval.id)
        )

    async def _try_people(self, rest: int) -> None:
        """Ask for the time of those who were met, one by one, as long as that may spare questions."""
        for person in sorted(self._met - self._tried):
            if self._refused < PATIENCE and rest >= WORTH_TRYING and self._reader.journal.since is None:
                self._tried.add(person)
                await self._try_person(person)

    async def _try_person(self, person: str) -> None:
        entries = TimeEntries(self._reader, self._team)
        newest = newest_window(self._reader.journal.started, None)
        try:
            await entries.read_window([person], newest)
        except (Refused, Unanswered):
            self._refused += 1  # no gap: their time is read by task
            return
        await entries.read_back(([person], newest))
