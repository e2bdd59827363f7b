"""The optional streams in the database: comments, task details, goals, docs.

What is read thing by thing (comments and details by task, pages by doc) is asked for again only when its
owner changed; else what earlier exports read is carried over. A stream that is switched off is taken out of
the next database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from clickup_toolkit.normalise.comments import comment_rows
from clickup_toolkit.normalise.details import detail_rows
from clickup_toolkit.normalise.docs import doc_row, page_rows
from clickup_toolkit.normalise.goals import folder_name, goal_rows
from clickup_toolkit.normalise.members import Crowd
from clickup_toolkit.normalise.structure import RawItem
from clickup_toolkit.records import RAW, Gap
from clickup_toolkit.store import extras_raw
from clickup_toolkit.store.opening import Build
from clickup_toolkit.store.rows import execute_many, insert
from clickup_toolkit.store.schema import run

__all__ = ["add_extras"]

_MANY = 500
_KEEP = (f"INSERT INTO main.{RAW.name}", "(?, ?, ?, CAST(? AS TEXT))")
_LATEST_STAYS = "ON CONFLICT (kind, id) DO UPDATE SET received = excluded.received, body = excluded.body"
_EARLIER_STAYS = "ON CONFLICT (kind, id) DO NOTHING"


class _Stream(NamedTuple):
    """An optional stream: the kinds of its raw objects and its tables."""

    kinds: tuple[str, ...]
    tables: tuple[str, ...]


_STREAMS = {
    "comments": _Stream(("comments",), ("comments",)),
    "task_details": _Stream(("task_details",), ("checklists", "checklist_items", "attachments")),
    "goals": _Stream(("goal", "goal_folder"), ("goals", "key_results")),
    "docs": _Stream(("doc", "doc_pages"), ("docs", "doc_pages")),
}


class _ByOwner(NamedTuple):
    """What is read thing by thing.

    ``what`` is the kind of its raw objects and the name of its readings and gaps; ``column`` names its owner
    in ``tables``, and ``owners`` is the table of those.
    """

    what: str
    owners: str
    column: str
    tables: tuple[str, ...]
    find: Callable[[Build], Iterator[RawItem | Gap]]
    rows: Callable[[str, bytes, Crowd], Iterator[NamedTuple]]


_COMMENTS = _ByOwner("comments", "tasks", "task_id", ("comments",), extras_raw.comments, comment_rows)
_DETAILS = _ByOwner(
    "task_details",
    "tasks",
    "task_id",
    _STREAMS["task_details"].tables,
    extras_raw.task_details,
    detail_rows,
)
_PAGES = _ByOwner("doc_pages", "docs", "doc_id", ("doc_pages",), extras_raw.doc_pages, page_rows)


def add_extras(build: Build) -> list[Gap]:
    """Add the optional streams that the crawl read; return what was not understood.

    The tasks' rows are there already.
    """
    streams, extras = build.journal.streams, _Extras(build)
    for name in _STREAMS.keys() - streams:
        _forget(build, _STREAMS[name])
    if "comments" in streams:
        extras.take(_COMMENTS)
    if "task_details" in streams:
        extras.take(_DETAILS)
    if "goals" in streams:
        extras.take_goals()
    if "docs" in streams:
        extras.take_docs()
        extras.take(_PAGES)
    if streams:
        extras.write_left_members()
    return list({gap[:3]: gap for gap in extras.gaps}.values())


def _forget(build: Build, stream: _Stream) -> None:
    for kind in stream.kinds:
        build.db.execute("DELETE FROM main.raw WHERE kind = ?", (kind,))
        build.db.execute("DELETE FROM main.readings WHERE what = ?", (kind,))
    for table in stream.tables:
        build.db.execute(f"DELETE FROM main.{table}")  # noqa: S608  # our own names


class _Extras:
    def __init__(self, build: Build) -> None:
        self.gaps: list[Gap] = []
        self._build = build
        self._db = build.db
        self._unread = [(gap.what, gap.id) for gap in build.journal.gaps()]
        self._crowd = Crowd(key for (key,) in build.db.execute("SELECT id FROM main.members"))

    def take(self, by: _ByOwner) -> None:
        """Take what this crawl read, and keep of the rest what earlier ones did."""
        names = {"what": by.what, "owners": by.owners}
        if self._build.whole:
            run(self._db, _CARRY.format(**names))
        self._db.execute(_FRESH.format(**names))
        broken_off = {key for what, key in self._unread if what == by.what}
        for batch in self._found(by.find(self._build)):
            whole = [item for item in batch if item.id not in broken_off]
            partly = [item for item in batch if item.id in broken_off]
            execute_many(self._db, *_KEEP, whole, _LATEST_STAYS)
            execute_many(self._db, *_KEEP, partly, _EARLIER_STAYS)
            marks = [(item.id, None if item.id in broken_off else item.received) for item in batch]
            self._db.executemany(f"INSERT OR REPLACE INTO fresh_{by.what} VALUES (?, ?)", marks)  # noqa: S608
        self._db.execute(_NOTE.format(**names))
        self._write_rows(by)

    def _write_rows(self, by: _ByOwner) -> None:
        fresh = f"IN (SELECT id FROM fresh_{by.what})"  # noqa: S608  # our own names
        which = "1" if self._build.whole else f"id {fresh}"
        if not self._build.whole:
            for table in by.tables:
                self._db.execute(f"DELETE FROM main.{table} WHERE {by.column} {fresh}")  # noqa: S608
        bodies = self._db.execute(
            f"SELECT id, CAST(body AS BLOB) FROM main.raw WHERE kind = ? AND {which} ORDER BY id",  # noqa: S608
            (by.what,),
        )
        while batch := bodies.fetchmany(_MANY):
            insert(self._db, (row for key, body in batch for row in by.rows(key, body, self._crowd)))

    def take_goals(self) -> None:
        """Take the goals, all of which every crawl reads."""
        _forget(self._build, _STREAMS["goals"])
        self._keep_all(extras_raw.goals(self._build))
        if any(gap == ("goals", self._build.journal.team_id) for gap in self._unread):
            run(self._db, _GOALS_AS_BEFORE)
        folders = {key: folder_name(body) for key, body in self._bodies("goal_folder")}
        for _, body in self._bodies("goal"):
            insert(self._db, goal_rows(body, folders, self._crowd))

    def take_docs(self) -> None:
        """Take the list of docs, which every crawl reads whole; the pages of those that vanished go too."""
        self._db.execute("DELETE FROM main.raw WHERE kind = 'doc'")
        self._db.execute("DELETE FROM main.docs")
        self._keep_all(extras_raw.docs(self._build))
        if any(what == "docs" for what, _ in self._unread):
            self._db.execute(_DOCS_AS_BEFORE)
        rows = (doc_row(body, self._crowd) for _, body in self._bodies("doc"))
        insert(self._db, (row for row in rows if row))
        run(self._db, _DROP_VANISHED)

    def _bodies(self, kind: str) -> list[tuple[str, bytes]]:
        return self._db.execute(
            "SELECT id, CAST(body AS BLOB) FROM main.raw WHERE kind = ? ORDER BY id", (kind,)
        ).fetchall()

    def _keep_all(self, found: Iterable[RawItem | Gap]) -> None:
        for batch in self._found(found):
            execute_many(self._db, *_KEEP, batch, _LATEST_STAYS)

    def _found(self, found: Iterable[RawItem | Gap]) -> Iterator[list[RawItem]]:
        """Yield the objects in batches, and note the gaps."""
        rest = iter(found)
        while batch := list(islice(rest, _MANY)):
            self.gaps += [item for item in batch if isinstance(item, Gap)]
            yield [item for item in batch if isinstance(item, RawItem)]

    def write_left_members(self) -> None:
        """Add the people who left and are met only here."""
        insert(self._db, self._crowd.left(), "INSERT OR IGNORE")
        if not self._build.whole:
            self._db.execute(_LEFT_BEFORE)


_CARRY = """
INSERT OR IGNORE INTO main.raw SELECT * FROM before_raw
    WHERE kind = '{what}' AND id IN (SELECT id FROM main.{owners});
INSERT OR IGNORE INTO main.readings SELECT * FROM before_readings
    WHERE what = '{what}' AND id IN (SELECT id FROM main.{owners})
"""
_FRESH = "CREATE TEMP TABLE fresh_{what} (id TEXT PRIMARY KEY, received TEXT) WITHOUT ROWID"

# What broke off on its way is asked for again: it is no reading.
_NOTE = """
INSERT OR REPLACE INTO main.readings SELECT '{what}', fresh.id, fresh.received, owner.date_updated
    FROM fresh_{what} AS fresh JOIN main.{owners} AS owner ON owner.id = fresh.id
    WHERE fresh.received IS NOT NULL
"""
_GOALS_AS_BEFORE = """
INSERT OR IGNORE INTO main.raw SELECT * FROM before_raw WHERE kind IN ('goal', 'goal_folder')
"""
_DOCS_AS_BEFORE = "INSERT OR IGNORE INTO main.raw SELECT * FROM before_raw WHERE kind = 'doc'"
_DROP_VANISHED = """
DELETE FROM main.raw WHERE kind = 'doc_pages' AND id NOT IN (SELECT id FROM main.docs);
DELETE FROM main.readings WHERE what = 'doc_pages' AND id NOT IN (SELECT id FROM main.docs);
DELETE FROM main.doc_pages WHERE doc_id NOT IN (SELECT id FROM main.docs)
"""
_LEFT_BEFORE = """
INSERT OR IGNORE INTO main.members (id, username, email, initials, color, state)
    SELECT id, username, email, initials, color, 'left' FROM before_members WHERE id IN (
        SELECT member_id FROM main.comments UNION SELECT assignee_id FROM main.comments
        UNION SELECT assigned_by_id FROM main.comments UNION SELECT member_id FROM main.attachments
        UNION SELECT assignee_id FROM main.checklist_items)
"""
