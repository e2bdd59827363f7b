"""What could not be read this time, as earlier exports held it.

A list that refuses itself today has not lost its tasks. What the previous export held of a place that a gap
covers, and this crawl did not see, is kept, each thing with the instant as of which it holds; the gap says
how much that is. So nothing is lost, nothing is called deleted, and nothing old passes for new.
"""

from __future__ import annotations

from collections.abc import Callable

from clickup_toolkit.normalise.values import EARLIEST, LATEST, integer
from clickup_toolkit.records import Gap
from clickup_toolkit.store.missing import DERIVED
from clickup_toolkit.store.opening import Build
from clickup_toolkit.store.schema import INSTANT, run

__all__ = ["carry_unread", "concerns_places", "unsettled_gaps"]

_NOT_PLACES = frozenset(
    {
        "plan",
        "user",
        "members",
        "teams",
        "tags",
        "custom_fields",
        "task_types",
        "home_lists",
        "comments",
        "task_details",
        "goals",
        "docs",
        "doc_pages",
    }
)


def unsettled_gaps(build: Build) -> list[Gap]:
    """Return the gaps of the previous export about what an incremental crawl did not ask for again."""
    if not build.incremental:
        return []
    earlier = [Gap(*row) for row in build.db.execute("SELECT * FROM before_gaps")]
    return [gap for gap in earlier if gap.code not in DERIVED and not build.journal.covers(gap)]


def concerns_places(gap: Gap) -> bool:
    """Tell whether a gap may hide tasks: then no task that is missing may be called deleted."""
    return gap.what not in _NOT_PLACES and not gap.what.startswith("time_")


def carry_unread(build: Build, gaps: list[Gap]) -> list[Gap]:
    """Keep what the previous export held of what the gaps cover; return the gaps, saying so."""
    if not build.has_previous:
        return gaps
    _keep_legacy_times(build)
    _keep_times_of_left(build)
    return [_carry(build, gap) for gap in gaps]


def _carry(build: Build, gap: Gap) -> Gap:
    keep = _KEEPERS.get(gap.what)
    kept = keep(build, gap) if keep else ""
    return gap._replace(message=f"{gap.message} {kept}".strip()) if kept else gap


def _is_everything(build: Build, gap: Gap) -> bool:
    return gap.id in ("", build.journal.team_id)


# The lists that a gap covers: the one it names, those of the folder, with its subfolders, or space it names;
# all, or all shared ones, where it names none.
_REGION = """
CREATE TEMP TABLE region AS
WITH RECURSIVE below (id) AS (
    SELECT id FROM before_folders WHERE :all OR (:shared AND shared) OR id = :id OR space_id = :id
    UNION SELECT f.id FROM before_folders AS f JOIN below ON f.parent_folder_id = below.id)
SELECT id, 'folder' AS kind FROM below
UNION SELECT id, 'list' FROM before_lists
    WHERE :all OR (:shared AND shared) OR id = :id OR space_id = :id OR folder_id IN (SELECT id FROM below)
UNION SELECT id, 'space' FROM before_spaces WHERE :all
"""
_KEEP_REGION = """
INSERT OR IGNORE INTO main.spaces SELECT * FROM before_spaces
    WHERE id IN (SELECT id FROM region WHERE kind = 'space');
INSERT OR IGNORE INTO main.folders SELECT * FROM before_folders
    WHERE id IN (SELECT id FROM region WHERE kind = 'folder');
INSERT OR IGNORE INTO main.lists SELECT * FROM before_lists
    WHERE id IN (SELECT id FROM region WHERE kind = 'list');
INSERT OR IGNORE INTO main.statuses SELECT * FROM before_statuses
    WHERE list_id IN (SELECT id FROM region WHERE kind = 'list')
    AND list_id NOT IN (SELECT list_id FROM main.statuses);
INSERT OR IGNORE INTO main.raw SELECT r.* FROM region JOIN before_raw AS r ON r.kind = region.kind
    AND r.id = region.id;
"""
_KEEP_TASKS = """
INSERT OR IGNORE INTO main.raw SELECT r.* FROM before_tasks AS t
    JOIN before_raw AS r ON r.kind = 'task' AND r.id = t.id
    WHERE (t.archived OR NOT :archived) AND (:all OR t.id = :id OR t.space_id = :id
    OR t.list_id = :id OR EXISTS (SELECT 1 FROM before_task_lists AS seen WHERE seen.task_id = t.id
        AND (seen.list_id = :id OR seen.list_id IN (SELECT id FROM region WHERE kind = 'list'))))
"""
_KEEP_TIMES = """
INSERT OR IGNORE INTO main.raw SELECT r.* FROM before_raw AS r WHERE r.kind = 'time_in_status'
    AND EXISTS (SELECT 1 FROM main.raw AS task WHERE task.kind = 'task' AND task.id = r.id)
"""
_OF_ONE = " AND r.id = :id"  # a condition of its own, found by key: there may be a gap for every task


# A gap names the members, and, where only a part of their time could not be read, from when to when (ms).
_KEEP_ENTRIES = f"""
INSERT OR IGNORE INTO main.raw SELECT r.* FROM before_time_entries AS e
    JOIN before_raw AS r ON r.kind = 'time_entry' AND r.id = e.id
    WHERE e.route = 'member' AND (:id = '' OR e.member_id = :id) AND (e.start IS NULL
    OR e.start BETWEEN {INSTANT.format(":start")} AND {INSTANT.format(":end")})
"""  # noqa: S608  # our own text


def _keep_places(build: Build, gap: Gap) -> str:
    db, everything = build.db, _is_everything(build, gap)
    shared, archived = gap.what == "shared", gap.what == "archived_tasks"
    whose = {"id": gap.id, "all": everything and not shared, "shared": shared, "archived": archived}
    db.execute("DROP TABLE IF EXISTS temp.region")
    db.execute(_REGION, whose)
    run(db, _KEEP_REGION)
    if build.incremental:
        return ""  # its tasks are still there
    kept = db.execute(_KEEP_TASKS, whose).rowcount
    if kept:
        # Time in status is not asked for tasks that were not seen.
        db.execute(
            "INSERT OR IGNORE INTO main.raw SELECT times.* FROM before_raw AS times "
            "JOIN before_raw AS old ON old.kind = 'task' AND old.id = times.id "
            "JOIN main.raw AS task ON task.kind = 'task' AND task.id = old.id "
            "AND task.received = old.received "
            "WHERE times.kind = 'time_in_status'"
        )
    return _told(kept, "task is", "tasks are")


def _keep_times_in_status(build: Build, gap: Gap) -> str:
    if build.incremental:
        return ""
    statement = _KEEP_TIMES if _is_everything(build, gap) else _KEEP_TIMES + _OF_ONE
    kept = build.db.execute(statement, {"id": gap.id}).rowcount
    return _told(kept, "time in status is", "times in status are")


def _keep_time_entries(build: Build, gap: Gap) -> str:
    if build.incremental:
        return ""
    people, _, span = ("" if _is_everything(build, gap) else gap.id).partition(" ")
    start, _, end = span.partition("-")
    bounds = {"start": integer(start) or EARLIEST, "end": integer(end) or LATEST}
    kept = sum(
        build.db.execute(_KEEP_ENTRIES, {"id": member, **bounds}).rowcount for member in people.split(",")
    )
    return _told(kept, "time entry is", "time entries are")


def _keep_legacy_times(build: Build) -> None:
    """Keep the entries that were read task by task: they are asked for again only where they changed."""
    if not build.incremental:
        build.db.execute(
            "INSERT OR IGNORE INTO main.raw SELECT r.* FROM before_time_entries AS e "
            "JOIN before_raw AS r ON r.kind = 'legacy_time' AND r.id = e.id "
            "WHERE e.route = 'task' AND e.task_id NOT IN (SELECT id FROM asked_tasks)"
        )


def _keep_times_of_left(build: Build) -> None:
    """Keep what members had tracked before they left: nobody can ask for it by person any more.

    An entry on a task that was asked for everybody's time stays where that answer holds it, too.
    """
    if not build.incremental:
        build.db.execute(
            "INSERT OR IGNORE INTO main.raw SELECT r.* FROM before_time_entries AS e "
            "JOIN before_raw AS r ON r.kind = 'time_entry' AND r.id = e.id "
            "WHERE e.route = 'member' AND e.member_id NOT IN (SELECT id FROM main.members) "
            "AND (e.task_id IS NULL OR e.task_id NOT IN (SELECT id FROM asked_tasks) OR EXISTS ("
            "  SELECT 1 FROM main.raw AS told WHERE told.kind = 'legacy_time' AND told.id = e.id))"
        )


def _keep_rows(table: str, place: str) -> Callable[[Build, Gap], str]:
    def keep(build: Build, gap: Gap) -> str:
        whose = {"id": gap.id, "all": _is_everything(build, gap)}
        build.db.execute(
            f"INSERT OR IGNORE INTO main.{table} SELECT * FROM before_{table} "  # noqa: S608  # our own names
            f"WHERE :all OR {place} = :id",
            whose,
        )
        return ""

    return keep


_KEEPERS: dict[str, Callable[[Build, Gap], str]] = {
    "spaces": _keep_places,
    "folders": _keep_places,
    "lists": _keep_places,
    "archived_spaces": _keep_places,
    "archived_folders": _keep_places,
    "archived_lists": _keep_places,
    "tasks": _keep_places,
    "archived_tasks": _keep_places,
    "shared": _keep_places,
    "time_in_status": _keep_times_in_status,
    "time_entries": _keep_time_entries,
    "tags": _keep_rows("tags", "space_id"),
    "custom_fields": _keep_rows("custom_fields", "scope_id"),
    "task_types": _keep_rows("task_types", "id"),
    "members": _keep_rows("members", "id"),
    "teams": _keep_rows("members", "id"),
}


def _told(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many} kept as earlier exports read them." if count > 0 else ""
