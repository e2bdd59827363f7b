"""Time entries by both routes, and time in status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.normalise.members import Crowd
from clickup_toolkit.normalise.times import Interval, entry_row, intervals, status_rows
from clickup_toolkit.records import TimeEntry, TimeInStatus
from tests.journals import stays
from tests.test_normalise_values import JSON

SENT: dict[str, Any] = {
    "id": "1963465985517105840",
    "task": {"id": "86a", "name": "woof", "status": {"status": "open"}},
    "wid": "300702",
    "user": {"id": 1, "username": "Ada"},
    "billable": True,
    "start": 1592841559129,
    "end": "1592845899021",
    "duration": "4339892",
    "description": "Called",
    "tags": [{"name": "meeting"}, {"name": ""}],
    "source": "clickup",
    "at": "1592845899099",
    "task_location": {"list_id": 1560300071, "folder_id": "468300080", "space_id": 22800253},
}
ENTRY = TimeEntry(
    id="1963465985517105840",
    task_id="86a",
    member_id="1",
    start=1592841559129,
    end=1592845899021,
    duration_ms=4339892,
    running=False,
    billable=True,
    description="Called",
    tags='["meeting"]',
    source="clickup",
    list_id="1560300071",
    folder_id="468300080",
    space_id="22800253",
    updated=1592845899099,
    route="member",
)


def row(**changes: Any) -> TimeEntry | None:
    """Return the row of the sample with these changes."""
    return entry_row(json.dumps({**SENT, **changes}).encode(), Crowd([]))


def test_an_entry_becomes_a_row() -> None:
    """Numbers and texts, ids of either kind and tags are read."""
    assert row() == ENTRY


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"duration": -1592841559129, "end": None}, {"duration_ms": None, "end": None, "running": True}),
        ({"duration": None, "end": None}, {"duration_ms": None, "end": None, "running": True}),
        ({"duration": None}, {"duration_ms": 4339892}),
        ({"duration": "-5"}, {"duration_ms": None}),
        ({"start": None, "end": None}, {"start": None, "end": None}),
        ({"task": None}, {"task_id": None}),
        ({"task": "0"}, {"task_id": None}),
        ({"task": "86b"}, {"task_id": "86b"}),
        ({"user": None, "tags": None, "task_location": None}, {
            "member_id": None, "tags": None, "list_id": None, "folder_id": None, "space_id": None,
        }),
        ({"billable": None, "at": ""}, {"billable": None, "updated": None}),
    ],
)  # fmt: skip
def test_entries_are_odd_in_many_ways(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Running timers, lump sums, entries without task, and what mobile apps leave out."""
    assert row(**changes) == ENTRY._replace(**expected)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SENT.keys() - {"id"}, JSON)))
def test_any_json_in_any_field_makes_an_entry(odd: dict[str, Any]) -> None:
    """Whatever stands in its fields, an entry with an id is a row."""
    found = row(**odd)
    assert found is not None
    assert found.duration_ms is None or found.duration_ms >= 0


def test_legacy_intervals_read_like_entries() -> None:
    """Intervals keep their keys as sent and say whose they are, on which task, and how long."""
    body = {
        "data": [
            {"user": {"id": 7, "username": "Gone"}, "time": 1000, "intervals": [
                {"id": "318", "start": None, "end": None, "time": "1000", "source": "chrome",
                 "date_added": "1569983937761"},
                {"start": 1},
            ]},
            5,
        ]
    }  # fmt: skip
    found = list(intervals(json.dumps(body).encode(), "86a"))
    first = found[0]
    assert isinstance(first, Interval)
    assert json.loads(first.body) == {
        "id": "318",
        "start": None,
        "end": None,
        "time": "1000",
        "source": "chrome",
        "date_added": "1569983937761",
        "user": {"id": 7, "username": "Gone"},
        "task": {"id": "86a"},
        "duration": "1000",
    }
    assert [bytes(odd) for odd in found[1:] if not isinstance(odd, Interval)] == [b'{"start": 1}', b"5"]
    assert entry_row(first.body, Crowd([]), "task") == TimeEntry(
        id="318",
        task_id="86a",
        member_id="7",
        duration_ms=1000,
        source="chrome",
        updated=1569983937761,
        route="task",
    )


def test_time_in_status_becomes_rows_in_order() -> None:
    """Rows stand by since; the current one bears the newest figure and shares sum to one."""
    sent = stays(("to do", 60, 1000), ("in progress", 30, 2000))
    sent["status_history"].reverse()
    sent["current_status"]["total_time"] = {"by_minute": 30 + 30, "since": "2000"}
    rows = [
        TimeInStatus("86a", 0, "to do", "open", 0, "#d3d3d3", 3_600_000, 1000, False, 0.5, 9000),
        TimeInStatus("86a", 1, "in progress", "custom", 1, "#a875ff", 3_600_000, 2000, True, 0.5, 9000),
    ]
    assert status_rows("86a", json.dumps(sent).encode(), 9000) == (rows, None)


def test_a_current_status_outside_the_history_is_added() -> None:
    """ClickUp's history may lack the current status, and deleted statuses lack color and place."""
    sent = {
        "current_status": {"status": "new", "color": "#1", "total_time": {"by_minute": "1", "since": "5"}},
        "status_history": [
            {"status": "old", "color": None, "type": "open", "total_time": {"by_minute": 0, "since": ""}}
        ],
    }
    rows = [
        TimeInStatus("86a", 0, "new", None, None, "#1", 60_000, 5, True, 1.0, 9),
        TimeInStatus("86a", 1, "old", "open", None, None, 0, None, False, 0.0, 9),
    ]
    assert status_rows("86a", json.dumps(sent).encode(), 9) == (rows, None)


def _sent(changes: dict[str, Any], **others: Any) -> bytes:
    """Return a time in status of two statuses of which the first is changed."""
    sent = stays(("to do", 60, 1000), ("in progress", 60, 2000))
    sent["status_history"][0] |= changes
    return json.dumps({**sent, **others}).encode()


TO_DO = ("to do", 3_600_000)
IN_PROGRESS = ("in progress", 3_600_000)


@pytest.mark.parametrize(
    ("body", "kept", "excerpt"),
    [
        (_sent({"status": None}), [IN_PROGRESS], '{"status": null, "type": "open"'),
        (_sent({"status": ""}), [IN_PROGRESS], '{"status": "", "type": "open"'),
        (
            _sent({"total_time": {"by_minute": -5, "since": "1"}}),
            [("to do", 0), IN_PROGRESS],
            '{"status": "to',
        ),
        (_sent({"total_time": {"by_minute": "an hour"}}), [IN_PROGRESS, ("to do", 0)], '{"status": "to do"'),
        (_sent({"total_time": None}), [IN_PROGRESS, ("to do", 0)], '{"status": "to do"'),
        (_sent({}, status_history=[5]), [IN_PROGRESS], "5"),
        (_sent({}, status_history={"a": 1}), [IN_PROGRESS], '{"a": 1}'),
        (_sent({}, current_status="in progress"), [TO_DO, IN_PROGRESS], '"in progress"'),
        (b"[1]", [], "[1]"),
    ],
)
def test_what_is_odd_in_a_time_in_status_is_a_gap(
    body: bytes, kept: list[tuple[str, int]], excerpt: str
) -> None:
    """A part that is not understood is said, never passed over as no time; the others are kept."""
    rows, gap = status_rows("86a", body, 9000)
    assert [(row.status, row.total_ms) for row in rows] == kept
    assert gap is not None
    assert gap[:3] == ("time_in_status", "86a", "NOT_UNDERSTOOD")
    assert gap.message.startswith(f"ClickUp sent something that is not understood: {excerpt}")


@pytest.mark.parametrize("body", [b"{}", b'{"current_status":null,"status_history":null}'])
def test_no_time_in_status_is_no_gap_of_its_own(body: bytes) -> None:
    """An answer that holds nothing is understood: ClickUp has none."""
    assert status_rows("86a", body, 9000) == ([], None)


_TOTAL = JSON | st.fixed_dictionaries({"by_minute": JSON, "since": JSON})
_STAY = JSON | st.fixed_dictionaries({"status": JSON | st.text(), "type": JSON, "total_time": _TOTAL})


@given(_STAY, JSON | st.lists(_STAY, max_size=3))
def test_any_time_in_status_is_read(current: object, history: object) -> None:
    """Whatever stands in it, time in status costs no error."""
    body = json.dumps({"current_status": current, "status_history": history}).encode()
    assert all(row.total_ms >= 0 for row in status_rows("86a", body, 9).rows)


@given(JSON)
def test_any_legacy_answer_is_read(data: object) -> None:
    """Whatever the legacy route answers, nothing raises."""
    for found in intervals(json.dumps({"data": data}).encode(), "86a"):
        assert isinstance(found, Interval) or bytes(found)
