"""The same figures from whatever a table is kept in: pandas, categories, Parquet files, Dask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
import pytest

from clickup_toolkit import analyse
from clickup_toolkit.analyse.measure import compact
from clickup_toolkit.records import TABLES, TaskLink
from tests.histories import HOUR, Story, believable

Tables = dict[str, pd.DataFrame]

# Partitions are small here: threads would cost more than they bring.
IN_TURN = {"scheduler": "synchronous"}

MORE: dict[str, dict[str, Any]] = {
    "forecast_how_many": {"until": date(2026, 12, 24), "trials": 200},
    "forecast_when": {"items": 20, "trials": 200},
    "work_in_progress": {"last": 20, "by": "space"},
    "cumulative_flow": {"last": 20},
    "queues": {"by": "list", "weeks": 3},
}
"""What some measures are asked beside their tables."""


@pytest.fixture(scope="module")
def story() -> Story:
    """Return a workspace with something in every table that measures read."""
    made = believable(60)
    made.task("Again", "Website", "to do 1d > doing 2d > review 1d > doing 1d > review 2d > shipped 1d")
    made.task("Typeless", "Website", "doing 30d", status_type=None, tags=("ios",), assignees=("Ada",))
    made.task("Old", "Website", "doing 30d", archived=True, time_estimate_ms=HOUR, tracked_ms=2 * HOUR)
    made.task("Ok", "Website", "doing 1d > shipped 3d", time_estimate_ms=HOUR, tracked_ms=2 * HOUR)
    made.tracked("Ok", "Ada", "9d", "2h").tracked(None, "Bob", "3d", "1h")
    made.rows["task_links"].append(TaskLink("typeless", "old", "waiting_on"))
    return made.watched("40d")


@pytest.fixture(scope="module")
def tables(story: Story) -> Tables:
    """Return its tables as pandas has them."""
    return {name: story.table(name) for name in TABLES}


@pytest.fixture(scope="module")
def expected(tables: Tables, story: Story) -> Callable[[str], pd.DataFrame]:
    """Return what tells each measure as pandas has it, measured once."""
    return cache(lambda name: measured(name, tables, story))


def measured(name: str, tables: Tables, story: Story) -> pd.DataFrame:
    """Return a measure of those of the tables that it reads."""
    given = {table: tables[table] for table in analyse.COLUMNS[name]}
    result: pd.DataFrame = getattr(analyse, name)(**given, **MORE.get(name, {}), now=story.now)
    return result


def test_every_measure_declares_what_it_reads() -> None:
    """Each declared table and column exists; each measure that the package offers is declared."""
    for name, needed in analyse.COLUMNS.items():
        assert callable(getattr(analyse, name))
        for table, columns in needed.items():
            assert set(columns) <= {column.name for column in TABLES[table].columns}, (name, table)
            assert len(set(columns)) == len(columns)
    offered = {name for name in analyse.__all__ if name.islower() and _takes_now(getattr(analyse, name))}
    assert offered == set(analyse.COLUMNS)


def _takes_now(function: object) -> bool:
    return "now" in getattr(getattr(function, "__wrapped__", function), "__annotations__", {})


@pytest.mark.parametrize("name", sorted(analyse.COLUMNS))
def test_a_measure_needs_no_other_column_than_it_declares(
    name: str, tables: Tables, story: Story, expected: Callable[[str], pd.DataFrame]
) -> None:
    """Given the declared columns alone, with their few texts as categories, it tells the same."""
    kept = {table: compact(tables[table][list(columns)]) for table, columns in analyse.COLUMNS[name].items()}
    pd.testing.assert_frame_equal(measured(name, kept, story), expected(name))


@pytest.mark.parametrize("name", sorted(analyse.COLUMNS))
def test_parquet_files_tell_the_same(
    name: str, story: Story, written: dict[str, Path], expected: Callable[[str], pd.DataFrame]
) -> None:
    """What is read of the files, with row groups passed over, is what the measure needs."""
    by = {"space": "space", "list": "list"}.get(MORE.get(name, {}).get("by", ""), "")
    read = analyse.tables_for(name, written, by)
    result = getattr(analyse, name)(**read, **MORE.get(name, {}), now=story.now)
    pd.testing.assert_frame_equal(result, expected(name))


@pytest.fixture(scope="module")
def written(story: Story, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the paths of the Parquet files of the story."""
    folder = story.write(tmp_path_factory.mktemp("export")) / "parquet"
    return {name: folder / name / "part-0.parquet" for name in TABLES}


@pytest.mark.parametrize("name", sorted(analyse.COLUMNS))
def test_dask_tells_the_same(
    name: str, tables: Tables, story: Story, expected: Callable[[str], pd.DataFrame]
) -> None:
    """Every table in three partitions, cut anywhere: the result is exactly that of pandas."""
    parts = {
        table: dd.from_pandas(tables[table], npartitions=3, sort=False)
        if len(tables[table])
        else tables[table]
        for table in analyse.COLUMNS[name]
    }
    assert any(hasattr(part, "to_delayed") for part in parts.values())
    with dask.config.set(IN_TURN):
        told = measured(name, parts, story)
    pd.testing.assert_frame_equal(told, expected(name))


@pytest.mark.parametrize(
    "made",
    [
        lambda t: analyse.by_member(t["tasks"], t["task_assignees"], t["members"]),
        lambda t: analyse.by_tag(t["tasks"], t["task_tags"]),
        lambda t: analyse.by_task_type(t["tasks"]),
        lambda t: analyse.by_period(t["tasks"], "done_month"),
    ],
    ids=["member", "tag", "task_type", "period"],
)
def test_groupings_of_dask_tables_are_the_same(
    made: Callable[[Tables], analyse.Grouping], tables: Tables
) -> None:
    """A grouping made of Dask tables is that of pandas."""
    parts = {
        name: dd.from_pandas(table, npartitions=2, sort=False) for name, table in tables.items() if len(table)
    }
    with dask.config.set(IN_TURN):
        told, expected = made(parts).rows, made(tables).rows
    pd.testing.assert_frame_equal(told.astype("str"), expected.astype("str"))


def test_dask_partitions_bring_only_what_is_needed() -> None:
    """Of each partition only the columns and rows of the measure are gathered, texts once each."""
    story = Story().list("App", "to do (open) > doing > shipped (closed)")
    story.task("Login", "App", "doing 1d").task("Logout", "App", "doing 1d > shipped 1d")
    table = compact(story.table("tasks")[["id", "status", "status_type"]], "unfinished")
    assert table["id"].tolist() == ["login"]
    assert str(table["status"].dtype) == "category"
