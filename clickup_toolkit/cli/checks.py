"""What ``doctor`` looks at: each check says what it found, or what is wrong and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from importlib.util import find_spec

from clickup_toolkit import __version__, publish, store
from clickup_toolkit.cli.checks_clickup import ask_clickup
from clickup_toolkit.cli.checks_running import port, redis_server, schedule
from clickup_toolkit.cli.findings import Finding, Remark, checked
from clickup_toolkit.errors import StorageError, ToolkitError
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.settings import Settings
from clickup_toolkit.store.damage import last_database_damaged
from clickup_toolkit.store.files import LINK

__all__ = ["Finding", "examine"]

_DISTRIBUTION = "clickup-workspace-toolkit"
_LEAST_FREE_GB = 2.0
_STALE_INTERVALS = 2  # one run may be under way or have failed; two have not
_EXTRAS = {"notebooks": "papermill", "serve": "datasette"}
_SHOWN = ("httpx", "redis", "pyarrow", "datasette", "papermill")
_USERS = ("up.lock", "schedule.lock", "export.lock")  # of the data folder; their holders use the server
_LOOKS, _LOOK_SECONDS = 5, 0.1
_AHEAD_HOURS = 1 / 60  # of clocks that differ
_OLDEST_SQLITE = (3, 35)


def examine(settings: Settings) -> Iterator[Finding]:
    """Check everything that an export and the server need, one after the other."""
    yield checked("software", _software)
    yield from ask_clickup(settings)
    with _as_found(settings):
        yield from _examine_here(settings)


def _examine_here(settings: Settings) -> Iterator[Finding]:
    redis = checked("redis", partial(redis_server, settings))
    yield redis
    checks: list[tuple[str, Callable[[Settings], str]]] = []
    if redis.state != "problem":
        checks.append(("versions", _versions))
    if os.path.lexists(settings.data_dir / LINK):
        checks.append(("database", _database))
    for name, check in [*checks, ("disk", _disk), ("schedule", schedule), ("port", port)]:
        yield checked(name, partial(check, settings))


@contextmanager
def _as_found(settings: Settings) -> Iterator[None]:
    """Stop the embedded server behind the block, unless it ran before, or somebody has come to use it."""
    ran = publish.is_running(settings)
    try:
        yield
    finally:
        if not ran and publish.is_running(settings):
            with suppress(ToolkitError):  # what is wrong with it was told
                _stop_unused(settings)


def _stop_unused(settings: Settings) -> None:
    if any(store.is_held(settings.data_dir / name) for name in _USERS):
        return
    with publish.connect(settings) as client, plain_faults(client):
        for _ in range(_LOOKS):  # our own connections of before may take a moment to be gone
            if is_alone := len(client.client_list()) == 1:
                break
            time.sleep(_LOOK_SECONDS)
    if is_alone:
        publish.stop(settings)


def _software() -> str:
    found = (
        f"clickup-toolkit {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
    missing = [extra for extra, package in _EXTRAS.items() if find_spec(package) is None]
    if missing:
        raise ToolkitError(
            f"{found}, without {' and '.join(missing)}",
            f'Install them: pip install "{_DISTRIBUTION}[{",".join(missing)}]"',
        )
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise ToolkitError(f"{found}: SQLite is too old.", "Use a Python that brings SQLite 3.35 or newer.")
    unfit = _unfit_packages()
    if unfit:
        raise Remark(f"{found}, but with {', '.join(unfit)}", "Install the pinned packages: make fresh_start")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _SHOWN)
    return f"{found}, {versions}"


def _unfit_packages() -> list[str]:
    """Return the packages whose version is not what this toolkit asks for; none where nobody can tell."""
    try:
        from packaging.requirements import Requirement

        wanted = [Requirement(text) for text in metadata.requires(_DISTRIBUTION) or ()]
    except (ImportError, metadata.PackageNotFoundError):
        return []
    unfit = []
    for each in wanted:
        if each.marker and not each.marker.evaluate({"extra": "serve"}):
            continue
        try:
            version = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed is told above
        if not each.specifier.contains(version, prereleases=True):
            unfit.append(f"{each.name} {version} instead of {each.specifier}")
    return unfit


def _versions(settings: Settings) -> str:
    assert settings.team_id
    with publish.connect(settings) as client:
        stored = publish.versions(client, settings.team_id)
    if not stored:
        raise _no_versions(settings)
    age = (datetime.now(UTC) - stored[0].updated_at).total_seconds() / 3600
    if age < -_AHEAD_HOURS:
        raise Remark(
            f"{len(stored)}, but the newest, {stored[0].version}, is dated {-age:,.1f} hours ahead of this "
            "machine's clock.",
            "Set the clock, by NTP at best. If it is right now, and was ahead before: exports go on, and the "
            "next one is dated as it should be.",
        )
    newest = f"{stored[0].version} ({stored[0].tasks:,} tasks, {max(0.0, age):,.1f} hours old)"
    if age > _STALE_INTERVALS * settings.export_interval_hours:
        raise ToolkitError(
            f"{len(stored)}, but the newest is stale: {newest}.",
            f"One is due every {settings.export_interval_hours:g} hours: see that `clickup-toolkit schedule` "
            f"(or `up`) runs, and in {settings.data_dir / 'runs'} how its last runs ended.",
        )
    return f"{len(stored)}, the newest is {newest}"


def _no_versions(settings: Settings) -> ToolkitError:
    """Say whether there was no export yet, or one whose versions are gone."""
    if store.current(settings.data_dir) is None:
        return Remark("None yet.", "`up` exports at its start; or export now: clickup-toolkit export")
    return ToolkitError(
        "None, though the data folder holds an export: this Redis lost them, or is another than before.",
        "Publish it again: clickup-toolkit versions rebuild. Before, see that REDIS_URL is the right one.",
    )


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
    if store.known_format(path) != store.FORMAT:
        raise Remark(
            f"{path.name} has the tables of an earlier release of the toolkit.",
            "Start `up`, or export once: that brings it to this release's, and keeps what it holds.",
        )
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
