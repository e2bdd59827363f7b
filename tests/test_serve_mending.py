"""Versions that Redis lost or damaged under a running server: what stands is served, and the rest mended."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from structlog.testing import capture_logs

from clickup_toolkit import publish, serve
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.mending import Mending
from tests.fixtures.valkey import RedisServer, wait_until
from tests.serving import BEARER, VERSION, publish_file, settings_for
from tests.versions import TEAM, put, workspace

PATH = "/api/v1/export/"


@pytest.fixture
def served(tmp_path: Path, redis_url: str) -> Iterator[httpx.Client]:
    """Serve a data folder without a database."""
    with (
        serve.background(settings_for(tmp_path, redis_url=redis_url)) as address,
        httpx.Client(base_url=address, headers=BEARER) as client,
    ):
        yield client


def damage(client: redis.Redis, stored: StoredVersion) -> None:
    """Change one bit of the last chunk, so that nothing but its hash tells."""
    key = f"clickup:{TEAM}:chunk:{stored.chunks[-1].digest}"
    found = bytearray(client.get(key) or b"")
    found[len(found) // 2] ^= 1
    client.set(key, bytes(found))


def hours_ago(hours: int) -> str:
    """Return the id of a version of so many hours ago."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y%m%dT%H%M%SZ}"


def test_what_was_found_damaged_is_not_begun_again(served: httpx.Client, redis_client: redis.Redis) -> None:
    """One client is cut off; after it the newest version that stands is served, and health says so."""
    older, newer = hours_ago(2), hours_ago(1)
    stood = put(redis_client, older, workspace(400)).stored
    stored = put(redis_client, newer, workspace(400, seed=2)).stored
    damage(redis_client, stored)
    with capture_logs() as logs:
        with pytest.raises(httpx.RemoteProtocolError):
            served.get(PATH)
        tags = {served.get(PATH).headers["etag"] for _ in range(3)}
        named = served.get(PATH, params={"version": newer})
        ready = served.get("/-/readyz")
        figures = served.get("/metrics").text
    assert tags == {f'"{stood.etag}"'}
    assert (named.status_code, f"Version {newer} is damaged" in named.json()["error"]) == (503, True)
    told = ready.json()
    assert (ready.status_code, told["version"], told["instead_of"]) == (200, older, newer)
    assert told["warning"] == f"Version {newer} is damaged; this older one is served in its place."
    assert "clickup-toolkit versions rebuild" in told["remedy"]
    assert "\nclickup_version_stands_in 1.0\n" in figures
    assert [entry["instead"] for entry in logs if entry["event"] == "version.damaged"] == [older]


def test_a_damaged_version_is_mended_by_itself(
    tmp_path: Path, redis_client: redis.Redis, redis_url: str
) -> None:
    """Where the data folder holds it, the version is published again, and found from then on."""
    publish_file(tmp_path)
    with (
        serve.background(settings_for(tmp_path, redis_url=redis_url)) as address,
        httpx.Client(base_url=address, headers=BEARER) as client,
    ):
        wait_until(lambda: client.head(PATH).status_code == 200)
        stored = publish.find(redis_client, TEAM)
        assert stored is not None
        damage(redis_client, stored)
        assert client.get(PATH).status_code == 503
        wait_until(lambda: client.get(PATH).status_code == 200)
        assert client.get(PATH).json()["version"] == VERSION
        publish.verify(redis_client, stored)


def test_what_redis_lost_comes_back_under_a_running_server(
    tmp_path: Path, redis_client: redis.Redis, redis_url: str
) -> None:
    """The first who asks begins it, and is told what goes on."""
    publish_file(tmp_path)
    with (
        serve.background(settings_for(tmp_path, redis_url=redis_url)) as address,
        httpx.Client(base_url=address, headers=BEARER) as client,
    ):
        wait_until(lambda: client.head(PATH).status_code == 200)
        redis_client.flushall()
        lost = client.get(PATH)
        wait_until(lambda: client.get(PATH).status_code == 200)
    assert (lost.status_code, lost.json()) == (
        503,
        {
            "status": "error",
            "error": "Redis has lost the version that the data folder holds; "
            "it is published again by itself.",
            "remedy": "Ask again in a minute. If that does not help: clickup-toolkit versions rebuild",
        },
    )


@pytest.mark.parametrize(("every", "tries"), [(60.0, 2), (0.0, 4)])
def test_mending_is_tried_now_and_then(tmp_path: Path, every: float, tries: int) -> None:
    """However many ask, it is tried once a minute, besides at the start; a failure says what to do."""
    publish_file(tmp_path)

    async def ask() -> None:
        mending = Mending(settings_for(tmp_path), every)
        mending.begin(at_start=True)
        mending.begin()
        await mending.close()
        for _ in range(3):
            mending.begin()
            await mending.close()

    with capture_logs() as logs:
        asyncio.run(ask())
    assert [entry["event"] for entry in logs] == ["version.not_rebuilt"] * tries


def test_a_redis_that_hangs_keeps_nobody_long(tmp_path: Path, redis_server: RedisServer) -> None:
    """Who watches us hears of it in 2 s, who asks for the document in a few more; then it goes on."""
    with redis_server.client() as client:
        put(client, hours_ago(1), workspace(5))
    with (
        serve.background(settings_for(tmp_path, redis_url=redis_server.url)) as address,
        httpx.Client(base_url=address, headers=BEARER, timeout=60) as api,
    ):
        assert api.get(PATH).status_code == 200
        assert redis_server.process is not None
        redis_server.process.send_signal(signal.SIGSTOP)
        try:
            with ThreadPoolExecutor() as pool:
                asked = pool.map(lambda path: timed(api, path), ("/-/readyz", "/metrics", PATH))
            took, answers = zip(*asked, strict=True)
        finally:
            redis_server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: api.get("/-/readyz").status_code == 200)
    assert [answer.status_code for answer in answers] == [503, 200, 503]
    assert answers[0].json()["error"] == "Redis does not answer within 2 s."
    assert "\nclickup_redis_up 0.0\n" in answers[1].text
    assert answers[2].json()["error"].startswith(f"Redis at {redis_server.url} ")
    assert (max(took[:2]) < 5, took[2] < 20) == (True, True), took


def timed(api: httpx.Client, path: str) -> tuple[float, Any]:
    """Return the seconds that an answer took, and the answer."""
    begun = time.monotonic()
    answer = api.get(path)
    return time.monotonic() - begun, answer
