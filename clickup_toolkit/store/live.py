"""The export under way, for other processes to see: ``runs/current.json`` in the data folder.

An export writes there twice a second what it is doing, and removes the file when it ends well. One that
failed or was killed leaves it behind, for :func:`left`; :func:`live` notices by ``runs/current.lock``, which
only a living process holds.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from clickup_toolkit.store.guard import is_held

__all__ = ["Live", "LiveRun", "Traffic", "left", "live"]

_EVERY = 0.5  # seconds between two writings
_FILE, _LOCK = "current.json", "current.lock"
Show = Callable[[str, int, int | None], None]


class Traffic(msgspec.Struct, frozen=True):
    """Requests so far, and the rate budget.

    ``limit`` and ``remaining`` requests of a window, ``reset_seconds`` until it ends (0: not known),
    ``waiting_seconds`` until the next request may be sent (0: now).
    """

    requests: int = 0
    throttled: int = 0
    retries: int = 0
    limit: int = 0
    remaining: int = 0
    reset_seconds: float = 0.0
    waiting_seconds: float = 0.0


class Live(msgspec.Struct, kw_only=True):
    """What an export is doing: ``done`` of ``total`` (None: nobody knows) in ``stage``.

    ``started`` and ``updated`` are ms since 1970 UTC; ``mode`` is ``full``, ``incremental``, or empty
    before it is decided; ``version`` is empty until the database is built.
    """

    stage: str = "start"
    done: int = 0
    total: int | None = None
    mode: str = ""
    version: str = ""
    started: int
    updated: int
    pid: int
    traffic: Traffic = msgspec.field(default_factory=Traffic)


class LiveRun:
    """Keeps ``runs/current.json`` for the time of a ``with`` block; the caller holds the export's lock.

    ``traffic`` is asked for the requests so far before each writing; set it as soon as there is a client.
    Where the file cannot be written the export goes on unseen: it says by itself what is wrong there.
    """

    def __init__(
        self, data_dir: Path, *, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._folder = data_dir / "runs"
        self._now = now
        self._state = Live(started=now(), updated=now(), pid=os.getpid())
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="live", daemon=True)
        self._lock: int | None = None
        self.traffic: Callable[[], Traffic] = Traffic

    def watching(self, show: Show) -> Show:
        """Return a progress function that notes what it is told, and passes it on to ``show``."""

        def both(stage: str, done: int, total: int | None) -> None:
            self._state.stage, self._state.done, self._state.total = stage, done, total
            show(stage, done, total)

        return both

    def note(self, *, mode: str | None = None, version: str | None = None) -> None:
        """Remember what became known."""
        self._state.mode = mode or self._state.mode
        self._state.version = version or self._state.version

    def __enter__(self) -> Self:
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX)  # waits for a reader that is just looking
            self._write()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is None:
            return
        with suppress(OSError):
            if kind is None:
                (self._folder / _FILE).unlink(missing_ok=True)
            else:
                self._write()
        with suppress(OSError):
            (self._folder / _LOCK).unlink(missing_ok=True)
        os.close(self._lock)

    def _keep_writing(self) -> None:
        while not self._end.wait(_EVERY):
            with suppress(OSError):
                self._write()

    def _write(self) -> None:
        self._state.updated = self._now()
        self._state.traffic = self.traffic()
        aside = self._folder / f"{_FILE}.new"
        try:
            aside.write_bytes(msgspec.json.encode(self._state))
            aside.replace(self._folder / _FILE)
        except OSError:
            aside.unlink(missing_ok=True)
            raise


def live(data_dir: Path) -> Live | None:
    """Return what the export in this data folder is doing; None where none is under way."""
    folder = data_dir / "runs"
    try:
        return _read(folder) if is_held(folder / _LOCK) else None
    except OSError:
        return None  # it ended while we looked


def left(data_dir: Path) -> Live | None:
    """Return what the last export was doing when it failed or was killed; None where it did neither."""
    folder = data_dir / "runs"
    try:
        return None if is_held(folder / _LOCK) else _read(folder)
    except OSError:
        return None


def _read(folder: Path) -> Live | None:
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Live)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
