"""Every task that the token sees, by the cheapest route that shows it.

The workspace-wide route takes many lists in one question, so small lists share pages. It does not show
tasks in archived places and what is only shared: those are read list by list. The order matters while the
workspace changes. Open lists come first, active tasks before archived ones, then what is shared, then
archived places: a task that goes from one to another in between is seen by the one or the other, or by the
sweep at the end, which reads what changed since the crawl began. Lists that were archived before it, where
it does not look any more, are read once more behind it. Where it does not look at all, in archived places,
and for archived tasks on a route that hides them, lists are asked for changes one by one, if there are any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import msgspec

from clickup_toolkit.client import Request
from clickup_toolkit.crawl.cursor import TaskHead, Walk, home_list, instant
from clickup_toolkit.crawl.lists import EVERYTHING, OVERLAP_MS, Lists
from clickup_toolkit.crawl.places import Place, Places
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.crawl.structure import read_vanished_lists
from clickup_toolkit.crawl.together import Together
from clickup_toolkit.errors import Refused, ToolkitError, Unanswered

__all__ = ["read_changed_tasks", "read_tasks"]

_LOST = 100
"""So many tasks that were not met any more are asked for at once."""
_NO_PLACES = frozenset({"plan", "tags"})
"""What may be a gap at this point and hides no task."""


async def read_tasks(reader: Reader, team: str, places: Places) -> None:
    """Read every task and note it in the journal; what cannot be read becomes a gap."""
    lists = Lists(reader)
    together = Together(lists, team, [place for place in places.lists.values() if not place.hidden])
    shared = [place for place in places.lists.values() if place.shared]
    buried = _Buried(lists, [place for place in places.lists.values() if place.hidden and not place.shared])
    await together.read_active()
    await together.read_archived()
    await each(lists.read_active, shared)
    await each(lists.read_archived, shared)
    await buried.read()
    _refuse_nothing(reader, places)
    await together.read_shorter()
    await _read_shared_tasks(lists, places)
    since = reader.journal.watermark
    await _sweep(lists, team, since)
    vanished = await read_vanished_lists(reader, team, places)
    await each(lists.read_again, vanished)
    await _sweep_lists(lists, [*shared, *vanished], since)
    lost = bool(reader.journal.readings.lost_archived())
    await _sweep_archived(lists, together.hiding(lost=lost), since)
    if lost or vanished or not buried.as_counted():
        await _sweep_lists(lists, buried.places, since)
        await _sweep(lists, team, since, time="again")  # tasks may have left them for open lists meanwhile
    await _look_for_lost(lists)
    await _read_unknown_lists(reader, places)


async def read_changed_tasks(reader: Reader, team: str, places: Places, since: int) -> None:
    """Read what changed since ``since`` (ms) where the workspace-wide route shows it, and what is shared.

    Lists that were not open before, made, restored or newly shown to the token, are read whole.

    Archived tasks, tasks in archived places and deletions do not show; a full crawl finds them. When the
    changes cannot be read the crawl fails: the next one must not begin behind them.
    """
    lists = Lists(reader, gap_in_sweep=False)
    known = reader.journal.known_lists()
    closed = {place.id for place in places.lists.values() if place.archived or place.in_archived}
    new = [place for place in places.lists.values() if place.id not in known | closed]
    await Together(lists, team, [place for place in new if not place.hidden]).read_active()
    await each(lists.read_active, [place for place in new if place.shared])
    await each(lists.read_archived, new)
    await _sweep(lists, team, since)
    shared = [place for place in places.lists.values() if place.shared]
    await each(partial(lists.sweep, since=since), shared)
    await _read_shared_tasks(lists, places)
    await _read_unknown_lists(reader, places)


class _Buried:
    """Reads lists in archived places, where hardly ever anything changes; notices when something did.

    Archived tasks are read first. So a task that was there from the beginning and is on neither reading was
    active when ClickUp counted the list's tasks, and left afterwards: then fewer active ones came than were
    counted, or one came that changed since the start. Only then all of them are asked for changes.
    """

    def __init__(self, lists: Lists, places: Sequence[Place]) -> None:
        self._lists = lists
        self.places = places
        self._active: Counter[str] = Counter()
        self._changed = False

    async def read(self) -> None:
        """Read all tasks."""
        await each(partial(self._lists.read_archived, take=self._look_at), self.places)
        await each(self._read_active, self.places)

    async def _read_active(self, place: Place) -> None:
        await self._lists.read_active(place, partial(self._count, place.id))

    def _count(self, place: str, tasks: list[TaskHead]) -> None:
        self._active[place] += sum(home_list(task) == place for task in tasks)
        self._look_at(tasks)

    def _look_at(self, tasks: list[TaskHead]) -> None:
        begun = self._lists.reader.journal.watermark - OVERLAP_MS
        self._changed = self._changed or any((instant(task.date_updated) or begun) >= begun for task in tasks)

    def as_counted(self) -> bool:
        """Tell whether nothing changed since ClickUp counted the tasks."""
        counted = all(self._active[place.id] == place.size for place in self.places)
        return counted and not self._changed


async def _sweep_lists(lists: Lists, places: Sequence[Place], since: int) -> None:
    """Read what changed since ``since`` (ms) in lists that the workspace-wide route does not show."""
    await each(partial(lists.sweep, since=since), places)
    await _sweep_archived(lists, places, since)


async def _sweep_archived(lists: Lists, places: Sequence[Place], since: int) -> None:
    await each(partial(lists.sweep, since=since, archived="true"), places)


async def _sweep(lists: Lists, team: str, since: int, time: str = "") -> None:
    """Read what changed in open places since ``since`` (ms), in the order of the changes, to the last one.

    Archived tasks are asked for too: that the workspace-wide route shows them is reported, not promised.
    """
    for archived in ("false", "true"):
        query = [("archived", archived), *EVERYTHING]
        of = Walk(f"/team/{team}/task", query, {"route": "team"}, "updated", since - OVERLAP_MS, time)
        await lists.walk_changes(of)


def _refuse_nothing(reader: Reader, places: Places) -> None:
    """Fail when not one question for tasks was answered: that is no export with gaps."""
    if places.lists and not reader.answered["tasks"]:
        raise ToolkitError(
            "ClickUp answered the crawl, but not one of its questions for tasks.",
            "Run the export again later: it goes on where it stopped.",
        )


async def _read_shared_tasks(lists: Lists, places: Places) -> None:
    """Read the tasks that are shared alone."""

    async def read(task_id: str) -> None:
        async with lists.reader.gap_for("tasks", task_id):
            await _read_task(lists, task_id)

    await each(read, places.shared_tasks)


async def _read_task(lists: Lists, task_id: str) -> None:
    decode = msgspec.json.Decoder(TaskHead).decode
    task = await lists.reader.ask("task", Request(f"/task/{task_id}"), decode, {"task_id": task_id})
    lists.note([task])


async def _look_for_lost(lists: Lists) -> None:
    """Ask for tasks that earlier exports held and this crawl met nowhere: they may have moved behind it.

    Nothing is asked where a gap tells why they were not met. Else it is a hundred, and a hundred more only
    when one of them is there after all: where so many are gone, a list was deleted.
    """
    reader, after, found = lists.reader, "", True

    async def look(task_id: str) -> None:
        nonlocal found
        try:
            await _read_task(lists, task_id)
            found = True
        except Refused:  # deleted, or not for this token any more
            pass
        except Unanswered as failure:
            reader.note_gap("tasks", task_id, failure)

    while (
        found and not _hidden_by_gaps(reader) and (lost := reader.journal.readings.lost_tasks(after, _LOST))
    ):
        after, found = lost[-1], False
        await each(look, lost)


def _hidden_by_gaps(reader: Reader) -> bool:
    return any(gap.what not in _NO_PLACES for gap in reader.journal.gaps())


async def _read_unknown_lists(reader: Reader, places: Places) -> None:
    """Ask what lists are that tasks name but no place showed: new, or not for this token's eyes."""

    async def read(list_id: str) -> None:
        await reader.ask_or_gap(
            "list",
            Request(f"/list/{list_id}"),
            msgspec.json.decode,
            {"list_id": list_id},
            what="home_lists",
            id=list_id,
        )

    await each(read, sorted(reader.journal.unknown_lists(places.lists.keys())))
