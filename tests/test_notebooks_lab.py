"""The notebooks in a real JupyterLab, in the real Chromium: run from its menu, drawn, offline."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.fixtures.browser import PageWatch, watch_page
from tests.fixtures.jupyterlab import JupyterLab
from tests.notebooks import NAMES, charts_of, code_cells, read

PAIRS = [tuple(NAMES[at : at + 2]) for at in range(0, len(NAMES), 2)]
"""Two at a time, as many as there are cores."""
READY = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
DONE = """() => {
  const panel = jupyterapp.shell.currentWidget;
  const code = panel.content.widgets.filter((cell) => cell.model.type === "code");
  const drawing = document.querySelectorAll(".jp-RenderedPlotly").length
    - document.querySelectorAll(".jp-RenderedPlotly .main-svg .gtitle").length;
  return panel.sessionContext.session.kernel.status === "idle" && drawing === 0
    && (code.every((cell) => cell.model.executionCount)
      || document.querySelector("[data-mime-type='application/vnd.jupyter.error']"));
}"""
SHOWN = """() => ({
  ran: jupyterapp.shell.currentWidget.content.widgets.filter((cell) => cell.model.executionCount).length,
  charts: document.querySelectorAll(".jp-Notebook .js-plotly-plot .main-svg .gtitle").length,
  errors: document.querySelectorAll(".jp-Notebook [data-mime-type='application/vnd.jupyter.error'],"
    + ".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr']").length,
})"""


WIDTHS = """() => [...document.querySelectorAll(".jp-RenderedPlotly")]
  .map((chart) => Math.round(chart.querySelector(".main-svg").getBoundingClientRect().width))"""
ROOM = 250
"""Pixels of a telephone's 390 that a chart has beside JupyterLab's own columns, once its sidebar is away."""


class Opened(NamedTuple):
    """A notebook that is open in a window of its own."""

    context: BrowserContext
    page: Page
    watch: PageWatch


class Shown(NamedTuple):
    """What a notebook shows when all of its cells have been run."""

    ran: int
    charts: int
    errors: int
    faults: list[str]


def run(browser: Browser, lab: JupyterLab, name: str) -> Opened:
    """Open a notebook in a window so high that all of it is in sight, and run all cells from the menu."""
    opened = open_in(browser, lab, name, 1280)
    opened.page.get_by_role("menuitem", name="Run", exact=True).click()
    opened.page.get_by_text("Run All Cells", exact=True).click()
    return opened


def open_in(browser: Browser, lab: JupyterLab, name: str, width: int) -> Opened:
    """Open a notebook in a window of this width, and so high that all of it is in sight."""
    context = browser.new_context(viewport={"width": width, "height": 12_000})
    page, watch = watch_page(context)
    page.set_default_timeout(90_000)
    page.goto(f"{lab.url}/lab/workspaces/{name}-{width}/tree/{name}.ipynb")
    page.wait_for_function(READY)
    return Opened(context, page, watch)


def result(opened: Opened) -> Shown:
    """Return what is shown once everything has run; close the window."""
    opened.page.wait_for_function(DONE)
    told = opened.page.evaluate(SHOWN)
    opened.context.close()
    return Shown(told["ran"], told["charts"], told["errors"], opened.watch.faults)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_jupyterlab_runs_a_notebook_and_shows_every_chart(
    browser: Browser, jupyterlab: JupyterLab, names: tuple[str, ...]
) -> None:
    """All cells run, each chart is drawn, nothing fails, the console is clean, no foreign host is asked."""
    windows = {name: run(browser, jupyterlab, name) for name in names}
    books = {name: read(name) for name in names}
    assert {name: result(opened) for name, opened in windows.items()} == {
        name: Shown(len(code_cells(book)), charts_of(book), 0, []) for name, book in books.items()
    }


@pytest.mark.browser
@pytest.mark.slow
def test_on_a_telephone_charts_are_drawn_in_what_the_sidebar_leaves_and_grow_once_it_is_away(
    browser: Browser, jupyterlab: JupyterLab
) -> None:
    """Whether a chart has 22 px or most of the window, the console stays clean."""
    name = "4-flow-and-forecast"
    opened = open_in(browser, jupyterlab, name, 390)
    opened.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    opened.page.wait_for_function(DONE)
    beside = opened.page.evaluate(WIDTHS)
    opened.page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    opened.page.wait_for_function(f"({WIDTHS})().every((width) => width >= {ROOM})")
    book = read(name)
    assert len(beside) == charts_of(book)
    assert max(beside) < 60
    assert result(opened) == Shown(len(code_cells(book)), charts_of(book), 0, [])
