"""One at a time: a file that a living process holds, and nobody once it ended, however it ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TextIO

from clickup_toolkit.errors import ExportRunning, StorageError, ToolkitError
from clickup_toolkit.store.files import storage_errors

__all__ = ["hold", "holder", "is_held", "lock_folder"]


@contextmanager
def hold(path: Path, busy: Callable[[str], ToolkitError]) -> Iterator[None]:
    """Hold the file ``path`` for this process; the kernel lets go of it when the process ends.

    The file says which process holds it, and may stay when none does. Raises what ``busy`` returns when
    another process holds it, told who that is in words, and :class:`StorageError` when the folder cannot be
    written.
    """
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy(_said(path)) from error
        with storage_errors(path):
            file.truncate(0)
            file.write(f"process {os.getpid()}")
            file.flush()
        yield


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the file."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def holder(path: Path) -> int | None:
    """Return the number of the living process that holds the file; None where none does, or none said so."""
    if not is_held(path):
        return None
    number = path.read_text(errors="replace").removeprefix("process ").strip()
    return int(number) if number.isdigit() else None


def lock_folder(folder: Path) -> AbstractContextManager[None]:
    """Hold the data folder for one export.

    Raises :class:`ExportRunning` when another process holds it, :class:`StorageError` when the folder
    cannot be written.
    """
    return hold(
        folder / "export.lock",
        lambda who: ExportRunning(
            f"Another export is running in {folder} ({who}).",
            "Wait until it ends, or stop it: what it read so far is kept.",
        ),
    )


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+")
    except OSError as error:
        raise StorageError(
            f"The data folder {path.parent} cannot be written: {error.strerror}.",
            "Set CLICKUP_DATA_DIR to a folder that can be.",
        ) from error


def _said(path: Path) -> str:
    return path.read_text(errors="replace").strip()[:100] or "its process is unknown"
