"""What only counts or adds up is counted in each partition: few rows are gathered, the figures stay."""

from __future__ import annotations

from datetime import date
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
import pytest

from clickup_toolkit import analyse
from clickup_toolkit.analyse.counting import WEIGHT, counted_entries, counted_samples, counted_tasks
from tests.histories import Story, believable
from tests.test_analyse_scale import IN_TURN

FAR = "Pacific/Auckland"
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"throughput by {by}": ("throughput", {"by": by, "tz": FAR}) for by in analyse.OF_TASKS},
    "throughput by day": ("throughput", {"days": 40, "tz": FAR}),
    "samples": ("throughput_samples", {"tz": FAR}),
    "samples of working days": ("throughput_samples", {"working": analyse.WorkingTime(tz=FAR)}),
    "how many": ("forecast_how_many", {"until": date(2026, 12, 24), "trials": 100}),
    "when": ("forecast_when", {"items": 9, "trials": 100}),
    "time by week": ("tracked_time", {"tz": FAR}),
    "time by day": ("tracked_time", {"unit": "day", "weeks": 9}),
}


@pytest.fixture(scope="module")
def story() -> Story:
    """Return a workspace with time entries, one without times, and one in the future."""
    made = believable(120)
    for day in range(40):
        made.tracked(None, ("Ada", "Bob")[day % 2], f"{day * 31}h", "2h", billable=day % 3 == 0)
    return made


@pytest.mark.parametrize("asked", sorted(ASKED))
def test_counts_of_partitions_add_up_to_the_same_figures(asked: str, story: Story) -> None:
    """By every grouping, in any time zone, working days or all: exactly what pandas tells of the whole."""
    measure, how = ASKED[asked]
    name = "time_entries" if measure == "tracked_time" else "tasks"
    whole = story.table(name)
    parts = dd.from_pandas(whole, npartitions=4, sort=False)
    told = getattr(analyse, measure)
    with dask.config.set(IN_TURN):
        counted = told(parts, now=story.now, **how)
    pd.testing.assert_frame_equal(counted, told(whole, now=story.now, **how))
    assert counted.attrs == told(whole, now=story.now, **how).attrs


def test_samples_of_partitions_begin_with_the_first_task_even_if_it_is_open() -> None:
    """The unfinished task that was made first counts wherever it lies; one in the archive does not."""
    story = Story().list("App", "to do (open) > doing > shipped (closed)")
    story.task("Done", "App", "doing 1h > shipped 30h").task("Young", "App", "doing 2d")
    story.task("Old", "App", "to do 9d").task("Put away", "App", "to do 50d", archived=True)
    tasks = story.table("tasks")
    with dask.config.set(IN_TURN):
        counted = analyse.throughput_samples(dd.from_pandas(tasks, npartitions=4, sort=False), now=story.now)
    assert counted["done"].tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1]
    pd.testing.assert_frame_equal(counted, analyse.throughput_samples(tasks, now=story.now))
    counts = counted_samples(tasks, {"now": story.now})
    assert counts["id"].tolist() == ["", "old"]
    pd.testing.assert_frame_equal(counted_samples(counts, {"now": story.now}), counts)


def test_single_tasks_stay_where_they_are_needed(story: Story) -> None:
    """A grouping of single tasks is told as well, of what was gathered."""
    tasks, assigned = story.table("tasks"), story.table("task_assignees")
    by = analyse.by_member(tasks, assigned, story.table("members"))
    with dask.config.set(IN_TURN):
        told = analyse.throughput(dd.from_pandas(tasks, npartitions=3, sort=False), now=story.now, by=by)
    pd.testing.assert_frame_equal(told, analyse.throughput(tasks, now=story.now, by=by))


def test_a_partition_brings_a_row_for_each_group_and_period() -> None:
    """However many tasks were done; what is not done brings none; counts of counts are the same."""
    story = (
        Story()
        .list("App", "to do (open) > doing > shipped (closed)")
        .list("Web", "to do (open) > done (done)")
    )
    for number in range(60):
        story.task(f"A{number}", "App", f"doing 1h > shipped {24 * (number % 3) + 1}h")
    story.task("Open", "App", "doing 1d").task("Page", "Web", "to do 1d > done 1h")
    tasks = story.table("tasks")
    for how, expected in (
        ({"by": "status", "unit": "day"}, [20, 20, 21]),
        ({"by": "list", "unit": "day"}, [1, 20, 20, 20]),
        ({"by": "list", "unit": "week"}, [1, 20, 40]),
        ({"by": "list", "unit": "week", "days": 9}, [1, 20, 20, 20]),
    ):
        counted = counted_tasks(tasks, {"now": story.now, **how})
        assert sorted(counted[WEIGHT]) == expected
        again = counted_tasks(counted, {"now": story.now, **how})
        pd.testing.assert_frame_equal(again, counted, check_dtype=False)


def test_time_entries_become_a_row_for_each_member_and_day() -> None:
    """Billable time stays apart from the other; running timers and the future bring none."""
    story = Story()
    for hour in range(1, 9):
        story.tracked(None, "Ada", f"{hour}h", "0.5h", billable=hour > 6)
    entries = story.table("time_entries")[[*analyse.COLUMNS["tracked_time"]["time_entries"]]]
    counted = counted_entries(entries, {"now": story.now})
    told = counted.sort_values("billable")[["billable", "duration_ms", WEIGHT]]
    assert told.to_numpy().tolist() == [[False, 6 * 1_800_000, 6], [True, 2 * 1_800_000, 2]]
