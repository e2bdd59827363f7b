"""What an incremental build writes, so that columnar files need not be made anew for the sake of a few rows.

Triggers that vanish with the connection watch every table: no code that writes rows has to say so. The table
``changes`` holds the first key column of every row that was inserted, changed or deleted since the export
before, be it by an equal one. A database in which all rows were made anew has no such table.
"""

from __future__ import annotations

import sqlite3

from clickup_toolkit.records import TABLES, Table

__all__ = ["watch", "written"]

_CHANGES = """
DROP TABLE IF EXISTS main.changes;
CREATE TABLE main.changes (name TEXT, key TEXT, PRIMARY KEY (name, key)) WITHOUT ROWID;
"""
_WATCH = """
CREATE TEMP TRIGGER "{event}_{table}_{row}" AFTER {event} ON main."{table}"
BEGIN INSERT OR IGNORE INTO changes VALUES ('{table}', {row}."{key}"); END
"""


def watch(db: sqlite3.Connection) -> None:
    """Note from now on what is written."""
    db.executescript(_CHANGES)
    for table in TABLES.values():
        _watch(db, table)


def _watch(db: sqlite3.Connection, table: Table) -> None:
    for event, row in (("INSERT", "new"), ("UPDATE", "old"), ("UPDATE", "new"), ("DELETE", "old")):
        db.execute(_WATCH.format(event=event, row=row, table=table.name, key=table.key[0]))


def written(db: sqlite3.Connection) -> list[str]:
    """Return the tables of which rows were written since :func:`watch`."""
    return [name for (name,) in db.execute("SELECT DISTINCT name FROM main.changes ORDER BY name")]
