"""Databases in a backup: the current one and what it says of itself, copied, checked, compressed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import zstandard

from clickup_toolkit import store
from clickup_toolkit.store.damage import last_database_damaged

__all__ = ["LastExport", "copy_database", "last_export", "packed", "sound"]

_LEVEL = 3
_LAST = "SELECT version, tasks FROM exports ORDER BY version DESC LIMIT 1"


class LastExport(NamedTuple):
    """The database that is taken, and what its last export says."""

    path: Path
    inode: int
    team_id: str
    version: str
    tasks: int


def last_export(data_dir: Path) -> LastExport | None:
    """Return the current database and what it says of itself; None where there is none.

    Raises :class:`~clickup_toolkit.errors.StorageError` where it is damaged, or a newer release wrote it.
    """
    path = store.current(data_dir)
    if path is None:
        return None
    store.known_format(path)
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            (team,) = db.execute("SELECT id FROM workspaces").fetchone()
            version, tasks = db.execute(_LAST).fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise last_database_damaged(path, error) from error
    return LastExport(path, path.stat().st_ino, team, version, tasks)


def copy_database(source: Path, target: Path, how: str = "") -> Path:
    """Copy a database that may be written to meanwhile; the copy is of one moment."""
    target.unlink(missing_ok=True)
    address = f"{source.absolute().as_uri()}?mode=ro&{how}"
    with closing(sqlite3.connect(address, uri=True)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")
    return target


def sound(database: Path) -> str:
    """Return what SQLite finds wrong with a database, or ``ok``."""
    with closing(sqlite3.connect(database)) as db:
        return str(db.execute("PRAGMA quick_check(1)").fetchone()[0])


def packed(path: Path) -> Path:
    """Compress a file; the original makes room."""
    target = path.with_name(f"{path.name}.zst")
    packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with path.open("rb") as source, target.open("wb") as sink:
        packer.copy_stream(source, sink, size=path.stat().st_size)
    path.unlink()
    return target
