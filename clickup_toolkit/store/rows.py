"""Inserts rows in bulk: gathered by table, written together."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from clickup_toolkit.records import ROW_TYPES
from clickup_toolkit.store.schema import insertion

__all__ = ["insert"]


def insert(db: sqlite3.Connection, rows: Iterable[NamedTuple], verb: str = "INSERT OR REPLACE") -> None:
    """Insert rows of any tables; of two rows with one key the later one stays."""
    by_type: dict[type[NamedTuple], list[NamedTuple]] = defaultdict(list)
    for row in rows:
        by_type[type(row)].append(row)
    for kind, of_one in by_type.items():
        db.executemany(insertion(ROW_TYPES[kind], verb), of_one)
