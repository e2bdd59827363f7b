"""The figures of serving as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks._tables import machine, table

__all__ = ["show"]


def show(figures: Mapping[str, Any]) -> str:
    """Return all figures as text."""
    parts = [
        machine(figures["machine"]),
        _speeds(figures["rates"], figures["first_bytes"]),
        _memory(figures["memory"]),
        _published(figures["published"]),
        _targets(figures["targets"]),
    ]
    return "\n\n".join(parts)


def _speeds(rates: Sequence[Mapping[str, Any]], waits: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "document, from",
        "MB/s",
        "requests/s",
        "of the file's",
        "first byte ms",
        "p99 ms",
        "by the file's",
    ]
    rows = [
        [
            f"{rate['document']}, {rate['side']}",
            f"{rate['megabytes']:,.0f}",
            f"{rate['requests']:,.0f}",
            _ratio(rate["ratio"]),
            f"{wait['p50']:.2f}",
            f"{wait['p99']:.2f}",
            _ratio(wait["ratio"]),
        ]
        for rate, wait in zip(rates, waits, strict=True)
    ]
    return table(head, rows)


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _memory(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ["memory of our process", "MB before", "MB at most"]
    return table(
        head,
        [[f"a document of {row['size']:g} MB", f"{row['before']:.0f}", f"{row['most']:.0f}"] for row in rows],
    )


def _published(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ["while versions are published", "versions", "answers", "failed", "of a mixed body"]
    cells = ("versions", "answers", "failed", "mixed")
    return table(head, [[row["side"], *(f"{row[cell]:,}" for cell in cells)] for row in rows])


def _targets(rows: Sequence[Mapping[str, Any]]) -> str:
    return table(
        ["target", "bound", "measured", ""],
        [
            [row["what"], row["bound"], f"{row['measured']:,.3g}", "met" if row["met"] else "MISSED"]
            for row in rows
        ],
    )
