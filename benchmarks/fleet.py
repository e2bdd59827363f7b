"""What many workspaces cost: wall time against the ideal, processor, memory, Redis, object storage.

``python -m benchmarks.fleet`` serves synthetic workspaces, several to a token and each token with its rate
limit, exports them all over a Dask cluster of this machine into one Redis and one S3 server, in full and
then again with nothing changed, and prints what each run took beside the ideal: the token with most requests
must wait for all but its last window. What an export does after its last answer, and the way to object
storage, come on top of the ideal and are in the wall time.

Processor time is that of the workers, from the first export to the last, as the kernel counts it.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx
import psutil
import redis

from benchmarks._tables import machine, table
from clickup_toolkit.demo import World, build_world
from clickup_toolkit.demo.many import ManyServer
from clickup_toolkit.fleet import Plan, read_plan
from clickup_toolkit.fleet.cluster import LOCAL, connected, outcomes
from clickup_toolkit.fleet.outcome import Outcome
from clickup_toolkit.publish import server_address, stop
from clickup_toolkit.settings import Settings

_BUCKET = "exports"


class Run(NamedTuple):
    """What one run over all workspaces took."""

    kind: str
    found: list[Outcome]
    wall: float
    ideal: float
    throttled: int
    processor: float
    peak_mb: float
    redis_mb: float
    s3_requests: int


@click.command()
@click.option("--workspaces", default=20, show_default=True)
@click.option("--tokens", default=5, show_default=True)
@click.option("--tasks", default=60, show_default=True, help="Tasks of each workspace.")
@click.option("--limit", default=100, show_default=True, help="Requests a window, of each token.")
@click.option("--window", default=10.0, show_default=True, help="Seconds of a window.")
@click.option("--latency", default=0.02, show_default=True, help="Seconds that every answer takes.")
def main(workspaces: int, tokens: int, tasks: int, limit: int, window: float, latency: float) -> None:
    """Print a line about the machine, and a table with both runs."""
    load = os.getloadavg()
    worlds = [_world(tasks, number) for number in range(1, workspaces + 1)]
    shared = {f"pk_{n}_FLEET{n}TOKEN{n}OPENS{n}NOTHING": worlds[n::tokens] for n in range(tokens)}
    with (
        tempfile.TemporaryDirectory(prefix="fleet-") as folder,
        ManyServer(shared, rate_limit=limit, window=window, latency=latency) as server,
        _storage(Path(folder)) as log,
    ):
        settings = Settings(data_dir=Path(folder) / "data")
        os.environ |= {"CLICKUP_DATA_DIR": str(settings.data_dir), "REDIS_URL": server_address(settings)}
        try:
            plan = _plan(Path(folder), server)
            runs = list(_runs(plan, server, (limit, window), log))
        finally:
            stop(settings)
    click.echo(machine(_machine(load)))
    click.echo(_show(runs))
    failures = {outcome.message for run in runs for outcome in run.found if outcome.state == "failed"}
    click.echo("".join(f"\nFailed: {message}" for message in sorted(failures)), nl=False)


def _world(tasks: int, number: int) -> World:
    world = build_world(tasks=tasks, lists=19, members=4, time_entries=20, hidden=tasks // 5, seed=number)
    world.team_id = f"{9000 + number}"
    return world


@contextmanager
def _storage(folder: Path) -> Iterator[Path]:
    """Run an S3 server; give its log, a line for each request."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = address
    log = folder / "s3.log"
    with log.open("wb") as sink:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=sink, stderr=sink)
    try:
        _wait_for(f"{address}/moto-api/")
        httpx.put(f"{address}/{_BUCKET}").raise_for_status()
        yield log
    finally:
        process.kill()
        process.wait()


def _wait_for(address: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Nothing answers at {address}.")


def _plan(folder: Path, server: ManyServer) -> Plan:
    lines = ["[defaults]", f"data_dir = 's3://{_BUCKET}/all'", "concurrency = 4"]
    for number, (token, _) in enumerate(server.windows.items()):
        os.environ[f"CLICKUP_TOKEN_{number}"] = token
        for team in (team for team, app in server.apps.items() if token in app.windows):
            lines += ["[[workspaces]]", f"team_id = '{team}'", f"token = 'env:CLICKUP_TOKEN_{number}'"]
            lines += [f"api_url = '{server.url(team)}'"]
    path = folder / "workspaces.toml"
    path.write_text("\n".join(lines))
    return read_plan(path)


def _runs(plan: Plan, server: ManyServer, limit: tuple[int, float], log: Path) -> Iterator[Run]:
    with connected(LOCAL, plan) as client:
        client.run(_ready)
        for kind in ("full", "nothing changed"):
            time.sleep(limit[1])  # so that each run begins with whole windows
            yield _run(kind, plan, server, limit, log, client)


def _run(kind: str, plan: Plan, server: ManyServer, limit: tuple[int, float], log: Path, client: Any) -> Run:
    asked, throttled, stored = server.requests, sum(server.throttled.values()), _lines(log)
    used = client.run(_processor)
    began = time.monotonic()
    found = list(outcomes(client, plan, f"{kind}-{began:.0f}", one_machine=True))
    wall = time.monotonic() - began
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as versions:
        redis_mb = int(versions.info("memory")["used_memory"]) / 1e6
    return Run(
        kind,
        found,
        wall,
        _ideal(server, asked, *limit),
        sum(server.throttled.values()) - throttled,
        sum(client.run(_processor).values()) - sum(used.values()),
        max(outcome.peak_rss_mb for outcome in found),
        redis_mb,
        _lines(log) - stored,
    )


def _ideal(server: ManyServer, before: Mapping[str, int], limit: int, window: float) -> float:
    """Return the seconds that the busiest token must wait: a window for every ``limit`` but the last ones."""
    waits = []
    for token in server.windows:
        teams = [team for team, app in server.apps.items() if token in app.windows]
        sent = sum(server.requests[team] - before[team] for team in teams)
        waits.append((max(sent, 1) - 1) // limit * window)
    return max(waits)


def _ready() -> None:
    import clickup_toolkit.fleet.task  # noqa: F401  # what every later run finds imported


def _processor() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def _lines(log: Path) -> int:
    return log.read_text(errors="replace").count("HTTP/1.1")


def _machine(load: tuple[float, float, float]) -> dict[str, object]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": f"{load[0]:.1f}",
        "load_after": f"{os.getloadavg()[0]:.1f}",
    }


def _show(runs: list[Run]) -> str:
    head = ("run", "workspaces", "failed", "requests", "429s", "wall s", "ideal s", "over the ideal")
    more = ("processor s", "peak MB", "Redis MB", "S3 MB", "S3 requests")
    return table([*head, *more], [_row(run) for run in runs])


def _row(run: Run) -> list[str]:
    failed = sum(outcome.state == "failed" for outcome in run.found)
    over = f"{run.wall / run.ideal - 1:.0%}" if run.ideal else "-"
    return [
        run.kind,
        str(len(run.found)),
        str(failed),
        f"{sum(outcome.requests for outcome in run.found):,}",
        str(run.throttled),
        f"{run.wall:.1f}",
        f"{run.ideal:.0f}",
        over,
        f"{run.processor:.1f}",
        f"{run.peak_mb:.0f}",
        f"{run.redis_mb:.1f}",
        f"{sum(outcome.stored_bytes for outcome in run.found) / 1e6:.1f}",
        f"{run.s3_requests:,}",
    ]


if __name__ == "__main__":
    main()
