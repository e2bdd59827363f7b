"""The notebooks: thin, clean, and showing their charts from any folder, without a foreign host."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Page

from clickup_toolkit.charts.offline import PLOTLY_JS_MARK
from tests.histories import Story, believable

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
TIME_IN_STATUS = FOLDER / "3-time-in-status.ipynb"
SECONDS = 120


def code_cells(notebook: str) -> list[nbformat.NotebookNode]:
    """Return a notebook's code cells."""
    return [cell for cell in nbformat.read(FOLDER / notebook, 4).cells if cell.cell_type == "code"]


def papermill(target: Path, cwd: Path, *arguments: str, data_dir: Path) -> nbformat.NotebookNode:
    """Run the notebook by papermill from ``cwd``; return the executed notebook."""
    command = [sys.executable, "-m", "papermill", str(TIME_IN_STATUS), str(target), *arguments]
    environ = {**os.environ, "CLICKUP_DATA_DIR": str(data_dir)}
    ran = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return nbformat.read(target, 4)


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return all outputs of a notebook."""
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def figures(notebook: nbformat.NotebookNode) -> list[dict[str, object]]:
    """Return the figures that a notebook shows, as plotly's JSON."""
    kind = "application/vnd.plotly.v1+json"
    return [output.data[kind] for output in outputs(notebook) if kind in output.get("data", {})]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_tells_and_the_package_does(notebook: str) -> None:
    """No function or class is defined in a cell, nothing but the package is imported."""
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
            if isinstance(node, ast.ImportFrom):
                assert node.module == "clickup_toolkit"
            assert not isinstance(node, ast.Import)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_has_one_cell_of_parameters_each_with_type_default_and_help(notebook: str) -> None:
    """papermill and people read the same lines; a secret is no parameter."""
    cells = [cell for cell in code_cells(notebook) if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    for line in cells[0].source.splitlines():
        assert re.fullmatch(r"[a-z_]+: (str|int|float|bool) = \S+  # \S.*", line), line
        assert not re.search("token|secret|password|key", line, re.IGNORECASE)


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_names_its_kernel(notebook: str) -> None:
    """What nbstripout would take out is not there; the kernel, without which nothing runs, is."""
    command = [sys.executable, "-m", "nbstripout", "--verify", "--keep-count"]
    command += ["--extra-keys", "metadata.language_info.version", str(FOLDER / notebook)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert nbformat.read(FOLDER / notebook, 4).metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_names_no_place_on_a_disk(notebook: str) -> None:
    """It runs in whatever folder it lies: no path in it, and it ends with what to try next."""
    text = (FOLDER / notebook).read_text("utf-8")
    assert not re.search(r"\.\./|[\"' (]/(home|root|Users|tmp)/|[A-Z]:\\\\", text)
    assert nbformat.read(FOLDER / notebook, 4).cells[-1].source.startswith("## What to try next")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """Return the notebook, run on a company's history from a folder that has nothing to do with it."""
    folder = tmp_path_factory.mktemp("executed")
    return papermill(folder / "run.ipynb", folder, data_dir=believable(400).write(folder / "data"))


def test_the_notebook_says_in_a_sentence_where_work_waits(executed: nbformat.NotebookNode) -> None:
    """The first thing after what the workspace is, is the answer."""
    told = [output.data for output in outputs(executed) if output.output_type == "execute_result"]
    assert "400 tasks" in told[0]["text/html"]
    assert re.match(
        r"Unfinished work has spent more time in \*\*\w.*\*\* \(.*\) than", told[1]["text/markdown"]
    )


def test_the_notebook_shows_its_charts_and_holds_plotly_once(executed: nbformat.NotebookNode) -> None:
    """Five charts, each as JSON, as HTML and as its question; plotly.js comes once, before the first."""
    assert [figure["layout"]["title"]["text"] for figure in figures(executed)] == [
        "<b>Where does unfinished work wait?</b>",
        "<b>How long has work been waiting?</b>",
        "<b>How long in each status?</b>",
        "<b>How long may a status take?</b>",
        "<b>Which queue grows?</b>",
    ]
    holders = [PLOTLY_JS_MARK in output.get("metadata", {}) for output in outputs(executed)]
    drawing = [
        "Plotly.newPlot" in output.get("data", {}).get("text/html", "") for output in outputs(executed)
    ]
    assert (holders.count(True), drawing.count(True)) == (1, 5)
    assert holders.index(True) < drawing.index(True)
    assert len(json.dumps(executed)) < 3_000_000


@pytest.mark.browser
def test_a_page_made_of_the_notebook_draws_its_charts_offline(
    executed: nbformat.NotebookNode, page: Page, tmp_path: Path
) -> None:
    """What nbconvert makes of the outputs draws every chart, in a wide and a narrow window, asking nobody."""
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(executed)
    path = tmp_path / "run.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>{body}"
    )
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg .gtitle').length === 5")
        widths = page.evaluate(
            "[...document.querySelectorAll('.js-plotly-plot')].map((plot) => plot.clientWidth)"
        )
        assert min(widths) > 0.8 * width


def test_the_notebook_takes_parameters(tmp_path: Path) -> None:
    """Another grouping, folder and instant, by papermill's -p; from an empty environment."""
    story = Story().list("App", "to do (open) > doing > shipped (closed)").task("Login", "App", "doing 2d")
    story.write(tmp_path / "elsewhere")
    parameters = {"data_dir": str(tmp_path / "elsewhere"), "by": "space", "now": "2026-11-24T10:00"}
    arguments = [word for name, value in parameters.items() for word in ("-p", name, value)]
    run = papermill(tmp_path / "run.ipynb", tmp_path, *arguments, data_dir=tmp_path / "none")
    by_space = figures(run)[2]
    assert by_space["layout"]["yaxis"]["ticktext"] == ["Product"]
    assert "24 Nov 2026 10:00 UTC" in by_space["layout"]["title"]["subtitle"]["text"]
    assert by_space["data"][0]["text"] == ["doing<br>3\u00a0days"]


def test_the_notebook_runs_on_an_empty_workspace(tmp_path: Path) -> None:
    """nbval runs every cell in the notebook's own folder, on an export without a single task."""
    shutil.copy(TIME_IN_STATUS, tmp_path)
    Story().gap("time_in_status", "Not on this plan").write(tmp_path / "data")
    environ = {name: value for name, value in os.environ.items() if name != "CLICKUP_DATA_DIR"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(tmp_path), TIME_IN_STATUS.name],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "10 passed" in ran.stdout
