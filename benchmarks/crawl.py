"""What an export costs: requests, processor time, memory, and wall time against the ideal.

``python benchmarks/crawl.py`` exports synthetic workspaces of three sizes, in full and then again with
nothing changed, and prints what each took beside the floor measured in the same run: a process that reads
the same bytes over HTTP with the same client library and decodes them, nothing else. Then it exports under
rate limits and compares the time with the ideal for the requests made.

The server, the export and the floor are processes of their own; the kernel measures them. "Processor" is
user and system time of the whole export process, from its first import to its end; the embedded server of
versions is counted apart. Figures are those of this machine at this moment: see the load that is printed.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import redis

from benchmarks import _machine
from benchmarks._processes import Measured, crawled, measure, serving
from benchmarks._tables import show
from clickup_toolkit import publish
from clickup_toolkit.settings import Settings

UNLIMITED = 10**9
MINUTE = 60.0
FLOOR_WORKERS = 8  # without latency more of them change nothing


@dataclass(frozen=True)
class Workspace:
    """How large a synthetic workspace is; ``hidden`` tasks are archived, in archived places or shared."""

    tasks: int
    lists: int
    time_entries: int
    members: int
    hidden: int

    def options(self, **more: float) -> dict[str, float]:
        """Return it as options of ``python -m clickup_toolkit.demo``."""
        return {**{name.replace("_", "-"): value for name, value in asdict(self).items()}, **more}


SIZES = {
    "tiny": Workspace(150, 24, 150, 10, 40),
    "modest": Workspace(1_500, 24, 1_500, 12, 400),
    "small": Workspace(3_900, 43, 4_000, 25, 1_063),
    "medium": Workspace(39_000, 271, 40_000, 50, 10_632),
    "large": Workspace(390_000, 2_710, 400_000, 50, 106_320),
}


@dataclass
class Row:
    """One export; seconds and MB. ``floor`` and ``floor_wall`` are the floor's for the same bytes."""

    size: str
    mode: str
    tasks: int
    time_entries: int
    gaps: int
    requests: int
    throttled: int
    processor: float
    floor: float
    ratio: float
    server_of_versions: float
    wall: float
    floor_wall: float
    peak_mb: float
    streams: dict[str, int] = field(default_factory=dict)


@dataclass
class Limited:
    """One export under a rate limit; seconds. ``ideal`` is for the requests it made."""

    limit: int
    window: float
    size: str
    latency: float
    requests: int
    throttled: int
    wall: float
    ideal: float
    allowed: float


@dataclass
class Target:
    """A figure that is to be kept to: ``measured`` at most ``most``."""

    what: str
    most: float
    measured: float
    met: bool


@dataclass(frozen=True)
class Limit:
    """A rate limit to export under: ``limit`` requests in ``window`` seconds; answers take ``latency``."""

    limit: int
    size: str
    window: float = MINUTE
    latency: float = 0.05


LIMITS = {100: Limit(100, "modest"), 1_000: Limit(1_000, "medium"), 10_000: Limit(10_000, "medium")}
QUICK = Limit(60, "tiny", window=3.0, latency=0.005)


@click.command(context_settings={"show_default": True})
@click.option("--sizes", default="small,medium,large", help=f"Of {', '.join(SIZES)}; '' for none.")
@click.option("--limits", default="100,1000,10000", help="Rate limits a minute; '' for none.")
@click.option("--quick", is_flag=True, help="The tiny workspace alone, with a rate window of 3 seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one line of JSON instead.")
def main(sizes: str, limits: str, quick: bool, as_json: bool) -> None:
    """Measure exports of synthetic workspaces, and print the figures beside the targets."""
    names = ["tiny"] if quick else [name for name in sizes.split(",") if name]
    limited = [QUICK] if quick else [LIMITS[int(number)] for number in limits.split(",") if number]
    before = _machine.load()
    rows = [row for name in names for row in measure_size(name)]
    timed = [measure_limit(limit) for limit in limited]
    figures = {
        "machine": _machine.facts(before),
        "sizes": [asdict(row) for row in rows],
        "limits": [asdict(row) for row in timed],
        "targets": [asdict(target) for target in targets(rows, timed)],
    }
    click.echo(json.dumps(figures) if as_json else show(figures))


def measure_size(name: str) -> Iterator[Row]:
    """Export a workspace in full, then with nothing changed, each beside its floor."""
    with _site(SIZES[name].options(**{"rate-limit": UNLIMITED})) as environment:
        for mode in ("full", "incremental"):
            _machine.tell(f"{name}, {mode}")
            used, (export, report) = _redis_seconds(environment), _export(environment)
            used = _redis_seconds(environment) - used
            journal = crawled(Path(environment["CLICKUP_DATA_DIR"]))
            asked = "\n".join(journal.addresses)
            floor = measure(["benchmarks._floor", str(FLOOR_WORKERS)], environment, asked)
            assert report["mode"] == mode, report
            assert report["tasks"] == SIZES[name].tasks, report
            yield Row(
                size=name,
                mode=mode,
                tasks=report["tasks"],
                time_entries=report["time_entries"],
                gaps=len(report["gaps"]),
                requests=report["requests"],
                throttled=report["throttled"],
                processor=export.processor,
                floor=floor.processor,
                ratio=export.processor / floor.processor,
                server_of_versions=used,
                wall=export.wall,
                floor_wall=floor.wall,
                peak_mb=export.peak_mb,
                streams=journal.streams,
            )


def measure_limit(limit: Limit) -> Limited:
    """Export under a rate limit, and without one at the same latency for the ideal.

    The ideal opens a window every 60 seconds and sends all that is allowed at once, at the speed measured
    without a limit; what an export does before and behind its requests comes on top.
    """
    _machine.tell(f"{limit.size}, {limit.limit} requests in {limit.window:g} s")
    crawl, rest, free = _unlimited(limit)
    options = {"rate-limit": limit.limit, "window": limit.window, "latency": limit.latency}
    with _site(SIZES[limit.size].options(**options)) as environment:
        export, report = _export(environment)
    requests = report["requests"]
    full_windows = math.ceil(requests / limit.limit) - 1
    in_last = requests - full_windows * limit.limit
    ideal = full_windows * limit.window + crawl * in_last / free + rest
    allowed = ideal * 1.03 + 2
    return Limited(
        limit.limit, limit.window, limit.size, limit.latency, requests, report["throttled"],
        export.wall, ideal, allowed,
    )  # fmt: skip


def _unlimited(limit: Limit) -> tuple[float, float, int]:
    """Return the seconds that the requests take without a limit, those of the rest, and their number."""
    options = {"rate-limit": UNLIMITED, "latency": limit.latency}
    with _site(SIZES[limit.size].options(**options)) as environment:
        export, report = _export(environment)
        crawl = crawled(Path(environment["CLICKUP_DATA_DIR"])).seconds
    return crawl, export.wall - crawl, report["requests"]


@contextmanager
def _site(options: dict[str, float]) -> Iterator[dict[str, str]]:
    """Serve a workspace; give the environment of exports from it, into an empty data folder.

    The server of versions runs already, so that its start is nobody's.
    """
    with tempfile.TemporaryDirectory() as folder, serving(options) as server:
        data = Settings(data_dir=Path(folder))
        environment = server.environment(data.data_dir, REDIS_URL=publish.server_address(data))
        try:
            yield environment
        finally:
            publish.stop(data)


def _export(environment: dict[str, str]) -> tuple[Measured, dict[str, Any]]:
    measured = measure(["clickup_toolkit.cli", "export", "--json", "--quiet"], environment)
    return measured, json.loads(measured.output)


def _redis_seconds(environment: dict[str, str]) -> float:
    """Return the processor seconds that the server of versions has used."""
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        used = client.info("cpu")
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


def targets(rows: list[Row], timed: list[Limited]) -> list[Target]:
    """Return the targets that these figures can be held to."""
    by = {(row.size, row.mode): row for row in rows}
    found = []
    if full := by.get(("medium", "full")):
        found += [
            _target("requests of a full export of the medium workspace", 1_250, full.requests),
            _target("processor seconds of it", 10, full.processor),
            _target("MB at its peak", 250, full.peak_mb),
        ]
    if again := by.get(("medium", "incremental")):
        found.append(_target("requests of an incremental one in which nothing changed", 100, again.requests))
    large = by.get(("large", "full"))
    if full and large:
        found.append(_target("MB at the peak of the large workspace", 1.1 * full.peak_mb, large.peak_mb))
    for row in timed:
        if row.window == MINUTE:  # resets are told in whole seconds: a shorter window says nothing
            found.append(_target(f"seconds at {row.limit:,} a minute", row.allowed, row.wall))
    throttled = sum(row.throttled for row in rows) + sum(row.throttled for row in timed)
    found.append(_target("429 answers", 0, throttled))
    return found


def _target(what: str, most: float, measured: float) -> Target:
    return Target(what, most, measured, measured <= most)


if __name__ == "__main__":
    main()
