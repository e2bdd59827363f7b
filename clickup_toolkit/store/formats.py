"""The formats of the database, numbered, so that a release knows an older file from a newer one.

A file of ours says so by ``PRAGMA application_id`` and bears its format's number as ``PRAGMA user_version``.
Files of before formats were numbered bear a fingerprint of their tables there instead.

Whoever changes tables, views of reports or what rows are made of adds a line to ``FORMATS``, and the data of
the format before to the tests (``python -m tests.releases``). No step is written out: every older format
is migrated in one go by making all rows anew from the raw JSON (:mod:`.migrating`), which loses nothing,
and what raw JSON cannot tell, the history, is carried over with defaults in new columns.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from clickup_toolkit.errors import StorageError
from clickup_toolkit.store.damage import last_database_damaged

__all__ = ["APPLICATION_ID", "FORMAT", "FORMATS", "Format", "format_of", "known_format", "stamp"]

APPLICATION_ID = 0x436C5570  # "ClUp"


class Format(NamedTuple):
    """A format: its number, the fingerprint of its tables, and what it has that the one before has not."""

    number: int
    fingerprint: int
    change: str


FORMATS = (
    Format(1, 349386736, "the first that was released"),
    Format(2, 2109808721, "comments, task details, goals and docs, and when each was read"),
    Format(3, 793228890, "the watermark of exports, by ClickUp's clock"),
    Format(4, 1751111743, "which tables an export wrote; reports as tables"),
    Format(5, 287661820, "values counted for the filters of pages"),
    Format(6, 352756716, "indexes that reports and dashboards read by; its number instead of a fingerprint"),
)
"""All formats that a release wrote, the oldest first."""

FORMAT = FORMATS[-1].number
"""The format that this release writes."""

UNRELEASED = 0
"""The number of whatever has our tables and was written between releases."""


def format_of(path: Path) -> int:
    """Return the format's number of a database of ours, be it a newer one.

    Raises :class:`StorageError` when the file is damaged or not there.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            (number,) = db.execute("PRAGMA user_version").fetchone()
            (application,) = db.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error as error:
        raise last_database_damaged(path, error) from error
    if application == APPLICATION_ID:
        return int(number)
    return next((each.number for each in FORMATS if each.fingerprint == number), UNRELEASED)


def known_format(path: Path) -> int:
    """As :func:`format_of`; raises :class:`StorageError` for a format that only a newer release knows."""
    number = format_of(path)
    if number > FORMAT:
        raise StorageError(
            f"{path} was written by a newer release of the toolkit: it has format {number}, and this release "
            f"knows {FORMAT} at most.",
            "Upgrade the toolkit to that release, or set CLICKUP_DATA_DIR to another folder. Nothing was "
            "changed.",
        )
    return number


def stamp(db: sqlite3.Connection) -> None:
    """Say in a database that it is ours, and of this release's format."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {FORMAT}")
