"""Comments to rows: those of a task with the replies to them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import Flag, Text, Time, Whole, mapping, read
from clickup_toolkit.normalise.values import identifier, text
from clickup_toolkit.records import Comment

__all__ = ["comment_key", "comment_rows", "with_replies"]


class _Head(msgspec.Struct, gc=False):
    id: str | int | None = None


class _Comment(_Head, gc=False):
    comment_text: Text = None
    user: Person | None = None
    resolved: Flag = None
    assignee: Person | None = None
    assigned_by: Person | None = None
    date: Time = None
    reply_count: Whole = None
    replies: list[msgspec.Raw] | None = None


def comment_key(body: bytes | msgspec.Raw) -> str | None:
    """Return a comment's id; None if it is no comment."""
    head = read(body, _Head)
    return identifier(head.id) if head else None


def with_replies(body: bytes, replies: bytes) -> bytes:
    """Return a comment as sent, with the JSON array of the replies to it under ``replies``."""
    if b'"replies"' not in body and body.startswith(b"{") and len(body) > len(b"{}"):
        return b'%b,"replies":%b}' % (body[:-1], replies)
    return msgspec.json.encode({**(mapping(body) or {}), "replies": msgspec.Raw(replies)})


def comment_rows(task_id: str, body: bytes, crowd: Crowd) -> Iterator[Comment]:
    """Yield the rows of a task's comments, a JSON array, each followed by the replies to it."""
    for item in msgspec.json.decode(body, type=list[msgspec.Raw]):
        yield from _rows(task_id, None, item, crowd)


def _rows(task_id: str, parent: str | None, body: msgspec.Raw, crowd: Crowd) -> Iterator[Comment]:
    shape = read(body, _Comment)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return
    yield Comment(
        id=key,
        task_id=task_id,
        parent_id=parent,
        member_id=crowd.meet(shape.user),
        date=shape.date,
        text=text(shape.comment_text),
        resolved=shape.resolved,
        assignee_id=crowd.meet(shape.assignee),
        assigned_by_id=crowd.meet(shape.assigned_by),
        replies=shape.reply_count,
    )
    for reply in shape.replies or ():
        yield from _rows(task_id, key, reply, crowd)
