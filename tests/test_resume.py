"""Exports that are killed, again and again, and begun again."""

from __future__ import annotations

import dataclasses
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyarrow.parquet
import pytest
import redis

from clickup_toolkit.demo import ALL_CHANGES, VISIBLE_CHANGES, DemoServer, World
from clickup_toolkit.export import Report, run_export_sync
from clickup_toolkit.publish import find
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Settings
from tests.exporting import comparable, document, settings_for
from tests.killing import Killer, answered, export, told
from tests.worlds import living_world

WIDTHS = (1, 2, 4, 8, 16, None)


class Workspace(NamedTuple):
    """A workspace, its server and what kills the exports of it."""

    world: World
    server: DemoServer
    killer: Killer


class Site(NamedTuple):
    """A workspace, its server, what kills the exports of it, and the settings for one export."""

    world: World
    server: DemoServer
    killer: Killer
    settings: Settings


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Build a workspace that nothing but time and these tests changes, once."""
    world, killer = living_world(tasks=120, time_entries=100, lists=19), Killer()
    with DemoServer(world, rate_limit=10**6, changes=killer) as server:
        yield Workspace(world, server, killer)


@pytest.fixture
def site(workspace: Workspace, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    """Give the workspace with a data folder and a Redis that are empty."""
    ours = settings_for(workspace.server, tmp_path / "data", redis_url, concurrency=4)
    workspace.killer.at = set()
    yield Site(*workspace, ours)
    workspace.killer.at = set()


def run(site: Site, watch: Callable[[BaseProcess], None] = lambda _: None, but: str = "$^") -> Report | None:
    """Run an export; return its report, or None when it was killed.

    What the journal holds before is not asked for, ``but`` what a crawl asks for twice.
    """
    known, before = answered(site.settings.data_dir), len(site.server.requests)
    report = export(site.settings, site.killer, watch)
    again = [address for address in told(site.server, before) if address in known]
    assert [address for address in again if not re.search(but, address)] == []
    return report


def run_to_the_end(
    site: Site, rng: Random, between: Callable[[], object] = lambda: None, but: str = "$^"
) -> Report:
    """Run exports, each with another number of workers, until one is not killed; return its report."""
    while True:
        width = rng.choice(WIDTHS)
        settings = dataclasses.replace(site.settings, concurrency=width)
        report = run(site._replace(settings=settings), but=but)
        if report:
            return report
        between()
        assert readable(site.settings.data_dir)


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
@pytest.mark.parametrize("seed", [11])
def test_killed_at_any_request_the_export_goes_on_where_it_was(site: Site, seed: int, tmp_path: Path) -> None:
    """Killed at ten random requests, it asks again only what was under way, and ends the same."""
    least, expected = undisturbed(site, tmp_path / "undisturbed")
    before, rng = site.killer.asked, Random(seed)
    site.killer.at = {before + at for at in rng.sample(range(1, least), 10)}
    kills: list[dict[str, Any]] = []
    report = run_to_the_end(site, rng, lambda: kills.append(current(site)))
    assert kills == [expected] * 10, f"seed {seed}: the last good version is not served any more"
    assert report.mode == "full"
    assert 0 < report.resumed <= least - report.requests
    assert current(site) == expected
    assert left_over(site.settings.data_dir) == set()


@pytest.mark.slow
def test_killed_often_a_crawl_of_one_at_a_time_asks_again_for_one_a_kill(site: Site, tmp_path: Path) -> None:
    """With one request at a time, only the one that the kill met is asked for again."""
    start = len(site.server.requests)
    undisturbed(site, tmp_path / "undisturbed")
    least, begun, before = len(list(told(site.server, start))), len(site.server.requests), site.killer.asked
    site.killer.at = {before + at for at in range(4, 4 + 15 * 5, 15)}
    one = site._replace(settings=dataclasses.replace(site.settings, concurrency=1))
    kills = 0
    while run(one) is None:
        kills += 1
    assert kills == 5
    assert least <= sum(1 for _ in told(site.server, begun)) <= least + kills


@pytest.mark.slow
def test_a_killed_incremental_export_goes_on_too(site: Site, tmp_path: Path) -> None:
    """Killed at four random requests after changes, an incremental export ends as a full one would."""
    assert run(site)
    rng = Random(7)
    site.world.drift(rng, 30, ("create", "edit", "status", "move"))
    twin = tmp_path / "twin"
    shutil.copytree(site.settings.data_dir, twin, symlinks=True)
    least, expected = undisturbed(site, twin)
    before = site.killer.asked
    site.killer.at = {before + at for at in rng.sample(range(1, least), 4)}
    kills: list[int] = []
    report = run_to_the_end(site, rng, lambda: kills.append(1))
    assert (len(kills), report.mode) == (4, "incremental")
    assert current(site) == expected == undisturbed(site, tmp_path / "full")[1]
    assert left_over(site.settings.data_dir) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "kinds"), [(21, VISIBLE_CHANGES), (22, ALL_CHANGES)])
def test_nothing_is_lost_when_the_workspace_changes_between_kill_and_restart(
    site: Site, seed: int, kinds: tuple[str, ...], tmp_path: Path
) -> None:
    """Every task that existed throughout is there, once; the next export has what was missed."""
    least, _ = undisturbed(site, tmp_path / "undisturbed")
    rng, before = Random(seed), site.killer.asked
    site.killer.at = {before + at for at in rng.sample(range(1, least), 4)}
    throughout = site.world.ledger().tasks.keys()
    kills: list[object] = []
    # Changes are asked for twice where archived places changed. Else only what vanished is read again: an
    # archived list, and the lists of a folder that misses one.
    changes, vanished = (
        r"^/team/\d+/task\?.*date_updated_gt=",
        r"^/(list|team)/\d+/task\?|^/folder/\d+/list\?archived=false",
    )
    but = changes if kinds == VISIBLE_CHANGES else f"{changes}|{vanished}"
    run_to_the_end(site, rng, lambda: kills.append(site.world.drift(rng, 8, kinds)), but)
    there = [task["id"] for task in document(str(site.settings.redis_url), site.server.team_id)["data"]]
    missing = throughout & site.world.ledger().tasks.keys() - set(there)
    assert (len(kills), missing, len(there)) == (4, set(), len(set(there))), f"seed {seed}"
    if kinds == VISIBLE_CHANGES:
        run(site)
        assert current(site) == undisturbed(site, tmp_path / "full")[1], f"seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [31])
def test_a_journal_whose_end_is_torn_goes_on_from_what_is_whole(
    site: Site, seed: int, tmp_path: Path
) -> None:
    """Killed, and its last records cut at a random byte, it asks for those again and ends the same."""
    least, expected = undisturbed(site, tmp_path / "undisturbed")
    rng, before = Random(seed), site.killer.asked
    site.killer.at = {before + at for at in rng.sample(range(20, least), 3)}
    torn: list[int] = []

    def tear() -> None:
        log, had = site.settings.data_dir / "journal.db-wal", len(answered(site.settings.data_dir))
        sent = log.read_bytes()
        log.write_bytes(sent[: rng.randrange(len(sent) * 3 // 4, len(sent))])
        torn.append(had - len(answered(site.settings.data_dir)))

    run_to_the_end(site, rng, tear, r"^/team/\d+/task\?.*date_updated_gt=")
    assert len(torn) == 3
    assert sum(torn) > 0, f"seed {seed}: no answer was lost"
    assert current(site) == expected, f"seed {seed}"


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
        "half of the database is written": lambda: _building(site) > 200_000,
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
    assert report or export(site.settings, site.killer)
    second = current(site)
    assert len(killed) >= 5, "the export was too quick for the moments to be met"
    assert asked == asked[:1] * len(asked), "a crawl that had ended was asked for again"
    turn = seen.index(second) if second in seen else len(seen)
    assert seen == [first] * turn + [second] * (len(seen) - turn)
    assert left_over(site.settings.data_dir) == set()
    assert second == undisturbed(site, tmp_path / "full")[1] != first


def _kill_when(happens: Callable[[], bool], process: BaseProcess) -> None:
    """Kill the process as soon as it happens, unless it ends before."""
    while process.is_alive():
        if happens():
            process.kill()
            return
        time.sleep(0.0005)
