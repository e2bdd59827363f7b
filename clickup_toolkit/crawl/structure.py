"""Spaces, folders at any depth, lists: open, archived, shared, and what is defined in them.

ClickUp's ``archived`` filter is exclusive, so every kind of place is asked for twice, also below archived
ones. Subfolders come flat among a space's folders. The open lists of a folder come inside it; they are asked
for once more where ClickUp counts more tasks in the folder than in those lists, because they may be
incomplete.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from clickup_toolkit.client import Request
from clickup_toolkit.crawl.places import (
    Item,
    Place,
    Places,
    SharedThings,
    decode_folders,
    decode_lists,
    decode_shared,
    decode_spaces,
    size_of,
    untold,
)
from clickup_toolkit.crawl.reader import Reader, each

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

    They were archived meanwhile, with tasks perhaps that were moved into them just before.
    """
    again = _Structure(reader, team, Places(), time="again")
    await each(again.read_open_space, places.open_spaces)
    before = [place for place in places.lists.values() if not place.hidden]
    return [place for place in before if place.id not in again.places.lists]


@dataclass(frozen=True)
class _Folder:
    id: str
    space_id: str
    parent: str | None
    buried: bool  # it or something above it is archived
    shared: bool = False
    untold: int | None = None  # tasks counted in it beyond those of the lists inside; None: unknown


@dataclass
class _Structure:
    reader: Reader
    team: str
    places: Places
    spaces: dict[str, bool] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)
    with_own_statuses: list[str] = field(default_factory=list)
    time: str = ""

    async def read_spaces(self, archived: str) -> None:
        request, what = (
            Request(f"/team/{self.team}/space", [("archived", archived)]),
            _half("spaces", archived),
        )
        context = {"archived": archived}
        page = await self.reader.ask_or_gap(
            "spaces", request, decode_spaces, context, what=what, id=self.team
        )
        for space in page.spaces if page else ():
            self.spaces[str(space.id)] = archived == "true"

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
                group = f"{folder.space_id}/{folder.id}"
                for key, place in self.places.lists.items():
                    if place.group == group:
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

    async def _read_folders(self, space_id: str, buried: bool, archived: str) -> None:
        context = {"space_id": space_id, "archived": archived, "in_archived": _text(buried)}
        request = Request(f"/space/{space_id}/folder", [("archived", archived)], self.time)
        page = await self.reader.ask_or_gap(
            "folders", request, decode_folders, context, what=_half("folders", archived), id=space_id
        )
        for folder in page.folders if page else ():
            below = buried or archived == "true"
            key, parent = str(folder.id), None if folder.parent_folder is None else str(folder.parent_folder)
            self.folders[key] = _Folder(key, space_id, parent, below, untold=untold(folder))
            self._add_lists(folder.lists or [], below, group=f"{space_id}/{key}")

    async def _read_folderless(self, space_id: str, buried: bool, archived: str) -> None:
        context = {"space_id": space_id, "archived": archived, "in_archived": _text(buried)}
        request = Request(f"/space/{space_id}/list", [("archived", archived)], self.time)
        page = await self.reader.ask_or_gap(
            "folderless_lists", request, decode_lists, context, what=_half("lists", archived), id=space_id
        )
        self._add_lists(page.lists if page else [], buried, archived, group=space_id, statuses_missing=True)

    async def read_folder(self, folder: _Folder) -> None:
        """Read the archived lists of a folder, and the open ones where those inside it may not be all."""
        archived = await self._read_folder_lists(folder, "true")
        sizes = [size_of(item.task_count) for item in archived]
        if folder.untold is None or None in sizes or folder.untold > sum(size or 0 for size in sizes):
            await self._read_folder_lists(folder, "false")

    async def _read_folder_lists(self, folder: _Folder, archived: str) -> list[Item]:
        context = {
            "folder_id": folder.id,
            "space_id": folder.space_id,
            "archived": archived,
            "in_archived": _text(folder.buried),
            "shared": _text(folder.shared),
        }
        request = Request(f"/folder/{folder.id}/list", [("archived", archived)])
        page = await self.reader.ask_or_gap(
            "folder_lists", request, decode_lists, context, what=_half("lists", archived), id=folder.id
        )
        lists = page.lists if page else []
        group = f"{folder.space_id}/{folder.id}"
        self._add_lists(
            lists, folder.buried, archived, group=group, shared=folder.shared, statuses_missing=True
        )
        return lists

    async def read_shared(self) -> None:
        """Read what is shared with the token's user and lies under no space that it sees."""
        request = Request(f"/team/{self.team}/shared")
        if self.reader.journal.since is None:
            page = await self.reader.ask_or_gap("shared", request, decode_shared, what="shared", id=self.team)
        else:  # without it an incremental crawl would pass over the changes in shared lists
            self.reader.journal.note_covered("shared", self.team)
            page = await self.reader.ask("shared", request, decode_shared)
        things = page.shared if page else SharedThings()
        self.places.shared_tasks = [str(task.id) for task in things.tasks or ()]
        lists = [item for item in things.lists or () if str(item.id) not in self.places.lists]
        self._add_lists(lists, buried=False, shared=True, statuses_missing=True)
        folders = [_Folder(str(item.id), "", None, False, True) for item in things.folders or ()]
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
            identity = str(item.id)
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
