"""What a database file says about itself: whose it is, how fresh, how complete, how large."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from clickup_toolkit.records import TABLES, Gap
from clickup_toolkit.serve.words import instant
from clickup_toolkit.store.field_views import lists_of_views
from clickup_toolkit.store.reports import REPORTS, STALE_DAYS, stale_days_of

__all__ = ["Facts", "LastExport", "read_facts"]

_COUNTING_SECONDS = 2.0  # a table that is not counted by then is counted when somebody looks at it


@dataclass(frozen=True)
class LastExport:
    """The export that built the file; ``at`` is when it was finished, or begun if that is all we know."""

    version: str
    at: datetime
    mode: str
    complete: bool
    tasks: int
    changed: int
    deleted: int
    seconds: float = 0.0
    requests: int = 0
    throttled: int = 0
    retries: int = 0
    gaps: int = 0


@dataclass(frozen=True)
class Facts:
    """``counts`` holds every table's number of rows, None where counting would have taken too long;
    ``hidden`` names the tables that are not for browsing. ``names`` tells the names of spaces, folders, lists
    and members by table and id, ``field_views`` the list that each view of custom fields is about,
    ``stale_days`` after how long work counts as stale, ``homes`` the folder or space of each list.
    """

    workspace: str = ""
    export: LastExport | None = None
    gaps: tuple[Gap, ...] = ()
    counts: dict[str, int | None] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    field_views: dict[str, str] = field(default_factory=dict)
    stale_days: float = STALE_DAYS
    homes: dict[str, str] = field(default_factory=dict)

    def called(self, key: str) -> str:
        """Return the id of a space, folder, list or member with its name before it, where that is known."""
        found = (names[key] for names in self.names.values() if names.get(key))
        return next((f"{name} ({key})" for name in found), key)


def read_facts(database: Path) -> Facts:
    """Read the facts of a file. Raises :class:`sqlite3.Error` when it is not a database of ours."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        workspace = connection.execute("SELECT name FROM workspaces").fetchone()
        return Facts(
            workspace=(workspace and workspace["name"]) or "",
            export=_last_export(connection),
            gaps=tuple(Gap(*row) for row in connection.execute(f"SELECT {','.join(Gap._fields)} FROM gaps")),  # noqa: S608  # names of our own
            counts=_counts(connection, tables),
            hidden=tuple(name for name in tables if name not in TABLES and name not in REPORTS),
            names=_names(connection),
            field_views=lists_of_views(connection),
            stale_days=stale_days_of(connection),
            homes=_homes(connection),
        )


def _last_export(connection: sqlite3.Connection) -> LastExport | None:
    row = connection.execute(
        "SELECT version, started, finished, mode, complete, tasks, changed, deleted, requests, throttled, "
        "retries, gaps FROM exports ORDER BY version DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    at = instant(row["finished"] or row["started"])
    return LastExport(
        version=row["version"],
        at=at,
        mode=row["mode"],
        complete=bool(row["complete"]),
        tasks=row["tasks"],
        changed=row["changed"],
        deleted=row["deleted"],
        seconds=(at - instant(row["started"])).total_seconds(),
        requests=row["requests"],
        throttled=row["throttled"],
        retries=row["retries"],
        gaps=row["gaps"],
    )


def _names(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    labels = {"spaces": "name", "folders": "name", "lists": "name", "members": "coalesce(username, email)"}
    return {
        table: {row[0]: row[1] or "" for row in connection.execute(f"SELECT id, {label} FROM {table}")}  # noqa: S608
        for table, label in labels.items()
    }


def _homes(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT l.id, coalesce(f.name, s.name, '') FROM lists AS l "
        "LEFT JOIN folders AS f ON f.id = l.folder_id "
        "LEFT JOIN spaces AS s ON s.id = l.space_id"
    )
    return dict(map(tuple, rows))


def _counts(connection: sqlite3.Connection, tables: list[str]) -> dict[str, int | None]:
    deadline = time.monotonic() + _COUNTING_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    counts: dict[str, int | None] = dict.fromkeys(tables)
    try:
        for table in tables:
            counts[table] = connection.execute(f"SELECT count(*) FROM [{table}]").fetchone()[0]  # noqa: S608  # a table of ours
    except sqlite3.OperationalError:
        if time.monotonic() <= deadline:
            raise
    finally:
        connection.set_progress_handler(None, 0)
    return counts
