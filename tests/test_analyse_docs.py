"""The page of measures: every measure stands in it, and its worked example gives what it shows."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clickup_toolkit import analyse
from clickup_toolkit.records import TABLES
from tests.histories import DAY, HOUR, Story
from tests.pictures import drawn, picture

PAGE = (Path(__file__).parent.parent / "docs/measures.md").read_text()
SECTION = re.compile(
    r"^### `(?P<name>\w+)`\n\n\*\*Formula\.\*\* .+?\n\n\*\*Source\.\*\* .+?\n\n"
    r"```python\n(?P<call>.+?)\n```\n\n```text\n(?P<table>.+?)\n```\n.*?\*\*Limits\.\*\* .+?$",
    re.MULTILINE | re.DOTALL,
)
SECTIONS = {found["name"]: found for found in SECTION.finditer(PAGE)}


def example() -> Story:
    """Return the history that the page tells, with the facts that it names below it."""
    lines = PAGE.split("## The example")[1].split("```")[1].removeprefix("text\n").strip().splitlines()
    (home, workflow), *tasks = (re.split(r"\s{2,}", line, maxsplit=1) for line in lines)
    story = Story("2026-11-23 10:00").list(home, workflow)
    now = int(story.now.timestamp() * 1000)
    facts: dict[str, dict[str, Any]] = {
        "Login": {"time_estimate_ms": 3 * HOUR, "tracked_ms": 4 * HOUR},
        "Logout": {"time_estimate_ms": 5 * HOUR, "tracked_ms": 4 * HOUR},
        "Search": {"date_updated": now - 20 * DAY},
    }
    for name, history in tasks:
        story.task(name, home, history, **{"date_updated": now - HOUR, **facts.get(name, {})})
    story.member("Ada").tracked("Login", "Ada", "8d", "4h").tracked(
        "Logout", "Ada", "1h", "1h", billable=True
    )
    return story.watched("21d")


def test_every_measure_is_defined_with_formula_source_example_and_limits() -> None:
    """The page has a whole section for each measure that the package offers, and for no other."""
    assert set(SECTIONS) == set(analyse.COLUMNS)


@pytest.mark.parametrize("name", sorted(analyse.COLUMNS))
def test_the_worked_example_gives_what_the_page_shows(name: str) -> None:
    """The call of the section, on the history of the page, draws the table of the section."""
    story, section = example(), SECTIONS[name]
    known = {table: story.table(table) for table in TABLES}
    assert f"analyse.{name}(" in section["call"]
    table = eval(section["call"], known | {"analyse": analyse, "now": story.now, "date": date})
    assert drawn(table, section["table"]) == picture(section["table"])


@pytest.mark.parametrize("name", sorted(analyse.COLUMNS))
def test_the_docstring_tells_the_columns(name: str) -> None:
    """Who asks for help on a measure reads of the columns that its table has."""
    story, section = example(), SECTIONS[name]
    known = {table: story.table(table) for table in TABLES}
    table = eval(section["call"], known | {"analyse": analyse, "now": story.now, "date": date})
    told = getattr(analyse, name).__doc__
    status = {"status", "status_type", "place", "color", "orderindex", "status_key", "list_id", "list"}
    paces = {f"pace_{round(part * 100)}_ms" for part in analyse.PACE}
    missing = [column for column in table.columns if column not in told and column not in status | paces]
    assert missing == []
