"""One rate budget for several processes that use the same token, kept in Redis.

ClickUp counts a token's requests, whoever sends them. Before a process sends, it takes a place here; places
are taken a few at a time, to ask Redis seldom. A place is open until its request was answered, and counts
as if the answers did not know of it, like the requests under way in one process: what all processes have
open, together with what answers told of the window, never exceeds the limit. So requests that are under way
while one window gives way to the next weigh on the next until their answers say which of the two counted
them, and answers of a window that is over are not learnt into the next.

When Redis does not answer, a process goes on for a window with what it knows by itself, and then asks
again: a crawl neither fails nor waits for want of this. What a process that was killed had open is
forgotten after two windows.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
import structlog

from clickup_toolkit.pacing.report import RateReport
from clickup_toolkit.pacing.scripts import EXCHANGE
from clickup_toolkit.pacing.window import SAME_WINDOW_S, SMALLEST_LIMIT, WINDOW_S

__all__ = ["SharedBudget", "budget_key"]

_log = structlog.get_logger(__name__)
_PART = 50  # of the limit: at most this part is taken at a time
_POLLS = 500  # in a window, at most, while others have requests open
_SILENT = 60  # part of a window after which a process that takes nothing more tells what was answered
_ANSWER_WITHIN_S = 2.0


def budget_key(token: str) -> str:
    """Return the key of a token's budget; it names the token only by a fingerprint."""
    return f"clickup:budget:{hashlib.sha256(token.encode()).hexdigest()[:16]}"


@dataclass
class _News:
    """What answers told since Redis was last told: of the newest window, and of none that they named."""

    window: float = 0.0  # the reset that names it, server's Unix seconds; 0: none was named
    ends: float = 0.0  # our loop's clock
    counted: int = 0  # our requests that were answered in it
    told: int = 0  # requests that ClickUp has counted in it
    unnamed: int = 0  # our requests that were lost, or answered without a word on the window


class SharedBudget:
    """This process's part in the budget at ``key``; ``window`` is the length of a window in seconds."""

    def __init__(self, client: redis.asyncio.Redis, key: str, *, window: float = WINDOW_S) -> None:
        self._client = client
        self._key = key
        self._name = secrets.token_hex(4)
        self._window_s = window
        self._limit = SMALLEST_LIMIT
        self._limit_told = False
        self._held = 0  # places taken and not yet used
        self._open = 0  # those, and the ones whose requests are under way
        self._news = _News()
        self._full_until = 0.0  # our loop's clock: until then there is nothing to take
        self._alone_until = 0.0  # our loop's clock: until then Redis is not asked
        self._talking = asyncio.Lock()  # what is open is told as a number, so in order
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def take(self, workers: int) -> float:
        """Take a place: return 0 when there was one, else the seconds until it makes sense to ask again."""
        async with self._talking:
            if self._held:
                self._held -= 1
                return 0.0
            now = asyncio.get_running_loop().time()
            if now < self._full_until:
                return self._full_until - now
            return await self._take_some(max(1, min(workers, self._limit // _PART)))

    async def _take_some(self, wanted: int) -> float:
        answer = await self._exchange(wanted)
        if answer is None:
            self._open += 1
            return 0.0
        given, wait_ms = answer
        if not given:
            wait = max(0.001, wait_ms / 1000)
            self._full_until = asyncio.get_running_loop().time() + wait
            return wait
        self._held, self._open = given - 1, self._open + given
        return 0.0

    def answered(self, report: RateReport, window: float | None, ends_in: float) -> None:
        """Learn from an answer of the ``window`` (its reset), which ends in so many seconds."""
        self._open -= 1
        if report.limit is not None:
            self._limit, self._limit_told = report.limit, True
        if window is None:
            self._news.unnamed += 1
        else:
            told = 0 if report.remaining is None else max(0, self._limit - report.remaining)
            self._learn(window, told, ends_in)
        self._tell_soon()

    def lost(self) -> None:
        """Count a request without an answer: ClickUp may have counted it."""
        self._open -= 1
        self._news.unnamed += 1
        self._tell_soon()

    def close(self, seconds: float) -> None:
        """Hold every process back for ``seconds``: ClickUp answered 429."""
        task = asyncio.get_running_loop().create_task(self._give_back(seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def leave(self) -> None:
        """Give back what is held, at the end: nothing that this process took weighs on the others."""
        if self._timer:
            self._timer.cancel()
        await asyncio.gather(*self._tasks)
        await self._give_back()

    def _learn(self, window: float, told: int, ends_in: float) -> None:
        news, ends = self._news, asyncio.get_running_loop().time() + ends_in
        if window < news.window - SAME_WINDOW_S:
            return  # a late answer: that window is over
        if window > news.window + SAME_WINDOW_S:
            self._news = _News(window, ends, 1, told, news.unnamed)
            return
        news.ends = min(news.ends, ends) if ends_in else news.ends
        news.counted, news.told = news.counted + 1, max(news.told, told)

    def _tell_soon(self) -> None:
        """Tell what was answered soon, unless the next taking of places does so before."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._window_s / _SILENT, self._tell)

    def _tell(self) -> None:
        task = asyncio.get_running_loop().create_task(self._give_back())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_back(self, closed_s: float = 0.0) -> None:
        async with self._talking:
            self._open, self._held = self._open - self._held, 0
            await self._exchange(0, closed_s)

    async def _exchange(self, wanted: int, closed_s: float = 0.0) -> tuple[int, int] | None:
        """Tell Redis the news and take places; None where it does not answer, or did not within a window.

        Returns how many places there are, and else in how many ms to ask again.
        """
        loop = asyncio.get_running_loop()
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if loop.time() < self._alone_until:
            return None
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                answer = await self._client.eval(EXCHANGE, 1, self._key, *self._told(wanted, closed_s))
        except (redis.RedisError, TimeoutError, OSError) as error:
            self._alone_until = loop.time() + self._window_s
            _log.warning("pacing.budget_unreachable", error=type(error).__name__)
            return None
        return int(answer[0]), int(answer[1])

    def _told(self, wanted: int, closed_s: float) -> list[str | int]:
        """Return the script's arguments; with them the news are told."""
        news, self._news = self._news, _News(self._news.window, self._news.ends)
        ends_in = max(0.0, news.ends - asyncio.get_running_loop().time())
        window_ms = round(self._window_s * 1000)
        limit = self._limit if self._limit_told else 0
        self._limit_told = False
        return [
            *(self._name, wanted, self._open, SMALLEST_LIMIT, limit, window_ms),
            *(round(news.window * 1000) if news.counted else 0, round(ends_in * 1000)),
            *(news.counted, news.told, news.unnamed, round(closed_s * 1000), window_ms // _POLLS),
        ]
