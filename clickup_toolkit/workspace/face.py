"""How a workspace shows itself: its name, how fresh it is, what it holds, what is missing."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Protocol

import pandas as pd

from clickup_toolkit.analyse import duration
from clickup_toolkit.errors import StorageError

__all__ = ["line", "no_export", "page"]

_COUNTED = (("tasks", "task"), ("time_entries", "time entry"), ("members", "member"), ("lists", "list"))
_SHOWN_GAPS = 5


class _Shown(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def exported(self) -> datetime: ...

    @property
    def part(self) -> str: ...

    def table(self, name: str) -> pd.DataFrame: ...


def line(workspace: _Shown, clock: datetime) -> str:
    """Return one line: name, age of the export, counts."""
    return " · ".join([workspace.name, *_facts(workspace, clock)])


def page(workspace: _Shown, clock: datetime) -> str:
    """Return the same as HTML, with the first gaps and their remedies, folded."""
    facts = html.escape(" · ".join(_facts(workspace, clock)))
    return f"<p><b>{html.escape(workspace.name)}</b><br>{facts}</p>{_gaps(workspace.table('gaps'))}"


def no_export(error: StorageError) -> str:
    """Return as HTML that there is nothing to show yet, and what to do."""
    return f"<p><b>{html.escape(error.message)}</b><br>{html.escape(error.remedy)}</p>"


def _facts(workspace: _Shown, clock: datetime) -> list[str]:
    exported = workspace.exported
    age = duration(max((clock - exported).total_seconds(), 0) * 1000)
    when = f"exported {exported.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {age} ago"
    part = [f"part: {workspace.part}"] if workspace.part else []
    return [
        when,
        *part,
        *(_count(len(workspace.table(table)), noun) for table, noun in _COUNTED),
        _missing(workspace),
    ]


def _missing(workspace: _Shown) -> str:
    gaps = len(workspace.table("gaps"))
    return _count(gaps, "gap") if gaps else "no gaps"


def _count(number: int, noun: str) -> str:
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def _gaps(gaps: pd.DataFrame) -> str:
    if gaps.empty:
        return ""
    first = gaps.head(_SHOWN_GAPS)[["what", "message", "remedy"]].itertuples(index=False)
    told = "".join(
        f"<li>{html.escape(f'{what}: {message}. {remedy}'.replace('..', '.'))}</li>"
        for what, message, remedy in first
    )
    left = len(gaps) - _SHOWN_GAPS
    more = f"<li>and {left:,} more: <code>ws.gaps</code></li>" if left > 0 else ""
    counted = _count(len(gaps), "thing")
    return f"<details><summary>{counted} could not be read</summary><ul>{told}{more}</ul></details>"
