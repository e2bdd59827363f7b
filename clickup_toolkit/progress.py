"""A progress bar for an export: in a terminal, in JupyterLab, and in a notebook that papermill runs.

It stands low in the order of the layers, so that schedules and workspaces can both show it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self

from tqdm import tqdm

__all__ = ["Line", "Lines", "ProgressBar", "Stream", "progress_bar"]

_UNITS = {"tasks": "tasks", "time in status": "tasks", "time entries": "entries", "documents": "tasks"}
# No rate: work comes in pages of a hundred, and a stage may tell nothing before its end.
_OF_TOTAL = "{desc}: {percentage:3.0f}% |{bar:30}| {n_fmt} of {total_fmt}{unit} [{elapsed}]"
_COUNTED = "{desc}: {n_fmt}{unit} [{elapsed}]"
_UNCOUNTED = "{desc} [{elapsed}]"
_DELAY = 0.2  # seconds before the first picture; without, every stage would leave a line that says 0


class Stream(Protocol):
    """What a bar writes to."""

    def write(self, text: str, /) -> object:
        """Write a picture of the bar."""

    def flush(self) -> object:
        """Show what was written."""


Line = Callable[[str], None]
"""Shows a text in place of the one that it showed before."""


class Lines:
    """A stream that shows each line as an output of its own, which changes in place.

    A notebook keeps the last picture alone, and in no red box, as it gives what is written to standard error.
    ``begin`` makes a line.
    """

    encoding = "utf-8"

    def __init__(self, begin: Callable[[], Line]) -> None:
        self._begin = begin
        self._line: Line | None = None

    def write(self, text: str) -> None:
        """Show what is written after the last return of the carriage; a new line ends the output."""
        picture = text.strip("\n").split("\r")[-1].rstrip()
        if picture:
            self._line = self._line or self._begin()
            self._line(picture)
        if text.endswith("\n"):
            self._line = None

    def flush(self) -> None:
        """Do nothing: every picture is shown at once."""


def progress_bar() -> ProgressBar:
    """Return the bar that fits where it is asked for: in a notebook, in a terminal, or for nobody."""
    if _kernel() is None:
        return ProgressBar(disable=None)
    return ProgressBar(file=Lines(_output), every=0.5)


def _kernel() -> object:
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)


def _output() -> Line:
    """Begin an output of the running cell that can be written anew."""
    from IPython.display import display

    handle: Any = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return lambda text: handle.update({"text/plain": text}, raw=True)


class ProgressBar:
    """One bar for each stage of an export, to pass as ``progress``; a context manager that ends the last.

    ``every`` is the least number of seconds between two pictures: a notebook keeps each of them. ``disable``
    None shows nothing where ``file`` (default: standard error) is no terminal.
    """

    def __init__(
        self, *, file: Stream | None = None, every: float = 0.1, disable: bool | None = False
    ) -> None:
        self._file = file
        self._every = every
        self._disable = disable
        self._stage = ""
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show that ``done`` of ``total`` are done in ``stage``; ``total`` is None where nobody knows it."""
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage, self._bar = stage, self._begin(stage, total)
        self._bar.update(done - self._bar.n)

    def _begin(self, stage: str, total: int | None) -> tqdm[NoReturn]:
        return tqdm(
            desc=stage,
            total=total,
            unit=f" {_UNITS.get(stage, '')}",
            bar_format=_OF_TOTAL if total else _COUNTED if stage in _UNITS else _UNCOUNTED,
            file=self._file,
            mininterval=self._every,
            maxinterval=max(10.0, self._every),
            delay=_DELAY,
            disable=self._disable,
        )

    def close(self, *, whole: bool = True) -> None:
        """End the bar, leaving its last picture; ``whole`` says that its stage came to its end."""
        if self._bar is None:
            return
        if whole and self._bar.total:
            self._bar.update(self._bar.total - self._bar.n)
        self._bar.delay = 0  # a stage shorter than the delay leaves its line too
        self._bar.close()
        self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(whole=error is None)
