"""The executed notebooks in ``runs/``: which there are, and how they ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from clickup_toolkit.serve.words import instant

__all__ = ["Run", "find_run", "list_runs"]


class Run(NamedTuple):
    """An executed notebook. ``state`` is ``done``, ``failed`` or ``unfinished`` (running, or cut off)."""

    name: str
    path: Path
    state: str
    started: datetime | None
    seconds: float | None
    size: int


class _Papermill(msgspec.Struct):
    start_time: str | None = None
    end_time: str | None = None
    duration: float | None = None
    exception: bool | None = None


class _Metadata(msgspec.Struct):
    papermill: _Papermill = msgspec.field(default_factory=_Papermill)


class _Notebook(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_decode = msgspec.json.Decoder(_Notebook).decode


def list_runs(folder: Path, at_most: int) -> tuple[list[Run], int]:
    """Return the newest runs, newest first, and how many there are in all. Names begin with the UTC time."""
    paths = sorted(folder.glob("*.ipynb"), key=lambda path: path.name, reverse=True)
    return list(_read(paths[:at_most])), len(paths)


def find_run(folder: Path, name: str) -> Run | None:
    """Return the run of this name, or None; a name never leads out of the folder."""
    path = folder / f"{name}.ipynb"
    if path.parent != folder or "\0" in name:
        return None
    return next(_read([path]), None)


def _read(paths: list[Path]) -> Iterator[Run]:
    for path in paths:
        try:
            text = path.read_bytes()
        except OSError:
            continue  # removed since it was listed
        yield _run(path, text)


def _run(path: Path, text: bytes) -> Run:
    try:
        told = _decode(text).metadata.papermill
    except msgspec.DecodeError:
        told = _Papermill()  # being written right now
    started = instant(told.start_time) if told.start_time else None
    return Run(path.stem, path, _state(told), started, told.duration, len(text))


def _state(told: _Papermill) -> str:
    if told.exception:
        return "failed"
    return "done" if told.end_time else "unfinished"
