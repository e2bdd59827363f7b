"""The synthetic workspace: deterministic, of the size asked for, with a story, and changeable."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise
from random import Random
from statistics import median

import httpx
import pytest

from clickup_toolkit.demo import ALL_CHANGES, UNSET, World, build_world
from clickup_toolkit.demo.ids import entry_id, entry_index, task_id, task_index
from clickup_toolkit.demo.model import DAY
from clickup_toolkit.demo.render import TaskBytes
from clickup_toolkit.demo.traits import comments
from tests.fixtures.demo import NOW


def pages(world: World) -> list[bytes]:
    """Return the JSON of every task."""
    kept = TaskBytes(world)
    return [kept.page(task) for task in range(len(world.tasks))]


def test_the_same_numbers_make_the_same_workspace() -> None:
    """With a fixed present two workspaces are equal byte for byte, through the same changes too."""
    first, second = (build_world(tasks=300, now=NOW, seed=4) for _ in range(2))
    assert pages(first) == pages(second)
    assert first.drift(Random(1), 50, ALL_CHANGES) == second.drift(Random(1), 50, ALL_CHANGES)
    assert pages(first) == pages(second)
    assert first.ledger() == second.ledger()


def test_another_seed_makes_another_workspace() -> None:
    """The seed decides."""
    assert pages(build_world(tasks=300, now=NOW, seed=4)) != pages(build_world(tasks=300, now=NOW, seed=5))


@pytest.mark.parametrize(
    ("tasks", "lists", "members", "entries", "hidden"), [(300, 24, 12, 400, 90), (2000, 60, 30, 1000, 545)]
)
def test_the_workspace_has_the_size_asked_for(
    tasks: int, lists: int, members: int, entries: int, hidden: int
) -> None:
    """Tasks, lists, people, entries and hidden tasks are exactly as many as asked."""
    world = build_world(
        tasks=tasks, lists=lists, members=members, time_entries=entries, hidden=hidden, now=NOW
    )
    ledger = world.ledger()
    assert (len(ledger.tasks), len(ledger.lists), len(ledger.members)) == (tasks, lists, members)
    assert len(ledger.entries) + len(ledger.entries_by_task) + len(ledger.entries_lost) == entries
    assert len(ledger.hidden) == hidden


def test_a_workspace_can_be_too_small() -> None:
    """Fewer than a workspace needs to have everything in it is refused."""
    with pytest.raises(ValueError, match="needs lists=19 or more, not 3"):
        build_world(lists=3)


def test_it_has_everything_that_is_hard() -> None:
    """Archived things at every level, subfolders, several lists, nesting, and lists that are empty."""
    world = build_world(tasks=1000, now=NOW)
    ledger = world.ledger()
    tasks, lists, folders = ledger.tasks.values(), ledger.lists.values(), ledger.folders.values()
    depth = dict.fromkeys(ledger.folders, 0)
    for id_ in depth:
        above = ledger.folders[id_]["parent_folder_id"]
        while above:
            depth[id_] += 1
            above = ledger.folders[str(above)]["parent_folder_id"]
    assert max(depth.values()) == 2
    assert {(one["archived"], one["in_archived"]) for one in lists} == {
        (a, b) for a in (0, 1) for b in (0, 1)
    }
    assert {(one["archived"], one["in_archived"]) for one in folders} == {
        (False, False), (True, False), (False, True), (True, True)
    }  # fmt: skip
    assert {one["archived"] for one in ledger.spaces.values()} == {True, False}
    assert {(one["archived"], one["in_archived"]) for one in tasks} == {
        (a, b) for a in (0, 1) for b in (0, 1)
    }
    assert any(one["locations"] for one in tasks)
    assert any(one["parent_id"] != one["top_level_parent_id"] for one in tasks)
    assert any(
        ledger.tasks[str(one["parent_id"])]["list_id"] != one["list_id"]
        for one in tasks
        if one["parent_id"] in ledger.tasks
    )
    assert any(one["list_id"] not in ledger.lists and one["locations"] for one in tasks)
    assert any(not len(one.home) for one in world.lists if one.readable)
    assert any(one["task_id"] and one["task_id"] not in ledger.tasks for one in ledger.entries.values())
    assert ledger.left & {who for one in tasks for who in one["assignees"]}  # type: ignore[attr-defined]


def test_times_are_in_order() -> None:
    """No task is changed before it was made, nothing lies in the future, histories ascend."""
    world = build_world(tasks=1000, now=NOW)
    columns = world.tasks
    for task in range(len(columns)):
        visits = [instant for instant, _ in world.visits(task)]
        assert visits == sorted(visits)
        assert visits[0] == columns.created[task] <= visits[-1] <= columns.updated[task] < NOW
        assert world.visits(task)[-1][1] == columns.status[task]


def test_charts_have_a_story_to_tell() -> None:
    """Review is slower than the work, blocked work waits longest, and QA has become much slower lately."""
    world = build_world(tasks=6000, now=NOW)
    spans: dict[tuple[str, bool], list[float]] = {}
    for task in range(len(world.tasks)):
        visits = world.visits(task)
        for (begin, status), (end, _) in pairwise(visits):
            name = world.statuses[status].name
            spans.setdefault((name, begin > NOW - 60 * DAY), []).append((end - begin) / DAY)
    typical = {key: median(values) for key, values in spans.items() if len(values) > 10}
    assert typical["in review", False] > 1.3 * typical["in progress", False]
    assert typical["blocked", False] > 1.5 * typical["in review", False]
    assert typical["in QA", True] > 1.8 * typical["in QA", False]


def test_ids_lead_back_to_their_index() -> None:
    """Ids look like ClickUp's, ascend, and are found again; others are not."""
    ids = [task_id(index) for index in range(0, 400_000, 997)]
    assert [task_index(id_) for id_ in ids] == list(range(0, 400_000, 997))
    assert ids == sorted(ids)
    assert {len(id_) for id_ in ids} == {9}
    assert [task_index(text) for text in ("", "86a4k0002", "HL-12", "86A4K0001", "!")] == [-1] * 5
    assert [entry_index(entry_id(5)), entry_index("12"), entry_index("x")] == [5, -1, -1]


def test_time_stands_still_with_a_fixed_present(small_world: World) -> None:
    """A fixed present moves by a second with every change, and by nothing else."""
    assert small_world.now() == NOW
    task = next(iter(small_world.ledger().tasks))
    small_world.edit_task(task, points=5)
    small_world.edit_task(task, points=8)
    assert small_world.now() == NOW + 2000
    assert small_world.ledger().tasks[task]["date_updated"] == NOW + 2000


def test_a_clock_can_be_given() -> None:
    """Changes are stamped with the clock's time, each later than the one before."""
    world = build_world(tasks=300, now=NOW, clock=lambda: NOW + 5000)
    task = next(iter(world.ledger().tasks))
    world.edit_task(task, points=5)
    world.edit_task(task, points=8)
    assert world.ledger().tasks[task]["date_updated"] == NOW + 5001


def test_every_change_does_what_it_says(small_world: World) -> None:
    """Each change shows in the ledger, and in nothing but what it is about."""
    world = small_world
    home, other = [one for one in world.lists if one.on_team_route and one.space.kind == "engineering"][:2]
    made = world.create_task(home.id, "Ünïcode", assignees=[world.me.id])
    child = world.create_task(home.id, "Child", parent=made)
    expected = dict(world.ledger().tasks[made])
    world.set_status(made, home.statuses[-1].name)
    world.edit_task(made, name="Second name", text="Words", due=NOW, estimate=30, tags=["bug"], assignees=[])
    field = world.fields[2]
    world.set_field(made, field.id, "13")
    world.move_task(made, other.id)
    world.add_to_list(made, home.id)
    entry = world.log_time(world.people[2].id, made, NOW - 60_000, 60_000, text="x", billable=True)
    world.archive_task(made)
    last = next(one for one in other.statuses if one.type == "closed")
    expected |= {
        "name": "Second name", "text": "Words", "due_date": NOW, "time_estimate_ms": 1_800_000,
        "tags": {"bug"}, "assignees": set(), "list_id": other.id,
        "folder_id": other.folder.id if other.folder else None,
        "space_id": other.space.id, "locations": {home.id}, "time_spent_ms": 60_000, "archived": True,
        "status": last.name, "status_type": "closed", "status_color": last.color,
    }  # fmt: skip
    ledger = world.ledger()
    found = ledger.tasks[made]
    changed = {"date_updated", "date_done", "date_closed", "fields"}
    assert {key: value for key, value in found.items() if key not in changed} == {
        key: value for key, value in expected.items() if key not in changed
    }
    assert found["fields"][field.id] == "13"  # type: ignore[index]
    assert ledger.tasks[child]["list_id"] == other.id
    assert ledger.tasks[child]["archived"] is True
    assert (ledger.entries[entry]["task_id"], ledger.entries[entry]["billable"]) == (made, True)
    assert [row.status for row in ledger.status_rows[made] if row.current] == [last.name]
    world.set_field(made, field.id, UNSET)
    world.delete_time(entry)
    world.remove_from_list(made, home.id)
    world.archive_task(made, archived=False)
    after = world.ledger().tasks[made]
    assert (after["locations"], after["time_spent_ms"], after["archived"]) == (set(), None, False)
    assert field.id not in after["fields"]  # type: ignore[operator]
    world.delete_task(made)
    assert not {made, child} & world.ledger().tasks.keys()


def test_places_change_too(small_world: World) -> None:
    """Lists are made, renamed and archived; people leave; tasks are not stamped by that."""
    world = small_world
    list_ = next(one for one in world.lists if one.on_team_route and len(one.home))
    stamps = list(world.tasks.updated)
    made = world.create_list(list_.id, "Brand new")
    world.rename(list_.id, "Renamed")
    world.archive_place(list_.id)
    member = world.people[2].id
    world.let_go(member)
    ledger = world.ledger()
    assert list(world.tasks.updated) == stamps
    assert ledger.lists[made]["name"] == "Brand new"
    assert (ledger.lists[list_.id]["name"], ledger.lists[list_.id]["archived"]) == ("Renamed", True)
    assert ledger.hidden >= {task_id(task) for task in list_.home if world.sees(task)}
    assert str(member) in ledger.left
    assert str(member) not in {entry["member_id"] for entry in ledger.entries.values()}


def test_comments_do_not_stamp_the_task(small_world: World) -> None:
    """A new comment is the newest one of its task."""
    id_ = next(iter(small_world.ledger().tasks))
    task = small_world.find_task(id_)
    stamp = small_world.tasks.updated[task]
    small_world.add_comment(id_, "Nice")
    assert comments(small_world, task)[0].text == "Nice"
    assert small_world.tasks.updated[task] == stamp


def test_it_runs_as_a_process_of_its_own() -> None:
    """It says when it answers, ends with standard input or on SIGTERM, and then tells its counts."""
    command = [sys.executable, "-m", "clickup_toolkit.demo", "--tasks", "100", "--now", str(NOW)]
    command += ["--fault", '{"kind": "500", "path": "plan"}', "--behaviour", '{"time_in_status": false}']
    for ending in ("stdin", "SIGTERM"):
        process = subprocess.Popen(
            [*command, *(["--until-stdin-closes"] if ending == "stdin" else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process:
            assert process.stdout
            assert process.stdin
            facts = json.loads(process.stdout.readline())
            answer = httpx.get(f"{facts['url']}/team", headers={"Authorization": facts["token"]})
            assert answer.json()["teams"][0]["id"] == facts["team_id"]
            assert httpx.get(facts["url"].replace("/api/v2", "/demo/stats")).json()["requests"] == 1
            if ending == "SIGTERM":
                process.send_signal(signal.SIGTERM)
            process.stdin.close()
            assert json.loads(process.stdout.readline())["requests"] == 1
            assert process.wait(10) == 0


def test_a_wrong_option_is_a_usage_error() -> None:
    """A fault or switch that does not exist is said in one line, with exit code 2."""
    command = [sys.executable, "-m", "clickup_toolkit.demo", "--fault", '{"kind": "flood"}']
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "There is no fault 'flood'" in ended.stderr


@pytest.mark.slow
def test_a_large_workspace_starts_quickly() -> None:
    """Forty thousand tasks are there in less than fifteen seconds, at 3 to 4 KB of JSON each."""
    begin = time.process_time()
    world = build_world(tasks=40_000, lists=271, members=50, time_entries=40_000, hidden=10_632, now=NOW)
    assert time.process_time() - begin < 15
    kept = TaskBytes(world)
    sizes = [len(kept.page(task)) for task in range(0, len(world.tasks), 40)]
    assert 3_000 < sum(sizes) / len(sizes) < 4_000
