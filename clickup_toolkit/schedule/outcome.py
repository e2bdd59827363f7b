"""What came of a run, as a record beside its executed notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from clickup_toolkit.errors import NotebookFailed, ToolkitError
from clickup_toolkit.recording import Ended, make_record, now_ms, sent_until
from clickup_toolkit.schedule.report import read_facts
from clickup_toolkit.store import Live, RunRecord, write_record
from clickup_toolkit.store.live import left

__all__ = ["exit_code_of", "is_hopeless", "recorded"]

_log = structlog.get_logger("clickup_toolkit.schedule")
_HOPELESS = frozenset({"SettingsError", "WorkspaceUnavailable", "TokenRejected"})


@contextmanager
def recorded(target: Path) -> Iterator[None]:
    """Write the record of the run that the block is, once its notebook is there; errors pass on."""
    began = now_ms()
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
    facts = read_facts(target) or sent_until(last)
    if error is None:
        code = exit_code_of(target)
        return make_record(target.stem, began, facts, Ended("gaps" if code else "complete", code))
    ended = Ended(_outcome(error), error.exit_code, error.message, error.remedy)
    return make_record(target.stem, began, facts, ended)


def _outcome(error: ToolkitError) -> str:
    return "stopped" if isinstance(error, NotebookFailed) and error.stopped else "failed"
