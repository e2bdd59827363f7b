"""The dashboards in the real Chromium: charts, marks, filters, light and dark, a phone, paper, no scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from clickup_toolkit import serve
from clickup_toolkit.settings import Secret
from tests.dashboards import PAGES, company, odd, publish_story
from tests.fixtures.browser import watch_page
from tests.serving import VERSION, code, markdown, settings_for, write_run
from tests.test_serve_access import HASH

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # ms: pages are computed on a machine that has other things to do
BLANK = "[data-chart]:not(:has(.main-svg))"
QUIETLY = {"preload": False}  # else it fetches stylesheets, which a policy may forbid
WIDTH = "document.documentElement.scrollWidth"
TICK = "#throughput .xtick text"
INK = f"getComputedStyle(document.querySelector({TICK!r})).fill"
MARK = """(chart) => {
    const place = document.querySelector(`[data-chart=${chart}]`);
    place.scrollIntoView({block: "center"});
    const box = place.querySelector(".points path, .point path").getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a company, and a run of its notebook."""
    data_dir = tmp_path_factory.mktemp("browsed")
    publish_story(data_dir, company())
    write_run(data_dir, VERSION, [markdown("# Scheduled export"), code("1 + 1")])
    with serve.background(settings_for(data_dir)) as served:
        for path in PAGES:  # computed now, so that no browser waits for them
            httpx.get(f"{served}-/dashboards{path}", timeout=120).raise_for_status()
        yield served


def open_drawn(page: Page, address: str) -> None:
    """Open a dashboard and wait until its charts are drawn, those below the screen, too."""
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    for chart in page.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
    expect(page.locator(BLANK)).to_have_count(0, timeout=PATIENCE)


def findings(page: Page) -> list[tuple[str, str, str]]:
    """Return what axe calls serious or critical: the rule, and where it is broken first."""
    told: list[dict[str, Any]] = Axe().run(page, options=QUIETLY).response["violations"]
    return [
        (found["id"], str(found["nodes"][0]["target"]), found["nodes"][0].get("failureSummary", ""))
        for found in told
        if found["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_pages_are_drawn_and_fit(browser: Browser, address: str, width: int, scheme: str) -> None:
    """Wide and narrow, light and dark, charts are drawn within the screen, and axe finds nothing serious."""
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page, watch = watch_page(context)
    for path in PAGES:
        open_drawn(page, f"{address}-/dashboards{path}")
        assert page.evaluate(WIDTH) <= width, path
        assert findings(page) == [], path
    context.close()
    watch.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_our_other_pages(browser: Browser, address: str, scheme: str) -> None:
    """Home, tables, a task, runs, an executed notebook, versions and files can be used by everybody."""
    context = browser.new_context(color_scheme=scheme)
    page, watch = watch_page(context)
    tables = ("clickup", "clickup/tasks", "clickup/tasks/login+2")
    for path in ("", *tables, "-/runs", f"-/runs/{VERSION}", "-/versions", "-/files"):
        page.goto(address + path)
        assert findings(page) == [], path
    context.close()
    watch.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_at_the_door(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """The page for signing in, too."""
    publish_story(tmp_path, odd("one task"))
    context = browser.new_context(color_scheme=scheme)
    page, watch = watch_page(context)
    with serve.background(settings_for(tmp_path, password_hash=Secret(HASH))) as closed:
        page.goto(closed)
        assert page.url == f"{closed}-/login"
        assert findings(page) == []
    context.close()
    watch.check()


def test_a_mark_leads_to_its_task(page: Page, address: str) -> None:
    """A click on a dot of the scatterplot opens the task that it is."""
    open_drawn(page, f"{address}-/dashboards/flow")
    told = (
        "document.querySelector('[data-chart=finished_work]').data.find(({meta}) => meta?.id).customdata[0]"
    )
    task_id = page.evaluate(told)[-1]
    page.mouse.click(*page.evaluate(MARK, "finished_work"))
    page.wait_for_url(f"**/clickup/tasks/{task_id.replace(' ', '+')}")
    assert page.locator("h1").inner_text().lower() == task_id


@pytest.mark.parametrize(("width", "written"), [(1280, True), (390, False)])
def test_cells_have_figures_where_there_is_room(
    browser: Browser, address: str, width: int, written: bool
) -> None:
    """On a phone the figures of tracked time would run into one another: the colours and a tap tell them."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, watch = watch_page(context)
    open_drawn(page, f"{address}-/dashboards/time-tracking")
    figures = page.locator("[data-chart=tracked_time] .heatmaplayer text").count()
    context.close()
    watch.check()
    assert (figures > 0) is written


def test_a_bar_leads_to_its_tasks(page: Page, address: str) -> None:
    """A click on a week of throughput opens the table of as many tasks as were done in it."""
    open_drawn(page, f"{address}-/dashboards/flow")
    told = "(chart) => document.querySelector(`[data-chart=${chart}]`).data.find(({meta}) => meta?.id).y[0]"
    count = page.evaluate(told, "throughput")
    page.mouse.click(*page.evaluate(MARK, "throughput"))
    page.wait_for_url(re.compile(r"/clickup/tasks\?date_done__gte="))
    assert f"{count} row" in page.locator("h2.told").inner_text()


def test_filters_live_in_the_address(page: Page, address: str) -> None:
    """What is chosen stands in the address: it can be reloaded and shared, and the way back leads back."""
    open_drawn(page, f"{address}-/dashboards/flow")
    whole = page.locator("dl.facts .value").all_inner_texts()
    page.locator("details.choice", has_text="List").locator("summary").click()
    page.get_by_role("checkbox", name="Website").check()
    page.get_by_role("checkbox", name="Mobile app").check()
    page.get_by_role("combobox", name="Period").select_option("180d")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/flow?*")
    assert page.url.partition("?")[2] == "list=mobile+app&list=website&period=180d"
    narrow = page.locator("dl.facts .value").all_inner_texts()
    assert narrow != whole
    page.reload()
    assert page.locator("dl.facts .value").all_inner_texts() == narrow
    page.get_by_role("link", name="Time tracking").click()
    assert page.url.endswith("/time-tracking?list=mobile+app&list=website&period=180d")
    page.go_back()
    page.get_by_role("link", name="List: Website").click()
    assert page.url.endswith("/flow?list=mobile+app&period=180d")
    page.get_by_role("link", name="Reset").click()
    assert page.locator("dl.facts .value").all_inner_texts() == whole
    page.go_back()
    assert page.get_by_role("combobox", name="Period").input_value() == "180d"


def test_days_take_the_place_of_a_named_period(page: Page, address: str) -> None:
    """From and to go before a period of the list, and choosing one of those takes them away."""
    open_drawn(page, f"{address}-/dashboards/flow?period=30d")
    page.get_by_label("From", exact=True).fill("2026-08-01")
    page.get_by_label("To", exact=True).fill("2026-10-31")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**from=*")
    expect(page.locator("#throughput .when")).to_have_text("1 aug 2026 to 31 oct 2026", ignore_case=True)
    page.get_by_role("combobox", name="Period").select_option("365d")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/flow?period=365d")


def test_pages_work_without_scripts(browser: Browser, address: str) -> None:
    """Without JavaScript the filters work, and the tables hold the figures, with links to the tasks."""
    context = browser.new_context(java_script_enabled=False)
    page, watch = watch_page(context)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}-/dashboards/flow")
    page.locator("details.choice", has_text="Member").locator("summary").click()
    page.get_by_role("checkbox", name="李雷").check()
    page.get_by_role("button", name="Apply").click()
    assert "member=" in page.url
    page.locator("#ageing_work details.data summary").click()
    page.locator("#ageing_work table a").first.click()
    assert "/clickup/tasks/" in page.url
    context.close()
    watch.check()


def test_the_keyboard_reaches_everything(page: Page, address: str) -> None:
    """With the keyboard alone a filter opens, is chosen, closes on Escape; a table opens and scrolls."""
    open_drawn(page, f"{address}-/dashboards/flow")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    space = page.locator("details.choice summary").first
    space.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("details.choice input:checked").count() == 1
    page.keyboard.press("Escape")
    expect(page.locator("details.choice[open]")).to_have_count(0)
    page.locator("#flow details.data summary, #finished_work details.data summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"


def test_light_and_dark_can_be_chosen(browser: Browser, address: str) -> None:
    """The choice dresses the charts at once, is kept for other pages, and an address may say another."""
    context = browser.new_context(color_scheme="light")
    page, watch = watch_page(context)
    open_drawn(page, f"{address}-/dashboards")
    light = page.evaluate(INK)
    button = page.locator("#theme")
    button.click()
    assert page.evaluate(INK) == light
    button.click()
    expect(page.locator(TICK).first).not_to_have_css("fill", light)
    page.goto(f"{address}-/runs")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    open_drawn(page, f"{address}-/dashboards?theme=light")
    assert page.evaluate(INK) == light
    context.close()
    watch.check()


def test_a_tap_asks_before_it_leads_away(browser: Browser, address: str) -> None:
    """On a phone a tap on a mark shows what it is and offers its tasks; the second tap goes there."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page, watch = watch_page(context)
    open_drawn(page, f"{address}-/dashboards/flow")
    page.touchscreen.tap(*page.evaluate(MARK, "throughput"))
    page.locator("#throughput .picked a").tap()
    page.wait_for_url(re.compile(r"/clickup/tasks\?date_done__gte="))
    context.close()
    watch.check()


def test_paper_shows_charts_and_sentences(page: Page, address: str) -> None:
    """Printed, a page has no filters, and all of its charts, drawn for paper."""
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}-/dashboards/flow")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator(BLANK)).to_have_count(0)
    assert not page.locator("form.filters").is_visible()
    assert page.locator(".summary").first.is_visible()
    assert len(page.pdf()) > 20_000


def test_strange_names_do_no_harm(page: Page, tmp_path: Path) -> None:
    """Names that are markup, endless or of any script are shown as they are, and run nothing."""
    publish_story(tmp_path, odd("names"))
    with serve.background(settings_for(tmp_path)) as served:
        for path in PAGES:
            open_drawn(page, f"{served}-/dashboards{path}?by=member")
            assert page.evaluate(WIDTH) <= 1280
            assert page.locator("main img").count() == 0
