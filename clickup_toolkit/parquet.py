"""Columnar files: every table of the database as ``<folder>/<table>/part-0.parquet``.

Columns are typed (times as UTC timestamps in ms) and carry their descriptions as field metadata. A file is
written aside and renamed into place, so a reader sees the old one or the new one, never half of either.
It names the export that last wrote rows of its table: while that is the same, the file stays as it is.
Where the last export alone wrote rows, and few, the others are taken from the file: Arrow does that without
a Python object for each value.
"""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import TABLES, Column, Table

__all__ = ["prepared", "write"]

_CELLS = 100_000  # of a row group: read by column in one go, and small enough to keep memory flat
_ROWS = 5_000  # at most; rows of long texts are many bytes for few cells
_AT_ONCE = 500  # rows that pass through Python together: few enough to stay in the processor's cache
_WORTH = 10  # a file is mended when at most one key in so many rows changed, else written anew
_ASIDE = ".unfinished"
_FILE = "part-0.parquet"


def write(database: Path, folder: Path) -> None:
    """Write all tables of ``database`` below ``folder``.

    Raises :class:`~clickup_toolkit.errors.StorageError`; then the files there are as they were.
    """
    with prepared(database, folder) as swap_in:
        swap_in()


@contextmanager
def prepared(database: Path, folder: Path) -> Iterator[Callable[[], None]]:
    """Write all tables aside, and give what puts them in place; without that call nothing changes.

    Raises :class:`~clickup_toolkit.errors.StorageError`; then the files there are as they were.
    """
    aside = folder / _ASIDE
    try:
        with _storage_errors(folder):
            _write_aside(database, aside, folder)
        yield partial(_swap_in, aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write_aside(database: Path, aside: Path, folder: Path) -> None:
    """Write the tables whose files in ``folder`` do not hold them as they are now."""
    from pyarrow import default_memory_pool

    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    uri = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as db:
        versions, before = _last_written(db)
        db.text_factory = bytes  # twice as quick as str, and Arrow wants UTF-8 anyway
        for table in TABLES.values():
            name, there = table.name, folder / table.name / _FILE
            schema = _schema(table, versions.get(name, ""))
            held, rows = _held(there)
            if held == schema.metadata:
                continue
            if held == _schema(table, before.get(name, "")).metadata and _few_changed(db, table, rows):
                _mend_table(db, table, schema, there, aside / name)
            else:
                _write_table(db, table, schema, aside / name)
    default_memory_pool().release_unused()  # 10 MB that publishing would come on top of


def _last_written(db: sqlite3.Connection) -> tuple[dict[str, str], dict[str, str]]:
    """Return which export last wrote rows of each table: now, and before the last export."""
    found: dict[str, str] = {}
    before: dict[str, str] = {}
    for version, tables in db.execute("SELECT version, written FROM exports ORDER BY version"):
        before = found
        found = found | dict.fromkeys(TABLES if tables is None else tables.split(), version)
    return found, before


def _held(path: Path) -> tuple[dict[bytes, bytes] | None, int]:
    """Return what a file says that it holds, and its number of rows."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            return file.schema_arrow.metadata, file.metadata.num_rows
    except (OSError, pyarrow.ArrowException):
        return None, 0


def _few_changed(db: sqlite3.Connection, table: Table, rows: int) -> bool:
    """Tell whether to take the other rows from the file: where few changed, which fit in memory."""
    textual = next(column.type for column in table.columns if column.name == table.key[0]) == "TEXT"
    if not textual or not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'changes'").fetchone():
        return False
    count = db.execute(f"SELECT count(*) {_CHANGED}", (table.name,)).fetchone()[0]  # our own text
    return bool(count <= min(rows // _WORTH, _ROWS))


_CHANGED = "FROM changes WHERE name = ?"


def _swap_in(aside: Path, folder: Path) -> None:
    with _storage_errors(folder):
        for written in aside.iterdir():
            (folder / written.name).mkdir(exist_ok=True)
            written.replace(folder / written.name / _FILE)


@contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"The Parquet files in {folder} cannot be written ({error}).",
            "Free disk space or make the folder writable, and run the export again.",
        ) from error


def _write_table(db: sqlite3.Connection, table: Table, schema: Any, path: Path) -> None:
    with _writer(path, schema) as writer:
        for group in _groups(table, schema, db.execute(_selection(table))):
            writer.write_table(group)


def _writer(path: Path, schema: Any) -> Any:
    from pyarrow.parquet import ParquetWriter  # here, since it takes a third of a second to import

    return ParquetWriter(path, schema, compression="zstd", compression_level=3)


def _groups(table: Table, schema: Any, rows: sqlite3.Cursor) -> Iterator[Any]:
    """Yield the rows as Arrow tables, each a row group."""
    while (group := _row_group(table, schema, rows)).num_rows:
        yield group


def _mend_table(db: sqlite3.Connection, table: Table, schema: Any, old: Path, path: Path) -> None:
    """Write a table from the ``old`` file, but for the rows of which the database says that they changed."""
    from pyarrow import Table as ArrowTable
    from pyarrow import compute, concat_tables
    from pyarrow.lib import StringBuilder
    from pyarrow.parquet import ParquetFile

    key, keys = table.key[0], StringBuilder()
    keys.append_values([row[0] for row in db.execute(f"SELECT key {_CHANGED}", (table.name,))])
    changed = keys.finish()
    rows = db.execute(_selection(table, f'"{key}" IN (SELECT key {_CHANGED})'), (table.name,))
    fresh = concat_tables([ArrowTable.from_batches([], schema), *_groups(table, schema, rows)])
    with ParquetFile(old) as file, _writer(path, schema) as writer:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number, use_threads=False)
            kept = group.filter(compute.invert(compute.is_in(group[key], value_set=changed)))
            kept = ArrowTable.from_arrays(kept.columns, schema=schema)
            due = fresh
            if number + 1 < file.num_row_groups:  # what belongs before the next group's first row
                following = file.read_row_group(number + 1, columns=[key], use_threads=False)
                due = fresh.filter(compute.less(fresh[key], following[key][0]))
            fresh = fresh.slice(due.num_rows)
            if due.num_rows:
                kept = concat_tables([kept, due]).sort_by([(name, "ascending") for name in table.key])
            if kept.num_rows:  # a group without rows would have no first row the next time
                writer.write_table(kept)
        if fresh.num_rows:
            writer.write_table(fresh)


def _row_group(table: Table, schema: Any, rows: sqlite3.Cursor) -> Any:
    """Return the next rows as an Arrow table; empty at the end.

    Columns are built as text and cast: ``pyarrow.array`` would import pandas, which takes two seconds and
    60 MB, where it is installed.
    """
    from pyarrow import Table as ArrowTable
    from pyarrow.lib import StringBuilder

    builders = [StringBuilder() for _ in table.columns]
    for _ in range(max(min(_ROWS, _CELLS // len(builders)) // _AT_ONCE, 1)):
        columns = zip(*rows.fetchmany(_AT_ONCE), strict=True)
        for builder, column, values in zip(builders, table.columns, columns, strict=False):
            builder.append_values(_exact(values) if column.type == "REAL" else values)
    arrays = [builder.finish().cast(field.type) for builder, field in zip(builders, schema, strict=True)]
    return ArrowTable.from_arrays(arrays, schema=schema)


def _exact(numbers: Sequence[float | None]) -> list[str | None]:
    """Return numbers as texts that name them exactly; SQLite's own would be cut at 15 digits."""
    return [None if number is None else repr(number) for number in numbers]


def _selection(table: Table, which: str = "1") -> str:
    columns = ", ".join(map(_selected, table.columns))
    order = ", ".join(f'"{key}"' for key in table.key)
    return f'SELECT {columns} FROM "{table.name}" WHERE {which} ORDER BY {order}'  # noqa: S608  # our own names


def _selected(column: Column) -> str:
    return f'CAST("{column.name}" AS TEXT)' if column.type in _WHOLE else f'"{column.name}"'


_WHOLE = frozenset({"INTEGER", "DURATION", "BOOLEAN"})


def _schema(table: Table, version: str) -> Any:
    """Return the schema of a table whose rows are as the export ``version`` wrote them."""
    import pyarrow

    fields = [
        pyarrow.field(column.name, _type(column), column.nullable, metadata=_about(column))
        for column in table.columns
    ]
    declared = f"{zlib.crc32(repr((table.key, table.columns)).encode()):08x}"
    about = {"description": table.description, "declared": declared, "written": version}
    return pyarrow.schema(fields, metadata=about)


def _about(column: Column) -> dict[str, str]:
    about = {"description": column.description, "unit": column.unit, "references": column.references}
    return {key: value for key, value in about.items() if value}


def _type(column: Column) -> Any:
    import pyarrow

    return {
        "INTEGER": pyarrow.int64(),
        "DURATION": pyarrow.int64(),
        "REAL": pyarrow.float64(),
        "BOOLEAN": pyarrow.bool_(),
        "TIMESTAMP": pyarrow.timestamp("ms", "UTC"),
    }.get(column.type, pyarrow.string())
