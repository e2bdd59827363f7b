"""The way from a database to a published version, again if need be: when Redis lost what it had.

The data folder's database holds everything that its version was made of, so a version that Redis lost
(emptied, evicted, failed over to a server that lagged behind, put in the place of another) is published
again under the same id, without asking the API for anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import redis
import structlog

from clickup_toolkit import publish, store
from clickup_toolkit.errors import RedisError, SettingsError, StorageError, VersionDamaged
from clickup_toolkit.migrate import migrate_to_read
from clickup_toolkit.settings import Settings

__all__ = ["mend", "publish_database", "rebuild"]

_FACTS = ("mode", "changed", "deleted", "time_entries", "requests", "gaps")

_log = structlog.get_logger(__name__)


def publish_database(
    client: redis.Redis, lock: publish.ExportLock, settings: Settings, database: Path
) -> publish.Published:
    """Publish the document of a database as the version that it names, and keep what ``settings`` say.

    Raises :class:`LockLost`, :class:`RedisError` or :class:`StorageError`; the latest version stays then.
    """
    export = _last_export(database, ("version", "tasks", "started", "finished", "complete", *_FACTS))
    return publish.publish(
        client,
        lock,
        team_id=lock.team_id,
        version=str(export["version"]),
        head=store.document_head(database),
        tasks=store.document_tasks(database),
        facts={
            "updated_at": datetime.fromisoformat(str(export["finished"] or export["started"])).isoformat(),
            "complete": bool(export["complete"]),
            **{name: export[name] for name in _FACTS},
        },
        keep=settings.keep_last_n_exports,
        keep_daily=settings.keep_daily_exports,
    )


def rebuild(settings: Settings, *, thoroughly: bool = False) -> str | None:
    """Publish the data folder's version again if Redis lost it; return its id, or None if nothing was due.

    Nothing is due where Redis holds a newer version, or this one whole: all chunks are looked for, and,
    ``thoroughly``, read and verified. Nor without a database. Raises :class:`ExportRunning` when an export
    holds the lock, which looks itself, and what :func:`publish_database` raises.
    """
    if settings.team_id is None:
        raise SettingsError("Rebuilding a version needs CLICKUP_TEAM_ID.")
    migrate_to_read(settings.data_dir)
    with publish.connect(settings) as client:
        if _due(client, settings, thoroughly) is None:
            return None
        with publish.ExportLock(client, settings.team_id, settings.redis_lock_ttl) as lock:
            return _rebuild(client, lock, settings, thoroughly)


def mend(client: redis.Redis, lock: publish.ExportLock, settings: Settings) -> str | None:
    """As :func:`rebuild`, for an export that is about to begin: what cannot be rebuilt does not stop it."""
    try:
        return _rebuild(client, lock, settings, thoroughly=False)
    except (StorageError, RedisError) as fault:
        _log.warning("version.not_rebuilt", reason=fault.message)
        return None


def _rebuild(
    client: redis.Redis, lock: publish.ExportLock, settings: Settings, thoroughly: bool
) -> str | None:
    database = _due(client, settings, thoroughly)
    if database is None:
        return None
    done = publish_database(client, lock, settings, database)
    _log.warning(
        "version.rebuilt", version=done.stored.version, tasks=done.stored.tasks, sent_bytes=done.sent_bytes
    )
    return done.stored.version


def _due(client: redis.Redis, settings: Settings, thoroughly: bool) -> Path | None:
    """Return the database whose version Redis should hold as its latest, and does not hold whole."""
    team, database = str(settings.team_id), store.current(settings.data_dir)
    if database is None or not _belongs(database, team):
        return None
    version = _last_export(database, ("version",))["version"]
    latest = publish.latest_id(client, team)
    if latest is not None and latest > str(version):
        return None
    try:
        stored = publish.find(client, team)
        if stored is None or stored.version != version:
            return database
        if thoroughly:
            publish.verify(client, stored)
    except VersionDamaged:
        return database
    return None


def _belongs(database: Path, team: str) -> bool:
    found = _read(database, "SELECT id FROM workspaces")
    return (team,) in found


def _last_export(database: Path, columns: Iterable[str]) -> dict[str, object]:
    names = list(columns)
    rows = _read(database, f"SELECT {', '.join(names)} FROM exports ORDER BY version DESC LIMIT 1")  # noqa: S608
    if not rows:
        raise StorageError(f"{database} holds no export.", "Export the workspace: clickup-toolkit export")
    return dict(zip(names, rows[0], strict=True))


def _read(database: Path, query: str) -> list[tuple[object, ...]]:
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            return db.execute(query).fetchall()
    except sqlite3.Error as error:
        raise StorageError(
            f"{database} cannot be read ({error}).", "Export the workspace: clickup-toolkit export"
        ) from error
