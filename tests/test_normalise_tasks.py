"""Tasks to rows: whole rows of a trimmed real task, and of tasks that are odd in every way."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit import records
from clickup_toolkit.normalise.enrich import Effort
from clickup_toolkit.normalise.members import Crowd
from clickup_toolkit.normalise.shapes import read
from clickup_toolkit.normalise.tasks import Home, Surroundings, TaskShape, task_rows
from tests.test_normalise_values import JSON

RECEIVED = 1_700_000_000_000
HOME = Home("Board", "F1", "Web", "S1", "Product", archived=True)
SENT: dict[str, Any] = {
    "id": "86a1",
    "custom_id": "WEB-7",
    "custom_item_id": 1001,
    "name": "Broken invoice",
    "text_content": "Totals are wrong.",
    "description": "<p>Totals are wrong.</p>",
    "status": {"status": "Closed", "color": "#6bc950", "type": "closed", "orderindex": 2},
    "orderindex": "15.00032120000000000000000000000000",
    "date_created": "1672770060210",
    "date_updated": "1674147797285",
    "date_closed": "1672941312310",
    "date_done": "1672941312000",
    "archived": False,
    "creator": {"id": 66052331, "username": "Ada", "color": "#7c4dff", "email": "ada@example.com"},
    "assignees": [{"id": 66052331, "username": "Ada"}, {"id": 12, "username": "Gone", "initials": "GO"}],
    "watchers": [{"id": "66052331"}],
    "tags": [{"name": "bug", "tag_fg": "#fff", "tag_bg": "#000", "creator": 12}],
    "parent": "86a0",
    "top_level_parent": "869z",
    "priority": {"color": "#f50000", "id": "1", "orderindex": "1", "priority": "urgent"},
    "due_date": "1674043200000",
    "start_date": None,
    "points": 3,
    "time_estimate": "8640000",
    "time_spent": 3810,
    "custom_fields": [
        {"id": "f-1", "name": "Risk", "type": "number", "type_config": {}, "value": "8"},
        {"id": "f-2", "name": "Unset", "type": "number", "type_config": {}},
    ],
    "dependencies": [
        {"task_id": "86a1", "depends_on": "86b2", "type": 1, "date_created": "1672770060300"},
        {"task_id": "86c3", "depends_on": "86a1", "type": 1, "date_created": None},
    ],
    "linked_tasks": [{"task_id": "86d4", "link_id": "86a1", "date_created": "1673547252893"}],
    "locations": [{"id": "L9", "name": "Launch"}],
    "url": "https://app.clickup.com/t/86a1",
    "list": {"id": "L1", "name": "Old name", "access": True},
    "folder": {"id": "F7", "name": "Old folder", "hidden": False},
    "space": {"id": "S1"},
}


def rows_of(sent: dict[str, Any], homes: dict[str, Home] | None = None) -> list[NamedTuple]:
    """Return the rows of a task with two time entries, read as it was sent."""
    shape = read(msgspec.json.encode(sent), TaskShape)
    assert shape is not None
    around = Surroundings({"L1": HOME} if homes is None else homes, {"S1": "Product"}, Crowd(["66052331"]))
    return task_rows("86a1", shape, RECEIVED, [], Effort(3_600_000, 1_800_000, 2), around)


TASK = records.Task(
    id="86a1",
    name="Broken invoice",
    status="Closed",
    status_type="closed",
    status_color="#6bc950",
    space_id="S1",
    space_name="Product",
    folder_id="F1",
    folder_name="Web",
    list_id="L1",
    list_name="Board",
    parent_id="86a0",
    top_level_parent_id="869z",
    custom_id="WEB-7",
    task_type_id=1001,
    creator_id="66052331",
    priority="urgent",
    points=3.0,
    archived=False,
    in_archived=True,
    date_created=1672770060210,
    date_updated=1674147797285,
    date_done=1672941312000,
    date_closed=1672941312310,
    start_date=None,
    due_date=1674043200000,
    time_estimate_ms=8640000,
    time_spent_ms=3810,
    tracked_ms=3_600_000,
    tracked_billable_ms=1_800_000,
    tracked_entries=2,
    status_since=None,
    status_ms=None,
    lead_time_ms=1672941312000 - 1672770060210,
    cycle_started=None,
    cycle_time_ms=None,
    age_ms=None,
    as_of=RECEIVED,
    url="https://app.clickup.com/t/86a1",
)


def test_a_task_becomes_rows() -> None:
    """Every part of a task is a row of its table; where it lies comes from the structure."""
    assert rows_of(SENT) == [
        TASK,
        records.TaskText("86a1", "Totals are wrong."),
        records.TaskAssignee("86a1", "66052331"),
        records.TaskAssignee("86a1", "12"),
        records.TaskWatcher("86a1", "66052331"),
        records.TaskTag("86a1", "bug"),
        records.TaskList("86a1", "L1", True),
        records.TaskList("86a1", "L9", False),
        records.TaskLink("86a1", "86b2", "waiting_on", 1672770060300),
        records.TaskLink("86a1", "86c3", "blocking", None),
        records.TaskLink("86a1", "86d4", "linked", 1673547252893),
        records.TaskCustomField("86a1", "f-1", "Risk", "number", "8", 8.0, None, '"8"'),
    ]


def test_a_task_in_an_unknown_list_lies_where_it_says() -> None:
    """Without structure the task's own names count, and the placeholder folder is none."""
    sent = {**SENT, "list": {"id": 5, "name": "Private"}, "folder": {"id": "F0", "hidden": True}}
    expected = TASK._replace(
        list_id="5", list_name="Private", folder_id=None, folder_name=None, in_archived=False
    )
    assert rows_of(sent)[0] == expected


def test_a_task_with_nothing_but_an_id_is_a_row() -> None:
    """Absent fields are None, and nothing is made up."""
    expected = records.Task(
        id="86a1", tracked_ms=3_600_000, tracked_billable_ms=1_800_000, tracked_entries=2, as_of=RECEIVED
    )
    assert rows_of({"id": "86a1"}) == [expected]


def test_priorities_come_as_objects_names_or_numbers() -> None:
    """ClickUp's three forms of a priority mean the same."""
    forms = [{"priority": "high"}, "high", 2, "2", None, {"priority": None}]
    found = [rows_of({"id": "86a1", "priority": form})[0] for form in forms]
    assert [row.priority for row in found if isinstance(row, records.Task)] == [
        "high",
        "high",
        "high",
        "high",
        None,
        None,
    ]


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SENT, JSON)))
def test_any_json_in_any_field_makes_a_task(odd: dict[str, Any]) -> None:
    """Whatever ClickUp sends in a field, the task is a row and no error is raised."""
    row = rows_of({**SENT, **odd})[0]
    assert isinstance(row, records.Task)
    untouched = {"points", "custom_id", "url"} - odd.keys()
    assert all(getattr(row, name) == getattr(TASK, name) for name in untouched)


def test_people_who_are_no_members_are_remembered() -> None:
    """Whoever stands on tasks and is not known has left, each once, with what was told."""
    crowd = Crowd(["66052331"])
    shape = read(msgspec.json.encode(SENT), TaskShape)
    assert shape is not None
    task_rows("86a1", shape, RECEIVED, [], Effort(), Surroundings({}, {}, crowd))
    assert crowd.left() == [records.Member(id="12", username="Gone", initials="GO", state="left")]
