"""Progress of many exports on the terminal, a line for each that runs, and the table at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import NoReturn, Self, TextIO

import msgspec
from tqdm import tqdm

from clickup_toolkit.fleet.news import News
from clickup_toolkit.fleet.outcome import Outcome

__all__ = ["FleetProgress", "as_json", "describe"]

_LINES = 20  # more would not fit; the others are counted in the first line
_WIDTH = 24  # of a name
_ALL = "{desc}: {n_fmt} of {total_fmt} |{bar:30}| [{elapsed}]"
_OF_TOTAL = "  {desc}: {percentage:3.0f}% |{bar:20}| {n_fmt} of {total_fmt}"
_COUNTED = "  {desc}: {n_fmt}"
_UNCOUNTED = "  {desc}"
_HEAD = ("workspace", "id", "outcome", "version", "tasks", "changed", "requests", "seconds")
_TEXTS = 4  # the first columns; the others are numbers


class FleetProgress:
    """A bar for all workspaces, and a line for each that is being exported; to pass as ``watch``.

    ``names`` are the workspaces' names by id. A context manager. ``disable`` None shows nothing where
    ``file`` (default: standard error) is no terminal.
    """

    def __init__(
        self, names: Mapping[str, str], *, file: TextIO | None = None, disable: bool | None = None
    ) -> None:
        self._names = names
        self._file, self._disable = file, disable
        self._lock = threading.RLock()  # news come in a thread of the cluster's client
        self._lines: dict[str, tqdm[NoReturn]] = {}
        self._ended: set[str] = set()
        self._all = self._bar("workspaces", _ALL, len(names))

    def __call__(self, news: News) -> None:
        """Show what is being done for a workspace."""
        with self._lock:
            if not news.stage or news.team_id in self._ended:
                self._end(news.team_id)
            elif news.team_id in self._lines or len(self._lines) < _LINES:
                self._show(news)

    def ended(self, outcome: Outcome) -> None:
        """Show what came of a workspace."""
        with self._lock:
            self._ended.add(outcome.team_id)
            self._end(outcome.team_id)
            if not self._all.disable:
                tqdm.write(_sentence(outcome), file=self._all.fp)
            self._all.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            for team in list(self._lines):
                self._end(team)
            self._all.close()

    def _show(self, news: News) -> None:
        if news.team_id not in self._lines:
            self._lines[news.team_id] = self._bar("", _UNCOUNTED, None)
        bar = self._lines[news.team_id]
        bar.bar_format = _OF_TOTAL if news.total else _COUNTED if news.done else _UNCOUNTED
        bar.total, bar.n = news.total, news.done
        name = self._names.get(news.team_id, news.team_id)[:_WIDTH]
        bar.set_description_str(f"{name:{_WIDTH}} {news.stage}")

    def _end(self, team: str) -> None:
        bar = self._lines.pop(team, None)
        if bar is not None:
            bar.close()

    def _bar(self, said: str, form: str, total: int | None) -> tqdm[NoReturn]:
        return tqdm(
            desc=said,
            bar_format=form,
            total=total,
            file=self._file,
            disable=self._disable,
            leave=form == _ALL,
        )


def as_json(outcome: Outcome) -> str:
    """Return an outcome as one line of JSON."""
    return msgspec.json.encode(outcome).decode()


def describe(outcomes: Iterable[Outcome]) -> str:
    """Return a table of all outcomes by name, and below it what failed and what to do about it."""
    found = sorted(outcomes, key=lambda each: (each.name, each.team_id))
    rows = [_HEAD, *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join([*(_line(row, widths) for row in rows), *_total(found), *_failures(found)])


def _row(outcome: Outcome) -> tuple[str, ...]:
    state = f"{outcome.gaps} gaps" if outcome.state == "gaps" else outcome.state
    numbers = (outcome.tasks, outcome.changed, outcome.requests)
    return (
        outcome.name,
        outcome.team_id,
        f"{state}, was there" if outcome.again else state,
        outcome.version or "-",
        *(f"{number:,}" for number in numbers),
        f"{outcome.seconds:,.1f}",
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        cell.ljust(width) if column < _TEXTS else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _total(outcomes: list[Outcome]) -> Iterator[str]:
    states = [outcome.state for outcome in outcomes]
    count = f"{len(states):,} workspace{'s' * (len(states) != 1)}"
    counts = f"{states.count('complete')} complete, {states.count('gaps')} with gaps"
    requests = sum(outcome.requests for outcome in outcomes)
    yield ""
    yield f"{count}: {counts}, {states.count('failed')} failed; {requests:,} requests"


def _failures(outcomes: list[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.state == "failed":
            yield f"  {outcome.name}: {outcome.message}"
            if outcome.remedy:
                yield f"    → {outcome.remedy}"


def _sentence(outcome: Outcome) -> str:
    if outcome.state == "failed":
        return f"{outcome.name}: failed. {outcome.message}"
    gaps = f", {outcome.gaps} gaps" if outcome.gaps else ""
    return f"{outcome.name}: version {outcome.version}, {outcome.tasks:,} tasks{gaps}"
