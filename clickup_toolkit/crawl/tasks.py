"""Every task that the token sees, by the cheapest route that shows it.

The workspace-wide route takes many lists in one question, so small lists share pages. It does not show
archived tasks, tasks in archived places and what is only shared: those are read list by list. The order
matters while the workspace changes: archived tasks are read after the active ones, so a task archived in
between is seen by one of the two; lists that were archived meanwhile are read once more; and at the end a
sweep reads what changed since the crawl began, so a task that was moved to a list already read is seen there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import msgspec

from clickup_toolkit.client import Query, Request
from clickup_toolkit.crawl.cursor import TaskHead, Walk, home_list, instant, walk
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.crawl.structure import Place, Places, read_vanished_lists
from clickup_toolkit.errors import ClickUpError, Refused, ToolkitError, Unanswered

__all__ = ["read_changed_tasks", "read_tasks"]

EVERYTHING: Query = (("include_closed", "true"), ("subtasks", "true"), ("include_timl", "true"))
BATCH_TASKS = 3_000
"""Tasks that the lists of one question hold together, as far as ClickUp's counts tell."""
BATCH_LISTS = 60
"""Lists in one question at most: the address stays below 2 KB."""
UNKNOWN_SIZE = 100
OVERLAP_MS = 120_000
"""How far a sweep reaches back before the start: clocks differ, and filters round."""


async def read_tasks(reader: Reader, team: str, places: Places) -> None:
    """Read every task and note it in the journal; what cannot be read becomes a gap."""
    tasks = _Tasks(reader, team, places)
    visible = [place for place in places.lists.values() if not place.hidden]
    hidden = [place for place in places.lists.values() if place.hidden]
    await each(tasks.read_batch, batches(visible))
    await each(tasks.read_active, hidden)
    await each(tasks.read_archived, places.lists.values())
    tasks.refuse_nothing()
    await each(tasks.read_active, tasks.shorter_than_told(visible))
    await each(tasks.read_shared_task, places.shared_tasks)
    await each(tasks.read_vanished, await read_vanished_lists(reader, team, places))
    await tasks.sweep(reader.journal.watermark)
    await each(tasks.sweep_hidden, hidden)
    await each(tasks.read_unknown_list, sorted(reader.journal.unknown_lists(places.lists.keys())))


async def read_changed_tasks(reader: Reader, team: str, places: Places, since: int) -> None:
    """Read what changed since ``since`` (ms) where the workspace-wide route shows it, and what is shared.

    Lists that were not open before, made, restored or newly shown to the token, are read whole.

    Archived tasks, tasks in archived places and deletions do not show; a full crawl finds them. When the
    changes cannot be read the crawl fails: the next one must not begin behind them.
    """
    tasks = _Tasks(reader, team, places, gap_in_sweep=False)
    shared = [place for place in places.lists.values() if place.shared]
    known = reader.journal.known_lists()
    new = [place for place in places.lists.values() if place.id not in known]
    await each(tasks.read_batch, batches(place for place in new if not place.hidden))
    await each(tasks.read_active, [place for place in new if place.shared])
    await each(tasks.read_archived, new)
    await tasks.sweep(since)
    await each(partial(tasks.sweep_hidden, since=since), shared)
    await each(tasks.read_shared_task, places.shared_tasks)
    await each(tasks.read_unknown_list, sorted(reader.journal.unknown_lists(places.lists.keys())))


def batches(places: Iterable[Place]) -> list[tuple[Place, ...]]:
    """Put lists together for one question each, neighbours first: tasks in several lists are often in those.

    The same lists always give the same batches.
    """
    made: list[tuple[Place, ...]] = []
    batch: list[Place] = []
    size = 0
    for place in sorted(places, key=lambda place: (place.group, place.id)):
        weight = UNKNOWN_SIZE if place.size is None else place.size
        if batch and (size + weight > BATCH_TASKS or len(batch) >= BATCH_LISTS):
            made.append(tuple(batch))
            batch, size = [], 0
        batch.append(place)
        size += weight
    return [*made, tuple(batch)] if batch else made


class _Tasks:
    def __init__(self, reader: Reader, team: str, places: Places, *, gap_in_sweep: bool = True) -> None:
        self.reader = reader
        self.gap_in_sweep = gap_in_sweep
        self.route = f"/team/{team}/task"
        self.places = places
        self.read = 0

    async def read_batch(self, batch: Sequence[Place]) -> None:
        """Read the active tasks of several lists; one list that spoils the question becomes a gap alone."""
        lists = [("list_ids[]", place.id) for place in batch]
        try:
            await self._walk(Walk(self.route, [*lists, *EVERYTHING], {"route": "team"}))
        except (Refused, Unanswered) as error:
            if len(batch) == 1:
                await self._read_alone(batch[0], error)
                return
            middle = len(batch) // 2
            await self.read_batch(batch[:middle])
            await self.read_batch(batch[middle:])

    async def _read_alone(self, place: Place, error: ClickUpError) -> None:
        """Try the list's own route before giving up on it."""
        if isinstance(error, Refused):
            self.reader.note_gap("tasks", place.id, error)
        else:
            await self.read_active(place)

    async def read_active(self, place: Place) -> None:
        """Read the active tasks of one list by its own route."""
        async with self.reader.gap_for("tasks", place.id):
            await self._walk(self._of_list(place, archived="false"))

    async def read_archived(self, place: Place) -> None:
        """Read the archived tasks of one list; only its own route shows them."""
        async with self.reader.gap_for("archived_tasks", place.id):
            await self._walk(self._of_list(place, archived="true"))

    def refuse_nothing(self) -> None:
        """Fail when not one question for tasks was answered: that is no export with gaps."""
        if self.places.lists and not self.reader.answered["tasks"]:
            raise ToolkitError(
                "ClickUp answered the crawl, but not one of its questions for tasks.",
                "Run the export again later: it goes on where it stopped.",
            )

    def shorter_than_told(self, places: Iterable[Place]) -> list[Place]:
        """Return lists of which fewer tasks were read than ClickUp counts: archived meanwhile, perhaps."""
        found = self.reader.journal.tasks_by_list()
        return [place for place in places if found.get(place.id, 0) < (place.size or 0)]

    async def read_shared_task(self, task_id: str) -> None:
        """Read one task that is shared alone."""
        task = await self.reader.ask_or_gap(
            "task",
            Request(f"/task/{task_id}"),
            msgspec.json.Decoder(TaskHead).decode,
            {"task_id": task_id},
            what="tasks",
            id=task_id,
        )
        if task:
            self._note([task])

    async def read_vanished(self, place: Place) -> None:
        """Read a list that was archived during the crawl once more, by its own route."""
        async with self.reader.gap_for("tasks", place.id):
            await self._walk(replace(self._of_list(place, archived="false"), time="again"))
            await self._walk(replace(self._of_list(place, archived="true"), time="again"))

    async def sweep(self, since: int) -> None:
        """Read what changed since ``since`` (ms), in the order of the changes, to the last one.

        Archived tasks are asked for too: that the workspace-wide route shows them is reported, not promised.
        """
        for archived in ("false", "true"):
            query = [("archived", archived), *EVERYTHING]
            changed = Walk(self.route, query, {"route": "team"}, "updated", since - OVERLAP_MS)
            await self._walk_changes(changed)

    async def sweep_hidden(self, place: Place, since: int | None = None) -> None:
        """The same for one list that the workspace-wide route does not show; by default since the start."""
        since = (self.reader.journal.watermark if since is None else since) - OVERLAP_MS
        of_list = self._of_list(place, archived="false")
        await self._walk_changes(replace(of_list, by="updated", since=since), place.id)

    async def _walk_changes(self, of: Walk, list_id: str = "") -> None:
        """Read changes; where they cannot be read, a full crawl has a gap, an incremental one fails."""
        if self.gap_in_sweep:
            async with self.reader.gap_for("tasks_changed_meanwhile", list_id):
                await self._walk(of)
        else:
            self.reader.journal.note_covered("tasks_changed_meanwhile", list_id)
            await self._walk(of)

    async def read_unknown_list(self, list_id: str) -> None:
        """Ask what a list is that tasks name but no place showed: new, or not for this token's eyes."""
        await self.reader.ask_or_gap(
            "list",
            Request(f"/list/{list_id}"),
            msgspec.json.decode,
            {"list_id": list_id},
            what="home_lists",
            id=list_id,
        )

    def _of_list(self, place: Place, archived: str) -> Walk:
        context = {
            "route": "list",
            "list_id": place.id,
            "in_archived": "true" if place.in_archived else "false",
        }
        query = [("archived", archived), *EVERYTHING]
        return Walk(f"/list/{place.id}/task", query, context)

    async def _walk(self, of: Walk) -> None:
        await walk(self.reader, of, self._note)

    def _note(self, tasks: list[TaskHead]) -> None:
        self.reader.journal.note_tasks(
            (task.key, instant(task.date_updated), instant(task.time_spent) or 0, home_list(task))
            for task in tasks
            if task.key
        )
        self.read += len(tasks)
        self.reader.progress("tasks", self.read, None)
