"""Docs to rows: docs with their pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import Flag, Text, Time, Whole, mend, read
from clickup_toolkit.normalise.values import identifier, text
from clickup_toolkit.records import Doc, DocPage

__all__ = ["doc_row", "page_rows", "pages_of"]

Somebody = str | int | Person | None


class _Parent(msgspec.Struct, gc=False):
    id: str | int | None = None
    type: Whole = None


class _Doc(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: Text = None
    parent: _Parent | None = None
    creator: Somebody = None
    public: Flag = None
    archived: Flag = None
    deleted: Flag = None
    date_created: Time = None
    date_updated: Time = None


class _Page(msgspec.Struct, gc=False):
    id: str | int | None = None
    name: Text = None
    content: Text = None
    creator_id: Somebody = None
    archived: Flag = None
    date_created: Time = None
    date_updated: Time = None
    pages: list[msgspec.Raw] | None = None


def doc_row(body: bytes | msgspec.Raw, crowd: Crowd) -> Doc | None:
    """Return the row of a doc; None if it is none."""
    shape = read(body, _Doc)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return None
    parent = shape.parent or _Parent()
    return Doc(
        id=key,
        name=text(shape.name),
        parent_id=identifier(parent.id),
        parent_type=parent.type,
        creator_id=_id_of(shape.creator, crowd),
        public=shape.public,
        archived=shape.archived,
        deleted=shape.deleted,
        date_created=shape.date_created,
        date_updated=shape.date_updated,
    )


def pages_of(body: bytes) -> bytes | None:
    """Return the pages of a doc as sent, a JSON array; None if they are none."""
    for sent in (body, mend(body)):
        try:
            msgspec.json.decode(sent, type=list[msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        return sent
    return None


def page_rows(doc_id: str, body: bytes, crowd: Crowd) -> Iterator[DocPage]:
    """Yield the rows of a doc's pages in reading order: each page before those below it."""
    pages = msgspec.json.decode(body, type=list[msgspec.Raw])
    for position, row in enumerate(_page_rows(doc_id, None, pages, crowd)):
        yield row._replace(position=position)


def _page_rows(
    doc_id: str, parent: str | None, bodies: Sequence[msgspec.Raw], crowd: Crowd
) -> Iterator[DocPage]:
    for body in bodies:
        shape = read(body, _Page)
        key = identifier(shape.id) if shape else None
        if shape is None or key is None:
            continue
        yield DocPage(
            id=key,
            doc_id=doc_id,
            parent_page_id=parent,
            name=text(shape.name),
            content=text(shape.content),
            creator_id=_id_of(shape.creator_id, crowd),
            archived=shape.archived,
            date_created=shape.date_created,
            date_updated=shape.date_updated,
        )
        yield from _page_rows(doc_id, key, shape.pages or (), crowd)


def _id_of(somebody: Somebody, crowd: Crowd) -> str | None:
    return crowd.meet(somebody) if isinstance(somebody, Person) else identifier(somebody)
