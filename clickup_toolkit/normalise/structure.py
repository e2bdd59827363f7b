"""The workspace's structure: spaces, folders, lists, statuses, members, tags, task types, custom fields.

A workspace's structure is small next to its tasks, so it is gathered whole: the same list comes inside its
folder, among the folder's lists and by itself, each time with other fields, and becomes one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from clickup_toolkit import records
from clickup_toolkit.client import Answer
from clickup_toolkit.normalise import fields
from clickup_toolkit.normalise.members import member
from clickup_toolkit.normalise.places import (
    Known,
    Place,
    folder_of,
    list_of,
    merged,
    space_of,
)
from clickup_toolkit.normalise.shapes import items, mapping, not_understood, read
from clickup_toolkit.normalise.values import Scalar, identifier, instant_text, integer, text

__all__ = ["STREAMS", "RawItem", "Structure"]


class RawItem(NamedTuple):
    """An object as ClickUp sent it: what it is, whose id it bears, when it was sent (ISO 8601, UTC)."""

    kind: str
    id: str
    received: str
    body: bytes


class _Tag(msgspec.Struct, gc=False):
    name: Scalar = None
    tag_fg: Scalar = None
    tag_bg: Scalar = None
    creator: Scalar = None


class _TaskType(msgspec.Struct, gc=False):
    id: Scalar = None
    name: Scalar = None
    name_plural: Scalar = None
    description: Scalar = None


class _Team(msgspec.Struct, gc=False):
    id: Scalar = None
    name: Scalar = None
    color: Scalar = None


class _Plan(msgspec.Struct, gc=False):
    plan_name: Scalar = None


class Structure:
    """Everything of a workspace but its tasks and times; :meth:`add` the answers, then read :meth:`rows`."""

    def __init__(self, team_id: str) -> None:
        self._team_id = team_id
        self._workspace = records.Workspace(team_id)
        self._plan: str | None = None
        self._places: dict[str, Known] = {"space": {}, "folder": {}, "list": {}}
        self._inlined: set[str] = set()  # lists that stood in their folders
        self._members: dict[str, records.Member] = {}
        self._tags: dict[tuple[str, str], records.Tag] = {}
        self._task_types = {row.id: row for row in _BUILT_IN}
        self._fields = fields.Definitions()
        self._raw: dict[tuple[str, str], RawItem] = {}
        self._gaps: list[records.Gap] = []

    def add(self, answer: Answer) -> None:
        """Take in one answer of the streams that :data:`STREAMS` names."""
        STREAMS[answer.stream](self, answer)

    def rows(self) -> Iterable[NamedTuple]:
        """Yield the rows of all tables of the structure, and of what was not understood."""
        yield self._workspace._replace(plan=self._plan)
        spaces, folders, lists = (self._places[kind] for kind in ("space", "folder", "list"))
        yield from map(space_of, spaces.values())
        yield from (folder_of(place, spaces, folders) for place in folders.values())
        for place in lists.values():
            yield list_of(place, spaces, folders)
            yield from place.offered_statuses(spaces, folders)
        yield from self._members.values()
        yield from self._tags.values()
        yield from self._task_types.values()
        yield from self._fields.rows()
        yield from self._gaps

    def raw(self) -> Iterable[RawItem]:
        """Yield the objects that the rows were made from, as sent."""
        return self._raw.values()

    def _each(
        self,
        answer: Answer,
        key: str,
        what: str,
        take: Callable[[msgspec.Raw], str | None],
        body: bytes | None = None,
    ) -> None:
        """Hand every item of a page to ``take``, which returns its id, or None if it makes no sense."""
        found = items(answer.body if body is None else body, key)
        whose = next((answer.context[name] for name in _OWNERS if name in answer.context), "")
        if found is None:
            self._gaps.append(not_understood(what, whose, answer.body))
        for item in found or ():
            key_of = take(item)
            if key_of is None:
                self._gaps.append(not_understood(what, f"in {whose or self._team_id}", item))
            elif not self._stood_inside(answer, key_of):
                self._keep(_KINDS[what], key_of, answer, item)

    def _stood_inside(self, answer: Answer, key: str) -> bool:
        """Tell whether an open list that its folder's own route tells has stood in the folder already.

        Then it is taken as it stood there: an incremental crawl asks for nothing else.
        """
        asked = answer.context
        is_open = asked.get("archived") == "false" and asked.get("in_archived") == "false"
        return answer.stream == "folder_lists" and is_open and key in self._inlined

    def _keep(self, kind: str, key: str, answer: Answer, item: bytes | msgspec.Raw) -> None:
        self._raw[kind, key] = RawItem(kind, key, instant_text(answer.received), bytes(item))

    def _add_team(self, answer: Answer) -> None:
        for item in items(answer.body, "teams") or ():
            shape = read(item, _Team)
            if shape is None or identifier(shape.id) != self._team_id:
                continue
            self._workspace = records.Workspace(self._team_id, text(shape.name), text(shape.color))
            self._each(answer, "members", "members", self._take_member, bytes(item))

    def _take_member(self, item: msgspec.Raw) -> str | None:
        row = member(item)
        if row is None:
            return None
        self._members[row.id] = row
        return row.id

    def _add_plan(self, answer: Answer) -> None:
        shape = read(answer.body, _Plan)
        self._plan = text(shape.plan_name) if shape else None

    def _add_places(self, answer: Answer) -> None:
        key, kind, what = _PLACES[answer.stream]
        self._each(answer, key, what, lambda item: self._take_place(kind, item, answer))

    def _take_place(self, kind: str, item: bytes | msgspec.Raw, answer: Answer, **context: str) -> str | None:
        place = Place.read(kind, item, {**answer.context, **context})
        if place is None:
            return None
        if place.gone or (kind == "list" and self._stood_inside(answer, place.id)):
            return place.id
        known = self._places[kind]
        known[place.id] = merged(known.get(place.id), place)
        for inlined in place.lists:
            self._take_inlined(inlined, answer, place)
        return place.id

    def _take_inlined(self, item: msgspec.Raw, answer: Answer, folder: Place) -> None:
        whose = {} if folder.hidden else {"folder_id": folder.id}
        buried = "true" if folder.archived or folder.buried else "false"
        key = self._take_place("list", item, answer, **whose, archived="false", in_archived=buried)
        self._inlined |= {key} if key else set()
        if key is None:
            self._gaps.append(not_understood("lists", f"in {folder.id}", item))
        elif ("list", key) not in self._raw:
            self._keep("list", key, answer, item)

    def _add_list(self, answer: Answer) -> None:
        key = self._take_place("list", answer.body, answer)
        if key is None:
            self._gaps.append(not_understood("lists", answer.context.get("list_id", ""), answer.body))
        else:
            self._keep("list", key, answer, answer.body)

    def _add_shared(self, answer: Answer) -> None:
        shared = (mapping(answer.body) or {}).get("shared")
        for key, kind in (("folders", "folder"), ("lists", "list")):
            for item in items(bytes(shared or b"{}"), key) or ():
                identity = self._take_place(kind, item, answer, shared="true")
                if identity is not None and (kind, identity) not in self._raw:
                    self._keep(kind, identity, answer, item)

    def _add_tags(self, answer: Answer) -> None:
        space_id = answer.context.get("space_id", "")

        def take(item: msgspec.Raw) -> str | None:
            shape = read(item, _Tag)
            name = text(shape.name) if shape else None
            if shape is None or name is None:
                return None
            colors = text(shape.tag_fg), text(shape.tag_bg)
            self._tags[space_id, name] = records.Tag(space_id, name, *colors, identifier(shape.creator))
            return f"{space_id}/{name}"

        self._each(answer, "tags", "tags", take)

    def _add_task_types(self, answer: Answer) -> None:
        # The description shows the object inside an array, the service sends it bare.
        body = answer.body.strip().removeprefix(b"[").removesuffix(b"]")
        self._each(answer, "custom_items", "task_types", self._take_task_type, body)

    def _take_task_type(self, item: msgspec.Raw) -> str | None:
        shape = read(item, _TaskType)
        key = integer(shape.id) if shape else None
        if shape is None or key is None:
            return None
        names = text(shape.name), text(shape.name_plural), text(shape.description)
        self._task_types[key] = records.TaskType(key, *names)
        return str(key)

    def _add_fields(self, answer: Answer) -> None:
        scope, scope_id = answer.context.get("scope", "list"), answer.context.get("scope_id")
        self._each(answer, "fields", "custom_fields", lambda item: self._fields.add(item, scope, scope_id))


STREAMS: dict[str, Callable[[Structure, Answer], None]] = {
    "teams": Structure._add_team,
    "plan": Structure._add_plan,
    "spaces": Structure._add_places,
    "folders": Structure._add_places,
    "folderless_lists": Structure._add_places,
    "folder_lists": Structure._add_places,
    "list": Structure._add_list,
    "shared": Structure._add_shared,
    "fields": Structure._add_fields,
    "tags": Structure._add_tags,
    "task_types": Structure._add_task_types,
}
"""The streams of the structure, and what takes in their answers."""

_PLACES = {
    "spaces": ("spaces", "space", "spaces"),
    "folders": ("folders", "folder", "folders"),
    "folderless_lists": ("lists", "list", "lists"),
    "folder_lists": ("lists", "list", "lists"),
}
_OWNERS = ("list_id", "folder_id", "space_id", "scope_id")
_KINDS = {
    "members": "member",
    "spaces": "space",
    "folders": "folder",
    "lists": "list",
    "tags": "tag",
    "task_types": "task_type",
    "custom_fields": "custom_field",
}
_BUILT_IN = (records.TaskType(0, "Task", "Tasks"), records.TaskType(1, "Milestone", "Milestones"))
