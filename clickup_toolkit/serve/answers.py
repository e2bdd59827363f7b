"""Answers that several routes give alike: JSON, refusals, files with parts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import IO

import msgspec
import structlog

from clickup_toolkit.errors import RedisError
from clickup_toolkit.serve.accept import is_unchanged
from clickup_toolkit.serve.asgi import Receive, Scope, Send, header, send_answer, send_problem, start, watched
from clickup_toolkit.serve.ranges import Part, Unsatisfiable, wanted_part

__all__ = [
    "PRIVATE",
    "TRY_AGAIN",
    "content_range",
    "send_file",
    "send_json",
    "send_too_large_range",
    "send_too_many",
    "send_unauthorized",
    "send_unavailable",
    "send_unchanged",
]

TRY_AGAIN = {"retry-after": "60"}
"""What a 503 says: in a minute it may be better."""

PRIVATE = {"vary": "Authorization", "cache-control": "private, no-cache"}
"""What caches may do: keep it for one client, and ask each time whether it still holds."""

_READ = 1 << 20  # bytes of a file sent at once

_log = structlog.get_logger(__name__)


async def send_json(scope: Scope, send: Send, found: object, *, status: int = 200) -> None:
    """Send an object as JSON."""
    headers = {"content-type": "application/json", **PRIVATE}
    await send_answer(scope, send, status, headers, msgspec.json.encode(found))


async def send_unavailable(scope: Scope, send: Send, error: RedisError) -> None:
    """Say that the versions cannot be read now."""
    _log.error("export.unavailable", error=str(error))
    await send_problem(scope, send, 503, error.message, error.remedy, TRY_AGAIN)


async def send_unauthorized(scope: Scope, send: Send, *, wrong: bool) -> None:
    """Ask a program for the token."""
    await send_problem(
        scope,
        send,
        401,
        "The token is not the right one." if wrong else "A token is needed.",
        "Send the header Authorization: Bearer <API_AUTH_TOKEN>.",
        {"www-authenticate": 'Bearer realm="clickup"' + (', error="invalid_token"' if wrong else "")},
    )


async def send_too_many(scope: Scope, send: Send, seconds: int) -> None:
    """Let an address wait that has shown too many wrong credentials."""
    await send_problem(
        scope,
        send,
        429,
        "There were too many wrong tokens or passwords from this address.",
        f"Wait {seconds} s, and send the right one.",
        {"retry-after": str(seconds)},
    )


async def send_unchanged(
    scope: Scope, send: Send, etag: str, modified: datetime, headers: Mapping[str, str]
) -> bool:
    """Send a 304 where the client already has what it would be sent, and tell whether that was so."""
    conditions = header(scope, "if-none-match"), header(scope, "if-modified-since")
    if not is_unchanged(etag, modified, *conditions):
        return False
    await start(send, 304, headers)
    await send({"type": "http.response.body", "body": b""})
    return True


async def send_too_large_range(scope: Scope, send: Send, length: int) -> None:
    """Say that the part begins behind the end."""
    await send_problem(
        scope,
        send,
        416,
        f"There are {length} bytes, and the part that was asked for begins behind them.",
        "Ask for a part within them, or leave Range out.",
        {"content-range": f"bytes */{length}"},
    )


async def send_file(
    scope: Scope, receive: Receive, send: Send, path: Path, media_type: str, name: str
) -> None:
    """Send a file, whole or in part, to be kept under ``name``. Raises :class:`FileNotFoundError`."""
    file = await asyncio.to_thread(
        path.open, "rb"
    )  # what is open can be read to its end, whatever follows it
    with file:
        about = _FileFacts(file)
        headers = {
            **about.headers,
            "content-type": media_type,
            "content-disposition": f'attachment; filename="{name}"',
            "accept-ranges": "bytes",
            **PRIVATE,
        }
        if await send_unchanged(scope, send, about.etag, about.modified, headers):
            return
        try:
            part = wanted_part(scope, about.length, about.etag)
        except Unsatisfiable:
            await send_too_large_range(scope, send, about.length)
            return
        status, told, span = 200, headers, part or Part(0, about.length)
        if part is not None:
            status, told = 206, {**headers, "content-range": content_range(part, about.length)}
        await start(send, status, {**told, "content-length": str(span.length)})
        if scope["method"] != "HEAD":
            async with watched(receive) as gone, aclosing(_pieces(file, span)) as pieces:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    if gone():
                        return
        await send({"type": "http.response.body", "body": b""})


def content_range(part: Part, length: int) -> str:
    """Return the header that says which part of how much is sent."""
    return f"bytes {part.start}-{part.stop - 1}/{length}"


class _FileFacts:
    """What the headers say of an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        about = os.fstat(file.fileno())
        self.length = about.st_size
        self.modified = datetime.fromtimestamp(about.st_mtime, UTC)
        self.etag = f'"{about.st_mtime_ns:x}-{about.st_ino:x}-{about.st_size:x}"'

    @property
    def headers(self) -> dict[str, str]:
        return {"etag": self.etag, "last-modified": format_datetime(self.modified, usegmt=True)}


async def _pieces(file: IO[bytes], span: Part) -> AsyncGenerator[bytes, None]:
    file.seek(span.start)
    left = span.length
    while left and (piece := await asyncio.to_thread(file.read, min(left, _READ))):
        left -= len(piece)
        yield piece
