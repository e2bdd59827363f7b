"""What may come before the headers of a request have ended: so much, for so long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from clickup_toolkit import serve
from clickup_toolkit.serve.protocol import LimitedProtocol
from tests.serving import BEARER, settings_for

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class _Hasty(LimitedProtocol):
    """Waits a moment only, and takes short heads."""

    longest_head = 1000
    head_within = 0.2


async def _hello(_scope: Any, _receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def told(*parts: bytes) -> bytes:
    """Send the parts one after the other, each when the server has had the one before; return the answer."""

    async def run() -> bytes:
        config, state = Config(_hello, lifespan="off", log_level="critical"), ServerState()

        def protocol() -> asyncio.Protocol:
            return _Hasty(config=config, server_state=state, app_state={})

        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for part in parts:
                writer.write(part)
                await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            return answer

    return asyncio.run(run())


@pytest.mark.parametrize(
    "sent", [HEAD + b"X: " + b"x" * 2000, b"GET /" + b"x" * 2000, HEAD + b"A: b\r\n" * 400]
)
def test_a_head_without_end_is_refused(sent: bytes) -> None:
    """One long header, many short ones, a long address: past the limit the server hangs up."""
    assert told(sent).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD])
def test_a_head_that_takes_too_long_is_refused(sent: bytes) -> None:
    """Who does not end the headers is not waited for."""
    assert told(sent).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_whole_requests_are_answered_one_after_the_other() -> None:
    """The limits begin anew with each request, and a body is none of theirs."""
    body = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000
    last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = told(*[HEAD + b"X: " + b"x" * 600 + b"\r\n\r\n", body] * 2, last)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 5
    assert answer.endswith(b"ok")


def test_the_site_is_served_within_limits(tmp_path: Path) -> None:
    """Headers of 100 KB are refused before anybody looks who sends them."""
    with serve.background(settings_for(tmp_path)) as address:
        url = httpx.URL(address)

        async def ask() -> bytes:
            reader, writer = await asyncio.open_connection(url.host, url.port)
            writer.write(HEAD + b"X: " + b"x" * 100_000)
            await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            return answer

        refused = asyncio.run(ask())
        good = httpx.get(f"{address}api/v1/openapi.json", headers={**BEARER, "X": "x" * 30_000})
    assert (refused.split(b"\r\n")[0], good.status_code) == (
        b"HTTP/1.1 431 Request Header Fields Too Large",
        200,
    )
