"""The crawl's benchmark at its smallest size: what it counts and prints; never how long things take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._tables import show
from benchmarks.crawl import SIZES, Limited, Row, targets

ROOT = Path(__file__).parent.parent


def row(size: str, mode: str, **changes: float) -> Row:
    """Return an export that meets every target, but for ``changes``."""
    facts = {"requests": 90, "throttled": 0, "processor": 9.0, "peak_mb": 200.0, **changes}
    return Row(size, mode, SIZES[size].tasks, 10, 0, int(facts["requests"]), int(facts["throttled"]),
               facts["processor"], 3.0, 3.0, 0.1, 12.0, 5.0, facts["peak_mb"], {"user": 1})  # fmt: skip


@pytest.mark.slow
def test_the_benchmark_runs_and_its_counts_add_up() -> None:
    """At its smallest size it measures both kinds of export beside their floors, and one rate limit."""
    process = subprocess.run(
        [sys.executable, "benchmarks/crawl.py", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    figures = json.loads(process.stdout)
    assert list(figures) == ["machine", "sizes", "limits", "targets"]
    assert [(found["mode"], found["tasks"]) for found in figures["sizes"]] == [
        ("full", SIZES["tiny"].tasks),
        ("incremental", SIZES["tiny"].tasks),
    ]
    for found in figures["sizes"]:
        assert found["throttled"] == 0
        assert sum(found["streams"].values()) <= found["requests"]
        assert min(found["processor"], found["floor"], found["wall"], found["peak_mb"]) > 0
    (limited,) = figures["limits"]
    assert limited["requests"] == figures["sizes"][0]["requests"]
    assert (limited["throttled"], limited["limit"]) == (0, 60)
    assert limited["wall"] > 2 * limited["window"]
    assert figures["targets"] == [{"what": "429 answers", "most": 0, "measured": 0, "met": True}]


def test_every_figure_is_held_to_its_target() -> None:
    """Targets follow from the sizes that were measured; one that is missed says so in the table."""
    rows = [
        row("medium", "full", requests=1_251),
        row("medium", "incremental"),
        row("large", "full", peak_mb=221.0),
    ]
    timed = [
        Limited(100, 60.0, "modest", 0.05, requests=250, throttled=1, wall=126.0, ideal=121.0, allowed=126.63)
    ]
    found = targets(rows, timed)
    assert [(target.what, target.met) for target in found] == [
        ("requests of a full export of the medium workspace", False),
        ("processor seconds of it", True),
        ("MB at its peak", True),
        ("requests of an incremental one in which nothing changed", True),
        ("MB at the peak of the large workspace", False),
        ("seconds at 100 a minute", True),
        ("429 answers", False),
    ]


def test_what_is_printed_are_tables_that_can_stand_in_the_docs() -> None:
    """Every line of a table has as many cells as its head, and numbers stand to the right."""
    machine = {"system": "Linux", "cores": 2, "python": "3", "load_before": 0.1, "load_after": 1.0}
    target = {"what": "429 answers", "most": 0, "measured": 2, "met": False}
    sizes = [vars(row("medium", "full"))]
    text = show({"machine": machine, "sizes": sizes, "limits": [], "targets": [target]})
    assert text.splitlines()[0] == "Linux, 2 cores, Python 3; load 0.1 before, 1.0 after."
    tables = text.split("\n\n")[1:]
    assert [{line.count("|") for line in table.splitlines()} for table in tables] == [{12}, {3}, {5}]
    assert tables[-1].splitlines()[-1] == "| 429 answers |       0 |        2 | MISSED |"
