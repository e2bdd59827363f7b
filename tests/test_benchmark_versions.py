"""The benchmark of versions at a small size: what it counts and prints; never how long things take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_benchmark_of_versions_runs() -> None:
    """It publishes, reads back, and says what all versions take against one."""
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.versions", "--tasks", "900", "--versions", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    *_, last = process.stdout.splitlines()
    said = re.fullmatch(
        r"One version takes \d\.\d MB, 3 take \d\.\d MB: (1\.\d\d) times as much \(target: .*\)\.", last
    )
    assert said
    assert float(said[1]) < 1.2
    assert len(re.findall(r"^\| 2026110\dT", process.stdout, re.MULTILINE)) == 3
