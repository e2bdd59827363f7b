"""Tasks of one list, by its own route: the only one that shows archived places and what is shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from clickup_toolkit.client import Query
from clickup_toolkit.crawl.cursor import TaskHead, Walk, home_list, instant, walk
from clickup_toolkit.crawl.places import Place
from clickup_toolkit.crawl.reader import Reader

__all__ = ["EVERYTHING", "OVERLAP_MS", "Lists", "Take"]

EVERYTHING: Query = (("include_closed", "true"), ("subtasks", "true"), ("include_timl", "true"))
OVERLAP_MS = 120_000
"""How far a sweep reaches back before the start: clocks differ, and filters round."""

Take = Callable[[list[TaskHead]], None]


class Lists:
    """Reads lists one by one and notes their tasks in the journal.

    ``gap_in_sweep``: changes that cannot be read become a gap; else they end the crawl.
    """

    def __init__(self, reader: Reader, *, gap_in_sweep: bool = True) -> None:
        self.reader = reader
        self._gap_in_sweep = gap_in_sweep
        self._read = 0

    async def read_active(self, place: Place, take: Take | None = None, time: str = "") -> None:
        """Read the active tasks of a list; ``time`` tells that from an earlier reading."""
        async with self.reader.gap_for("tasks", place.id):
            await self.walk(replace(_of(place, archived="false"), time=time), take)

    async def read_archived(self, place: Place, take: Take | None = None) -> None:
        """Read the archived tasks of a list."""
        async with self.reader.gap_for("archived_tasks", place.id):
            await self.walk(_of(place, archived="true"), take)

    async def read_again(self, place: Place) -> None:
        """Read a list that was archived during the crawl once more."""
        async with self.reader.gap_for("tasks", place.id):
            await self.walk(replace(_of(place, archived="false"), time="again"))
            await self.walk(replace(_of(place, archived="true"), time="again"))

    async def sweep(self, place: Place, since: int, archived: str = "false") -> None:
        """Read what changed in a list since ``since`` (ms)."""
        of = replace(_of(place, archived), by="updated", since=since - OVERLAP_MS)
        await self.walk_changes(of, place.id)

    async def walk_changes(self, of: Walk, list_id: str = "") -> None:
        """Read changes; where they cannot be read, a full crawl has a gap, an incremental one fails."""
        if self._gap_in_sweep:
            async with self.reader.gap_for("tasks_changed_meanwhile", list_id):
                await self.walk(of)
        else:
            self.reader.journal.note_covered("tasks_changed_meanwhile", list_id)
            await self.walk(of)

    async def walk(self, of: Walk, take: Take | None = None) -> None:
        """Read all pages, note their tasks, and hand them to ``take``."""

        def keep(tasks: list[TaskHead]) -> None:
            self.note(tasks)
            if take:
                take(tasks)

        await walk(self.reader, of, keep)

    def note(self, tasks: list[TaskHead]) -> None:
        """Note tasks in the journal."""
        self.reader.journal.note_tasks(
            (task.key, instant(task.date_updated), instant(task.time_spent) or 0, home_list(task))
            for task in tasks
            if task.key
        )
        self._read += len(tasks)
        self.reader.progress("tasks", self._read, None)


def _of(place: Place, archived: str) -> Walk:
    context = {
        "route": "list",
        "list_id": place.id,
        "in_archived": "true" if place.in_archived else "false",
    }
    return Walk(f"/list/{place.id}/task", [("archived", archived), *EVERYTHING], context)
