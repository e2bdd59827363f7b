"""The database's tables as SQL, made from :mod:`clickup_toolkit.records`.

Rows hold times as ms; SQLite gets ISO 8601 text, converted as it is inserted. Foreign keys are declared, for
datasette and for readers, and not enforced: a task may point at a list that the token does not see.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from functools import cache

from clickup_toolkit.records import RAW, TABLES, Column, Table
from clickup_toolkit.store.counts import COUNTS_DEFINITION
from clickup_toolkit.store.reports import REPORTS, create_views
from clickup_toolkit.store.search import search_definitions

__all__ = [
    "ALL_TABLES",
    "FINGERPRINT",
    "INSTANT",
    "create_indexes",
    "create_tables",
    "insertion",
    "names",
    "run",
]

ALL_TABLES: dict[str, Table] = {**TABLES, RAW.name: RAW}
"""Every table of the database by name."""

INSTANT = "strftime('%Y-%m-%dT%H:%M:%fZ', {}/1000.0, 'unixepoch')"
"""SQL: ms since 1970 UTC to ISO 8601 text, exact to the ms for the years 1 to 9999."""

_TYPES = {"DURATION": "INTEGER", "JSON": "TEXT"}


def names(columns: Iterable[str]) -> str:
    """Return column names for a statement; quoted, since ``end`` is also a word of SQL."""
    return ", ".join(f'"{name}"' for name in columns)


def _definition(table: Table) -> str:
    parts = [_column(column) for column in table.columns]
    parts.append(f"PRIMARY KEY ({names(table.key)})")
    parts += [
        'FOREIGN KEY ("{}") REFERENCES "{}" ("{}")'.format(column.name, *column.references.split("."))
        for column in table.columns
        if column.references
    ]
    # Narrow rows under a key of several columns lie in the key's own tree; wide ones are quicker beside it.
    place = " WITHOUT ROWID" if len(table.key) > 1 and table is not RAW else ""
    return f'CREATE TABLE "{table.name}" (\n  ' + ",\n  ".join(parts) + f"\n){place}"


def _column(column: Column) -> str:
    kind = _TYPES.get(column.type, column.type)
    return f'"{column.name}" {kind}' + ("" if column.nullable else " NOT NULL")


_DEFINITIONS = [
    *map(_definition, ALL_TABLES.values()),
    *map(_definition, REPORTS.values()),
    *search_definitions(),
    COUNTS_DEFINITION,
]

FINGERPRINT: int = zlib.crc32("\n".join(_DEFINITIONS).encode()) & 0x7FFFFFFF
"""Tells these very tables from others; :mod:`.formats` has the number that belongs to it."""


def create_tables(db: sqlite3.Connection) -> None:
    """Create all tables, and the views over them, in a fresh database."""
    for definition in _DEFINITIONS:
        db.execute(definition)
    create_views(db)


def create_indexes(db: sqlite3.Connection, *tables: str) -> None:
    """Create the indexes that are missing, of all tables or of these; cheapest once the rows are in.

    Those that are declared, and one of each reference, by which a row's page counts what points at it.
    """
    known = ALL_TABLES | REPORTS
    for table in (known[name] for name in tables or known):
        for columns in table.indexes:
            _index(db, table, columns)
        led = {table.key[0], *(columns[0] for columns in table.indexes)}
        for column in table.columns:
            if column.references and column.name not in led:
                some = f'WHERE "{column.name}" IS NOT NULL' if column.nullable else ""
                _index(db, table, (column.name,), some)


def _index(db: sqlite3.Connection, table: Table, columns: tuple[str, ...], where: str = "") -> None:
    name = "_".join((table.name, *columns))
    db.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table.name}" ({names(columns)}) {where}')


def run(db: sqlite3.Connection, script: str) -> None:
    """Run several statements within the transaction, which ``executescript`` would commit first."""
    for statement in script.split(";"):
        db.execute(statement)


@cache
def insertion(table: Table, verb: str = "INSERT OR REPLACE") -> tuple[str, str]:
    """Return the statement that inserts into ``table`` up to VALUES, and one row's values.

    The values convert times from ms.
    """
    values = ", ".join(map(_value, table.columns))
    return f'{verb} INTO main."{table.name}"', f"({values})"


def _value(column: Column) -> str:
    if column.type == "TIMESTAMP":
        return INSTANT.format("?")
    return "CAST(? AS TEXT)" if column.type == "JSON" else "?"
