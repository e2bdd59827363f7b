"""The database that is built from one crawl: each task once, the newest answer, everything in its table."""

from __future__ import annotations

from pathlib import Path

from clickup_toolkit.records import TABLES, Export
from clickup_toolkit.store.schema import ALL_TABLES
from tests.journals import HOUR, STARTED, Crawl, entry, person, rows, stays, task

SINCE = 1_700_000_000_000


def test_a_crawl_becomes_a_database(tmp_path: Path) -> None:
    """Tasks, times and entries come together in one row a task, and the export counts them."""
    crawl = Crawl(tmp_path).structure(list=True)
    crawl.tasks(task("a", "in progress", date_created=str(SINCE), time_estimate=2 * HOUR), task("b", at="L2"))
    crawl.times(a=stays(("to do", 60, SINCE), ("in progress", 30, SINCE + HOUR)))
    crawl.entries(
        entry("e1", "a", SINCE, HOUR, billable=True),
        entry("e2", "a", SINCE + HOUR, HOUR, member=2),
        entry("e3", "a", SINCE, 0, duration=str(-SINCE), end=None),
        entry("e4", None, SINCE, HOUR),
    )
    database, export = crawl.build()
    assert rows(
        database,
        "SELECT id, status, list_name, folder_name, space_name, in_archived, tracked_ms, "
        "tracked_billable_ms, tracked_entries, status_since, status_ms, cycle_started, age_ms, as_of "
        "FROM tasks ORDER BY id",
    ) == [
        ("a", "in progress", "Board", "Web", "Product", 1, 2 * HOUR, HOUR, 3, "2023-11-14T23:13:20.000Z",
         HOUR // 2, "2023-11-14T23:13:20.000Z", STARTED + 6000 - SINCE, "2025-11-23T10:00:06.000Z"),
        ("b", "to do", "Inbox", None, "Product", 0, 0, 0, 0, None, None, None, STARTED + 5000 - SINCE,
         "2025-11-23T10:00:05.000Z"),
    ]  # fmt: skip
    assert export == Export(
        version=f"v{STARTED}",
        started=STARTED,
        finished=STARTED + 60_000,
        mode="full",
        complete=False,
        tasks=2,
        changed=2,
        deleted=0,
        time_entries=4,
        time_in_status=1,
        gaps=1,
        watermark=STARTED,
    )
    assert rows(database, "SELECT version, finished, tasks FROM exports") == [
        (f"v{STARTED}", "2025-11-23T10:01:00.000Z", 2)
    ]


def test_the_later_answer_about_a_task_wins(tmp_path: Path) -> None:
    """A task that stands on several pages is there once, as it was told last, with nothing of before."""
    old = task("a", tags=[{"name": "old"}], assignees=[person(1, "Ada")], text_content="old")
    new = task("a", "Closed", tags=[{"name": "new"}])
    database, _ = Crawl(tmp_path).structure().tasks(old, old).tasks(new).build()
    assert rows(database, "SELECT id, status FROM tasks") == [("a", "Closed")]
    assert rows(database, "task_tags") == [("a", "new")]
    assert rows(database, "task_assignees") + rows(database, "task_texts") == []


def test_the_lists_of_a_task_are_all_that_tell_of_it(tmp_path: Path) -> None:
    """Its home, those it names, and those through whose route it came."""
    told = task("a", locations=[{"id": "L5"}])
    crawl = Crawl(tmp_path).structure().tasks(told)
    crawl.tasks(told, route="list", list_id="L7").tasks(told, route="list", list_id="L1")
    database, _ = crawl.build()
    assert rows(database, "task_lists") == [("a", "L1", 1), ("a", "L5", 0), ("a", "L7", 0)]


def test_people_who_left_are_members_who_left(tmp_path: Path) -> None:
    """Whoever stands on a task or an entry and is no member of the workspace has left it."""
    crawl = Crawl(tmp_path).structure().tasks(task("a", watchers=[person(2, "Bob")]))
    database, _ = crawl.entries(entry("e", "a", 5, 5, member=3)).build()
    assert rows(database, "SELECT id, username, role, state FROM members") == [
        ("1", "Ada", "owner", "active"),
        ("2", "Bob", None, "left"),
        ("3", "Eve", None, "left"),
    ]


def test_entries_of_both_routes_count_once(tmp_path: Path) -> None:
    """The task's own route repeats what members' entries tell; only what is new in it is kept."""
    crawl = Crawl(tmp_path).structure().tasks(task("a"))
    crawl.entries(entry("e1", "a", SINCE, HOUR), entry("e2", "a", SINCE + 5, HOUR))
    told = [
        {"id": "e1", "start": str(SINCE), "end": str(SINCE + HOUR), "time": str(HOUR)},
        {"id": "other", "start": str(SINCE + 5), "end": "1", "time": str(HOUR)},
    ]
    gone = [{"id": "g", "start": None, "end": None, "time": "1000", "date_added": str(SINCE)}]
    people = [{"user": person(1, "Ada"), "intervals": told}, {"user": person(8, "Gone"), "intervals": gone}]
    database, _ = crawl.says("task_time", {"data": people}, task_id="a").build()
    assert rows(database, "SELECT id, member_id, duration_ms, route FROM time_entries ORDER BY id") == [
        ("e1", "1", HOUR, "member"),
        ("e2", "1", HOUR, "member"),
        ("g", "8", 1000, "task"),
    ]
    assert rows(database, "SELECT tracked_ms, tracked_entries FROM tasks") == [(2 * HOUR + 1000, 3)]


def test_fields_that_only_tasks_show_are_defined_by_them(tmp_path: Path) -> None:
    """A value never lacks the definition of its field."""
    field = {"id": "f1", "name": "Risk", "type": "number", "type_config": {"x": 1}, "value": "3"}
    database, _ = Crawl(tmp_path).structure().tasks(task("a", custom_fields=[field])).build()
    assert rows(database, "SELECT id, name, type, scope, type_config FROM custom_fields") == [
        ("f1", "Risk", "number", "task", '{"x":1}')
    ]
    assert rows(database, "task_custom_fields") == [("a", "f1", "Risk", "number", "3", 3.0, None, '"3"')]


def test_what_is_not_understood_is_a_gap(tmp_path: Path) -> None:
    """Objects that make no sense are said, beside the gaps of the crawl; the rest is there."""
    crawl = Crawl(tmp_path).structure().tasks(task("a"), 5, {"name": "no id"})  # type: ignore[arg-type]
    crawl.says("tasks", {"odd": 1}, route="list", list_id="L1").says("time_in_status", [1])
    crawl.entries(7).lacks("time_entries", "2", "TIMEENTRY_059")  # type: ignore[arg-type]
    database, export = crawl.build()
    assert rows(database, "SELECT what, id, code FROM gaps") == [
        ("tasks", "L1", "NOT_UNDERSTOOD"),
        ("tasks", "in the workspace", "NOT_UNDERSTOOD"),
        ("time_entries", "2", "TIMEENTRY_059"),
        ("time_entries", "of 1", "NOT_UNDERSTOOD"),
        ("time_in_status", "", "NOT_UNDERSTOOD"),
    ]
    assert (export.tasks, export.gaps, export.complete) == (1, 5, False)


def test_time_in_status_that_is_odd_is_not_absent(tmp_path: Path) -> None:
    """ClickUp answered, so nobody is told to switch it on; where it did not answer, somebody is."""
    odd = {"current_status": None, "status_history": [{"status": None}]}
    crawl = Crawl(tmp_path).structure().tasks(task("a"), task("b"), task("c")).times(a=odd, c={})
    database, export = crawl.build()
    assert rows(database, "SELECT what, id, code FROM gaps") == [
        ("time_in_status", "", "ABSENT"),
        ("time_in_status", "a", "NOT_UNDERSTOOD"),
    ]
    assert rows(database, "SELECT message FROM gaps WHERE code = 'ABSENT'") == [
        ("ClickUp has no time in status for 2 tasks: b, c.",)
    ]
    assert (export.tasks, export.gaps, export.complete) == (3, 2, False)


def test_no_secret_reaches_the_disk(tmp_path: Path) -> None:
    """Neither the journal nor the database holds what a secret was."""
    crawl = Crawl(tmp_path).structure().tasks(task("a", sharing={"public": True, "token": "s3cr3t-one"}))
    crawl.says("list", {"id": "L1", "inbound_address": "s3cr3t-two@x"}, list_id="L1")
    database, _ = crawl.build()
    assert not any(b"s3cr3t" in file.read_bytes() for file in tmp_path.iterdir())
    assert rows(database, "SELECT body FROM raw WHERE kind = 'list' AND id = 'L1'") == [
        ('{"id":"L1","inbound_address":"[redacted]"}',)
    ]


def test_raw_json_is_kept_byte_for_byte(tmp_path: Path) -> None:
    """What ClickUp sent can be read again as it came."""
    sent = b'{"id":"a",  "name" : "\\u00fc \xc3\xbc", "x": 1e2}'
    page = b'{"tasks": [' + sent + b"]}"
    database, _ = Crawl(tmp_path).structure().says("tasks", page, route="team").build()
    assert rows(database, "SELECT kind, received, body FROM raw WHERE id = 'a'") == [
        ("task", "2025-11-23T10:00:05.000Z", sent.decode())
    ]


def test_every_table_is_there_with_its_keys_and_indexes(tmp_path: Path) -> None:
    """The database has the tables, columns, foreign keys and indexes that records declare."""
    database, _ = Crawl(tmp_path).structure().build()
    for table in ALL_TABLES.values():
        columns = rows(database, f"SELECT name FROM pragma_table_info('{table.name}')")
        assert [name for (name,) in columns] == [column.name for column in table.columns]
        foreign = rows(database, f"SELECT \"from\" FROM pragma_foreign_key_list('{table.name}')")
        assert {name for (name,) in foreign} == {c.name for c in table.columns if c.references}
    indexed = {name for (name,) in rows(database, "SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {"_".join((t.name, *i)) for t in TABLES.values() for i in t.indexes} <= indexed
