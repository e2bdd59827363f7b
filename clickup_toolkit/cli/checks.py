"""What ``doctor`` looks at: each check returns what it found and what to do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import NamedTuple, TypeVar

import msgspec

from clickup_toolkit import __version__, publish, store
from clickup_toolkit.client import Client, Request
from clickup_toolkit.errors import Refused, StorageError, ToolkitError, WorkspaceUnavailable
from clickup_toolkit.pacing import Pacer
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.settings import Settings
from clickup_toolkit.store.damage import last_database_damaged
from clickup_toolkit.store.files import LINK

__all__ = ["Finding", "examine"]

Answered = TypeVar("Answered")
_LEAST_FREE_GB = 2.0
_STALE_INTERVALS = 2  # one run may be under way or have failed; two have not
_TRIES = 2  # somebody waits for the answer
_EXTRAS = {"notebooks": "papermill", "serve": "datasette"}


class Finding(NamedTuple):
    """What a check found: ``good`` False is a problem, and ``remedy`` says what to do about it."""

    check: str
    good: bool
    found: str
    remedy: str = ""


class _User(msgspec.Struct):
    id: int | str
    username: str | None = None


class _Team(msgspec.Struct):
    id: int | str
    name: str | None = None


class _Me(msgspec.Struct):
    user: _User


class _Teams(msgspec.Struct):
    teams: list[_Team]


def examine(settings: Settings) -> Iterator[Finding]:
    """Check everything that an export and the server need, one after the other."""
    yield _software()
    token = _checked("token", _token, settings)
    yield token
    yield (
        _checked("workspace", _workspace, settings)
        if token.good
        else Finding("workspace", False, "not checked", "Put the token right first.")
    )
    redis = _checked("redis", _redis, settings)
    yield redis
    if redis.good:
        yield _checked("versions", _versions, settings)
    if os.path.lexists(settings.data_dir / LINK):
        yield _checked("database", _database, settings)
    yield _checked("disk", _disk, settings)


def _checked(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, True, check(settings))
    except ToolkitError as error:
        return Finding(name, False, error.message, error.remedy)


def _software() -> Finding:
    missing = [extra for extra, package in _EXTRAS.items() if find_spec(package) is None]
    found = f"clickup-toolkit {__version__}, Python {sys.version.split()[0]}"
    if missing:
        wanted = ",".join(missing)
        return Finding(
            "software",
            False,
            f"{found}, without {' and '.join(missing)}",
            f'Install them: pip install "clickup-workspace-toolkit[{wanted}]"',
        )
    return Finding("software", True, found)


def _token(settings: Settings) -> str:
    try:
        me = _ask(settings, "/user", _Me).user
    except Refused as refusal:
        raise ToolkitError(
            f"ClickUp refuses the token: {refusal.message}",
            "Make a new one in ClickUp (your avatar, Settings, Apps, API Token) and set CLICKUP_TOKEN to it.",
        ) from refusal
    return f"ClickUp knows it as {me.username or 'user'} ({me.id})"


def _workspace(settings: Settings) -> str:
    teams = _ask(settings, "/team", _Teams).teams
    for team in teams:
        if str(team.id) == settings.team_id:
            return f"{team.name} ({team.id})"
    reached = ", ".join(f"{team.id} ({team.name})" for team in teams) or "none"
    raise WorkspaceUnavailable(
        f"The token does not reach the workspace {settings.team_id}.",
        f"Set CLICKUP_TEAM_ID to one that it reaches: {reached}.",
    )


def _ask(settings: Settings, path: str, kind: type[Answered]) -> Answered:
    async def ask() -> Answered:
        async with Client(settings, Pacer(1)) as client:
            decode = msgspec.json.Decoder(kind).decode
            return (await client.get(Request(path), decode, tries=_TRIES))[2]

    return asyncio.run(ask())


def _redis(settings: Settings) -> str:
    client = publish.connect(settings)
    with plain_faults(client):
        server = client.info("server")
    client.close()
    name = server.get("server_name", "redis").capitalize()
    version = server.get("valkey_version", server.get("redis_version", ""))
    where = "REDIS_URL" if settings.redis_url else f"embedded, in {settings.data_dir}"
    return f"{name} {version} ({where})"


def _versions(settings: Settings) -> str:
    assert settings.team_id
    stored = publish.versions(publish.connect(settings), settings.team_id)
    if not stored:
        raise ToolkitError("None yet.", "Export the workspace: clickup-toolkit export")
    age = (datetime.now(UTC) - stored[0].updated_at).total_seconds() / 3600
    newest = f"{stored[0].version} ({stored[0].tasks:,} tasks, {age:,.1f} hours old)"
    if age > _STALE_INTERVALS * settings.export_interval_hours:
        raise ToolkitError(
            f"{len(stored)}, but the newest is stale: {newest}.",
            f"One is due every {settings.export_interval_hours:g} hours: see that `clickup-toolkit schedule` "
            f"(or `up`) runs, and in {settings.data_dir / 'runs'} how its last runs ended.",
        )
    return f"{len(stored)}, the newest is {newest}"


def _database(settings: Settings) -> str:
    path = store.current(settings.data_dir)
    if path is None:
        raise last_database_damaged(settings.data_dir / LINK, "the file that it names is gone")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
            (tasks,) = db.execute("SELECT count(*) FROM tasks").fetchone()
    except sqlite3.Error as error:
        raise last_database_damaged(path, error) from error
    if found != "ok":
        raise last_database_damaged(path, found.splitlines()[-1])
    return f"{path.name}, whole ({tasks:,} tasks)"


def _disk(settings: Settings) -> str:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            free = shutil.disk_usage(settings.data_dir).free / 1e9
    except OSError as error:
        raise StorageError(
            f"{settings.data_dir} cannot be written: {error.strerror}.",
            "Set CLICKUP_DATA_DIR to a folder that can be written.",
        ) from error
    if free < _LEAST_FREE_GB:
        raise StorageError(
            f"{settings.data_dir} has {free:,.1f} GB left.",
            f"Free some: an export of a large workspace needs {_LEAST_FREE_GB:g} GB.",
        )
    return f"{settings.data_dir} can be written, {free:,.0f} GB free"
