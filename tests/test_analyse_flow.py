"""Throughput, lead and cycle time, work item age, worked out by hand; durations are in hours."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from clickup_toolkit import analyse
from tests.histories import DAY, HOUR, MINUTE, Story, ago
from tests.pictures import drawn, picture

WORKFLOW = "to do (open) > doing > done (done) > shipped (closed)"


def shows(table: pd.DataFrame, expected: str) -> None:
    """Compare a table with its picture."""
    assert drawn(table, expected) == picture(expected)


def plain(text: str) -> str:
    """Return a text with spaces that break, as a test writes them."""
    return text.replace("\u00a0", " ")


def test_throughput_counts_the_weeks_that_had_none() -> None:
    """Weeks run from Monday; one without a finished task counts 0, and the running one is not complete."""
    story = Story("2026-11-25 10:00").list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d > shipped 22d")
    story.task("Logout", "App", "doing 1d > done 21d")
    story.task("Search", "App", "doing 1d > shipped 1d")
    story.task("Later", "App", "doing 1d")
    shows(
        analyse.throughput(story.table("tasks"), now=story.now),
        """
        week             | done | complete
        2026-11-02 00:00 | 2    | True
        2026-11-09 00:00 | 0    | True
        2026-11-16 00:00 | 0    | True
        2026-11-23 00:00 | 1    | False
        """,
    )


def test_throughput_gives_every_group_the_same_weeks() -> None:
    """A list that finished nothing in a week has a row with 0 for it."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    story.task("Login", "App", "shipped 8d").task("Logout", "Web", "shipped 1d")
    shows(
        analyse.throughput(story.table("tasks"), now=story.now, by="list", weeks=2),
        """
        list_id | list | week             | done
        app     | App  | 2026-11-16 00:00 | 0
        app     | App  | 2026-11-23 00:00 | 0
        web     | Web  | 2026-11-16 00:00 | 1
        web     | Web  | 2026-11-23 00:00 | 0
        """,
    )


def test_weeks_begin_at_midnight_in_their_time_zone_also_when_the_clocks_change() -> None:
    """In Berlin a task done on Sunday 23:30 UTC belongs to the new week, also in the week of 25 hours."""
    story = Story("2026-10-27 10:00").list("App", WORKFLOW)
    story.task("Login", "App", "shipped 34.5h").task("Logout", "App", "shipped 35.5h")
    shows(
        analyse.throughput(story.table("tasks"), now=story.now, tz="Europe/Berlin"),
        """
        week             | done | complete
        2026-10-19 00:00 | 1    | True
        2026-10-26 00:00 | 1    | False
        """,
    )


def test_lead_and_cycle_time_of_what_was_finished() -> None:
    """Lead time runs from creation, cycle time from leaving 'to do'; unfinished tasks have neither."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 10h > doing 20h > shipped 1d")
    story.task("Logout", "App", "to do 50h > doing 40h > done 1d")
    story.task("Given back", "App", "shipped 1d")
    story.task("Search", "App", "to do 10h > doing 900h")
    shows(
        analyse.lead_and_cycle_time(story.table("tasks"), now=story.now),
        """
        list | done | lead_median | lead_p85 | started | cycle_median | cycle_p85
        App  | 3    | 30          | 72       | 2       | 30           | 37
        """,
    )


def test_lead_and_cycle_time_can_begin_at_an_instant() -> None:
    """Only what was finished since then counts."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 20h > shipped 10d").task("Logout", "App", "doing 40h > shipped 1d")
    shows(
        analyse.lead_and_cycle_time(
            story.table("tasks"), now=story.now, since=story.now - timedelta(days=5), by="status"
        ),
        "done | lead_median\n 1 | 40",
    )


def test_work_item_age_runs_from_the_start_of_work() -> None:
    """Age counts from leaving 'to do' to now; what has not been started has none."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 10h > doing 20h")
    story.task("Logout", "App", "to do 10h > doing 30h > to do 5h > doing 5h", told="2h")
    story.task("Later", "App", "to do 900h")
    story.task("Search", "App", "doing 1d > shipped 1d")
    shows(
        analyse.work_item_age(story.table("tasks"), now=story.now),
        """
        task_id | list | status | age | since_created
        logout  | App  | doing  | 42  | 52
        login   | App  | doing  | 20  | 30
        """,
    )


def test_nothing_finished_gives_empty_weeks() -> None:
    """Without a finished task there is the current week, with 0."""
    story = Story()
    shows(analyse.throughput(story.table("tasks"), now=story.now), "week | done\n 2026-11-23 00:00 | 0")
    assert analyse.lead_and_cycle_time(story.table("tasks"), now=story.now).empty
    assert analyse.work_item_age(story.table("tasks"), now=story.now).empty


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 min"),
        (59_000, "1 min"),
        (56 * MINUTE, "56 min"),
        (HOUR, "1 h"),
        (90 * MINUTE, "1.5 h"),
        (47 * HOUR, "47 h"),
        (2 * DAY, "2 days"),
        (3.26 * DAY, "3.3 days"),
        (9.96 * DAY, "10 days"),
        (45.4 * DAY, "45 days"),
        (1234 * DAY, "1,234 days"),
        (float("nan"), "–"),
    ],
)
def test_durations_are_said_in_the_unit_that_fits(ms: float, words: str) -> None:
    """Minutes, hours up to two days, then days; one decimal below ten."""
    assert plain(analyse.duration(ms)) == words


def test_the_headline_says_where_how_many_and_how_long() -> None:
    """The sentence names the first status of the ranking with its figures."""
    story = Story().list("App", WORKFLOW.replace("done (done)", "review"))
    story.task("Login", "App", "doing 1d > review 9d").task("Logout", "App", "doing 2d > review 5d")
    table = analyse.where_work_waits(story.table("tasks"), story.table("time_in_status"), now=story.now)
    assert plain(analyse.headline(table)) == (
        "Unfinished work has spent more time in **review** (App) than anywhere else: 82% of it. "
        "2 tasks stand there now, none four weeks ago. "
        "Of all tasks, half spend at most 7 days in it, and 85% at most 8.4 days."
    )


def test_a_readable_table_has_words_for_figures() -> None:
    """Durations and shares become words, ids and colours go."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 36h")
    table = analyse.where_work_waits(story.table("tasks"), story.table("time_in_status"), now=story.now)
    told = analyse.readable(table).map(lambda value: plain(value) if isinstance(value, str) else value)
    assert told.to_dict("records") == [
        {
            "status": "doing",
            "in": "App",
            "waiting now": 1,
            "four weeks ago": 0,
            "unfinished work's time": "36 h",
            "share": "100%",
            "median": "36 h",
            "85% within": "36 h",
            "oldest waiting": "36 h",
        }
    ]
    ages = analyse.readable(analyse.work_item_age(story.table("tasks"), now=story.now))
    assert ages["started"].tolist() == [ago(story, "36h").strftime("%Y-%m-%d %H:%M")]


def test_a_readable_table_says_effort_in_hours_and_shares_in_percent() -> None:
    """A day of effort is not 24 hours, a likelihood no fraction; a week is a day, and no week a dash."""
    table = pd.DataFrame(
        {
            "week": pd.to_datetime(["2026-11-16", None], utc=True),
            "tracked_ms": [456 * HOUR, 1.5 * HOUR],
            "likelihood": [0.85, 0.5],
            "ratio": [0.754646, 2.0],
        }
    )
    told = analyse.readable(table).map(lambda value: plain(value) if isinstance(value, str) else value)
    assert told.to_dict("list") == {
        "week": ["2026-11-16", "–"],
        "tracked": ["456 h", "1.5 h"],
        "likelihood": ["85%", "50%"],
        "ratio": [0.75, 2.0],
    }
