"""``GET /api/v1/export/``: a version's document, as Redis keeps it.

The stored bytes are one gzip member and go out untouched to clients that take gzip; for others they are
unpacked on the way. Memory stays flat: up to 64 MB of bodies are kept for the next request, and of larger
ones a few pieces are held at a time, whatever their size.

It stands outside datasette, which would forbid every cache to keep an answer that needs a token.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from email.utils import format_datetime
from urllib.parse import parse_qs

import redis.asyncio
import structlog

from clickup_toolkit.errors import RedisError
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.accept import prefers_gzip, takes_identity
from clickup_toolkit.serve.answers import (
    TRY_AGAIN,
    content_range,
    send_json,
    send_too_large_range,
    send_unavailable,
    send_unchanged,
)
from clickup_toolkit.serve.asgi import Receive, Scope, Send, header, send_problem, start, watched
from clickup_toolkit.serve.bodies import Bodies
from clickup_toolkit.serve.document_body import PIECE, Representation
from clickup_toolkit.serve.ranges import Part, Unsatisfiable, wanted_part
from clickup_toolkit.serve.redis_link import LATEST, RedisLink
from clickup_toolkit.serve.routes import VERSION_PATTERN
from clickup_toolkit.serve.streams import gathered, prefetched

__all__ = ["JsonExport"]

_NAMES = re.compile(VERSION_PATTERN, re.ASCII)

_log = structlog.get_logger(__name__)


class JsonExport:
    """Answers requests for the document and for the list of its versions."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._bodies = Bodies()

    async def close(self) -> None:
        """Let go of what is in memory."""
        await self._bodies.close()

    async def document(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a version's document, whole or in part."""
        told = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        wanted = told.get("version", [LATEST])[-1]
        try:
            stored = await self._link.find(wanted) if _NAMES.fullmatch(wanted) else None
            if stored is None:
                await self._send_missing(scope, send, wanted)
            else:
                await self._send(scope, receive, send, stored)
        except RedisError as error:
            await send_unavailable(scope, send, error)

    async def versions(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """List the versions, the newest first."""
        try:
            found = await self._link.versions()
        except RedisError as error:
            await send_unavailable(scope, send, error)
        else:
            await send_json(scope, send, {"versions": [_listed(stored) for stored in found]})

    async def _send_missing(self, scope: Scope, send: Send, wanted: str) -> None:
        if wanted == LATEST:
            error, remedy = self._link.nothing()
            await send_problem(scope, send, 503, error, remedy, TRY_AGAIN)
        else:
            error = f"There is no version {wanted}."
            await send_problem(scope, send, 404, error, "List them: GET /api/v1/export/versions/")

    async def _send(self, scope: Scope, receive: Receive, send: Send, stored: StoredVersion) -> None:
        accept = header(scope, "accept-encoding")
        chosen = Representation(stored, prefers_gzip(accept))
        if not chosen.gzip and not takes_identity(accept):
            error = f"Neither gzip nor plain text is accepted: {accept}."
            await send_problem(scope, send, 406, error, "Send Accept-Encoding: gzip.", {"vary": _VARY})
            return
        if await send_unchanged(scope, send, chosen.etag, stored.updated_at, _about(chosen)):
            return
        try:
            part = wanted_part(scope, chosen.length, chosen.etag)
        except Unsatisfiable:
            await send_too_large_range(scope, send, chosen.length)
            return
        status, headers = _status_and_headers(chosen, part)
        if scope["method"] == "HEAD":
            await start(send, status, headers)
            await send({"type": "http.response.body", "body": b""})
        else:
            async with self._link.client() as client:
                pieces = chosen.pieces(lambda span: self._read(client, stored, span), part)
                await _send_pieces(receive, send, pieces, status, headers)

    def _read(self, client: redis.asyncio.Redis, stored: StoredVersion, span: Part) -> AsyncIterator[bytes]:
        if span != (0, stored.gzip_bytes) or not self._bodies.suits(stored.gzip_bytes):
            return self._link.body(client, stored, span)
        whole = stored.gzip_bytes
        return self._bodies.pieces(stored.etag, whole, lambda: gathered(self._whole(stored), PIECE))

    async def _whole(self, stored: StoredVersion) -> AsyncIterator[bytes]:
        """Yield the whole body from Redis, for all who ask for it meanwhile, whoever of them stays."""
        async with self._link.client() as client:
            async for piece in self._link.body(client, stored, Part(0, stored.gzip_bytes)):
                yield piece


async def _send_pieces(
    receive: Receive, send: Send, encoded: AsyncIterator[bytes], status: int, headers: dict[str, str]
) -> None:
    """Send the document. Raises :class:`RedisError` as long as a status can still say so."""
    async with watched(receive) as gone, aclosing(prefetched(encoded)) as pieces:
        first = await anext(pieces)
        await start(send, status, headers)
        await _send_rest(first, pieces, send, gone)


async def _send_rest(
    first: bytes, pieces: AsyncIterator[bytes], send: Send, gone: Callable[[], bool]
) -> None:
    try:
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for piece in pieces:
            if gone():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except RedisError as error:
        # The status is out. A body that ends too early is what tells the client; the server hangs up.
        _log.error("export.cut_off", error=str(error))
        return
    await send({"type": "http.response.body", "body": b""})


_VARY = "Authorization, Accept-Encoding"


def _about(chosen: Representation) -> dict[str, str]:
    return {
        "etag": chosen.etag,
        "last-modified": format_datetime(chosen.stored.updated_at, usegmt=True),
        "vary": _VARY,
        "cache-control": "private, no-cache",
        "accept-ranges": "bytes",
    }


def _status_and_headers(chosen: Representation, part: Part | None) -> tuple[int, dict[str, str]]:
    headers = {**_about(chosen), "content-type": "application/json"}
    if chosen.gzip:
        headers["content-encoding"] = "gzip"
    if part is None:
        return 200, {**headers, "content-length": str(chosen.length)}
    told = {"content-range": content_range(part, chosen.length), "content-length": str(part.length)}
    return 206, headers | told


def _listed(stored: StoredVersion) -> dict[str, object]:
    """Return what the list says of a version."""
    return {
        "version": stored.version,
        "updated_at": stored.updated_at,
        "tasks": stored.tasks,
        "complete": stored.complete,
        "pinned": stored.pinned,
        "ttl_seconds": stored.ttl,
        "text_bytes": stored.text_bytes,
        "gzip_bytes": stored.gzip_bytes,
        "etag": Representation(stored, gzip=True).etag,
        "url": f"/api/v1/export/?version={stored.version}",
    }
