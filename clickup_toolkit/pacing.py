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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

__all__ = ["Pacer", "RateReport", "full_jitter", "read_rate"]

WINDOW_S = 60.0
"""Length of ClickUp's window, seconds."""
SMALLEST_LIMIT = 100
"""Requests a minute on the plans that allow least; assumed until an answer tells."""
_MILLISECONDS_FROM = 1e12  # an absolute time as large as this is in milliseconds, not seconds
_SAME_WINDOW_S = 1.0  # resets that differ by less are one window, told with rounding


@dataclass(frozen=True)
class RateReport:
    """What one answer tells of the rate limit; ``reset`` and ``date`` are Unix seconds of the server."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    reset_step: float = 1.0
    date: float | None = None
    retry_after: float | None = None


def read_rate(headers: Mapping[str, str]) -> RateReport:
    """Read the rate-limit headers; what is missing or malformed is None."""
    reset = _number(headers.get("x-ratelimit-reset"))
    step = 1.0
    if reset is not None and reset >= _MILLISECONDS_FROM:
        reset, step = reset / 1000, 0.001
    limit, remaining = (
        _number(headers.get("x-ratelimit-limit")),
        _number(headers.get("x-ratelimit-remaining")),
    )
    return RateReport(
        limit=int(limit) if limit is not None and limit >= 1 else None,
        remaining=int(remaining) if remaining is not None and remaining >= 0 else None,
        reset=reset,
        reset_step=step,
        date=_http_date(headers.get("date")),
        retry_after=_number(headers.get("retry-after")),
    )


def full_jitter(attempt: int, initial: float, uniform: Callable[[float, float], float]) -> float:
    """Return the wait after failed try number ``attempt`` (from 1), seconds: uniform in 0..initial·2^(n-1).

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    return uniform(0, initial * 2 ** (attempt - 1))


class Pacer:
    """Gives out turns to send: never more than ``concurrency`` at once, never more than the limit allows.

    ``concurrency`` None means auto: see :class:`_Workers`. ``clock`` counts seconds from anywhere,
    ``sleep`` waits for seconds, ``uniform`` draws a random number between its arguments.
    """

    def __init__(
        self,
        concurrency: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._workers = _Workers(concurrency)
        self._window = _Window(clock)
        self._paused_until = 0.0
        self._freed = asyncio.Event()

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
        self._window.send()
        self._workers.busy += 1
        sent, told = self._clock(), False

        def answered(report: RateReport) -> None:
            nonlocal told
            told = True
            self._window.answer(report, self._clock())
            self._workers.answered(self._clock() - sent, self._window.limit)

        try:
            yield answered
        finally:
            if not told:
                self._window.lose()
            self._workers.busy -= 1
            self._freed.set()

    def pause(self, report: RateReport) -> float:
        """Stop all workers after a 429; return for how long, seconds. More 429s of the window add nothing."""
        now = self._clock()
        if now < self._paused_until:
            return self._paused_until - now
        wait = self._window.wait_after_429(report)
        self._paused_until = now + wait + self._uniform(0, min(1.0, wait / 10))
        self._window.close(self._paused_until)
        return self._paused_until - now

    async def _await_turn(self) -> None:
        while True:
            wait = max(self._paused_until - self._clock(), self._window.wait(self._clock()))
            if wait <= 0 and self._workers.free:
                return
            self._freed.clear()
            if wait <= 0 or wait == float("inf"):
                await self._freed.wait()
            else:
                await self._sleep(wait)


class _Workers:
    """How many requests may be under way: a fixed number, or one found while running.

    Auto starts at 2 and follows Little's law, L = λ·W (J. Little, 1961): to spend ``limit`` requests in a
    window at the latency seen, ``limit / window · latency`` must be under way. Latency is a moving mean;
    the number at most doubles from one round of answers to the next and never passes ``MOST``. The least
    latency seen guards against a server that only grows slower: beyond eight times that, it shrinks.
    """

    MOST = 64
    HEADROOM = 1.5

    def __init__(self, concurrency: int | None) -> None:
        self._auto = concurrency is None
        self.allowed = 2 if concurrency is None else concurrency
        self.busy = 0
        self._mean = 0.0
        self._least = float("inf")
        self._round = 0

    @property
    def free(self) -> bool:
        return self.busy < self.allowed

    def answered(self, latency: float, limit: int) -> None:
        if not self._auto:
            return
        self._least = min(self._least, latency)
        self._mean = latency if not self._mean else 0.9 * self._mean + 0.1 * latency
        self._round += 1
        if self._round < self.allowed:
            return
        self._round = 0
        wanted = int(limit / WINDOW_S * self._mean * self.HEADROOM) + 1
        if self._mean > 8 * self._least and self.allowed > 2:
            wanted = self.allowed // 2
        self.allowed = max(2, min(wanted, self.allowed * 2, self.MOST))


class _Window:
    """One window of the rate limit as far as the answers tell."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limit = SMALLEST_LIMIT
        self._clock = clock
        self._remaining = SMALLEST_LIMIT
        self._under_way = 0
        self._reset: float | None = None  # server's Unix seconds: names the window
        self._ends: float | None = None  # our clock
        self._offset = float("-inf")  # server's time minus ours, never too high

    def wait(self, now: float) -> float:
        """Return the seconds until one more may be sent: 0 now, inf when an answer must come first."""
        self._roll(now)
        if self._remaining - self._under_way > 0:
            return 0.0
        if self._remaining > 0 or self._ends is None:
            return float("inf") if self._under_way else self._whole_window(now)
        return max(0.0, self._ends - now)

    def send(self) -> None:
        if self._ends is None:
            self._ends = self._clock() + WINDOW_S
        self._under_way += 1

    def lose(self) -> None:
        """Count a request without an answer as spent: the server may have seen it."""
        self._under_way -= 1
        self._remaining -= 1

    def answer(self, report: RateReport, now: float) -> None:
        self._under_way -= 1
        self.limit = report.limit or self.limit
        if report.date is not None:
            self._offset = max(self._offset, report.date - now)
        if report.remaining is None:
            self._remaining -= 1
        elif self._belongs_to_earlier(report.reset):
            return
        elif self._is_new(report.reset):
            self._remaining = report.remaining
        else:
            self._remaining = min(self._remaining, report.remaining)
        self._learn_end(report, now)

    def wait_after_429(self, report: RateReport) -> float:
        if report.retry_after is not None:
            return max(0.0, report.retry_after)
        if self._ends is not None and report.reset is not None:
            return max(0.0, self._ends - self._clock())
        return WINDOW_S

    def close(self, until: float) -> None:
        """Hold everything back until ``until``: the server says that the window is spent."""
        self._remaining = 0
        self._ends = until

    def _roll(self, now: float) -> None:
        if self._ends is not None and now >= self._ends:
            self._ends = None
            self._remaining = self.limit

    def _whole_window(self, now: float) -> float:
        self._ends = now + WINDOW_S
        return WINDOW_S

    def _belongs_to_earlier(self, reset: float | None) -> bool:
        return reset is not None and self._reset is not None and reset < self._reset - _SAME_WINDOW_S

    def _is_new(self, reset: float | None) -> bool:
        return reset is not None and (self._reset is None or reset > self._reset + _SAME_WINDOW_S)

    def _learn_end(self, report: RateReport, now: float) -> None:
        if report.reset is None:
            return
        self._reset = report.reset if self._reset is None else max(self._reset, report.reset)
        offset = self._offset if report.date is not None else report.reset - WINDOW_S - now
        # A reset told in whole seconds may have been rounded down: the window ends up to a step later.
        self._ends = now + max(0.0, report.reset + report.reset_step - (now + offset))


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _http_date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
