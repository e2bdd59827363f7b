"""Take a backup, beside whatever runs: an export, the scheduler, the server.

The database is copied by SQLite's online backup and checked, the journal too; versions are taken as they lie
in Redis, held meanwhile as a reader holds them. The file is written under another name, read once more from
beginning to end, and renamed when everything in it is what it should be.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import redis

from clickup_toolkit import __version__, publish, store
from clickup_toolkit.backup.archive import Contents, Reader, Writer, is_taken
from clickup_toolkit.backup.databases import LastExport, copy_database, last_export, packed, sound
from clickup_toolkit.backup.published import add_versions
from clickup_toolkit.errors import RedisUnreachable, StorageError, ToolkitError
from clickup_toolkit.publish.copying import Copied, copied_versions, forms
from clickup_toolkit.settings import Settings
from clickup_toolkit.store.damage import last_database_damaged
from clickup_toolkit.store.files import is_full

__all__ = ["Taken", "take"]

_TRIES = 5  # to take database and journal between two exports
_STATE = ("schedule.json", "notified.json")
_RUNS = ("*.ipynb", "*.json")
_FILE = "backup.tar"
_LOCK = "lock"
_NO_JOURNAL = "the journal: it is damaged; the next crawl begins anew"


class Taken(msgspec.Struct, kw_only=True):
    """What a backup took: the line that ``backup --json`` prints.

    ``versions`` are published ones, ``pinned`` and ``leaving`` some of them; ``left_out`` says what is
    missing and why.
    """

    file: str = ""
    bytes: int = 0
    team_id: str
    database: str | None = None
    tasks: int = 0
    database_bytes: int = 0
    journal_answers: int = 0
    journal_bytes: int = 0
    runs: int = 0
    versions: int = 0
    pinned: int = 0
    leaving: int = 0
    chunks: int = 0
    chunk_bytes: int = 0
    left_out: list[str] = []


def take(settings: Settings, out: Path | None, *, versions: bool = True) -> Taken:
    """Write a backup of the data folder and, unless told otherwise, of the published versions.

    ``out`` is a file, which is replaced when the new one is whole, or a folder to put one into (default: the
    working folder). Raises :class:`~clickup_toolkit.errors.ToolkitError`; then no file was written.
    """
    last = last_export(settings.data_dir)
    team = settings.team_id or (last.team_id if last else None)
    if team is None:
        raise _nothing(settings)
    made = datetime.now(UTC).replace(microsecond=0)
    target = _target(out, team, made)
    with ExitStack() as stack:
        client = stack.enter_context(_connected(settings)) if _asks_redis(settings, versions) else None
        copied, broken = ([], []) if client is None else copied_versions(client, team)
        if last is None and not copied:
            raise _nothing(settings)
        with _writing(target), _aside(target) as work:
            taking = _Taking(settings.data_dir, Contents(toolkit=__version__, made=made, team_id=team), work)
            taking.report.left_out += [f"version {one}: it is damaged in Redis" for one in broken]
            taking.write(client, copied)
            (work / _FILE).replace(target)
    left_out = list(dict.fromkeys(taking.report.left_out))
    return msgspec.structs.replace(
        taking.report, file=str(target), bytes=target.stat().st_size, left_out=left_out
    )


class _Taking:
    """One backup in the making, in the folder ``work``."""

    def __init__(self, folder: Path, contents: Contents, work: Path) -> None:
        self._folder = folder
        self._work = work
        self._contents = contents
        self.report = Taken(team_id=contents.team_id)

    def write(self, client: redis.Redis | None, copied: list[Copied]) -> None:
        """Write the whole file, and read it once more."""
        path = self._work / _FILE
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            writer = Writer(path, file, self._contents.made)
            self._add_databases(writer)
            self._add_state(writer)
            if client is not None:
                self._add_versions(writer, client, copied)
            writer.finish(self._contents)
            file.flush()
            os.fsync(file.fileno())
        with Reader.opened(path) as archive:
            archive.check()

    def _add_databases(self, writer: Writer) -> None:
        """Add journal and database, of one moment between two exports if that can be had."""
        for _ in range(_TRIES):
            last = last_export(self._folder)
            journal = self._copied_journal()
            database = None if last is None else self._copied_database(last)
            if last_export(self._folder) == last:
                break
        if journal is not None:
            small = packed(journal)
            writer.add_file("data/journal.db.zst", small)
            self._note(journal_bytes=small.stat().st_size)
            small.unlink()
        if last is not None and database is not None:
            self._add_database(writer, last, database)
        elif last is not None:
            raise StorageError(
                f"Exports replaced the database in {self._folder} faster than it could be copied.",
                "Back up again in between.",
            )

    def _add_database(self, writer: Writer, last: LastExport, database: Path) -> None:
        if (found := sound(database)) != "ok":
            raise last_database_damaged(last.path, found)
        told = {"database": last.version, "tasks": last.tasks}
        self._contents = msgspec.structs.replace(self._contents, **told, format=store.format_of(database))
        small = packed(database)
        writer.add_file(f"data/clickup-{last.version}.db.zst", small)
        self._note(**told, database_bytes=small.stat().st_size)
        small.unlink()

    def _copied_database(self, last: LastExport) -> Path | None:
        try:
            return copy_database(last.path, self._work / "database", "immutable=1")
        except sqlite3.OperationalError:
            if last.path.exists():
                raise
            return None  # two exports ended meanwhile: it is cleared, and the next try takes the newest

    def _copied_journal(self) -> Path | None:
        """Copy the journal; None where there is none, or one that is only just begun."""
        source, copy = self._folder / "journal.db", self._work / "journal"
        if not source.exists():
            return None
        try:
            # Read-only: closing it must not clear what an export that begins right now writes beside it.
            copy_database(source, copy)
            with closing(sqlite3.connect(copy)) as db:
                (answers,) = db.execute("SELECT count(*) FROM answers").fetchone()
            if sound(copy) != "ok":
                raise sqlite3.DatabaseError
        except sqlite3.OperationalError as error:
            if is_full(error):
                raise
            return None
        except sqlite3.DatabaseError:
            self._note(left_out=[*self.report.left_out, _NO_JOURNAL])
            return None
        self._note(journal_answers=answers)
        return copy

    def _add_state(self, writer: Writer) -> None:
        for name in _STATE:
            self._add_file(writer, name)
        runs = sorted(path for pattern in _RUNS for path in (self._folder / "runs").glob(pattern))
        added = [self._add_file(writer, f"runs/{path.name}") for path in runs]
        self._note(runs=sum(added))

    def _add_file(self, writer: Writer, name: str) -> bool:
        """Add a small file that is replaced whole whenever it changes; return whether it was there."""
        if not is_taken(f"data/{name}"):
            return False
        try:
            data = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return False  # runs that are too many are cleared at any time
        writer.add(f"data/{name}", data)
        return True

    def _add_versions(self, writer: Writer, client: redis.Redis, copied: list[Copied]) -> None:
        found = forms(client, [one.read() for one in copied])
        whole, missing = add_versions(writer, client, copied, found)
        told = [f"version {one}: it is damaged in Redis, or has just gone" for one in missing]
        self._contents = msgspec.structs.replace(self._contents, versions=tuple(whole))
        parts = [member for name, member in writer.members.items() if name.startswith(("chunks/", "deltas/"))]
        self._note(
            versions=len(whole),
            pinned=sum(one.pinned for one in whole),
            leaving=sum(one.ttl is not None for one in whole),
            chunks=len(parts),
            chunk_bytes=sum(member.bytes for member in parts),
            left_out=[*self.report.left_out, *told],
        )

    def _note(self, **found: object) -> None:
        self.report = msgspec.structs.replace(self.report, **found)


def _asks_redis(settings: Settings, versions: bool) -> bool:
    """Tell whether there can be versions: an embedded server that was never there is not begun for it."""
    return versions and (settings.redis_url is not None or (settings.data_dir / "redis").is_dir())


def _connected(settings: Settings) -> redis.Redis:
    try:
        return publish.connect(settings)
    except RedisUnreachable as error:
        error.remedy = f"{error.remedy} Or leave the versions out: --without-versions."
        raise


def _target(out: Path | None, team: str, made: datetime) -> Path:
    place = (out or Path.cwd()).expanduser().absolute()
    return place / f"clickup-{team}-{made:%Y%m%dT%H%M%SZ}.tar" if place.is_dir() else place


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Give an empty folder beside the file, where another backup to the same file does not work."""
    work = target.with_name(f".{target.name}.unfinished")
    work.mkdir(mode=0o700, exist_ok=True)
    only = store.hold(
        work / _LOCK, lambda who: ToolkitError(f"Another backup writes {target} ({who}).", "Wait for it.")
    )
    with only:
        for left in work.iterdir():
            if left.name != _LOCK:
                left.unlink()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Turn what keeps the file from being written into an error that says what to do."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            raise StorageError(
                f"There is no space left to write {target} ({error}).",
                "Free disk space there, or name another place: --out.",
            ) from error
        raise StorageError(
            f"{target} cannot be written ({error}).", "Name a place that can be: --out."
        ) from error


def _nothing(settings: Settings) -> StorageError:
    return StorageError(
        f"There is nothing to back up: {settings.data_dir} holds no export, and no version is published.",
        "Name the data folder with CLICKUP_DATA_DIR or --data-dir, or export first: clickup-toolkit export",
    )
