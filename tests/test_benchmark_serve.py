"""The benchmark of serving at its smallest size: what it counts and prints; never how long things take."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._serve_tables import show
from benchmarks.serve import FirstByte, Memory, Published, Rate, targets

ROOT = Path(__file__).parent.parent


def figures(
    *, ratio: float = 1.0, wait: float = 1.0, most: float = 90.0, failed: int = 0, versions: int = 5
) -> list[str]:
    """Return the outcome for each target: met or MISSED."""
    sides = ["one process", "nginx with the cache", "nginx with the cache, TLS"]
    rates = [Rate("large", "file", 1000, 50, None), *(Rate("large", side, 1000, 50, ratio) for side in sides)]
    waits = [
        FirstByte("large", "file", 1, 2, None),
        *(FirstByte("large", side, 1, 2, wait) for side in sides),
    ]
    memory = [Memory(20, 70, 90), Memory(200, 70, most)]
    published = [Published("one process", versions, 30, failed, 0)]
    return [
        f"{target.what}: {'met' if target.met else 'MISSED'}"
        for target in targets(rates, waits, memory, published)
    ]


def test_every_figure_is_held_to_its_target() -> None:
    """Each target is met or missed by its own figure alone."""
    assert not [line for line in figures() if "MISSED" in line]
    slow = [line for line in figures(ratio=0.7) if "MISSED" in line]
    assert slow == [
        "rate of nginx with the cache, of the file's: MISSED",
        "rate of nginx with the cache, TLS, of the file's: MISSED",
    ]
    assert len([line for line in figures(ratio=0.5) if "MISSED" in line]) == 3
    assert len([line for line in figures(wait=1.5) if "MISSED" in line]) == 3
    assert len([line for line in figures(most=155) if "MISSED" in line]) == 1
    assert len([line for line in figures(failed=1) if "MISSED" in line]) == 1
    assert len([line for line in figures(versions=4) if "MISSED" in line]) == 1


@pytest.mark.slow
def test_the_benchmark_runs_and_its_counts_add_up() -> None:
    """At its smallest size it measures all sides, both memories, and answers while versions are published."""
    if not (shutil.which("nginx") and shutil.which("openssl")):
        pytest.skip("nginx and openssl are needed: apt-get install nginx-light openssl")
    process = subprocess.run(
        [sys.executable, "benchmarks/serve.py", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert list(found) == ["machine", "rates", "first_bytes", "memory", "published", "targets"]
    for rows in (found["rates"], found["first_bytes"]):
        assert [(row["side"], row["ratio"] is None) for row in rows] == [
            ("file", True),
            ("one process", False),
            ("nginx with the cache", False),
            ("file, TLS", True),
            ("nginx with the cache, TLS", False),
        ]
    assert [row["size"] for row in found["memory"]] == [1.0, 3.0]
    for row in found["published"]:
        assert row["versions"] > 0
        assert row["answers"] > 0
        assert (row["failed"], row["mixed"]) == (0, 0)
    assert "| target " in show(found)
