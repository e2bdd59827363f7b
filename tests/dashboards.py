"""What the tests of the dashboards share: a story published as an export publishes it, and odd ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from clickup_toolkit import parquet
from clickup_toolkit.records import ROW_TYPES, TaskAssignee
from clickup_toolkit.store.formats import stamp
from clickup_toolkit.store.schema import create_indexes, create_tables, insertion
from tests.histories import Story, believable
from tests.serving import flip

__all__ = ["HOSTILE", "PAGES", "WORKFLOW", "company", "odd", "publish_story"]

PAGES = ("", "/time-in-status", "/flow", "/time-tracking")
WORKFLOW = "to do (open) > doing > review > shipped (closed)"
HOSTILE = "</script><img src=x onerror=alert(1)><b>'\"{{ 7*7 }}"


def publish_story(data_dir: Path, story: Story) -> Path:
    """Build the database and the Parquet files of a story, swap them in and flip; return the database."""
    story.write(data_dir)  # notes the export
    version = story.rows["exports"][-1].version
    built = data_dir / f"clickup-{version}.db"
    with closing(sqlite3.connect(built)) as connection, connection:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        create_tables(connection)
        stamp(connection)
        create_indexes(connection)
        for row in (row for rows in story.rows.values() for row in rows):
            connection.execute(" VALUES ".join(insertion(ROW_TYPES[type(row)])), row)
    parquet.write(built, data_dir / "parquet")
    flip(data_dir, built)
    return built


def company(tasks: int = 240) -> Story:
    """Return a company of five lists with people, types, time, and changes seen since a month."""
    story = believable(tasks)
    for number, task in enumerate(story.rows["tasks"]):
        story.rows["tasks"][number] = task._replace(
            task_type_id=int(number % 5 == 0), time_estimate_ms=7_200_000, tracked_ms=3_600_000 * (number % 4)
        )
        who = ("Ada Lovelace", "Grace Hopper", "李雷")[number % 3]
        story.member(who)
        story.rows["task_assignees"].append(TaskAssignee(task.id, who.lower()))
        if number % 4 == 0:
            story.tracked(task.name, who, f"{1 + number % 80}d", "2h", billable=bool(number % 2))
    return story.watched("30d")


def odd(kind: str) -> Story:
    """Return a workspace that most pages would rather not see."""
    story = Story()
    if kind == "empty":
        return story
    story.list("App", WORKFLOW)
    if kind == "one task":
        return story.task("Login", "App", "to do 1d > doing 2d")
    if kind == "without time in status":
        story.task("Login", "App", "to do 1d > doing 2d").task("Logout", "App", "doing 3d > shipped 9d")
        bare = {"status_since": None, "status_ms": None, "cycle_started": None, "cycle_time_ms": None}
        story.rows["tasks"] = [task._replace(**bare) for task in story.rows["tasks"]]
        story.rows["time_in_status"] = []
        return story
    names = (HOSTILE, "x" * 2000, "مرحبا بالعالم", "中文任务名称", "👩🏽‍🚀 шаг", "=1+1", "a\u2028b\nc", " ")
    for number, name in enumerate(names):
        walk = ("to do 1d > doing 2d", "to do 1d > doing 3d > shipped 5d")[number % 2]
        story.task(f"t{number}", "App", walk, assignees=("Ada",), told="1h")
        told = story.rows["tasks"][-1]._replace(name=name, list_name=name, space_name=name)
        story.rows["tasks"][-1] = told
        story.tracked(f"t{number}", "Ada", f"{number + 1}d", "2h")
    for table in ("lists", "spaces"):
        story.rows[table] = [row._replace(name=names[0]) for row in story.rows[table]]
    story.rows["members"] = [row._replace(username=names[0]) for row in story.rows["members"]]
    return story.gap("time_in_status", names[0])
