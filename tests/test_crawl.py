"""The crawl against the synthetic ClickUp: complete whatever the API does, and with few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from clickup_toolkit.client import Client, Stats
from clickup_toolkit.crawl import crawl
from clickup_toolkit.demo import Behaviour, DemoServer, Fault, World, build_world
from clickup_toolkit.errors import ClickUpError, TokenRejected, ToolkitError, WorkspaceUnavailable
from clickup_toolkit.pacing import Pacer
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store import Journal, build_database, finish, open_journal

Serve = Callable[..., DemoServer]


def crawled(
    server: DemoServer, folder: Path, *, oauth: bool = False, **changes: object
) -> tuple[Journal, Stats]:
    """Crawl ``server``'s workspace into a journal in ``folder``; go on with the one that is there.

    ``previous`` is the database of the export before.
    """
    previous = changes.pop("previous", None)
    assert previous is None or isinstance(previous, Path)
    token = Secret(server.oauth_token if oauth else server.token)
    team = str(changes.pop("team_id", server.team_id))
    token = Secret(str(changes.pop("token", token.reveal())))
    settings = Settings(
        token=token, team_id=team, api_url=server.url, data_dir=folder, initial_backoff=1e-6, max_retries=7
    )
    now = server.world.now()
    source = ("the API", token)
    journal = open_journal(folder / "journal.db", team, source, since=None, previous=previous, now=now)

    async def run() -> Stats:
        async with Client(settings, Pacer(8)) as client:
            await crawl(client, journal, team, token, lambda stage, done, total: None)
            return client.stats

    return journal, asyncio.run(run())


def ids(journal: Journal) -> set[str]:
    """Return the tasks that a crawl noted."""
    return set(journal.task_ids(after="", most=10**9))


def built(journal: Journal, target: Path) -> Path:
    """Build the database of a crawl."""
    finish(target, build_database(journal, target, previous=None, version="1"))
    return target


BEHAVIOURS = {
    "gt excludes the instant": Behaviour(gt_inclusive=False),
    "lt includes the instant": Behaviour(lt_inclusive=True),
    "last_page always": Behaviour(team_last_page="always"),
    "last_page never": Behaviour(team_last_page="never"),
    "archived ignored by the team route": Behaviour(team_archived=False),
    "added tasks not on the team route": Behaviour(team_timl=False),
    "neither added nor archived tasks on the team route": Behaviour(team_timl=False, team_archived=False),
    "time of people who left is answered": Behaviour(left_people=True),
    "entries count where they end, too": Behaviour(entries_inside=True),
    "filters forgive": Behaviour(strict_filters=False),
    "short pages that are not the last": Behaviour(short_pages=True),
    "short pages without last_page": Behaviour(short_pages=True, team_last_page="never"),
}


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_complete_whichever_way_the_api_behaves(
    name: str, small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Where reports of the API disagree, the crawl finds every task and entry either way."""
    journal, _ = crawled(demo_server(small_world, behaviour=BEHAVIOURS[name]), tmp_path)
    ledger = small_world.ledger()
    assert ids(journal) == ledger.tasks.keys()
    assert entries(journal) >= ledger.entries.keys() | ledger.entries_by_task.keys()


def entries(journal: Journal) -> set[str]:
    """Return the time entries that a crawl noted."""
    return {row[0] for row in journal._db.execute("SELECT id FROM entries")}


FAULTS = {
    "429 with headers": [Fault("429", every=80)],
    "500 now and then": [Fault("500", every=11)],
    "HTML from a gateway": [Fault("502", every=10)],
    "dropped connections": [Fault("reset", every=12)],
    "cut off in the middle": [Fault("truncate", every=9)],
    "broken JSON": [Fault("broken_json", every=9)],
    "errors inside a 200": [Fault("error_in_200", every=9)],
    "no last_page anywhere": [Fault("no_last_page")],
    "everything at once": [
        Fault("500", probability=0.05, seed=1),
        Fault("502", probability=0.05, seed=2),
        Fault("reset", probability=0.05, seed=3),
        Fault("truncate", probability=0.05, seed=4),
        Fault("broken_json", probability=0.05, seed=5),
        Fault("error_in_200", probability=0.05, seed=6),
    ],
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_that_pass_cost_nothing_but_requests(
    name: str, small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Faults that go away when asked again leave no gap and lose nothing."""
    journal, stats = crawled(demo_server(small_world, faults=FAULTS[name], window=0.5), tmp_path)
    clean, least = crawled(demo_server(small_world), tmp_path / "clean")
    assert ids(journal) == small_world.ledger().tasks.keys()
    assert {gap[:3] for gap in journal.gaps()} == {gap[:3] for gap in clean.gaps()}
    if name != "no last_page anywhere":
        assert stats.requests == least.requests + stats.retries + stats.throttled
        assert stats.retries + stats.throttled > 0


def test_a_page_sent_again_is_noticed(small_world: World, demo_server: Serve, tmp_path: Path) -> None:
    """A page from before the cursor is asked for again; nothing behind it is lost."""
    world = build_world(tasks=900, time_entries=10, lists=24, now=small_world.now())
    server = demo_server(world, faults=[Fault("repeat", path="date_created_gt", every=2)])
    journal, stats = crawled(server, tmp_path)
    assert ids(journal) == world.ledger().tasks.keys()
    assert stats.retries > 0


def test_odd_and_missing_fields_lose_no_task(small_world: World, demo_server: Serve, tmp_path: Path) -> None:
    """Nulls, strings for numbers and missing keys in tasks are no reason to leave a task out."""
    journal, _ = crawled(demo_server(small_world, faults=[Fault("odd", path="/task\\?")]), tmp_path)
    assert ids(journal) == small_world.ledger().tasks.keys()


def test_a_route_that_stays_broken_costs_a_bounded_number_of_requests(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Time in status that always fails: full tries for the first questions, then one each, and gaps."""
    world = build_world(tasks=1200, time_entries=10, now=small_world.now())
    server = demo_server(world, faults=[Fault("500", path="time_in_status")])
    journal, _ = crawled(server, tmp_path)
    questions = -(-len(world.ledger().tasks) // 100)
    asked = sum("time_in_status" in request[1] for request in server.requests)
    assert asked == 3 * 7 + (questions - 3)
    assert {gap.id for gap in journal.gaps() if gap.what == "time_in_status"} == world.ledger().tasks.keys()
    assert ids(journal) == world.ledger().tasks.keys()


def test_a_broken_route_of_time_entries_costs_a_bounded_number_of_requests(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Time entries that always fail are given up person by person, not window by window back to 1970."""
    server = demo_server(small_world, faults=[Fault("500", path="/time_entries")])
    journal, _ = crawled(server, tmp_path, oauth=True)
    people = len(small_world.ledger().members)
    asked = sum("time_entries" in request[1] for request in server.requests)
    assert asked <= 3 * 7 + people
    assert len([gap for gap in journal.gaps() if gap.what == "time_entries" and " 0-" in gap.id]) > 1


def test_a_denied_list_is_a_gap_and_the_rest_is_read(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A list that answers 401 spoils neither the question it shares nor the export."""
    ledger = small_world.ledger()
    victim = next(
        facts["list_id"]
        for facts in ledger.tasks.values()
        if not facts["archived"] and not facts["in_archived"] and facts["list_id"] in ledger.lists
    )
    refuse = [Fault("refuse", path=f"/list/{victim}/task|list_ids.*={victim}(&|$)")]
    journal, _ = crawled(demo_server(small_world, faults=refuse), tmp_path)
    lost = {key for key, facts in ledger.tasks.items() if facts["list_id"] == victim}
    swept = lost & ids(journal)
    assert ids(journal) == ledger.tasks.keys() - (lost - swept)
    assert {(gap.what, gap.id, gap.code) for gap in journal.gaps()} >= {
        ("tasks", str(victim), "OAUTH_027"),
        ("archived_tasks", str(victim), "OAUTH_027"),
    }


def test_unreadable_members_are_gaps_and_spoil_nobody_else(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Two of the members refuse their time: a gap each, their time by task, everybody else's as ever."""
    world = build_world(tasks=300, time_entries=300, now=small_world.now(), unreadable=2)
    journal, _ = crawled(demo_server(world), tmp_path)
    ledger = world.ledger()
    denied = {gap.id for gap in journal.gaps() if gap.code == "TIMEENTRY_059"}
    assert denied == ledger.unreadable["members"]
    assert entries(journal) >= ledger.entries.keys() | ledger.entries_by_task.keys()


def test_an_oauth_token_asks_for_one_member_at_a_time(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """OAuth tokens are refused questions about several people, so they never ask one."""
    server = demo_server(small_world)
    journal, _ = crawled(server, tmp_path, oauth=True)
    assert entries(journal) >= small_world.ledger().entries.keys()
    assert not any("%2C" in request[2] for request in server.requests if "time_entries" in request[1])


def test_time_entries_that_are_cut_off_are_noticed(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """An answer that silently ends after 1,000 entries is halved until all are read."""
    world = build_world(tasks=400, time_entries=6_000, now=small_world.now())
    journal, _ = crawled(demo_server(world, behaviour=Behaviour(entries_limit=1_000)), tmp_path)
    assert entries(journal) >= world.ledger().entries.keys()


def test_without_time_in_status_one_question_tells(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """On a plan without the feature one request is spent on it, and one gap says so."""
    server = demo_server(small_world, behaviour=Behaviour(time_in_status=False))
    journal, _ = crawled(server, tmp_path)
    assert sum("time_in_status" in request[1] for request in server.requests) == 1
    assert [(gap.what, gap.id) for gap in journal.gaps() if gap.code == "TIS_027"] == [("time_in_status", "")]


def test_what_refused_the_start_is_asked_again(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A refusal of the token or the workspace is not remembered: once put right, the crawl goes on."""
    with pytest.raises(TokenRejected):
        crawled(demo_server(small_world, faults=[Fault("refuse", path="/user", code="OAUTH_025")]), tmp_path)
    with pytest.raises(WorkspaceUnavailable):
        crawled(demo_server(small_world), tmp_path, team_id="42")
    journal, _ = crawled(demo_server(small_world), tmp_path)
    assert ids(journal) == small_world.ledger().tasks.keys()


def test_a_wrong_address_is_not_called_a_wrong_token(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A proxy's 403 or a path that is not there names the address, not the token."""
    proxy = [Fault("refuse", path="/user", status=403, code="", message="Forbidden")]
    with pytest.raises(ClickUpError, match=r"GET /user.*CLICKUP_API_URL") as caught:
        crawled(demo_server(small_world, faults=proxy), tmp_path)
    assert not isinstance(caught.value, TokenRejected)


def test_a_crawl_that_reads_no_page_of_tasks_fails(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """When every question for tasks fails there is nothing worth publishing: an error, not sixty gaps."""
    with pytest.raises(ToolkitError, match="not one of its questions for tasks"):
        crawled(demo_server(small_world, faults=[Fault("500", path="/task(\\?|$)")]), tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost_while_the_workspace_changes(
    seed: int, small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Tasks are made, edited, moved, archived, deleted while they are read: what stays is read, once."""
    world = build_world(tasks=700, time_entries=200, now=small_world.now(), seed=seed + 1)
    before, rng = world.ledger().tasks.keys(), Random(seed)
    server = demo_server(world, changes=lambda count: world.drift(rng, 3))
    journal, _ = crawled(server, tmp_path)
    throughout = before & world.ledger().tasks.keys()
    assert throughout - ids(journal) == set()


def test_a_rejected_token_ends_the_crawl(small_world: World, demo_server: Serve, tmp_path: Path) -> None:
    """A token that ClickUp does not know is one error that says where to get another."""
    with pytest.raises(TokenRejected, match=r"does not accept the token.*CLICKUP_TOKEN"):
        crawled(demo_server(small_world), tmp_path, token="pk_wrong")


def test_a_wrong_workspace_names_those_that_can_be_reached(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A workspace that the token does not reach ends the crawl; the error lists those that it does."""
    server = demo_server(small_world)
    with pytest.raises(WorkspaceUnavailable, match=rf"does not reach the workspace 42.*{server.team_id}"):
        crawled(server, tmp_path, team_id="42")


def test_an_interrupted_crawl_asks_for_nothing_twice(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Stopped by an outage and begun again, the crawl asks only what was not answered yet."""
    outage = demo_server(small_world, faults=[Fault("reset", path="time_in_status|time_entries")])
    with pytest.raises(ToolkitError, match="goes on where it stopped"):
        crawled(outage, tmp_path)
    answered = [request[1:3] for request in outage.requests if request[3] in (200, 401)]
    healthy = demo_server(small_world)
    journal, stats = crawled(healthy, tmp_path)
    assert ids(journal) == small_world.ledger().tasks.keys()
    assert stats.requests + len(answered) == reference(small_world, demo_server, tmp_path)


def reference(world: World, demo_server: Serve, folder: Path) -> int:
    """Return how many requests a crawl takes that nothing interrupts."""
    return crawled(demo_server(world), folder / "reference")[1].requests
