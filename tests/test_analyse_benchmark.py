"""The benchmark of the measures runs, and measures what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_measures_a_measure_beside_its_floor() -> None:
    """One measure on the small workspace: seconds, memory and rows, and the same of the floor."""
    command = [sys.executable, "-m", "benchmarks.measures", "--quick", "--json", "--measures", "throughput"]
    told = subprocess.run(
        command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True
    )
    (row,) = json.loads(told.stdout)["rows"]
    assert row["measure"] == "throughput"
    assert row["rows"] > 100  # weeks
    assert row["peak_mb"] > row["floor"]["peak_mb"] > 0
    assert min(row["seconds"], row["processor"], row["floor"]["seconds"]) > 0
