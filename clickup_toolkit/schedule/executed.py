"""The executed notebooks in ``runs/``: where the next one goes, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from clickup_toolkit.errors import StorageError
from clickup_toolkit.store import next_run

__all__ = ["Cell", "drop_unreadable", "make_target", "read_cells", "read_outputs"]

Cell: TypeAlias = dict[str, Any]  # a cell, or an output of one, as nbformat writes it


def make_target(runs: Path, keep: int) -> Path:
    """Return where the next notebook goes; clear the oldest, so that with it ``keep`` are left.

    Raises :class:`StorageError` when the folder cannot be written.
    """
    try:
        return runs / f"{next_run(runs, keep)}.ipynb"
    except OSError as error:
        raise StorageError(
            f"The folder {runs} cannot be written: {error.strerror}.",
            "Free disk space or set CLICKUP_DATA_DIR to a folder that can be written.",
        ) from error


def drop_unreadable(target: Path) -> None:
    """Remove what is left of a notebook that could not be written whole."""
    if not read_cells(target):
        with suppress(OSError):
            target.unlink(missing_ok=True)


def read_outputs(executed: Path) -> Iterator[Cell]:
    """Return the outputs of all cells, in their order."""
    for cell in read_cells(executed):
        yield from cell.get("outputs", ())


def read_cells(executed: Path) -> list[Cell]:
    """Return the cells of a notebook; none where there is no notebook, or half a one."""
    try:
        cells: list[Cell] = json.loads(executed.read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return cells
