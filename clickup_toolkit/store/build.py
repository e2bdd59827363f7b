"""Builds the next database from a journal: the way from pages to tables, top to bottom."""

from __future__ import annotations

import ctypes
import gc
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from clickup_toolkit.records import Export, Gap
from clickup_toolkit.store.carry import carry_unread, unsettled_gaps
from clickup_toolkit.store.derive import derive_rows, derives_again
from clickup_toolkit.store.extras import add_extras
from clickup_toolkit.store.files import building, storage_errors
from clickup_toolkit.store.gather import gather
from clickup_toolkit.store.history import count_changed, describe_export, write_history
from clickup_toolkit.store.journal import Journal
from clickup_toolkit.store.missing import missing_tasks, missing_times
from clickup_toolkit.store.opening import Build, opened
from clickup_toolkit.store.reports import STALE_DAYS
from clickup_toolkit.store.rows import insert
from clickup_toolkit.store.views import finish_for_readers
from clickup_toolkit.store.writes import written

__all__ = ["build_database", "finish", "give_memory_back"]


def build_database(
    journal: Journal,
    target: Path,
    *,
    previous: Path | None,
    version: str,
    now: Callable[[], float] = time.time,
    stale_days: float = STALE_DAYS,
) -> Export:
    """Build the database ``target`` from a finished crawl, whole or not at all, and return its export's row.

    ``previous`` is the database of the export before, from which history is carried over, and on which an
    incremental crawl builds; ``stale_days`` is what its report of stale tasks goes by. Raises
    :class:`~clickup_toolkit.errors.StorageError`; then ``target`` and
    ``previous`` are as they were.
    """
    with (
        storage_errors(target),
        _memory_given_back(),
        _without_collector(),
        building(target) as aside,
        opened(aside, journal, previous) as build,
    ):
        return _fill(build, version, now, stale_days)


@contextmanager
def _memory_given_back() -> Iterator[None]:
    """Give what was freed before and within back to the system.

    Otherwise the steps that follow come on top of it: 21 MB behind a build, whatever its size.
    """
    give_memory_back()
    try:
        yield
    finally:
        give_memory_back()


def give_memory_back() -> None:
    """Give what was freed back to the system, where the C library can do that."""
    getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Rest Python's cycle collector: it would go through millions of rows, and rows have no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _fill(build: Build, version: str, now: Callable[[], float], stale_days: float) -> Export:
    gaps = gather(build)
    earlier = [gap for gap in unsettled_gaps(build) if not derives_again(build, gap)]
    gaps = carry_unread(build, _each_once([*earlier, *build.journal.gaps(), *gaps]))
    gaps = _each_once([*gaps, *derive_rows(build)])
    gaps += add_extras(build)
    gaps += missing_times(build, gaps)
    deleted = write_history(build, gaps)
    gaps += missing_tasks(build)
    export = describe_export(build, version, gaps, count_changed(build), deleted)
    build.db.execute("DELETE FROM main.gaps")
    insert(build.db, gaps)
    tables = None if build.whole else " ".join(sorted({*written(build.db), "exports"}))
    export = export._replace(finished=round(now() * 1000), written=tables)
    insert(build.db, [export])
    finish_for_readers(build.db, whole=build.whole, stale_days=stale_days)
    build.db.execute("PRAGMA analysis_limit = 1000")
    build.db.execute("ANALYZE main")
    return export


def _each_once(gaps: list[Gap]) -> list[Gap]:
    return list({gap[:3]: gap for gap in gaps}.values())


def finish(database: Path, export: Export) -> None:
    """Write the final row of an export into its database, before that becomes the current one."""
    with storage_errors(database), closing(sqlite3.connect(database)) as db, db:
        insert(db, [export])
