"""What came of a run, as a record beside its executed notebook."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from clickup_toolkit.errors import NotebookFailed, ToolkitError
from clickup_toolkit.schedule.report import read_facts
from clickup_toolkit.store import Live, RunRecord, write_record
from clickup_toolkit.store.live import left

__all__ = ["exit_code_of", "is_hopeless", "recorded"]

_log = structlog.get_logger("clickup_toolkit.schedule")
_COUNTS = ("tasks", "changed", "deleted", "requests", "throttled", "retries", "resumed")
_HOPELESS = frozenset({"SettingsError", "WorkspaceUnavailable", "TokenRejected"})


@contextmanager
def recorded(target: Path) -> Iterator[None]:
    """Write the record of the run that the block is, once its notebook is there; errors pass on."""
    began = time.time_ns() // 1_000_000
    earlier = left(target.parents[1])
    try:
        yield
    except ToolkitError as error:
        last = left(target.parents[1])
        _write(target, began, error, last if last != earlier else None)
        raise
    _write(target, began, None, None)


def is_hopeless(error: ToolkitError) -> bool:
    """Tell whether trying again changes nothing: a setting or the token must be put right first."""
    cause = getattr(error, "cause", None) or type(error)
    return error.exit_code == 2 or cause.__name__ in _HOPELESS


def exit_code_of(executed: Path) -> int:
    """Return 3 for a run that published with gaps, else 0."""
    return 3 if read_facts(executed).get("complete") is False else 0


def _write(target: Path, began: int, error: ToolkitError | None, last: Live | None) -> None:
    if not target.exists():
        return  # it never began, or found no room: there is nothing to stand beside
    try:
        write_record(target.parent, _record(target, began, error, last))
    except OSError as problem:
        _log.warning("schedule.record_not_kept", path=str(target), error=problem.strerror)


def _record(target: Path, began: int, error: ToolkitError | None, last: Live | None) -> RunRecord:
    finished = time.time_ns() // 1_000_000
    facts: dict[str, Any] = read_facts(target) or _facts_of(last)
    return RunRecord(
        name=target.stem,
        started=began,
        finished=finished,
        seconds=round((finished - began) / 1000, 1),
        outcome=_outcome(target, error),
        exit_code=error.exit_code if error else exit_code_of(target),
        version=facts.get("version", ""),
        mode=facts.get("mode", ""),
        gaps=len(facts.get("gaps", ())),
        message=error.message if error else "",
        remedy=error.remedy if error else "",
        **{name: facts.get(name, 0) for name in _COUNTS},
    )


def _facts_of(last: Live | None) -> dict[str, Any]:
    """Return what a run that failed had sent until then, as its export left it behind."""
    if last is None:
        return {}
    sent = last.traffic
    return {
        "mode": last.mode,
        "requests": sent.requests,
        "throttled": sent.throttled,
        "retries": sent.retries,
    }


def _outcome(target: Path, error: ToolkitError | None) -> str:
    if error is None:
        return "gaps" if exit_code_of(target) else "complete"
    return "stopped" if isinstance(error, NotebookFailed) and error.stopped else "failed"
