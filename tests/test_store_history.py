"""What no API keeps: status changes seen, tombstones; and what could not be read this time."""

from __future__ import annotations

from pathlib import Path

from tests.journals import HOUR, STARTED, Crawl, entry, rows, stays, task

NEXT = STARTED + 5 * HOUR
LATER = NEXT + 5 * HOUR


def first(folder: Path) -> Path:
    """Build a first export of three tasks in two lists."""
    crawl = Crawl(folder).structure().tasks(task("a"), task("b"), task("c", at="L2"))
    crawl.times(a=stays(("to do", 5, STARTED - HOUR)), c=stays(("to do", 5, STARTED - HOUR)))
    return crawl.entries(entry("e", "a", 5, 5), entry("f", "b", 5, 5, member=2), members="1,2").build()[0]


def test_status_changes_are_seen_between_exports(tmp_path: Path) -> None:
    """A change lies between two exports; a new task came from nowhere; the first export tells none."""
    before = first(tmp_path)
    assert rows(before, "status_changes") == []
    crawl = Crawl(tmp_path, started=NEXT).structure()
    crawl.tasks(task("a", "in progress"), task("b"), task("c", at="L2"), task("d"))
    since = NEXT - HOUR
    database, _ = crawl.times(a=stays(("to do", 9, 5), ("in progress", 60, since))).build(previous=before)
    seen = [
        ("a", "2025-11-23T15:00:05.000Z", "to do", "open", "in progress", "custom",
         "2025-11-23T10:00:05.000Z", "2025-11-23T14:00:00.000Z", "L1"),
        ("d", "2025-11-23T15:00:05.000Z", None, None, "to do", "open",
         "2025-11-23T10:00:00.000Z", None, "L1"),
    ]  # fmt: skip
    assert rows(database, "status_changes") == seen
    crawl = Crawl(tmp_path, "incremental", LATER).structure().tasks(task("d", "Closed"))
    last, _ = crawl.build(previous=database)
    assert [row[:2] + row[2:6:2] for row in rows(last, "status_changes")] == [
        ("a", "2025-11-23T15:00:05.000Z", "to do", "in progress"),
        ("d", "2025-11-23T15:00:05.000Z", None, "to do"),
        ("d", "2025-11-23T20:00:05.000Z", "to do", "Closed"),
    ]
    assert [version for version, *_ in rows(last, "exports")] == [f"v{at}" for at in (STARTED, NEXT, LATER)]


def test_a_complete_crawl_leaves_tombstones(tmp_path: Path) -> None:
    """A task that a complete crawl no longer finds was deleted; when it is back, it was not."""
    before = first(tmp_path)
    crawl = Crawl(tmp_path, started=NEXT).structure().tasks(task("a"), task("c", at="L2"))
    second, export = crawl.build(previous=before)
    assert (export.tasks, export.deleted) == (2, 1)
    assert rows(second, "deleted_tasks") == [
        ("b", "Task b", "to do", "L1", "S1", "2025-11-23T10:00:00.000Z", "2025-11-23T15:00:00.000Z")
    ]
    crawl = Crawl(tmp_path, "incremental", LATER).structure().tasks(task("b"))
    third, _ = crawl.build(previous=second)
    assert rows(third, "deleted_tasks") == []
    assert rows(third, "SELECT id FROM tasks") == [("a",), ("b",), ("c",)]


def test_what_a_gap_covers_is_kept_and_the_rest_is_missing(tmp_path: Path) -> None:
    """With a list unreadable its tasks stay as they were; a task missing elsewhere is not called deleted."""
    before = first(tmp_path)
    crawl = Crawl(tmp_path, started=NEXT).structure().tasks(task("a")).lacks("tasks", "L2")
    second, export = crawl.build(previous=before)
    assert rows(second, "SELECT id, as_of, status_ms FROM tasks") == [
        ("a", "2025-11-23T15:00:05.000Z", None),
        ("c", "2025-11-23T10:00:06.000Z", 300_000),
    ]
    assert rows(second, "deleted_tasks") == []
    assert rows(second, "missing_tasks") == [
        ("b", "Task b", "to do", "L1", "S1", "2025-11-23T10:00:00.000Z", "2025-11-23T15:00:00.000Z")
    ]
    assert rows(second, "SELECT id, message FROM gaps WHERE code <> 'ABSENT' ORDER BY id") == [
        ("", "1 task of earlier exports were not found: deleted, or moved to where this one could not read."),
        ("L2", "Refused. 1 task is kept as earlier exports read them."),
    ]
    assert (export.tasks, export.deleted, export.complete) == (2, 0, False)
    third, export = Crawl(tmp_path, started=LATER).structure().tasks(task("a")).build(previous=second)
    assert rows(third, "SELECT id, last_seen, missed_by FROM deleted_tasks ORDER BY id") == [
        ("b", "2025-11-23T10:00:00.000Z", "2025-11-23T20:00:00.000Z"),
        ("c", "2025-11-23T15:00:00.000Z", "2025-11-23T20:00:00.000Z"),
    ]
    assert (rows(third, "missing_tasks"), export.deleted) == ([], 2)


def test_a_missing_task_that_is_found_is_not_missing(tmp_path: Path) -> None:
    """Found again, in whatever list, the task is a task."""
    before = first(tmp_path)
    crawl = Crawl(tmp_path, started=NEXT).structure().tasks(task("a")).lacks("tasks_changed_meanwhile")
    second, _ = crawl.build(previous=before)
    assert [key for key, *_ in rows(second, "missing_tasks")] == ["b", "c"]
    crawl = (
        Crawl(tmp_path, started=LATER).structure().tasks(task("a"), task("b", at="L2"), task("c", at="L2"))
    )
    third, export = crawl.build(previous=second)
    assert rows(third, "missing_tasks") + rows(third, "deleted_tasks") == []
    assert export.deleted == 0


def test_a_place_that_could_not_be_read_is_kept_with_all_below(tmp_path: Path) -> None:
    """Folders and lists of a space whose folders were refused stay, with their tasks and statuses."""
    before = first(tmp_path)
    crawl = Crawl(tmp_path, started=NEXT)
    crawl.says("teams", {"teams": [{"id": "9", "members": []}]})
    crawl.says("spaces", {"spaces": [{"id": "S1", "name": "Product"}]}, archived="false")
    second, _ = crawl.lacks("folders", "S1").build(previous=before)
    assert rows(second, "SELECT id, name FROM folders") == [("F1", "Web")]
    assert rows(second, "SELECT id FROM lists ORDER BY id") == [("L1",), ("L2",)]
    assert rows(second, "SELECT count(*) FROM statuses") == [(6,)]
    assert rows(second, "SELECT id, list_name FROM tasks") == [("a", "Board"), ("b", "Board"), ("c", "Inbox")]
    assert rows(second, "deleted_tasks") == []


def test_time_that_could_not_be_read_is_kept(tmp_path: Path) -> None:
    """Entries of a member who is refused today, and time in status that failed, stay as they were."""
    before = first(tmp_path)
    people = {1: "Ada", 2: "Bob"}
    crawl = Crawl(tmp_path, started=NEXT).structure(people=people)
    crawl.tasks(task("a"), task("b"), task("c", at="L2"))
    crawl.lacks("time_entries", "2", "TIMEENTRY_059").lacks("time_in_status", "a", "HTTP_500")
    second, _ = crawl.build(previous=before)
    assert rows(second, "SELECT id, member_id FROM time_entries") == [("f", "2")]
    assert rows(second, "SELECT task_id, as_of FROM time_in_status") == [("a", "2025-11-23T10:00:06.000Z")]
    assert rows(second, "SELECT as_of, status_ms FROM tasks WHERE id = 'a'") == [
        ("2025-11-23T15:00:05.000Z", 300_000 + 5 * HOUR - 1000)
    ]
    assert rows(second, "SELECT what, message FROM gaps WHERE code <> 'ABSENT'") == [
        ("time_entries", "Refused. 1 time entry is kept as earlier exports read them."),
        ("time_in_status", "Refused. 1 time in status is kept as earlier exports read them."),
    ]


def test_only_the_unread_span_of_a_members_time_is_kept(tmp_path: Path) -> None:
    """A gap that names a span keeps the entries in it, and no others."""
    crawl = Crawl(tmp_path).structure().tasks(task("a"))
    before, _ = crawl.entries(entry("in", "a", 5000, 5), entry("out", "a", 90_000, 5)).build()
    crawl = Crawl(tmp_path, started=NEXT).structure().tasks(task("a")).lacks("time_entries", "1,2 0-60000")
    second, _ = crawl.build(previous=before)
    assert rows(second, "SELECT id FROM time_entries") == [("in",)]


def test_another_workspaces_database_is_no_previous_one(tmp_path: Path) -> None:
    """Nothing is carried over between workspaces."""
    other, _ = Crawl(tmp_path, team="8").tasks(task("x")).build("other")
    second, export = Crawl(tmp_path, started=NEXT).structure().tasks(task("a")).build(previous=other)
    assert (export.deleted, rows(second, "deleted_tasks"), len(rows(second, "exports"))) == (0, [], 1)


def test_time_that_clickup_counts_but_does_not_tell_is_a_gap(tmp_path: Path) -> None:
    """Tasks without time in status are one gap together; each task with untold tracked time is its own."""
    crawl = Crawl(tmp_path).structure().tasks(task("a", time_spent=90_000), task("b"))
    database, _ = crawl.entries(entry("e", "a", 5000, 30_000)).build()
    assert rows(database, "SELECT what, id, code, message FROM gaps") == [
        ("time_entries", "a", "TIME_MISSING",
         "ClickUp counts 1.0 minutes more on this task than the entries it gives."),
        ("time_in_status", "", "ABSENT", "ClickUp has no time in status for 2 tasks: a, b."),
    ]  # fmt: skip
