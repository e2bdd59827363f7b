"""History that ClickUp does not keep: status changes seen, tasks deleted, exports made."""

from __future__ import annotations

from clickup_toolkit.records import Export, Gap
from clickup_toolkit.store.carry import concerns_places
from clickup_toolkit.store.opening import Build
from clickup_toolkit.store.schema import INSTANT, run

__all__ = ["carry_history", "count_changed", "describe_export", "write_history"]

_KEPT = ("status_changes", "deleted_tasks", "missing_tasks", "exports")

_NEWLY = """
INSERT OR REPLACE INTO main.status_changes (task_id, changed_by, from_status, from_type, to_status, to_type,
    changed_after, changed_at, list_id)
SELECT id, received, from_status, from_type, status, status_type, after,
    CASE WHEN status_since > coalesce(after, '') THEN status_since END, list_id
FROM (
    SELECT t.id, now.received, was.status AS from_status, was.status_type AS from_type, t.status,
        t.status_type, t.status_since, t.list_id,
        CASE WHEN was.archived OR was.in_archived THEN then_.received
            ELSE max(coalesce(then_.received, ''),
                (SELECT started FROM before_exports ORDER BY version DESC LIMIT 1)) END AS after
    FROM {source}
    JOIN main.raw AS now ON now.kind = 'task' AND now.id = t.id
    LEFT JOIN before_tasks AS was ON was.id = t.id
    LEFT JOIN before_raw AS then_ ON then_.kind = 'task' AND then_.id = t.id
    WHERE was.id IS NULL OR was.status IS NOT t.status)
"""
_CHANGED = """
SELECT count(*) FROM {source} LEFT JOIN before_tasks AS was ON was.id = t.id
WHERE was.id IS NULL OR was.date_updated IS NOT t.date_updated
"""

# Who is found again is neither deleted nor missing.
_RETURNED = """
DELETE FROM main.deleted_tasks WHERE id IN (SELECT id FROM main.tasks);
DELETE FROM main.missing_tasks WHERE id IN (SELECT id FROM main.tasks);
"""
_ABSENT = """
INSERT OR IGNORE INTO main.{table}
SELECT id, name, status, list_id, space_id,
    (SELECT started FROM before_exports ORDER BY version DESC LIMIT 1), {now}
FROM before_tasks WHERE id NOT IN (SELECT id FROM main.tasks)
"""
_DECIDED = """
INSERT OR IGNORE INTO main.deleted_tasks
    SELECT id, name, status, list_id, space_id, last_seen, {now} FROM main.missing_tasks
"""


def _source(build: Build) -> str:
    if build.whole:
        return "main.tasks AS t"
    return "touched CROSS JOIN main.tasks AS t ON t.id = touched.id"


def count_changed(build: Build) -> int:
    """Return how many tasks are new, or changed since the previous export."""
    return int(build.db.execute(_CHANGED.format(source=_source(build))).fetchone()[0])


def carry_history(build: Build) -> None:
    """Carry over what earlier exports saw."""
    for table in _KEPT:
        build.db.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM before_{table}")  # noqa: S608


def write_history(build: Build, gaps: list[Gap]) -> int:
    """Carry history over and add what this crawl saw; return how many tasks it found deleted."""
    carry_history(build)
    if build.has_previous:
        build.db.execute(_NEWLY.format(source=_source(build)))
    run(build.db, _RETURNED)
    if build.incremental or not build.has_previous:
        return 0
    return _bury(build, complete=not any(map(concerns_places, gaps)))


def _bury(build: Build, *, complete: bool) -> int:
    """Call what a complete crawl no longer found deleted, and what another did not find missing."""
    db, now = build.db, {"now": build.journal.started}
    instant = INSTANT.format(":now")
    absent = _ABSENT.format(table="deleted_tasks" if complete else "missing_tasks", now=instant)
    found = db.execute(absent, now).rowcount
    if not complete:
        return 0
    found += db.execute(_DECIDED.format(now=instant), now).rowcount
    db.execute("DELETE FROM main.missing_tasks")
    return found


def describe_export(build: Build, version: str, gaps: list[Gap], changed: int, deleted: int) -> Export:
    """Return the row of this export, as far as the database tells it."""
    count = {
        table: int(build.db.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0])  # noqa: S608
        for table in ("tasks", "time_entries")
    }
    timed = build.db.execute("SELECT count(DISTINCT task_id) FROM main.time_in_status").fetchone()[0]
    return Export(
        version=version,
        started=build.journal.started,
        mode="incremental" if build.incremental else "full",
        complete=not gaps,
        tasks=count["tasks"],
        changed=changed,
        deleted=deleted,
        time_entries=count["time_entries"],
        time_in_status=int(timed),
        gaps=len(gaps),
        streams=" ".join(sorted(build.journal.streams)) or None,
        watermark=build.journal.watermark,
    )
