"""The notebooks: thin, clean, in order, and at home in any workspace, folder and page."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Page

from clickup_toolkit.charts.offline import PLOTLY_JS_MARK
from clickup_toolkit.demo import Behaviour
from clickup_toolkit.errors import SettingsError
from clickup_toolkit.schedule import check_parameters
from tests.histories import Story
from tests.notebooks import (
    FOLDER,
    NAMES,
    charts_of,
    code_cells,
    demo_world,
    execute,
    export_to,
    fixed,
    outputs,
    read,
    run_all,
    tags,
)

SECONDS = 120
PLOTLY = "application/vnd.plotly.v1+json"
ORDER = [
    "1-start-here",
    "2-workspace-overview",
    "3-time-in-status",
    "4-flow-and-forecast",
    "5-time-tracking",
    "6-data-quality",
    "7-your-own-question",
]
OTHERWISE: dict[str, tuple[dict[str, object], str]] = {
    "1-start-here": ({"space": "Data"}, "part: space Data"),
    "2-workspace-overview": ({"by": "list", "weeks": 8, "space": "Design Studio"}, "<td>Explorations</td>"),
    "3-time-in-status": ({"by": "member", "top": 5, "working": True}, "by member"),
    "4-flow-and-forecast": (
        {"items": 40, "until": "2026-04-30", "history": 60, "list_name": "Tech debt", "since": "2025-10-01"},
        "When will 40 more tasks be done?",
    ),
    "5-time-tracking": ({"by": "space", "weeks": 4}, "<td>People &amp; Operations</td>"),
    "6-data-quality": ({"space": "Data"}, "tasks without an estimate"),
    "7-your-own-question": ({"by": "tag", "top": 3}, "<th>tag</th>"),
}
"""Other parameters, and what they bring into the outputs that is not there without."""


def figures(notebook: nbformat.NotebookNode) -> list[dict[str, object]]:
    """Return the figures that a notebook shows, as plotly's JSON."""
    return [output.data[PLOTLY] for output in outputs(notebook) if PLOTLY in output.get("data", {})]


def told(notebook: nbformat.NotebookNode) -> str:
    """Return all that a notebook shows, as text."""
    return json.dumps(outputs(notebook), ensure_ascii=False)


def failures(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what went wrong in cells, and what they complained of."""
    kinds = {"error": "evalue", "stream": "text"}
    return [
        output[kinds[output.output_type]]
        for output in outputs(notebook)
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def test_the_notebooks_stand_in_reading_order() -> None:
    """Their names sort as they are read, and the first one names the others in this order."""
    assert NAMES == ORDER
    assert re.findall(r"\*\*(\d-[a-z-]+)\*\*", read(ORDER[0]).cells[-1].source) == ORDER[1:]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_tells_and_the_package_does(name: str) -> None:
    """No function or class is defined in a cell, nothing but the package is imported."""
    for cell in code_cells(read(name)):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
            if isinstance(node, ast.ImportFrom):
                assert node.module == "clickup_toolkit"
            assert not isinstance(node, ast.Import)


@pytest.mark.parametrize("name", NAMES)
def test_longer_code_is_folded(name: str) -> None:
    """Nobody scrolls past code: a cell of more than two lines is folded, in JupyterLab and by its tag."""
    for cell in code_cells(read(name)):
        is_long = len(cell.source.splitlines()) > 2
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert (hidden, "hide-input" in tags(cell)) == (is_long, is_long), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_each_chart_is_told_how_to_read(name: str) -> None:
    """Before or after each chart stands a text; in the five that interpret, it says what to do about it."""
    cells = read(name).cells
    for at, cell in enumerate(cells):
        if cell.cell_type == "code" and "ws.chart_" in cell.source:
            around = [near.source for near in cells[at - 1 : at + 2] if near.cell_type == "markdown"]
            assert around, cell.source
            if name not in (ORDER[0], ORDER[-1]):
                assert any("**How to read it.**" in text and "**What to do.**" in text for text in around)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_one_cell_of_parameters_each_with_type_default_and_help(name: str) -> None:
    """papermill and people read the same lines; a secret is no parameter."""
    cells = [cell for cell in code_cells(read(name)) if "parameters" in tags(cell)]
    assert len(cells) == 1
    for line in cells[0].source.splitlines():
        assert re.fullmatch(r"[a-z_]+: (str|int|float|bool) = \S+  # \S.*", line), line
        assert not re.search("token|secret|password|key", line, re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelled_parameter_is_refused(name: str) -> None:
    """papermill would only warn, and answer another question."""
    with pytest.raises(SettingsError, match=rf"{name}\.ipynb has no parameter spaec\..*space"):
        check_parameters(FOLDER / f"{name}.ipynb", {"spaec": "Data"})


def test_the_notebooks_are_stored_clean_and_name_their_kernel() -> None:
    """nbstripout would take nothing out; the kernel, without which nothing runs, is there."""
    command = [sys.executable, "-m", "nbstripout", "--verify", "--keep-count"]
    command += ["--extra-keys", "metadata.language_info.version"]
    command += [str(FOLDER / f"{name}.ipynb") for name in NAMES]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {read(name).metadata.kernelspec.name for name in NAMES} == {"python3"}


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_names_no_place_on_a_disk(name: str) -> None:
    """It runs in whatever folder it lies: no path in it, and it ends with what to try next."""
    assert not re.search(
        r"\.\./|[\"' (]/(home|root|Users|tmp)/|[A-Z]:\\\\", (FOLDER / f"{name}.ipynb").read_text()
    )
    last = read(name).cells[-1]
    assert last.source.startswith("## What to try next")
    assert tags(last) == ["try-next"]


@pytest.fixture(scope="module")
def executed(demo_export: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbformat.NotebookNode]:
    """Return all notebooks, run on the demo workspace with other parameters from a folder of no meaning."""
    parameters = {name: given for name, (given, _) in OTHERWISE.items()}
    return run_all(NAMES, tmp_path_factory.mktemp("executed"), demo_export, parameters)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_takes_parameters(executed: dict[str, nbformat.NotebookNode], name: str) -> None:
    """By papermill's -p: what they ask for is shown, in every chart, and nothing is complained of."""
    assert OTHERWISE[name][1] in told(executed[name])
    assert OTHERWISE[name][1] not in told(read(name)) or name == "6-data-quality"
    assert len(figures(executed[name])) == charts_of(read(name))
    assert failures(executed[name]) == []


@pytest.mark.slow
def test_a_notebook_says_in_a_sentence_where_work_waits(executed: dict[str, nbformat.NotebookNode]) -> None:
    """The first thing after what the workspace is, is the answer."""
    first = [o.data for o in outputs(executed["3-time-in-status"]) if o.output_type == "execute_result"]
    assert "Harbourlight" in first[0]["text/html"]
    assert re.match(r"Unfinished work has spent more time in \*\*\w.*\*\*", first[1]["text/markdown"])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_executed_notebook_holds_plotly_once(
    executed: dict[str, nbformat.NotebookNode], name: str
) -> None:
    """Each chart is there as JSON and as HTML; plotly.js comes once, before the first."""
    shown = outputs(executed[name])
    holders = [PLOTLY_JS_MARK in output.get("metadata", {}) for output in shown]
    drawing = ["Plotly.newPlot" in output.get("data", {}).get("text/html", "") for output in shown]
    assert (holders.count(True), drawing.count(True)) == (1, charts_of(read(name)))
    assert holders.index(True) < drawing.index(True)
    assert len(json.dumps(executed[name])) < 4_000_000


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_made_of_a_notebook_draws_its_charts_offline(
    executed: dict[str, nbformat.NotebookNode], page: Page, tmp_path: Path
) -> None:
    """What nbconvert makes of the outputs draws every chart, in a wide and a narrow window, asking nobody."""
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(executed["3-time-in-status"])
    path = tmp_path / "run.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>{body}"
    )
    drawn = "document.querySelectorAll('.js-plotly-plot .main-svg .gtitle').length"
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_function(f"{drawn} === {charts_of(read('3-time-in-status'))}")
        widths = page.evaluate(
            "[...document.querySelectorAll('.js-plotly-plot')].map((plot) => plot.clientWidth)"
        )
        assert min(widths) > 0.8 * width


def without_tasks(folder: Path, redis_url: str) -> Path:
    """Export a workspace whose tasks have all been deleted, and with them their time."""
    world = demo_world(tasks=60)
    for key in world.ledger().tasks:
        with suppress(KeyError):  # a subtask, which went with its parent
            world.delete_task(key)
    return export_to(folder, world, redis_url)


def without_time_in_status(folder: Path, redis_url: str) -> Path:
    """Export a workspace on a plan that does not tell time in status."""
    return export_to(folder, demo_world(tasks=300), redis_url, behaviour=Behaviour(time_in_status=False))


def all_in_one() -> nbformat.NotebookNode:
    """Return all notebooks as one, so that they take one kernel."""
    books = [fixed(read(name)) for name in NAMES]
    together = books[0]
    together.cells = [cell for book in books for cell in book.cells]
    for at, cell in enumerate(together.cells):
        cell["id"] = str(at)
    return together


@pytest.mark.slow
def test_the_notebooks_run_where_there_is_little_or_nothing(redis_url: str, tmp_path: Path) -> None:
    """A workspace without tasks, and a plan without time in status: every cell runs, every chart says so."""
    together = all_in_one()
    nbformat.write(together, tmp_path / "all.ipynb")
    made = [
        without_tasks(tmp_path / "empty", redis_url),
        without_time_in_status(tmp_path / "plan", redis_url),
    ]

    def run(data_dir: Path) -> tuple[int, list[str]]:
        target = data_dir / "ran.ipynb"
        ran = execute(tmp_path / "all.ipynb", target, data_dir)
        assert ran.returncode == 0, ran.stderr
        notebook = nbformat.read(target, 4)
        return len(figures(notebook)), failures(notebook)

    with ThreadPoolExecutor(2) as pool:
        shown = list(pool.map(run, made))
    assert shown == [(charts_of(together), [])] * 2


@pytest.mark.slow
def test_without_an_export_a_sentence_says_what_to_run(tmp_path: Path) -> None:
    """No traceback: what is missing, and the command that makes it."""
    ran = execute(FOLDER / "2-workspace-overview.ipynb", tmp_path / "ran.ipynb", tmp_path)
    assert ran.returncode == 1
    notebook = nbformat.read(tmp_path / "ran.ipynb", 4)
    first, error = [o for o in outputs(notebook) if o.output_type in ("execute_result", "error")]
    assert "There is no export in" in first.data["text/html"]
    assert "make demo" in first.data["text/html"]
    assert error.traceback == [f"StorageError: {error.evalue}"]


def test_a_small_story_is_told_in_full(tmp_path: Path) -> None:
    """Another grouping, folder and instant: the chart shows the one task there is."""
    story = Story().list("App", "to do (open) > doing > shipped (closed)").task("Login", "App", "doing 2d")
    story.write(tmp_path / "elsewhere")
    given = {"data_dir": str(tmp_path / "elsewhere"), "by": "space", "now": "2026-11-24T10:00"}
    ran = execute(FOLDER / "3-time-in-status.ipynb", tmp_path / "ran.ipynb", tmp_path / "none", given)
    assert ran.returncode == 0, ran.stderr
    shown = figures(nbformat.read(tmp_path / "ran.ipynb", 4))
    by_space = next(one for one in shown if "How long in each status?" in one["layout"]["title"]["text"])
    assert by_space["layout"]["yaxis"]["ticktext"] == ["Product"]
    assert "24 Nov 2026 10:00 UTC" in by_space["layout"]["title"]["subtitle"]["text"]
    assert by_space["data"][0]["text"] == ["doing<br>3\u00a0days"]
