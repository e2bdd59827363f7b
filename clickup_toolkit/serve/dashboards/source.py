"""One version of the tables, read from the Parquet files.

An export swaps its files in one by one. What was read is taken only if no file changed meanwhile, and if each
file is the one that the table of exports says it has to be; else everything is read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clickup_toolkit import analyse
from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import TABLES
from clickup_toolkit.serve.dashboards.stamp import Stamp, file_of, stamp_of

__all__ = ["Source", "of_one_version"]

_Made = TypeVar("_Made")
_TRIES = 40
_PAUSE = 0.05  # seconds: files are swapped in within a few milliseconds


def of_one_version(folder: Path, make: Callable[[Source], _Made]) -> _Made:
    """Return what ``make`` makes of the tables below ``folder``, of one version all of them.

    Raises :class:`StorageError` where there are no tables, they cannot be read, or never come to rest.
    """
    for _ in range(_TRIES):
        source = Source(folder)
        try:
            made = make(source)
            if source.is_whole():
                return made
        except (OSError, pa.ArrowException) as error:
            if not source.has_changed():
                raise _unreadable(folder, error) from error
        except Exception:  # whatever comes of columns that do not belong together
            if source.is_whole():
                raise
        finally:
            pa.default_memory_pool().release_unused()
        time.sleep(_PAUSE)
    raise StorageError(f"The tables in {folder} belong to several exports.", "Run the export again.")


def _unreadable(folder: Path, error: Exception) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return StorageError(f"There are no Parquet files in {folder} yet.", "Run: clickup-toolkit export")
    return StorageError(f"{folder} cannot be read: {error}.", "Run: clickup-toolkit export --full")


class Source:
    """The tables as they are when it is made; each column is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: Stamp = stamp_of(folder)
        self._kept: dict[str, dict[str, pd.Series]] = {}
        self._written: dict[str, str] = {}

    def columns(self, table: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """Return these columns of a table (default: all); one that the file lacks is left out."""
        kept = self._kept.setdefault(table, {})
        wanted = columns or [column.name for column in TABLES[table].columns]
        missing = [column for column in wanted if column not in kept]
        if missing:
            path = file_of(self._folder, table)
            schema = pq.read_schema(path)
            self._written[table] = (schema.metadata or {}).get(b"written", b"?").decode()
            there = [column for column in missing if column in schema.names]
            frame = analyse.read(path, there) if there else pd.DataFrame()
            kept.update({str(column): frame[column] for column in frame.columns})
        return pd.DataFrame({column: kept[column] for column in wanted if column in kept}, copy=False)

    def has_changed(self) -> bool:
        """Tell whether a file was replaced since."""
        return stamp_of(self._folder) != self._stamp

    def is_whole(self) -> bool:
        """Tell whether everything that was read belongs to the export that the table of exports ends with."""
        due = self._due()
        told = all(due.get(table, told) == told for table, told in self._written.items() if told != "?")
        return told and not self.has_changed()

    def _due(self) -> dict[str, str]:
        """Return which export last wrote rows of each table."""
        exports = self.columns("exports", ("version", "started", "written"))
        if not {"version", "started", "written"} <= set(exports.columns):
            return {}
        found: dict[str, str] = {}
        for row in exports.sort_values("version").itertuples():
            tables = row.written.split() if isinstance(row.written, str) else list(TABLES)
            found |= dict.fromkeys(tables, str(row.version))
        return found
