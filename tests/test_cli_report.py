"""``clickup-toolkit report``: a notebook as one page that needs no other file, and no other host."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page

from clickup_toolkit.cli import main
from clickup_toolkit.cli.report_notebooks import chosen, listed
from clickup_toolkit.cli.report_page import write_page
from clickup_toolkit.errors import SettingsError, StorageError
from tests.fixtures.browser import watch_page
from tests.histories import believable

NOTEBOOK = """{"cells": [
 {"cell_type": "markdown", "metadata": {}, "source": "# Is <it> done?\\n\\nRead this."},
 {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "secret_code()", "outputs": [
  {"output_type": "display_data", "metadata": {"clickup_toolkit.plotly_js": true},
   "data": {"text/html": "<script>alert(1)</script>", "text/plain": ""}},
  {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {
   "application/vnd.plotly.v1+json": {"data": [{"type": "bar", "x": [1], "y": [2], "name": "</script>"}],
    "layout": {"title": {"text": "<b>How much?</b>", "subtitle": {"text": "of it<br>all"}}, "height": 300}},
   "text/html": "<div>drawn by the notebook</div>"}}]},
 {"cell_type": "code", "execution_count": 2, "metadata": {}, "source": "table", "outputs": [
  {"output_type": "execute_result", "execution_count": 2, "metadata": {}, "data": {
   "text/html": "<table><tr><td>a figure</td></tr></table><script>alert(2)</script>", "text/plain": "x"}}]},
 {"cell_type": "markdown", "metadata": {"tags": ["try-next"]}, "source": "Run other cells."}],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 4}"""


@pytest.fixture
def executed(tmp_path: Path) -> Path:
    """Return an executed notebook with a chart, a table, scripts, and a cell that speaks to its reader."""
    path = tmp_path / "executed.ipynb"
    path.write_text(NOTEBOOK, "utf-8")
    return path


def own_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of somebody's own, with a parameters cell."""
    parameters = new_code_cell(
        'data_dir: str = ""  # folder\ntop: int = 2  # how many', metadata={"tags": ["parameters"]}
    )
    notebook = new_notebook(cells=[parameters, *map(new_code_cell, cells)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(nbformat.writes(notebook), "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.browser
def test_a_report_is_one_page_for_a_telephone(browser: Browser, tmp_path: Path) -> None:
    """The command runs the notebook with its parameters, draws its chart, and asks nothing of any host."""
    data, out = believable(80).write(tmp_path / "data"), tmp_path / "report.html"
    notebook = own_notebook(
        tmp_path / "own.ipynb",
        "from clickup_toolkit import Workspace\nws = Workspace(data_dir).filter(list='Mobile app')\nws",
        "ws.chart_waiting_now(top=top)",
    )
    command = ["report", "--data-dir", str(data), "--out", str(out), "--notebook", str(notebook)]
    done = CliRunner().invoke(main, [*command, "--param", "top=1"])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out} ({out.stat().st_size / 1e6:.1f} MB)\n"
    assert out.stat().st_size < 2_500_000
    assert sorted(path.name for path in data.iterdir()) == ["parquet"]  # no run of the schedule was added
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page, watch = watch_page(context)
    page.goto(out.as_uri())
    page.wait_for_selector("body[data-drawn='1']")
    assert page.locator("figure.chart .ytick").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    words = page.inner_text("body")
    assert "part: list Mobile app" in words
    assert "import Workspace" not in words
    context.close()
    watch.check()


@pytest.mark.browser
def test_the_page_shows_texts_charts_and_tables_and_runs_no_script_of_the_notebook(
    page: Page, executed: Path, tmp_path: Path
) -> None:
    """Code, scripts, plotly.js of the notebook and cells for its reader are left out; the policy holds."""
    out = tmp_path / "page.html"
    size = write_page(executed, out, name="3-some-notebook")
    text = out.read_text("utf-8")
    assert size == out.stat().st_size < 2_500_000
    assert not re.search("alert|secret_code|Run other cells|drawn by the notebook", text)
    assert "default-src &#x27;none&#x27;" in text
    page.goto(out.as_uri())
    page.wait_for_selector("body[data-drawn='1']")
    assert page.locator("figure.chart .main-svg").count() > 0
    words = page.inner_text("body")
    assert page.title() == "Is <it> done?"
    assert "Read this." in words
    assert "a figure" in words
    assert "from the notebook 3-some-notebook" in words


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_a_static_page_has_pictures_and_no_script(executed: Path, tmp_path: Path) -> None:
    """For wikis that strip scripts: each chart is a PNG inside the page, with its title as its text."""
    out = tmp_path / "page.html"
    write_page(executed, out, static=True)
    text = out.read_text("utf-8")
    assert "<script" not in text
    assert re.findall(r'<img alt="([^"]*)" src="data:image/png;base64,iVBOR', text) == ["How much? of it all"]


def test_a_page_that_cannot_be_written_names_the_remedy(executed: Path, tmp_path: Path) -> None:
    """A file in a folder that is not there is refused before anything runs; a folder, when writing."""
    with pytest.raises(StorageError, match=r"cannot be written: .* Name another file with --out\."):
        write_page(executed, tmp_path)
    done = CliRunner().invoke(main, ["report", "--out", str(tmp_path / "none" / "report.html")])
    assert done.exit_code == 2
    assert done.stderr == (
        f"Error: The folder {tmp_path / 'none'} is not there.\nMake it, or name another file with --out.\n"
    )


@pytest.mark.parametrize(
    ("notebook", "params", "told"),
    [
        ("nope", [], r"There is no notebook nope\. Choose one of start-here, workspace-overview, "),
        ("time-in-status", ["tip=3"], r"has no parameter tip\. Its parameters are: "),
        ("time-in-status", ["top=many"], r"top must be a whole number; it is 'many'\. how many bars"),
        ("time-in-status", ["working=perhaps"], r"working must be true or false; it is 'perhaps'"),
        ("time-in-status", ["top"], r"top is no parameter with a value\. Write --param name=value\."),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_choice(notebook: str, params: list[str], told: str) -> None:
    """Unknown notebooks and parameters, and values of another type, are settings errors."""
    with pytest.raises(SettingsError, match=told):
        chosen(notebook, params)


def test_parameters_have_the_types_of_the_notebook() -> None:
    """Numbers, flags and texts; a notebook goes by its name with or without its number, or its path."""
    given = ["top=3", "working=yes", "by=member", "now=2026-11-23T10:00"]
    path, values = chosen("time-in-status", given)
    assert values == {"top": 3, "working": True, "by": "member", "now": "2026-11-23T10:00"}
    assert chosen(path.stem, []) == chosen(str(path), []) == (path, {})


def test_the_list_tells_notebooks_and_parameters() -> None:
    """In reading order, each with its question and its parameters, their defaults and helps."""
    told = listed()
    names = re.findall(r"^([a-z-]+): \S", told, re.MULTILINE)
    assert names[0] == "start-here"
    assert {"workspace-overview", "time-in-status", "flow-and-forecast", "data-quality"} <= set(names)
    assert re.search(r"^    top = 12  how many bars", told, re.MULTILINE)


@pytest.mark.slow
def test_a_notebook_that_fails_says_why_and_stays_beside_the_page(tmp_path: Path) -> None:
    """The cause and its remedy are told, and the executed notebook is kept."""
    notebook = own_notebook(
        tmp_path / "own.ipynb",
        "from clickup_toolkit.errors import StorageError\n"
        "raise StorageError(f'There is no export in {data_dir} yet.', 'Run the export.')",
    )
    out, data = tmp_path / "report.html", tmp_path / "none"
    command = ["report", "--data-dir", str(data), "--out", str(out), "--notebook", str(notebook)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[1:] == [
        f"Error: There is no export in {data} yet. Run the export.",
        f"The executed notebook shows where: {tmp_path / 'report.failed.ipynb'}",
    ]
    assert (tmp_path / "report.failed.ipynb").is_file()
    assert not out.exists()
