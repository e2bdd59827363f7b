"""What tests of backups share: exported workspaces, what they look like, and a second place to restore to."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import redis

from clickup_toolkit import backup, migrate, publish  # noqa: F401  # for processes that are to be killed
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.demo.drift import VISIBLE_CHANGES, drift
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.settings import Settings
from tests.commands import give
from tests.exporting import settings_for
from tests.worlds import living_world

__all__ = ["Place", "bodies", "exported", "folder_of", "give", "killed", "the_world"]


_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.killing", "tests.backups"])


def the_world() -> World:
    """A small workspace in the real present."""
    return living_world(tasks=60, lists=19, members=4, time_entries=30, hidden=12)


def exported(server: DemoServer, folder: Path, redis_url: str, exports: int = 2, **changes: Any) -> Settings:
    """Export a workspace that changes in between; return the settings."""
    settings = settings_for(server, folder, redis_url, full_export_hours=1e6, **changes)
    for number in range(exports):
        if number:
            drift(server.world, random.Random(number), 6, VISIBLE_CHANGES)
        run_export_sync(settings)
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    (runs / "20261123T101500Z.ipynb").write_text('{"cells": []}')
    (runs / "20261123T101500Z.json").write_text('{"name": "20261123T101500Z"}')
    (folder / "schedule.json").write_text('{"next": "2026-11-23T15:15:00Z"}')
    (folder / ".env").write_text("CLICKUP_TOKEN=pk_hidden_in_the_folder")
    return settings


def bodies(client: redis.Redis, team_id: str) -> dict[str, tuple[StoredVersion, bytes]]:
    """Return every version with its body."""
    return {
        stored.version: (stored, b"".join(publish.body(client, stored)))
        for stored in publish.versions(client, team_id)
    }


def folder_of(folder: Path) -> dict[str, Any]:
    """Return all rows of all tables of the database and of the columnar files, and the other files."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(folder / "clickup.db")) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            found[name] = db.execute(f'SELECT * FROM "{name}"').fetchall()
        found["user_version"] = db.execute("PRAGMA user_version").fetchone()
    for path in sorted((folder / "parquet").rglob("*.parquet")):
        found[path.parent.name + ".parquet"] = pq.read_table(path, partitioning=None).to_pylist()
    files = [*(folder / "runs").glob("2*"), *folder.glob("*.json")]
    return found | {str(path.relative_to(folder)): path.read_bytes() for path in files}


class Place:
    """Another machine: an empty folder and an empty server."""

    def __init__(self, settings: Settings, folder: Path, redis_url: str) -> None:
        self.settings = replace(settings, data_dir=folder, redis_url=redis_url)
        self.team_id = str(settings.team_id)

    def bodies(self) -> dict[str, tuple[StoredVersion, bytes]]:
        """Return every version there with its body."""
        with publish.connect(self.settings) as client:
            return bodies(client, self.team_id)


def killed(after: float, work: Callable[..., object], *words: object) -> bool:
    """Let a process work, and kill it after some seconds; tell whether it was still at it."""
    process = _PROCESSES.Process(target=work, args=words)
    process.start()
    process.join(after)
    if process.is_alive():
        process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
