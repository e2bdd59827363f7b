"""The window of the rate limit, whatever a server says of it: property-based, with a fake clock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clickup_toolkit.pacing import Pacer, RateReport
from tests.pacing import World, pacer_in

HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date")
GARBAGE = ("", " ", "soon", "-1", "nan", "inf", "0x10", "1e999", "12,5", "0", "60", "9e15", "1700000000")
"""What a header may be that is none; the last ones are numbers, but no reset that can be."""


class Mangled:
    """Takes headers away, or makes garbage of them: of an answer each by chance, ``often`` of a time."""

    def __init__(self, seed: int, often: float, names: tuple[str, ...]) -> None:
        self._rng, self._often, self._names = Random(seed), often, names

    def __call__(self, headers: dict[str, str]) -> dict[str, str]:
        for name in self._names:
            if self._rng.random() < self._often:
                headers[name] = self._rng.choice(GARBAGE)
            if self._rng.random() < self._often:
                del headers[name]
        return headers


def trips(seed: int, longest: float, lost: float) -> Callable[[], tuple[float, float | None]]:
    """Return the ways there and back of each request, seconds; some are ``lost`` on the way back."""
    rng = Random(seed)

    def trip() -> tuple[float, float | None]:
        there, back = rng.uniform(0.001, longest), rng.uniform(0.001, longest)
        return there, None if rng.random() < lost else back

    return trip


seeds = st.integers(0, 2**32)
hours = st.integers(-72 * 3600, 72 * 3600).map(float) | st.floats(-72 * 3600, 72 * 3600)
roundings = st.sampled_from([math.floor, math.ceil, round])


def spend(world: World, workers: int, count: int) -> None:
    """Send ``count`` requests; assert that none was too many, and none waited longer than a window lasts."""
    asyncio.run(world.requests(pacer_in(world, workers), count, workers))
    assert len(world.sent) == count
    assert world.throttled == 0
    assert world.longest_wait <= 61
    assert (
        max(later - earlier for earlier, later in pairwise(world.sent)) <= 61 + 30 + 1
    )  # one lost, 1 s there


@given(
    st.integers(100, 180), hours, st.sampled_from(["s", "ms"]), roundings, st.integers(1, 16), seeds,
    st.sampled_from([0.02, 0.5]), st.sampled_from([0.0, 0.02]),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_alone_no_window_is_overdrawn_whatever_the_clocks_say(
    limit: int, skew: float, reset_in: str, rounded: Callable[[float], int], workers: int, seed: int,
    longest: float, lost: float,
) -> None:  # fmt: skip
    """Seconds or ms, rounded either way, clocks days apart, answers lost: no 429, no wait too long."""
    world = World(
        limit, skew=skew, reset_in=reset_in, rounded=rounded, latency=trips(seed, longest, lost)
    )  # fmt: skip
    spend(world, workers, 2 * limit + 30)


@given(hours, roundings, st.integers(1, 16), seeds, st.sampled_from([0.05, 0.5, 1.0]), st.integers(1, 15))
@settings(max_examples=12, deadline=None)
def test_alone_no_window_is_overdrawn_whatever_headers_are_missing_or_garbage(
    skew: float, rounded: Callable[[float], int], workers: int, seed: int, often: float, which: int
) -> None:
    """Headers now and then, or never, there or readable: what they told before holds, or we count."""
    names = tuple(name for place, name in enumerate(HEADERS) if which & 1 << place)
    mangled = Mangled(seed, often, names)
    world = World(110, skew=skew, rounded=rounded, latency=trips(seed, 0.4, 0.0), mangle=mangled)
    spend(world, workers, 250)


@given(hours, st.integers(1, 16), seeds, st.sampled_from([(1,), (-1,), (-1, 0, 1)]), st.booleans())
@settings(max_examples=8, deadline=None)
def test_alone_no_window_is_overdrawn_when_what_remains_is_told_wrongly_by_one(
    skew: float, workers: int, seed: int, lies: tuple[int, ...], whole: bool
) -> None:
    """One too many or one too few, always or now and then: we count as well."""
    rng = Random(seed)
    longest = 0.02 if whole else 0.5
    world = World(100, skew=skew, latency=trips(seed, longest, 0.0), lie=lambda: rng.choice(lies))
    spend(world, workers, 230)


@given(hours, st.integers(1, 16), seeds, st.floats(0, 90), st.just(300))
@settings(max_examples=4, deadline=None)
@example(skew=0.0, workers=4, seed=1, at=1.0, limit=600)
def test_a_plan_that_is_upgraded_meanwhile_is_used_at_once(
    skew: float, workers: int, seed: int, at: float, limit: int
) -> None:
    """The larger limit holds from the first answer that tells it; a window that was spent is waited out."""
    world = World(
        100, skew=skew, latency=trips(seed, 0.02, 0.0), limit_at=lambda now: limit if now >= at else 100
    )
    spend(world, workers, 100 + limit)
    assert world.sent[-1] <= 145


@pytest.mark.parametrize("workers", [1, 4])
def test_a_plan_that_is_downgraded_meanwhile_costs_a_429_for_those_under_way(workers: int) -> None:
    """What was sent before the smaller limit was told cannot be taken back; nothing is sent after."""
    world = World(1000, latency=0.1, limit_at=lambda now: 1000 if now < 3 else 100)
    asyncio.run(world.requests(pacer_in(world, workers), 300, workers))
    assert world.throttled <= workers
    assert world.longest_wait <= 61


@given(roundings, st.integers(0, 999), st.sampled_from([0.0, 7200.0, -7200.0]))
@settings(max_examples=12, deadline=None)
def test_a_window_that_others_opened_is_left_as_soon_as_its_reset_allows(
    rounded: Callable[[float], int], phase_ms: int, skew: float
) -> None:
    """Joined half way and found spent, a window is waited out, and at most three seconds longer."""
    world = World(100, skew=skew + phase_ms / 1000, rounded=rounded, latency=0.02)
    world.opened, world.used, world.now = 0.0, 40, 30.0
    asyncio.run(world.requests(pacer_in(world, 2), 61, 2))
    assert world.throttled == 0
    assert 60 <= world.sent[-1] <= 63


def test_a_request_that_hangs_does_not_hold_the_next_window_back() -> None:
    """While the last place of a window waits for its answer, the others go on when the window is over."""
    ways = iter([(0.01, 0.01)] * 98 + [(0.01, None)] * 2)
    world = World(100, latency=lambda: next(ways, (0.01, 0.01)))
    hanging: list[float] = []

    async def late() -> None:
        pacer = pacer_in(world, 4)
        await asyncio.gather(*(world.request(pacer) for _ in range(98)))
        world.now += 45.0  # the two that hang are given up 75 s after the window opened
        await world.sleep(0)

        async def hang() -> None:
            await world.request(pacer)
            hanging.append(world.now)

        others = [world.request(pacer) for _ in range(5)]
        await asyncio.gather(hang(), hang(), *others)

    world.latency = lambda: next(ways, (0.01, 0.01))
    asyncio.run(world.run(late()))
    assert [60 <= at < 61 for at in world.sent[100:]] == [True] * 5
    assert all(world.throttled == 0 for _ in hanging)


async def _wait_after(pacer: Pacer, report: RateReport) -> float:
    async with pacer.turn() as answered:
        answered(report)
    return pacer.pause(report)


@pytest.mark.parametrize(
    ("report", "seconds"),
    [
        (RateReport(retry_after=0.0), 1.0),
        (RateReport(retry_after=0.2), 1.0),
        (RateReport(retry_after=17.0), 17.0),
        (RateReport(retry_after=3600.0), 120.0),
        (RateReport(), 60.0),
        (RateReport(100, 0, 1_700_000_030.0, 1.0, 1_700_000_000.0), 31.0),
        (RateReport(100, 0, 1_700_000_000.0, 0.001, 1_700_000_000.0), 1.0),
        (RateReport(100, 0, 1_800_000_000.0, 1.0, 1_700_000_000.0), 60.0),
        (RateReport(100, 0, 1_700_000_030.0, 1.0, 1_700_000_000.0, retry_after=5.0), 5.0),
    ],
)
def test_a_429_asks_for_one_second_to_two_minutes(report: RateReport, seconds: float) -> None:
    """Retry-After counts, between 1 and 120 s; else the window's end; where nothing tells, a whole window."""
    world = World(100)
    pacer = Pacer(1, clock=world.clock, sleep=world.pace, uniform=lambda low, high: low)
    assert asyncio.run(_wait_after(pacer, report)) == pytest.approx(seconds)


def test_a_retry_after_that_is_shorter_than_the_window_does_not_end_it() -> None:
    """A 429 that says to come back in a second, in a window that is spent for 40 s, is met once."""
    world = World(100, latency=0.02)
    world.opened, world.used, world.now = 0.0, 100, 20.0
    pacer = pacer_in(world, 1)
    world.mangle = lambda headers: {**headers, "retry-after": "1"}
    asyncio.run(world.requests(pacer, 1, 1))
    assert world.throttled == 1
    assert 60 <= world.sent[-1] <= 63
