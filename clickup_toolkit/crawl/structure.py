"""Spaces, folders at any depth, lists: open, archived, shared, and what is defined in them.

ClickUp's ``archived`` filter is exclusive, so every kind of place is asked for twice, also below archived
ones. Subfolders come flat among a space's folders. The open lists of a folder come inside it, with what their
own route does not tell, but perhaps not all of them, so a full crawl asks every folder for them as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from clickup_toolkit.client import Request
from clickup_toolkit.crawl.places import (
    Item,
    Page,
    Place,
    Places,
    SharedThings,
    decode_places,
    decode_shared,
    key_of,
    page_of,
    size_of,
)
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.errors import BrokenAnswer

__all__ = ["read_open_structure", "read_structure", "read_vanished_lists"]

BOTH = ("false", "true")


async def read_structure(reader: Reader, team: str) -> Places:
    """Read every place of the workspace and return what the crawl needs to know of it."""
    found = _Structure(reader, team, Places())
    await each(found.read_spaces, BOTH)
    await each(found.read_space, found.spaces.items())
    found.bury_subfolders()
    await each(found.read_folder, list(found.folders.values()))
    await found.read_shared()
    await found.read_own_statuses()
    return found.finished()


async def read_open_structure(reader: Reader, team: str) -> Places:
    """Read the places that are not archived: those in which the workspace-wide route shows changes.

    Lists are taken from their folders; archived places keep what the last full crawl found.
    """
    found = _Structure(reader, team, Places())
    await each(found.read_spaces, BOTH)
    await each(found.read_open_space, [space for space, archived in found.spaces.items() if not archived])
    found.bury_subfolders(strangers=True)
    await found.read_shared()
    await found.read_own_statuses()
    return found.finished()


async def read_vanished_lists(reader: Reader, team: str, places: Places) -> list[Place]:
    """Ask for the open places once more; return the lists that were there before and are not any longer.

    They were archived meanwhile, with tasks perhaps that were moved into them just before. A list counts as
    gone only where an answer that should show it does not.
    """
    again = _Structure(reader, team, Places(), time="again")
    await each(again.read_open_space, places.open_spaces)
    before = [place for place in places.lists.values() if not place.hidden]
    missing = {place.group for place in again.without(before)}
    await each(
        partial(again.read_folder_lists, archived="false"),
        [folder for folder in again.folders.values() if folder.group in missing],
    )
    return again.without(before)


@dataclass(frozen=True)
class _Folder:
    id: str
    space_id: str
    parent: str | None
    buried: bool  # it or something above it is archived
    shared: bool = False

    @property
    def group(self) -> str:
        """What its lists have in common."""
        return f"{self.space_id}/{self.id}"


@dataclass
class _Structure:
    reader: Reader
    team: str
    places: Places
    spaces: dict[str, bool] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)
    with_own_statuses: list[str] = field(default_factory=list)
    time: str = ""
    unread: set[str] = field(default_factory=set)  # groups of lists; a space's with all its folders ends in /

    async def read_spaces(self, archived: str) -> None:
        request = Request(f"/team/{self.team}/space", [("archived", archived)])
        page = await self._ask("spaces", "spaces", request, {"archived": archived}, self.team)
        for space in page.items if page else ():
            self.spaces[space.key] = archived == "true"

    async def read_space(self, space: tuple[str, bool]) -> None:
        for archived in BOTH:
            await self._read_folders(*space, archived)
            await self._read_folderless(*space, archived)
        await self._read_definitions(space[0])

    async def read_open_space(self, space_id: str) -> None:
        await self._read_folders(space_id, False, "false")
        await self._read_folderless(space_id, False, "false")
        if not self.time:
            await self._read_definitions(space_id)

    def bury_subfolders(self, *, strangers: bool = False) -> None:
        """Mark what lies below archived folders, in subfolders that may say they are open.

        With ``strangers`` what lies below folders that were not asked for counts as such.
        """
        for folder in list(self.folders.values()):
            if not folder.buried and self._is_below_buried(folder, strangers):
                self.folders[folder.id] = replace(folder, buried=True)
                for key, place in self.places.lists.items():
                    if place.group == folder.group:
                        buried = msgspec.structs.replace(place, hidden=True, in_archived=True)
                        self.places.lists[key] = buried

    def _is_below_buried(self, folder: _Folder, strangers: bool) -> bool:
        seen: set[str] = set()
        parent = folder.parent
        while parent in self.folders and parent not in seen:
            if self.folders[parent].buried:
                return True
            seen.add(parent)
            parent = self.folders[parent].parent
        return strangers and parent is not None and parent not in self.folders

    def finished(self) -> Places:
        self.places.spaces, self.places.folders = list(self.spaces), list(self.folders)
        self.places.open_spaces = [space for space, archived in self.spaces.items() if not archived]
        return self.places

    def without(self, before: list[Place]) -> list[Place]:
        """Return which of these lists are not there, as far as what should show them was answered."""
        return [place for place in before if place.id not in self.places.lists and not self._unread(place)]

    def _unread(self, place: Place) -> bool:
        space, below, _ = place.group.partition("/")
        return place.group in self.unread or (bool(below) and f"{space}/" in self.unread)

    async def _ask(
        self, stream: str, kind: str, request: Request, context: dict[str, str], whose: str
    ) -> Page | None:
        """Ask for spaces, folders or lists; what bears no id is a gap."""
        what = _half(kind, context["archived"])
        decode = partial(decode_places, kind)
        page = await self.reader.ask_or_gap(stream, request, decode, context, what=what, id=whose)
        if page and page.nameless:
            self._note_nameless(what, whose, page.nameless)
        return page

    def _note_nameless(self, what: str, whose: str, count: int) -> None:
        message = f"ClickUp sent {count} of the {what.replace('_', ' ')} in {whose} without an id."
        self.reader.note_gap(what, whose, BrokenAnswer(message, code="BROKEN_ANSWER"))

    async def _read_folders(self, space_id: str, buried: bool, archived: str) -> None:
        context = {"space_id": space_id, "archived": archived, "in_archived": _text(buried)}
        request = Request(f"/space/{space_id}/folder", [("archived", archived)], self.time)
        page = await self._ask("folders", "folders", request, context, space_id)
        if page is None:
            self.unread.add(f"{space_id}/")
        for item in page.items if page else ():
            below = buried or archived == "true"
            folder = _Folder(item.key, space_id, key_of(item.parent_folder) or None, below)
            self.folders[folder.id] = folder
            self._add_lists(page_of(item.lists).items, below, group=folder.group)

    async def _read_folderless(self, space_id: str, buried: bool, archived: str) -> None:
        context = {"space_id": space_id, "archived": archived, "in_archived": _text(buried)}
        request = Request(f"/space/{space_id}/list", [("archived", archived)], self.time)
        page = await self._ask("folderless_lists", "lists", request, context, space_id)
        if page is None:
            self.unread.add(space_id)
            return
        self._add_lists(page.items, buried, archived, group=space_id, statuses_missing=True)

    async def read_folder(self, folder: _Folder) -> None:
        """Read the lists of a folder, also the open ones: those inside it may not be all."""
        for archived in BOTH:
            await self.read_folder_lists(folder, archived)

    async def read_folder_lists(self, folder: _Folder, archived: str) -> None:
        """Read the archived lists of a folder, or the others."""
        context = {
            "folder_id": folder.id,
            "space_id": folder.space_id,
            "archived": archived,
            "in_archived": _text(folder.buried),
            "shared": _text(folder.shared),
        }
        request = Request(f"/folder/{folder.id}/list", [("archived", archived)], self.time)
        page = await self._ask("folder_lists", "lists", request, context, folder.id)
        if page is None:
            self.unread.add(folder.group)
            return
        self._add_lists(
            page.items,
            folder.buried,
            archived,
            group=folder.group,
            shared=folder.shared,
            statuses_missing=True,
        )

    async def read_shared(self) -> None:
        """Read what is shared with the token's user and lies under no space that it sees."""
        request = Request(f"/team/{self.team}/shared")
        if self.reader.journal.since is None:
            page = await self.reader.ask_or_gap("shared", request, decode_shared, what="shared", id=self.team)
        else:  # without it an incremental crawl would pass over the changes in shared lists
            self.reader.journal.note_covered("shared", self.team)
            page = await self.reader.ask("shared", request, decode_shared)
        things = page or SharedThings()
        nameless = sum(found.nameless for found in things)
        if nameless:
            self._note_nameless("shared", self.team, nameless)
        self.places.shared_tasks = [task.key for task in things.tasks.items]
        lists = [item for item in things.lists.items if item.key not in self.places.lists]
        self._add_lists(lists, buried=False, shared=True, statuses_missing=True)
        folders = [_Folder(item.key, "", None, False, True) for item in things.folders.items]
        await each(self.read_folder, [folder for folder in folders if folder.id not in self.folders])

    async def read_own_statuses(self) -> None:
        """Ask for the statuses of folderless and shared lists that do not take those of their space."""

        async def read(list_id: str) -> None:
            place = self.places.lists[list_id]
            context = {
                "list_id": list_id,
                "in_archived": _text(place.in_archived),
                "shared": _text(place.shared),
            }
            await self.reader.ask_or_gap(
                "list", Request(f"/list/{list_id}"), msgspec.json.decode, context, what="lists", id=list_id
            )

        await each(read, self.with_own_statuses)

    async def _read_definitions(self, space_id: str) -> None:
        await self.reader.ask_or_gap(
            "tags", Request(f"/space/{space_id}/tag"), msgspec.json.decode, {"space_id": space_id},
            what="tags", id=space_id,
        )  # fmt: skip

    def _add_lists(
        self,
        lists: list[Item],
        buried: bool,
        archived: str = "false",
        *,
        group: str = "",
        shared: bool = False,
        statuses_missing: bool = False,
    ) -> None:
        for item in lists:
            identity = item.key
            own = archived == "true" or item.archived is True
            hidden = buried or shared or own
            if identity not in self.places.lists:
                self.places.lists[identity] = Place(
                    identity, group, hidden, own, buried, shared, size_of(item.task_count)
                )
                if statuses_missing and (shared or item.override_statuses is True):
                    self.with_own_statuses.append(identity)


def _half(what: str, archived: str) -> str:
    """Name what is asked for: open and archived ones are asked for apart, and may be missing apart."""
    return f"archived_{what}" if archived == "true" else what


def _text(truth: bool) -> str:
    return "true" if truth else "false"
