"""The executed notebooks in ``runs/``: their names, what stands in them, and how many stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from clickup_toolkit.errors import StorageError

__all__ = ["Cell", "drop_unreadable", "make_target", "read_cells", "read_outputs"]

_NAME = re.compile(r"(\d{8}T\d{6}Z)(-\d+)?\.(ipynb|json)")  # others are somebody's own
_TIME = "%Y%m%dT%H%M%SZ"

Cell: TypeAlias = dict[str, Any]  # a cell, or an output of one, as nbformat writes it


def make_target(runs: Path, keep: int) -> Path:
    """Return where the next notebook goes; clear the oldest, so that with it ``keep`` are left.

    Its name is the UTC time, or a second behind the newest one's where the clock was set back: the order of
    names is that of runs. Raises :class:`StorageError` when the folder cannot be made.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        name = _next_name(runs)
        _clear(runs, keep)
        for number in range(1, 1000):
            target = runs / (f"{name}.ipynb" if number == 1 else f"{name}-{number}.ipynb")
            if not target.exists():
                return target
    except OSError as error:
        raise StorageError(
            f"The folder {runs} cannot be written: {error.strerror}.",
            "Free disk space or set CLICKUP_DATA_DIR to a folder that can be written.",
        ) from error
    raise StorageError(f"{runs} already holds {name} a thousand times.", "Look at what starts so many runs.")


def _next_name(runs: Path) -> str:
    now = f"{datetime.now(UTC):{_TIME}}"
    newest = max((found[1] for path in runs.iterdir() if (found := _NAME.fullmatch(path.name))), default="")
    if newest <= now:
        return now
    return f"{datetime.strptime(newest, _TIME).replace(tzinfo=UTC) + timedelta(seconds=1):{_TIME}}"


def _clear(runs: Path, keep: int) -> None:
    """Remove the notebooks that are too many, each with its record."""
    ours = [path for path in runs.iterdir() if _NAME.fullmatch(path.name)]
    kept = set(sorted({path.stem for path in ours}, reverse=True)[: keep - 1])
    for path in ours:
        if path.stem not in kept:
            path.unlink(missing_ok=True)


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
