"""Which tables an incremental build writes: the columnar files of the others can stay as they are.

Triggers that vanish with the connection watch every table, so that no code that writes rows has to say so.
A table counts as written when a row of it was inserted, changed or deleted, be it by an equal one.
"""

from __future__ import annotations

import sqlite3

from clickup_toolkit.records import TABLES

__all__ = ["watch", "written"]

_WATCH = """
CREATE TEMP TRIGGER "{event}_{table}" AFTER {event} ON main."{table}"
BEGIN UPDATE writes SET seen = 1 WHERE name = '{table}' AND NOT seen; END
"""


def watch(db: sqlite3.Connection) -> None:
    """Watch from now on which tables are written."""
    db.execute("CREATE TEMP TABLE writes (name TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID")
    db.executemany("INSERT INTO writes VALUES (?, 0)", [(name,) for name in TABLES])
    for table in TABLES:
        for event in ("INSERT", "UPDATE", "DELETE"):
            db.execute(_WATCH.format(table=table, event=event))


def written(db: sqlite3.Connection) -> list[str]:
    """Return the tables that were written since :func:`watch`."""
    return [name for (name,) in db.execute("SELECT name FROM writes WHERE seen ORDER BY name")]
