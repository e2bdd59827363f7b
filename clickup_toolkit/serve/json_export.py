"""``GET /api/v1/export/``: a version's document, as Redis keeps it.

The stored bytes are one gzip member and go out untouched to clients that take gzip; for others they are
unpacked on the way. Memory stays flat: up to 64 MB of chunks are kept for the next request, and beyond them
a few pieces are held at a time, whatever the size of the document.

It stands outside datasette, which would forbid every cache to keep an answer that needs a token.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from email.utils import format_datetime
from urllib.parse import parse_qs

import redis.asyncio
import structlog

from clickup_toolkit import publish
from clickup_toolkit.errors import RedisError, RedisUnreachable
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.accept import is_unchanged, prefers_gzip, takes_identity
from clickup_toolkit.serve.access import Access
from clickup_toolkit.serve.asgi import Receive, Scope, Send, header, send_problem, start
from clickup_toolkit.serve.streams import gathered, inflated, prefetched
from clickup_toolkit.settings import Settings

__all__ = ["JsonExport"]

_PATH = "/api/v1/export"
_LATEST = "latest"
_PIECE = 1 << 19  # bytes sent at once
_TRY_AGAIN = {"retry-after": "60"}

_log = structlog.get_logger(__name__)


class JsonExport:
    """Answers everything below ``/api/``; all of it needs the token."""

    def __init__(self, settings: Settings, access: Access) -> None:
        self._settings = settings
        self._access = access
        self._redis: redis.asyncio.Redis | None = None
        self._kept = publish.KeptChunks()
        self._lost = False
        self._reaching = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self._access.holds_token(scope):
            await _send_unauthorized(scope, send)
        elif scope["path"].rstrip("/") != _PATH:
            await send_problem(scope, send, 404, "There is nothing here.", f"The JSON export is {_PATH}/.")
        elif scope["method"] not in ("GET", "HEAD"):
            error = f"{scope['method']} is not allowed."
            await send_problem(scope, send, 405, error, "Use GET or HEAD.", {"allow": "GET, HEAD"})
        else:
            await self._answer(scope, receive, send)

    async def close(self) -> None:
        """Let go of the connections to Redis."""
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = parse_qs(scope["query_string"].decode("latin-1")).get("version", [_LATEST])[-1]
        try:
            client = await self._reach()
            stored = await publish.async_find(client, self._settings.team_id or "", wanted)
            if stored is None:
                await _send_missing(scope, send, wanted)
            elif not await _send_without_body(scope, send, stored):
                await _send_body(scope, receive, send, stored, publish.async_body(client, stored, self._kept))
        except RedisError as error:
            self._lost = isinstance(error, RedisUnreachable)
            _log.error("export.unavailable", error=str(error))
            await send_problem(scope, send, 503, error.message, error.remedy, _TRY_AGAIN)

    async def _reach(self) -> redis.asyncio.Redis:
        """Return the client; where the embedded server went away, start it again."""
        async with self._reaching:
            if self._redis is None:
                self._redis = await publish.async_connect(self._settings)
            elif self._lost:
                await asyncio.to_thread(publish.server_address, self._settings)
            self._lost = False
            return self._redis


async def _send_unauthorized(scope: Scope, send: Send) -> None:
    given = header(scope, "authorization") is not None
    await send_problem(
        scope,
        send,
        401,
        "The token is not the right one." if given else "A token is needed.",
        "Send the header Authorization: Bearer <API_AUTH_TOKEN>.",
        {"www-authenticate": 'Bearer realm="clickup"' + (', error="invalid_token"' if given else "")},
    )


async def _send_missing(scope: Scope, send: Send, wanted: str) -> None:
    if wanted == _LATEST:
        error, remedy = "There is no version yet.", "Run an export: clickup-toolkit export"
        await send_problem(scope, send, 503, error, remedy, _TRY_AGAIN)
    else:
        error, remedy = f"There is no version {wanted}.", "List them: clickup-toolkit versions"
        await send_problem(scope, send, 404, error, remedy)


async def _send_without_body(scope: Scope, send: Send, stored: StoredVersion) -> bool:
    """Answer what needs no document, and tell whether that was all."""
    accept = header(scope, "accept-encoding")
    gzip = prefers_gzip(accept)
    conditions = header(scope, "if-none-match"), header(scope, "if-modified-since")
    tags = (_etag(stored, gzip=True), _etag(stored, gzip=False))
    if not gzip and not takes_identity(accept):
        error = f"Neither gzip nor plain text is accepted: {accept}."
        await send_problem(scope, send, 406, error, "Send Accept-Encoding: gzip.", {"vary": _VARY})
    elif is_unchanged(tags, stored.updated_at, *conditions):
        await start(send, 304, _about(stored, gzip))
        await send({"type": "http.response.body", "body": b""})
    elif scope["method"] == "HEAD":
        await start(send, 200, _about(stored, gzip) | _about_body(stored, gzip))
        await send({"type": "http.response.body", "body": b""})
    else:
        return False
    return True


async def _send_body(
    scope: Scope, receive: Receive, send: Send, stored: StoredVersion, body: AsyncIterator[bytes]
) -> None:
    """Send the document. Raises :class:`RedisError` as long as a status can still say so."""
    gzip = prefers_gzip(header(scope, "accept-encoding"))
    encoded = gathered(body, _PIECE) if gzip else inflated(body, _PIECE)
    gone = asyncio.create_task(_until_gone(receive))
    try:
        async with aclosing(prefetched(encoded)) as pieces:
            first = await anext(pieces)
            await start(send, 200, _about(stored, gzip) | _about_body(stored, gzip))
            await _send_pieces(first, pieces, send, gone)
    finally:
        gone.cancel()


async def _send_pieces(
    first: bytes, pieces: AsyncIterator[bytes], send: Send, gone: asyncio.Task[None]
) -> None:
    try:
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for piece in pieces:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except RedisError as error:
        # The status is out. A body that ends too early is what tells the client; the server hangs up.
        _log.error("export.cut_off", error=str(error))
        return
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _etag(stored: StoredVersion, *, gzip: bool) -> str:
    """Return the tag of a representation; the plain text is another one, with a tag of its own."""
    return f'"{stored.etag}"' if gzip else f'"{stored.etag}-text"'


_VARY = "Authorization, Accept-Encoding"


def _about(stored: StoredVersion, gzip: bool) -> dict[str, str]:
    return {
        "etag": _etag(stored, gzip=gzip),
        "last-modified": format_datetime(stored.updated_at, usegmt=True),
        "vary": _VARY,
        "cache-control": "private, no-cache",
    }


def _about_body(stored: StoredVersion, gzip: bool) -> dict[str, str]:
    about = {"content-type": "application/json", "x-content-type-options": "nosniff"}
    if gzip:
        return about | {"content-encoding": "gzip", "content-length": str(stored.gzip_bytes)}
    return about | {"content-length": str(stored.text_bytes)}
