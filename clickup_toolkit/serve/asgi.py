"""The few words of ASGI that the parts of the site share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["App", "Message", "Receive", "Scope", "Send", "header", "send_answer", "send_problem", "watched"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: str) -> str | None:
    """Return a request header (several of the name joined as one list), or None where there is none."""
    wanted = name.lower().encode("ascii")
    values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]
    return ", ".join(values) if values else None


@asynccontextmanager
async def watched(receive: Receive) -> AsyncIterator[Callable[[], bool]]:
    """Give what tells whether the client has hung up: what is sent to nobody is taken all the same."""
    gone = asyncio.create_task(_until_gone(receive))
    try:
        yield gone.done
    finally:
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_answer(
    scope: Scope, send: Send, status: int, headers: Mapping[str, str], body: bytes = b""
) -> None:
    """Send a whole answer; without its body when the request is a HEAD."""
    if status != 304:
        headers = {**headers, "content-length": str(len(body))}
    await start(send, status, headers)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    """Send the status and the headers; the body is to follow."""
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def send_problem(
    scope: Scope, send: Send, status: int, error: str, remedy: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send a small JSON object that says what is wrong and what to do."""
    body = json.dumps({"status": "error", "error": error, "remedy": remedy}, ensure_ascii=False).encode()
    about = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    await send_answer(scope, send, status, {**about, **(headers or {})}, body)
