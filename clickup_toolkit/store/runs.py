"""What came of each run: ``runs/<name>.json``, beside its notebook ``<name>.ipynb`` where it executed one."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

__all__ = ["RunRecord", "next_run", "read_record", "read_records", "write_record"]

_NAME = re.compile(r"(\d{8}T\d{6}Z)(-\d+)?\.(ipynb|json)")  # others are somebody's own
_TIME = "%Y%m%dT%H%M%SZ"
_MOST_A_SECOND = 1000


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


def next_run(runs: Path, keep: int, began: datetime | None = None) -> str:
    """Return the name of the next run; clear the oldest, so that with it ``keep`` are left.

    It is the UTC time at which it ``began`` (default: now), or a second behind the newest one's where that is
    later, as after the clock was set back: the order of names is that of runs. Raises :class:`OSError` when
    the folder cannot be used, or holds too many of that second.
    """
    runs.mkdir(parents=True, exist_ok=True)
    name = _next_second(runs, began or datetime.now(UTC))
    _clear(runs, keep)
    for number in range(1, _MOST_A_SECOND):
        told = name if number == 1 else f"{name}-{number}"
        if not any((runs / f"{told}{kind}").exists() for kind in (".ipynb", ".json")):
            return told
    raise FileExistsError(0, f"it holds {name} a thousand times: look at what starts so many runs")


def _next_second(runs: Path, began: datetime) -> str:
    then = f"{began:{_TIME}}"
    newest = max((found[1] for path in runs.iterdir() if (found := _NAME.fullmatch(path.name))), default="")
    if newest <= then:
        return then
    return f"{datetime.strptime(newest, _TIME).replace(tzinfo=UTC) + timedelta(seconds=1):{_TIME}}"


def _clear(runs: Path, keep: int) -> None:
    """Remove the runs that are too many, notebook and record."""
    ours = [path for path in runs.iterdir() if _NAME.fullmatch(path.name)]
    kept = set(sorted({path.stem for path in ours}, reverse=True)[: keep - 1])
    for path in ours:
        if path.stem not in kept:
            path.unlink(missing_ok=True)


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
