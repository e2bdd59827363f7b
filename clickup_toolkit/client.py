"""One authenticated, paced, retried GET.

The chain, from the outside in: :meth:`Client.get` retries, ``_send_when_allowed`` waits for its turn and
waits 429s out, ``_send`` speaks HTTP, ``_judge`` turns an answer into bytes or an error. Errors are told
apart by ClickUp's ``ECODE``, not by the HTTP status, which misleads: a wrong id answers 401, a wrong
parameter 500.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
import stamina
from isal import igzip_lib, isal_zlib

from clickup_toolkit.errors import (
    ApiUnreachable,
    BrokenAnswer,
    ClickUpError,
    RateLimited,
    Refused,
    ServerFault,
    Unanswered,
)
from clickup_toolkit.pacing import Pacer, RateReport, full_jitter, read_rate
from clickup_toolkit.settings import Secret, Settings, is_personal, without_password

__all__ = ["Answer", "Client", "Query", "Request", "Stats", "is_personal"]

T = TypeVar("T")
Query = Sequence[tuple[str, str]]

_TIMEOUT = httpx.Timeout(connect=15, read=90, write=15, pool=None)  # deep pages took 25 s on the real service
_MOST_THROTTLED = 30  # 429s that one request waits out before it counts as failed
_LONGEST_BACKOFF_S = 300.0
_ERRORS_ARE_SMALLER = 4096  # bytes
_GZIP = 16 + 15
_DAMAGED: tuple[type[Exception], ...] = (igzip_lib.IsalError, EOFError)  # type: ignore[assignment]  # isal's stub
_HTTP_TOO_MANY, _HTTP_REQUEST_TIMEOUT = 429, 408

HOPELESS = frozenset({"SHARD_001", "GROUP_HELPERS_001", "TIMEENTRY_072"})
"""Codes that come with a 500 but mean a bad request."""
TWICE = frozenset({"ITEMV2_003", "PAGE_ORDER", "PAGE_REPEATED"})
"""Codes, ClickUp's and our own, that are sometimes intermittent: worth a second try, not a seventh."""


class Answer(NamedTuple):
    """What ClickUp answered to one request.

    ``stream`` names what was asked for, ``context`` whose it is, ``received`` is the instant of the answer
    in ms since 1970 UTC, ``body`` the JSON text as sent, decompressed.
    """

    stream: str
    context: dict[str, str]
    received: int
    body: bytes


@dataclass(frozen=True)
class Request:
    """One question: ``path`` below the base address, or from ``/v3/`` on beside it; ``query`` in order.

    ``time`` tells a question from the same one asked earlier in the crawl; it is not sent.
    """

    path: str
    query: Query = ()
    time: str = ""

    @cached_property
    def address(self) -> str:
        """What is asked for, below the base address."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def key(self) -> str:
        """The question as one string, the same in every run."""
        return f"{self.address}#{self.time}" if self.time else self.address


class Stats(msgspec.Struct):
    """What the client did: ``requests`` sent, ``throttled`` 429 answers met, ``retries`` sent again."""

    requests: int = 0
    throttled: int = 0
    retries: int = 0
    received_bytes: int = 0


class Client:
    """Asks ClickUp. Use as an async context manager.

    ``transport`` replaces the network, ``now`` tells the time in ms since 1970 UTC, ``uniform`` draws
    random numbers for the backoff.
    """

    def __init__(
        self,
        settings: Settings,
        pacer: Pacer,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        uniform: Callable[[float, float], float] = random.uniform,
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
            "timeout": _TIMEOUT,
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
                return body, self._now(), _decoded(request, body, decode)
        raise AssertionError("stamina either returns or raises")

    async def _send_when_allowed(self, request: Request) -> bytes:
        for _ in range(_MOST_THROTTLED):
            async with self.pacer.turn() as answered:
                response, body = await self._send(request, answered)
            try:
                return _judge(request, response, body)
            except RateLimited:
                self.stats.throttled += 1
                self.pacer.pause(read_rate(response.headers))
        raise RateLimited(
            f"ClickUp answered 429 to {_shown(request)} {_MOST_THROTTLED} times in a row.",
            "Other tools use up the rate limit of this token: give the export a token of its own.",
            status=_HTTP_TOO_MANY,
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
        return response, _decompressed(request, response, body)

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
        reason = str(error) or type(error).__name__
        if self._reached:
            return ApiUnreachable(f"No answer to {_shown(request)}: {reason}.", "Run the export again later.")
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


def _decompressed(request: Request, response: httpx.Response, body: bytes) -> bytes:
    encoding = response.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    try:
        return bytes(isal_zlib.decompress(body, wbits=_GZIP))
    except _DAMAGED as error:
        raise _broken(request, f"the compressed body is damaged ({error})") from error


def _judge(request: Request, response: httpx.Response, body: bytes) -> bytes:
    """Return the body of a good answer; raise what a bad one means."""
    if response.status_code == httpx.codes.OK:
        return body
    text, code = _error_of(body)
    raise _error(request, response.status_code, code, text)


def _error(request: Request, status: int, code: str, text: str) -> ClickUpError:
    message = f"ClickUp answered {status} {code} to {_shown(request)}: {text}".replace("  ", " ")
    if status == _HTTP_TOO_MANY or code == "APP_002":
        return RateLimited(message, status=status, code=code)
    broke = status >= httpx.codes.INTERNAL_SERVER_ERROR or status == _HTTP_REQUEST_TIMEOUT or code in TWICE
    return (ServerFault if broke and code not in HOPELESS else Refused)(message, status=status, code=code)


class _ErrorBody(msgspec.Struct):
    err: object = ""
    ECODE: object = ""


def _error_of(body: bytes) -> tuple[str, str]:
    """Return the text and the code of an error body, which may be JSON, HTML or anything."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody)
        return str(error.err)[:200], str(error.ECODE or "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return " ".join(body[:200].decode("utf-8", "replace").split()), ""


def _error_inside(body: bytes) -> tuple[str, str] | None:
    """Return the text and code of an error that JSON holds at its top; None where it holds none."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        error = msgspec.json.decode(body, type=_ErrorBody)
        text, code = (value if isinstance(value, str) else "" for value in (error.err, error.ECODE))
        return (text[:200], code) if text or code else None
    return None


def _decoded(request: Request, body: bytes, decode: Callable[[bytes], T]) -> T:
    # ClickUp has been seen to answer 200 with an error inside. Whether it would stay is unknown: ask again.
    error = _error_inside(body) if len(body) < _ERRORS_ARE_SMALLER else None
    if error:
        raise _broken(request, f"an error inside a 200 answer: {error[0]}", error[1] or "ERROR_IN_200")
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(request, str(error)) from error


def _broken(request: Request, why: str, code: str = "BROKEN_ANSWER") -> BrokenAnswer:
    message = f"The answer to {_shown(request)} is broken: {why}."
    return BrokenAnswer(message, "Run the export again later.", code=code)


def _shown(request: Request) -> str:
    return f"GET {request.path}"  # the query may be long, and says little to a reader
