"""The JSON document: ClickUp's keys untouched, and what is added beside them."""

from __future__ import annotations

import json
from pathlib import Path

from clickup_toolkit.store import ANALYTICS, document_tasks
from tests.exporting import head_of
from tests.journals import HOUR, STARTED, STATUSES, Crawl, entry, person, rows, stays, task

SINCE = 1_700_000_000_000


def test_a_task_is_as_sent_with_its_times_beside(tmp_path: Path) -> None:
    """Values are byte for byte as ClickUp sent them; names, times and sums are added."""
    sent = (
        b'{"id":"a","name":"\\u00fc","x":{"b" : 1.50, "a":[ ]},'
        b'"status":{"status":"in progress","type":"custom"},'
        b'"date_created":"1700000000000","time_estimate":3600000,"time_spent":9000000,'
        b'"list":{"id":"L1","name":"old"},"space":{"id":"S1"}}'
    )
    entries = [entry("e2", "a", SINCE + 9, HOUR, billable=True), entry("e1", "a", SINCE, HOUR, member=2)]
    told = stays(("to do", 60, SINCE), ("in progress", 30, SINCE + HOUR))
    crawl = Crawl(tmp_path).structure().says("tasks", b'{"tasks":[' + sent + b"]}", route="team")
    database, _ = crawl.times(a=told).entries(*entries).build()
    ((key, body),) = document_tasks(database)
    found = json.loads(body)
    assert key == "a"
    assert body.startswith(
        sent.removesuffix(b'"space":{"id":"S1"}}') + b'"space":{"id":"S1","name":"Product"}'
    )
    assert found["time_in_status"] == told
    assert found["time_summary"] == list(reversed(entries))
    assert found["analytics"] == {
        "space_name": "Product",
        "folder_name": "Web",
        "list_name": "Board",
        "status": "in progress",
        "status_type": "custom",
        "status_since": "2023-11-14T23:13:20.000Z",
        "status_ms": HOUR // 2,
        "lead_time_ms": None,
        "cycle_started": "2023-11-14T23:13:20.000Z",
        "cycle_time_ms": None,
        "age_ms": STARTED + 6000 - SINCE,
        "time_estimate_ms": HOUR,
        "time_spent_ms": 9_000_000,
        "tracked_ms": 2 * HOUR,
        "tracked_billable_ms": HOUR,
        "tracked_entries": 2,
        "statuses": [
            {"status": "to do", "type": "open", "total_ms": HOUR, "share": 2 / 3,
             "since": "2023-11-14T22:13:20.000Z", "current": False},
            {"status": "in progress", "type": "custom", "total_ms": HOUR // 2, "share": 1 / 3,
             "since": "2023-11-14T23:13:20.000Z", "current": True},
        ],
        "tracked_by_member": [
            {"member_id": "2", "username": "Bob", "tracked_ms": HOUR, "billable_ms": 0, "entries": 1},
            {"member_id": "1", "username": "Ada", "tracked_ms": HOUR, "billable_ms": HOUR, "entries": 1},
        ],
        "remaining_ms": -HOUR,
        "missing_ms": 1_800_000,
        "as_of": "2025-11-23T10:00:06.000Z",
    }  # fmt: skip
    assert list(found["analytics"]) == list(ANALYTICS)


def test_tasks_come_in_the_order_of_creation(tmp_path: Path) -> None:
    """Order depends on the tasks alone; a task without times or entries has empty ones."""
    pages = [
        task("c", date_created="9"),
        task("b", date_created="5"),
        task("a", date_created="9", space=None),
    ]
    database, _ = Crawl(tmp_path).structure().tasks(*pages).build()
    found = [(key, json.loads(body)) for key, body in document_tasks(database)]
    assert [key for key, _ in found] == ["b", "a", "c"]
    for _, one in found:
        assert (one["time_in_status"], one["time_summary"], one["analytics"]["statuses"]) == ({}, [], [])
    assert [one["space"] for _, one in found] == [{"id": "S1", "name": "Product"}] * 3


def test_the_head_holds_everything_but_the_tasks(tmp_path: Path) -> None:
    """Structure, people, gaps and entries without a task, in a fixed order."""
    crawl = Crawl(tmp_path).structure().tasks(task("a")).lacks("time_entries", "2", "TIMEENTRY_059")
    stray = [entry("e2", "unknown", 9, 5), entry("e1", None, 5, 5), entry("e3", "a", 1, 5)]
    database, _ = crawl.entries(*stray).build("20251123T100000Z")
    head = head_of(database)
    started = "2025-11-23T10:00:00.000Z"
    statuses = [
        {**{key: status[key] for key in ("status", "type", "orderindex", "color")}, "status_id": status["id"]}
        for status in STATUSES
    ]
    listed = {
        "orderindex": None, "archived": False, "in_archived": False, "shared": False,
        "override_statuses": None, "task_count": None, "start_date": None, "due_date": None,
        "permission_level": None,
        "space_id": "S1", "statuses": statuses,
    }  # fmt: skip
    assert list(head.items()) == list(
        {
            "status": "success",
            "version": "20251123T100000Z",
            "schema_version": 1,
            "updated_at": "2025-11-23T10:01:00.000Z",
            "as_of": dict.fromkeys(
                ("structure", "tasks", "archived_tasks", "time_entries", "older_time_entries"), started
            ),
            "workspace": {"id": "9", "name": "Acme", "color": None, "plan": None},
            "spaces": [
                {"id": "S1", "name": "Product", "color": None, "private": None, "archived": False,
                 "multiple_assignees": None}
            ],
            "folders": [
                {"id": "F1", "name": "Web", "space_id": "S1", "parent_folder_id": None, "orderindex": None,
                 "archived": False, "in_archived": False, "shared": False, "override_statuses": None,
                 "task_count": None}
            ],
            "lists": [
                {**listed, "id": "L1", "name": "Board", "folder_id": "F1", "orderindex": 0.0,
                 "task_count": 3},
                {**listed, "id": "L2", "name": "Inbox", "folder_id": None},
            ],
            "members": [
                {"id": "1", "username": "Ada", "email": None, "initials": None, "color": None,
                 "role": "owner", "state": "active", "date_joined": "2020-09-13T12:26:40.000Z",
                 "date_invited": None, "last_active": None}
            ],
            "custom_fields": [],
            "unassigned_time_entries": [stray[1], stray[0]],
            "gaps": [
                {"what": "time_entries", "id": "2", "code": "TIMEENTRY_059", "message": "Refused.",
                 "remedy": "Share it."},
                {"what": "time_in_status", "id": "", "code": "ABSENT",
                 "message": "ClickUp has no time in status for 1 task: a.",
                 "remedy": "Switch on the Time in Status ClickApp in the spaces of these tasks."},
            ],
        }.items()
    )  # fmt: skip


def test_an_incremental_document_says_as_of_when_its_parts_hold(tmp_path: Path) -> None:
    """What only a full export reads holds as of the last one."""
    previous, _ = Crawl(tmp_path).structure().tasks(task("a")).build()
    later = STARTED + HOUR
    database, _ = Crawl(tmp_path, "incremental", later).structure().build(previous=previous)
    new, old = "2025-11-23T11:00:00.000Z", "2025-11-23T10:00:00.000Z"
    assert head_of(database)["as_of"] == {
        "structure": new,
        "tasks": new,
        "archived_tasks": old,
        "time_entries": new,
        "older_time_entries": old,
    }


def test_entries_of_people_who_left_stand_in_the_summary(tmp_path: Path) -> None:
    """What the task's own route told is an entry like others."""
    gone = [{"user": person(8, "Gone"), "intervals": [{"id": "g", "time": "1000", "start": None}]}]
    crawl = Crawl(tmp_path).structure().tasks(task("a")).says("task_time", {"data": gone}, task_id="a")
    database, _ = crawl.build()
    ((_, body),) = document_tasks(database)
    assert json.loads(body)["time_summary"] == [
        {"id": "g", "time": "1000", "start": None, "user": person(8, "Gone"), "task": {"id": "a"},
         "duration": "1000"}
    ]  # fmt: skip
    assert rows(database, "SELECT tracked_ms FROM tasks") == [(1000,)]
