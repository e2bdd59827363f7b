"""What damage and want of room in the journal and in the last database mean, and what to do about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
from isal.igzip_lib import IsalError

from clickup_toolkit.errors import JournalDamaged, StorageError

__all__ = ["BEGIN_ANEW", "last_database_damaged", "read_errors", "write_errors"]

BEGIN_ANEW = "Delete that file and run the export again: it begins anew."
"""What to do about a damaged journal."""


# isal's stubs take its exception for an instance.
_DAMAGE = (sqlite3.Error, cast(type[Exception], IsalError), msgspec.MsgspecError, ValueError, TypeError)


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn what damage in the journal ``path`` raises while it is read into :class:`JournalDamaged`."""
    try:
        yield
    except _DAMAGE as error:
        raise JournalDamaged(f"The journal {path} cannot be read: {error}.", BEGIN_ANEW) from error


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what hinders writing the journal ``path`` into a StorageError, damage into JournalDamaged."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if _is_damage(error):
            raise JournalDamaged(f"The journal {path} is damaged: {error}.", BEGIN_ANEW) from error
        raise StorageError(
            f"The journal {path} cannot be written: {error}.",
            "Free disk space or set CLICKUP_DATA_DIR to a folder that can be written, and run the export "
            "again: it goes on where it stopped.",
        ) from error


def _is_damage(error: Exception) -> bool:
    # Python tells a malformed file, and one that is no database, by the plain class; a full disk and the
    # like by one below it.
    return type(error) is sqlite3.DatabaseError


def last_database_damaged(path: Path, error: object) -> StorageError:
    """Return the error that says that the database of the last export is damaged."""
    return StorageError(
        f"The database of the last export, {path}, is damaged ({error}).",
        "Restore it, or move it away and run the export again: everything is read anew, but the history "
        "it held (status changes, deleted tasks, earlier exports) is not carried over.",
    )
