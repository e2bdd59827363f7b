"""Inserts rows in bulk: gathered by table, many with one statement."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from clickup_toolkit.records import ROW_TYPES
from clickup_toolkit.store.schema import insertion

__all__ = ["execute_many", "insert"]

_VALUES = 240  # values bound by one statement: narrow rows go in twice as quickly in one company


def insert(db: sqlite3.Connection, rows: Iterable[NamedTuple], verb: str = "INSERT OR REPLACE") -> None:
    """Insert rows of any tables; of two rows with one key the later one stays."""
    by_type: dict[type[NamedTuple], list[NamedTuple]] = defaultdict(list)
    for row in rows:
        by_type[type(row)].append(row)
    for kind, of_one in by_type.items():
        execute_many(db, *insertion(ROW_TYPES[kind], verb), of_one)


def execute_many(
    db: sqlite3.Connection, start: str, values: str, rows: Sequence[Sequence[Any]], end: str = ""
) -> None:
    """Execute ``start VALUES values, values, … end`` for all rows, as many at once as are worth it."""
    if not rows:
        return
    width = max(_VALUES // len(rows[0]), 1)
    whole = len(rows) - len(rows) % width
    together = (tuple(chain.from_iterable(rows[at : at + width])) for at in range(0, whole, width))
    db.executemany(f"{start} VALUES {', '.join([values] * width)} {end}", together)
    db.executemany(f"{start} VALUES {values} {end}", rows[whole:])
