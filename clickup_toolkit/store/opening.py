"""Opens the database that is being built, with the previous one beside it.

The previous database is attached read-only and seen through views named ``before_<table>``, which have the
columns of today whatever release wrote the file; without a previous database they are empty. So history and
what could not be read this time are carried over by plain SQL.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickup_toolkit.records import Column, Table
from clickup_toolkit.store.damage import last_database_damaged
from clickup_toolkit.store.formats import FORMAT, known_format, stamp
from clickup_toolkit.store.journal import Journal
from clickup_toolkit.store.schema import ALL_TABLES, create_tables
from clickup_toolkit.store.writes import watch

__all__ = ["Build", "opened", "previous_database"]

_TUNING = """
PRAGMA page_size = 16384;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -16000;
"""


@dataclass
class Build:
    """A database in the making.

    ``incremental``: it started with what the previous export held. ``whole``: all rows are made anew from
    the raw JSON; else only those of tasks that were touched.
    """

    db: sqlite3.Connection
    journal: Journal
    has_previous: bool
    incremental: bool
    whole: bool


@contextmanager
def opened(path: Path, journal: Journal, previous: Path | None) -> Iterator[Build]:
    """Give the database at ``path`` to be filled from ``journal``, and commit it at the end.

    After a full crawl it starts empty; after an incremental one as a copy of ``previous``, or, if another
    release wrote that, with its raw JSON, from which everything is made anew.
    """
    if previous is not None and not _is_of(previous, journal.team_id):
        previous = None
    incremental = journal.mode == "incremental" and previous is not None
    copied = incremental and previous is not None and known_format(previous) == FORMAT
    if copied and previous is not None:
        shutil.copyfile(previous, path)
    with closing(sqlite3.connect(path.absolute().as_uri(), uri=True, isolation_level=None)) as db:
        db.executescript(_TUNING)
        db.execute("BEGIN")
        if not copied:
            create_tables(db)
        stamp(db)
        db.execute("COMMIT")
        _attach(db, previous)
        if copied:
            watch(db)
        db.execute("BEGIN")
        if incremental and not copied:
            db.execute("INSERT INTO main.raw SELECT * FROM before_raw")
        yield Build(db, journal, previous is not None, incremental, whole=not copied)
        db.execute("COMMIT")


def _is_of(path: Path, team_id: str) -> bool:
    with previous_database(path) as db:
        return db.execute("SELECT 1 FROM workspaces WHERE id = ?", (team_id,)).fetchone() is not None


@contextmanager
def previous_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database of the last export to read; a damaged one must not be passed over in silence."""
    try:
        with closing(_reading(path)) as db:
            yield db
    except sqlite3.DatabaseError as error:
        raise last_database_damaged(path, error) from error


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _attach(db: sqlite3.Connection, previous: Path | None) -> None:
    source = f"{previous.absolute().as_uri()}?mode=ro&immutable=1" if previous else ":memory:"
    db.execute("ATTACH DATABASE ? AS previous", (source,))
    for table in ALL_TABLES.values():
        db.execute(f'CREATE TEMP VIEW "before_{table.name}" AS {_view(db, table)}')


def _view(db: sqlite3.Connection, table: Table) -> str:
    there = {row[1] for row in db.execute(f'PRAGMA previous.table_info("{table.name}")')}
    if not there:
        return f'SELECT * FROM main."{table.name}" WHERE 0'  # noqa: S608  # our own names
    columns = ", ".join(_column(table, column, there) for column in table.columns)
    return f'SELECT {columns} FROM previous."{table.name}"'  # noqa: S608


def _column(table: Table, column: Column, there: set[str]) -> str:
    """Return the column, or its default where the previous database does not have it."""
    if column.name in there:
        return f'"{column.name}"'
    default = table.row._field_defaults.get(column.name)
    value = "NULL" if default is None else repr(int(default) if isinstance(default, bool) else default)
    return f'{value} AS "{column.name}"'
