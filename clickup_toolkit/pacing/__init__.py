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
        self._asleep_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = float("inf")

    @property
    def limit(self) -> int:
        """Requests a window, as last told by ClickUp."""
        return self._window.limit

    @property
    def workers(self) -> int:
        """How many requests may be under way at once at the moment."""
        return self._workers.allowed

    @property
    def remaining(self) -> int:
        """Requests that may still be answered in this window, as far as answers tell."""
        return self._window.remaining

    @property
    def reset_seconds(self) -> float:
        """Seconds until the window ends; 0 when that is not known."""
        return self._window.ends_in(self._clock())

    @property
    def waiting_seconds(self) -> float:
        """Seconds until the next request may be sent, where workers wait for that; else 0."""
        return max(0.0, self._asleep_until - self._clock())

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Callable[[RateReport], None]]:
        """Wait until a request may be sent; the caller reports the answer's headers to what this yields."""
        serial = await self._await_turn()
        sent, told = self._clock(), False

        def answered(report: RateReport) -> None:
            nonlocal told
            told, now = True, self._clock()
            self._window.answer(report, now, serial)
            if self._shared:
                self._shared.answered(report, self._window.name(report), self._window.ends_in(now))
            self._workers.answered(now - sent, self._window.limit)

        try:
            yield answered
        finally:
            if not told:
                self._lose(serial)
            self._workers.busy -= 1
            self._wake_next()

    def pause(self, report: RateReport) -> float:
        """Stop all workers after a 429; return for how long, seconds. More 429s of the window add nothing."""
        now = self._clock()
        if now < self._paused_until:
            return self._paused_until - now
        wait = self._window.wait_after_429(report, now)
        self._paused_until = now + wait + self._uniform(0, min(1.0, wait / 10))
        self._window.close(self._paused_until)
        if self._shared:
            self._shared.close(self._paused_until - now)
        return self._paused_until - now

    async def _await_turn(self) -> int:
        """Wait for a free worker and for room in the window, here and among all processes; take both."""
        while True:
            now = self._clock()
            wait = max(self._paused_until - now, self._window.wait(now))
            if wait <= 0 and self._workers.free:
                serial, wait = await self._take()
                if wait <= 0:
                    return serial
            elif wait <= 0:
                await self._queue_up()
                continue
            elif wait == float("inf"):
                self._set_alarm(now + self._window.closes_in(now))
                await self._queue_up()
                continue
            self._asleep_until = self._clock() + wait
            await self._sleep(wait)

    async def _take(self) -> tuple[int, float]:
        """Take a turn, unless the processes together have none left: then return how long to wait."""
        serial, wait = self._window.send(), float("inf")
        self._workers.busy += 1
        self._wake_next()
        try:
            wait = await self._shared.take(self._workers.allowed) if self._shared else 0.0
        finally:
            if wait > 0:
                self._window.unsend()
                self._workers.busy -= 1
        return serial, wait

    def _lose(self, serial: int) -> None:
        """Count a request without an answer."""
        self._window.lose(self._clock(), serial)
        if self._shared:
            self._shared.lost()

    async def _queue_up(self) -> None:
        """Wait until a turn ends or another may begin, or the alarm rings."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            self._wake_next()
            raise

    def _set_alarm(self, at: float) -> None:
        """Wake those who wait when the window is over, though no answer has come: one may never come."""
        if at >= self._alarm_at:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.get_running_loop().create_task(self._ring(at - self._clock()))

    async def _ring(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._alarm, self._alarm_at = None, float("inf")
        self._wake_next()

    def _wake_next(self) -> None:
        """Wake the one who waits longest; whoever takes a turn wakes the next, while there is room."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
