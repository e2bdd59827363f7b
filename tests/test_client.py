"""The client: one authenticated, paced, retried GET."""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import NamedTuple

import httpx
import msgspec
import pytest

from clickup_toolkit.client import Client, Request, Stats
from clickup_toolkit.errors import (
    ApiUnreachable,
    BrokenAnswer,
    ClickUpError,
    RateLimited,
    Refused,
    ServerFault,
)
from clickup_toolkit.pacing import Pacer
from clickup_toolkit.settings import Secret, Settings

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio alone."""
    return "asyncio"


class Clock:
    """A clock that only sleeping moves."""

    now = 0.0

    def tell(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Wire(NamedTuple):
    """An answer as it goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed


def client_for(answers: list[Wire | Exception], *, token: str = "pk_1", tries: int = 4) -> Client:
    """Return a client whose transport gives ``answers`` in turn, and keeps the requests."""
    todo, clock = list(answers), Clock()

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = todo.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))

    seen: list[httpx.Request] = []
    settings = Settings(token=Secret(token), team_id="1", max_retries=tries, initial_backoff=1e-9)
    client = Client(
        settings,
        Pacer(2, clock=clock.tell, sleep=clock.sleep),
        transport=httpx.MockTransport(handle),
        now=lambda: 42,
        uniform=lambda low, high: low,
    )
    client.seen = seen  # type: ignore[attr-defined]
    return client


def error(status: int, code: str, text: str = "no") -> Wire:
    """Return an error as ClickUp words it."""
    return Wire(status, msgspec.json.encode({"err": text, "ECODE": code}))


def good() -> Wire:
    """Return an empty page."""
    return Wire(200, b'{"tasks":[]}')


def zipped(body: bytes) -> Wire:
    """Return an answer that says it is compressed."""
    return Wire(200, body, {"content-encoding": "gzip"})


class Page(msgspec.Struct):
    """What the requests here expect."""

    tasks: list[object]


async def ask(client: Client) -> tuple[bytes, int, Page]:
    """Ask for one page."""
    async with client:
        return await client.get(Request("/x", [("a[]", "1")]), msgspec.json.Decoder(Page).decode)


@pytest.mark.parametrize(("token", "sent"), [("pk_1", "pk_1"), ("oauth-abc", "Bearer oauth-abc")])
async def test_a_personal_token_goes_bare_and_an_oauth_one_as_bearer(token: str, sent: str) -> None:
    """ClickUp takes personal tokens without a scheme and OAuth ones only with it."""
    client = client_for([good()], token=token)
    assert await ask(client) == (b'{"tasks":[]}', 42, Page([]))
    request = client.seen[0]  # type: ignore[attr-defined]
    assert request.headers["authorization"] == sent
    assert str(request.url) == "https://api.clickup.com/api/v2/x?a%5B%5D=1"
    assert {name: request.headers[name] for name in ("accept", "accept-encoding", "content-type")} == {
        "accept": "application/json",
        "accept-encoding": "gzip",
        "content-type": "application/json",
    }


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("too slow"),
        httpx.RemoteProtocolError("reset"),
        error(500, "SOMETHING_1"),
        Wire(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"}),
        Wire(408, b"timeout"),
        Wire(200, b'{"tasks":[{"id":"1"'),
        Wire(200, b"not json"),
        Wire(200, b'{"tasks":"x"}'),
        zipped(gzip.compress(b'{"tasks":[]}')[:-9]),
        zipped(b"plain"),
        error(200, "OAUTH_999", "an error inside"),
        Wire(200, b'{"err":"Internal error","tasks":[]}'),
    ],
)
async def test_what_may_be_different_next_time_is_asked_again(failure: Wire | Exception) -> None:
    """Transport errors, 5xx, 408 and broken or disguised answers are retried, and counted."""
    client = client_for([failure, good()])
    assert (await ask(client))[2] == Page([])
    assert client.stats == Stats(requests=2, retries=1, received_bytes=client.stats.received_bytes)


@pytest.mark.parametrize(
    "refusal",
    [
        error(401, "OAUTH_027"),
        error(403, "TIS_027"),
        error(404, "ITEM_013"),
        error(400, "INPUT_003"),
        error(500, "SHARD_001"),
        error(500, "TIMEENTRY_072"),
        Wire(404, b"404 page not found"),
    ],
)
async def test_what_is_refused_is_asked_once(refusal: Wire) -> None:
    """The error code decides: a refusal is final even when its status is 500."""
    client = client_for([refusal])
    with pytest.raises(Refused):
        await ask(client)
    assert client.stats.requests == 1


async def test_a_refusal_carries_code_status_and_what_was_asked() -> None:
    """The message names the request and ClickUp's words; code and status are its fields."""
    with pytest.raises(Refused) as caught:
        await ask(client_for([error(401, "OAUTH_027", "Team not authorized")]))
    assert (caught.value.code, caught.value.status) == ("OAUTH_027", 401)
    assert caught.value.message == "ClickUp answered 401 OAUTH_027 to GET /x: Team not authorized"


@pytest.mark.parametrize(
    ("failure", "kind", "requests"),
    [
        (error(500, "SOMETHING_1"), ServerFault, 4),
        (error(500, "ITEMV2_003"), ServerFault, 2),
        (Wire(200, b"{"), BrokenAnswer, 4),
        (httpx.ReadTimeout("too slow"), ApiUnreachable, 4),
    ],
)
async def test_retries_are_bounded(
    failure: Wire | Exception, kind: type[ClickUpError], requests: int
) -> None:
    """After the tries of the setting the last error is raised; a bad parameter is tried twice at most."""
    client = client_for([failure] * 9)
    with pytest.raises(kind):
        await ask(client)
    assert client.stats.requests == requests


async def test_429_is_waited_out_and_is_no_failed_try() -> None:
    """More 429s than tries are waited out; they count as throttled, not as retries."""
    client = client_for([error(429, "APP_002")] * 6 + [good()], tries=2)
    assert (await ask(client))[2] == Page([])
    assert (client.stats.requests, client.stats.throttled, client.stats.retries) == (7, 6, 0)


async def test_endless_429_ends() -> None:
    """Thirty 429s in a row for one request are a failure that says who uses up the limit."""
    client = client_for([error(429, "APP_002")] * 99, tries=1)
    with pytest.raises(RateLimited, match="Other tools use up"):
        await ask(client)
    assert client.stats.requests == 30


async def test_429s_that_were_waited_out_are_not_tried_again() -> None:
    """When a request gives up on thirty 429s, the tries of the setting do not multiply them."""
    client = client_for([error(429, "APP_002")] * 999, tries=7)
    with pytest.raises(RateLimited):
        await ask(client)
    assert client.stats == Stats(
        requests=30, throttled=30, retries=0, received_bytes=client.stats.received_bytes
    )


async def test_a_server_that_hangs_is_given_up_after_the_time_that_was_given() -> None:
    """The client hands its patience to every connection; a minute and a half to read where none is given."""

    async def patience(*given: httpx.Timeout) -> object:
        seen: list[object] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions["timeout"])
            return httpx.Response(200, stream=httpx.ByteStream(b'{"tasks":[]}'))

        told = {"timeout": given[0]} if given else {}
        settings = Settings(token=Secret("pk_1"), team_id="1")
        async with Client(settings, Pacer(1), transport=httpx.MockTransport(handle), **told) as client:
            await client.get(Request("/x"), msgspec.json.Decoder(Page).decode)
        return seen[0]

    assert await patience() == {"connect": 15, "read": 90, "write": 15, "pool": None}
    assert await patience(httpx.Timeout(0.5)) == {"connect": 0.5, "read": 0.5, "write": 0.5, "pool": 0.5}


async def test_an_api_that_never_answered_is_named_with_its_address() -> None:
    """Before the first answer the error says that ClickUp cannot be reached, where, and what to check."""
    with pytest.raises(ApiUnreachable) as caught:
        await ask(client_for([httpx.ConnectError("Connection refused")], tries=1))
    assert str(caught.value) == (
        "ClickUp cannot be reached at https://api.clickup.com/api/v2: Connection refused. "
        "Check the network, a proxy, and CLICKUP_API_URL."
    )


async def test_a_password_in_the_address_is_not_shown() -> None:
    """What a proxy's address carries before the @ stays out of messages."""
    client = client_for([httpx.ConnectError("refused")], tries=1)
    client._base = "http://bob:hunter2@127.0.0.1:9/api/v2"
    with pytest.raises(ApiUnreachable, match=re.escape("at http://127.0.0.1:9/api/v2: refused")):
        await ask(client)


async def test_compressed_answers_are_decompressed() -> None:
    """A gzip body comes out as it was before."""
    body = b'{"tasks":[1,2,3]}'
    assert await ask(client_for([zipped(gzip.compress(body))])) == (body, 42, Page([1, 2, 3]))
