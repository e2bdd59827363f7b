"""From the database of an earlier release to one of today's format: all rows made anew from the raw JSON.

What raw JSON does not hold is carried over: the places as they were last told, gaps, exports, status changes,
deleted and missing tasks. The version stays what it was; nothing is asked of the API.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickup_toolkit.errors import StorageError
from clickup_toolkit.normalise.values import timestamp
from clickup_toolkit.records import Gap
from clickup_toolkit.store.derive import derive_rows
from clickup_toolkit.store.extras import add_extras
from clickup_toolkit.store.files import UNFINISHED, building, storage_errors
from clickup_toolkit.store.gather import STRUCTURE_TABLES, note_nothing
from clickup_toolkit.store.history import carry_history
from clickup_toolkit.store.journal import Journal
from clickup_toolkit.store.opening import Build, opened, previous_database
from clickup_toolkit.store.reports import stale_days_of
from clickup_toolkit.store.schema import run
from clickup_toolkit.store.views import finish_for_readers

__all__ = ["migrated"]

_LAST = "SELECT * FROM exports ORDER BY version DESC LIMIT 1"
_AS_BEFORE = """
INSERT OR IGNORE INTO main.members SELECT * FROM before_members;
INSERT OR IGNORE INTO main.task_lists SELECT task_id, list_id, home FROM before_task_lists
    WHERE task_id IN (SELECT id FROM main.tasks) AND NOT home;
INSERT INTO main.gaps SELECT * FROM before_gaps;
UPDATE main.exports SET written = NULL WHERE version = (SELECT max(version) FROM main.exports)
"""
_WITHOUT_RAW = """
SELECT (SELECT count(*) FROM tasks WHERE id NOT IN (SELECT id FROM raw WHERE kind = 'task'))
    + (SELECT count(*) FROM time_entries
        WHERE id NOT IN (SELECT id FROM raw WHERE kind IN ('time_entry', 'legacy_time')))
"""
_PLACES = tuple(table for table in STRUCTURE_TABLES if table != "members")
_UNASKED = ("goals", "docs")  # as if they could not be read, so that what there was is kept


@contextmanager
def migrated(previous: Path) -> Iterator[Path]:
    """Give a database made from the older ``previous``; at the end of the block it takes that one's name.

    What reads ``previous`` goes on doing so. Killed at any moment, either is there whole. Raises
    :class:`~clickup_toolkit.errors.StorageError`; then ``previous`` is as it was. The caller holds the
    export's lock.
    """
    with storage_errors(previous), building(previous) as aside:
        with previous_database(previous) as db:
            stale_days = stale_days_of(db)
        with (
            _nothing_read(previous) as journal,
            opened(aside, journal, previous) as build,
        ):
            _fill(build, stale_days)
        yield aside


@contextmanager
def _nothing_read(previous: Path) -> Iterator[Journal]:
    """Give the journal of an incremental crawl behind the last export, which was told nothing.

    What of it a killed process leaves is cleared with what is left of the database itself.
    """
    with previous_database(previous) as db:
        db.row_factory = sqlite3.Row
        _check_raw(db, previous)
        last = dict(db.execute(_LAST).fetchone() or {})
        (team,) = db.execute("SELECT id FROM workspaces").fetchone()
    journal = Journal(previous.with_name(f".migrating{UNFINISHED}"))
    facts = {"team_id": team, "mode": "incremental", "streams": last.get("streams") or ""}
    journal.note_facts({**facts, "started": str(timestamp(last.get("started")) or 0)})
    for what in _UNASKED:
        journal.note_gap(Gap(what, team, "", "", ""))
    try:
        yield journal
    finally:
        journal.close()
        journal.path.unlink()


def _check_raw(db: sqlite3.Connection, previous: Path) -> None:
    """Refuse to make rows anew from raw JSON that is not there: they would be lost."""
    (lacking,) = db.execute(_WITHOUT_RAW).fetchone()
    if lacking:
        raise StorageError(
            f"{previous} has an earlier release's format, and {lacking} of its tasks and time entries lack "
            "the raw JSON that they would be made anew from. Nothing was changed.",
            "Read it with the release that wrote it, or move it away and run the export again: everything is "
            "read anew, but the history it held is not carried over.",
        )


def _fill(build: Build, stale_days: float) -> None:
    db = build.db
    note_nothing(build)
    for table in _PLACES:
        db.execute(f"INSERT INTO main.{table} SELECT * FROM before_{table}")  # noqa: S608  # our own names
    db.execute("INSERT INTO main.members SELECT * FROM before_members WHERE state <> 'left'")
    derive_rows(build)
    add_extras(build)
    carry_history(build)
    run(db, _AS_BEFORE)
    finish_for_readers(db, whole=True, stale_days=stale_days)
    db.execute("PRAGMA analysis_limit = 1000")
    db.execute("ANALYZE main")
