"""Every page of a workspace of 200,000 tasks answers within datasette's own limits of time."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import httpx
import pytest
from datasette.app import DEFAULT_SETTINGS

from clickup_toolkit.serve.application import Application
from clickup_toolkit.serve.metadata import DATASETTE_SETTINGS
from clickup_toolkit.serve.queries import QUERIES
from clickup_toolkit.store.counts import COUNTED
from clickup_toolkit.store.reports import REPORTS, VIEWS
from tests.large import TASKS, build_large
from tests.serving import settings_for

LARGE = ("tasks", "time_in_status")
FILTERED = (
    *(
        "tasks?status_type=done",
        "tasks?status=in+review",
        "tasks?space_id=s1",
        "tasks?name__contains=checkout",
    ),
    *(
        "tasks?_search=release",
        "tasks?_search=deploy",
        "tasks?_search=会議",
        "tasks?space_id=s1&_search=wait",
    ),
    *("open_tasks?_search=deploy", "comments?_search=login", "time_entries?member_id=m1", "fields_l1"),
    *(
        "time_in_status?status=doing",
        "tasks?_next=2026-11-17T00~3A00~3A00~2E000Z,t5000",
        "tasks?_facet=list_id",
    ),
)
ROWS = ("tasks/t5000", "lists/l1", "spaces/s1", "folders/f1", "members/m1", "custom_fields/c1", "comments/k1")
SECONDS = DEFAULT_SETTINGS["sql_time_limit_ms"] / 1000
PATIENCE = 150.0  # seconds in all for pages that other work on the machine, not their own, brought to a limit
TIMED_OUT = re.compile("timed out|SQL Interrupted|interrupted|sql_time_limit_ms")


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the database."""
    folder = tmp_path_factory.mktemp("large")
    build_large(folder / "clickup-large.db")
    (folder / "clickup.db").symlink_to("clickup-large.db")
    return folder


def test_the_limits_are_those_of_datasette() -> None:
    """Nobody raises the limits of time."""
    assert [name for name in DATASETTE_SETTINGS if name.endswith("_time_limit_ms")] == []
    assert DEFAULT_SETTINGS["sql_time_limit_ms"] == 1000
    assert DEFAULT_SETTINGS["facet_time_limit_ms"] == 200


def test_every_page_answers_in_time(large: Path) -> None:
    """Tables, reports, sorts, facets, searches, questions and rows: none stops at a limit."""

    async def ask_all() -> dict[str, str]:
        application = Application(settings_for(large))
        transport = httpx.ASGITransport(application)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                paths = [
                    f"clickup/{page}" for page in (*COUNTED, *REPORTS, *VIEWS, *QUERIES, *FILTERED, *ROWS)
                ]
                for table in LARGE:
                    told = (await client.get(f"/clickup/{table}")).text
                    paths += [
                        f"clickup/{sort}" for sort in re.findall(rf"{table}\?_sort(?:_desc)?=\w+", told)
                    ]
                paths += [
                    f"clickup/{name}?from=2000-01-01" for name in QUERIES if "from" in QUERIES[name]["params"]
                ]
                patience = Patience(PATIENCE)
                return {
                    path: await _late(client, path, patience)
                    for path in ["", "clickup", *dict.fromkeys(paths)]
                }
        finally:
            await application.close()

    seen = asyncio.run(ask_all())
    assert {path: late for path, late in seen.items() if late} == {}
    assert len(seen) > 80
    assert TASKS == 200_000


class Patience:
    """Seconds that are left for asking again."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds


async def _late(client: httpx.AsyncClient, path: str, patience: Patience) -> str:
    """Return how a page failed.

    The limits go by the clock on the wall: one that stopped before it had used up its processor time was kept
    from working, and is asked again.
    """
    while True:
        began, worked = time.monotonic(), time.process_time()
        answer = await client.get(f"/{path}")
        worked = time.process_time() - worked
        stopped = TIMED_OUT.search(answer.text)
        if answer.status_code == 200 and not stopped:
            return ""
        patience.left -= time.monotonic() - began
        if not stopped or worked > SECONDS or patience.left < 0:
            return f"{answer.status_code} {stopped and stopped[0]}, {worked:.2f} s of processor time"
