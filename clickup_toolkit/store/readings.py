"""What earlier crawls knew: what need not be asked again, and what a crawl holds its answers against.

Comments, task details and pages of docs cost a request each, so they are asked for only where their
owner's ``date_updated`` differs from what it was at the last reading. Nothing says whether ClickUp changes
it with every comment: a full crawl also asks where the last reading is older than a setting.

Archived tasks are remembered with their lists, so that a route that does not show them any more is noticed.
For a full crawl all tasks are, so that it asks for those it met nowhere before they count as deleted. And so
is the tracked time of tasks that were asked for everybody's, so that it is asked for again when it shrinks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clickup_toolkit.store.damage import read_errors

__all__ = ["Readings"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS known_readings (
    what TEXT, id TEXT, updated INTEGER NOT NULL, PRIMARY KEY (what, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known_archived (id TEXT PRIMARY KEY, list_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known_tasks (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known_left (id TEXT PRIMARY KEY, time_spent INTEGER NOT NULL) WITHOUT ROWID;
"""
_MS = "CAST(round((julianday({}) - 2440587.5) * 86400000) AS INTEGER)"
_KNOW = f"""
INSERT INTO known_readings SELECT what, id, {_MS.format("updated")} FROM previous.readings
WHERE updated IS NOT NULL AND {_MS.format("received")} >= ?
"""  # noqa: S608  # our own text
_KNOW_ARCHIVED = "INSERT INTO known_archived SELECT id, list_id FROM previous.tasks WHERE archived"
_KNOW_TASKS = """
INSERT INTO known_tasks SELECT id FROM previous.tasks UNION SELECT id FROM previous.missing_tasks
"""
_KNOW_LEFT = """
INSERT INTO known_left SELECT id, coalesce(time_spent_ms, 0) FROM previous.tasks
WHERE id IN (SELECT task_id FROM previous.time_entries WHERE route = 'task'
    OR member_id IN (SELECT id FROM previous.members WHERE state = 'left'))
"""
_OVERTOLD = """
SELECT tasks.id FROM known_left AS known JOIN tasks ON tasks.id = known.id
JOIN entries ON entries.task_id = tasks.id
WHERE tasks.time_spent < known.time_spent GROUP BY tasks.id HAVING sum(duration) > tasks.time_spent
"""
_UNREAD = """
FROM tasks WHERE id > ? AND NOT EXISTS (SELECT 1 FROM known_readings AS known
    WHERE known.what = ? AND known.id = tasks.id AND known.updated = tasks.updated)
"""


class Readings:
    """The readings of earlier crawls that still hold, in the database ``db`` of the journal ``path``."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        db.executescript(SCHEMA)

    def know(self, since: int, *, everything: bool) -> None:
        """Take over the readings since ``since`` (ms) from the attached database ``previous``.

        A crawl that reads ``everything`` is to miss what it does not meet any more.
        """
        if self._db.execute("SELECT 1 FROM previous.sqlite_master WHERE name = 'readings'").fetchone():
            self._db.execute(_KNOW, (since,))
        self._db.execute(_KNOW_ARCHIVED)
        self._db.execute(_KNOW_LEFT)
        if everything:
            self._db.execute(_KNOW_TASKS)

    def forget(self) -> None:
        """Know of no reading any more."""
        for table in ("known_readings", "known_archived", "known_tasks", "known_left"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names

    def holds(self, what: str, id: str, updated: int | None) -> bool:  # noqa: A002
        """Tell whether ``what`` of ``id``, which was changed at ``updated`` (ms), was read since."""
        question = "SELECT 1 FROM known_readings WHERE what = ? AND id = ? AND updated = ?"
        return bool(self._read(question, (what, id, updated)))

    def unread(self, what: str, after: str, most: int) -> list[str]:
        """Return up to ``most`` ids of noted tasks behind ``after`` whose ``what`` is due, in order."""
        rows = self._read(f"SELECT id {_UNREAD} ORDER BY id LIMIT ?", (after, what, most))  # our own text
        return [row[0] for row in rows]

    def count_unread(self, what: str) -> int:
        """Return of how many noted tasks ``what`` is to be read."""
        return int(self._read(f"SELECT count(*) {_UNREAD}", ("", what))[0][0])

    def overtold_tasks(self) -> list[str]:
        """Return tasks of which ClickUp counts less time than before, and less than is remembered."""
        return [row[0] for row in self._read(_OVERTOLD, ())]

    def lost_archived(self) -> dict[str, int]:
        """Return how many archived tasks of the export before were not noted, by their home list."""
        question = (
            "SELECT list_id, count(*) FROM known_archived AS known WHERE list_id IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = known.id) GROUP BY list_id"
        )
        return dict(self._read(question, ()))

    def lost_tasks(self, after: str, most: int) -> list[str]:
        """Return up to ``most`` ids behind ``after`` of known tasks that were not noted, in order."""
        question = (
            "SELECT id FROM known_tasks WHERE id > ? AND id NOT IN (SELECT id FROM tasks) ORDER BY id LIMIT ?"
        )
        return [row[0] for row in self._read(question, (after, most))]

    def _read(self, question: str, values: Sequence[object]) -> list[Any]:
        with read_errors(self._path):
            return self._db.execute(question, values).fetchall()
