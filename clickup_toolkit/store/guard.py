"""One export at a time in a data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickup_toolkit.errors import ExportRunning, StorageError
from clickup_toolkit.store.files import storage_errors

__all__ = ["lock_folder"]


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the data folder for one export; the kernel lets go of it when the process ends, however it ends.

    Raises :class:`ExportRunning` when another process holds it, :class:`StorageError` when the folder
    cannot be written.
    """
    path = folder / "export.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise StorageError(
            f"The data folder {folder} cannot be written: {error.strerror}.",
            "Set CLICKUP_DATA_DIR to a folder that can be.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExportRunning(
                f"Another export is running in {folder} ({_holder(path)}).",
                "Wait until it ends, or stop it: what it read so far is kept.",
            ) from error
        with storage_errors(path):
            file.truncate(0)
            file.write(f"process {os.getpid()}")
            file.flush()
        yield


def _holder(path: Path) -> str:
    return path.read_text(errors="replace").strip()[:100] or "its process is unknown"
