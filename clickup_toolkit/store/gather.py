"""From the journal into the ``raw`` table: of every object the latest that ClickUp sent.

Pages come in the order in which they arrived, and the same task may stand on several. Deciding by key in
SQLite which one stays keeps memory flat however many tasks there are. What arrived is noted in temporary
tables: ``touched`` (tasks), ``touched_entries``, ``sighted`` (tasks seen in lists beside their home).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec

from clickup_toolkit.client import Answer
from clickup_toolkit.normalise.shapes import Reference, Text, items, mapping, mend, not_understood, read
from clickup_toolkit.normalise.structure import STREAMS, RawItem, Structure
from clickup_toolkit.normalise.times import Interval, intervals
from clickup_toolkit.normalise.values import instant_text, integer
from clickup_toolkit.records import RAW, Gap
from clickup_toolkit.store.opening import Build
from clickup_toolkit.store.rows import execute_many, insert
from clickup_toolkit.store.schema import INSTANT, run

__all__ = ["STRUCTURE_KINDS", "STRUCTURE_TABLES", "gather", "note_nothing"]

T = TypeVar("T")

STRUCTURE_TABLES = (
    "workspaces",
    "spaces",
    "folders",
    "lists",
    "statuses",
    "members",
    "tags",
    "task_types",
    "custom_fields",
)
"""Tables that every crawl reads whole."""

STRUCTURE_KINDS = ("space", "folder", "list", "member", "tag", "task_type", "custom_field")
"""The kinds of raw objects behind them."""

_NOTES = """
CREATE TEMP TABLE touched (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE touched_entries (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE sighted (task_id TEXT, list_id TEXT, PRIMARY KEY (task_id, list_id)) WITHOUT ROWID;
CREATE TEMP TABLE asked_tasks (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_KEEP = (f"INSERT INTO main.{RAW.name}", "(?, ?, ?, CAST(? AS TEXT))")
_LATEST_STAYS = "ON CONFLICT (kind, id) DO UPDATE SET received = excluded.received, body = excluded.body"
_MANY = 1000

# Fields that only lists or tasks show are defined when the tasks are there.
_KEEP_UNASKED = f"""
INSERT OR IGNORE INTO main.spaces SELECT * FROM before_spaces;
INSERT OR IGNORE INTO main.folders SELECT * FROM before_folders;
WITH RECURSIVE buried (id) AS (
    SELECT id FROM main.folders WHERE archived OR in_archived
    UNION SELECT below.id FROM main.folders AS below JOIN buried ON below.parent_folder_id = buried.id)
UPDATE main.folders SET in_archived = 1 WHERE parent_folder_id IN (SELECT id FROM buried);
UPDATE main.lists SET in_archived = 1
    WHERE folder_id IN (SELECT id FROM main.folders WHERE archived OR in_archived);
INSERT INTO main.statuses SELECT * FROM before_statuses
    WHERE list_id NOT IN (SELECT id FROM main.lists);
INSERT OR IGNORE INTO main.lists SELECT * FROM before_lists;
INSERT INTO main.tags SELECT * FROM before_tags WHERE space_id NOT IN (SELECT space_id FROM main.tags);
INSERT OR IGNORE INTO main.custom_fields SELECT * FROM before_custom_fields
    WHERE scope NOT IN ('list', 'task');
INSERT OR IGNORE INTO main.members SELECT * FROM before_members WHERE state = 'left';
INSERT OR IGNORE INTO main.raw SELECT * FROM before_raw
    WHERE kind IN ({", ".join(f"'{kind}'" for kind in STRUCTURE_KINDS)});
"""  # noqa: S608  # our own names


class _Window(NamedTuple):
    """A question for time entries: of whom, and from when to when (ms)."""

    members: list[str]
    start: int
    end: int


class _TaskHead(msgspec.Struct, gc=False):
    id: Text = None
    home: Reference | None = msgspec.field(default=None, name="list")


_PLAIN_ID = re.compile(rb'\{"id":"([\w-]+)"')


def _id_of(body: bytes) -> str | None:
    """Return the id of an object; ClickUp puts it first, so the rest need not be decoded for it."""
    match = _PLAIN_ID.match(body)
    if match:
        return match[1].decode()
    head = read(body, _TaskHead)
    return head.id or None if head else None


def gather(build: Build) -> list[Gap]:
    """Fill the structure's tables and ``raw`` from the journal; return what was not understood."""
    note_nothing(build)
    found = _Gatherer(build)
    found.take_structure()
    found.keep(found.tasks())
    found.keep(found.times_in_status())
    found.keep(found.time_entries())
    found.keep(found.legacy_times())
    found.drop_vanished_entries()
    return found.gaps


def note_nothing(build: Build) -> None:
    """Begin the notes of what arrived."""
    run(build.db, _NOTES)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch


class _Gatherer:
    def __init__(self, build: Build) -> None:
        self.gaps: list[Gap] = []
        self._build = build
        self._db: sqlite3.Connection = build.db
        self._windows: list[_Window] = []
        self._sighted: list[tuple[str, str]] = []

    def keep(self, found: Iterable[RawItem]) -> None:
        """Write objects to ``raw`` and note what they touch."""
        for batch in _batches(found, _MANY):
            execute_many(self._db, *_KEEP, batch, _LATEST_STAYS)
            if self._build.incremental:
                self._note(batch)
            self._db.executemany("INSERT OR IGNORE INTO sighted VALUES (?, ?)", self._sighted)
            self._sighted.clear()

    def _note(self, batch: list[RawItem]) -> None:
        tasks = [(item.id,) for item in batch if item.kind in ("task", "time_in_status")]
        entries = [(item.id,) for item in batch if item.kind in ("time_entry", "legacy_time")]
        self._db.executemany("INSERT OR IGNORE INTO touched VALUES (?)", tasks)
        self._db.executemany("INSERT OR IGNORE INTO touched_entries VALUES (?)", entries)

    def take_structure(self) -> None:
        """Read the structure, which replaces that of the previous export.

        An incremental crawl reads open places only; what it did not ask for stays as it was.
        """
        structure = Structure(self._build.journal.team_id)
        for answer in self._build.journal.answers(*STREAMS):
            structure.add(answer)
        for table in STRUCTURE_TABLES:
            self._db.execute(f'DELETE FROM main."{table}"')  # noqa: S608  # our own names
        self._db.executemany("DELETE FROM main.raw WHERE kind = ?", [(kind,) for kind in STRUCTURE_KINDS])
        rows = list(structure.rows())
        self.gaps += [row for row in rows if isinstance(row, Gap)]
        insert(self._db, (row for row in rows if not isinstance(row, Gap)))
        execute_many(self._db, *_KEEP, list(structure.raw()), _LATEST_STAYS)
        if self._build.incremental:
            run(self._db, _KEEP_UNASKED)

    def tasks(self) -> Iterator[RawItem]:
        """Yield the tasks of all pages."""
        for answer in self._build.journal.answers("shared", "tasks", "task"):
            route_list, received = answer.context.get("list_id"), instant_text(answer.received)
            for body in self._task_bodies(answer):
                sent = bytes(body)
                key = _id_of(sent)
                if key is None:
                    self._note_odd_task(answer, sent)
                    continue
                if route_list:
                    self._note_sight(key, sent, route_list)
                yield RawItem("task", key, received, sent)

    def _note_sight(self, key: str, body: bytes, list_id: str) -> None:
        """Note that a task stands in a list that is not its home."""
        head = read(body, _TaskHead)
        if head is None or head.home is None or head.home.key != list_id:
            self._sighted.append((key, list_id))

    def _task_bodies(self, answer: Answer) -> Iterable[bytes | msgspec.Raw]:
        if answer.stream == "task":
            return [mend(answer.body)]
        body = answer.body
        if answer.stream == "shared":
            body = bytes((mapping(body) or {}).get("shared", b"{}"))
        found = items(body, "tasks")
        if found is None and answer.stream == "tasks":
            self.gaps.append(not_understood("tasks", answer.context.get("list_id", ""), answer.body))
        return found or ()

    def _note_odd_task(self, answer: Answer, body: bytes | msgspec.Raw) -> None:
        if answer.stream == "shared" and not bytes(body).startswith(b"{"):
            return  # the bare id of a task that is asked for by itself
        whose = answer.context.get("list_id") or answer.context.get("task_id") or "the workspace"
        self.gaps.append(not_understood("tasks", f"in {whose}", body))

    def times_in_status(self) -> Iterator[RawItem]:
        """Yield the times in status, each under its task's id."""
        for answer in self._build.journal.answers("time_in_status", "time_in_status_one"):
            received, single = instant_text(answer.received), answer.stream == "time_in_status_one"
            found = mapping(answer.body)
            if found is None:
                found = mapping(mend(answer.body))
            if found is None:
                whose = answer.context.get("task_id", "")
                self.gaps.append(not_understood("time_in_status", whose, answer.body))
            elif single:
                yield RawItem("time_in_status", answer.context["task_id"], received, answer.body)
            else:
                for key, item in found.items():
                    body = bytes(item)
                    if body != b"null":
                        yield RawItem("time_in_status", key, received, body)

    def time_entries(self) -> Iterator[RawItem]:
        """Yield the time entries, and note of whom and when they were asked for."""
        for answer in self._build.journal.answers("time_entries"):
            window = _window(answer.context)
            if window:
                self._windows.append(window)
            found, received = items(answer.body, "data"), instant_text(answer.received)
            whose = answer.context.get("assignees", "")
            if found is None:
                self.gaps.append(not_understood("time_entries", whose, answer.body))
            for item in found or ():
                sent = bytes(item)
                key = _id_of(sent)
                if key is None:
                    self.gaps.append(not_understood("time_entries", f"of {whose}", item))
                else:
                    yield RawItem("time_entry", key, received, sent)

    def legacy_times(self) -> Iterator[RawItem]:
        """Yield the entries that were read task by task; they replace those remembered of these tasks."""
        for answer in self._build.journal.answers("task_time"):
            task_id, received = answer.context["task_id"], instant_text(answer.received)
            self._forget_legacy(task_id)
            for found in intervals(answer.body, task_id):
                if isinstance(found, Interval):
                    yield RawItem("legacy_time", found.id, received, found.body)
                else:
                    self.gaps.append(not_understood("time_entries", f"on {task_id}", found))

    def _forget_legacy(self, task_id: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO asked_tasks VALUES (?)", (task_id,))
        if self._build.incremental:
            self._db.execute("INSERT OR IGNORE INTO touched VALUES (?)", (task_id,))
            self._db.execute(
                "DELETE FROM main.raw WHERE kind = 'legacy_time' AND id IN "
                "(SELECT id FROM before_time_entries WHERE route = 'task' AND task_id = ?)",
                (task_id,),
            )
            self._db.execute("DELETE FROM main.time_entries WHERE route = 'task' AND task_id = ?", (task_id,))

    def _span_gaps(self) -> list[Gap]:
        """Return the gaps of time entries; those of a span of time name it behind a blank."""
        return [gap for gap in self._build.journal.gaps() if gap.what == "time_entries"]

    def drop_vanished_entries(self) -> None:
        """Delete entries that lie inside a span that was read again, and were in no answer."""
        if not self._build.incremental or any(" " in gap.id for gap in self._span_gaps()):
            return  # of a span that was only read in part nobody knows what vanished
        self._db.execute("CREATE TEMP TABLE vanished (id TEXT PRIMARY KEY) WITHOUT ROWID")
        for window in self._windows:
            marks = ", ".join("?" * len(window.members))
            self._db.execute(
                _VANISHED.format(members=marks, instant=INSTANT.format("?")),
                (*window.members, window.start, window.end),
            )
        run(self._db, _DROP_VANISHED)


_VANISHED = """
INSERT OR IGNORE INTO vanished SELECT id FROM before_time_entries
    WHERE route = 'member' AND member_id IN ({members}) AND start > {instant}
    AND coalesce("end", start) < {instant} AND id NOT IN (SELECT id FROM touched_entries)
"""
_DROP_VANISHED = """
INSERT OR IGNORE INTO touched SELECT task_id FROM before_time_entries
    WHERE id IN (SELECT id FROM vanished) AND task_id IS NOT NULL;
DELETE FROM main.raw WHERE kind = 'time_entry' AND id IN (SELECT id FROM vanished);
DELETE FROM main.time_entries WHERE id IN (SELECT id FROM vanished);
"""


def _window(context: dict[str, str]) -> _Window | None:
    start, end = integer(context.get("start")), integer(context.get("end"))
    members = [member for member in context.get("assignees", "").split(",") if member]
    return None if start is None or end is None or not members else _Window(members, start, end)
