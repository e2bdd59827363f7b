"""A client that hangs up in the middle of a download is not read for any more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from clickup_toolkit import serve
from clickup_toolkit.serve.application import Application
from tests.serving import TOKEN, publish_file, settings_for


@pytest.fixture
def site(tmp_path: Path) -> Application:
    """Return a site with a table of many rows and a Parquet file of many pieces."""
    publish_file(tmp_path, tasks=4000)
    file = tmp_path / "parquet" / "tasks" / "part-0.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(8 << 20))
    return serve.app(settings_for(tmp_path))


def sent_until_gone(site: Application, path: str) -> list[dict[str, Any]]:
    """Ask for an address and hang up at the second piece; return what was sent."""
    authorization = f"Bearer {TOKEN}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", authorization)],
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
                for _ in range(3):
                    await asyncio.sleep(0)

        await site(scope, receive, send)
        await site.close()

    asyncio.run(ask())
    return sent


@pytest.mark.parametrize(
    "path",
    ["/api/v1/tables/tasks.ndjson", "/api/v1/tables/tasks.parquet", "/-/files/tasks.parquet"],
)
def test_nothing_is_sent_to_nobody(site: Application, path: str) -> None:
    """Tables as lines and as files end with the client, at once and unfinished."""
    sent = sent_until_gone(site, path)
    assert sent[0]["status"] == 200
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
    assert all(message["more_body"] for message in sent[1:])
