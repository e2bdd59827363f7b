"""Exports that are killed, again and again, and begun again."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyarrow.parquet
import pytest
import redis

from clickup_toolkit.demo import DemoServer, World, build_world
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.publish import find
from clickup_toolkit.records import TABLES
from clickup_toolkit.schedule import environment
from clickup_toolkit.settings import Settings
from tests.exporting import comparable, document, settings_for

CONCURRENCY = 4
KILLED = -signal.SIGKILL


class Killer:
    """Kills the export before the server answers its n-th request, for every n in ``at``."""

    def __init__(self) -> None:
        self.at: set[int] = set()
        self.asked = 0
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, _: int) -> None:
        """Count a request, and kill whoever sent it when it is due."""
        self.asked += 1
        if self.process is not None and self.asked in self.at:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class Site(NamedTuple):
    """A workspace, its server, what kills the exports of it, and the settings for one export."""

    world: World
    server: DemoServer
    killer: Killer
    settings: Settings


@pytest.fixture
def site(redis_url: str, tmp_path: Path) -> Iterator[Site]:
    """Give a workspace that nothing but time changes."""
    world, killer = build_world(tasks=200, time_entries=200, lists=24), Killer()
    with DemoServer(world, rate_limit=10**6, changes=killer) as server:
        ours = settings_for(server, tmp_path / "data", redis_url, concurrency=CONCURRENCY)
        yield Site(world, server, killer, ours)


def begin(settings: Settings) -> subprocess.Popen[str]:
    """Start an export in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "clickup_toolkit.cli", "export", "--json", "--quiet"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(site: Site, watch: Callable[[subprocess.Popen[str]], None] = lambda _: None) -> dict[str, Any] | None:
    """Run an export; return its report, or None when it was killed."""
    with begin(site.settings) as process:
        site.killer.process = process
        watch(process)
        out, err = process.communicate(timeout=60)
        site.killer.process = None
    if process.returncode == KILLED:
        return None
    assert process.returncode in (0, 3), err
    report: dict[str, Any] = json.loads(out)
    return report


def undisturbed(site: Site, folder: Path) -> tuple[int, dict[str, Any]]:
    """Export in one go, into another folder; return the requests it took and the document."""
    before = site.killer.asked
    run_export_sync(settings_for(site.server, folder, str(site.settings.redis_url)))
    return site.killer.asked - before, comparable(document(str(site.settings.redis_url), site.server.team_id))


def current(site: Site) -> dict[str, Any]:
    """Return the document that is served now, having decompressed all of it."""
    return comparable(document(str(site.settings.redis_url), site.server.team_id))


def readable(folder: Path) -> bool:
    """Tell whether the database and every columnar file, where there are any, are whole."""
    for table in TABLES if (folder / "parquet").exists() else ():
        file = folder / "parquet" / table / "part-0.parquet"
        if file.exists():
            pyarrow.parquet.read_table(file)
    if not (folder / "clickup.db").exists():
        return True
    with closing(sqlite3.connect(f"file:{folder / 'clickup.db'}?mode=ro", uri=True)) as db:
        exports = db.execute("SELECT count(*) FROM exports").fetchone()[0]
        return bool(exports) and db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def left_over(folder: Path) -> set[str]:
    """Return what lies in the data folder that a finished export does not leave there."""
    databases = sorted(path.name for path in folder.glob("clickup-*.db"))[-2:]
    wanted = {"clickup.db", "export.lock", "journal.db", "parquet", "runs", *databases}
    columnar = {f"parquet/{table}" for table in TABLES}
    files = {f"{name}/part-0.parquet" for name in columnar}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return there - wanted - columnar - files


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_request_the_export_goes_on_where_it_was(site: Site, seed: int, tmp_path: Path) -> None:
    """Killed at five random requests, it asks again only what was under way, and ends the same."""
    least, expected = undisturbed(site, tmp_path / "undisturbed")
    before = site.killer.asked
    site.killer.at = {before + at for at in Random(seed).sample(range(1, least), 5)}
    kills = 0
    while (report := run(site)) is None:
        kills += 1
        assert readable(site.settings.data_dir)
        assert current(site) == expected, "the last good version is not served any more"
    assert kills == 5
    assert report["mode"] == "full"
    assert least <= site.killer.asked - before <= least + kills * CONCURRENCY
    assert 0 < report["resumed"] <= least - report["requests"]
    assert current(site) == expected
    assert left_over(site.settings.data_dir) == set()


@pytest.mark.slow
def test_a_killed_incremental_export_goes_on_too(site: Site, tmp_path: Path) -> None:
    """Killed at three random requests after changes, an incremental export ends as a full one would."""
    assert run(site)
    rng = Random(7)
    site.world.drift(rng, 30, ("create", "edit", "status", "move"))
    twin = tmp_path / "twin"
    shutil.copytree(site.settings.data_dir, twin, symlinks=True)
    least, expected = undisturbed(site, twin)
    before = site.killer.asked
    site.killer.at = {before + at for at in rng.sample(range(1, least), 3)}
    kills = 0
    while (report := run(site)) is None:
        kills += 1
    assert (kills, report["mode"]) == (3, "incremental")
    assert least <= site.killer.asked - before <= least + kills * CONCURRENCY
    assert current(site) == expected == undisturbed(site, tmp_path / "full")[1]
    assert left_over(site.settings.data_dir) == set()


def _chunks(site: Site) -> int:
    with redis.Redis.from_url(str(site.settings.redis_url)) as client:
        return sum(1 for _ in client.scan_iter(f"clickup:{site.server.team_id}:chunk:*", count=1000))


def _latest(site: Site) -> object:
    with redis.Redis.from_url(str(site.settings.redis_url)) as client:
        return find(client, site.server.team_id, "latest")


def _building(site: Site) -> int:
    """Return the size of the database in the making; 0 when there is none."""
    sizes = [path.stat().st_size for path in site.settings.data_dir.glob("clickup-*.db.unfinished")]
    return max(sizes, default=0)


def _written(site: Site) -> int:
    """Return how many columnar files stand aside."""
    return sum(1 for _ in (site.settings.data_dir / "parquet" / ".unfinished").glob("*"))


def _moments(site: Site) -> dict[str, Callable[[], bool]]:
    """Return moments behind the crawl; each is over within milliseconds."""
    folder, before = site.settings.data_dir, (_chunks(site), _latest(site), (folder_link(site)))
    files = {path.name for path in folder.glob("clickup-*.db")}
    return {
        "the database is begun": lambda: _building(site) > 0,
        "half of the database is written": lambda: _building(site) > 300_000,
        "the database is built": lambda: {p.name for p in folder.glob("clickup-*.db")} > files,
        "chunks are sent": lambda: _chunks(site) > before[0],
        "the version is published": lambda: _latest(site) != before[1],
        "the first columnar file is begun": lambda: _written(site) > 0,
        "half of the columnar files are written": lambda: _written(site) > len(TABLES) // 2,
        "the database is changed over": lambda: folder_link(site) != before[2],
    }


def folder_link(site: Site) -> str:
    """Return the file that is the current database."""
    link = site.settings.data_dir / "clickup.db"
    return str(link.readlink()) if link.is_symlink() else ""


@pytest.mark.slow
def test_killed_behind_the_crawl_the_export_asks_for_nothing_again(site: Site, tmp_path: Path) -> None:
    """Killed while it builds, publishes or changes over, it is done again without one request.

    Until then the version before, or the new one, is whole in Redis and in the data folder.
    """
    assert run(site)
    first = current(site)
    site.world.drift(Random(3), 40, ("create", "edit", "status"))
    asked, seen, killed = [], [first], []
    for moment in _moments(site):
        report = run(site, partial(_kill_when, _moments(site)[moment]))
        asked.append(site.killer.asked)
        seen.append(current(site))
        assert readable(site.settings.data_dir), moment
        killed += [moment] if report is None else []
        if report:
            break
    assert report or run(site)
    second = current(site)
    assert len(killed) >= 5, "the export was too quick for the moments to be met"
    assert asked == asked[:1] * len(asked), "a crawl that had ended was asked for again"
    turn = seen.index(second) if second in seen else len(seen)
    assert seen == [first] * turn + [second] * (len(seen) - turn)
    assert left_over(site.settings.data_dir) == set()
    assert second == undisturbed(site, tmp_path / "full")[1] != first


def _kill_when(happens: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Kill the process as soon as it happens, unless it ends before."""
    while process.poll() is None:
        if happens():
            process.kill()
            return
        time.sleep(0.0005)
