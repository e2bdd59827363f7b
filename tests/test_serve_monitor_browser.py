"""Run monitor, files and freshness in the real Chromium: live, quiet, readable, and without an error."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from clickup_toolkit import parquet, serve
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store import LiveRun, Traffic
from tests import exporting
from tests.fixtures.browser import watch_page
from tests.serving import GAP, VERSION, code, markdown, publish_file, settings_for, shown, write_run
from tests.test_serve_access import HASH, PASSWORD
from tests.test_serve_runs import COMPLETE, FAILED, record_run

pytestmark = pytest.mark.browser

LONG = 100_000  # ms for what may take a while on a busy machine
WIDTH = "document.documentElement.scrollWidth"
LOOK_AWAY = """
    away => {
        Object.defineProperty(document, "hidden", {value: away, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }
"""
NEWER = "20261123T151500Z"
OF_CLICKUP = ("token", "team_id", "api_url", "redis_url", "concurrency")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings for a small workspace, with an export that failed and one that went well."""
    built = publish_file(tmp_path, tasks=80, gaps=[GAP], mark="with a name as long as names are " * 4)
    parquet.write(built, tmp_path / "parquet")
    record_run(tmp_path, "20261123T001500Z", **COMPLETE)
    record_run(tmp_path, "20261123T051500Z", **FAILED | {"message": "A sentence that is long. " * 12})
    return settings_for(tmp_path, token=Secret("pk_1_" + "S" * 20))


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    """Serve the workspace."""
    with serve.background(settings) as address:
        yield address


@contextmanager
def exporting_now(data_dir: Path) -> Iterator[LiveRun]:
    """Let an export be under way that waits for its rate limit."""
    with LiveRun(data_dir) as run:
        run.traffic = lambda: Traffic(1412, 3, 5, 100, 37, 22.4, 4.0)
        yield run


def test_an_export_is_watched_from_its_start_to_its_end(
    page: Page,
    tmp_path: Path,
    redis_url: str,
    small_world: World,
    demo_server: Callable[..., DemoServer],
) -> None:
    """Who signed in starts an export, sees it begin, read, end, and in the list, without reloading."""
    seen = Event()
    clickup = demo_server(small_world, latency=lambda *_: 0.0 if seen.is_set() else 1.0)  # slow till then
    made = exporting.settings_for(clickup, tmp_path, redis_url)
    about = {name: getattr(made, name) for name in OF_CLICKUP} | {"password_hash": Secret(HASH)}
    with serve.background(settings_for(tmp_path, **about)) as address:
        page.goto(f"{address}-/login")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Runs", exact=True).first.click()
        page.get_by_role("button", name="Export now").click()
        page.evaluate("window.same = true")
        expect(page.locator("#doing[data-state=running]")).to_be_visible(timeout=LONG)
        expect(page.locator("[aria-current=step]")).to_have_text("Read ClickUp", timeout=LONG)
        expect(page.get_by_role("button", name="Export now")).to_be_disabled(timeout=LONG)
        seen.set()
        expect(page.locator("table.history tbody th")).to_have_count(1, timeout=LONG)
        expect(page.get_by_role("heading", name="No export is running")).to_be_visible(timeout=2 * LONG)
        expect(page.locator("table.history .state")).to_have_text(
            re.compile("complete|with gaps"), timeout=LONG
        )
        expect(page.get_by_role("button", name="Export now")).to_be_enabled(timeout=LONG)
        expect(page.locator("#newer")).to_contain_text("The first data have come.", timeout=LONG)
        assert page.evaluate("window.same")
        page.get_by_role("button", name="Reload").click()
        expect(page.locator("header .freshness")).to_have_text("Exported just now", timeout=LONG)


def test_figures_move_without_reloading(page: Page, address: str, tmp_path: Path) -> None:
    """All figures follow the export; a screen reader is told of steps alone."""
    page.goto(f"{address}-/runs")
    expect(page.get_by_role("heading", name="No export is running")).to_be_visible(timeout=LONG)
    expect(page.locator("[data-part=going]")).to_be_hidden(timeout=LONG)
    with exporting_now(tmp_path) as run:
        tell = run.watching(lambda *_: None)
        tell("time in status", 812, 3248)
        expect(page.locator("[data-field=count]")).to_have_text("812 of 3,248 tasks", timeout=LONG)
        told = page.locator("[data-part=said]")
        expect(told).to_have_text("An export is running: Read ClickUp", timeout=LONG)
        assert page.locator("progress").get_attribute("value") == "0.25"
        assert page.title() == "25 % Reading time in status · Runs"
        figures = {"requests": "1,412", "throttled": "3", "waiting": "4 s", "next": "Build the database"}
        for name, text in figures.items():
            expect(page.locator(f"[data-field={name}]")).to_have_text(text, timeout=LONG)
        tell("database", 0, None)
        expect(page.locator("[data-field=stage]")).to_have_text("Building the database", timeout=LONG)
        expect(told).to_have_text("An export is running: Build the database", timeout=LONG)
        assert page.locator("progress").get_attribute("value") is None
    expect(page.get_by_role("heading", name="No export is running")).to_be_visible(timeout=LONG)
    expect(page.locator("[data-part=going]")).to_be_hidden(timeout=LONG)
    assert page.title() == "Runs"


def test_a_failure_appears_with_its_remedy(page: Page, address: str, tmp_path: Path) -> None:
    """A run that fails while the page is open is shown there with why and what to do."""
    page.goto(f"{address}-/runs")
    with exporting_now(tmp_path):
        expect(page.locator("#doing[data-state=running]")).to_be_visible(timeout=LONG)
    record_run(tmp_path, "20261123T101500Z", **FAILED)
    note = page.locator(".note.bad")
    expect(note).to_contain_text("ClickUp does not accept the token.", timeout=LONG)
    expect(note).to_contain_text("What to do: Make a new token <b>now</b>.", timeout=LONG)
    note.get_by_role("link", name="Its notebook").click()
    expect(page.get_by_role("heading", level=1).first).to_have_text(
        "Run of 23 Nov 2026 10:15 UTC", timeout=LONG
    )
    expect(page.locator("header .why")).to_contain_text("ClickUp does not accept the token.", timeout=LONG)


def test_a_restart_of_the_server_is_no_error(page: Page, settings: Settings) -> None:
    """While the server is away the page says so and asks again later; it goes on by itself afterwards."""
    with serve.background(settings) as address:
        page.goto(f"{address}-/runs")
        expect(page.get_by_role("heading", name="No export is running")).to_be_visible(timeout=LONG)
        # watched closely, as while an export runs, so that the end of the server is noticed soon
        with exporting_now(settings.data_dir):
            expect(page.locator("#doing[data-state=running]")).to_be_visible(timeout=LONG)
    expect(page.locator("[data-part=lost]")).to_contain_text("does not answer", timeout=LONG)
    again = settings_for(settings.data_dir, port=urlsplit(address).port)
    with serve.background(again):
        expect(page.locator("[data-part=lost]")).to_be_hidden(timeout=LONG)
        expect(page.locator("#doing[data-state=idle]")).to_be_visible(timeout=LONG)


def test_nothing_is_asked_while_nobody_looks(page: Page, address: str, tmp_path: Path) -> None:
    """A hidden page asks no more, and looks at once when it is shown again."""
    asked = threading.Event()
    page.on("request", lambda request: request.url.endswith("/-/runs.json") and asked.set())
    with exporting_now(tmp_path) as run:
        page.goto(f"{address}-/runs")
        expect(page.locator("#doing[data-state=running]")).to_be_visible(timeout=LONG)
        page.evaluate(LOOK_AWAY, True)
        page.wait_for_timeout(500)  # what was under way has come
        asked.clear()
        page.wait_for_timeout(2500)  # two turns and a half
        assert not asked.is_set()
        run.watching(lambda *_: None)("documents", 7, 9)
        page.evaluate(LOOK_AWAY, False)
        expect(page.locator("[data-field=count]")).to_have_text("7 of 9 tasks", timeout=LONG)
        assert asked.is_set()


@pytest.mark.parametrize("path", ["", "clickup/tasks", "-/dashboards/flow", "-/files", "nope"])
def test_every_page_says_when_newer_data_have_come(
    browser: Browser, address: str, tmp_path: Path, path: str
) -> None:
    """Each page tells how fresh it is; after an export it offers to reload, and then shows the newer data."""
    context = browser.new_context()
    page, watch = watch_page(context)
    page.goto(address + path)
    script = page.locator("script#fresh")
    assert script.get_attribute("data-version") == VERSION
    expect(page.locator("header .freshness")).to_contain_text("Exported ", timeout=LONG)
    expect(page.locator("#newer")).to_be_hidden(timeout=LONG)
    parquet.write(publish_file(tmp_path, NEWER, tasks=7), tmp_path / "parquet")
    page.evaluate(LOOK_AWAY, False)
    expect(page.locator("#newer")).to_contain_text("Newer data have come.", timeout=LONG)
    page.get_by_role("button", name="Reload").click()
    expect(page.locator(f"script#fresh[data-version='{NEWER}']")).to_have_count(1, timeout=LONG)
    expect(page.locator("#newer")).to_be_hidden(timeout=LONG)
    context.close()
    watch.faults = [fault for fault in watch.faults if "404" not in fault or path != "nope"]
    watch.check()


def test_strangers_are_not_told_how_fresh_it_is(page: Page, tmp_path: Path) -> None:
    """The page to sign in tells nothing of the data, and asks nothing."""
    publish_file(tmp_path)
    with serve.background(settings_for(tmp_path, password_hash=Secret(HASH))) as address:
        page.goto(address)
        assert page.url == f"{address}-/login"
        assert "Exported" not in page.content()
        assert VERSION not in page.content()


def test_what_is_to_be_typed_is_copied(browser: Browser, address: str) -> None:
    """The button puts the text into the clipboard as it stands there."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page, watch = watch_page(context)
    page.goto(f"{address}-/files")
    page.get_by_role("button", name="Copy for pandas").click()
    expect(page.get_by_role("button", name="Copy for pandas")).to_have_text("Copied", timeout=LONG)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#pandas").text_content()
    assert f"{address}api/v1/tables/tasks.parquet" in copied
    context.close()
    watch.check()


FIGURE = {"data": [{"type": "bar", "x": ["a"], "y": [2]}], "layout": {"title": {"text": "T"}, "width": 2000}}
CELLS = [
    markdown("# Scheduled export"),
    code("1", shown({"application/vnd.plotly.v1+json": FIGURE})),
    code("2", shown({"text/html": "<table><tr>" + "<td>wide cell</td>" * 40 + "</tr></table>"})),
]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_pages_fit_and_can_be_read(
    browser: Browser, address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    """Narrow and wide, light and dark, nothing is wider than the screen, and axe finds nothing serious."""
    write_run(tmp_path, "20261122T001500Z", CELLS)
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page, watch = watch_page(context)
    found: dict[str, list[str]] = {}
    with exporting_now(tmp_path) as run:
        run.watching(lambda *_: None)("tasks", 7, 9)
        for path in ("-/runs", "-/versions", "-/files", "-/runs/20261123T051500Z", "-/runs/20261122T001500Z"):
            page.goto(address + path)
            assert page.evaluate(WIDTH) <= width, path
            found[path] = serious_findings(page)
    context.close()
    watch.check()
    assert found == {path: [] for path in found}


def serious_findings(page: Page) -> list[str]:
    """Return what axe finds that keeps people from reading a page."""
    from importlib.resources import files

    source = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    page.evaluate(source)
    found = page.evaluate("axe.run({preload: false}).then(found => found.violations)")
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
