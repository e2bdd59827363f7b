"""What came of an export, as a record in ``runs/``, where the run monitor and the doctor look.

A scheduled run writes its record beside the notebook that it executed; :func:`recorded` is for exports
without one: ``clickup-toolkit export``, and each workspace of many.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import structlog

from clickup_toolkit import store
from clickup_toolkit.errors import ExportRunning, ToolkitError
from clickup_toolkit.export import Report
from clickup_toolkit.settings import Settings

__all__ = ["Ended", "make_record", "now_ms", "recorded", "sent_until"]

_log = structlog.get_logger(__name__)
_COUNTS = ("tasks", "changed", "deleted", "requests", "throttled", "retries", "resumed")
_INTERRUPTED = 130  # as `export` ends when it is stopped


class Ended(NamedTuple):
    """How a run ended, as :class:`~clickup_toolkit.store.RunRecord` tells it."""

    outcome: str
    exit_code: int
    message: str = ""
    remedy: str = ""


@contextmanager
def recorded(
    settings: Settings, clean: Callable[[str], str] = lambda text: text
) -> Iterator[Callable[[Report], None]]:
    """Write the record of the export that the block is; give a function that takes its report.

    What goes wrong in the block passes on; ``clean`` takes out of its words what nobody shall read. There is
    no record where the block ends without a report, nor where another export was running: that one has its
    own. A record that cannot be written is logged, and missing.
    """
    began, earlier = now_ms(), store.left(settings.data_dir)
    reports: list[Report] = []
    try:
        yield reports.append
    except ExportRunning:
        raise
    except (Exception, KeyboardInterrupt) as error:
        last = store.left(settings.data_dir)
        facts = _facts(reports) or sent_until(last if last != earlier else None)
        _write(settings, began, facts, _failed(error, clean))
        raise
    for report in reports:
        outcome = "complete" if report.complete else "gaps"
        _write(settings, began, _facts(reports), Ended(outcome, report.exit_code))


def make_record(name: str, began: int, facts: Mapping[str, Any], ended: Ended) -> store.RunRecord:
    """Return the record of a run that ends now.

    ``began`` is in ms since 1970 UTC, ``facts`` are those of a report, or of :func:`sent_until`.
    """
    finished = now_ms()
    return store.RunRecord(
        name=name,
        started=began,
        finished=finished,
        seconds=round((finished - began) / 1000, 1),
        version=facts.get("version", ""),
        mode=facts.get("mode", ""),
        gaps=len(facts.get("gaps", ())),
        **ended._asdict(),
        **{count: facts.get(count, 0) for count in _COUNTS},
    )


def sent_until(last: store.Live | None) -> dict[str, Any]:
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


def now_ms() -> int:
    """Return the time, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _facts(reports: list[Report]) -> dict[str, Any]:
    return msgspec.structs.asdict(reports[-1]) if reports else {}


def _failed(error: BaseException, clean: Callable[[str], str]) -> Ended:
    if isinstance(error, KeyboardInterrupt):
        return Ended("stopped", _INTERRUPTED)
    if not isinstance(error, ToolkitError):
        error = ToolkitError(f"{type(error).__name__}: {error}")
    return Ended("failed", error.exit_code, clean(error.message), clean(error.remedy))


def _write(settings: Settings, began: int, facts: Mapping[str, Any], ended: Ended) -> None:
    runs = settings.data_dir / "runs"
    try:
        name = store.next_run(runs, settings.keep_runs, datetime.fromtimestamp(began / 1000, UTC))
        store.write_record(runs, make_record(name, began, facts, ended))
    except OSError as problem:
        _log.warning("export.record_not_kept", path=str(runs), error=problem.strerror)
