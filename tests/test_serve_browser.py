"""The pages in the real Chromium: no console error, no foreign request, nothing wider than the screen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Browser, Page, expect

from clickup_toolkit import publish, serve
from clickup_toolkit.settings import Secret
from tests.fixtures.browser import watch_page
from tests.serving import GAP, TOKEN, VERSION, code, markdown, publish_file, settings_for, shown, write_run
from tests.test_serve_access import HASH, PASSWORD

pytestmark = pytest.mark.browser

FIGURE = {
    "data": [{"type": "bar", "x": ["open", "in review"], "y": [2, 40]}],
    "layout": {"title": {"text": "Where work waits"}, "width": 2000},
}
CELLS = [
    markdown("# Scheduled export"),
    code(
        "from clickup_toolkit import Workspace  # the report",
        shown({"text/html": "<table><tr><td>3,000 tasks</td></tr></table><p id=ran></p>"}),
        shown({"application/vnd.plotly.v1+json": FIGURE, "text/html": "<script>alert(1)</script>"}),
    ),
]


WIDTH = "document.documentElement.scrollWidth"
BRIGHTNESS = """
    getComputedStyle(document.body).backgroundColor
        .match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve a workspace with a gap and an executed notebook."""
    publish_file(tmp_path, tasks=80, gaps=[GAP], mark="with a name that is as long as names are " * 4)
    write_run(tmp_path, VERSION, CELLS)
    with serve.background(settings_for(tmp_path)) as address:
        yield address


def test_from_home_to_a_task(page: Page, address: str) -> None:
    """A visitor finds the way from the home page over the task table, a facet and a sort to one task."""
    page.goto(address)
    assert page.get_by_role("heading", level=1).inner_text() == "Nimbus Labs"
    assert page.get_by_text("Time entries of Ada Lovelace were refused.").is_visible()
    page.get_by_role("link", name="tasks 80").click()
    page.get_by_role("link", name="in review").click()
    assert page.locator("h2.told").inner_text().startswith("40 rows where Status is “in review”")
    page.get_by_role("columnheader", name="In status for").get_by_role("link").click()
    page.locator("tbody tr").first.get_by_role("link").first.click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Task 1 with a name")
    assert page.locator("td.col-status_ms").inner_text() == "2 d 2 h"


def test_a_query_of_ones_own(page: Page, address: str) -> None:
    """The editor for SQL works without any foreign script."""
    page.goto(f"{address}clickup?sql=select+count(*)+as+many+from+tasks")
    page.get_by_role("button", name="Run SQL").click()
    assert page.locator("td.col-many").inner_text() == "80"


def test_an_executed_notebook_shows_its_charts(page: Page, address: str) -> None:
    """The chart is drawn offline and fits; the notebook's own scripts stay asleep; code unfolds."""
    page.goto(f"{address}-/runs")
    page.get_by_role("link", name="23 Nov 2026 10:15 UTC").click()
    chart = page.locator("figure.chart .main-svg").first
    chart.wait_for()
    box = chart.bounding_box()
    assert box is not None
    assert 300 < box["width"] <= 1280
    assert page.locator("figure.chart .gtitle").text_content() == "Where work waits"
    source = page.get_by_text("from clickup_toolkit import Workspace")
    assert not source.is_visible()
    page.get_by_role("button", name="Show code").click()
    assert source.is_visible()
    page.get_by_role("link", name="Nimbus Labs").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Nimbus Labs"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(browser: Browser, address: str, scheme: str) -> None:
    """On a narrow screen no page scrolls sideways, and the ground is light or dark as the reader likes."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page, watch = watch_page(context)
    seen = {}
    for path in ("", "clickup", "clickup/tasks", "clickup/tasks/t1", "-/runs", f"-/runs/{VERSION}"):
        page.goto(address + path)
        seen[path] = (page.evaluate(WIDTH) <= 390, page.evaluate(BRIGHTNESS) > 600)
    context.close()
    watch.check()
    assert set(seen.values()) == {(True, scheme == "light")}, seen


def test_the_page_follows_the_export(page: Page, address: str, tmp_path: Path) -> None:
    """Reloading after an export shows the new one."""
    page.goto(f"{address}clickup/tasks")
    publish_file(tmp_path, "20261123T151500Z", tasks=7)
    page.reload()
    assert page.locator("h2.told").inner_text() == "7 rows, sorted by Updated, latest first"


def test_signing_in(page: Page, tmp_path: Path) -> None:
    """Behind a password a visitor signs in, lands where they wanted to, and can sign out again."""
    publish_file(tmp_path)
    with serve.background(settings_for(tmp_path, password_hash=Secret(HASH))) as address:
        page.goto(f"{address}clickup/tasks?_sort=name")
        expect(page.get_by_label("Username")).to_have_value("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(f"{address}clickup/tasks?_sort=name")
        expect(page.locator("tbody tr")).to_have_count(3)
        page.get_by_role("button", name="Log out").click()
        page.goto(address)
        assert page.url == f"{address}-/login"


def test_the_browser_reads_the_json_export_whole(page: Page, tmp_path: Path, redis_url: str) -> None:
    """Chromium unpacks the whole document, which is one gzip member, and keeps it until it changes."""
    told = [(f"t{number}", json.dumps({"id": number, "name": "x" * 2000}).encode()) for number in range(2000)]
    with redis.Redis.from_url(redis_url) as client, publish.ExportLock(client, "9001", 60) as lock:
        publish.publish(
            client,
            lock,
            team_id="9001",
            version=VERSION,
            head=[b'{"status":"success","data":['],
            tasks=told,
            facts={},
            keep=7,
        )
    with serve.background(settings_for(tmp_path, redis_url=redis_url)) as address:
        page.goto(address)
        read = f"""async () => {{
            const options = {{headers: {{Authorization: "Bearer {TOKEN}"}}}};
            const document = await (await fetch("/api/v1/export/", options)).json();
            await (await fetch("/api/v1/export/", options)).blob();
            const [first, again] = performance.getEntriesByName(location.origin + "/api/v1/export/");
            return [document.data.length, document.data.at(-1).id, first.transferSize > again.transferSize];
        }}"""
        assert page.evaluate(read) == [2000, 1999, True]


@pytest.mark.usefixtures("_chromium")
def test_asyncio_is_free_between_browser_tests() -> None:
    """A browser that was started leaves other tests their event loop."""
    assert asyncio.run(asyncio.sleep(0, "free")) == "free"
