"""What the measures cost: seconds and memory of each on a large workspace, beside the floor.

``python -m benchmarks.measures`` makes the Parquet files of a synthetic workspace of a million tasks, once,
in the temporary folder, and runs each measure in a process of its own: it reads what the measure needs with
:func:`clickup_toolkit.analyse.tables_for` and measures. The floor is a process that reads the same columns
of the same files with pyarrow, nothing else.

Seconds are wall time from the first byte read to the result, without Python's start and the imports;
processor is user and system time of the same; memory is the most that the whole process held. Figures are
those of this machine at this moment: see the load that is printed.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks._tables import table
from benchmarks._workspace import NOW_MS, make

MOST_SECONDS = 5.0
MOST_MB = 1024.0

MORE: dict[str, dict[str, Any]] = {
    "forecast_how_many": {"until": date(2026, 12, 24)},
    "forecast_when": {"items": 1000},
}
"""What some measures are asked beside their tables."""
BESIDE = {
    "time_in_status": (
        "cumulative_flow",
        "finished_work",
        "forecast_how_many",
        "forecast_when",
        "lead_and_cycle_time",
        "littles_law",
        "net_flow",
        "service_level_expectation",
        "throughput",
        "throughput_samples",
        "work_in_progress",
        "work_item_age",
    )
}
"""A table that some measures read for boundaries of cycle time other than ClickUp's own: not by default."""


@click.command(context_settings={"show_default": True})
@click.option("--tasks", default=1_000_000, help="Tasks of the workspace.")
@click.option("--measures", default="", help="Names, apart by commas; '' for all.")
@click.option("--quick", is_flag=True, help="A workspace of 10,000 tasks.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one line of JSON instead.")
@click.option("--one", default="", hidden=True)
@click.option("--floor", is_flag=True, hidden=True)
@click.option("--folder", type=click.Path(path_type=Path), hidden=True)
def main(
    tasks: int, measures: str, quick: bool, as_json: bool, one: str, floor: bool, folder: Path | None
) -> None:
    """Measure the measures, and print the figures beside the targets."""
    if one:
        assert folder is not None
        print(json.dumps(_floor(one, folder) if floor else _measure(one, folder)))
        return
    from clickup_toolkit.analyse import COLUMNS

    size = 10_000 if quick else tasks
    folder = make(Path(tempfile.gettempdir()) / "clickup-measures" / str(size), size)
    before = os.getloadavg()[0]
    names = [name for name in measures.split(",") if name] or sorted(COLUMNS)
    rows = [{"measure": name, **_run(name, folder), "floor": _run(name, folder, "--floor")} for name in names]
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": round(before, 1)}
    machine |= {"load_after": round(os.getloadavg()[0], 1)}
    click.echo(json.dumps({"machine": machine, "rows": rows}) if as_json else _shown(size, machine, rows))


def _run(name: str, folder: Path, *more: str) -> dict[str, Any]:
    print(f"… {name} {' '.join(more)}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "benchmarks.measures", "--one", name, "--folder", str(folder), *more]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, Any] = json.loads(told)
    return figures


def _measure(name: str, folder: Path) -> dict[str, Any]:
    """Run a measure in this process."""
    import pandas  # noqa: F401  # imports are not what is measured
    import pyarrow.dataset  # noqa: F401

    from clickup_toolkit import analyse

    paths = _paths(name, folder)
    wall, processor = time.monotonic(), time.process_time()
    tables = analyse.tables_for(name, paths)
    told = getattr(analyse, name)(
        **tables, **MORE.get(name, {}), now=datetime.fromtimestamp(NOW_MS / 1000, UTC)
    )
    return _figures(wall, processor) | {"rows": len(told)}


def _floor(name: str, folder: Path) -> dict[str, Any]:
    """Read the same columns in this process, and do nothing with them."""
    import pyarrow.parquet as pq

    from clickup_toolkit.analyse import COLUMNS

    paths = _paths(name, folder)
    wall, processor = time.monotonic(), time.process_time()
    for each, columns in COLUMNS[name].items():
        if each in paths:
            there = set(pq.read_schema(paths[each]).names)
            pq.read_table(paths[each], columns=[column for column in columns if column in there])
    return _figures(wall, processor)


def _paths(name: str, folder: Path) -> dict[str, Path]:
    paths = {path.stem: path for path in folder.glob("*.parquet")}
    return {table: path for table, path in paths.items() if name not in BESIDE.get(table, ())}


def _figures(wall: float, processor: float) -> dict[str, float]:
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {
        "seconds": time.monotonic() - wall,
        "processor": time.process_time() - processor,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
    }


def _shown(tasks: int, machine: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    head = ["measure", "seconds", "processor s", "floor s", "floor's processor s", "peak MB", ""]
    lines = [
        [
            row["measure"],
            f"{row['seconds']:.1f}",
            f"{row['processor']:.1f}",
            f"{row['floor']['seconds']:.1f}",
            f"{row['floor']['processor']:.1f}",
            f"{row['peak_mb']:.0f}",
            "met" if row["seconds"] <= MOST_SECONDS and row["peak_mb"] <= MOST_MB else "MISSED",
        ]
        for row in rows
    ]
    told = (
        f"{tasks:,} tasks, {machine['cores']} cores, Python {machine['python']}; "
        f"load {machine['load_before']} before, {machine['load_after']} after. "
        f"Target: {MOST_SECONDS:g} s and {MOST_MB:g} MB each."
    )
    return "\n\n".join([told, table(head, lines)])


if __name__ == "__main__":
    main()
