"""Figures as Markdown tables, so that what is printed can stand in the docs as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["machine", "show", "table"]


def show(figures: Mapping[str, Any]) -> str:
    """Return all figures as text."""
    parts = [machine(figures["machine"])]
    if figures["sizes"]:
        parts += [_sizes(figures["sizes"]), _streams(figures["sizes"])]
    if figures["limits"]:
        parts.append(_limits(figures["limits"]))
    return "\n\n".join([*parts, _targets(figures["targets"])])


def machine(facts: Mapping[str, Any]) -> str:
    """Return a line about where and under which load figures were measured."""
    return (
        f"{facts['system']}, {facts['cores']} cores, Python {facts['python']}; "
        f"load {facts['load_before']} before, {facts['load_after']} after."
    )


def _sizes(rows: Sequence[Mapping[str, Any]]) -> str:
    head = [
        *("tasks", "export", "requests", "429s", "processor s", "floor s", "ratio"),
        *("wall s", "floor's wall s", "peak MB", "Redis s"),
    ]
    return table(
        head,
        [
            [
                f"{row['tasks']:,}",
                row["mode"],
                f"{row['requests']:,}",
                str(row["throttled"]),
                f"{row['processor']:.1f}",
                f"{row['floor']:.1f}",
                f"{row['ratio']:.1f}",
                f"{row['wall']:.1f}",
                f"{row['floor_wall']:.1f}",
                f"{row['peak_mb']:.0f}",
                f"{row['server_of_versions']:.1f}",
            ]
            for row in rows
        ],
    )


def _streams(rows: Sequence[Mapping[str, Any]]) -> str:
    names = sorted({name for row in rows for name in row["streams"]})
    head = ["answers by stream", *(f"{row['tasks']:,} {row['mode']}" for row in rows)]
    return table(head, [[name, *(f"{row['streams'].get(name, 0):,}" for row in rows)] for name in names])


def _limits(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ["limit", "window s", "workspace", "requests", "429s", "wall s", "ideal s", "allowed s"]
    return table(
        head,
        [
            [
                f"{row['limit']:,}",
                f"{row['window']:g}",
                row["size"],
                f"{row['requests']:,}",
                str(row["throttled"]),
                f"{row['wall']:.1f}",
                f"{row['ideal']:.1f}",
                f"{row['allowed']:.1f}",
            ]
            for row in rows
        ],
    )


def _targets(rows: Sequence[Mapping[str, Any]]) -> str:
    return table(
        ["target", "at most", "measured", ""],
        [
            [row["what"], f"{row['most']:,.4g}", f"{row['measured']:,.4g}", "met" if row["met"] else "MISSED"]
            for row in rows
        ],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: the first column to the left, the others to the right."""
    widths = [max(len(line[at]) for line in [head, *rows]) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])
