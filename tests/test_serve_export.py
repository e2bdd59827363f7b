"""``GET /api/v1/export/``: what every kind of client gets, and what it is told when there is nothing."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from clickup_toolkit import publish, serve
from clickup_toolkit.publish import StoredVersion
from tests.fixtures.valkey import RedisServer
from tests.serving import BEARER, TOKEN, VERSION, settings_for

PATH = "/api/v1/export/"
HEAD = b'{"status":"success","data":['


@pytest.fixture
def api(tmp_path: Path, redis_url: str) -> Iterator[httpx.Client]:
    """Serve from an empty Redis; the client holds the token and asks for gzip, as httpx does by itself."""
    settings = settings_for(tmp_path, redis_url=redis_url)
    with serve.background(settings) as address:
        headers = {**BEARER, "Accept-Encoding": "gzip"}
        with httpx.Client(base_url=address, headers=headers) as client:
            yield client


def publish_document(url: str, *, version: str = VERSION, tasks: int = 400, width: int = 4000) -> bytes:
    """Publish a document of hardly compressible tasks and return its text."""
    chance = random.Random(version)
    told = [
        (f"t{number}", json.dumps({"name": chance.randbytes(width // 2).hex()}).encode())
        for number in range(tasks)
    ]
    with redis.Redis.from_url(url) as client, publish.ExportLock(client, "9001", 60) as lock:
        publish.publish(
            client, lock, team_id="9001", version=version, head=[HEAD], tasks=told, facts={}, keep=7
        )
    return HEAD + b",".join(text for _, text in told) + b"]}"


def stored_version(url: str) -> StoredVersion:
    """Return the latest version."""
    with redis.Redis.from_url(url) as client:
        found = publish.find(client, "9001")
    assert found is not None
    return found


def raw(client: httpx.Client, **headers: str) -> tuple[httpx.Response, bytes]:
    """Ask for the document and return the answer with the bytes as they came."""
    with client.stream("GET", PATH, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def problem(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON of an error."""
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.status_code, answer.json()


def test_stored_bytes_go_out_as_they_are(api: httpx.Client, redis_url: str) -> None:
    """A client that takes gzip gets one member of known length, with all that caches need."""
    text = publish_document(redis_url)
    stored = stored_version(redis_url)
    answer, body = raw(api)
    headers = dict(answer.headers)
    headers.pop("date")
    assert answer.status_code == 200
    assert headers == {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "content-length": str(stored.gzip_bytes),
        "etag": f'"{stored.etag}"',
        "last-modified": "Mon, 23 Nov 2026 10:15:00 GMT",
        "vary": "Authorization, Accept-Encoding",
        "cache-control": "private, no-cache",
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    }
    assert gzip.decompress(body) == text


def test_plain_text_for_those_who_take_no_gzip(api: httpx.Client, redis_url: str) -> None:
    """Another client gets the text itself, its length known in advance, under a tag of its own."""
    text = publish_document(redis_url)
    answer, body = raw(api, **{"Accept-Encoding": "identity"})
    told = {name: answer.headers.get(name) for name in ("content-encoding", "content-length", "etag")}
    assert told == {
        "content-encoding": None,
        "content-length": str(len(text)),
        "etag": f'"{stored_version(redis_url).etag}-text"',
    }
    assert body == text


@pytest.mark.parametrize(
    "path", ["/api/v1/export", "/api/v1/export/?version=latest", f"/api/v1/export?version={VERSION}"]
)
def test_ways_to_the_same_document(api: httpx.Client, redis_url: str, path: str) -> None:
    """The slash at the end may be missing, and the latest version may be asked for by its names."""
    text = publish_document(redis_url)
    answer = api.get(path)
    assert (answer.status_code, answer.content) == (200, text)


def test_an_older_version_by_its_id(api: httpx.Client, redis_url: str) -> None:
    """Every version that is kept can be asked for."""
    old = publish_document(redis_url, version="20261123T051500Z", tasks=5)
    new = publish_document(redis_url, tasks=6)
    found = [api.get(PATH, params=wanted).content for wanted in ({"version": "20261123T051500Z"}, {})]
    assert found == [old, new]


def test_what_did_not_change_is_not_sent_again(api: httpx.Client, redis_url: str) -> None:
    """A client that shows the tag, or the time, of what it would be sent gets a 304 and no body."""
    publish_document(redis_url)
    etag = stored_version(redis_url).etag
    conditions = [
        {"If-None-Match": f'"{etag}"'},
        {"If-None-Match": f'"other", W/"{etag}"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Mon, 23 Nov 2026 10:15:00 GMT"},
    ]
    for condition in conditions:
        answer = api.get(PATH, headers=condition)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", f'"{etag}"')
        assert answer.headers["cache-control"] == "private, no-cache"
    changed = {"If-None-Match": '"other"', "If-Modified-Since": "Mon, 23 Nov 2026 10:15:00 GMT"}
    assert api.get(PATH, headers=changed).status_code == 200
    text = {"If-None-Match": f'"{etag}-text"'}
    assert api.get(PATH, headers=text).status_code == 200
    assert api.get(PATH, headers={**text, "Accept-Encoding": "identity"}).status_code == 304


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_head_tells_what_get_would(api: httpx.Client, redis_url: str, encoding: str) -> None:
    """HEAD has the headers of GET, the length included, and nothing behind them."""
    publish_document(redis_url)
    headers = {"Accept-Encoding": encoding}
    get, head = api.get(PATH, headers=headers), api.head(PATH, headers=headers)
    without_date = [{k: v for k, v in answer.headers.items() if k != "date"} for answer in (get, head)]
    assert without_date[0] == without_date[1]
    assert (head.status_code, head.content) == (200, b"")


def test_only_the_token_opens(api: httpx.Client, redis_url: str) -> None:
    """Without the token, or with another one, nothing is told, whatever the address or the method."""
    publish_document(redis_url)
    wrong = ["Bearer nonsense", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer ümlaut"]
    for value in wrong:
        answer = api.get(PATH, headers={"Authorization": value.encode()})
        assert problem(answer) == (
            401,
            {
                "status": "error",
                "error": "The token is not the right one.",
                "remedy": "Send the header Authorization: Bearer <API_AUTH_TOKEN>.",
            },
        )
        assert answer.headers["www-authenticate"] == 'Bearer realm="clickup", error="invalid_token"'
    for method, path in (("GET", PATH), ("POST", PATH), ("GET", "/api/v2/")):
        bare = httpx.request(method, api.base_url.join(path))
        assert bare.json()["error"] == "A token is needed."
        assert bare.headers["www-authenticate"] == 'Bearer realm="clickup"'


def test_bearer_is_read_as_the_standard_says(api: httpx.Client, redis_url: str) -> None:
    """The scheme is the same in capitals and small letters."""
    publish_document(redis_url)
    assert api.head(PATH, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_refusals_are_small_json(api: httpx.Client, redis_url: str) -> None:
    """Every refusal says what is wrong and what to do."""
    publish_document(redis_url)
    assert problem(api.get(PATH, params={"version": "20200101T000000Z"})) == (
        404,
        {
            "status": "error",
            "error": "There is no version 20200101T000000Z.",
            "remedy": "List them: GET /api/v1/export/versions/",
        },
    )
    assert problem(api.get("/api/v1/nothing")) == (
        404,
        {
            "status": "error",
            "error": "There is nothing here.",
            "remedy": "GET /api/v1/openapi.json says what there is; the JSON export is /api/v1/export/.",
        },
    )
    posted = api.post(PATH)
    assert problem(posted) == (
        405,
        {"status": "error", "error": "POST is not allowed.", "remedy": "Use GET or HEAD."},
    )
    assert posted.headers["allow"] == "GET, HEAD"
    picky = api.get(PATH, headers={"Accept-Encoding": "br, identity;q=0"})
    assert problem(picky)[0] == 406


def test_before_the_first_export(api: httpx.Client) -> None:
    """While there is no version the client is told to come again, and what to do."""
    answer = api.get(PATH)
    assert problem(answer) == (
        503,
        {
            "status": "error",
            "error": "There is no version yet.",
            "remedy": "Run an export: clickup-toolkit export",
        },
    )
    assert answer.headers["retry-after"] == "60"


def test_redis_goes_and_comes_again(tmp_path: Path, redis_server: RedisServer) -> None:
    """Without Redis the answer is a 503 with a remedy; when it is back, so is the document."""
    text = publish_document(redis_server.url, tasks=5)
    settings = settings_for(tmp_path, redis_url=redis_server.url)
    with (
        serve.background(settings) as address,
        httpx.Client(base_url=address, headers=BEARER, timeout=30) as api,
    ):
        before = api.get(PATH)
        redis_server.kill()
        during = api.get(PATH)
        redis_server.start()
        after = api.get(PATH)
    status, told = problem(during)
    assert (before.content, status, during.headers["retry-after"], after.content) == (text, 503, "60", text)
    assert "cannot be reached" in told["error"]
    assert "Start it" in told["remedy"]


def test_a_redis_that_was_never_there(tmp_path: Path) -> None:
    """A server without Redis begins all the same, serves the pages, and says what the export lacks."""
    settings = settings_for(tmp_path, redis_url=f"unix://{tmp_path}/nobody")
    with serve.background(settings) as address:
        page = httpx.get(address)
        answer = httpx.get(f"{address}api/v1/export/", headers=BEARER, timeout=30)
    assert page.status_code == 200
    assert problem(answer)[0] == 503


def test_a_version_with_a_missing_chunk_is_not_begun(api: httpx.Client, redis_url: str) -> None:
    """What is damaged in a way that can be seen beforehand is refused with a status."""
    publish_document(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.delete(next(iter(client.scan_iter("clickup:9001:chunk:*"))))
    status, told = problem(api.get(PATH))
    assert status == 503
    assert told["error"].startswith(f"Version {VERSION} is damaged: 1 of its")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_version_found_damaged_on_the_way_is_cut_off(
    api: httpx.Client, redis_url: str, encoding: str
) -> None:
    """When the status is out already, the client sees an unfinished answer, never a wrong one."""
    publish_document(redis_url, tasks=4000)
    last = f"clickup:9001:chunk:{stored_version(redis_url).chunks[-1].digest}"
    with redis.Redis.from_url(redis_url) as client:
        client.set(last, client.get(last)[::-1])
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(PATH, headers={"Accept-Encoding": encoding})
    status, told = problem(api.get(PATH))
    assert (status, told["error"]) == (
        503,
        f"Version {VERSION} is damaged: it was found so when it was read.",
    )


def test_a_client_that_hangs_up_ends_the_reading(tmp_path: Path, redis_url: str) -> None:
    """Nothing more is read from Redis for somebody who has gone."""
    publish_document(redis_url, tasks=4000)
    site = serve.app(settings_for(tmp_path, redis_url=redis_url))
    scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {TOKEN}".encode()), (b"accept-encoding", b"gzip")],
    }
    sent: list[dict[str, Any]] = []

    async def ask() -> None:
        gone = asyncio.Event()

        async def receive() -> dict[str, str]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            if len(sent) == 3:
                gone.set()
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        await site(scope, receive, send)
        await site.close()

    asyncio.run(ask())
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
    assert all(message["more_body"] for message in sent[1:])


def test_common_clients_read_it_whole(api: httpx.Client, redis_url: str, tmp_path: Path) -> None:
    """curl, wget and Python's own library each get every byte of the text."""
    text = publish_document(redis_url, tasks=1500)
    address = str(api.base_url.join(PATH))
    bearer = f"Authorization: Bearer {TOKEN}"
    commands = [
        ["curl", "-fsS", "--compressed", "-H", bearer, address],
        ["curl", "-fsS", "-H", bearer, address],
        ["wget", "-q", "-O", "-", "--compression=gzip", "--header", bearer, address],
    ]
    for command in commands:
        if shutil.which(command[0]) is not None:
            assert subprocess.run(command, check=True, capture_output=True).stdout == text
    with urllib.request.urlopen(urllib.request.Request(address, headers=BEARER)) as answer:
        assert answer.read() == text
