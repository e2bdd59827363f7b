"""Gaps that only the finished tables show: time that ClickUp counts, but does not tell (any more)."""

from __future__ import annotations

from clickup_toolkit.normalise.values import instant_text
from clickup_toolkit.records import Gap
from clickup_toolkit.store.opening import Build

__all__ = ["DERIVED", "missing_tasks", "missing_times"]

DERIVED = frozenset({"ABSENT", "LEFT", "NOT_FOUND", "TIME_MISSING"})
"""The codes of these gaps; every build finds them anew."""
_NAMED = 5


def missing_tasks(build: Build) -> list[Gap]:
    """Return the gap that says how many tasks of earlier exports were not found, and not found deleted."""
    count = build.db.execute("SELECT count(*) FROM main.missing_tasks").fetchone()[0]
    if not count:
        return []
    tasks = "1 task" if count == 1 else f"{count} tasks"
    return [
        Gap(
            "tasks",
            "",
            "NOT_FOUND",
            f"{tasks} of earlier exports were not found: deleted, or moved to where this one could not read.",
            "See the table missing_tasks; the next export without gaps in places tells which.",
        )
    ]


def missing_times(build: Build, gaps: list[Gap]) -> list[Gap]:
    """Return the gaps of time in status and of time entries that the tables show beside ``gaps``."""
    explained = {gap.id for gap in gaps if gap.what == "time_in_status"}
    found = [] if "" in explained else _without_time_in_status(build, explained)
    return found + _undertracked(build) + _of_people_who_left(build)


def _without_time_in_status(build: Build, explained: set[str]) -> list[Gap]:
    rows = build.db.execute(
        "SELECT id FROM main.tasks EXCEPT SELECT task_id FROM main.time_in_status ORDER BY id"
    )
    tasks = [task for (task,) in rows if task not in explained]
    if not tasks:
        return []
    count = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    named = ", ".join(tasks[:_NAMED]) + (", …" if len(tasks) > _NAMED else "")
    return [
        Gap(
            "time_in_status",
            "",
            "ABSENT",
            f"ClickUp has no time in status for {count}: {named}.",
            "Switch on the Time in Status ClickApp in the spaces of these tasks.",
        )
    ]


def _undertracked(build: Build) -> list[Gap]:
    rows = build.db.execute(
        "SELECT id, time_spent_ms - tracked_ms FROM main.tasks WHERE time_spent_ms > tracked_ms ORDER BY id"
    )
    return [
        Gap(
            "time_entries",
            task,
            "TIME_MISSING",
            f"ClickUp counts {missing / 60_000:.1f} minutes more on this task than the entries it gives.",
            "Compare with the task in ClickUp; the entries of a deleted person may be gone.",
        )
        for task, missing in rows
    ]


_LEFT = """
SELECT entry.member_id, coalesce(member.username, 'somebody'), count(*)
FROM main.time_entries AS entry JOIN main.members AS member ON member.id = entry.member_id
JOIN main.raw AS told ON told.kind = 'time_entry' AND told.id = entry.id
WHERE entry.task_id IS NULL AND member.state = 'left' AND told.received < ?
GROUP BY entry.member_id ORDER BY entry.member_id
"""


def _of_people_who_left(build: Build) -> list[Gap]:
    """Return a gap for everybody whose time without a task no full crawl was told again."""
    row = build.db.execute(
        "SELECT started FROM before_exports WHERE mode = 'full' ORDER BY version DESC LIMIT 1"
    ).fetchone()
    asked = row[0] if build.incremental and row else instant_text(build.journal.started)
    return [
        Gap(
            "time_entries",
            member,
            "LEFT",
            f"{count} time {'entry' if count == 1 else 'entries'} without a task, by {name}, who left: "
            "kept as earlier exports read them.",
            "None: ClickUp tells the time of people who left on tasks alone.",
        )
        for member, name, count in build.db.execute(_LEFT, (asked,))
    ]
