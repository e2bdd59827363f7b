"""Task details to rows: checklists with their items, and what is known of attachments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import Flag, Number, Text, Time, Whole, mapping, mend, read
from clickup_toolkit.normalise.values import Scalar, identifier, text
from clickup_toolkit.records import Attachment, Checklist, ChecklistItem

__all__ = ["detail_rows", "details_of"]

_KEPT = ("checklists", "attachments")
_NONE = msgspec.Raw(b"[]")


class _Item(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: Text = None
    orderindex: Number = None
    resolved: Flag = None
    assignee: Person | None = None
    parent: str | int | None = None
    date_created: Time = None
    start_date: Time = None
    due_date: Time = None
    children: list[msgspec.Raw] | None = None


class _Checklist(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: Text = None
    orderindex: Number = None
    creator: str | int | Person | None = None
    date_created: Time = None
    resolved: Whole = None
    unresolved: Whole = None
    items: list[msgspec.Raw] | None = None


class _Attachment(msgspec.Struct, gc=False):
    id: str | int | None = None
    title: Text = None
    extension: Text = None
    mimetype: Text = None
    size: Whole = None
    version: Scalar = None
    date: Time = None
    user: Person | None = None
    deleted: Flag = None
    url: Text = None


class _Details(msgspec.Struct, gc=False):
    checklists: list[msgspec.Raw] | None = None
    attachments: list[msgspec.Raw] | None = None


def details_of(body: bytes) -> bytes | None:
    """Return of a task from its own route what list pages leave out, as sent; None if it is no task."""
    task = mapping(body)
    if task is None:
        task = mapping(mend(body))
    return None if task is None else msgspec.json.encode({key: task.get(key, _NONE) for key in _KEPT})


def detail_rows(task_id: str, body: bytes, crowd: Crowd) -> Iterator[NamedTuple]:
    """Yield the rows of what :func:`details_of` returned; what makes no sense is left out."""
    shape = read(body, _Details) or _Details()
    for item in shape.checklists or ():
        yield from _checklist_rows(task_id, item, crowd)
    for item in shape.attachments or ():
        row = _attachment_row(task_id, item, crowd)
        if row:
            yield row


def _checklist_rows(task_id: str, body: msgspec.Raw, crowd: Crowd) -> Iterator[NamedTuple]:
    shape = read(body, _Checklist)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return
    creator = shape.creator
    yield Checklist(
        id=key,
        task_id=task_id,
        name=text(shape.name),
        orderindex=shape.orderindex,
        creator_id=crowd.meet(creator) if isinstance(creator, Person) else identifier(creator),
        date_created=shape.date_created,
        resolved=shape.resolved,
        unresolved=shape.unresolved,
    )
    yield from _item_rows(_Where(task_id, key), shape.items or (), crowd)


class _Where(NamedTuple):
    task_id: str
    checklist_id: str
    parent_id: str | None = None


def _item_rows(where: _Where, bodies: Sequence[msgspec.Raw], crowd: Crowd) -> Iterator[ChecklistItem]:
    """Yield the rows of items and of those below them, which ClickUp sends as items or as bare ids."""
    for body in bodies:
        shape = read(body, _Item)
        key = identifier(shape.id) if shape else None
        if shape is None or key is None:
            continue
        yield ChecklistItem(
            id=key,
            checklist_id=where.checklist_id,
            task_id=where.task_id,
            parent_id=identifier(shape.parent) or where.parent_id,
            name=text(shape.name),
            orderindex=shape.orderindex,
            resolved=shape.resolved,
            assignee_id=crowd.meet(shape.assignee),
            date_created=shape.date_created,
            start_date=shape.start_date,
            due_date=shape.due_date,
        )
        yield from _item_rows(where._replace(parent_id=key), shape.children or (), crowd)


def _attachment_row(task_id: str, body: msgspec.Raw, crowd: Crowd) -> Attachment | None:
    shape = read(body, _Attachment)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return None
    return Attachment(
        id=key,
        task_id=task_id,
        title=text(shape.title),
        extension=text(shape.extension),
        mimetype=text(shape.mimetype),
        size=shape.size,
        version=text(shape.version),
        date=shape.date,
        member_id=crowd.meet(shape.user),
        deleted=shape.deleted,
        url=text(shape.url),
    )
