"""The database's files: which one is current, how the next becomes it, what is cleared.

``clickup.db`` in the data folder is a symbolic link to the current file, so a flip is one rename. A database
that is being built bears the ending ``.unfinished`` until it is whole and on the disk.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clickup_toolkit.errors import StorageError

__all__ = ["LINK", "building", "current", "flip", "is_full", "no_space", "storage_errors"]

LINK = "clickup.db"
UNFINISHED = ".unfinished"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a :class:`StorageError` that says what to do."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if is_full(error):
            raise no_space(path, error) from error
        raise StorageError(
            f"{path} cannot be written ({error}).",
            f"Make {path.parent} writable, or set CLICKUP_DATA_DIR to a folder that is, and run the export "
            "again.",
        ) from error


def no_space(path: Path, reason: object) -> StorageError:
    """Return the error that says that ``path`` found no room."""
    return StorageError(
        f"There is no space left to write {path} ({reason}).",
        f"Free disk space where {path.parent} lies, or set CLICKUP_DATA_DIR to a folder with more, "
        "and run the export again: it goes on where it stopped.",
    )


def is_full(error: Exception) -> bool:
    """Tell whether SQLite or the file system refuses for want of room."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return any(sign in str(error) for sign in ("full", "disk I/O error"))


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Give a path to build at; it becomes ``target`` when all went well, and vanishes when not.

    What an earlier build that was killed left in the folder is cleared first. The caller holds the export's
    lock, so nobody else builds there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f"*{UNFINISHED}*"):
        leftover.unlink(missing_ok=True)
    aside = target.with_name(target.name + UNFINISHED)
    try:
        yield aside
        _sync(aside)
        aside.replace(target)
        _sync(target.parent)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def current(data_dir: Path) -> Path | None:
    """Return the current database's file; None when there is none yet."""
    link = data_dir / LINK
    return link.resolve() if link.exists() else None


def flip(data_dir: Path, built: Path) -> None:
    """Make ``built``, a file in the data folder, the current database, in one step.

    The database before it stays, for readers that still have it open; older ones are cleared.
    """
    link, aside = data_dir / LINK, data_dir / f".{LINK}{UNFINISHED}"
    with storage_errors(link):
        before = current(data_dir)
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.path.relpath(built.resolve(), data_dir.resolve()))
        aside.replace(link)
        _sync(data_dir)
        kept = {built.resolve(), before}
        for file in data_dir.glob("clickup-*.db*"):  # with the rollback journal of a killed export
            if file.with_name(file.name.removesuffix("-journal")).resolve() not in kept:
                file.unlink(missing_ok=True)
