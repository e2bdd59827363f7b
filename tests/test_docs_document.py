"""json-export.md against the document of a real export: every key is described, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.records import TABLES
from tests.exporting import document, settings_for
from tests.worlds import living_world

PAGE = (Path(__file__).parent.parent / "docs/json-export.md").read_text()
COLUMNS = {name: [column.name for column in table.columns] for name, table in TABLES.items()}


def described(heading: str) -> list[str]:
    """Return the names in the first column of the table under ``heading``."""
    section = re.split(r"^#+ ", PAGE.split(f"# {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.fixture
def exported(demo_server: Callable[..., DemoServer], redis_url: str, tmp_path: Path) -> dict[str, Any]:
    """Return the document of a workspace that keeps something from its token, so that there are gaps."""
    world: World = living_world(tasks=300, time_entries=300, unreadable=1)
    settings = settings_for(demo_server(world), tmp_path, redis_url)
    run_export_sync(settings)
    return document(redis_url, world.team_id)


def test_the_page_describes_the_document(exported: dict[str, Any]) -> None:
    """The keys of the object, of its rows and of the analytics are those that the page describes."""
    assert list(exported) == described("The document")
    assert list(exported["as_of"]) == described("Up to when it holds")
    assert list(exported["workspace"]) == COLUMNS["workspaces"]
    for name in ("spaces", "folders", "members", "custom_fields", "gaps"):
        assert {tuple(row) for row in exported[name]} == {tuple(COLUMNS[name])}
    assert {tuple(row) for row in exported["lists"]} == {(*COLUMNS["lists"], "statuses")}
    offered = {tuple(status) for row in exported["lists"] for status in row["statuses"]}
    assert offered == {tuple(name for name in COLUMNS["statuses"] if name != "list_id")}
    (analytics,) = {tuple(task["analytics"]) for task in exported["data"]}
    assert sorted(analytics) == sorted(described("`analytics`"))


def test_tasks_keep_what_the_service_before_promised(exported: dict[str, Any]) -> None:
    """Each task has ClickUp's object of times, its entries and its space's name; they come in order."""
    added = set(described("A task"))
    assert [task["id"] for task in exported["data"] if not added <= set(task)] == []
    assert {type(task["space"]["name"]) for task in exported["data"]} <= {str, type(None)}
    times = {tuple(sorted(task["time_in_status"])) for task in exported["data"]}
    assert times <= {(), ("current_status", "status_history")}
    assert any(task["time_summary"] for task in exported["data"])
    created = [(int(task["date_created"]), task["id"]) for task in exported["data"]]
    assert created == sorted(created)
