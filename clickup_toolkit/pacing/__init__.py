"""Who may send next, and how long to wait.

ClickUp counts requests in fixed windows of 60 seconds, anchored at the first request, per token. The whole
window may be spent at once. :class:`Pacer` spends it to its end and never beyond: every answer tells how
many requests remain, and requests under way are counted as if the answer did not know of them yet, so the
estimate can only be too low, and is exact as soon as the answers are in.

Waits are computed from the server's own ``Date`` and ``X-RateLimit-Reset``, so the two clocks need not
agree. A 429 (somebody else uses the same token) pauses every worker once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from clickup_toolkit.pacing.report import RateReport, read_rate
from clickup_toolkit.pacing.shared import SharedBudget, budget_key
from clickup_toolkit.pacing.window import Window
from clickup_toolkit.pacing.workers import Workers

__all__ = ["Pacer", "RateReport", "SharedBudget", "budget_key", "full_jitter", "read_rate"]


def full_jitter(attempt: int, initial: float, uniform: Callable[[float, float], float]) -> float:
    """Return the wait after failed try number ``attempt`` (from 1), seconds: uniform in 0..initial·2^(n-1).

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    return uniform(0, initial * 2 ** (attempt - 1))


class Pacer:
    """Gives out turns to send: never more than ``concurrency`` at once, never more than the limit allows.

    ``concurrency`` None means auto: see :class:`Workers`. ``clock`` counts seconds from anywhere,
    ``sleep`` waits for seconds, ``uniform`` draws a random number between its arguments.
    """

    def __init__(
        self,
        concurrency: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
        shared: SharedBudget | None = None,
    ) -> None:
        self._shared = shared
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._workers = Workers(concurrency)
        self._window = Window(clock)
        self._paused_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests a window, as last told by ClickUp."""
        return self._window.limit

    @property
    def workers(self) -> int:
        """How many requests may be under way at once at the moment."""
        return self._workers.allowed

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Callable[[RateReport], None]]:
        """Wait until a request may be sent; the caller reports the answer's headers to what this yields."""
        await self._await_turn()
        sent, told = self._clock(), False

        def answered(report: RateReport) -> None:
            nonlocal told
            told = True
            self._window.answer(report, self._clock())
            if self._shared:
                self._shared.learn(report.limit, report.remaining, self._window.ends_in(self._clock()))
            self._workers.answered(self._clock() - sent, self._window.limit)

        try:
            yield answered
        finally:
            if not told:
                self._window.lose()
            self._workers.busy -= 1
            self._wake_next()

    def pause(self, report: RateReport) -> float:
        """Stop all workers after a 429; return for how long, seconds. More 429s of the window add nothing."""
        now = self._clock()
        if now < self._paused_until:
            return self._paused_until - now
        wait = self._window.wait_after_429(report)
        self._paused_until = now + wait + self._uniform(0, min(1.0, wait / 10))
        self._window.close(self._paused_until)
        if self._shared:
            self._shared.close(self._paused_until - now)
        return self._paused_until - now

    async def _await_turn(self) -> None:
        """Wait for a free worker and for room in the window, here and among all processes; take both."""
        while True:
            wait = max(self._paused_until - self._clock(), self._window.wait(self._clock()))
            if wait <= 0 and self._workers.free:
                self._window.send()
                self._workers.busy += 1
                self._wake_next()
                wait = await self._shared.take(self._workers.allowed) if self._shared else 0.0
                if wait <= 0:
                    return
                self._window.unsend()
                self._workers.busy -= 1
            elif wait <= 0 or wait == float("inf"):
                await self._queue_up()
                continue
            await self._sleep(wait)

    async def _queue_up(self) -> None:
        """Wait until a turn ends or another may begin."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            self._wake_next()
            raise

    def _wake_next(self) -> None:
        """Wake the one who waits longest; whoever takes a turn wakes the next, while there is room."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
