"""The pacer: all of the rate limit, never over it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.pacing import RateReport, full_jitter, read_rate
from tests.pacing import START, World, pacer_in

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone."""
    return "asyncio"


@pytest.mark.parametrize("skew", [0.0, 3_600.0, -86_400.0])
@pytest.mark.parametrize("workers", [1, 2, 10])
async def test_spends_every_window_to_its_end_without_one_429(skew: float, workers: int) -> None:
    """Alone on the token, three windows of requests meet no 429 and lose at most two seconds a window."""
    world = World(100, skew=skew, latency=0.05)
    await world.requests(pacer_in(world, workers), 300, workers)
    assert world.throttled == 0
    assert len(world.sent) == 300
    first, second, third = world.sent[0], world.sent[100], world.sent[200]
    assert 60 <= second - first <= 62
    assert 60 <= third - second <= 62


@pytest.mark.parametrize("rounded", [math.floor, math.ceil, round])
async def test_a_window_that_we_opened_ends_when_its_first_answer_says(
    rounded: Callable[[float], int],
) -> None:
    """However the server rounds the reset it tells, ten windows are spent in hardly more than ten minutes."""
    world = World(100, latency=0.05, skew=0.7, rounded=rounded)
    await world.requests(pacer_in(world, 2), 1001, 2)
    assert world.throttled == 0
    assert 600 <= world.sent[-1] < 601


async def test_learns_a_larger_limit_from_the_first_answer() -> None:
    """A limit of 1,000 is spent in the first window although 100 is assumed before the first answer."""
    world = World(1000, latency=0.01)
    await world.requests(pacer_in(world, 4), 1000, 4)
    assert world.throttled == 0
    assert world.sent[-1] < 60


async def test_counts_by_itself_when_answers_tell_nothing() -> None:
    """Without headers 100 requests a minute are sent, no more."""
    world = World(100, headers=False)
    await world.requests(pacer_in(world, 5), 250, 5)
    assert world.throttled == 0
    assert 60 <= world.sent[100] <= 61
    assert 120 <= world.sent[200] <= 122


async def test_one_429_pauses_all_workers_once() -> None:
    """When others spent the window, a 429 holds every worker until the reset; then all go on."""
    world = World(100, latency=0.05)
    pacer = pacer_in(world, 8)
    await world.requests(pacer, 10, 8)
    world.used = 100  # others
    before = len(world.sent)
    await world.requests(pacer, 40, 8)
    assert world.throttled <= 8
    paused = [at for at in world.sent[before:] if at >= 60]
    assert len(paused) == 40
    assert min(paused) - 60 < 2.5


async def test_never_more_under_way_than_allowed() -> None:
    """With a concurrency of 3, at most 3 requests are under way."""
    world = World(10_000)
    pacer = pacer_in(world, 3)
    under_way = most = 0

    async def one() -> None:
        nonlocal under_way, most
        async with pacer.turn() as answered:
            under_way += 1
            most = max(most, under_way)
            await world.sleep(0.1)
            answered(RateReport(10_000, 9_000))
            under_way -= 1

    await world.run(asyncio.gather(*(one() for _ in range(30))))
    assert most == 3


async def test_auto_grows_to_what_limit_and_latency_call_for() -> None:
    """At 10,000 a minute and 0.3 s, auto would end at 10,000 / 3 · 0.3 = 1,000, and is capped at 128."""
    world = World(10_000, latency=0.3)
    pacer = pacer_in(world, None)
    assert pacer.workers == 2
    await world.requests(pacer, 2_000, 128)
    assert pacer.workers == 128


async def test_auto_stays_small_where_the_limit_is_small() -> None:
    """At 100 a minute and 0.3 s latency eleven workers spend a window in 3 seconds; auto takes no more."""
    world = World(100, latency=0.3)
    pacer = pacer_in(world, None)
    await world.requests(pacer, 90, 64)
    assert pacer.workers == 11


async def test_a_request_without_an_answer_counts_as_spent() -> None:
    """A dropped connection may have been counted by ClickUp: the pacer does too."""
    world = World(100)
    pacer = pacer_in(world, 1)

    async def lost() -> None:
        async with pacer.turn():
            pass

    await world.run(asyncio.gather(*(lost() for _ in range(100))))
    await world.requests(pacer, 1, 1)
    assert world.now >= 60


@pytest.mark.parametrize(
    ("headers", "report"),
    [
        (
            {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "1700000060"},
            RateReport(100, 7, 1_700_000_060.0, 1.0),
        ),
        ({"x-ratelimit-reset": "1700000060123"}, RateReport(reset=1_700_000_060.123, reset_step=0.001)),
        ({"retry-after": "60"}, RateReport(retry_after=60.0)),
        ({"date": "Tue, 14 Nov 2023 22:13:20 GMT"}, RateReport(date=START)),
        ({"x-ratelimit-limit": "many", "retry-after": "-1", "date": "soon"}, RateReport()),
        ({}, RateReport()),
    ],
)
def test_reads_the_headers(headers: dict[str, str], report: RateReport) -> None:
    """Seconds and milliseconds are told apart; what is malformed is as if it were missing."""
    assert read_rate(headers) == report


@given(st.integers(1, 12), st.floats(0.001, 10))
def test_backoff_doubles_with_full_jitter(attempt: int, initial: float) -> None:
    """The n-th wait is drawn from 0 to initial · 2^(n-1)."""
    assert full_jitter(attempt, initial, lambda low, high: low) == 0
    assert full_jitter(attempt, initial, lambda low, high: high) == initial * 2 ** (attempt - 1)
