"""What tests of many workspaces share: worlds behind one server, the file that names them, a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickup_toolkit.demo import World
from clickup_toolkit.demo.many import ManyServer
from clickup_toolkit.settings import SETTINGS
from tests.fixtures.valkey import wait_until
from tests.worlds import living_world

__all__ = ["Cluster", "bare", "clustered", "give", "make_tokens", "variables", "write_plan"]

BIN = Path(sys.executable).parent
SMALLEST = {"tasks": 60, "lists": 19, "members": 4, "time_entries": 20, "hidden": 12}


def make_tokens(workspaces: int, tokens: int) -> dict[str, list[World]]:
    """Return worlds by token; ids are 9001, 9002, …"""
    worlds = [living_world(**SMALLEST, seed=number) for number in range(1, workspaces + 1)]
    for number, world in enumerate(worlds, 1):
        world.team_id = f"{9000 + number}"
    return {f"pk_{n}_FLEET{n}TOKEN{n}OPENS{n}NOTHING": worlds[n::tokens] for n in range(tokens)}


def variables(server: ManyServer) -> dict[str, str]:
    """Return the environment variables that hold the server's tokens."""
    return {f"CLICKUP_TOKEN_{number}": token for number, token in enumerate(server.windows)}


def write_plan(path: Path, server: ManyServer, **defaults: str | int) -> Path:
    """Write the file that names all workspaces of a server."""
    lines = ["[defaults]", *(f"{key} = {value!r}" for key, value in defaults.items())]
    for number, token in enumerate(server.windows):
        for team in (team for team, app in server.apps.items() if token in app.windows):
            lines += ["[[workspaces]]", f"team_id = {team!r}", f"token = 'env:CLICKUP_TOKEN_{number}'"]
            lines += [f"name = 'Company {team}'", f"api_url = {server.url(team)!r}"]
    path.write_text("\n".join(lines))
    return path


def bare(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this environment without settings of the toolkit, and ``more``."""
    ours = {setting.variable for setting in SETTINGS.values()}
    return {**{key: value for key, value in os.environ.items() if key not in ours}, **(more or {})}


def give(folder: Path, environ: Mapping[str, str], *words: str) -> subprocess.Popen[str]:
    """Start a command line of the toolkit in ``folder``."""
    command = [sys.executable, "-m", "clickup_toolkit.cli", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=dict(environ), text=True, **pipes)  # type: ignore[call-overload]


@dataclass
class Cluster:
    """A scheduler and workers, each a process with a log file."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]
    logs: list[Path]


@contextmanager
def clustered(
    folder: Path, environments: list[dict[str, str]], *, threads: int, more: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """Give a cluster with a worker in each of these environments; the scheduler has ``more`` alone."""
    where = folder / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []
    logs: list[Path] = []

    def start(environ: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
        logs.append(folder / f"{len(logs)}.log")
        with logs[-1].open("wb") as log:
            command = [BIN / "dask", *words, "--scheduler-file", where, "--no-dashboard"]
            started.append(subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log))
        return started[-1]

    try:
        scheduler = start(bare(more), "scheduler", "--host", "127.0.0.1", "--port", "0")
        wait_until(lambda: where.exists() and where.stat().st_size > 0)
        words = ("--nthreads", str(threads), "--no-nanny", "--host", "127.0.0.1", "--memory-limit", "0")
        words = (*words, "--local-directory", str(folder))
        workers = [start(environ, "worker", *words) for environ in environments]
        yield Cluster(json.loads(where.read_text())["address"], scheduler, workers, logs)
    finally:
        for process in started:
            process.kill()
            process.wait()
