"""What a crawl spends on what is broken, and what it does not give up too early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clickup_toolkit.demo import Behaviour, DemoServer, Fault, World, build_world
from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.export import run_export_sync
from tests.exporting import settings_for, table
from tests.test_crawl import crawled, ids
from tests.test_crawl_drift import buried_lists

Serve = Callable[..., DemoServer]


def test_questions_that_fail_at_the_same_time_are_tried_once(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Of all that fail before the first gave up, three are insisted on; the others cost one try each."""
    broken = [Fault("500", path="/list/.*/task.*archived=true")]
    server = demo_server(small_world, faults=broken, behaviour=Behaviour(team_archived=False))
    journal, stats = crawled(server, tmp_path)
    failed = {gap.id for gap in journal.gaps() if gap.what == "archived_tasks"}
    asked = [row for row in server.requests if "/list/" in row.path and "archived=true" in row.query]
    assert failed == small_world.ledger().lists.keys() - small_world.ledger().unreadable["lists"]
    swept = len(asked) - sum("date_updated_gt" not in row.query for row in asked)
    assert len(asked) - swept == len(failed) + 3 * 6
    assert stats.retries == 3 * 6


def test_many_failures_that_pass_leave_no_gap(small_world: World, demo_server: Serve, tmp_path: Path) -> None:
    """Questions that fail together, each once, are all answered in the end."""
    hiccup = [Fault("500", path="/list/.*/task", times=20)]
    server = demo_server(small_world, faults=hiccup, behaviour=Behaviour(team_archived=False))
    journal, _ = crawled(server, tmp_path)
    assert ids(journal) == small_world.ledger().tasks.keys()
    assert not [gap for gap in journal.gaps() if gap.what in ("tasks", "archived_tasks")]


def test_old_tasks_without_time_in_status_end_nothing(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Hundreds of tasks in a row that have none say nothing about those behind them."""
    world = build_world(tasks=900, time_entries=10, now=small_world.now())
    made = sorted((facts["date_created"], key) for key, facts in world.ledger().tasks.items())
    since = int(str(made[700][0]))
    server = demo_server(world, behaviour=Behaviour(history_from=since))
    journal, _ = crawled(server, tmp_path)
    answers = [answer.body for answer in journal.answers("time_in_status")]
    assert len(answers) == -(-len(world.ledger().tasks) // 100)
    assert sum(len(body) < 10 for body in answers) >= 6
    young = {key for created, key in made if int(str(created)) >= since} & world.ledger().status_rows.keys()
    assert all(any(f'"{key}"'.encode() in body for body in answers) for key in young)


@pytest.mark.parametrize("route", ["/shared", "/list/.*/task.*date_updated_gt"])
def test_an_incremental_export_does_not_pass_over_shared_lists(
    route: str, live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Where changes in shared lists cannot be read it fails, and the next one begins where it did."""
    world = live_world
    shared = next(place for place in world.lists if place.readable and place.shared and place.home)
    healthy = settings_for(demo_server(world), tmp_path, redis_url)
    run_export_sync(healthy)
    task = next(
        key
        for key, facts in world.ledger().tasks.items()
        if facts["list_id"] == shared.id and not facts["archived"]
    )
    world.edit_task(task, name="Renamed meanwhile")
    broken = demo_server(world, faults=[Fault("500", path=route)])
    with pytest.raises(ToolkitError):
        run_export_sync(settings_for(broken, tmp_path, redis_url, max_retries=1))
    assert run_export_sync(healthy).mode == "incremental"
    assert [row["name"] for row in table(tmp_path, "tasks") if row["id"] == task] == ["Renamed meanwhile"]


def test_reading_what_is_open_settles_no_gap_of_what_is_archived(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Archived folders refuse themselves in a full export: the incremental one behind it says so, too."""
    refuse = [Fault("refuse", path=r"/folder\?archived=true", code="ACCESS_190", status=404)]
    ours = settings_for(demo_server(live_world, faults=refuse), tmp_path, redis_url)
    first = {gap.id for gap in run_export_sync(ours).gaps if gap.what == "archived_folders"}
    again = run_export_sync(ours)
    assert again.mode == "incremental"
    assert first
    assert {gap.id for gap in again.gaps if gap.what == "archived_folders"} == first


def test_what_changed_in_the_archive_comes_with_its_folder(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """A folder taken out of the archive is read whole, with changes made while nobody looked there."""
    world = live_world
    task, folder = next(
        (key, place.folder)
        for place in buried_lists(world)
        if place.folder and place.folder.archived and not place.space.archived and not place.archived
        for key, facts in world.ledger().tasks.items()
        if facts["list_id"] == place.id and not facts["archived"]
    )
    ours = settings_for(demo_server(world), tmp_path, redis_url)
    run_export_sync(ours)
    world.edit_task(task, name="Renamed in the archive")
    run_export_sync(ours)
    world.archive_place(folder.id, archived=False)
    assert run_export_sync(ours).mode == "incremental"
    (row,) = [row for row in table(tmp_path, "tasks") if row["id"] == task]
    assert (row["name"], row["in_archived"]) == ("Renamed in the archive", False)


def test_what_lies_below_an_archived_folder_is_not_read_each_time(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Lists in archived places, and archived ones that are shared, are no news: none is read whole."""
    server = demo_server(live_world)
    ours = settings_for(server, tmp_path, redis_url)
    run_export_sync(ours)
    before = len(server.requests)
    assert run_export_sync(ours).mode == "incremental"
    asked = [row for row in server.requests[before:] if "list_ids" in row.query]
    whole = [
        row for row in server.requests[before:] if "/list/" in row.path and "order_by=created" in row.query
    ]
    assert (asked, whole) == ([], [])
