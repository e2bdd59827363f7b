"""Tables drawn as text, so that a test can show what it expects."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tests.histories import HOUR


def drawn(table: pd.DataFrame, picture: str) -> str:
    """Draw the columns that ``picture`` names in its first line, in its layout, to be compared with it.

    Durations are drawn in hours (``36h``), shares with four digits, instants as ``2026-11-23 10:00``.
    """
    columns = [word.strip() for word in picture.strip().splitlines()[0].split("|")]
    rows = [[_drawn(_column(row, column)) for column in columns] for row in table.to_dict("records")]
    return _aligned([columns, *rows])


def picture(text: str) -> str:
    """Return the expected table as :func:`drawn` draws it, however it was indented and spaced."""
    return _aligned([[word.strip() for word in line.split("|")] for line in text.strip().splitlines()])


def _column(row: dict[Any, Any], name: str) -> Any:
    return row[name] if name in row else row[f"{name}_ms"] / HOUR if row[f"{name}_ms"] is not None else None


def _drawn(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return "-" if value != value else f"{value:.4g}"
    return str(value)


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        " | ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
