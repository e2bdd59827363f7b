"""The optional streams in the JSON document: of each task its comments and details, then goals and docs.

Where a stream is off, nothing of it is in the document, not even its key. What was to be read and could not
be is null, and a gap says why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

__all__ = ["TaskExtras", "as_of", "head"]

_BODY = "SELECT CAST(body AS BLOB) FROM raw WHERE kind = ? AND id = ?"
_ALL = "SELECT id, CAST(body AS BLOB) FROM raw WHERE kind = ? ORDER BY id"
_KEYS = {"comments": b"comments", "task_details": b"details"}
"""The keys of a task by stream."""


def _streams(db: sqlite3.Connection) -> set[str]:
    """Return the streams that the export of this database read."""
    row = db.execute("SELECT streams FROM exports ORDER BY version DESC LIMIT 1").fetchone()
    return set(((row and row[0]) or "").split())


def as_of(db: sqlite3.Connection, started: object) -> dict[str, object]:
    """Return as of when the streams hold: those read thing by thing as of the oldest reading."""
    streams = _streams(db)
    oldest = dict(db.execute("SELECT what, min(received) FROM readings GROUP BY what"))
    found: dict[str, object] = {name: oldest.get(name) for name in _KEYS if name in streams}
    if "goals" in streams:
        found["goals"] = started
    if "docs" in streams:
        found |= {"docs": started, "doc_pages": oldest.get("doc_pages")}
    return found


def head(db: sqlite3.Connection) -> dict[str, Iterator[msgspec.Raw]]:
    """Return what stands beside the tasks."""
    streams, found = _streams(db), dict[str, Iterator[msgspec.Raw]]()
    if "goals" in streams:
        found["goals"] = (msgspec.Raw(body) for _, body in db.execute(_ALL, ("goal",)))
    if "docs" in streams:
        found["docs"] = _docs(db)
    return found


def _docs(db: sqlite3.Connection) -> Iterator[msgspec.Raw]:
    for key, body in db.execute(_ALL, ("doc",)):
        yield msgspec.Raw(b'%b,"pages":%b}' % (body[:-1], _body(db, "doc_pages", key)))


def _body(db: sqlite3.Connection, kind: str, key: str) -> bytes:
    row = db.execute(_BODY, (kind, key)).fetchone()
    return row[0] if row else b"null"


class TaskExtras:
    """Gives what stands on a task, as text to be added before its closing brace."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        streams = _streams(db)
        self._keys = [(kind, key) for kind, key in _KEYS.items() if kind in streams]

    def of(self, task_id: str) -> bytes:
        """Return the comments and the details of a task; nothing where both are off."""
        return b"".join(b',"%b":%b' % (key, _body(self._db, kind, task_id)) for kind, key in self._keys)
