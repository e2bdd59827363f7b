"""One rate budget for several processes that use the same token, kept in Redis.

ClickUp counts a token's requests, whoever sends them. Before a process sends, it takes a place in the
window here; all processes together never take more than the limit. The first place opens the window, as
the first request does at ClickUp; what answers tell of its end and of others' use corrects it. Places are
taken a few at a time, to ask Redis seldom. When Redis does not answer, a process goes on for a window with
what it knows by itself, and then asks again: a crawl neither fails nor waits for want of this.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import redis
import redis.asyncio
import structlog

from clickup_toolkit.pacing.window import SMALLEST_LIMIT, WINDOW_S

__all__ = ["SharedBudget", "budget_key"]

_log = structlog.get_logger(__name__)
_PART = 50  # of the limit: at most this part is taken at a time
_ANSWER_WITHIN_S = 2.0

# KEYS[1] the budget: a hash of taken, limit, ends (ms, Redis's clock).
# ARGV[1] places wanted, ARGV[2] the limit assumed, ARGV[3] the window in ms.
# Returns {places given, ms until the window ends, when it ends}.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local budget = redis.call('HMGET', KEYS[1], 'taken', 'limit', 'ends')
local taken, limit, ends = tonumber(budget[1] or 0), tonumber(budget[2] or ARGV[2]), tonumber(budget[3] or 0)
if now >= ends then
  taken, ends = 0, now + tonumber(ARGV[3])
end
local given = math.max(0, math.min(tonumber(ARGV[1]), limit - taken))
redis.call('HSET', KEYS[1], 'taken', taken + given, 'limit', limit, 'ends', ends)
redis.call('PEXPIRE', KEYS[1], ends - now + 3600000)
return {given, ends - now, ends}
"""

# KEYS[1] the budget; ARGV[1] the limit, ARGV[2] requests that ClickUp counted in this window,
# ARGV[3] ms until the window ends, or 0 when that is not known.
_LEARN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local taken = tonumber(redis.call('HGET', KEYS[1], 'taken') or 0)
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'taken', math.max(taken, tonumber(ARGV[2])))
if tonumber(ARGV[3]) > 0 then redis.call('HSET', KEYS[1], 'ends', now + tonumber(ARGV[3])) end
return 1
"""


def budget_key(token: str) -> str:
    """Return the key of a token's budget; it names the token only by a fingerprint."""
    return f"clickup:budget:{hashlib.sha256(token.encode()).hexdigest()[:16]}"


class SharedBudget:
    """This process's part in the budget at ``key``; ``window`` is the length of a window in seconds."""

    def __init__(self, client: redis.asyncio.Redis, key: str, *, window: float = WINDOW_S) -> None:
        self._client = client
        self._key = key
        self._window_ms = round(window * 1000)
        self._limit = SMALLEST_LIMIT
        self._held = 0  # places taken and not yet used
        self._held_until = 0.0  # our loop's clock
        self._alone_until = 0.0  # our loop's clock: until then Redis is not asked
        self._taking = asyncio.Lock()
        self._told: tuple[int, int] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def take(self, workers: int) -> float:
        """Take a place: return 0 when there was one, else the seconds until the window ends."""
        async with self._taking:
            if self._held and asyncio.get_running_loop().time() < self._held_until:
                self._held -= 1
                return 0.0
            return await self._take_some(max(1, min(workers, self._limit // _PART)))

    async def _take_some(self, wanted: int) -> float:
        asked = asyncio.get_running_loop().time()
        answer = await self._eval(_TAKE, wanted, self._limit, self._window_ms)
        if answer is None:
            return 0.0
        given, ends_in, _ = answer
        if not given:
            return max(0.001, int(ends_in) / 1000)
        self._held, self._held_until = int(given) - 1, asked + int(ends_in) / 1000
        return 0.0

    def learn(self, limit: int | None, remaining: int | None, ends_in: float) -> None:
        """Tell the others what an answer told: the limit, what remains, seconds until the window ends."""
        if limit is None or remaining is None:
            return
        self._limit = limit
        told = (limit, round(asyncio.get_running_loop().time() + ends_in))
        used = limit - remaining
        if told == self._told and used % max(1, limit // _PART):
            return
        self._told = told
        self._held_until = min(self._held_until, asyncio.get_running_loop().time() + ends_in)
        self._tell(limit, used, ends_in)

    def close(self, seconds: float) -> None:
        """Hold every process back for ``seconds``: ClickUp answered 429."""
        self._held = 0
        self._tell(self._limit, self._limit, seconds)

    def _tell(self, limit: int, used: int, ends_in: float) -> None:
        task = asyncio.get_running_loop().create_task(self._eval(_LEARN, limit, used, round(ends_in * 1000)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _eval(self, script: str, *arguments: int) -> Any:
        """Run a script on the budget; None where Redis does not answer, or did not within the last window."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._alone_until:
            return None
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._client.eval(script, 1, self._key, *arguments)
        except (redis.RedisError, TimeoutError, OSError) as error:
            self._alone_until = loop.time() + self._window_ms / 1000
            _log.warning("pacing.budget_unreachable", error=type(error).__name__)
            return None
