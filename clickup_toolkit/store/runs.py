"""What came of each scheduled run: ``runs/<name>.json``, beside the executed notebook ``<name>.ipynb``."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

__all__ = ["RunRecord", "read_record", "read_records", "write_record"]


class RunRecord(msgspec.Struct, kw_only=True):
    """One run. ``started`` and ``finished`` are ms since 1970 UTC.

    ``outcome`` is ``complete``, ``gaps`` (published, but not everything could be read), ``failed`` or
    ``stopped`` (with its scheduler: the next start takes it up). ``version`` is empty where nothing
    was published; of the counts only ``requests``, ``throttled`` and ``retries`` are not 0 then: what it had
    sent until its end. ``message`` says what failed and why, ``remedy`` what to do.
    """

    name: str
    started: int
    finished: int
    seconds: float
    outcome: str
    exit_code: int
    version: str = ""
    mode: str = ""
    tasks: int = 0
    changed: int = 0
    deleted: int = 0
    requests: int = 0
    throttled: int = 0
    retries: int = 0
    resumed: int = 0
    gaps: int = 0
    message: str = ""
    remedy: str = ""


def write_record(runs: Path, record: RunRecord) -> None:
    """Write the record beside its notebook, whole or not at all. Raises :class:`OSError`."""
    target = runs / f"{record.name}.json"
    aside = target.with_suffix(".json.new")
    try:
        with aside.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def read_record(path: Path) -> RunRecord | None:
    """Return a record; None where there is none, or one that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except (OSError, msgspec.DecodeError):
        return None


def read_records(runs: Path, at_most: int) -> list[RunRecord]:
    """Return the newest records, newest first. Names begin with the UTC time."""
    paths = sorted(runs.glob("[0-9]*Z*.json"), key=lambda path: path.stem, reverse=True)
    return [record for path in paths[:at_most] if (record := read_record(path))]
