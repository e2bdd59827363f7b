"""Estimates, tracked time, blocked and stale work, and the quality of the data, worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from clickup_toolkit import analyse, records
from tests.histories import HOUR, Story, ago
from tests.pictures import drawn, picture

WORKFLOW = "to do (open) > doing > blocked > shipped (closed)"


def shows(table: pd.DataFrame, expected: str) -> None:
    """Compare a table with its picture."""
    assert drawn(table, expected) == picture(expected)


def ms(story: Story, length: str) -> int:
    """Return the instant so long before now, as a row has it."""
    return int(ago(story, length).timestamp() * 1000)


def test_estimates_are_compared_with_tracked_time_sum_over_sum() -> None:
    """Only finished tasks that have both; what has one of them alone is counted beside."""
    story = Story().list("App", WORKFLOW)
    both = {"time_estimate_ms": 2 * HOUR, "tracked_ms": 3 * HOUR}
    story.task("Login", "App", "doing 1d > shipped 1d", **both)
    story.task("Logout", "App", "doing 1d > shipped 1d", time_estimate_ms=8 * HOUR, tracked_ms=6 * HOUR)
    story.task("Search", "App", "doing 1d > shipped 1d", time_estimate_ms=50 * HOUR)
    story.task("Menu", "App", "doing 1d > shipped 1d", tracked_ms=70 * HOUR)
    story.task("Going", "App", "doing 1d", **both)
    shows(
        analyse.estimate_against_tracked(story.table("tasks"), now=story.now),
        """
        done | compared | without_estimate | without_time | estimated | tracked | ratio | ratio_median | over
        4    | 2        | 1                | 1            | 10        | 9       | 0.9   | 1.125        | 1
        """,
    )


def test_tracked_time_of_each_member_in_each_week_with_those_that_had_none() -> None:
    """An entry counts in the week in which it began; amounts without times stand apart."""
    story = Story().member("Ada").member("Bob")
    story.tracked("Login", "Ada", "15d", "2h").tracked("Login", "Ada", "1h", "30m", billable=True)
    story.tracked(None, "Bob", "8d", "3h")
    story.tracked("Login", "Bob", "1d", "1h", start=None, end=None)
    story.tracked("Login", "Bob", "1h", "1h", end=None, duration_ms=None, running=True)
    shows(
        analyse.tracked_time(story.table("time_entries"), now=story.now, members=story.table("members")),
        """
        member | week             | tracked | billable | entries | complete
        Ada    | 2026-11-02 00:00 | 2       | 0        | 1       | True
        Ada    | 2026-11-09 00:00 | 0       | 0        | 0       | True
        Ada    | 2026-11-16 00:00 | 0       | 0        | 0       | True
        Ada    | 2026-11-23 00:00 | 0.5     | 0.5      | 1       | False
        Bob    | 2026-11-02 00:00 | 0       | 0        | 0       | True
        Bob    | 2026-11-09 00:00 | 3       | 0        | 1       | True
        Bob    | 2026-11-16 00:00 | 0       | 0        | 0       | True
        Bob    | 2026-11-23 00:00 | 0       | 0        | 0       | False
        Bob    | NaT              | 1       | 0        | 1       | True
        """,
    )


def test_weeks_of_tracked_time_are_those_of_the_time_zone() -> None:
    """Sunday 23:30 UTC is Monday in Berlin."""
    story = Story("2026-11-23 10:00").member("Ada").tracked("Login", "Ada", "10.5h", "1h")
    table = analyse.tracked_time(story.table("time_entries"), now=story.now, tz="Europe/Berlin")
    shows(table, "member | week | tracked\n ada | 2026-11-23 00:00 | 1")


def test_blocked_stale_and_overdue_work() -> None:
    """By the status's name, by an unfinished task it waits on, by days without a change, by its due date."""
    story = Story().list("App", WORKFLOW)
    fresh = {"date_updated": ms(story, "1d")}
    story.task("Stuck", "App", "doing 1d > blocked 5d", date_updated=ms(story, "5d"))
    story.task("Waiting", "App", "doing 20d", date_updated=ms(story, "2d"))
    story.task("Stale", "App", "doing 20d", date_updated=ms(story, "15d"))
    story.task("Late", "App", "to do 20d", due_date=ms(story, "3h"), date_updated=ms(story, "14d"))
    story.task("Fine", "App", "doing 1d", **fresh).task("Done", "App", "doing 1d > shipped 90d", **fresh)
    links = [
        ("waiting", "fine", "waiting_on"),
        ("fine", "waiting", "blocking"),
        ("fine", "done", "waiting_on"),
    ]
    story.rows["task_links"] += [records.TaskLink(*link) for link in links]
    shows(
        analyse.blocked_and_stale(story.table("tasks"), now=story.now, task_links=story.table("task_links")),
        """
        task_id | status  | blocked | stale | overdue | waits_on | in_status | untouched | overdue
        stale   | doing   | False   | True  | False   | 0        | 480       | 360       | False
        late    | to do   | False   | False | True    | 0        | 480       | 336       | True
        stuck   | blocked | True    | False | False   | 0        | 120       | 120       | False
        waiting | doing   | True    | False | False   | 1        | 480       | 48        | False
        """,
    )


def test_data_quality_finds_what_is_missing_or_contradicts_itself() -> None:
    """Each check counts those that fail and names some; those that none fails are told, too."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d", assignees=("Ada",), time_estimate_ms=HOUR)
    story.task("Logout", "App", "doing 1d > shipped 1d", parent_id="gone")
    story.task("Search", "App", "doing 1d > shipped 1d", date_done=ms(story, "5d"), tracked_ms=HOUR)
    story.task("Odd", "App", "doing 1d", status="invented", date_created=ms(story, "-1d"))
    story.task("Given up", "App", "doing 1d", archived=True)
    story.tracked("Login", "Ada", "2d", "30h").tracked(None, None, "1h", "1h", duration_ms=-5)
    story.tracked("Nowhere", "Ada", "-2h", "1h")
    story.tracked("Login", "Ada", "3d", "0h", end=None, duration_ms=None, running=True)
    story.gap("time_entries", "No access.")
    table = analyse.data_quality(
        story.table("tasks"),
        now=story.now,
        **{
            name: story.table(name)
            for name in ("task_assignees", "time_entries", "time_in_status", "statuses", "gaps")
        },
    )
    shows(
        table[table["count"] > 0],
        """
        check                | count | of | share  | examples
        no_owner             | 1     | 2  | 0.5    | odd
        no_estimate          | 3     | 4  | 0.75   | logout search odd
        closed_without_time  | 1     | 2  | 0.5    | logout
        done_before_created  | 1     | 4  | 0.25   | search
        done_before_started  | 1     | 4  | 0.25   | search
        in_the_future        | 1     | 4  | 0.25   | odd
        lost_parent          | 1     | 1  | 1      | logout
        unknown_status       | 1     | 4  | 0.25   | odd
        time_without_task    | 1     | 4  | 0.25   | e1
        time_of_unknown_task | 1     | 3  | 0.3333 | nowhere
        time_without_person  | 1     | 4  | 0.25   | e1
        negative_time        | 1     | 4  | 0.25   | e1
        long_time            | 1     | 4  | 0.25   | e0
        running              | 1     | 1  | 1      | e3
        time_in_the_future   | 1     | 4  | 0.25   | e2
        gaps                 | 1     | 1  | 1      | time_entries
        """.replace("nowhere", "e2"),
    )
    assert set(table.loc[table["count"] == 0, "check"]) == {
        *("no_done_date", "no_start", "no_list", "no_time_in_status"),
        *("negative_time_in_status", "time_in_status_without_start"),
    }


def test_a_status_of_the_same_name_in_another_list_does_not_make_it_known() -> None:
    """'blocked' is no status of a list that does not offer it."""
    story = Story().list("App", WORKFLOW).list("Web", "to do (open) > doing")
    story.task("Menu", "Web", "doing 1d", status="blocked").task("Login", "App", "blocked 1d")
    table = analyse.data_quality(story.table("tasks"), now=story.now, statuses=story.table("statuses"))
    shows(table[table["check"] == "unknown_status"], "check | count | examples\n unknown_status | 1 | menu")


def test_nothing_to_check_fails_nothing() -> None:
    """An empty workspace has every check, with no share."""
    story = Story()
    table = analyse.data_quality(
        story.table("tasks"), now=story.now, time_entries=story.table("time_entries")
    )
    assert table["count"].sum() == 0
    assert table["share"].isna().all()
    assert analyse.blocked_and_stale(story.table("tasks"), now=story.now).empty
    assert analyse.estimate_against_tracked(story.table("tasks"), now=story.now).empty
    assert analyse.tracked_time(story.table("time_entries"), now=story.now).empty


def test_periods_group_by_when_work_was_finished() -> None:
    """A week is named by its Monday, in the time zone that is asked for; the rest is not finished."""
    story = Story("2026-11-23 10:00").list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d > shipped 10.5h").task("Logout", "App", "doing 2d > shipped 60d")
    story.task("Search", "App", "doing 3d")
    tasks, times = story.table("tasks"), story.table("time_in_status")
    for by, expected in {
        "done_week": "done_week | sum\n Not finished | 72\n 2026-09-21 | 48\n 2026-11-16 | 24",
        "done_month": "done_month | sum\n Not finished | 72\n 2026-09 | 48\n 2026-11 | 24",
        "done_quarter": "done_quarter | sum\n Not finished | 72\n 2026-Q3 | 48\n 2026-Q4 | 24",
    }.items():
        shows(analyse.time_in_status(tasks, times, now=story.now, by=by), expected)
    berlin = analyse.by_period(tasks, "done_week", tz="Europe/Berlin")
    weeks = analyse.time_in_status(tasks, times, now=story.now, by=berlin)["done_week"]
    assert weeks.tolist() == ["Not finished", "2026-09-21", "2026-11-23"]


def test_days_that_had_none_are_counted() -> None:
    """Throughput by day has a row for each day, and the running one is not complete."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 1d > shipped 50h")
    shows(
        analyse.throughput(story.table("tasks"), now=story.now + timedelta(hours=1), days=3),
        """
        day              | done | complete
        2026-11-21 00:00 | 1    | True
        2026-11-22 00:00 | 0    | True
        2026-11-23 00:00 | 0    | False
        """,
    )
