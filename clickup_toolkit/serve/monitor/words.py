"""What is going on, as the page says it: every figure in words, made here once for page and script."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from clickup_toolkit.serve.facts import LastExport
from clickup_toolkit.serve.monitor.state import Doing
from clickup_toolkit.serve.words import duration
from clickup_toolkit.store import Live, Traffic

__all__ = ["STEPS", "Shown", "show"]

STEPS = ("Get ready", "Read ClickUp", "Build the database", "Write Parquet", "Publish", "Finish the notebook")
"""What a run goes through, in its order."""

_READING, _FINISHING = 1, 5
_STEP_OF = {"start": 0, "database": 2, "columnar files": 3, "documents": 4}
_STAGES = {
    "start": "Getting ready",
    "database": "Building the database",
    "columnar files": "Writing the Parquet files",
    "documents": "Publishing the documents",
}
_UNITS = {"tasks": "tasks", "time in status": "tasks", "time entries": "entries", "documents": "tasks"}
_TITLES = {
    "idle": "No export is running",
    "preparing": "An export begins",
    "running": "An export is running",
    "finishing": "The export is done",
}
_MODES = {"full": "everything is read", "incremental": "what changed since the last export is read"}
_NEARLY = 0.99  # of a guessed total: it is not done before it is


class Shown(msgspec.Struct, kw_only=True):
    """What is going on, in words. ``step`` is a position in :data:`STEPS`, -1 while nothing goes on.

    ``progress`` is the share of the stage that is done, None where nobody knows. ``fields`` holds the
    figures by the name that they have in the page; ``said`` is what a screen reader is told when it changes.
    """

    state: str
    title: str
    step: int = -1
    progress: float | None = None
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    said: str = ""


def show(doing: Doing, now: datetime, last: LastExport | None, planned: datetime | None) -> Shown:
    """Return what is going on.

    ``last`` is the last export, by whose size a full one's is guessed; ``planned`` when the next run starts.
    """
    title = _TITLES[doing.state]
    if doing.live is not None:
        return _show_live(doing.live, title, now, last)
    stage = {"preparing": "Starting the notebook", "finishing": "Finishing the notebook"}.get(doing.state, "")
    fields = {"stage": stage, "resting": _resting(now, planned) if doing.state == "idle" else ""}
    step = {"preparing": 0, "finishing": _FINISHING}.get(doing.state, -1)
    return Shown(state=doing.state, title=title, step=step, fields=fields, said=title)


def _resting(now: datetime, planned: datetime | None) -> str:
    if planned is None:
        return "No run is planned. To export on schedule: clickup-toolkit up, or schedule."
    return (
        f"The next run starts in {duration((planned - now).total_seconds() * 1000)}, at {planned:%H:%M} UTC."
    )


def _show_live(live: Live, title: str, now: datetime, last: LastExport | None) -> Shown:
    step = _STEP_OF.get(live.stage, _READING)
    total, is_guess = _total(live, last)
    progress = min(live.done / total, _NEARLY if is_guess else 1.0) if total else None
    fields: dict[str, Any] = {
        "stage": _STAGES.get(live.stage, f"Reading {live.stage}"),
        "count": _count(live, total, is_guess),
        "elapsed": duration(now.timestamp() * 1000 - live.started),
        "mode": _MODES.get(live.mode, "not decided yet"),
        "next": STEPS[step + 1],
        **_traffic(live.traffic),
    }
    return Shown(
        state="running",
        title=title,
        step=step,
        progress=progress,
        fields=fields,
        said=f"{title}: {STEPS[step]}",
    )


def _total(live: Live, last: LastExport | None) -> tuple[int | None, bool]:
    """Return how much there is to do, if that can be told, and whether it is a guess."""
    if live.total or live.stage != "tasks" or live.mode != "full" or last is None:
        return live.total, False
    return max(last.tasks, live.done) or None, True


def _count(live: Live, total: int | None, is_guess: bool) -> str:
    unit = _UNITS.get(live.stage, "")
    if total:
        return f"{live.done:,} of {'about ' if is_guess else ''}{total:,} {unit}".strip()
    return f"{live.done:,} {unit}".strip() if live.done else ""


def _traffic(traffic: Traffic) -> dict[str, str]:
    return {
        "requests": f"{traffic.requests:,}",
        "throttled": f"{traffic.throttled:,}",
        "retries": f"{traffic.retries:,}",
        "budget": _budget(traffic),
        "waiting": _seconds(traffic.waiting_seconds) if traffic.waiting_seconds > 0 else "no",
    }


def _budget(traffic: Traffic) -> str:
    if not traffic.limit:
        return "not known yet"
    left = f"{traffic.remaining:,} of {traffic.limit:,} left"
    return left + (f", anew in {_seconds(traffic.reset_seconds)}" if traffic.reset_seconds > 0 else "")


def _seconds(seconds: float) -> str:
    return duration(max(1.0, seconds) * 1000)
