"""Goals to rows: goals with their key results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import Flag, Number, Text, Time, Whole, mapping, read
from clickup_toolkit.normalise.values import Scalar, identifier, text
from clickup_toolkit.records import Goal, KeyResult

__all__ = ["GoalFolder", "goal_key", "goal_rows", "together"]

Somebody = str | int | Person | None


class _Goal(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: Text = None
    pretty_id: Scalar = None
    folder_id: str | int | None = None
    description: Text = None
    color: Text = None
    private: Flag = None
    archived: Flag = None
    creator: Somebody = None
    owners: list[Somebody] | None = None
    percent_completed: Number = None
    key_result_count: Whole = None
    date_created: Time = None
    date_updated: Time = None
    start_date: Time = None
    due_date: Time = None
    key_results: list[msgspec.Raw] | None = None


class _KeyResult(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: Text = None
    type: Text = None
    unit: Text = None
    steps_start: Number = None
    steps_current: Number = None
    steps_end: Number = None
    percent_completed: Number = None
    completed: Flag = None
    creator: Somebody = None
    owners: list[Somebody] | None = None
    task_ids: list[Scalar] | None = None
    subcategory_ids: list[Scalar] | None = None
    date_created: Time = None


class GoalFolder(msgspec.Struct, gc=False):
    """A folder of goals as sent."""

    id: str | int | None = None
    name: Text = None
    goals: list[msgspec.Raw] | None = None


class _Head(msgspec.Struct, gc=False):
    id: str | int | None = None


def goal_key(body: bytes | msgspec.Raw) -> str | None:
    """Return a goal's id; None if it is no goal."""
    head = read(body, _Head)
    return identifier(head.id) if head else None


def together(listed: bytes, alone: bytes | None) -> bytes:
    """Return a goal with the keys of both routes: as the list shows it, and with its key results."""
    own = mapping(alone or b"{}") or {}
    results = {key: own[key] for key in ("key_results",) if key in own}
    return msgspec.json.encode({**own, **(mapping(listed) or {}), **results})


def goal_rows(body: bytes, folders: Mapping[str, str | None], crowd: Crowd) -> Iterator[NamedTuple]:
    """Yield the rows of a goal and its key results; ``folders`` are the names of folders by id."""
    shape = read(body, _Goal)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return
    folder = identifier(shape.folder_id)
    yield Goal(
        id=key,
        name=text(shape.name),
        number=text(shape.pretty_id),
        folder_id=folder,
        folder_name=folders.get(folder) if folder else None,
        description=text(shape.description),
        color=text(shape.color),
        private=shape.private,
        archived=shape.archived,
        creator_id=_id_of(shape.creator, crowd),
        owners=_ids_of(shape.owners, crowd),
        percent_completed=shape.percent_completed,
        key_results=shape.key_result_count,
        date_created=shape.date_created,
        date_updated=shape.date_updated,
        start_date=shape.start_date,
        due_date=shape.due_date,
    )
    for item in shape.key_results or ():
        row = _key_result_row(key, item, crowd)
        if row:
            yield row


def _key_result_row(goal_id: str, body: msgspec.Raw, crowd: Crowd) -> KeyResult | None:
    shape = read(body, _KeyResult)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return None
    return KeyResult(
        id=key,
        goal_id=goal_id,
        name=text(shape.name),
        type=text(shape.type),
        unit=text(shape.unit),
        steps_start=shape.steps_start,
        steps_current=shape.steps_current,
        steps_end=shape.steps_end,
        percent_completed=shape.percent_completed,
        completed=shape.completed,
        creator_id=_id_of(shape.creator, crowd),
        owners=_ids_of(shape.owners, crowd),
        task_ids=_array(shape.task_ids),
        list_ids=_array(shape.subcategory_ids),
        date_created=shape.date_created,
    )


def _id_of(somebody: Somebody, crowd: Crowd) -> str | None:
    return crowd.meet(somebody) if isinstance(somebody, Person) else identifier(somebody)


def _ids_of(people: list[Somebody] | None, crowd: Crowd) -> str | None:
    return _array([_id_of(somebody, crowd) for somebody in people or ()])


def _array(ids: list[Scalar] | list[str | None] | None) -> str | None:
    known = [key for key in map(identifier, ids or ()) if key]
    return msgspec.json.encode(known).decode() if known else None


def folder_name(body: bytes) -> str | None:
    """Return the name of a folder of goals."""
    folder = read(body, GoalFolder)
    return text(folder.name) if folder else None
