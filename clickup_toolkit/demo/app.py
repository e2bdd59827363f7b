"""The ASGI application: authorisation, rate limit, faults, changes, compression around the API."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, NamedTuple

import msgspec
from isal import isal_zlib

from clickup_toolkit.demo.api import Api
from clickup_toolkit.demo.faults import Fault, Faults, make_odd, without_last_page
from clickup_toolkit.demo.http import ApiError, Query, Reply
from clickup_toolkit.demo.window import RateWindow, Verdict

__all__ = ["Account", "App", "Conduct", "Recorded", "Stats"]

Headers = list[tuple[bytes, bytes]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_GZIP = 31  # zlib's window bits for a gzip container
_FAST = 1


class Recorded(NamedTuple):
    """A request that was answered; ``status`` 0 for one that got no answer."""

    method: str
    path: str
    query: str
    status: int


@dataclass(frozen=True)
class Stats:
    """What the server has seen: ``fullest_window`` is the most requests that passed in one window."""

    requests: int
    throttled: int
    fullest_window: int
    most_at_once: int
    bytes_sent: int


@dataclass
class Conduct:
    """How the server treats its clients: see :class:`clickup_toolkit.demo.DemoServer`."""

    latency: float | Callable[[str, str], float] = 0.0
    page_latency: float = 0.0
    retry_after: bool = True
    rate_headers: bool = True
    reset_in: str = "s"
    clock_skew: float = 0.0
    changes: Callable[[int], None] | None = None


@dataclass
class Account:
    """What the server has counted."""

    requests: list[Recorded] = field(default_factory=list)
    arrived: int = 0
    open: int = 0
    most_open: int = 0
    bytes_sent: int = 0


class App:
    """Answers HTTP requests. ``windows`` holds the rate window of every token it knows."""

    def __init__(
        self, api: Api, windows: dict[str, RateWindow], faults: Sequence[Fault], conduct: Conduct
    ) -> None:
        self.api, self.windows, self.conduct = api, windows, conduct
        self.faults = Faults(faults)
        self.account = Account()
        self.closing = asyncio.Event()

    @property
    def stats(self) -> Stats:
        """The counts so far."""
        account, windows = self.account, self.windows.values()
        return Stats(
            account.arrived,
            sum(window.throttled for window in windows),
            max(window.fullest for window in windows),
            account.most_open,
            account.bytes_sent,
        )

    async def __call__(self, scope: dict[str, Any], receive: object, send: Send) -> None:
        """Answer one request."""
        account = self.account
        if scope["path"] == "/demo/stats":
            await self._send(Reply(200, msgspec.json.encode(self.stats)), [], {}, send)
            return
        account.arrived += 1
        account.open += 1
        account.most_open = max(account.most_open, account.open)
        path, text = scope["path"], scope["query_string"].decode("latin-1")
        place = len(account.requests)
        account.requests.append(Recorded(scope["method"], path, text, 0))
        try:
            status = await self._respond(scope, path, text, send)
            account.requests[place] = account.requests[place]._replace(status=status)
        finally:
            account.open -= 1

    async def _respond(self, scope: dict[str, Any], path: str, text: str, send: Send) -> int:
        headers = dict(scope["headers"])
        try:
            window = self._authorise(headers.get(b"authorization"))
        except ApiError as error:
            return await self._send(error.reply(), self._dated(), headers, send)
        verdict = window.enter()
        limits = [*self._dated(), *self._limit_headers(window, verdict)]
        if not verdict.passes:
            return await self._send(_too_many(), self._with_retry(limits, verdict), headers, send)
        fault = self.faults.pick(f"{path}?{text}")
        if self.conduct.changes:
            self.conduct.changes(self.account.arrived)
        await self._wait(path, text)
        if fault is None:
            reply = self._answer(scope, path, text, oauth=headers[b"authorization"].startswith(b"Bearer "))
            return await self._send(reply, limits, headers, send)
        return await self._fail(fault, scope, path, text, headers, self._with_retry(limits, verdict), send)

    def _authorise(self, header: bytes | None) -> RateWindow:
        if not header:
            raise ApiError(400, "OAUTH_017", "Authorization header required")
        window = self.windows.get(header.decode("latin-1"))
        if window is None:
            raise ApiError(401, "OAUTH_019", "Oauth token not found")
        return window

    def _answer(self, scope: dict[str, Any], path: str, text: str, *, oauth: bool) -> Reply:
        if scope["method"] != "GET":
            return Reply(404, b"404 page not found", "text/plain; charset=utf-8")
        return self.api.answer(path, Query(text, oauth=oauth))

    async def _wait(self, path: str, text: str) -> None:
        latency = self.conduct.latency
        seconds = latency(path, text) if callable(latency) else latency
        if self.conduct.page_latency and "page=" in text:
            seconds += self.conduct.page_latency * Query(text).page()
        if seconds > 0:
            await asyncio.sleep(seconds)

    # headers

    def _dated(self) -> Headers:
        now = time.time() + self.conduct.clock_skew
        return [(b"date", formatdate(now, usegmt=True).encode()), (b"server", b"demo")]

    def _limit_headers(self, window: RateWindow, verdict: Verdict) -> Headers:
        if not self.conduct.rate_headers:
            return []
        ends = time.time() + self.conduct.clock_skew + verdict.seconds_left
        reset = math.ceil(ends) if self.conduct.reset_in == "s" else int(ends * 1000)
        return [
            (b"x-ratelimit-limit", b"%d" % window.limit),
            (b"x-ratelimit-remaining", b"%d" % verdict.remaining),
            (b"x-ratelimit-reset", b"%d" % reset),
        ]

    def _with_retry(self, headers: Headers, verdict: Verdict) -> Headers:
        if not self.conduct.retry_after:
            return headers
        return [*headers, (b"retry-after", b"%d" % max(1, math.ceil(verdict.seconds_left)))]

    # sending

    async def _send(self, reply: Reply, extra: Headers, asked: dict[bytes, bytes], send: Send) -> int:
        body = reply.body
        headers = [(b"content-type", reply.content_type.encode()), *extra]
        if b"gzip" in asked.get(b"accept-encoding", b"") and len(body) > 500:
            body = isal_zlib.compress(body, _FAST, _GZIP)
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        self.account.bytes_sent += len(body)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return reply.status

    # faults

    async def _fail(
        self,
        fault: Fault,
        scope: dict[str, Any],
        path: str,
        text: str,
        asked: dict[bytes, bytes],
        extra: Headers,
        send: Send,
    ) -> int:
        if fault.kind in ("reset", "hang", "truncate"):
            return await self._drop(fault, scope, path, text, extra, send)
        if fault.kind == "429_bare":
            extra = [header for header in extra if not header[0].startswith((b"x-ratelimit", b"retry-after"))]
        elif fault.kind != "429":
            extra = [header for header in extra if header[0] != b"retry-after"]
        return await self._send(self._faulty(fault, scope, path, text), extra, asked, send)

    def _faulty(self, fault: Fault, scope: dict[str, Any], path: str, text: str) -> Reply:
        """Return the reply with the fault in it."""
        made = _MADE_UP.get(fault.kind)
        if made:
            return made
        if fault.kind == "refuse":
            return ApiError(fault.status, fault.code, fault.message).reply()
        if fault.kind == "repeat":
            text = "&".join(part for part in text.split("&") if not part.startswith(_SPANS))
        reply = self._answer(scope, path, text, oauth=False)
        if fault.kind == "broken_json":
            return Reply(200, reply.body[: len(reply.body) * 2 // 3])
        if fault.kind == "no_last_page":
            return Reply(reply.status, without_last_page(reply.body))
        if fault.kind == "odd" and reply.status == 200:
            return Reply(200, make_odd(reply.body, self.account.arrived))
        return reply

    async def _drop(
        self, fault: Fault, scope: dict[str, Any], path: str, text: str, extra: Headers, send: Send
    ) -> int:
        if fault.kind == "hang":
            await self.closing.wait()
        if fault.kind == "truncate":
            body = self._answer(scope, path, text, oauth=False).body
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *extra]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            scope["demo.transport"].close()
        else:
            scope["demo.transport"].abort()
        return 0


def _too_many() -> Reply:
    return ApiError(429, "APP_002", "Rate limit reached").reply()


_SPANS = ("page=", "date_", "start_date=", "end_date=")
_MADE_UP = {
    "429": _too_many(),
    "429_bare": _too_many(),
    "500": ApiError(500, "INTERNAL", "Internal server error").reply(),
    "502": Reply(
        502, b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>", "text/html"
    ),
    "error_in_200": ApiError(200, "ITEM_005", "Something went wrong").reply(),
}
