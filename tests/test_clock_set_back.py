"""A clock that was ahead, and is set right: exports and runs go on in the order in which they happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import redis

from clickup_toolkit import Workspace, publish, store
from clickup_toolkit.backup.databases import last_export
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.schedule.executed import make_target
from tests.dashboards import publish_story
from tests.exporting import document, settings_for, table
from tests.histories import Story


def put_ahead(folder: Path) -> str:
    """Let the last export be one that a clock a day ahead has dated; return its version."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    version = f"{tomorrow:%Y%m%dT%H%M%SZ}"
    built = folder / f"clickup-{version}.db"
    held = store.current(folder)
    assert held
    with closing(sqlite3.connect(held)) as db, db:
        instant = f"{tomorrow:%Y-%m-%dT%H:%M:%S.000Z}"
        db.execute("UPDATE exports SET version = ?, started = ?, finished = ?", (version, instant, instant))
    held.rename(built)
    store.flip(folder, built)
    return version


def test_versions_grow_on_when_the_clock_was_set_back(
    tmp_path: Path, redis_url: str, live_world: World, demo_server: Callable[..., DemoServer]
) -> None:
    """Each export is published under its own version, read in full once, and its columnar files follow."""
    server = demo_server(live_world)
    settings = settings_for(server, tmp_path, redis_url)
    run_export_sync(settings)
    ahead = put_ahead(tmp_path)
    tasks = live_world.ledger().tasks.items()  # an incremental export sees no change in the archive
    task = next(id_ for id_, one in tasks if not (one["archived"] or one["in_archived"]))
    reports, held = [], []
    for _ in range(3):
        live_world.edit_task(task, name=f"Name {len(reports)}")
        reports.append(run_export_sync(settings))
        published = document(redis_url, server.team_id)
        assert published["version"] == reports[-1].version
        held.append(sorted(task["name"] for task in published["data"] if task["name"].startswith("Name ")))
    versions = [report.version for report in reports]
    assert [ahead, *versions] == sorted({ahead, *versions})
    assert [report.mode for report in reports] == ["full", "incremental", "incremental"]
    assert held == [["Name 0"], ["Name 1"], ["Name 2"]]
    with redis.Redis.from_url(redis_url) as client:
        assert {ahead, *versions} <= {one.version for one in publish.versions(client, server.team_id)}
    rows = pq.read_table(tmp_path / "parquet" / "tasks").to_pylist()
    assert {row["name"] for row in rows} == {row["name"] for row in table(tmp_path, "tasks")}


def test_versions_grow_on_when_redis_lost_them_and_the_clock_was_set_back(tmp_path: Path) -> None:
    """The current database's version counts, too, where Redis has none; a file of another name does not."""
    now = round(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
    (tmp_path / "clickup-20260303T000000Z.db").touch()
    store.flip(tmp_path, tmp_path / "clickup-20260303T000000Z.db")
    assert store.next_version(tmp_path, now, None)[0] == "20260303T000001Z"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "clickup.db").touch()
    assert store.next_version(tmp_path / "other", now, None)[0] == "20260302T000000Z"


def test_the_workspace_and_a_backup_know_the_last_export_by_its_version(tmp_path: Path) -> None:
    """Notebooks look from the end of the last export, though the one before was dated later; backups, too."""
    story = Story().list("App", "to do (open) > doing").task("Login", "App", "doing 2d").watched("10d")
    ahead = int(story.now.timestamp() * 1000) + 86_400_000
    story.rows["exports"] = [row._replace(started=ahead, finished=ahead) for row in story.rows["exports"]]
    publish_story(tmp_path, story)
    assert Workspace(tmp_path).exported == story.now
    held = last_export(tmp_path)
    assert held is not None
    assert (held.version, held.tasks) == (f"{story.now:%Y%m%dT%H%M%SZ}", 1)


def test_a_run_is_kept_though_the_clock_was_set_back(tmp_path: Path) -> None:
    """Runs that a clock ahead has named are older than those that follow, and leave before them."""
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    names = [f"{tomorrow + timedelta(seconds=later):%Y%m%dT%H%M%SZ}" for later in range(6)]
    (tmp_path / f"{names[0]}-2.ipynb").touch()
    (tmp_path / f"{names[1]}.ipynb").touch()
    for _ in range(4):
        make_target(tmp_path, 3).touch()
    assert sorted(path.stem for path in tmp_path.iterdir()) == names[3:]
