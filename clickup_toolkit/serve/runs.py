"""The runs in ``runs/``: the executed notebook of each, if it had one, and the record of how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from clickup_toolkit.serve.words import instant, moment
from clickup_toolkit.store import RunRecord, read_record

__all__ = ["Run", "find_run", "last_run", "list_runs", "named_for", "newest_run"]

_OUTCOMES = {"gaps": "with gaps"}
_TONES = {"complete": "done", "done": "done", "failed": "failed"}
_NOTEBOOK = ".ipynb"
_FRESH_SECONDS = 30.0  # papermill writes a notebook anew with every cell, and now and then in between


class Run(NamedTuple):
    """A run, with what is known of it. ``path`` is its executed notebook, or its record if it had none.

    ``state`` is the outcome in a word: ``complete``, ``with gaps``, ``failed``, ``stopped``; without a
    ``record`` what the notebook tells: ``done``, ``failed``, ``running``, ``cut off``.
    """

    name: str
    path: Path
    state: str
    started: datetime | None
    seconds: float | None
    size: int
    record: RunRecord | None = None

    @property
    def has_notebook(self) -> bool:
        """Whether it executed a notebook, as exports on schedule do."""
        return self.path.suffix == _NOTEBOOK

    @property
    def title(self) -> str:
        """When it began, as people read it; its name where nothing tells."""
        began = self.started or named_for(self.name)
        return self.name if began is None else moment(began)

    @property
    def tone(self) -> str:
        """How it went, as the stylesheets call it: ``done``, ``failed``, or ``unfinished`` for in between."""
        return _TONES.get(self.state, "unfinished")


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
    paths = sorted(_by_name(folder).values(), key=lambda path: path.stem, reverse=True)
    return list(_read(paths[:at_most])), len(paths)


def find_run(folder: Path, name: str) -> Run | None:
    """Return the run of this name, or None; a name never leads out of the folder."""
    path = folder / f"{name}{_NOTEBOOK}"
    if path.parent != folder or "\0" in name:
        return None
    found = next(_read([path]), None)
    return found or next(_read([path for path in _records(folder) if path.stem == name]), None)


def newest_run(folder: Path) -> str:
    """Return the name of the newest run of a schedule; empty where there is none."""
    return max((path.stem for path in folder.glob("[0-9]*Z*.ipynb")), default="")


def last_run(folder: Path) -> str:
    """Return the name of the newest run, whatever began it; empty where there is none."""
    return max([newest_run(folder), *(path.stem for path in _records(folder))])


def named_for(name: str) -> datetime | None:
    """Return the instant that a run's name begins with; None where it begins with none."""
    try:
        return datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _by_name(folder: Path) -> dict[str, Path]:
    """Return the file of each run: its notebook if there is one, else its record."""
    files = [*_records(folder), *folder.glob(f"*{_NOTEBOOK}")]
    return {path.stem: path for path in files}


def _records(folder: Path) -> Iterator[Path]:
    return folder.glob("[0-9]*Z*.json")


def _read(paths: list[Path]) -> Iterator[Run]:
    for path in paths:
        try:
            about = path.stat()
            record = read_record(path.with_suffix(".json"))
            if record is not None:
                yield _of_record(path, about.st_size, record)
            elif path.suffix == _NOTEBOOK:
                yield _of_notebook(path, path.read_bytes(), time.time() - about.st_mtime)
        except OSError:
            continue  # removed since it was listed


def _of_record(path: Path, size: int, record: RunRecord) -> Run:
    started = datetime.fromtimestamp(record.started / 1000, UTC)
    state = _OUTCOMES.get(record.outcome, record.outcome)
    return Run(path.stem, path, state, started, record.seconds, size, record)


def _of_notebook(path: Path, text: bytes, age: float) -> Run:
    try:
        told = _decode(text).metadata.papermill
    except msgspec.DecodeError:
        told = _Papermill()  # being written right now
    started = instant(told.start_time) if told.start_time else None
    return Run(path.stem, path, _state(told, age), started, told.duration, len(text))


def _state(told: _Papermill, age: float) -> str:
    if told.exception:
        return "failed"
    if told.end_time:
        return "done"
    return "running" if age < _FRESH_SECONDS else "cut off"
