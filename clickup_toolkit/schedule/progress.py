"""A progress bar for an export, in a terminal or in a notebook that papermill runs."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn, Self, TextIO

from tqdm import tqdm

__all__ = ["ProgressBar"]

_UNITS = {"tasks": "tasks", "time in status": "tasks", "time entries": "entries", "documents": "tasks"}
# No rate: work comes in pages of a hundred, and a stage may tell nothing before its end.
_OF_TOTAL = "{desc}: {percentage:3.0f}% |{bar:30}| {n_fmt} of {total_fmt}{unit} [{elapsed}]"
_COUNTED = "{desc}: {n_fmt}{unit} [{elapsed}]"
_UNCOUNTED = "{desc} [{elapsed}]"
_DELAY = 0.2  # seconds before the first picture; without, every stage would leave a line that says 0


class ProgressBar:
    """One bar for each stage of an export, to pass as ``progress``; a context manager that ends the last.

    ``every`` is the least number of seconds between two pictures: a notebook keeps each of them. ``disable``
    None shows nothing where ``file`` (default: standard error) is no terminal.
    """

    def __init__(
        self, *, file: TextIO | None = None, every: float = 0.1, disable: bool | None = False
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
