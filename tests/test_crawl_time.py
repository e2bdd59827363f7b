"""Tracked time: answers that are cut off, parts that fail, people who left."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clickup_toolkit.crawl import newest_window
from clickup_toolkit.demo import Behaviour, DemoServer, Fault, World, build_world
from clickup_toolkit.export import run_export_sync
from tests.exporting import settings_for, table
from tests.test_crawl import crawled, entries
from tests.test_incremental import legacy_questions

Serve = Callable[..., DemoServer]

DAY = 86_400_000
MINUTE = 60_000


def someone(world: World) -> int:
    """Return the id of a member whose time can be read."""
    return next(who.id for who in world.present_people if who.state == "active")


def test_an_answer_of_just_the_most_that_clickup_sends_is_no_proof(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A window that holds exactly as many entries as an answer can does not vouch for others of that size."""
    world = build_world(tasks=300, time_entries=0, now=small_world.now())
    now, who = world.now(), someone(world)
    for number in range(1_000):
        world.log_time(who, None, now - DAY - number * MINUTE, MINUTE)
    for number in range(1_500):
        world.log_time(who, None, now - 60 * DAY - number * MINUTE, MINUTE)
    journal, _ = crawled(demo_server(world, behaviour=Behaviour(entries_limit=1_000)), tmp_path)
    assert entries(journal) == world.ledger().entries.keys()


def test_time_across_the_edge_of_a_window_is_read(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """An entry that starts before a window and ends in it is found, also where both must lie inside."""
    edge = newest_window(small_world.now(), None).start
    made = small_world.log_time(someone(small_world), None, edge - 60 * MINUTE, 120 * MINUTE)
    server = demo_server(small_world, behaviour=Behaviour(entries_inside=True))
    journal, _ = crawled(server, tmp_path)
    assert made in entries(journal)


def test_entries_of_another_span_are_not_taken_for_an_answer(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """The newest entries, whatever was asked for: asked again where that passes, else a gap."""
    passing = demo_server(small_world, faults=[Fault("repeat", path="/time_entries", every=2)])
    journal, stats = crawled(passing, tmp_path / "passing")
    assert entries(journal) >= small_world.ledger().entries.keys()
    assert stats.retries > 0
    assert not [gap for gap in journal.gaps() if gap.what == "time_entries" and " " in gap.id]
    always = demo_server(small_world, faults=[Fault("repeat", path="/time_entries")])
    journal, _ = crawled(always, tmp_path / "always")
    assert small_world.ledger().entries.keys() - entries(journal)
    assert [gap for gap in journal.gaps() if gap.what == "time_entries" and " 0-" in gap.id]


def test_a_half_that_fails_is_a_gap_and_the_other_is_read(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Of a window that was cut off only the part that cannot be read is missing, and so says the gap."""
    world = build_world(tasks=300, time_entries=40, now=small_world.now())
    for number in range(1_500):
        world.log_time(someone(world), None, small_world.now() - DAY - number * MINUTE, MINUTE)
    window = newest_window(world.now(), None)
    second_half = rf"start_date=(?!{window.start - DAY}&)\d+&end_date={window.end}&"
    server = demo_server(
        world, faults=[Fault("500", path=second_half)], behaviour=Behaviour(entries_limit=1_000)
    )
    journal, _ = crawled(server, tmp_path)
    spans = [gap.id.split(" ")[1] for gap in journal.gaps() if gap.what == "time_entries"]
    assert len(spans) == 1
    start, end = map(int, spans[0].split("-"))
    assert window.start < start < end == window.end
    told = world.ledger().entries
    missing = [told[key] for key in told.keys() - entries(journal)]
    assert missing
    assert all(start <= int(str(entry["start"])) for entry in missing)


def named(server: DemoServer, person: str) -> list[str]:
    """Return the questions for the time of one person alone."""
    return [row.query for row in server.requests if re.search(rf"assignee={person}(&|$)", row.query)]


@pytest.mark.parametrize("answered", [True, False])
def test_people_who_left_are_tried_by_name(
    answered: bool, small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Met on the first task, somebody who left is asked for once; only a refusal leads to every task."""
    world = build_world(tasks=1_500, time_entries=1_500, now=small_world.now())
    server = demo_server(world, behaviour=Behaviour(left_people=answered))
    journal, _ = crawled(server, tmp_path)
    (left,) = world.ledger().left
    tasks = {entry["task_id"] for entry in world.ledger().entries_by_task.values()}
    assert entries(journal) >= world.ledger().entries.keys() | world.ledger().entries_by_task.keys()
    assert len(tasks) > 20
    assert len(named(server, left)) == (6 if answered else 1)  # windows back to 1970
    assert len(legacy_questions(server)) == (1 if answered else len(tasks))
    assert not [gap for gap in journal.gaps() if gap.what == "time_entries"]


def test_remembered_time_is_asked_for_again_when_it_shrinks(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Of a task with two entries of somebody who left one is deleted: the other stays, alone."""
    world = live_world
    (left,) = world.ledger().left
    task = next(key for key in world.ledger().tasks if key not in world.ledger().hidden)
    kept, deleted = (
        world.log_time(int(left), task, world.now() - at * DAY, MINUTE * at) for at in (100, 120)
    )
    server = demo_server(world)
    ours = settings_for(server, tmp_path, redis_url)
    run_export_sync(ours)
    assert {row["id"] for row in table(tmp_path, "time_entries") if row["task_id"] == task} >= {kept, deleted}
    world.delete_time(deleted)
    asked = len(legacy_questions(server))
    run_export_sync(ours, full=True)
    assert legacy_questions(server)[asked:] == [task]
    by_task = {
        row["id"]
        for row in table(tmp_path, "time_entries")
        if row["route"] == "task" and row["task_id"] == task
    }
    assert by_task == {e for e, facts in world.ledger().entries_by_task.items() if facts["task_id"] == task}
    run_export_sync(ours, full=True)
    assert legacy_questions(server)[asked:] == [task]


def test_nothing_is_dropped_from_a_span_that_was_not_read_whole(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Where the newest entries cannot be read, none of them counts as deleted; the next export drops it."""
    made = live_world.log_time(someone(live_world), None, live_world.now() - DAY, MINUTE)
    healthy = demo_server(live_world)
    run_export_sync(settings_for(healthy, tmp_path, redis_url))
    live_world.delete_time(made)
    broken = demo_server(live_world, faults=[Fault("500", path="/time_entries")])
    report = run_export_sync(settings_for(broken, tmp_path, redis_url, max_retries=1))
    assert report.mode == "incremental"
    assert [gap.what for gap in report.gaps if " " in gap.id] == ["time_entries"]
    assert made in {row["id"] for row in table(tmp_path, "time_entries")}
    run_export_sync(settings_for(healthy, tmp_path, redis_url))
    assert made not in {row["id"] for row in table(tmp_path, "time_entries")}
