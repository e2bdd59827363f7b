"""Tasks of many lists in one question: the workspace-wide route, and whether it keeps what is said of it.

It shows the active tasks of open places. That it shows archived tasks when it is asked for them, and tasks
that were added to a list beside their home, is reported and not promised. So neither is taken on trust: the
answers are held against what they tell of each other, a sample of lists is asked by their own route as well,
and where the two disagree every list is read by its own route.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from clickup_toolkit.crawl.cursor import TaskHead, Walk, decode_tasks, further_lists, home_list, instant
from clickup_toolkit.crawl.lists import EVERYTHING, OVERLAP_MS, Lists
from clickup_toolkit.crawl.places import Place
from clickup_toolkit.crawl.reader import each
from clickup_toolkit.errors import ClickUpError, Refused, Unanswered

__all__ = ["Together", "batches"]

BATCH_TASKS = 3_000
"""Tasks that the lists of one question hold together, as far as ClickUp's counts tell."""
BATCH_LISTS = 60
"""Lists in one question at most: the address stays below 2 KB."""
UNKNOWN_SIZE = 100
SAMPLE_ONE_IN = 10
"""Of how many lists one is read by its own route too, to see whether it shows more archived tasks."""
LEAST_SAMPLE = 3
_WITNESSES = 3


def batches(places: Iterable[Place], most_tasks: float = BATCH_TASKS) -> list[tuple[Place, ...]]:
    """Put lists together for one question each, neighbours first: tasks in several lists are often in those.

    The same lists always give the same batches.
    """
    made: list[tuple[Place, ...]] = []
    batch: list[Place] = []
    size = 0
    for place in sorted(places, key=lambda place: (place.group, place.id)):
        weight = UNKNOWN_SIZE if place.size is None else place.size
        if batch and (size + weight > most_tasks or len(batch) >= BATCH_LISTS):
            made.append(tuple(batch))
            batch, size = [], 0
        batch.append(place)
        size += weight
    return [*made, tuple(batch)] if batch else made


class Together:
    """Reads open lists together, and by their own route where that does not do."""

    def __init__(self, lists: Lists, team: str, places: Iterable[Place]) -> None:
        self._lists = lists
        self._reader = lists.reader
        self._route = f"/team/{team}/task"
        self._places = {place.id: place for place in places}
        self._alone: set[str] = set()
        self._active: Counter[str] = Counter()
        self._witnesses: list[tuple[TaskHead, str]] = []
        self._shows_added = False
        self._contradicted = False
        self._shows_archived = False
        self._archived_alone = 0

    # active tasks

    async def read_active(self) -> None:
        """Read the active tasks of all lists."""
        await each(self._read_batch, batches(self._places.values()))
        if not self._shows_added and self._witnesses:
            self._contradicted = not await self._shows_a_witness()
        if self._contradicted:
            await each(self._lists.read_active, self._others())

    async def read_shorter(self) -> None:
        """Read lists once more of which fewer tasks came than ClickUp counts: archived meanwhile, perhaps."""
        await each(
            partial(self._lists.read_active, time="shorter"),
            [place for place in self._others() if self._active[place.id] < (place.size or 0)],
        )

    async def _read_batch(self, batch: Sequence[Place]) -> None:
        """Read the active tasks of several lists; one list that spoils the question becomes a gap alone."""
        within = {place.id for place in batch}

        def look_at(tasks: list[TaskHead]) -> None:
            for task in tasks:
                self._look_at(task, within)

        try:
            await self._lists.walk(self._of(batch), look_at)
        except (Refused, Unanswered) as error:
            for place in batch:  # they are counted anew
                self._active.pop(place.id, None)
            await self._split(batch, error)

    async def _split(self, batch: Sequence[Place], error: ClickUpError) -> None:
        if len(batch) == 1:
            await self._read_alone(batch[0], error)
            return
        middle = len(batch) // 2
        await self._read_batch(batch[:middle])
        await self._read_batch(batch[middle:])

    async def _read_alone(self, place: Place, error: ClickUpError) -> None:
        """Try the list's own route before giving up on it."""
        self._alone.add(place.id)
        if isinstance(error, Refused):
            self._reader.note_gap("tasks", place.id, error)
        else:
            await self._lists.read_active(place)

    def _look_at(self, task: TaskHead, within: set[str]) -> None:
        """Count a task in its home; notice whether tasks of other homes come along, and who might."""
        home = home_list(task)
        if home in within:
            self._active[home] += 1
        elif home is not None:
            self._shows_added = True
        if not self._shows_added and len(self._witnesses) < _WITNESSES:
            beside = (place for place in further_lists(task) if place != home and place in self._places)
            self._witnesses += [(task, place) for place in beside][:1]

    async def _shows_a_witness(self) -> bool:
        """Tell whether a list shows a task that says that it was added to it."""
        for task, place in self._witnesses:
            created = instant(task.date_created)
            of = self._of([self._places[place]])
            async with self._reader.gap_for("tasks", place):
                page = await self._reader.ask("tasks", of.first(created), decode_tasks, of.context)
                if task.key in {found.key for found in page.tasks}:
                    return True
        return False

    # archived tasks

    async def read_archived(self) -> None:
        """Read the archived tasks of all lists: together where that shows them, else one by one."""
        archived = _Archived(self._lists, self._of)
        read = set() if self._contradicted else await archived.read(self._others())
        self._shows_archived = bool(read)
        rest = [self._places[key] for key in sorted(self._places.keys() - read)]
        await each(partial(self._lists.read_archived, take=self._count_alone), rest)

    def _count_alone(self, tasks: Sequence[TaskHead]) -> None:
        self._archived_alone += len(tasks)

    def hiding(self, *, lost: bool) -> list[Place]:
        """Return the lists whose archived tasks no sweep of all open places shows, if they may hold changes.

        They may where they hold archived tasks, or where some that were known are ``lost``.
        """
        doubted = not self._shows_archived and (lost or self._archived_alone)
        return list(self._places.values()) if doubted else []

    def _others(self) -> list[Place]:
        """Return the lists that the workspace-wide route answered for."""
        return [place for key, place in self._places.items() if key not in self._alone]

    def _of(self, batch: Sequence[Place], archived: str | None = None) -> Walk:
        lists = [("list_ids[]", place.id) for place in batch]
        flag = [] if archived is None else [("archived", archived)]
        return Walk(self._route, [*lists, *flag, *EVERYTHING], {"route": "team"})


class _Archived:
    """Reads archived tasks of many lists together, as long as nothing speaks against the answers."""

    def __init__(self, lists: Lists, question: Callable[[Sequence[Place], str], Walk]) -> None:
        self._lists = lists
        self._reader = lists.reader
        self._question = question
        self._open: set[str] = set()
        self._sample: set[str] = set()
        self._seen: set[str] = set()
        self._shown = False
        self._contradicted = False
        self._failed: set[str] = set()

    async def read(self, places: Sequence[Place]) -> set[str]:
        """Return the lists of which the archived tasks were read; none of them when that is in doubt."""
        self._open = {place.id for place in places}
        self._sample = self._drawn()
        todo = iter(batches(places, most_tasks=math.inf))
        for batch in todo:  # one after the other until the first archived task
            await self._read_batch(batch)
            if self._shown or self._contradicted:
                break
        if self._shown and not self._contradicted:
            await each(self._read_batch, todo)
            await self._verify({place.id: place for place in places})
        return self._open - self._failed if self._shown and not self._contradicted else set()

    def _drawn(self) -> set[str]:
        """Return lists that are read by their own route too: others in each crawl, the same when resumed."""
        started = self._reader.journal.started
        order = sorted(self._open, key=lambda place: (zlib.crc32(f"{place} {started}".encode()), place))
        return set(order[: max(LEAST_SAMPLE, len(order) // SAMPLE_ONE_IN)])

    async def _read_batch(self, batch: Sequence[Place]) -> None:
        try:
            await self._lists.walk(self._question(batch, "true"), self._look_at)
        except _FlagIgnored:
            self._contradicted = True
        except (Refused, Unanswered):  # list by list it shows which one it is
            self._failed |= {place.id for place in batch}

    def _look_at(self, tasks: list[TaskHead]) -> None:
        if any(task.archived is False for task in tasks):
            raise _FlagIgnored
        self._shown = self._shown or any(task.archived is True for task in tasks)
        self._seen |= {task.key for task in tasks if self._to_compare(home_list(task))}

    def _to_compare(self, home: str | None) -> bool:
        """Tell whether a list of the sample may show a task of this home."""
        return home in self._sample or home not in self._open

    async def _verify(self, places: Mapping[str, Place]) -> None:
        """Read the sample, and lists that had archived tasks which are gone now, by their own route."""
        lost = self._reader.journal.readings.lost_archived()
        doubtful = (self._sample | lost.keys()) & self._open
        await each(self._verify_one, [places[key] for key in sorted(doubtful)])
        found_again = self._reader.journal.readings.lost_archived() != lost
        self._contradicted = self._contradicted or found_again

    async def _verify_one(self, place: Place) -> None:
        quiet_until = self._reader.journal.watermark - OVERLAP_MS

        def compare(tasks: list[TaskHead]) -> None:
            for task in tasks:
                told = place.id not in self._sample or task.key in self._seen
                mine = home_list(task) == place.id or home_list(task) not in self._open
                if mine and not told and (instant(task.date_updated) or 0) < quiet_until:
                    self._contradicted = True

        await self._lists.read_archived(place, compare)


class _FlagIgnored(Exception):
    """Asked for archived tasks, the workspace-wide route answered with others."""
