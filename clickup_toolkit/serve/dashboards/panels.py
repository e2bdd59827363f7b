"""What a dashboard is made of, in plain values that a template shows and a cache can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from clickup_toolkit.serve.dashboards.filters import Filters

__all__ = ["Board", "Cell", "Change", "Choice", "Fact", "Option", "Panel", "Table", "Told"]


class Cell(NamedTuple):
    """A cell of a table: its text, and where it leads; ``number`` stands to the right."""

    text: str
    href: str = ""
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table in words; ``total`` is how many rows there are, of which the first are shown."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int


@dataclass(frozen=True)
class Panel:
    """A chart with all that stands around it.

    ``figure`` is the JSON of the figure, of its dark dress and of where its marks lead; empty where there is
    nothing to draw, which ``summary`` then says. ``of_period`` tells whether the period applies, ``failed``
    whether the panel could not be made.
    """

    key: str
    heading: str
    said: str
    summary: str
    figure: str
    table: Table
    source: str = ""
    height: int = 0
    of_period: bool = True
    wide: bool = False
    failed: bool = False


class Fact(NamedTuple):
    """A figure that stands by itself, with what it is and a remark."""

    name: str
    value: str
    remark: str = ""
    href: str = ""


class Option(NamedTuple):
    """Something that can be chosen; ``tasks`` is how many it has."""

    id: str
    name: str
    tasks: int


@dataclass(frozen=True)
class Choice:
    """A filter: what can be chosen, what is; ``more`` is how many others there are."""

    kind: str
    name: str
    options: tuple[Option, ...]
    chosen: tuple[Option, ...]
    more: int = 0


@dataclass(frozen=True)
class Change:
    """Tasks that something happened to since the export before."""

    name: str
    count: int
    tasks: Table
    href: str = ""


@dataclass(frozen=True)
class Told:
    """What a page says beside its charts; the overview alone tells of changes and gaps."""

    facts: tuple[Fact, ...] = ()
    panels: tuple[Panel, ...] = ()
    sentence: str = ""
    since: datetime | None = None
    changes: tuple[Change, ...] = ()
    gaps: tuple[tuple[str, str, str, str, str], ...] = ()


@dataclass(frozen=True)
class Board:
    """A page, computed: of which version, narrowed to what, and what it says."""

    version: str
    as_of: datetime
    mode: str
    complete: bool
    filters: Filters
    problems: tuple[str, ...]
    choices: tuple[Choice, ...]
    tasks: int
    told: Told = field(default_factory=Told)

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        cells = sum(len(panel.table.rows) * len(panel.table.headings) for panel in self.told.panels)
        options = sum(len(choice.options) for choice in self.choices)
        return sum(len(panel.figure) for panel in self.told.panels) + 200 * (cells + options) + 10_000
