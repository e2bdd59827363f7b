"""The parts of a page, each tried by itself: one that fails leaves the others standing.

A sentence in its place says so, and the log says where it failed; not with what, since that may be names.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import structlog

from clickup_toolkit.errors import StorageError
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Panel, Table

__all__ = ["Maker", "panels", "tried"]

Maker = Callable[[Narrowed, Links], Panel]
"""Makes a panel of what a page is narrowed to."""

_Made = TypeVar("_Made")
_OF_FILES = (OSError, pa.ArrowException, StorageError)
"""Failures of reading, which concern the whole page: it is read again, or says so."""
_SORRY = "This chart could not be drawn. The log of the server says where it failed."

_log = structlog.get_logger(__name__)


def panels(narrowed: Narrowed, links: Links, makers: Mapping[str, Maker]) -> tuple[Panel, ...]:
    """Return the panels by their keys, in this order; a sentence in place of one that fails."""
    return tuple(tried(key, partial(make, narrowed, links), _failed(key)) for key, make in makers.items())


def tried(part: str, make: Callable[[], _Made], otherwise: _Made) -> _Made:
    """Return what ``make`` makes, ``otherwise`` where that fails. Raises what reading the files raises."""
    try:
        return make()
    except _OF_FILES:
        raise
    except Exception as error:  # whatever a library makes of odd data
        _log.error("dashboard.part_failed", part=part, error=type(error).__name__, at=_place(error))
        return otherwise


def _place(error: Exception) -> str:
    """Return where in our own code something failed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}clickup_toolkit{os.sep}" in frame.filename]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def _failed(key: str) -> Panel:
    heading = key.replace("_", " ").capitalize()
    return Panel(key, heading, "", _SORRY, "", Table((), (), 0), failed=True)
