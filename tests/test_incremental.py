"""Incremental exports: few requests, and the document that a full one would make."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickup_toolkit.demo import DemoServer, Fault, World
from clickup_toolkit.demo.drift import VISIBLE_CHANGES
from clickup_toolkit.export import run_export_sync
from tests.exporting import comparable, document, settings_for, table
from tests.worlds import living_world

Serve = Callable[..., DemoServer]


CHANGES = (*VISIBLE_CHANGES, "create_list", "log", "log")
"""What an incremental export sees: also time that was tracked lately."""


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    rounds=st.lists(st.lists(st.sampled_from(CHANGES), max_size=12), min_size=1, max_size=4),
)
def test_incremental_document_equals_the_full_one(redis_url: str, seed: int, rounds: list[list[str]]) -> None:
    """After any visible changes, in any number of steps, both ways of exporting give the same document."""
    world, rng = living_world(tasks=80, time_entries=80, lists=20, members=6, seed=1 + seed % 5), Random(seed)
    with TemporaryDirectory() as folder, DemoServer(world, rate_limit=10**6) as server:
        ours = settings_for(server, Path(folder, "incremental"), redis_url)
        run_export_sync(ours)
        for kinds in rounds:
            for kind in kinds:
                world.drift(rng, 1, (kind,))
            assert run_export_sync(ours).mode == "incremental"
        incremental = document(redis_url, server.team_id)
        whole = run_export_sync(settings_for(server, Path(folder, "full"), redis_url))
        assert whole.mode == "full"
        full = document(redis_url, server.team_id)
    assert comparable(incremental) == comparable(full)


def test_nothing_changed_costs_few_requests(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """An incremental export in which nothing changed reads the open places once, and no task again."""
    server = demo_server(live_world)
    ours = settings_for(server, tmp_path, redis_url)
    first = run_export_sync(ours)
    again = run_export_sync(ours)
    assert (again.mode, again.changed, again.deleted) == ("incremental", 0, 0)
    assert (again.tasks, again.time_entries, again.time_in_status) == (
        first.tasks,
        first.time_entries,
        first.time_in_status,
    )
    assert again.requests <= 50


def test_only_a_full_export_calls_a_task_deleted(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """A deleted task stays in incremental exports; a full one replaces it by a tombstone."""
    server = demo_server(live_world)
    ours = settings_for(server, tmp_path, redis_url)
    victim = next(iter(live_world.ledger().tasks))
    run_export_sync(ours)
    live_world.delete_task(victim)
    assert run_export_sync(ours).deleted == 0
    assert victim in {row["id"] for row in table(tmp_path, "tasks")}
    report = run_export_sync(ours, full=True)
    assert report.deleted >= 1
    assert victim not in {row["id"] for row in table(tmp_path, "tasks")}
    assert victim in {row["id"] for row in table(tmp_path, "deleted_tasks")}


def test_a_clock_that_is_ahead_of_clickups_loses_no_change(
    demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """The watermark is by ClickUp's clock: with ours an hour ahead, a change after an export is seen."""
    world = living_world(tasks=150, time_entries=60, clock=lambda: time.time_ns() // 1_000_000 - 3_600_000)
    ours = settings_for(demo_server(world, clock_skew=-3600.0), tmp_path, redis_url)
    run_export_sync(ours)
    task = next(key for key in world.ledger().tasks if key not in world.ledger().hidden)
    world.edit_task(task, name="Renamed meanwhile")
    assert run_export_sync(ours).changed == 1
    assert [row["name"] for row in table(tmp_path, "tasks") if row["id"] == task] == ["Renamed meanwhile"]


def test_a_full_export_is_due_after_a_day(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Incremental exports go on until the last full one is as old as the setting says."""
    server = demo_server(live_world)
    run_export_sync(settings_for(server, tmp_path, redis_url))
    assert run_export_sync(settings_for(server, tmp_path, redis_url)).mode == "incremental"
    soon = settings_for(server, tmp_path, redis_url, full_export_hours=1e-6)
    assert run_export_sync(soon).mode == "full"


def test_time_that_left_with_its_people_is_asked_for_once(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """The legacy route is asked once a task; later full exports remember, until the time changes."""
    server = demo_server(live_world)
    ours = settings_for(server, tmp_path, redis_url)
    run_export_sync(ours)
    asked = legacy_questions(server)
    assert set(asked) == {entry["task_id"] for entry in live_world.ledger().entries_by_task.values()}
    before = [row for row in table(tmp_path, "time_entries") if row["route"] == "task"]
    run_export_sync(ours, full=True)
    assert legacy_questions(server) == asked
    assert [row for row in table(tmp_path, "time_entries") if row["route"] == "task"] == before


def test_what_a_full_export_could_not_read_is_read_by_the_next(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """With folders unread for a passing reason the next export is a full one, and holds everything."""
    broken = demo_server(live_world, faults=[Fault("500", path="/folder\\?")])
    run_export_sync(settings_for(broken, tmp_path, redis_url, max_retries=1))
    assert len(table(tmp_path, "tasks")) < len(live_world.ledger().tasks)
    healthy = demo_server(live_world)
    report = run_export_sync(settings_for(broken, tmp_path, redis_url, api_url=healthy.url))
    assert report.mode == "full"
    assert {row["id"] for row in table(tmp_path, "tasks")} == live_world.ledger().tasks.keys()


def test_a_list_that_becomes_visible_is_read_whole(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Tasks of a list that the token did not see before come with the next export, however old they are."""
    ledger = live_world.ledger()
    lists = [facts["list_id"] for key, facts in ledger.tasks.items() if key not in ledger.hidden]
    chosen = max(set(lists) & ledger.lists.keys(), key=lists.count)
    ours = settings_for(demo_server(live_world), tmp_path, redis_url)
    run_export_sync(ours)
    with closing(sqlite3.connect((tmp_path / "clickup.db").resolve())) as db, db:
        tasks = f"SELECT id FROM tasks WHERE list_id = '{chosen}'"
        db.execute(f"DELETE FROM raw WHERE kind = 'task' AND id IN ({tasks})")
        db.execute(f"DELETE FROM tasks WHERE list_id = '{chosen}'")
        db.execute(f"DELETE FROM lists WHERE id = '{chosen}'")
    assert run_export_sync(ours).mode == "incremental"
    assert {row["id"] for row in table(tmp_path, "tasks")} == ledger.tasks.keys()


def test_a_failed_reading_of_left_time_is_tried_again(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Only what ClickUp answered is remembered; a question that failed is asked again."""
    broken = demo_server(live_world, faults=[Fault("500", path=r"/time(\?|$)")])
    run_export_sync(settings_for(broken, tmp_path, redis_url, max_retries=1))
    assert not [row for row in table(tmp_path, "time_entries") if row["route"] == "task"]
    healthy = demo_server(live_world)
    run_export_sync(settings_for(healthy, tmp_path, redis_url), full=True)
    found = {row["id"] for row in table(tmp_path, "time_entries") if row["route"] == "task"}
    assert found == live_world.ledger().entries_by_task.keys()


def legacy_questions(server: DemoServer) -> list[str]:
    """Return the tasks whose everybody's time was asked for, in order."""
    return [path.split("/")[-2] for _, path, *_ in server.requests if path.endswith("/time")]
