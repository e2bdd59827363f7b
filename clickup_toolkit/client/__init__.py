"""One authenticated, paced, retried GET.

The chain, from the outside in: :meth:`Client.get` retries, ``_send_when_allowed`` waits for its turn and
waits 429s out, ``_send`` speaks HTTP, ``judge`` turns an answer into bytes or an error.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec
import stamina

from clickup_toolkit.client.question import Answer, Query, Request
from clickup_toolkit.client.verdict import HTTP_TOO_MANY, TWICE, decoded, decompressed, judge, shown
from clickup_toolkit.errors import ApiUnreachable, RateLimited, Unanswered
from clickup_toolkit.pacing import Pacer, RateReport, full_jitter, read_rate
from clickup_toolkit.settings import Secret, Settings, is_personal, without_password

__all__ = ["Answer", "Client", "Query", "Request", "Stats", "is_personal"]

T = TypeVar("T")

TIMEOUT = httpx.Timeout(connect=15, read=90, write=15, pool=None)  # deep pages took 25 s on the real service
_MOST_THROTTLED = 30  # 429s that one request waits out before it counts as failed
_LONGEST_BACKOFF_S = 300.0


class Stats(msgspec.Struct):
    """What the client did: ``requests`` sent, ``throttled`` 429 answers met, ``retries`` sent again."""

    requests: int = 0
    throttled: int = 0
    retries: int = 0
    received_bytes: int = 0


class Client:
    """Asks ClickUp. Use as an async context manager.

    ``transport`` replaces the network, ``now`` tells the time in ms since 1970 UTC, ``uniform`` draws
    random numbers for the backoff, ``timeout`` says how long to wait for a server that hangs.
    """

    def __init__(
        self,
        settings: Settings,
        pacer: Pacer,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        uniform: Callable[[float, float], float] = random.uniform,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        if settings.token is None:
            raise TypeError("a client needs settings with a token")
        self.stats = Stats()
        self.pacer = pacer
        self._base = settings.api_url
        self._v3 = settings.api_url.rpartition("/")[0]
        self.tries = settings.max_retries
        self._initial_backoff = settings.initial_backoff
        self._now = now
        self._uniform = uniform
        self._reached = False
        self.ahead_ms: int | None = None
        """How far our clock is ahead of ClickUp's, ms, at most; None before an answer told its time."""
        self._options: dict[str, Any] = {
            "headers": _headers(settings.token),
            "timeout": timeout,
            "transport": transport,
            "follow_redirects": False,
            "verify": httpx.create_ssl_context(),
        }
        # One connection each: httpcore looks through all of a pool's connections at every request.
        self._idle: list[httpx.AsyncClient] = []
        self._opened: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._opened:
            await line.aclose()

    async def get(
        self, request: Request, decode: Callable[[bytes], T], *, tries: int | None = None, failed: int = 0
    ) -> tuple[bytes, int, T]:
        """Return the answer's body, the instant it came (ms since 1970 UTC) and what ``decode`` made of it.

        ``decode`` raises ``msgspec.DecodeError`` or :class:`BrokenAnswer` for what cannot be the answer to
        the question; that is asked again. Raises :class:`Refused` for what will never be answered and
        :class:`Unanswered` when ``tries`` (default: the setting) failed; ``failed`` of them did already.
        """
        hook, left = _Backoff(self._initial_backoff, self._uniform, failed), (tries or self.tries) - failed
        await asyncio.sleep(hook.wait() if failed else 0)
        async for attempt in stamina.retry_context(hook, attempts=left, timeout=None):
            with attempt:
                if failed + attempt.num > 1:
                    self.stats.retries += 1
                body = await self._send_when_allowed(request)
                return body, self._now(), decoded(request, body, decode)
        raise AssertionError("stamina either returns or raises")

    async def _send_when_allowed(self, request: Request) -> bytes:
        for _ in range(_MOST_THROTTLED):
            async with self.pacer.turn() as answered:
                response, body = await self._send(request, answered)
            try:
                return judge(request, response, body)
            except RateLimited:
                self.stats.throttled += 1
                self.pacer.pause(read_rate(response.headers))
        raise RateLimited(
            f"ClickUp answered 429 to {shown(request)} {_MOST_THROTTLED} times in a row.",
            "Other tools use up the rate limit of this token: give the export a token of its own.",
            status=HTTP_TOO_MANY,
        )

    async def _send(
        self, request: Request, answered: Callable[[RateReport], None]
    ) -> tuple[httpx.Response, bytes]:
        self.stats.requests += 1
        address = (self._v3 if request.path.startswith("/v3/") else self._base) + request.address
        try:
            async with self._line() as line, line.stream("GET", address) as response:
                body = b"".join([part async for part in response.aiter_raw()])
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(request, error) from error
        self._reached = True
        report = read_rate(response.headers)
        answered(report)
        if report.date is not None:
            ahead = self._now() - round(report.date * 1000)
            self.ahead_ms = ahead if self.ahead_ms is None else min(self.ahead_ms, ahead)
        self.stats.received_bytes += len(body)
        return response, decompressed(request, response, body)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give a connection that nobody uses at the moment."""
        if not self._idle:
            self._opened.append(httpx.AsyncClient(**self._options))
            self._idle.append(self._opened[-1])
        line = self._idle.pop()
        try:
            yield line
        finally:
            self._idle.append(line)

    def _unreachable(self, request: Request, error: Exception) -> ApiUnreachable:
        reason = str(error).rstrip(".") or type(error).__name__
        if self._reached:
            return ApiUnreachable(f"No answer to {shown(request)}: {reason}.", "Run the export again later.")
        return ApiUnreachable(
            f"ClickUp cannot be reached at {without_password(self._base)}: {reason}.",
            "Check the network, a proxy, and CLICKUP_API_URL.",
        )


@dataclass
class _Backoff:
    """stamina's hook: what to retry, and after how many seconds."""

    initial: float
    uniform: Callable[[float, float], float]
    failures: int

    def wait(self) -> float:
        return min(_LONGEST_BACKOFF_S, full_jitter(self.failures, self.initial, self.uniform))

    def __call__(self, error: Exception) -> bool | float:
        self.failures += 1
        if not isinstance(error, Unanswered) or isinstance(error, RateLimited):
            return False  # 429s were waited out already
        return False if error.code in TWICE and self.failures > 1 else self.wait()


def _headers(token: Secret) -> dict[str, str]:
    bare = token.reveal()
    return {
        "Authorization": bare if is_personal(token) else f"Bearer {bare}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/json",
    }
