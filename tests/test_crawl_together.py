"""Many lists in one question: what the workspace-wide route shows is used, and not taken on trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clickup_toolkit.crawl.together import LEAST_SAMPLE
from clickup_toolkit.demo import Behaviour, DemoServer, World, build_world
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.store import Journal
from tests.journals import STARTED, Crawl, task
from tests.test_crawl import built, crawled, ids

Serve = Callable[..., DemoServer]


def asked_alone(server: DemoServer, world: World) -> set[str]:
    """Return the open lists whose archived tasks were asked for by their own route."""
    asked = {row.path.split("/")[-2] for row in server.requests if row.query.startswith("archived=true")}
    return asked & {place.id for place in world.lists if place.on_team_route}


def test_archived_tasks_of_many_lists_share_questions(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Where the workspace-wide route shows archived tasks, only a sample of the lists is asked as well."""
    server = demo_server(small_world)
    journal, _ = crawled(server, tmp_path)
    assert len(asked_alone(server, small_world)) == LEAST_SAMPLE
    assert ids(journal) == small_world.ledger().tasks.keys()


def test_another_sample_in_another_crawl(small_world: World, demo_server: Serve, tmp_path: Path) -> None:
    """What the workspace-wide route hides in one list does not stay hidden: each crawl asks other lists."""
    samples = set()
    for day in range(3):
        world = build_world(tasks=300, time_entries=10, now=small_world.now() + day * 86_400_000)
        server = demo_server(world)
        crawled(server, tmp_path / str(day))
        samples.add(frozenset(asked_alone(server, world)))
    assert len(samples) > 1


def test_a_route_that_ignores_the_flag_is_asked_once(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Asked for archived tasks and answered with others, the crawl goes on list by list."""
    server = demo_server(small_world, behaviour=Behaviour(team_archived=False))
    journal, _ = crawled(server, tmp_path)
    together = [row for row in server.requests if "list_ids" in row.query and "archived=true" in row.query]
    assert len(together) == 1
    assert asked_alone(server, small_world) == {p.id for p in small_world.lists if p.on_team_route}
    assert ids(journal) == small_world.ledger().tasks.keys()


def test_a_route_that_hides_archived_subtasks_is_noticed(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A list of the sample shows more than the workspace-wide route did: then every list is asked."""
    world = build_world(tasks=1500, lists=24, time_entries=10, now=small_world.now())
    server = demo_server(world, behaviour=Behaviour(team_archived_subtasks=False))
    journal, _ = crawled(server, tmp_path)
    assert asked_alone(server, world) == {place.id for place in world.lists if place.on_team_route}
    assert ids(journal) == world.ledger().tasks.keys()


def test_archived_tasks_of_the_export_before_are_looked_for(tmp_path: Path) -> None:
    """The journal tells which lists had archived tasks that this crawl has not met."""
    crawl = Crawl(tmp_path).structure()
    crawl.tasks(
        task("a", archived=True), task("b", archived=True), task("c", at="L2", archived=True), task("d")
    )
    before, _ = crawl.build()
    journal = Journal(tmp_path / "next.db")
    journal.know(before, None, STARTED)
    assert journal.readings.lost_archived() == {"L1": 2, "L2": 1}
    journal.note_tasks([("b", None, 0, "L1"), ("c", None, 0, "L1")])
    assert journal.readings.lost_archived() == {"L1": 1}
    journal.close()


def test_archived_tasks_that_are_not_shown_any_more_send_the_crawl_to_every_list(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """One that the export before held is hidden, in a list outside of the sample: it is found all the ."""
    first, _ = crawled(demo_server(small_world), tmp_path / "first")
    before = built(first, tmp_path / "before.db")
    plain = demo_server(small_world)
    crawled(plain, tmp_path / "plain", previous=before)
    sample = asked_alone(plain, small_world)
    hidden = next(
        key
        for key, facts in small_world.ledger().tasks.items()
        if facts["archived"] and not facts["in_archived"] and facts["list_id"] not in sample
    )
    server = demo_server(small_world, behaviour=Behaviour(team_hidden=frozenset({hidden})))
    journal, _ = crawled(server, tmp_path / "second", previous=before)
    assert len(sample) == LEAST_SAMPLE
    assert ids(journal) == small_world.ledger().tasks.keys()
    assert asked_alone(server, small_world) == {p.id for p in small_world.lists if p.on_team_route}


def test_what_is_archived_between_the_two_readings_contradicts_nothing(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A task of the sample that was archived meanwhile is no sign that the other route hides some."""
    world, archived = small_world, list[str]()
    opens = {place.id: place for place in world.lists if place.on_team_route}

    def change(request: int) -> None:
        row = server.requests[-1]
        place = opens.get(row.path.split("/")[-2])
        if place and not archived and row.query.startswith("archived=true"):
            active = [
                task_id(t) for t in place.home if not world.tasks.archived[t] and not world.tasks.deleted[t]
            ]
            archived.extend(active[:1])
            for key in archived:
                world.archive_task(key)

    server = demo_server(world, changes=change)
    journal, _ = crawled(server, tmp_path)
    assert archived
    assert len(asked_alone(server, world)) == LEAST_SAMPLE
    assert ids(journal) == world.ledger().tasks.keys()


def test_tasks_that_were_added_are_found_where_the_route_does_not_show_them(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A task that says it was added to a list, and is not shown there, sends the crawl to every list."""
    server = demo_server(small_world, behaviour=Behaviour(team_timl=False))
    journal, _ = crawled(server, tmp_path)
    active = {row.path.split("/")[-2] for row in server.requests if row.query.startswith("archived=false")}
    assert active >= {place.id for place in small_world.lists if place.on_team_route}
    assert ids(journal) == small_world.ledger().tasks.keys()
