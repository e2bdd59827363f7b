"""The crawl while the workspace changes: nothing lost, nothing twice, wherever tasks go meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest

from clickup_toolkit.demo import Behaviour, DemoServer, World, build_world
from clickup_toolkit.demo.drift import ALL_CHANGES
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.demo.model import TaskList
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.store import Journal
from tests.exporting import settings_for, table
from tests.test_crawl import crawled, ids

Serve = Callable[..., DemoServer]

KINDS = tuple(kind for kind in ALL_CHANGES if kind not in ("create_list", "archive_list"))
"""Of lists that are made, filled and archived within one crawl nothing is promised."""

HOUR_MS = 3_600_000


def buried_lists(world: World) -> list[TaskList]:
    """Return the lists in archived places that the token reads."""
    readable = [place for place in world.lists if place.readable and place.space.visible]
    return [place for place in readable if place.archived or place.in_archived]


def stir_buried(world: World, rng: Random) -> None:
    """Move, archive or bring back a task where the workspace-wide route does not look."""
    with world.lock:
        homes = [place for place in world.lists if place.readable and not place.on_team_route and place.home]
        key = task_id(rng.choice(rng.choice(homes).home))
        if world.tasks.deleted[world.find_task(key)]:
            return
        change = rng.randrange(3)
        if change == 0:
            world.move_task(key, rng.choice([place for place in world.lists if place.readable]).id)
        else:
            world.archive_task(key, archived=change == 1)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_wherever_tasks_go(
    seed: int, small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Before every answer something is made, edited, moved, archived, brought back or deleted, anywhere."""
    world = build_world(tasks=400, time_entries=60, now=small_world.now(), seed=seed + 1)
    before, rng = world.ledger().tasks.keys(), Random(seed)

    def change(request: int) -> None:
        world.drift(rng, 1 + request % 2, KINDS)
        if request % 3 == 0:
            stir_buried(world, rng)
        if rng.random() < 0.04:
            world.drift(rng, 1, ("archive_list",))

    journal, _ = crawled(demo_server(world, changes=change), tmp_path)
    throughout = before & world.ledger().tasks.keys()
    assert throughout - ids(journal) == set()


def test_a_task_that_goes_to_an_archived_list_already_read_is_found(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Moved between archived lists behind the back of the one and ahead of the other, a task is read."""
    world, moved = small_world, list[str]()
    buried = {place.id: place for place in buried_lists(world)}

    def change(request: int) -> None:
        """As soon as one archived list was read, move the tasks of the next one that is asked for there."""
        asked = [
            (row.path.split("/")[-2], row.status) for row in server.requests if "archived=false" in row.query
        ]
        read = [place for place, status in asked if place in buried and status == 200]
        now = asked[-1][0] if asked else ""
        if not moved and read and now in buried and now not in read:
            for task in [one for one in buried[now].home if not world.tasks.archived[one]]:
                moved.append(task_id(task))
                world.move_task(task_id(task), read[0])

    server = demo_server(world, changes=change)
    journal, _ = crawled(server, tmp_path)
    assert moved
    assert world.ledger().tasks.keys() == ids(journal)


def lists_asked(server: DemoServer, archived: str, since: int = 0) -> list[tuple[str, int]]:
    """Return lists whose tasks were asked for by their own route, and the status of the answer (0: none)."""
    rows = [row for row in server.requests[since:] if row.query.startswith(f"archived={archived}")]
    return [(row.path.split("/")[-2], row.status) for row in rows if row.path.endswith("/task")]


def archived_tasks_of(world: World, place: TaskList) -> list[str]:
    """Return the archived tasks of a list."""
    return [task_id(t) for t in place.home if world.tasks.archived[t] and not world.tasks.deleted[t]]


def test_an_archived_task_that_goes_to_an_archived_list_already_read_is_no_tombstone(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """What the export before held, and this one met nowhere, is looked for before it counts as deleted."""
    world, moved, begun = live_world, list[str](), list[int]()
    buried = {place.id: place for place in buried_lists(world)}

    def change(request: int) -> None:
        """As soon as one archived list was read, move an archived task of the next one there."""
        asked = lists_asked(server, "true", begun[0]) if begun else []
        read = [place for place, status in asked if place in buried and status == 200]
        now = asked[-1][0] if asked else ""
        if not moved and read and now in buried and now not in read:
            moved.extend(archived_tasks_of(world, buried[now])[:1])
            for key in moved:
                world.move_task(key, read[0])

    server = demo_server(world, changes=change)
    ours = settings_for(server, tmp_path, redis_url)
    run_export_sync(ours)
    begun.append(len(server.requests))
    assert run_export_sync(ours, full=True).deleted == 0
    assert moved
    assert {row["id"] for row in table(tmp_path, "tasks")} == world.ledger().tasks.keys()


def test_a_task_archived_since_the_export_before_that_goes_to_a_list_already_read_is_no_tombstone(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """It shows in no reading and in no sweep, so it is asked for by itself; what is deleted is not there."""
    world, moved, begun = live_world, list[str](), list[int]()
    buried = {place.id: place for place in buried_lists(world)}
    fresh: dict[str, list[str]] = {}

    def change(request: int) -> None:
        """As soon as one archived list was read, move what was archived in the next one there."""
        asked = lists_asked(server, "true", begun[0]) if begun else []
        read = [place for place, status in asked if place in buried and status == 200]
        now = asked[-1][0] if asked else ""
        if not moved and read and now not in read and fresh.get(now):
            moved.extend(fresh[now][:1])
            world.move_task(moved[0], read[0])

    server = demo_server(world, changes=change)
    ours = settings_for(server, tmp_path, redis_url)
    run_export_sync(ours)
    for key, place in buried.items():
        active = [t for t in place.home if not world.tasks.archived[t] and not world.tasks.deleted[t]]
        fresh[key] = [task_id(t) for t in active if not world.children.get(t)][:1]
        for task in fresh[key]:
            world.archive_task(task)
            world.tasks.updated[world.find_task(task)] -= HOUR_MS
    tasks = world.ledger().tasks
    parents = {task["parent_id"] for task in tasks.values()}
    gone = next(key for key, task in tasks.items() if not task["archived"] and key not in parents)
    world.delete_task(gone)
    begun.append(len(server.requests))
    assert run_export_sync(ours, full=True).deleted == 1
    assert [row["id"] for row in table(tmp_path, "deleted_tasks")] == [gone]
    assert moved
    asked_for = {
        path.rpartition("/")[2] for _, path, _, _ in server.requests[begun[0] :] if "/v2/task/" in path
    }
    assert asked_for >= {gone, *moved}
    assert {row["id"] for row in table(tmp_path, "tasks")} == world.ledger().tasks.keys()


def test_an_archived_task_that_comes_to_an_open_list_already_read_is_found(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Where the workspace-wide route shows no archived tasks, open lists are asked for changed ones, too."""
    world, moved = small_world, list[str]()
    buried = {place.id: place for place in buried_lists(world)}

    def change(request: int) -> None:
        """When the first archived list is asked for, move the archived tasks of one not asked for yet."""
        asked = [place for place, _ in lists_asked(server, "true")]
        if not moved and asked and asked[-1] in buried:
            target = next(place for place in asked if place not in buried)
            for place in (place for key, place in buried.items() if key not in asked):
                moved.extend(archived_tasks_of(world, place))
            for key in moved:
                world.move_task(key, target)

    server = demo_server(world, changes=change, behaviour=Behaviour(team_archived=False))
    journal, _ = crawled(server, tmp_path)
    assert moved
    assert ids(journal) == world.ledger().tasks.keys()


def test_a_task_that_leaves_an_archived_list_behind_the_first_sweep_is_found(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Moved to an archived list that was read, and from there to an open one that was swept, it is read."""
    world, moved, left = small_world, list[str](), list[str]()
    buried = {place.id: place for place in buried_lists(world)}
    target = next(place for place in world.lists if place.on_team_route)

    def change(request: int) -> None:
        asked = lists_asked(server, "false")
        read = [place for place, status in asked if place in buried and status == 200]
        now = asked[-1][0] if asked else ""
        if not moved and read and now in buried and now not in read:
            active = [task_id(task) for task in buried[now].home if not world.tasks.archived[task]]
            moved.extend(active[:1])
            for key in moved:
                world.move_task(key, read[0])
        elif moved and not left and now in buried and "date_updated_gt" in server.requests[-1].query:
            left.extend(moved)
            world.move_task(moved[0], target.id)

    server = demo_server(world, changes=change)
    journal, _ = crawled(server, tmp_path)
    assert left
    assert ids(journal) == world.ledger().tasks.keys()


def test_archived_places_in_which_nothing_changed_are_asked_once(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """As long as every archived list holds what ClickUp counts, none is asked for changes as well."""
    server = demo_server(small_world)
    journal, _ = crawled(server, tmp_path)
    assert ids(journal) == small_world.ledger().tasks.keys()
    swept = {path.split("/")[-2] for _, path, query, _ in server.requests if "date_updated_gt" in query}
    assert swept & {place.id for place in buried_lists(small_world)} == set()


def test_a_task_on_several_pages_is_one_row(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Read, moved to a list that is read later, and read there again, a task is one row, as of the last."""
    world, moved = live_world, list[str]()
    target = buried_lists(world)[0]

    def change(request: int) -> None:
        if not moved and "archived=true" in server.requests[-1].query and "list" in server.requests[-1].path:
            task = next(one for one in range(len(world.tasks)) if world.on_team_route(one))
            moved.append(task_id(task))
            world.move_task(moved[0], target.id)

    server = demo_server(world, changes=change)
    while not moved:
        run_export_sync(settings_for(server, tmp_path, redis_url), full=True)
    assert len(pages_with(moved[0], Journal(tmp_path / "journal.db"))) > 1
    rows = table(tmp_path, "tasks")
    assert [row["list_id"] for row in rows if row["id"] == moved[0]] == [target.id]
    assert sorted(row["id"] for row in rows) == sorted(world.ledger().tasks)


def pages_with(task: str, journal: Journal) -> list[str]:
    """Return the routes of the pages that hold a task."""
    with_it = []
    for answer in journal.answers("tasks"):
        page = msgspec.json.decode(answer.body)
        with_it += [answer.context["route"] for one in page["tasks"] if one["id"] == task]
    journal.close()
    return with_it
