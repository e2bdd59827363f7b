"""The tables of an export, read from its Parquet files and kept as long as they are the newest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clickup_toolkit import analyse
from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Settings

__all__ = ["Tables", "find_data_dir", "find_dotenv"]

_Read = TypeVar("_Read")
_DEMO = Path("data/demo")
_Stamp = tuple[tuple[int, int], ...]


class Tables:
    """The tables of the export in ``data_dir``, read when they are first asked for.

    When another export takes the place of the one that was read, everything is forgotten, so that what is
    compared comes from one export.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._kept: dict[tuple[str, tuple[str, ...]], pd.DataFrame] = {}
        self._columns: dict[str, dict[str, pd.Series]] = {}
        self._of: _Stamp = ()

    def read(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table, or only these columns of it.

        Raises :class:`StorageError` where there is no export or it is damaged, ValueError for a name that
        no table has.
        """
        if name not in TABLES:
            raise ValueError(f"There is no table {name!r}: choose one of {', '.join(TABLES)}.")
        # Copied on write, so that what a notebook does to its table changes nobody else's.
        return self.of_one_export(lambda: self._table(name, tuple(columns))).copy(deep=False)

    def columns(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return these columns of a table for a measure: each is read once, texts of which there are few
        as categories; one that the export lacks is left out.

        Raises as :meth:`read`.
        """
        return self.of_one_export(lambda: self._of_columns(name, tuple(columns)))

    def of_one_export(self, read: Callable[[], _Read]) -> _Read:
        """Return what ``read`` returns; read again when an export took the place of the other meanwhile."""
        while True:
            stamp = self._stamp()
            if stamp != self._of:
                self.forget()
                self._of = stamp
            result = read()
            if self._stamp() == stamp:
                return result

    def forget(self) -> None:
        """Forget what was read."""
        self._kept.clear()
        self._columns.clear()
        self._of = ()

    def _table(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        if (name, columns) not in self._kept:
            self._kept[name, columns] = self._load(name, list(columns) or None)
        return self._kept[name, columns]

    def _of_columns(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        kept = self._columns.setdefault(name, {})
        missing = [column for column in columns if column not in kept]
        if missing:
            there = self._of_file(name, pq.read_schema)
            wanted = [column for column in missing if column in there.names]
            read = self._of_file(name, lambda path: analyse.read(path, wanted)) if wanted else pd.DataFrame()
            kept.update({str(column): read[column] for column in read.columns})
        return pd.DataFrame({column: kept[column] for column in columns if column in kept}, copy=False)

    def _load(self, name: str, columns: list[str] | None) -> pd.DataFrame:
        frame: pd.DataFrame = self._of_file(
            name, lambda path: pq.read_table(path, columns=columns, partitioning=None).to_pandas()
        )
        return frame

    def _of_file(self, name: str, read: Callable[[Path], Any]) -> Any:
        path = self._path(name)
        try:
            return read(path)
        except FileNotFoundError:
            raise self._missing(name) from None
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"{path} cannot be read: {error}.", "Run the export again.") from error

    def _missing(self, name: str) -> StorageError:
        if self._path("tasks").exists():
            return StorageError(
                f"The export in {self.data_dir} has no table {name}: an older toolkit made it.",
                "Run the export again.",
            )
        return StorageError(
            f"There is no export in {self.data_dir} yet.",
            "Run `clickup-toolkit export` (or `make demo`, which needs no token); or name the folder of an "
            "export with CLICKUP_DATA_DIR or Workspace(data_dir).",
        )

    def _path(self, name: str) -> Path:
        return self.data_dir / "parquet" / name / "part-0.parquet"

    def _stamp(self) -> _Stamp:
        """Return what changes whenever a file of the export is replaced."""
        return tuple(_changed(self._path(name)) for name in TABLES)


def find_data_dir() -> Path:
    """Return the data folder that the settings name, looked for from the working folder upwards.

    A notebook's working folder is its own, one below the one that the toolkit is started in. Where no
    folder on the way up holds an export, what the demo has exported (``data/demo``) is looked for in the
    same way; else the answer is the data folder of the working folder.
    """
    here = Path.cwd()
    named = Settings.read(dotenv=find_dotenv()).data_dir
    if not named.is_relative_to(here):
        return named
    below = named.relative_to(here)
    for place in (below, _DEMO) if below == _DEMO.parent else (below,):
        for folder in (here, *here.parents):
            if (folder / place / "parquet").is_dir():
                return folder / place
    return named


def find_dotenv() -> Path:
    """Return the ``.env`` file in the working folder or the nearest above it (there may be none)."""
    here = Path.cwd()
    return next((f / ".env" for f in (here, *here.parents) if (f / ".env").is_file()), here / ".env")


def _changed(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return (0, 0)
    return about.st_ino, about.st_mtime_ns
