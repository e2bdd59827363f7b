"""Working time, worked out by hand, also on the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit import analyse
from clickup_toolkit.analyse import WorkingTime
from clickup_toolkit.settings import Settings
from tests.histories import HOUR, Story
from tests.pictures import drawn, picture

OFFICE = WorkingTime(tz="Europe/Berlin")
NIGHTS = WorkingTime(days=tuple(range(7)), hours=((time(0), time(0)),), tz="Europe/Berlin")


def hours(working: WorkingTime, start: str, end: str) -> float:
    """Return the working hours between two instants of the calendar's own time zone."""
    zone = ZoneInfo(working.tz)
    first, last = (datetime.fromisoformat(at).replace(tzinfo=zone).timestamp() * 1000 for at in (start, end))
    return float(working.between(np.array([first]), np.array([last]))[0]) / HOUR


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-23 08:00", "2026-11-23 12:00", 3),  # a Monday: work begins at nine
        ("2026-11-23 16:00", "2026-11-24 10:00", 2),  # one hour on each day
        ("2026-11-20 16:00", "2026-11-23 10:00", 2),  # the weekend between does not count
        ("2026-11-21 10:00", "2026-11-22 18:00", 0),  # on a weekend
        ("2026-11-23 00:00", "2026-11-30 00:00", 40),  # a week
        ("2026-11-24 10:00", "2026-11-23 10:00", 0),  # an end before its start
        ("2026-10-23 09:00", "2026-10-26 17:00", 16),  # clocks went back on Sunday, the 25th
    ],
)
def test_working_hours_alone_count(start: str, end: str, expected: float) -> None:
    """Monday to Friday, nine to five; what lies outside is nothing."""
    assert hours(OFFICE, start, end) == expected


@pytest.mark.parametrize(
    ("day", "expected"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-03-30", 24)], ids=str
)
def test_a_day_on_which_clocks_change_has_the_hours_that_it_has(day: str, expected: float) -> None:
    """Who works around the clock works 23 hours in spring and 25 in autumn."""
    following = date.fromisoformat(day) + timedelta(days=1)
    assert hours(NIGHTS, f"{day} 00:00", f"{following} 00:00") == expected


def test_hours_that_clocks_skip_are_not_worked() -> None:
    """From one to four on the night on which two becomes three are two hours."""
    early = WorkingTime(days=(6,), hours=((time(1), time(4)),), tz="Europe/Berlin")
    assert hours(early, "2026-03-29 00:00", "2026-03-30 00:00") == 2
    assert hours(early, "2026-10-25 00:00", "2026-10-26 00:00") == 4


def test_holidays_and_breaks_do_not_count() -> None:
    """Christmas is off, and so is the hour at noon."""
    working = WorkingTime(
        hours=((time(9), time(12)), (time(13), time(18))), holidays=frozenset({date(2026, 12, 25)})
    )
    assert hours(working, "2026-12-24 00:00", "2026-12-27 00:00") == 8
    assert hours(working, "2026-12-24 11:30", "2026-12-24 13:30") == 1
    assert working.day_ms == 8 * HOUR


def test_what_has_no_beginning_or_end_has_no_working_time() -> None:
    """A missing instant gives no duration; nothing at all gives nothing."""
    missing = OFFICE.between(np.array([np.nan, 0.0]), np.array([0.0, np.nan]))
    assert np.isnan(missing).all()
    assert OFFICE.between(np.zeros(0), np.zeros(0)).tolist() == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 60 * 24 * 30), min_size=3, max_size=3).map(sorted))
def test_spans_add_up(minutes: list[int]) -> None:
    """Whatever lies between, the parts are as long as the whole."""
    base = datetime(2026, 10, 10, tzinfo=UTC).timestamp() * 1000
    a, b, c = (np.array([base + minute * 60_000]) for minute in minutes)
    assert OFFICE.between(a, b) + OFFICE.between(b, c) == OFFICE.between(a, c)


def test_a_calendar_that_makes_no_sense_is_refused() -> None:
    """No day, no hour, an end before its beginning, a zone that is none."""
    with pytest.raises(ValueError, match="days must be weekdays"):
        WorkingTime(days=())
    with pytest.raises(ValueError, match="hours must be spans"):
        WorkingTime(hours=((time(17), time(9)),))
    with pytest.raises(KeyError):
        WorkingTime(tz="Berlin")


def test_the_settings_become_a_calendar() -> None:
    """What the environment says is what measures are given."""
    environ = {
        "WORKING_DAYS": "mon-thu",
        "WORKING_HOURS": "08:00-12:00",
        "HOLIDAYS": "2026-12-25",
        "TIME_ZONE": "Europe/Berlin",
        "CYCLE_START": "status:Doing",
        "BLOCKED_STATUSES": "stuck",
    }
    found = analyse.configuration(Settings.read(environ))
    assert found.working == WorkingTime(
        days=(0, 1, 2, 3),
        hours=((time(8), time(12)),),
        holidays=frozenset({date(2026, 12, 25)}),
        tz="Europe/Berlin",
    )
    assert found.cycle == analyse.Cycle.read("status:doing")
    assert (found.blocked, found.stale_days, found.tz) == (("stuck",), 14.0, "Europe/Berlin")
    assert analyse.configuration(Settings()).cycle == analyse.CLICKUP_RULE
    assert analyse.configuration(Settings()).working == WorkingTime()


def test_measures_count_in_working_time_when_asked() -> None:
    """From Friday 10:00 to Monday 10:00 are eight working hours, whatever is measured."""
    story = Story().list("App", "to do (open) > doing > shipped (closed)")
    story.task("Login", "App", "to do 24h > doing 72h").task(
        "Logout", "App", "to do 24h > doing 48h > shipped 24h"
    )
    tasks, times = story.table("tasks"), story.table("time_in_status")
    office = WorkingTime()

    def shows(table: object, expected: str) -> None:
        assert drawn(table, expected) == picture(expected)  # type: ignore[arg-type]

    shows(
        analyse.work_item_age(tasks, now=story.now, working=office),
        "task_id | age | since_created\n login | 8 | 16",
    )
    shows(
        analyse.lead_and_cycle_time(tasks, now=story.now, working=office),
        "done | lead_median | cycle_median\n 1 | 15 | 7",
    )
    shows(
        analyse.time_in_status(tasks, times, now=story.now, working=office),
        "status | tasks | sum\n to do | 2 | 16\n doing | 2 | 15",
    )
    assert (
        analyse.time_in_status(tasks, times, now=story.now, working=office).attrs["source"] == "approximated"
    )
