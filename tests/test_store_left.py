"""People who left, lists out of sight, and a last export that is gone: what earlier crawls knew of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from clickup_toolkit.settings import Secret
from clickup_toolkit.store import open_journal
from tests.journals import HOUR, STARTED, Crawl, entry, person, rows, task

NEXT = STARTED + 5 * HOUR
SOURCE = ("https://api.example.com", Secret("pk_1"))
BOTH = {1: "Ada", 2: "Bob"}
ENTRIES = "SELECT id, task_id, description, billable, route FROM time_entries ORDER BY id"


def _before(folder: Path) -> Path:
    """Export the time of two members: two entries of Bob's lie on a task, and one on none."""
    crawl = Crawl(folder).structure(people=BOTH).tasks(task("a", time_spent=3 * HOUR))
    crawl.entries(
        entry("ada", "a", STARTED - 9 * HOUR, HOUR),
        entry("bob", "a", STARTED - 8 * HOUR, HOUR, member=2, description="Draft", billable=True),
        entry("bob too", "a", STARTED - 7 * HOUR, HOUR, member=2),
        entry("loose", None, STARTED - 6 * HOUR, HOUR, member=2, description="Call"),
        members="1,2",
    )
    return crawl.build()[0]


def _without_bob(folder: Path, spent: int) -> Crawl:
    crawl = Crawl(folder, started=NEXT).structure().tasks(task("a", time_spent=spent))
    return crawl.entries(entry("ada", "a", STARTED - 9 * HOUR, HOUR))


def test_what_members_tracked_stays_when_they_leave(tmp_path: Path) -> None:
    """Nobody can ask for it by person any more: the full export keeps it as it was, and says so."""
    previous = _before(tmp_path)
    told = {
        "user": person(2, "Bob"),
        "intervals": [{"id": key, "time": str(HOUR)} for key in ("bob", "bob too")],
    }
    crawl = _without_bob(tmp_path, 3 * HOUR).says("task_time", {"data": [told]}, task_id="a")
    database, _ = crawl.build(previous=previous)
    assert rows(database, ENTRIES) == [
        ("ada", "a", None, 0, "member"),
        ("bob", "a", "Draft", 1, "member"),
        ("bob too", "a", None, 0, "member"),
        ("loose", None, "Call", 0, "member"),
    ]
    told_of_bob = "1 time entry without a task, by Bob, who left: kept as earlier exports read them."
    left = "SELECT what, id, message FROM gaps WHERE code = 'LEFT'"
    assert rows(database, left) == [("time_entries", "2", told_of_bob)]
    later, _ = Crawl(tmp_path, "incremental", NEXT + HOUR).structure().build("later", database)
    assert rows(later, left) == [("time_entries", "2", told_of_bob)]
    assert rows(database, "SELECT tracked_ms, tracked_entries FROM tasks") == [(3 * HOUR, 3)]


def test_what_is_kept_of_people_who_left_gives_way_to_clickups_word(tmp_path: Path) -> None:
    """An entry that the task's own route does not tell any more goes; those that its sum excludes go, too."""
    previous = _before(tmp_path)
    told = {"user": person(2, "Bob"), "intervals": [{"id": "bob", "time": str(HOUR)}]}
    asked = _without_bob(tmp_path, 2 * HOUR).says("task_time", {"data": [told]}, task_id="a")
    database, _ = asked.build("asked", previous)
    assert [row[0] for row in rows(database, ENTRIES)] == ["ada", "bob", "loose"]
    database, _ = _without_bob(tmp_path, 2 * HOUR).build("summed", previous)
    assert [row[0] for row in rows(database, ENTRIES)] == ["ada", "loose"]


def test_what_is_kept_of_people_who_left_is_not_asked_for_again(tmp_path: Path) -> None:
    """The next full crawl counts the kept entries as read."""
    database, _ = _without_bob(tmp_path, 3 * HOUR).build("kept", _before(tmp_path))
    journal = open_journal(tmp_path / "next.db", "9", SOURCE, since=None, previous=database, now=NEXT + HOUR)
    with closing(journal):
        journal.begin()
        journal.note_tasks([("a", 1, 3 * HOUR, "L1")])
        journal.note_entries([("ada", "a", HOUR)])
        assert journal.undertracked_tasks() == []


def test_a_sum_from_before_says_nothing_of_newer_entries(tmp_path: Path) -> None:
    """An incremental export drops remembered entries only where the task itself was read with them."""
    gone = [{"user": person(8, "Gone"), "intervals": [{"id": "g", "time": str(HOUR)}]}]
    crawl = Crawl(tmp_path).structure().tasks(task("a", time_spent=HOUR))
    previous, _ = crawl.says("task_time", {"data": gone}, task_id="a").build()
    newer = Crawl(tmp_path, "incremental", NEXT).structure()
    newer.entries(entry("new", "a", NEXT - HOUR, HOUR), start=NEXT - 2 * HOUR, end=NEXT)
    database, _ = newer.build(previous=previous)
    assert rows(database, "SELECT id, route FROM time_entries ORDER BY id") == [
        ("g", "task"),
        ("new", "member"),
    ]


def test_a_list_that_the_last_crawl_was_not_shown_is_not_known_to_be_open(tmp_path: Path) -> None:
    """It may have been archived, and changed there, since: it is read whole when it comes back."""
    first, _ = Crawl(tmp_path).structure().build()
    place = {"space_id": "S1", "archived": "false", "in_archived": "false"}
    without = Crawl(tmp_path, "incremental", NEXT).says(
        "spaces", {"spaces": [{"id": "S1", "name": "Product"}]}, archived="false"
    )
    without.says("folders", {"folders": []}, **place)
    loose = {"id": "L2", "name": "Inbox", "space": {"id": "S1"}}
    second, _ = without.says("folderless_lists", {"lists": [loose]}, **place).build("second", first)
    for previous, known in ((first, {"L1", "L2"}), (second, {"L2"})):
        path = tmp_path / f"after-{previous.stem}.db"
        journal = open_journal(path, "9", SOURCE, since=NEXT, previous=previous, now=NEXT + HOUR)
        with closing(journal):
            assert journal.known_lists() == known


def test_a_crawl_goes_on_without_what_a_lost_database_knew(tmp_path: Path) -> None:
    """What was remembered went with the database, so it is asked for again."""
    gone = [{"user": person(8, "Gone"), "intervals": [{"id": "g", "time": str(HOUR)}]}]
    crawl = Crawl(tmp_path).structure().tasks(task("a", time_spent=HOUR))
    previous, _ = crawl.says("task_time", {"data": gone}, task_id="a").build()
    path = tmp_path / "interrupted.db"
    for database, due in ((previous, []), (previous, []), (None, ["a"])):
        journal = open_journal(path, "9", SOURCE, since=None, previous=database, now=NEXT)
        with closing(journal):
            assert journal.started == NEXT
            journal.begin()
            journal.note_tasks([("a", 1, HOUR, "L1")])
            assert journal.undertracked_tasks() == due
