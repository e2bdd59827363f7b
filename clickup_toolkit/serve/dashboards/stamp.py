"""Which files hold the tables, and what changes whenever one of them is replaced."""

from __future__ import annotations

from pathlib import Path

from clickup_toolkit.records import TABLES

__all__ = ["Stamp", "file_of", "stamp_of"]

Stamp = tuple[tuple[int, int], ...]


def file_of(folder: Path, table: str) -> Path:
    """Return the Parquet file of a table below ``folder``."""
    return folder / table / "part-0.parquet"


def stamp_of(folder: Path) -> Stamp:
    """Return inode and time of change of every table's file."""
    return tuple(_changed(file_of(folder, table)) for table in TABLES)


def _changed(path: Path) -> tuple[int, int]:
    try:
        about = path.stat()
    except OSError:
        return (0, 0)
    return about.st_ino, about.st_mtime_ns
