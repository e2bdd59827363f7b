"""nbval on the notebooks: the figures of the demo workspace come out as they are stored."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest

from tests.notebooks import COMPARED, NAMES, code_cells, fixed, read, tags

SECONDS = 300
Verdicts = dict[tuple[str, int], bool]


def with_changes(notebook: nbformat.NotebookNode) -> tuple[nbformat.NotebookNode, list[bool]]:
    """Put beside each compared cell one in whose stored output a figure is changed.

    Also returns, for each code cell, whether it should pass.
    """
    cells, should_pass = [], []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            should_pass.append(True)
        if COMPARED in tags(cell):
            changed = deepcopy(cell)
            changed["id"] = f"{cell['id']}-changed"
            change_a_figure(changed)
            cells.append(changed)
            should_pass.append(False)
    notebook.cells = cells
    return notebook, should_pass


def change_a_figure(cell: nbformat.NotebookNode) -> None:
    """Change the last figure of a table, in the table's HTML alone."""
    html = cell.outputs[0].data["text/html"]
    last = list(re.finditer(r"<td>\d", html))[-1].end() - 1
    cell.outputs[0].data["text/html"] = f"{html[:last]}{(int(html[last]) + 1) % 10}{html[last + 1 :]}"


def nbval(folder: Path, names: Sequence[str], data_dir: Path) -> Verdicts:
    """Run nbval on the notebooks in a folder; tell which code cells, counted from 0, pass."""
    report = folder / f"{names[0]}.xml"
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q"]
    command += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    command += [f"--junitxml={report}", *(f"{name}.ipynb" for name in names)]
    environ = {**os.environ, "CLICKUP_DATA_DIR": str(data_dir)}
    ran = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert report.exists(), ran.stdout + ran.stderr
    verdicts = {}
    for case in ET.parse(report).iter("testcase"):
        name, number = case.attrib["classname"].removesuffix(".ipynb"), case.attrib["name"].split()[1]
        verdicts[name, int(number)] = case.find("failure") is None and case.find("error") is None
    return verdicts


@pytest.mark.slow
def test_the_figures_of_the_demo_workspace_come_out_as_they_are_stored(
    demo_export: Path, tmp_path: Path
) -> None:
    """Every cell runs and every stored figure comes out; beside each, a changed one is found out."""
    wanted: Verdicts = {}
    for name in NAMES:
        notebook, should_pass = with_changes(fixed(read(name)))
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        wanted |= {(name, at): passes for at, passes in enumerate(should_pass)}
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(lambda names: nbval(tmp_path, names, demo_export), (NAMES[::2], NAMES[1::2]))
    assert {cell: passes for half in halves for cell, passes in half.items()} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_holds_figures_to_compare_and_no_other_output(name: str) -> None:
    """At least one cell is compared, with a stored table and a count, or nbval would compare nothing."""
    cells = code_cells(read(name))
    compared = [cell for cell in cells if COMPARED in tags(cell)]
    assert compared
    for cell in compared:
        assert [sorted(output.data) for output in cell.outputs] == [["text/html", "text/plain"]]
        assert cell.execution_count
        assert "keep_output" in tags(cell)
    assert not [cell for cell in cells if cell.outputs and cell not in compared]
