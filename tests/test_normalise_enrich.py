"""Lead time, cycle time, age, time in the current status."""

from __future__ import annotations

import pytest

from clickup_toolkit.normalise.enrich import ANALYTICS, Flow, flow
from clickup_toolkit.records import TimeInStatus

CREATED, DONE, SUMMED, RECEIVED = 1_000, 90_000, 200_000, 150_000


def stay(status: str, kind: str, since: int, *, current: bool = False) -> TimeInStatus:
    """Return a row of one minute in a status."""
    return TimeInStatus("t", 0, status, kind, None, None, 60_000, since, current, None, SUMMED)


OPEN = stay("to do", "open", 1_000)
DOING = stay("doing", "custom", 20_000)
REVIEW = stay("review", "custom", 15_000)
CLOSED = stay("Closed", "closed", 90_000, current=True)


@pytest.mark.parametrize(
    ("status", "kind", "done", "statuses", "expected"),
    [
        (
            "Closed",
            "closed",
            DONE,
            [OPEN, DOING, REVIEW, CLOSED],
            Flow(90_000, 60_000, 89_000, 15_000, 75_000, None, SUMMED),
        ),
        ("closed", "done", DONE, [OPEN, CLOSED], Flow(90_000, 60_000, 89_000, None, None, None, SUMMED)),
        ("Closed", "closed", 500, [CLOSED], Flow(90_000, 60_000, None, None, None, None, SUMMED)),
        ("doing", "custom", DONE, [OPEN, DOING], Flow(None, None, None, 20_000, None, 199_000, SUMMED)),
        ("other", "open", None, [CLOSED], Flow(None, None, None, None, None, 199_000, SUMMED)),
        (None, None, None, [], Flow(None, None, None, None, None, 149_000, RECEIVED)),
    ],
)
def test_flow_follows_clickups_rules(
    status: str | None, kind: str | None, done: int | None, statuses: list[TimeInStatus], expected: Flow
) -> None:
    """Complete tasks have lead and cycle time, others an age; what cannot be told is None."""
    assert flow(status, kind, CREATED, None, done, statuses, RECEIVED) == expected


@pytest.mark.parametrize(
    ("updated", "status_ms", "as_of"), [(SUMMED, 60_000 + 50_000, 250_000), (SUMMED + 1, 60_000, SUMMED)]
)
def test_an_unchanged_task_that_was_read_later_has_stayed(updated: int, status_ms: int, as_of: int) -> None:
    """The time in the current status counts up to the later reading, if nothing changed in between."""
    current = stay("doing", "custom", 20_000, current=True)
    found = flow("doing", "custom", CREATED, updated, None, [current], 250_000)
    assert found == Flow(20_000, status_ms, None, 20_000, None, as_of - CREATED, as_of)


def test_every_analytics_name_is_explained() -> None:
    """Each name says in a sentence what it means, and which figures go on growing."""
    assert all(measure.meaning for measure in ANALYTICS.values())
    assert [name for name, measure in ANALYTICS.items() if measure.as_of] == [
        "status_ms",
        "age_ms",
        "as_of",
        "statuses",
    ]
