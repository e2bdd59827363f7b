"""Boundaries of cycle time, ageing work, service levels and forecasts, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from clickup_toolkit import analyse
from clickup_toolkit.analyse import Cycle, WorkingTime
from tests.histories import Story
from tests.pictures import drawn, picture

WORKFLOW = "to do (open) > doing > review > shipped (closed)"


def shows(table: pd.DataFrame, expected: str) -> None:
    """Compare a table with its picture."""
    assert drawn(table, expected) == picture(expected)


def two_lists() -> Story:
    """Return finished and started work in two lists that have statuses of the same names."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    story.task("Login", "App", "to do 10h > doing 20h > review 40h > shipped 1d")
    story.task("Menu", "Web", "to do 10h > doing 20h > review 40h > shipped 2d")
    story.task("Logout", "App", "to do 10h > doing 20h > review 5h")
    return story


def test_cycle_time_starts_and_ends_as_clickup_has_it() -> None:
    """By default from the first active status to done, and not at all for what never was active."""
    story = two_lists().task("Given back", "App", "to do 10h > shipped 1h")
    shows(
        analyse.finished_work(story.table("tasks"), now=story.now),
        """
        task_id    | list | started          | finished         | lead | cycle | source
        given back | App  | NaT              | 2026-11-23 09:00 | 10   | -     | approximated
        login      | App  | 2026-11-19 22:00 | 2026-11-22 10:00 | 70   | 60    | approximated
        menu       | Web  | 2026-11-18 22:00 | 2026-11-21 10:00 | 70   | 60    | approximated
        """,
    )


@pytest.mark.parametrize(
    ("start", "end", "cycles"),
    [
        ("type:open", "", {"App": 70, "Web": 70}),
        ("status:Review", "", {"App": 40, "Web": 40}),
        ("list:Web/status:review, type:custom", "", {"App": 60, "Web": 40}),
        ("list:web/type:custom", "", {"Web": 60}),
        ("type:custom", "status:review", {"App": 20, "Web": 20}),
        ("status:review", "list:app/status:shipped", {"App": 40, "Web": 40}),
    ],
)
def test_cycle_time_starts_and_ends_where_it_is_told_to(
    start: str, end: str, cycles: dict[str, float]
) -> None:
    """By type, by status, for one list alone by its name or id; a list's own boundary goes before others."""
    story = two_lists()
    table = analyse.lead_and_cycle_time(
        story.table("tasks"),
        now=story.now,
        cycle=Cycle.read(start, end),
        time_in_status=story.table("time_in_status"),
        since=story.now - timedelta(days=9),
    )
    found = {row["list"]: row["cycle_median_ms"] / 3_600_000 for row in table.to_dict("records")}
    assert {name: hours for name, hours in found.items() if hours == hours} == cycles


def test_work_that_has_reached_the_end_is_no_longer_in_progress() -> None:
    """With review as the end, a task in review has finished, and has no age."""
    story = two_lists()
    tables = {"tasks": story.table("tasks"), "time_in_status": story.table("time_in_status")}
    table = analyse.work_item_age(now=story.now, cycle=Cycle.read("type:custom", "status:review"), **tables)
    assert table.empty
    shows(
        analyse.work_item_age(now=story.now, cycle=Cycle.read("status:review"), **tables),
        "task_id | age\n logout | 5",
    )


def test_boundaries_are_refused_when_they_cannot_be_read_or_told() -> None:
    """A word is no boundary; and ClickUp's sums are needed to tell any but its own."""
    with pytest.raises(ValueError, match="'doing' is no boundary: write type:custom"):
        Cycle.read("doing")
    story = two_lists()
    with pytest.raises(ValueError, match="need time_in_status"):
        analyse.lead_and_cycle_time(story.table("tasks"), now=story.now, cycle=Cycle.read("status:review"))


def test_a_first_start_that_was_observed_goes_before_a_later_one_that_clickup_tells() -> None:
    """ClickUp tells the last visit of 'doing'; the exports saw the first."""
    story = Story().list("App", WORKFLOW)
    story.task(
        "Login",
        "App",
        "to do 10h > doing 20h > to do 10h > doing 10h > shipped 1h",
        cycle_started=int((Story().now - timedelta(hours=11)).timestamp() * 1000),
    )
    seen = story.watched("9d")
    tasks, changes, exports = (seen.table(name) for name in ("tasks", "status_changes", "exports"))
    shows(analyse.lead_and_cycle_time(tasks, now=story.now), "cycle_median | source\n 10 | approximated")
    shows(
        analyse.lead_and_cycle_time(tasks, now=story.now, status_changes=changes, exports=exports),
        "cycle_median | source\n 40 | observed",
    )


def aged() -> Story:
    """Return four finished tasks, of 10, 20, 30 and 40 hours in each of two statuses, and three going."""
    story = Story().list("App", WORKFLOW)
    for hours in (10, 20, 30, 40):
        story.task(f"Done {hours}", "App", f"to do 99h > doing {hours}h > review {hours}h > shipped 1d")
    story.task("Young", "App", "doing 5h").task("Old", "App", "doing 37h")
    return story.task("Oldest", "App", "doing 10h > review 80h")


def test_pace_is_how_old_finished_tasks_were_when_they_left_each_status() -> None:
    """Percentiles of the time in the status and in the started ones before it."""
    story = aged()
    shows(
        analyse.pace_percentiles(story.table("tasks"), story.table("time_in_status"), now=story.now),
        """
        status | place | tasks | pace_50 | pace_70 | pace_85 | pace_95
        doing  | App   | 4     | 25      | 31      | 35.5    | 38.5
        review | App   | 4     | 50      | 62      | 71      | 77
        """,
    )


def test_ageing_work_stands_beside_the_pace_of_its_status() -> None:
    """Each started task with its age, its status, and the highest percentile that it is beyond."""
    story = aged()
    shows(
        analyse.ageing_work(story.table("tasks"), story.table("time_in_status"), now=story.now),
        """
        task_id | list | status | age | pace_85 | pace
        oldest  | App  | review | 90  | 71      | 95
        old     | App  | doing  | 37  | 35.5    | 85
        young   | App  | doing  | 5   | 35.5    | 0
        """,
    )


def test_ageing_work_in_a_list_that_finished_nothing_has_no_pace() -> None:
    """A status of the same name in another list says nothing about it."""
    story = aged().list("Web", WORKFLOW).task("Menu", "Web", "doing 900h")
    table = analyse.ageing_work(story.table("tasks"), story.table("time_in_status"), now=story.now)
    shows(table[table["list"] == "Web"], "task_id | age | pace_85 | pace\n menu | 900 | - | 0")


def test_the_service_level_is_a_time_and_a_probability() -> None:
    """Of cycle times of 20, 40, 60 and 80 hours, 85 in 100 are within 71; one task is beyond, one near."""
    story = aged()
    shows(
        analyse.service_level_expectation(story.table("tasks"), now=story.now),
        """
        list | done | probability | within | in_progress | beyond | near
        App  | 4    | 0.85        | 71     | 3           | 1      | 1
        """,
    )
    with pytest.raises(ValueError, match="probability must lie between 0 and 1"):
        analyse.service_level_expectation(story.table("tasks"), now=story.now, probability=85)


def daily(*counts: int) -> Story:
    """Return a history in which so many tasks were done on each of the last days, yesterday last."""
    story = Story().list("App", WORKFLOW)
    for ago, count in enumerate(reversed(counts)):
        for number in range(count):
            story.task(f"T{ago}-{number}", "App", f"to do 40d > doing 5h > shipped {24 * ago + 12}h")
    return story


def test_samples_are_the_past_days_with_those_that_had_none() -> None:
    """Today is not over and is no sample; days without anything done are."""
    story = daily(2, 0, 1).task("Today", "App", "doing 1h > shipped 1h")
    shows(
        analyse.throughput_samples(story.table("tasks"), now=story.now, history=4),
        """
        day              | done
        2026-11-19 00:00 | 0
        2026-11-20 00:00 | 2
        2026-11-21 00:00 | 0
        2026-11-22 00:00 | 1
        """,
    )


def test_what_was_done_on_a_day_off_counts_for_the_working_day_after_it() -> None:
    """Only working days are drawn, so the work of a weekend must not be lost, and Monday is not over."""
    story = daily(3, 2, 1, 1, 1)  # Wednesday to Sunday
    story.now += timedelta(days=1)
    shows(
        analyse.throughput_samples(story.table("tasks"), now=story.now, history=6, working=WorkingTime()),
        """
        day              | done
        2026-11-18 00:00 | 3
        2026-11-19 00:00 | 2
        2026-11-20 00:00 | 1
        2026-11-23 00:00 | 2
        """,
    )


def test_a_steady_pace_leaves_nothing_to_chance() -> None:
    """Two a day, every day: 14 in a week, ten within five days, whatever the likelihood."""
    story = daily(*[2] * 10)
    tasks = story.table("tasks")
    shows(
        analyse.forecast_how_many(tasks, now=story.now, until=date(2026, 11, 30), history=10),
        "likelihood | items\n 0.5 | 14\n 0.7 | 14\n 0.85 | 14\n 0.95 | 14",
    )
    shows(
        analyse.forecast_when(tasks, now=story.now, items=10, history=10, likelihoods=(0.85,)),
        "likelihood | days | date\n 0.85 | 5 | 2026-11-28 00:00",
    )
    office = WorkingTime(holidays=frozenset({date(2026, 11, 26)}))
    shows(
        analyse.forecast_when(tasks, now=story.now, items=10, history=7, likelihoods=(0.85,), working=office),
        "likelihood | days | date\n 0.85 | 5 | 2026-12-01 00:00",
    )


def test_chance_is_that_of_the_binomial_distribution() -> None:
    """One on every other day: in ten days at least 5 with 62%, 3 with 95%, 2 with 99% likelihood."""
    story = daily(*[0, 1] * 10)
    table = analyse.forecast_how_many(
        story.table("tasks"),
        now=story.now,
        until=date(2026, 12, 3),
        history=20,
        likelihoods=(0.60, 0.93, 0.98),
        seed=3,
    )
    assert table["items"].tolist() == [5, 3, 2]  # P(X >= k) of B(10, 1/2): 0.623, 0.945, 0.989


def test_when_is_the_waiting_time_of_the_distribution() -> None:
    """One on every other day: the first one within a day with 50%, 2 days 75%, 4 days 93.75%."""
    story = daily(*[0, 1] * 10)
    table = analyse.forecast_when(
        story.table("tasks"), now=story.now, items=1, history=20, likelihoods=(0.48, 0.73, 0.92), seed=3
    )
    assert table["days"].tolist() == [1, 2, 4]


def test_the_same_seed_gives_the_same_forecast() -> None:
    """A forecast can be repeated; another seed draws other trials."""
    story = daily(0, 3, 1, 0, 5, 2)
    given = {"tasks": story.table("tasks"), "now": story.now, "items": 300, "history": 6, "trials": 50}
    once = analyse.forecast_when(seed=1, **given)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(once, analyse.forecast_when(seed=1, **given))  # type: ignore[arg-type]
    assert not once.equals(analyse.forecast_when(seed=2, **given))  # type: ignore[arg-type]


def test_without_throughput_there_is_no_date() -> None:
    """Nothing was finished: nothing will be, and no date is made up."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 900h")
    tasks = story.table("tasks")
    table = analyse.forecast_when(tasks, now=story.now, items=1)
    assert table["date"].isna().all()
    assert table["days"].isna().all()
    many = analyse.forecast_how_many(tasks, now=story.now, until=date(2027, 1, 1))
    assert many["items"].tolist() == [0, 0, 0, 0]


def test_a_forecast_of_the_past_or_of_nothing_is_refused() -> None:
    """Until must lie ahead, items be one at least, a likelihood a part of one."""
    story = daily(1)
    tasks = story.table("tasks")
    with pytest.raises(ValueError, match="until must be a day after 2026-11-23"):
        analyse.forecast_how_many(tasks, now=story.now, until=date(2026, 11, 23))
    with pytest.raises(ValueError, match="items must be 1 or more"):
        analyse.forecast_when(tasks, now=story.now, items=0)
    with pytest.raises(ValueError, match="a likelihood must lie between 0 and 1"):
        analyse.forecast_when(tasks, now=story.now, items=1, likelihoods=(85,))
