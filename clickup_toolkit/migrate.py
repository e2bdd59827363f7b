"""What an earlier release wrote, made what this one writes: before it is read, and before an export goes on.

The database is made anew from its own raw JSON, and the columnar files from it (see
:mod:`clickup_toolkit.store.formats`). Versions in Redis of every earlier layout are read as they are.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from clickup_toolkit import parquet, store
from clickup_toolkit.errors import ExportRunning, StorageError

__all__ = ["is_due", "migrate", "migrate_to_read"]

_log = structlog.get_logger(__name__)


def is_due(data_dir: Path) -> bool:
    """Tell whether the database of a data folder has an earlier release's format; a damaged one has none.

    Raises :class:`StorageError` when a newer release wrote it.
    """
    database = store.current(data_dir)
    try:
        known = store.FORMAT if database is None else store.format_of(database)
    except StorageError:
        return False  # whoever reads it says what is wrong with it, and what to do
    return database is not None and known != store.FORMAT and store.known_format(database) < store.FORMAT


def migrate(data_dir: Path) -> bool:
    """Bring database and columnar files to this release's format; return whether that was due.

    Can be killed at any moment, and begins anew then. The caller holds the folder. Raises
    :class:`StorageError` when a newer release wrote the database, or where the folder cannot be written; then
    everything is as it was.
    """
    database = store.current(data_dir)
    if database is None or not is_due(data_dir):
        return False
    before = store.format_of(database)
    with (
        store.migrated(database) as made,
        # They come first: a database of the old format is migrated again, files of one are not.
        parquet.prepared(made, data_dir / "parquet") as swap_in,
    ):
        swap_in()
    _log.warning("database.migrated", file=database.name, before=before, now=store.FORMAT)
    return True


def migrate_to_read(data_dir: Path) -> None:
    """As :func:`migrate`, for a reader: an export that runs, or a folder that is read-only, puts it off.

    What an earlier release wrote is read as far as that goes then. Raises :class:`StorageError` when a newer
    release wrote the database.
    """
    if not is_due(data_dir):
        return
    try:
        with store.lock_folder(data_dir):
            migrate(data_dir)
    except (ExportRunning, StorageError) as fault:
        _log.warning("database.not_migrated", reason=fault.message)
