"""What tests of the pacing share: a clock that only waiting moves, and a server that counts by it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from clickup_toolkit.pacing import Pacer, RateReport, read_rate

__all__ = ["START", "World", "pacer_in"]

START = 1_700_000_000.0
"""The Unix second at which the clock stands at 0, as a server without skew tells it."""


class World:
    """A fake clock and a server that counts requests in fixed windows anchored at the first one.

    ``skew`` is how far the server's clock is ahead; ``rounded`` tells how it makes seconds of the reset,
    ``reset_in`` whether it does ("s" or "ms"). ``latency`` gives the seconds to and from the server, and may
    give None for the way back: the answer is lost. ``limit_at`` tells the limit by the seconds since the
    start; ``lie`` is added to what remains; ``mangle`` may change or take away what the headers say.
    """

    def __init__(
        self,
        limit: int,
        *,
        skew: float = 0.0,
        latency: float | Callable[[], tuple[float, float | None]] = 0.1,
        headers: bool = True,
        rounded: Callable[[float], int] = int,
        reset_in: str = "s",
        limit_at: Callable[[float], int] | None = None,
        lie: Callable[[], int] = lambda: 0,
        mangle: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers,
    ) -> None:
        self.now = 0.0
        self.limit_at = limit_at or (lambda at: limit)
        self.skew, self.latency, self.headers = skew, latency, headers
        self.rounded, self.reset_in, self.lie, self.mangle = rounded, reset_in, lie, mangle
        self.opened = float("-inf")
        self.used = 0
        self.throttled = 0
        self.sent: list[float] = []
        self.longest_wait = 0.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._count, future))
        await future

    async def pace(self, seconds: float) -> None:
        """Sleep for the pacer, and remember how long it wanted to."""
        self.longest_wait = max(self.longest_wait, seconds)
        await self.sleep(seconds)

    async def run(self, work: Awaitable[object]) -> None:
        """Run ``work``; whenever nothing else can happen, let the time pass to the next sleeper."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(40):
                await asyncio.sleep(0)
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if not task.done():
                assert self._sleepers, "everybody waits for somebody else"
                until, _, future = heapq.heappop(self._sleepers)
                self.now = max(self.now, until)
                future.set_result(None)
        await task

    def answer(self) -> tuple[bool, RateReport]:
        """Count one request; return whether it passed, and what its headers tell."""
        if self.now >= self.opened + 60:
            self.opened, self.used = self.now, 0
        self.sent.append(self.now)
        limit = self.limit_at(self.now)
        passes = self.used < limit
        self.used += passes
        self.throttled += not passes
        return passes, self.report(limit, limit - self.used if passes else 0)

    def report(self, limit: int, remaining: int) -> RateReport:
        if not self.headers:
            return RateReport()
        told = START + self.skew
        ends = self.opened + 60 + told
        reset = self.rounded(ends) if self.reset_in == "s" else int(ends * 1000)
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, remaining + self.lie())),
            "x-ratelimit-reset": str(reset),
            "date": formatdate(int(self.now + told), usegmt=True),
        }
        return read_rate(self.mangle(headers))

    async def request(self, pacer: Pacer) -> None:
        """Send one request, again when it meets a 429; a lost answer is not asked for again."""
        while True:
            there, back = self._trip()
            async with pacer.turn() as answered:
                await self.sleep(there)
                passed, report = self.answer()
                await self.sleep(30.0 if back is None else back)
                if back is None:
                    return
                answered(report)
            if passed:
                return
            pacer.pause(report)

    def _trip(self) -> tuple[float, float | None]:
        return self.latency() if callable(self.latency) else (self.latency / 2, self.latency / 2)

    async def requests(self, pacer: Pacer, count: int, workers: int) -> None:
        """Send so many requests, the answers of ``workers`` of them awaited at once."""
        todo = iter(range(count))

        async def worker() -> None:
            for _ in todo:
                await self.request(pacer)

        await self.run(asyncio.gather(*(worker() for _ in range(workers))))


def pacer_in(world: World, concurrency: int | None) -> Pacer:
    """Return a pacer that lives in ``world``; random numbers are the middle."""
    middle: Callable[[float, float], float] = lambda low, high: (low + high) / 2  # noqa: E731
    return Pacer(concurrency, clock=world.clock, sleep=world.pace, uniform=middle)
