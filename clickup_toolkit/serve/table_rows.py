"""The rows of a table as lines of JSON, read from a database file a few at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from isal import isal_zlib

from clickup_toolkit.records import TABLES

__all__ = ["compressed", "lines"]

_AT_ONCE = 500  # rows
_GZIP = 31  # window bits of a gzip member
_LEVEL = 1

_encode = msgspec.json.Encoder().encode_lines


def lines(database: Path, table: str) -> Generator[bytes, None, None]:
    """Yield a table as NDJSON: an object a row, keys as the columns are named, in pieces of some rows.

    Values are exact: flags true or false, times ISO 8601 text in UTC, JSON columns the JSON they hold.
    Raises :class:`sqlite3.Error` where the file cannot be read. May be driven by one thread after another.
    """
    uri = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as db:
        rows = db.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # a table of ours
        names = [column[0] for column in rows.description]
        reads = _reads(table, names)
        while found := rows.fetchmany(_AT_ONCE):
            yield _encode([_object(names, reads, row) for row in found])


def compressed(pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Yield the same bytes as one gzip member."""
    deflater = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    for piece in pieces:
        if made := deflater.compress(piece):
            yield made
    yield deflater.flush()


def _object(
    names: list[str], reads: list[tuple[str, Callable[[Any], object]]], row: tuple[Any, ...]
) -> dict[str, object]:
    found = dict(zip(names, row, strict=True))
    for name, read in reads:
        if found[name] is not None:
            found[name] = read(found[name])
    return found


def _reads(table: str, names: list[str]) -> list[tuple[str, Callable[[Any], object]]]:
    """Return how the columns are read whose values SQLite keeps in another form."""
    types = {column.name: column.type for column in TABLES[table].columns}
    return [(name, _READ[types[name]]) for name in names if types.get(name) in _READ]


_READ: dict[str, Callable[[Any], object]] = {
    "BOOLEAN": bool,
    "JSON": lambda text: msgspec.Raw(text.encode()),
}
