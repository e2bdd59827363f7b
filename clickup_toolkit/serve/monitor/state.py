"""What is going on in the data folder: an export, a notebook before or after its export, or nothing."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from clickup_toolkit.serve.runs import find_run, named_for, newest_run
from clickup_toolkit.serve.words import instant
from clickup_toolkit.store import Live, live

__all__ = ["Doing", "is_under_way", "look", "next_run"]

_CLOSING_SECONDS = 5.0  # between the last writing of a notebook and the record of its run its kernel ends


class Doing(NamedTuple):
    """``state`` is ``running`` (``live`` tells the details), ``preparing``, ``finishing`` or ``idle``.

    A run prepares before its export and finishes after it: a kernel starts, charts are drawn. ``notebook``
    names the run whose notebook is being executed; it is empty for an export without one.
    """

    state: str
    live: Live | None = None
    notebook: str = ""


def look(data_dir: Path, exported: datetime | None, *, asked: bool = False) -> Doing:
    """Look what is going on. ``exported`` is when the last export ended.

    ``asked`` says that an export was asked for that did not begin yet.
    """
    notebook = _executing(data_dir / "runs")
    if (doing := live(data_dir)) is not None:
        return Doing("running", doing, _without_record(data_dir / "runs"))
    if not notebook:
        return Doing("preparing" if asked else "idle")
    began = named_for(notebook)
    is_done = exported is not None and began is not None and exported > began
    return Doing("finishing" if is_done else "preparing", None, notebook)


def is_under_way(data_dir: Path) -> bool:
    """Tell whether an export runs, or a run that is about to begin or to end one."""
    return look(data_dir, None).state != "idle"


def next_run(data_dir: Path) -> datetime | None:
    """Return when the scheduler means to run next; None where there is no plan, or nobody keeps it."""
    try:
        then = instant(str(json.loads((data_dir / "schedule.json").read_bytes())["next"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return then if then > datetime.now(UTC) else None


def _without_record(runs: Path) -> str:
    """Return the newest run if it has no record yet, as one has that ended; else an empty text."""
    name = newest_run(runs)
    return "" if not name or (runs / f"{name}.json").exists() else name


def _executing(runs: Path) -> str:
    name = _without_record(runs)
    run = find_run(runs, name) if name else None
    if run is None:
        return ""
    return name if run.state == "running" or _age(run.path) < _CLOSING_SECONDS else ""


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf  # cleared meanwhile
