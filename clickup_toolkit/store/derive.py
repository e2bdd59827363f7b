"""From the ``raw`` table to rows: time entries first, then tasks with what is summed over them.

A whole build goes through all tasks, another only through the touched ones; the rows come out the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from clickup_toolkit.normalise.enrich import Effort
from clickup_toolkit.normalise.members import Crowd
from clickup_toolkit.normalise.shapes import read
from clickup_toolkit.normalise.tasks import Home, Surroundings, TaskShape, task_rows
from clickup_toolkit.normalise.times import StatusTimes, entry_row, status_rows
from clickup_toolkit.normalise.values import EARLIEST, duration, instant_text, timestamp
from clickup_toolkit.records import Gap
from clickup_toolkit.store.definitions import define_fields
from clickup_toolkit.store.opening import Build
from clickup_toolkit.store.rows import insert
from clickup_toolkit.store.schema import create_indexes, run

__all__ = ["derive_rows", "derives_again"]

_TASK_TABLES = (
    "task_texts",
    "task_assignees",
    "task_watchers",
    "task_tags",
    "task_lists",
    "task_links",
    "task_custom_fields",
    "time_in_status",
)
_MANY = 500


def derive_rows(build: Build) -> list[Gap]:
    """Make the rows of entries, tasks and the people met on them; return what was not understood."""
    crowd = Crowd(key for (key,) in build.db.execute("SELECT id FROM main.members"))
    _write_entries(build, crowd)
    _drop_doubtful(build)
    _touch_moved(build)
    gaps = _write_tasks(build, crowd)
    _write_left_members(build, crowd)
    define_fields(build)
    return gaps


def derives_again(build: Build, gap: Gap) -> bool:
    """Tell whether an earlier gap is one that :func:`derive_rows` finds again, if it is still there."""
    if (gap.what, gap.code) != ("time_in_status", "NOT_UNDERSTOOD"):
        return False
    return build.db.execute("SELECT 1 FROM touched WHERE id = ?", (gap.id,)).fetchone() is not None


def _write_entries(build: Build, crowd: Crowd) -> None:
    if build.incremental and not build.whole:
        build.db.execute(_LEAVE_SAME_ENTRIES)
        build.db.execute(
            "INSERT OR IGNORE INTO touched SELECT task_id FROM before_time_entries "
            "WHERE id IN (SELECT id FROM touched_entries) AND task_id IS NOT NULL"
        )
    for kind, route, verb in (
        ("time_entry", "member", "INSERT OR REPLACE"),
        ("legacy_time", "task", "INSERT OR IGNORE"),
    ):
        which = "1" if build.whole else "id IN (SELECT id FROM touched_entries)"
        bodies = build.db.execute(
            f"SELECT CAST(body AS BLOB) FROM main.raw WHERE kind = ? AND {which}",  # noqa: S608  # our own text
            (kind,),
        )
        while batch := bodies.fetchmany(_MANY):
            rows = (entry_row(body, crowd, route) for (body,) in batch)
            insert(build.db, (row for row in rows if row), verb)
    create_indexes(build.db, "time_entries")
    run(build.db, _SETTLE_ENTRIES)
    if not build.whole:
        build.db.execute(
            "INSERT OR IGNORE INTO touched SELECT task_id FROM main.time_entries "
            "WHERE id IN (SELECT id FROM touched_entries) AND task_id IS NOT NULL"
        )


# A recent span is read again by every export: what came back byte for byte has its row already, which a new
# folder alone could change.
_LEAVE_SAME_ENTRIES = """
DELETE FROM touched_entries WHERE id IN (
    SELECT now.id FROM touched_entries AS seen
    JOIN main.raw AS now ON now.kind = 'time_entry' AND now.id = seen.id
    JOIN before_raw AS was ON was.kind = 'time_entry' AND was.id = seen.id AND was.body = now.body
    JOIN main.time_entries AS entry ON entry.id = seen.id AND entry.route = 'member')
AND NOT EXISTS (SELECT id FROM main.folders EXCEPT SELECT id FROM before_folders)
"""

# What both routes tell is kept once; ClickUp's placeholder folders of folderless lists are no folders.
_SETTLE_ENTRIES = """
DELETE FROM main.time_entries WHERE route = 'task' AND EXISTS (
    SELECT 1 FROM main.time_entries AS known
    WHERE known.task_id = time_entries.task_id AND known.route = 'member'
    AND known.member_id IS time_entries.member_id AND known.start IS time_entries.start
    AND known.duration_ms IS time_entries.duration_ms);
UPDATE main.time_entries SET folder_id = NULL
    WHERE folder_id IS NOT NULL AND folder_id NOT IN (SELECT id FROM main.folders);
"""


_REMEMBERED = """
(route = 'task' OR (member_id NOT IN (SELECT id FROM main.members WHERE state <> 'left')
    AND id IN (SELECT id FROM main.raw WHERE kind = 'time_entry' AND received < :started)))
"""
"""Entries that no crawl asks for by person: of the legacy route, or kept of people who left."""

_DOUBTFUL = f"""
SELECT entry.task_id, SUM(entry.duration_ms), CAST(task.body AS BLOB)
FROM main.time_entries AS entry LEFT JOIN main.raw AS task ON task.kind = 'task' AND task.id = entry.task_id
WHERE entry.task_id IN (SELECT task_id FROM main.time_entries WHERE {_REMEMBERED}
    EXCEPT SELECT id FROM asked_tasks)
AND (task.id IS NULL OR task.received >= :since) GROUP BY entry.task_id
"""  # noqa: S608  # our own text


def _drop_doubtful(build: Build) -> None:
    """Drop remembered entries where ClickUp's own sum has no room for them any more.

    A sum that an earlier crawl was told says nothing of entries that are newer than it.
    """
    started = instant_text(build.journal.started)
    instants = {"started": started, "since": started if build.incremental else instant_text(EARLIEST)}
    for task_id, tracked, body in build.db.execute(_DOUBTFUL, instants).fetchall():
        shape = read(body, TaskShape) if body else None
        if shape is None or (tracked or 0) > (duration(shape.time_spent) or 0):
            build.db.execute("INSERT OR IGNORE INTO touched VALUES (?)", (task_id,))
            build.db.execute(
                f"DELETE FROM main.time_entries WHERE task_id = :task AND {_REMEMBERED}",  # noqa: S608
                {"task": task_id, "started": started},
            )


_HOMES = """
SELECT l.id, l.name, l.folder_id, f.name, l.space_id, s.name,
    max(coalesce(l.archived, 0), l.in_archived)
FROM {0}lists AS l LEFT JOIN {0}folders AS f ON f.id = l.folder_id
LEFT JOIN {0}spaces AS s ON s.id = l.space_id
"""


def _homes(db: sqlite3.Connection, prefix: str = "main.") -> dict[str, Home]:
    rows: Iterator[tuple[str, str | None, str | None, str | None, str | None, str | None, int]] = db.execute(
        _HOMES.format(prefix)
    )
    return {
        key: Home(name, folder, folder_name, space, space_name, bool(archived))
        for key, name, folder, folder_name, space, space_name, archived in rows
    }


def _spaces(db: sqlite3.Connection, prefix: str = "main.") -> dict[str, str | None]:
    return dict(db.execute(f"SELECT id, name FROM {prefix}spaces"))  # noqa: S608  # our own text


def _touch_moved(build: Build) -> None:
    """Touch the tasks whose list, folder or space was renamed, moved or archived."""
    if build.whole:
        return
    for column, before, now in (
        ("list_id", _homes(build.db, "before_"), _homes(build.db)),
        ("space_id", _spaces(build.db, "before_"), _spaces(build.db)),
    ):
        changed = [(key,) for key in before.keys() | now.keys() if before.get(key) != now.get(key)]
        build.db.executemany(
            f"INSERT OR IGNORE INTO touched SELECT id FROM main.tasks WHERE {column} = ?",  # noqa: S608
            changed,
        )


_TASKS = """
SELECT task.id, CAST(task.body AS BLOB), task.received, CAST(times.body AS BLOB), times.received,
    effort.tracked, effort.billable, effort.entries
FROM {source}
LEFT JOIN main.raw AS times ON times.kind = 'time_in_status' AND times.id = task.id
LEFT JOIN temp.effort ON effort.task_id = task.id
{order}
"""
_ALL = ("main.raw AS task", "WHERE task.kind = 'task' ORDER BY task.id")
_TOUCHED = (
    "touched CROSS JOIN main.raw AS task ON task.kind = 'task' AND task.id = touched.id",
    "ORDER BY touched.id",
)
_EFFORT = """
CREATE TEMP TABLE effort (task_id TEXT PRIMARY KEY, tracked INTEGER, billable INTEGER, entries INTEGER)
    WITHOUT ROWID;
INSERT INTO effort SELECT task_id, coalesce(SUM(duration_ms), 0),
    coalesce(SUM(CASE WHEN billable THEN duration_ms END), 0), COUNT(*)
    FROM main.time_entries WHERE task_id IS NOT NULL GROUP BY task_id;
CREATE TEMP TABLE unplaced (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""


def _write_tasks(build: Build, crowd: Crowd) -> list[Gap]:
    db = build.db
    run(db, _EFFORT)
    if not build.whole:
        db.execute("DELETE FROM main.tasks WHERE id IN (SELECT id FROM touched)")
        for table in _TASK_TABLES:
            db.execute(f'DELETE FROM main."{table}" WHERE task_id IN (SELECT id FROM touched)')  # noqa: S608
    source, order = _ALL if build.whole else _TOUCHED
    around = Surroundings(_homes(db), _spaces(db), crowd)
    cursor = db.execute(_TASKS.format(source=source, order=order))
    gaps: list[Gap] = []
    while batch := cursor.fetchmany(_MANY):
        unplaced: list[tuple[str]] = []
        insert(db, _rows_of(batch, around, unplaced, gaps), "INSERT OR IGNORE")
        db.executemany("INSERT OR IGNORE INTO unplaced VALUES (?)", unplaced)
    db.execute(_PLACE_SIGHTED)
    if build.incremental:
        db.execute(_PLACE_AS_BEFORE)
    return gaps


# A task is also in the lists through which it was seen; where ClickUp did not send its lists this time, it
# stays in those that were known before.
_PLACE_SIGHTED = """
INSERT OR IGNORE INTO main.task_lists SELECT task_id, list_id, 0 FROM sighted
    WHERE task_id IN (SELECT id FROM main.tasks)
"""
_PLACE_AS_BEFORE = """
INSERT OR IGNORE INTO main.task_lists SELECT task_id, list_id, 0 FROM before_task_lists
    WHERE NOT home AND task_id IN (SELECT id FROM unplaced) AND list_id IN (SELECT id FROM main.lists)
"""


def _rows_of(
    batch: Iterable[tuple[str, bytes, str, bytes | None, str | None, int | None, int, int]],
    around: Surroundings,
    unplaced: list[tuple[str]],
    gaps: list[Gap],
) -> Iterator[NamedTuple]:
    for task_id, body, received, times, times_received, tracked, billable, entries in batch:
        shape = read(body, TaskShape) or TaskShape()
        if shape.locations is None:
            unplaced.append((task_id,))
        read_at = _instant(received)
        statuses = _NO_TIMES
        if times is not None:
            statuses = status_rows(task_id, times, _instant(times_received or received))
        if statuses.gap:
            gaps.append(statuses.gap)
        effort = _NO_EFFORT if tracked is None else Effort(tracked, billable, entries)
        yield from task_rows(task_id, shape, read_at, statuses.rows, effort, around)


_NO_EFFORT = Effort()
_NO_TIMES = StatusTimes([])


@lru_cache(maxsize=1024)
def _instant(text: str) -> int:
    """Return the ms of an instant of ``raw``; all objects of a page have the same."""
    return timestamp(text) or 0


def _write_left_members(build: Build, crowd: Crowd) -> None:
    insert(build.db, crowd.left(), "INSERT OR IGNORE")
    if build.incremental:
        run(build.db, _LEFT_SINCE)


# Whoever was known before, is no member any more and still stands on something, has left.
_LEFT_SINCE = """
CREATE TEMP TABLE met AS
    SELECT creator_id AS id FROM main.tasks UNION SELECT member_id FROM main.task_assignees
    UNION SELECT member_id FROM main.task_watchers UNION SELECT member_id FROM main.time_entries;
INSERT OR IGNORE INTO main.members (id, username, email, initials, color, state)
    SELECT id, username, email, initials, color, 'left' FROM before_members
    WHERE id IN (SELECT id FROM met);
DELETE FROM main.members WHERE state = 'left' AND id NOT IN (SELECT id FROM met WHERE id IS NOT NULL);
"""
