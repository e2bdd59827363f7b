"""Put a backup back: everything is proved first, then laid ready, then put in place.

Nothing is touched before the whole file was read and every hash found right, and before it is known that
nobody works in the folder and what would be lost. What the folder gets is laid ready beside it; database,
journal and the rest then move in, each by a rename. Columnar files are made from the database. A restore that
was killed left the old state or finished pieces of the new one: the same command finishes it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec
import redis
import zstandard

from clickup_toolkit import parquet, publish, store
from clickup_toolkit.backup.archive import Contents, Reader, refused
from clickup_toolkit.backup.pieces import Pieces
from clickup_toolkit.errors import ExportRunning, RedisError, SettingsError, StorageError
from clickup_toolkit.migrate import migrate
from clickup_toolkit.publish.copying import Copied, copied_versions, put_back, settle
from clickup_toolkit.publish.faults import place_of
from clickup_toolkit.settings import Settings
from clickup_toolkit.store.files import LINK, is_full

__all__ = ["Restored", "restore"]

_READY, _BEGUN = ".restoring", ".restoring.begun"
_HELD = {"up.lock": "`up`", "schedule.lock": "a scheduler"}
_STATE = ("schedule.json", "notified.json")
_RUNS = ("*.ipynb", "*.json")
_JOURNAL = ("journal.db", "journal.db-wal", "journal.db-shm")


class Restored(msgspec.Struct, kw_only=True):
    """What a restore did, or would do: the line that ``restore --json`` prints.

    ``migrated`` is the format that the database had before it was brought to this release's, ``latest`` the
    version that is served then.
    """

    file: str
    team_id: str
    made: str
    folder: str
    database: str | None
    tasks: int
    versions: int
    runs: int
    migrated: int | None = None
    latest: str | None = None
    checked_only: bool = False


def restore(settings: Settings, path: Path, *, force: bool = False, check: bool = False) -> Restored:
    """Restore the backup in ``path`` into the data folder and to Redis.

    ``check`` reads and proves everything, and changes nothing. Unless told to ``force`` it, nothing that is
    in the folder is replaced. Raises :class:`~clickup_toolkit.errors.ToolkitError`.
    """
    with Reader.opened(path) as archive:
        contents = archive.contents
        _refuse_foreign(settings, archive)
        archive.check()
        versions = Pieces(archive).versions(contents)
        report = _report(settings, archive)
        if check:
            return msgspec.structs.replace(report, checked_only=True)
        with _alone(settings.data_dir), ExitStack() as stack:
            client = lock = None
            if versions:
                client = stack.enter_context(publish.connect(settings))
                ttl = settings.redis_lock_ttl
                lock = stack.enter_context(publish.ExportLock(client, contents.team_id, ttl))
            if not _was_begun(settings.data_dir, archive) and not force:
                _refuse_losses(settings.data_dir, contents)
                if client is not None:
                    _refuse_newer(client, contents, versions)
            if contents.database is not None:
                _put_folder(settings.data_dir, archive)
            if client is not None and lock is not None:
                _put_versions(client, lock, archive, versions)
                report.latest = publish.latest_id(client, contents.team_id)
            (settings.data_dir / _BEGUN).unlink(missing_ok=True)
    return report


def _report(settings: Settings, archive: Reader) -> Restored:
    contents = archive.contents
    return Restored(
        file=str(archive.path),
        team_id=contents.team_id,
        made=contents.made.isoformat(),
        folder=str(settings.data_dir),
        database=contents.database,
        tasks=contents.tasks,
        versions=len(contents.versions),
        runs=len(archive.names("data/runs/")),
        migrated=contents.format if contents.database and contents.format < store.FORMAT else None,
    )


def _refuse_foreign(settings: Settings, archive: Reader) -> None:
    contents = archive.contents
    if settings.team_id not in (None, contents.team_id):
        raise SettingsError(
            f"{archive.path} holds workspace {contents.team_id}, not {settings.team_id}.",
            "Correct CLICKUP_TEAM_ID, or name another file.",
        )
    if contents.format > store.FORMAT:
        raise StorageError(
            f"{archive.path} holds a database of a newer release of the toolkit: it has format "
            f"{contents.format}, and this release knows {store.FORMAT} at most.",
            "Upgrade the toolkit to that release. Nothing was touched.",
        )
    if contents.database is not None and f"data/clickup-{contents.database}.db.zst" not in archive:
        raise refused(archive.path, "its database is missing")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, so that no export, no scheduler and no ``up`` works there."""
    with ExitStack() as stack:
        for name, what in _HELD.items():
            stack.enter_context(store.hold(folder / name, partial(_busy, folder, what)))
        stack.enter_context(store.lock_folder(folder))
        yield


def _busy(folder: Path, what: str, who: str) -> ExportRunning:
    return ExportRunning(
        f"Nothing is restored while {what} works in {folder} ({who}).", "End it first (make down)."
    )


def _was_begun(folder: Path, archive: Reader) -> bool:
    """Tell whether this very backup was being restored, and no export has followed since."""
    try:
        begun, before = (folder / _BEGUN).read_text().split(" ")
    except (OSError, ValueError):
        return False
    return begun == archive.id and _current(folder) in (before, f"clickup-{archive.contents.database}.db")


def _current(folder: Path) -> str:
    database = store.current(folder)
    return "" if database is None else database.name


def _refuse_losses(folder: Path, contents: Contents) -> None:
    """Refuse to replace what is in the folder, saying what that is."""
    lost = list(_losses(folder, contents))
    if lost:
        raise StorageError(
            f"The data folder {folder} is not empty. Replaced, and lost, would be {'; '.join(lost)}.",
            "Nothing was touched. Name an empty folder with --data-dir, back this one up first, or give "
            "--force.",
        )


def _losses(folder: Path, contents: Contents) -> Iterator[str]:
    database = store.current(folder)
    if database is not None:
        try:
            with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
                (team,) = db.execute("SELECT id FROM workspaces").fetchone()
                last = "SELECT version, tasks FROM exports ORDER BY version DESC LIMIT 1"
                version, tasks = db.execute(last).fetchone()
                newer = "SELECT count(*) FROM exports WHERE version > ?"
                (since,) = db.execute(newer, (contents.database or "",)).fetchone()
        except (sqlite3.Error, TypeError):
            yield f"the database {database.name}, which is damaged"
        else:
            of = "" if team == contents.team_id else f" of workspace {team}"
            behind = f", with what {since} exports since the backup saw" if since else ""
            yield f"version {version}{of} ({tasks:,} tasks{behind})"
    elif (folder / "journal.db").exists():
        yield "what an unfinished export has read"
    if runs := sum(1 for _ in (folder / "runs").glob("*.ipynb")):
        yield f"{runs} executed notebooks"


def _refuse_newer(client: redis.Redis, contents: Contents, versions: list[Copied]) -> None:
    """Refuse where Redis holds what is newer, or other than what the backup calls the same."""
    there = {one.id: one.etag for one in copied_versions(client, contents.team_id)[0]}
    newest = max((one.id for one in versions if one.ttl is None), default="")
    newer = [one for one in there if one > newest]
    if newer:
        raise RedisError(
            f"Redis at {place_of(client)} holds version {max(newer)} of workspace {contents.team_id}, which "
            f"is newer than the backup's newest, {newest or 'none'}.",
            "Nothing was touched. With --force the backup's versions are put beside it, and it stays the "
            "latest.",
        )
    other = [one.id for one in versions if there.get(one.id, one.etag) != one.etag]
    if other:
        raise RedisError(
            f"Redis at {place_of(client)} holds another version {other[0]} than the backup.",
            "Nothing was touched. With --force the backup's takes its place.",
        )


def _put_folder(folder: Path, archive: Reader) -> None:
    """Lay everything ready beside the folder's files, then move it in."""
    ready = folder / _READY
    with _writing(folder):
        shutil.rmtree(ready, ignore_errors=True)
        ready.mkdir(mode=0o700)
        try:
            _lay_ready(ready, archive)
            if not _was_begun(folder, archive):
                (folder / _BEGUN).write_text(f"{archive.id} {_current(folder)}")
            _move_in(ready, folder)
        finally:
            shutil.rmtree(ready, ignore_errors=True)


def _lay_ready(ready: Path, archive: Reader) -> None:
    for name in archive.names("data/"):
        target = ready / name.removeprefix("data/").removesuffix(".zst")
        target.parent.mkdir(exist_ok=True)
        with archive.open(name) as source, target.open("wb") as sink:
            if name.endswith(".zst"):
                zstandard.ZstdDecompressor().copy_stream(source, sink)
            else:
                shutil.copyfileobj(source, sink)
    database = next(ready.glob("clickup-*.db"))
    if store.known_format(database) != archive.contents.format:
        raise refused(archive.path, "its database is not of the format that it says")
    store.flip(ready, database)
    if not migrate(ready):
        parquet.write(database, ready / "parquet")


def _move_in(ready: Path, folder: Path) -> None:
    """Move everything to its place; the database last of what an export goes on from."""
    for name in _JOURNAL:
        (folder / name).unlink(missing_ok=True)
    for name in ("journal.db", *_STATE):
        _take_place(ready / name, folder / name)
    database = (ready / LINK).resolve()
    target = folder / database.name
    database.replace(target)
    store.flip(folder, target)
    columnar = folder / "parquet"
    for path in sorted((ready / "parquet").glob("*/*.parquet")):
        (columnar / path.parent.name).mkdir(parents=True, exist_ok=True)
        path.replace(columnar / path.parent.name / path.name)
    runs = folder / "runs"
    runs.mkdir(exist_ok=True)
    for pattern in _RUNS:
        for path in runs.glob(pattern):
            path.unlink()
        for path in (ready / "runs").glob(pattern):
            path.replace(runs / path.name)


def _take_place(new: Path, old: Path) -> None:
    if new.exists():
        new.replace(old)
    else:
        old.unlink(missing_ok=True)


def _put_versions(
    client: redis.Redis, lock: publish.ExportLock, archive: Reader, versions: list[Copied]
) -> None:
    """Put the versions back, the oldest first, so that the latest becomes the latest at the end."""
    pieces = Pieces(archive)
    put: set[str] = set()
    for one in sorted(versions, key=lambda version: version.id):
        for name in pieces.needed(one.read()):
            form = None if name in put else pieces.form(name)
            if form is not None:
                put_back(client, lock, form)
                put.add(name)
        settle(client, lock, one)
    for one in versions:
        stored = publish.find(client, lock.team_id, one.id)
        if stored is not None:  # one that is leaving may have left
            publish.verify(client, stored)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, zstandard.ZstdError) as error:
        if is_full(error):
            raise StorageError(
                f"There is no space left to restore into {folder} ({error}).",
                "Free disk space there, and restore again.",
            ) from error
        raise StorageError(
            f"{folder} cannot be written ({error}).",
            "Make it writable, or name another with --data-dir, and restore again.",
        ) from error
