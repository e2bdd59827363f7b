"""The notebooks as the tests run them: copies that look from a fixed instant, and the figures stored in them.

``python -m tests.notebooks`` stores anew the figures that the tests compare, after a change that was meant.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat

from clickup_toolkit.demo import Behaviour, DemoServer, World, build_world
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.publish import stop
from clickup_toolkit.settings import Settings
from tests.exporting import settings_for
from tests.fixtures.demo import NOW

__all__ = [
    "COMPARED",
    "FOLDER",
    "NAMES",
    "PRESENT",
    "charts_of",
    "code_cells",
    "demo_world",
    "execute",
    "export_to",
    "fixed",
    "outputs",
    "read",
    "run_all",
    "tags",
    "write_fixed",
]

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
PRESENT = "2026-03-02T10:00"
"""The present of the exported workspace, ``NOW``, as the parameter ``now`` takes it."""
COMPARED = "nbval-check-output"
_KEPT = ("text/html", "text/plain")
_SECONDS = 300


def demo_world(tasks: int = 2500) -> World:
    """Return the workspace that ``make demo`` exports, with its present at ``NOW``."""
    return build_world(tasks=tasks, now=NOW, unreadable=2)


def export_to(
    folder: Path, world: World, redis_url: str | None, *, behaviour: Behaviour | None = None
) -> Path:
    """Export a world as a real run does, embedded server or not; return the data folder."""
    with DemoServer(world, rate_limit=1_000_000, behaviour=behaviour) as server:
        settings = settings_for(server, folder, redis_url or "")
        run_export_sync(replace(settings, redis_url=redis_url))
    return folder


def read(name: str) -> nbformat.NotebookNode:
    """Return a notebook as it is stored."""
    return nbformat.read(FOLDER / f"{name}.ipynb", 4)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", ()))


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return a notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def charts_of(notebook: nbformat.NotebookNode) -> int:
    """Return how many cells draw."""
    return sum("chart_" in cell.source or ".plot" in cell.source for cell in code_cells(notebook))


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return all outputs of a notebook."""
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def fixed(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Let a notebook look from ``PRESENT`` by default."""
    for cell in notebook.cells:
        if "parameters" in tags(cell):
            assert 'now: str = ""' in cell.source
            cell.source = cell.source.replace('now: str = ""', f'now: str = "{PRESENT}"')
    return notebook


def write_fixed(folder: Path) -> None:
    """Write all notebooks into a folder, looking from ``PRESENT``."""
    for name in NAMES:
        nbformat.write(fixed(read(name)), folder / f"{name}.ipynb")


def execute(
    source: Path, target: Path, data_dir: Path, parameters: Mapping[str, object] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a notebook by papermill, from the folder of the target, on the export in ``data_dir``."""
    words: Sequence[str] = [
        word for name, value in (parameters or {}).items() for word in ("-p", name, str(value))
    ]
    command = [sys.executable, "-m", "papermill", str(source), str(target), "--no-progress-bar", *words]
    environ = {**os.environ, "CLICKUP_DATA_DIR": str(data_dir)}
    return subprocess.run(
        command,
        cwd=target.parent,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def run_all(
    names: Sequence[str],
    folder: Path,
    data_dir: Path,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, nbformat.NotebookNode]:
    """Run notebooks by papermill, two at a time, looking from ``PRESENT``; return them executed."""

    def run(name: str) -> nbformat.NotebookNode:
        copy, target = folder / f"{name}.ipynb", folder / f"{name}-ran.ipynb"
        nbformat.write(fixed(read(name)), copy)
        ran = execute(copy, target, data_dir, (parameters or {}).get(name))
        assert ran.returncode == 0, ran.stderr
        return nbformat.read(target, 4)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(run, names), strict=True))


def _store(name: str, executed: nbformat.NotebookNode) -> None:
    """Keep what the compared cells of an executed notebook showed; all other outputs stay out."""
    notebook = read(name)
    ran = {cell["id"]: cell for cell in executed.cells}
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
        if COMPARED in tags(cell):
            cell.outputs = ran[cell["id"]].outputs
            cell.execution_count = ran[cell["id"]].execution_count
            for output in cell.outputs:
                output.data = {kind: output.data[kind] for kind in _KEPT if kind in output.data}
    (FOLDER / f"{name}.ipynb").write_text(nbformat.writes(notebook).rstrip("\n") + "\n", "utf-8")


def _store_all() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        data_dir = export_to(folder / "data", demo_world(), None)
        stop(Settings(data_dir=data_dir))
        for name, executed in run_all(NAMES, folder, data_dir).items():
            _store(name, executed)


if __name__ == "__main__":
    _store_all()
