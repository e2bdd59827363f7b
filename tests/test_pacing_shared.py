"""Several processes with one token: one budget, in a real Redis, against a real server that counts."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import pytest
import redis
import redis.asyncio

from clickup_toolkit import publish
from clickup_toolkit.client import Client, Request
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.pacing import Pacer, RateReport, SharedBudget, budget_key
from clickup_toolkit.settings import Settings
from tests.exporting import settings_for
from tests.fixtures.valkey import RedisServer, wait_until

LIMIT, WINDOW_S = 60, 2.0
PROCESSES, WORKERS = 3, 4


class Asked(NamedTuple):
    """What a process did."""

    answered: int
    throttled: int
    seconds: float


def ask(settings: Settings, count: int, window: float = WINDOW_S) -> Asked:
    """Ask ``count`` questions with the budget that ``settings`` name; runs in a process of its own."""
    logging.disable()
    return asyncio.run(_ask(settings, count, window))


async def _ask(settings: Settings, count: int, window: float) -> Asked:
    connection = await publish.async_connect(settings)
    assert settings.token is not None
    shared = SharedBudget(connection, budget_key(settings.token.reveal()), window=window)
    async with Client(settings, Pacer(settings.concurrency, shared=shared)) as client:
        todo, answered = iter(range(count)), 0

        async def work() -> None:
            nonlocal answered
            for number in todo:
                await client.get(Request("/user", time=str(number)), msgspec.json.decode)
                answered += 1

        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(64)))
        seconds = time.monotonic() - began
    await shared.leave()
    await connection.aclose()
    return Asked(answered, client.stats.throttled, seconds)


@pytest.fixture
def processes() -> Iterator[Callable[..., Future[Asked]]]:
    """Start ``ask`` in fresh processes."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield lambda *arguments: pool.submit(ask, *arguments)


class Arrivals:
    """When requests came that the rate limit let pass."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, _: int) -> None:
        """Note one."""
        self.times.append(time.monotonic())

    def windows(self) -> list[int]:
        """Return how many passed in each window; a window opens with the first request behind the last."""
        counts: list[int] = []
        opened = float("-inf")
        for at in self.times:
            if at >= opened + WINDOW_S:
                opened = at
                counts.append(0)
            counts[-1] += 1
        return counts


def test_three_processes_spend_one_budget(
    small_world: World,
    demo_server: Callable[..., DemoServer],
    redis_url: str,
    processes: Callable[..., Future[Asked]],
    tmp_path: Path,
) -> None:
    """Three processes at once meet no 429, and no window but the last leaves more than a tenth unspent."""
    arrivals = Arrivals()
    server = demo_server(small_world, rate_limit=LIMIT, window=WINDOW_S, reset_in="ms", changes=arrivals)
    settings = settings_for(server, tmp_path, redis_url, concurrency=WORKERS)
    asking = [processes(settings, 80) for _ in range(PROCESSES)]
    done = [one.result(timeout=120) for one in asking]
    assert sum(one.answered for one in done) == 80 * PROCESSES
    assert sum(one.throttled for one in done) == 0
    assert min(arrivals.windows()[:-1]) >= 0.9 * LIMIT


def test_outsiders_cost_a_429_or_two_and_nothing_else(
    small_world: World,
    demo_server: Callable[..., DemoServer],
    redis_url: str,
    processes: Callable[..., Future[Asked]],
    tmp_path: Path,
) -> None:
    """When others spend part of a window, whoever is under way meets a 429; nobody asks in vain after."""
    arrivals = Arrivals()
    server = demo_server(small_world, rate_limit=LIMIT, window=WINDOW_S, reset_in="ms", changes=arrivals)
    settings = settings_for(server, tmp_path, redis_url, concurrency=WORKERS)
    asking = [processes(settings, 100) for _ in range(2)]
    wait_until(lambda: len(arrivals.times) > LIMIT + 5)  # the second window has begun
    with httpx.Client(headers={"Authorization": server.token}) as outsider:
        foreign = [outsider.get(f"{server.url}/user").status_code for _ in range(LIMIT // 2)]
    done = [one.result(timeout=120) for one in asking]
    ours = server.stats.throttled - foreign.count(429)
    assert sum(one.answered for one in done) == 200
    assert sum(one.throttled for one in done) == ours <= 2 * WORKERS
    assert max(arrivals.windows()) <= LIMIT


def test_one_429_pauses_everybody(redis_url: str) -> None:
    """A 429 that one process meets holds the next request of another back until the window is over."""

    async def waits() -> float:
        connect = redis.asyncio.Redis.from_url
        async with connect(redis_url) as one, connect(redis_url) as two:
            budgets = [SharedBudget(client, "clickup:budget:test") for client in (one, two)]
            first, second = (Pacer(1, shared=budget) for budget in budgets)
            for pacer in (first, second):
                async with pacer.turn() as answered:
                    answered(RateReport())
            first.pause(RateReport(retry_after=0.6))
            await budgets[0].leave()
            began = time.monotonic()
            async with second.turn() as answered:
                answered(RateReport())
            return time.monotonic() - began

    assert 0.4 < asyncio.run(waits()) < 5


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_crawl_goes_on_without_redis(
    how: signal.Signals,
    small_world: World,
    demo_server: Callable[..., DemoServer],
    redis_server: RedisServer,
    processes: Callable[..., Future[Asked]],
    tmp_path: Path,
) -> None:
    """A Redis that dies or hangs costs a process a few seconds once, no question and no 429."""
    assert redis_server.process is not None
    pid = redis_server.process.pid

    def changes(count: int) -> None:
        if count == 40:
            os.kill(pid, how)

    server = demo_server(small_world, rate_limit=100, reset_in="ms", window=2.5, changes=changes)
    done = processes(settings_for(server, tmp_path, redis_server.url), 250, 60.0).result(timeout=120)
    assert (done.answered, done.throttled) == (250, 0)
    assert done.seconds < 30
    if how == signal.SIGSTOP:
        os.kill(pid, signal.SIGCONT)


def test_a_window_that_was_not_exhausted_leaves_the_next_one_whole(
    small_world: World, demo_server: Callable[..., DemoServer], redis_url: str, tmp_path: Path
) -> None:
    """What was spent of one window, and answered after its end, is not counted in the next."""
    arrivals, slow = Arrivals(), iter([0.0] * (LIMIT - 25) + [WINDOW_S + 0.3] * 10)
    latency: Callable[[str, str], float] = lambda path, query: next(slow, 0.0)  # noqa: E731
    server = demo_server(
        small_world, rate_limit=LIMIT, window=WINDOW_S, reset_in="ms", changes=arrivals, latency=latency
    )
    settings = settings_for(server, tmp_path, redis_url, concurrency=10)

    async def ask_twice() -> None:
        await _ask(settings, LIMIT - 15, WINDOW_S)  # the last ten outlive the window
        await asyncio.gather(*(_ask(settings, LIMIT // 3, WINDOW_S) for _ in range(3)))

    asyncio.run(ask_twice())
    assert arrivals.windows() == [LIMIT - 15, LIMIT]
    assert server.stats.throttled == 0


async def taken(budget: SharedBudget) -> None:
    """Take a place, as soon as there is one."""
    if wait := await budget.take(1):
        await asyncio.sleep(wait)
        await taken(budget)


def test_requests_under_way_at_the_end_of_a_window_are_counted_in_the_next(
    small_world: World, demo_server: Callable[..., DemoServer], redis_url: str, tmp_path: Path
) -> None:
    """Until their answers say otherwise, what two processes have under way may count in either window."""

    async def takes() -> tuple[list[float], list[float]]:
        connect = redis.asyncio.Redis.from_url
        async with connect(redis_url) as one, connect(redis_url) as two:
            slow, quick = (SharedBudget(client, "clickup:budget:test", window=2) for client in (one, two))
            for _ in range(40):
                assert await slow.take(1) == 0  # under way, and unanswered for the rest of the test
            first = [await quick.take(1) for _ in range(61)]
            for _ in range(60):
                quick.answered(RateReport(limit=100, remaining=0, reset=9_000.0), 9_000.0, 0.05)
            await taken(quick)
            return first, [await quick.take(1) for _ in range(60)]

    first, second = asyncio.run(takes())
    assert [wait > 0 for wait in first] == [False] * 60 + [True]
    assert [wait > 0 for wait in second] == [False] * 59 + [True]


def test_what_a_killed_process_had_open_is_forgotten(redis_url: str) -> None:
    """Places that nobody answers for weigh on two windows at most."""

    async def waits() -> tuple[bool, float]:
        connect = redis.asyncio.Redis.from_url
        async with connect(redis_url) as one, connect(redis_url) as two:
            killed, other = (SharedBudget(client, "clickup:budget:test", window=2) for client in (one, two))
            for _ in range(100):
                await killed.take(1)
            began, full = time.monotonic(), await other.take(1) > 0
            await taken(other)
            return full, time.monotonic() - began

    full, seconds = asyncio.run(waits())
    assert full
    assert 2 < seconds < 8


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def test_redis_never_sees_the_token(
    small_world: World,
    demo_server: Callable[..., DemoServer],
    redis_url: str,
    redis_client: redis.Redis,
    tmp_path: Path,
) -> None:
    """The budget's key is a fingerprint of the token; what it holds are numbers, and it expires.

    Nothing is left in it of a process that ended.
    """
    server = demo_server(small_world)
    assert ask(settings_for(server, tmp_path, redis_url), 20).answered == 20
    (key,) = map(_bytes, redis_client.keys())
    assert key.decode() == budget_key(server.token)
    assert len(key) == len("clickup:budget:") + 16
    held = {_bytes(name): _bytes(value) for name, value in redis_client.hgetall(key).items()}
    assert sorted(held) == [b"counted", b"ends", b"limit", b"past", b"sure", b"told", b"window"]
    assert all(float(value) >= 0 for value in held.values())
    assert 0 < redis_client.ttl(key) <= 2 * 3600
    secret = server.token.removeprefix("pk_").encode()
    assert not any(part in key + b"".join(held.values()) for part in (secret, secret.split(b"_")[1]))


def test_auto_finds_the_workers_that_a_slow_server_calls_for(
    small_world: World, demo_server: Callable[..., DemoServer], redis_url: str, tmp_path: Path
) -> None:
    """At 1,000 a minute and 0.1 s an answer, auto asks many at once, and needs little more than the ideal."""
    server = demo_server(small_world, rate_limit=1_000, latency=0.1)
    done = ask(settings_for(server, tmp_path, redis_url, concurrency=None), 900, 60.0)
    assert (done.answered, done.throttled) == (900, 0)
    assert 16 <= server.stats.most_at_once <= 64
    assert done.seconds < 900 * 0.1 / 4, "as slow as four workers, or slower"
