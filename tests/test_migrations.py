"""Migrations, tried on data folders that earlier releases wrote (``tests/fixtures/releases``)."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
import redis

from clickup_toolkit import Workspace, publish, serve, store
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.errors import StorageError
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.migrate import migrate, migrate_to_read
from clickup_toolkit.rebuild import rebuild
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store.formats import APPLICATION_ID, FORMATS, format_of
from clickup_toolkit.store.schema import ALL_TABLES, FINGERPRINT
from tests.backups import give, killed
from tests.releases import FOLDER, NUMBERS, unpack, world_of
from tests.serving import publish_file, settings_for

OLDER = [number for number in NUMBERS if number < store.FORMAT]
WITH_VERSIONS = (3, 4, 6)
HISTORY = ("status_changes", "deleted_tasks", "missing_tasks", "gaps", "raw")
DERIVED = {"custom_fields": "what tasks alone show is defined from more of them since"}


def rows(database: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table, sorted; none where there is no such table."""
    with closing(sqlite3.connect(database)) as db:
        db.row_factory = sqlite3.Row
        try:
            return sorted((dict(row) for row in db.execute(f'SELECT * FROM "{table}"')), key=repr)
        except sqlite3.OperationalError:
            return []


def of_columns(found: list[dict[str, Any]], like: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with the columns alone that ``like`` has, sorted."""
    names = sorted(like[0]) if like else []
    return sorted(({name: row[name] for name in names} for row in found), key=repr)


def set_format(database: Path, number: int) -> None:
    """Let a database say that it has another format."""
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA user_version = {number}")


def times(folder: Path) -> dict[Path, int]:
    """Return when database, columnar files and journal were last written."""
    found = (path for pattern in ("*.db*", "parquet/**/*.parquet") for path in folder.glob(pattern))
    return {path: path.stat().st_mtime_ns for path in found}


def test_whoever_changes_the_tables_numbers_the_format() -> None:
    """The last numbered format has just the tables of today, and of every earlier one data is kept."""
    assert [each.number for each in FORMATS] == [*range(1, len(FORMATS) + 1)]
    assert FORMATS[-1].fingerprint == FINGERPRINT, (
        "the tables have changed: keep what the format before wrote (python -m tests.releases), and add a "
        "line to store/formats.py"
    )
    assert {each.number for each in FORMATS[:-1]} <= set(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_folder_of_an_earlier_release_becomes_one_of_this(tmp_path: Path, number: int) -> None:
    """All rows are there in all columns, history and raw JSON too, in database and columnar files."""
    folder = unpack(number, tmp_path)
    database = store.current(folder)
    assert database is not None
    assert format_of(database) == number
    before = {name: rows(database, name) for name in ALL_TABLES}
    assert len(before["status_changes"]) == 3
    assert migrate(folder) is (number in OLDER)
    assert store.current(folder) == database
    assert format_of(database) == store.FORMAT
    for name in ALL_TABLES.keys() - DERIVED.keys() - {"exports"}:
        assert of_columns(rows(database, name), before[name]) == of_columns(before[name], before[name]), name
    for name in DERIVED:
        now = rows(database, name)
        assert {row["id"] for row in before[name]} <= {row["id"] for row in now}
    exports = rows(database, "exports")
    kept = [{k: v for k, v in row.items() if k != "written"} for row in before["exports"]]
    assert of_columns(exports, kept) == of_columns(kept, kept)
    if number in OLDER:
        for name in TABLES:
            columnar = pq.read_table(folder / "parquet" / name / "part-0.parquet", partitioning=None)
            assert columnar.num_rows == len(rows(database, name)), name
    assert not list(folder.rglob("*unfinished*"))
    assert migrate(folder) is False


@pytest.mark.parametrize("number", [OLDER[0], OLDER[-1]])
def test_an_incremental_export_goes_on_from_an_earlier_release(
    tmp_path: Path, redis_url: str, number: int
) -> None:
    """What changed since is read, on top of what the earlier release held; its history stays."""
    folder = unpack(number, tmp_path)
    database = store.current(folder)
    assert database is not None
    before = {name: rows(database, name) for name in HISTORY}
    held = {row["id"] for row in rows(database, "tasks")}
    world = world_of(folder)
    with DemoServer(world, rate_limit=1_000_000) as server:
        settings = Settings(
            token=Secret(server.token),
            team_id=server.team_id,
            api_url=server.url,
            redis_url=redis_url,
            data_dir=folder,
            full_export_hours=1e6,
        )
        report = run_export_sync(settings)
    assert report.mode == "incremental"
    current = store.current(folder)
    assert current is not None
    assert held <= {row["id"] for row in rows(current, "tasks")}
    changes = rows(current, "status_changes")
    assert all(row in changes for row in of_columns(before["status_changes"], changes))
    assert len(rows(current, "exports")) == 3
    with redis.Redis.from_url(redis_url) as client:
        stored = publish.find(client, server.team_id)
        assert stored is not None
        document = json.loads(zlib.decompress(b"".join(publish.body(client, stored)), 31))
    assert {task["id"] for task in document["data"]} >= held


@pytest.mark.parametrize("number", WITH_VERSIONS)
def test_versions_of_every_earlier_layout_are_read(tmp_path: Path, number: int) -> None:
    """What an earlier release published is found, whole to the last byte, and listed as it was."""
    folder = unpack(number, tmp_path)
    team = rows(folder / "clickup.db", "workspaces")[0]["id"]
    exported = [row["version"] for row in rows(folder / "clickup.db", "exports")]
    settings = Settings(team_id=team, data_dir=folder)
    try:
        with publish.connect(settings) as client:
            found = publish.versions(client, team)
            assert [stored.version for stored in found] == sorted(exported, reverse=True)
            for stored in found:
                publish.verify(client, stored)
                document = json.loads(zlib.decompress(b"".join(publish.body(client, stored)), 31))
                assert (document["version"], document["schema_version"]) == (stored.version, 1)
            client.flushall()
            assert rebuild(settings) == found[0].version
            assert format_of(folder / "clickup.db") == store.FORMAT
            again = publish.find(client, team)
            assert again is not None
            assert again.tasks == found[0].tasks
    finally:
        publish.stop(settings)


def test_who_reads_migrates_too(tmp_path: Path) -> None:
    """A notebook on an earlier release's folder finds the tables of today."""
    folder = unpack(OLDER[0], tmp_path)
    workspace = Workspace(folder)
    assert len(workspace.table("tasks")) == 63
    assert len(workspace.table("comments")) == 0
    assert len(workspace.table("status_changes")) == 3


def test_what_cannot_be_made_anew_is_not_migrated(tmp_path: Path) -> None:
    """Rows without the raw JSON that they would be made from are left where they are, and that is said."""
    folder = unpack(OLDER[-1], tmp_path)
    with closing(sqlite3.connect(folder / "clickup.db")) as db:
        db.execute("DELETE FROM raw WHERE kind = 'task'")
        db.execute(
            "DELETE FROM raw WHERE kind = 'time_entry' AND id IN (SELECT id FROM time_entries LIMIT 2)"
        )
        db.commit()
    with pytest.raises(StorageError, match=r"\d+ of its tasks and time entries lack the raw JSON"):
        migrate(folder)
    assert format_of(folder / "clickup.db") == OLDER[-1]
    assert len(rows(folder / "clickup.db", "tasks")) == 63
    assert not list(folder.rglob("*unfinished*"))


def test_a_reader_does_not_wait_for_an_export(tmp_path: Path) -> None:
    """While an export holds the folder a reader takes what is there; the export migrates it."""
    folder = unpack(OLDER[0], tmp_path)
    with store.lock_folder(folder):
        migrate_to_read(folder)
        assert format_of(folder / "clickup.db") == OLDER[0]
    migrate_to_read(folder)
    assert format_of(folder / "clickup.db") == store.FORMAT


def test_a_newer_release_is_refused_before_anything_is_touched(tmp_path: Path, redis_url: str) -> None:
    """Export, notebook and rebuilding say which format they met, and to upgrade; no file is changed."""
    folder = unpack(OLDER[-1], tmp_path)
    migrate(folder)
    database = store.current(folder)
    assert database is not None
    set_format(database, store.FORMAT + 3)
    settings = Settings(token=Secret("pk_1"), team_id="1", data_dir=folder, redis_url=redis_url)
    before = times(folder)
    for refused in (
        lambda: run_export_sync(settings),
        lambda: Workspace(folder),
        lambda: rebuild(settings),
        lambda: migrate(folder),
    ):
        with pytest.raises(StorageError) as error:
            refused()
        assert error.value.message == (
            f"{database} was written by a newer release of the toolkit: it has format {store.FORMAT + 3}, "
            f"and this release knows {store.FORMAT} at most."
        )
        assert error.value.remedy.startswith("Upgrade the toolkit to that release, or set CLICKUP_DATA_DIR")
    assert before == times(folder)


def test_a_server_keeps_its_pages_where_a_newer_release_exports(tmp_path: Path) -> None:
    """What runs goes on with the last database that it knows; what is started says to upgrade."""
    settings = settings_for(tmp_path)
    with serve.background(settings) as address, httpx.Client(base_url=address) as site:
        publish_file(tmp_path, "20261123T000001Z", tasks=2)
        assert len(site.get("/clickup/tasks.json?_shape=array").json()) == 2
        publish_file(tmp_path, "20261123T000002Z", tasks=3)
        set_format((tmp_path / "clickup.db").resolve(), store.FORMAT + 1)
        assert len(site.get("/clickup/tasks.json?_shape=array").json()) == 2
    done = give(settings, "serve")
    assert done.returncode == 1
    assert "was written by a newer release of the toolkit" in done.stderr
    assert "Upgrade the toolkit to that release" in done.stderr


@pytest.mark.parametrize("part", [0.2, 0.4, 0.6, 0.8])
def test_a_migration_that_is_killed_is_done_the_next_time(tmp_path: Path, part: float) -> None:
    """Killed at any moment, the folder holds a whole database, old or new; the next one finishes."""
    killed(60, len, "")  # the process that all others are forked from starts
    began = time.monotonic()
    killed(60, migrate, unpack(OLDER[1], tmp_path / "whole"))
    folder = unpack(OLDER[1], tmp_path / "killed")
    killed((time.monotonic() - began) * part, migrate, folder)
    database = store.current(folder)
    assert database is not None
    assert len(rows(database, "tasks")) == 63
    migrate(folder)
    assert format_of(database) == store.FORMAT
    assert len(rows(database, "status_changes")) == 3
    assert not list(folder.glob("*unfinished*"))


def test_databases_say_whose_they_are(tmp_path: Path) -> None:
    """A file of ours bears our mark and its format's number, where programs look for both."""
    folder = unpack(OLDER[0], tmp_path)
    migrate(folder)
    with closing(sqlite3.connect(folder / "clickup.db")) as db:
        marks = (db.execute("PRAGMA application_id").fetchone(), db.execute("PRAGMA user_version").fetchone())
    assert marks == ((APPLICATION_ID,), (store.FORMAT,))


def test_the_kept_data_is_small_and_holds_no_secret(tmp_path: Path) -> None:
    """Data of earlier releases stays small enough for a repository, and no token got into it."""
    assert all(path.stat().st_size < 256 * 1024 for path in FOLDER.glob("*.tar.xz"))
    with DemoServer(world_of(unpack(OLDER[0], tmp_path))) as server:
        token = server.token.encode()
    for number in NUMBERS:
        folder = unpack(number, tmp_path / str(number))
        assert not [path for path in folder.rglob("*") if path.is_file() and token in path.read_bytes()]
