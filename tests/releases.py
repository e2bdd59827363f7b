"""Data folders as releases wrote them, for tests of migrations; and what makes the next one.

``tests/fixtures/releases/<number>.tar.xz`` is the data folder that the last commit with the database format
<number> left behind two exports and a third that was killed on its way, from a workspace of 60 tasks:
database, journal, columnar files, and the embedded server's append-only file with the versions. Whoever
gives :mod:`clickup_toolkit.store.formats` a new number first keeps what the one before writes, of which the
checkout before the change may lie in another folder::

    python -m tests.releases 7 [--toolkit FOLDER]
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import redis

from clickup_toolkit.demo import DemoServer, World, build_world
from clickup_toolkit.demo.drift import drift
from clickup_toolkit.publish.embedded import ensure, stop

__all__ = ["FOLDER", "NUMBERS", "make", "unpack", "world_of"]

FOLDER = Path(__file__).parent / "fixtures" / "releases"
NUMBERS = sorted(int(path.name.partition(".")[0]) for path in FOLDER.glob("*.tar.xz"))
"""The formats of which data is kept."""

_HOUR_MS = 3_600_000
_CHANGES = ("edit", "status", "status", "create", "log")
_DRIFTS = ((2, 9), (3, 5))  # seed and number of changes before the second and the third export
_PRESENT = "present"  # the file that keeps the workspace's present, ms since 1970
_KILLED_AT = 25  # requests of the third export
_EXPORT = """
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.settings import Settings
run_export_sync(Settings.read(need=("token", "team_id")))
"""
_PASSING = (".lock", ".sock", ".pid", ".log", ".unfinished", "-shm")
_TABLES = ("exports", "lists", "tasks")  # of the columnar files these will do


def world_of(folder: Path) -> World:
    """Return the workspace as it was when the third export of an unpacked data folder was killed."""
    world = _world(int((folder / _PRESENT).read_text()))
    for seed, count in _DRIFTS:
        drift(world, random.Random(seed), count, _CHANGES)
    return world


def _world(now: int) -> World:
    return build_world(
        tasks=60, lists=19, members=4, time_entries=30, hidden=12, now=now, unreadable=1, seed=1
    )


def make(number: int, toolkit: Path, *, versions: bool) -> Path:
    """Let the toolkit in a folder export, and keep what it wrote as the format ``number``."""
    # Ahead of the real clock, so that what changes there changes behind the exports.
    now = (time.time_ns() // 1_000_000 // _HOUR_MS + 2) * _HOUR_MS
    world, killed = _world(now), list[subprocess.Popen[bytes]]()

    def kill_at(asked: int) -> None:
        if killed and asked >= _KILLED_AT:
            killed.pop().kill()

    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        for drifts in ((), _DRIFTS[:1]):
            for seed, count in drifts:
                drift(world, random.Random(seed), count, _CHANGES)
            with DemoServer(world, rate_limit=1_000_000) as server:
                if _export(toolkit, data, server).wait() not in (0, 3):
                    raise SystemExit("The export failed.")
        seed, count = _DRIFTS[1]
        drift(world, random.Random(seed), count, _CHANGES)
        with DemoServer(world, rate_limit=1_000_000, changes=kill_at) as server:
            killed.append(_export(toolkit, data, server))
            killed[0].wait()
        with redis.Redis.from_url(ensure(data)) as server_of_versions:
            server_of_versions.bgrewriteaof()
            while server_of_versions.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(0.01)
        stop(data)
        if not versions:
            shutil.rmtree(data / "redis")
        (data / _PRESENT).write_text(str(now))
        return _pack(data, FOLDER / f"{number}.tar.xz")


def _export(toolkit: Path, data: Path, server: DemoServer) -> subprocess.Popen[bytes]:
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": str(toolkit.absolute()),
        "CLICKUP_TOKEN": server.token,
        "CLICKUP_TEAM_ID": server.team_id,
        "CLICKUP_API_URL": server.url,
        "CLICKUP_DATA_DIR": str(data),
        "CONCURRENCY": "1",
    }
    return subprocess.Popen([sys.executable, "-c", _EXPORT], env=environ, cwd=data.parent)


def _pack(data: Path, target: Path) -> Path:
    """Keep a data folder, without what only a running process means; the smallest that xz can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for path in sorted(data.rglob("*")):
            if path.is_file() and _is_kept(path, data):
                archive.add(path, path.relative_to(data), recursive=False, filter=_nobody)
    return target


def _is_kept(path: Path, data: Path) -> bool:
    if path.suffix == ".parquet":
        return path.parent.name in _TABLES
    if path.match("clickup-*.db"):
        return path == (data / "clickup.db").resolve()
    return not path.name.endswith(_PASSING)


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpack(number: int, folder: Path) -> Path:
    """Lay the data folder of a format into ``folder``; return it."""
    with tarfile.open(FOLDER / f"{number}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def main() -> None:
    """Make the data of one format."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("number", type=int)
    parser.add_argument("--toolkit", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--without-versions", action="store_true", help="leave out what Redis holds")
    given = parser.parse_args()
    made = make(given.number, given.toolkit, versions=not given.without_versions)
    print(f"{made}: {made.stat().st_size:,} bytes")  # noqa: T201  # a command


if __name__ == "__main__":
    main()
