"""Spaces, folders and lists: one row each, from everything that was said about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import msgspec

from clickup_toolkit import records
from clickup_toolkit.normalise.shapes import Reference, read
from clickup_toolkit.normalise.values import Scalar, boolean, identifier, integer, real, text, timestamp

__all__ = ["Known", "Place", "folder_of", "list_of", "merged", "space_of"]


class _Status(msgspec.Struct, gc=False):
    id: Scalar = None
    status: Scalar = None
    type: Scalar = None
    orderindex: Scalar = None
    color: Scalar = None


class _Shape(msgspec.Struct, gc=False):
    id: Scalar = None
    name: Scalar = None
    color: Scalar = None
    private: Scalar = None
    archived: Scalar = None
    deleted: Scalar = None
    hidden: Scalar = None
    multiple_assignees: Scalar = None
    orderindex: Scalar = None
    override_statuses: Scalar = None
    task_count: Scalar = None
    start_date: Scalar = None
    due_date: Scalar = None
    permission_level: Scalar = None
    space: Reference | None = None
    folder: Reference | None = None
    parent_folder: Reference | Scalar = None
    statuses: list[_Status] | None = None
    lists: list[msgspec.Raw] | None = None


@dataclass(frozen=True)
class Place:
    """What one answer says of a space, folder or list; ``buried``: something above it is archived."""

    id: str
    shape: _Shape
    archived: bool | None
    buried: bool
    shared: bool
    space_id: str | None
    folder_id: str | None
    lists: list[msgspec.Raw] = field(default_factory=list)

    @classmethod
    def read(cls, kind: str, body: bytes | msgspec.Raw, context: Mapping[str, str]) -> Place | None:
        """Return what ``body`` says, completed by what was asked for; None if it makes no sense."""
        shape = read(body, _Shape)
        key = identifier(shape.id) if shape else None
        if shape is None or key is None:
            return None
        archived = boolean(shape.archived)
        return cls(
            id=key,
            shape=shape,
            archived=boolean(context.get("archived")) if archived is None else archived,
            buried=context.get("in_archived") == "true",
            shared=context.get("shared") == "true",
            space_id=_id_of(shape.space) or context.get("space_id") or None,
            folder_id=_folder_id(kind, shape, context),
            lists=(shape.lists or []) if kind == "folder" else [],
        )

    @property
    def gone(self) -> bool:
        """Whether it was deleted: ClickUp still answers for the id of a deleted list."""
        return boolean(self.shape.deleted) is True

    @property
    def hidden(self) -> bool:
        """Whether it is the placeholder that stands for the folder of folderless lists."""
        return boolean(self.shape.hidden) is True

    def offered_statuses(self, spaces: Known, folders: Known) -> Iterator[records.Status]:
        """Yield the statuses that this list offers: its own, else its folder's, else its space's.

        A list or folder that says it has its own, and was not asked for them, has none of those above.
        """
        for place in (self, *_above(self, folders), spaces.get(self.space_id or "")):
            if place and place.shape.statuses:
                yield from _statuses(self.id, place.shape.statuses)
                return
            if place and boolean(place.shape.override_statuses):
                return


Known: TypeAlias = dict[str, Place]
"""Places of one kind by id."""


def _id_of(reference: Reference | None) -> str | None:
    return None if reference is None or reference.hidden else reference.key


def _folder_id(kind: str, shape: _Shape, context: Mapping[str, str]) -> str | None:
    if kind == "folder":
        above = shape.parent_folder
        return above.key if isinstance(above, Reference) else identifier(above)
    return None if kind == "space" else _id_of(shape.folder) or context.get("folder_id") or None


def merged(known: Place | None, new: Place) -> Place:
    """Return what two answers say of the same place; the newer wins where both say something."""
    if known is None:
        return new
    return replace(
        new,
        shape=msgspec.structs.replace(known.shape, **_said(new.shape)),
        archived=known.archived if new.archived is None else new.archived,
        buried=known.buried or new.buried,
        shared=known.shared and new.shared,
        space_id=new.space_id or known.space_id,
        folder_id=new.folder_id or known.folder_id,
    )


def _said(shape: _Shape) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(shape).items() if value not in (None, [])}


def _above(place: Place, folders: Known) -> list[Place]:
    """Return the folders that a place lies in, innermost first."""
    found: list[Place] = []
    while place.folder_id and (above := folders.get(place.folder_id)) and above not in found:
        found.append(above)
        place = above
    return found


def _in_archived(place: Place, spaces: Known, folders: Known) -> bool:
    space = spaces.get(place.space_id or "")
    above = [*_above(place, folders), *([space] if space else [])]
    return place.buried or any(one.archived or one.buried for one in above)


def space_of(place: Place) -> records.Space:
    """Return the row of a space."""
    shape = place.shape
    return records.Space(
        id=place.id,
        name=text(shape.name),
        color=text(shape.color),
        private=boolean(shape.private),
        archived=place.archived,
        multiple_assignees=boolean(shape.multiple_assignees),
    )


def folder_of(place: Place, spaces: Known, folders: Known) -> records.Folder:
    """Return the row of a folder."""
    shape = place.shape
    return records.Folder(
        id=place.id,
        name=text(shape.name),
        space_id=place.space_id,
        parent_folder_id=place.folder_id,
        orderindex=real(shape.orderindex),
        archived=place.archived,
        in_archived=_in_archived(place, spaces, folders),
        shared=place.shared,
        override_statuses=boolean(shape.override_statuses),
        task_count=integer(shape.task_count),
    )


def list_of(place: Place, spaces: Known, folders: Known) -> records.List:
    """Return the row of a list."""
    shape = place.shape
    return records.List(
        id=place.id,
        name=text(shape.name),
        space_id=place.space_id,
        folder_id=place.folder_id,
        orderindex=real(shape.orderindex),
        archived=place.archived,
        in_archived=_in_archived(place, spaces, folders),
        shared=place.shared,
        override_statuses=boolean(shape.override_statuses),
        task_count=integer(shape.task_count),
        start_date=timestamp(shape.start_date),
        due_date=timestamp(shape.due_date),
        permission_level=text(shape.permission_level),
    )


def _statuses(list_id: str, shapes: list[_Status]) -> Iterator[records.Status]:
    seen: set[str] = set()
    for shape in shapes:
        name = text(shape.status)
        if name is None or name in seen:
            continue
        seen.add(name)
        yield records.Status(
            list_id=list_id,
            status=name,
            type=text(shape.type),
            orderindex=integer(shape.orderindex),
            color=text(shape.color),
            status_id=identifier(shape.id),
        )
