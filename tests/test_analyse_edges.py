"""What every measure must stand: no rows, one task, nothing finished, ties, any order of rows, the future."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pandas as pd
import pytest

from clickup_toolkit import analyse
from clickup_toolkit.records import TABLES
from tests.histories import DAY, HOUR, Story
from tests.test_analyse_scale import MORE, Tables, measured

WORKFLOW = "to do (open) > doing > review > shipped (closed)"
MEASURES = sorted(analyse.COLUMNS)


def tables(story: Story) -> Tables:
    """Return all tables of a story."""
    return {name: story.table(name) for name in TABLES}


def busy() -> Story:
    """Return lists that share names of statuses, with ties everywhere: twins that took and waited alike."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    for home in ("App", "Web"):
        for twin in ("a", "b"):
            story.task(f"Done {home} {twin}", home, "to do 10h > doing 20h > review 10h > shipped 1d")
            story.task(f"Going {home} {twin}", home, "to do 10h > doing 20h > review 10h > doing 30h")
    story.task("Sub", "App", "doing 3d", parent_id="going app a", tags=("ios",), assignees=("Ada",))
    return story.tracked("Sub", "Ada", "2d", "1h").tracked("Sub", "Bob", "2d", "1h").watched("9d")


@cache
def usual(name: str) -> pd.DataFrame:
    """Return a measure of the busy workspace."""
    return measured(name, tables(busy()), busy())


@pytest.mark.parametrize("name", MEASURES)
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    """Ties are broken by ids: shuffled tables give the same result, row by row."""
    story = busy()
    shuffled = {key: table.sample(frac=1, random_state=5) for key, table in tables(story).items()}
    expected, told = usual(name), measured(name, shuffled, story)
    if name == "data_quality":  # its examples are the first that it finds
        expected, told = expected.drop(columns="examples"), told.drop(columns="examples")
    pd.testing.assert_frame_equal(told, expected)


@pytest.mark.parametrize("name", MEASURES)
def test_an_empty_workspace_has_every_column(name: str) -> None:
    """Without any row the columns are those of a full workspace, in their order."""
    story = Story()
    told = measured(name, tables(story), story)
    assert told.columns.tolist() == usual(name).columns.tolist()


@pytest.mark.parametrize("name", MEASURES)
def test_one_task_that_is_not_finished_is_enough(name: str) -> None:
    """A workspace in which nothing was ever finished has figures, and no duration below zero."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "to do 1h > doing 1h").watched("1d")
    told = measured(name, tables(story), story)
    durations = told[[column for column in told.columns if column.endswith("_ms")]]
    assert not (durations < 0).any(axis=None)


@pytest.mark.parametrize("name", MEASURES)
def test_what_lies_in_the_future_breaks_nothing(name: str) -> None:
    """A clock that was wrong, or a now that lies back: no duration is below zero, no count either."""
    story = busy()
    late = {"date_created": int(story.now.timestamp() * 1000) + DAY}
    story.task("Later", "App", "doing 1h", status_since=late["date_created"] + HOUR, **late)
    story.now -= timedelta(days=2)
    told = measured(name, tables(story), story)
    numbers = told.select_dtypes("number").drop(columns=["net", "growth"], errors="ignore")
    assert not (numbers < 0).any(axis=None)


@pytest.mark.parametrize("name", MEASURES)
def test_every_result_says_where_it_comes_from(name: str) -> None:
    """Exact, observed, approximated or simulated, and since when; a column of sources has no other words."""
    story, told = busy(), usual(name)
    words = {analyse.EXACT, analyse.OBSERVED, analyse.APPROXIMATED, analyse.SIMULATED}
    assert (told.attrs["source"] == analyse.SIMULATED) == name.startswith("forecast_")
    assert told.attrs["source"] in words
    if "source" in told.columns:
        assert set(told["source"]) <= words
        assert "status_changes" in analyse.COLUMNS[name]
        assert told.attrs["observed_from"] == (story.now - timedelta(days=9))


@pytest.mark.parametrize("name", sorted(set(MEASURES) - {"tracked_time"}))
def test_tasks_that_are_gone_are_in_no_figure(name: str) -> None:
    """Time, changes and links of a task that the export no longer holds change nothing."""
    story = busy()
    whole = tables(story)
    without = tables(Story().list("App", WORKFLOW).list("Web", WORKFLOW).watched("9d"))
    kept = without | {key: whole[key] for key in ("statuses", "exports", "members")}
    if "time_entries" in analyse.COLUMNS[name]:
        return  # the report on the data's quality counts such time on purpose
    given = {key: whole[key] if key != "tasks" else kept["tasks"] for key in analyse.COLUMNS[name]}
    expected = {key: kept[key] for key in analyse.COLUMNS[name]}
    pd.testing.assert_frame_equal(
        getattr(analyse, name)(**given, **MORE.get(name, {}), now=story.now),
        getattr(analyse, name)(**expected, **MORE.get(name, {}), now=story.now),
    )
