"""Groupings whose names come from the workspace: custom fields may be called anything."""

from __future__ import annotations

import inspect
from functools import cache

import pandas as pd
import pytest

from clickup_toolkit import analyse
from clickup_toolkit.analyse.columns import OF_RESULTS
from clickup_toolkit.records import TaskCustomField
from tests.histories import Story
from tests.test_analyse_edges import busy, tables
from tests.test_analyse_scale import MORE, Tables

GROUPED = sorted(
    name for name in analyse.COLUMNS if "by" in inspect.signature(getattr(analyse, name)).parameters
)


@cache
def known() -> tuple[Story, Tables]:
    """Return the busy workspace and its tables."""
    return busy(), tables(busy())


def by_field(name: str) -> analyse.Grouping:
    """Group the tasks of the busy workspace by a custom field of this name."""
    tasks = known()[1]["tasks"]
    fields = pd.DataFrame(
        {"task_id": tasks["id"], "field_id": "f1", "name": name, "value": ["a", "b", "c"] * (len(tasks) // 3)}
    )
    assert set(fields.columns) <= set(TaskCustomField._fields)
    return analyse.by_custom_field(tasks, fields, "f1")


def asked(measure: str, by: analyse.Grouping) -> pd.DataFrame:
    """Return a measure of the busy workspace by a grouping."""
    story, whole = known()
    given = {table: whole[table] for table in analyse.COLUMNS[measure]}
    how = {name: value for name, value in MORE.get(measure, {}).items() if name != "by"}
    told: pd.DataFrame = getattr(analyse, measure)(**given, **how, by=by, now=story.now)
    return told


@pytest.mark.parametrize("measure", GROUPED)
def test_a_field_may_bear_the_name_of_a_column(measure: str) -> None:
    """No column of the result is lost or doubled: the group's is called value then."""
    usual = asked(measure, by_field("Team"))
    assert usual.columns[:2].tolist() == ["Team_id", "Team"]
    own = set(usual.columns[2:])
    assert own <= OF_RESULTS
    for name in (min(own), max(own)):
        told = asked(measure, by_field(name))
        expected = usual.rename(columns={"Team_id": "value_id", "Team": "value"})
        pd.testing.assert_frame_equal(told, expected)
