"""Whole crawls through random faults: the tables are the workspace's, or gaps name what is missing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit import store
from clickup_toolkit.client import Client, Stats
from clickup_toolkit.crawl import crawl
from clickup_toolkit.demo import Behaviour, DemoServer, Fault, World, build_world
from clickup_toolkit.pacing import Pacer
from clickup_toolkit.settings import Secret, Settings
from tests.exporting import differences, table
from tests.fixtures.demo import NOW

FAST = 1_000
"""A second of the pacer's lasts a millisecond here: pauses after a 429 are no time to wait for."""
PATIENCE = httpx.Timeout(30)
LITTLE_PATIENCE = httpx.Timeout(0.5)
TRIES = 7
WALKS = r"/task\?.*(page|date_)"

Serve = Callable[..., DemoServer]


@pytest.fixture(scope="module")
def world() -> World:
    """Build a small workspace once; nothing changes it."""
    return build_world(tasks=80, time_entries=80, lists=19, now=NOW)


def read(server: DemoServer, folder: Path, workers: int = 8, timeout: httpx.Timeout = PATIENCE) -> Stats:
    """Crawl ``server``'s workspace and build the database from it; return what the client did."""
    token = Secret(server.token)
    ours = Settings(
        token=token, team_id=server.team_id, api_url=server.url, initial_backoff=1e-6, max_retries=TRIES
    )
    source, now = ("the API", token), server.world.now()
    journal = store.open_journal(
        folder / "journal.db", server.team_id, source, since=None, previous=None, now=now
    )
    pacer = Pacer(
        workers,
        clock=lambda: time.monotonic() * FAST,
        sleep=lambda seconds: asyncio.sleep(seconds / FAST),
    )

    async def run() -> Stats:
        async with Client(ours, pacer, timeout=timeout) as client:
            await crawl(client, journal, server.team_id, token, lambda stage, done, total: None)
            return client.stats

    stats = asyncio.run(run())
    version, built = store.next_version(folder, journal.started, None)
    store.finish(built, store.build_database(journal, built, previous=None, version=version))
    store.flip(folder, built)
    journal.close()
    return stats


def gaps(folder: Path) -> set[tuple[str, str]]:
    """Return of what there are gaps: the kind of thing and whose."""
    return {(row["what"], row["id"]) for row in table(folder, "gaps")}


@pytest.fixture(scope="module")
def unhindered(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, set[tuple[str, str]]]:
    """Return the requests and the gaps of a crawl without faults."""
    folder = tmp_path_factory.mktemp("unhindered")
    with DemoServer(world, rate_limit=10**6) as server:
        requests = read(server, folder).requests
    assert differences(folder, world.ledger()) == {}
    return requests, gaps(folder)


def test_a_429_without_headers_is_waited_out(
    world: World, demo_server: Serve, unhindered: tuple[int, set[tuple[str, str]]], tmp_path: Path
) -> None:
    """Now and then a 429 that says nothing: each pauses everybody for a window, and nothing is lost."""
    server = demo_server(world, faults=[Fault("429_bare", every=30)])
    stats = read(server, tmp_path)
    assert differences(tmp_path, world.ledger()) == {}
    assert gaps(tmp_path) == unhindered[1]
    assert stats.throttled == sum(1 for request in server.requests if request.status == 429) > 0
    assert (stats.requests, stats.retries) == (unhindered[0] + stats.throttled, 0)


def test_a_server_that_hangs_is_asked_again(
    world: World, demo_server: Serve, unhindered: tuple[int, set[tuple[str, str]]], tmp_path: Path
) -> None:
    """Requests that are never answered are given up in time and asked again, once each."""
    server = demo_server(world, faults=[Fault("hang", every=20, times=5)])
    stats = read(server, tmp_path, timeout=LITTLE_PATIENCE)
    assert differences(tmp_path, world.ledger()) == {}
    assert gaps(tmp_path) == unhindered[1]
    assert stats.retries >= 5
    assert stats.requests == unhindered[0] + stats.retries


PASSING = ("429", "429_bare", "500", "502", "reset", "truncate", "broken_json", "error_in_200", "hang")


@given(
    st.dictionaries(st.sampled_from(PASSING), st.floats(0.0, 0.04), min_size=3),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.0, 0.2]),
    st.integers(1, 16),
    st.integers(0, 2**32),
)
@settings(max_examples=4, deadline=None)
def test_whatever_goes_wrong_everything_is_there_or_a_gap_says_what_is_not(
    world: World, unhindered: tuple[int, set[tuple[str, str]]], often: dict[str, float], last_page: float,
    repeat: float, workers: int, seed: int,
) -> None:  # fmt: skip
    """Faults of every kind by chance, pages repeated and without ``last_page``: no task or entry is lost."""
    faults = [Fault(kind, probability=min(p, 0.01) if kind == "hang" else p, seed=seed + at)
              for at, (kind, p) in enumerate(often.items()) if p]  # fmt: skip
    faults += [Fault("repeat", path=WALKS, probability=repeat, seed=seed)] if repeat else []
    faults += [Fault("no_last_page", path=WALKS, probability=last_page, seed=seed)] if last_page else []
    with TemporaryDirectory() as made, DemoServer(world, rate_limit=10**6, faults=faults) as server:
        folder = Path(made)
        read(server, folder, workers, LITTLE_PATIENCE)
        new = gaps(folder) - unhindered[1]
        wrong = differences(folder, world.ledger())
        assert wrong == {} or new, f"silence about {wrong}"
        asked = Counter((request.path, request.query) for request in server.requests)
    assert max(asked.values()) <= 2 * TRIES + 30  # 429s are no failed tries


@given(st.integers(0, 2**32))
@settings(max_examples=3, deadline=None)
def test_odd_and_missing_fields_lose_nothing(world: World, seed: int) -> None:
    """Nulls, strings for numbers, missing keys, in most answers: everything with an id is in the tables."""
    faults = [Fault("odd", probability=0.7, seed=seed)]
    with TemporaryDirectory() as made, DemoServer(world, rate_limit=10**6, faults=faults) as server:
        read(server, Path(made))
        told = world.ledger()
        there = {name: getattr(told, name) for name in ("spaces", "folders", "lists", "tasks", "members")}
        for name, rows in {**there, "time_entries": told.entries}.items():
            assert {row["id"] for row in table(Path(made), name)} >= rows.keys(), name


@pytest.mark.parametrize("inlined", ["all but one", "none"])
def test_lists_that_do_not_come_inside_their_folders_are_read(
    inlined: str, world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """One of a folder's lists is left out, or all: the tables are the same, and no list vanishes."""
    server = demo_server(world, behaviour=Behaviour(inlined_lists=inlined))
    read(server, tmp_path)
    assert differences(tmp_path, world.ledger()) == {}
    opens = {f"/list/{place.id}/task" for place in world.lists if place.on_team_route}
    asked = [row for row in server.requests if row.query.startswith("archived=false")]
    assert [row for row in asked if row.path.removeprefix("/api/v2") in opens] == []


@pytest.mark.parametrize("kind", ["refuse", "500"])
def test_a_list_that_cannot_be_read_is_the_gap_and_all_that_is_missing(
    kind: str, world: World, demo_server: Serve, unhindered: tuple[int, set[tuple[str, str]]], tmp_path: Path
) -> None:
    """What is missing lives in lists that gaps name, and what was broken for good is among them."""
    ledger = world.ledger()
    homes = Counter(facts["list_id"] for facts in ledger.tasks.values() if not facts["archived"])
    victim = homes.most_common(1)[0][0]
    faults = [Fault(kind, path=f"/list/{victim}/task|list_ids.*={victim}(&|$)"), Fault("reset", every=15)]
    read(demo_server(world, faults=faults), tmp_path)
    missing = ledger.tasks.keys() - {row["id"] for row in table(tmp_path, "tasks")}
    named = {whose for what, whose in gaps(tmp_path) - unhindered[1] if what in ("tasks", "archived_tasks")}
    assert victim in named & {ledger.tasks[task]["list_id"] for task in missing}
    assert {ledger.tasks[task]["list_id"] for task in missing} <= named


def test_a_route_that_is_broken_for_good_costs_a_bounded_number_of_requests(
    world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Sixteen first questions fail at once: together they cost few tries more than one by one."""
    server = demo_server(world, faults=[Fault("500", path=r"/list/\d+/task\?archived=true")])
    read(server, tmp_path, workers=16)
    asked = Counter(request.path for request in server.requests if "archived=true" in request.query)
    broken = {path: count for path, count in asked.items() if path.endswith("/task") and "/list/" in path}
    assert sum(broken.values()) <= 3 * TRIES + len(broken) + 16
