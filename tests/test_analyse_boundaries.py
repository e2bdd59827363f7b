"""What an end, a start or a beginning of one's own means for every figure that rests on it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dask.dataframe as dd
import pandas as pd

from clickup_toolkit import analyse
from clickup_toolkit.records import TABLES
from tests.histories import Story
from tests.test_analyse_finished import shows

WORKFLOW = "to do (open) > doing > review > shipped (closed)"
AT_REVIEW = analyse.Cycle.read(end="status:review")
FROM_REVIEW = analyse.Cycle.read(start="status:review")


def reviewed() -> Story:
    """Return a list in which three tasks have come to review, one of which has been shipped."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 10h > review 20h > shipped 30h")
    story.task("Logout", "App", "doing 30h > review 50h")
    return story.task("Menu", "App", "doing 5h > review 2h").task("Later", "App", "doing 90h")


def test_throughput_counts_what_has_come_to_the_end_that_cycle_time_has() -> None:
    """Scatterplot, throughput and the forecasts' days tell of the same tasks, from tables of any kind."""
    story = reviewed()
    stays = story.table("time_in_status")
    for tasks in (story.table("tasks"), dd.from_pandas(story.table("tasks"), npartitions=2, sort=False)):
        told = analyse.throughput(tasks, now=story.now, days=3, cycle=AT_REVIEW, time_in_status=stays)
        shows(
            told,
            """
            day              | done
            2026-11-21 00:00 | 2
            2026-11-22 00:00 | 0
            2026-11-23 00:00 | 1
            """,
        )
        assert told.attrs["source"] == analyse.APPROXIMATED
    finished = analyse.finished_work(
        story.table("tasks"), now=story.now, cycle=AT_REVIEW, time_in_status=stays
    )
    assert finished["task_id"].tolist() == ["menu", "login", "logout"]
    days = analyse.throughput_samples(
        story.table("tasks"), now=story.now, cycle=AT_REVIEW, time_in_status=stays
    )
    assert days["done"].sum() == 2  # today is not over


def test_files_are_read_whole_where_work_ends_elsewhere(tmp_path: Path) -> None:
    """Rows of unfinished tasks are passed over only where ClickUp's own rule says what is finished."""
    story = reviewed()
    folder = story.write(tmp_path) / "parquet"
    paths = {name: folder / name / "part-0.parquet" for name in TABLES}
    for cycle, done in ((analyse.CLICKUP_RULE, 1), (AT_REVIEW, 3)):
        read = analyse.tables_for("throughput", paths, cycle=cycle)
        assert analyse.throughput(**read, now=story.now, cycle=cycle)["done"].sum() == done


def test_pace_begins_where_age_does() -> None:
    """From review on, ages are compared with what finished tasks had spent in review, not in doing."""
    story = reviewed()
    given = {"now": story.now, "cycle": FROM_REVIEW}
    tables = (story.table("tasks"), story.table("time_in_status"))
    shows(
        analyse.pace_percentiles(*tables, **given),  # type: ignore[arg-type]
        "status | tasks | pace_50 | pace_95\n review | 1 | 20 | 20",
    )
    shows(
        analyse.ageing_work(*tables, **given),  # type: ignore[arg-type]
        """
        task_id | status | age | pace_85 | pace
        logout  | review | 50  | 20      | 95
        menu    | review | 2   | 20      | 0
        """,
    )


def test_days_before_the_first_task_was_made_are_no_samples() -> None:
    """A list that is three days old, with two tasks done a day, is not forecast from 87 days of nothing."""
    story = Story().list("App", WORKFLOW)
    for day in range(3):
        for number in range(2):
            made = f"to do 1h > doing 1h > shipped {24 * day + 12}h"
            story.task(f"T{day}-{number}", "App", made)
    samples = analyse.throughput_samples(story.table("tasks"), now=story.now)
    assert samples["done"].tolist() == [2, 2, 2]
    ahead = analyse.forecast_how_many(story.table("tasks"), now=story.now, until=date(2026, 11, 25))
    assert ahead["items"].tolist() == [4, 4, 4, 4]
    since_today = Story().list("App", WORKFLOW).task("Now", "App", "doing 1h > shipped 1h")
    young = analyse.throughput_samples(since_today.table("tasks"), now=story.now)
    assert (len(young), young["done"].sum()) == (90, 0)  # no whole day has passed: there is nothing to tell


def test_samples_begin_with_the_first_task_whether_it_was_finished_or_not() -> None:
    """Days in which work lay there and none was done are samples; unfinished work in the archive is none."""
    story = Story().list("App", WORKFLOW).task("Old", "App", "to do 5d > doing 5d")
    story.task("Older", "App", "to do 60d", archived=True)
    story.task("New", "App", "to do 1h > doing 1h > shipped 30h").task(
        "Newer", "App", "doing 1h > shipped 31h"
    )
    tables = {"tasks": story.table("tasks")}
    samples = analyse.throughput_samples(**tables, now=story.now)
    assert samples["done"].tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    sure = analyse.forecast_how_many(**tables, now=story.now, until=date(2026, 11, 30), likelihoods=(0.5,))
    assert sure["items"].tolist() == [2]  # seven days with a chance of one in ten each


def test_the_service_level_is_observed_where_every_start_was() -> None:
    """As lead and cycle time: groups whose tasks were all made since the first export are observed."""
    story = Story().list("Old", WORKFLOW).list("New", WORKFLOW)
    story.task("A", "Old", "doing 30d > shipped 1d").task("B", "New", "doing 2d > shipped 1d")
    story.task("C", "New", "doing 1d").watched("9d")
    told = analyse.service_level_expectation(
        story.table("tasks"),
        now=story.now,
        status_changes=story.table("status_changes"),
        exports=story.table("exports"),
    )
    assert dict(zip(told["list"], told["source"], strict=True)) == {"New": "observed", "Old": "approximated"}
    assert told.attrs["source"] == "approximated"


def test_what_holds_no_unfinished_work_is_no_bottleneck() -> None:
    """The slowest status of an old list that is done marks nothing; the slowest of those with work does."""
    story = Story().list("Old", WORKFLOW).list("App", WORKFLOW)
    story.task("Gone", "Old", "doing 90d > shipped 1d").task("Login", "App", "doing 2d > review 5d")
    table = analyse.bottleneck(story.table("tasks"), story.table("time_in_status"), now=story.now)
    signs = table.set_index(table["place"] + " " + table["status"])["signs"]
    assert signs.to_dict() == {"App review": 3, "App doing": 0, "Old doing": 0}


def test_the_headline_does_not_take_what_is_not_told_for_nothing() -> None:
    """Without time in status nobody knows whether work waits; with it and nothing started, it is known."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 2d > shipped 1d")
    stays = story.table("time_in_status")
    told = [
        str(analyse.headline(analyse.where_work_waits(story.table("tasks"), table, now=story.now)))
        for table in (stays, stays.head(0))
    ]
    assert told[0] == "No started work is waiting."
    assert told[1].startswith("No time in status of started work is known")


def test_forecasts_say_that_they_are_simulated() -> None:
    """What may come is not an exact figure, whatever it is made of."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 2d > shipped 1d")
    table = analyse.forecast_when(story.table("tasks"), now=story.now, items=1)
    assert str(analyse.provenance(table)).startswith("Simulated")
    assert isinstance(table, pd.DataFrame)
