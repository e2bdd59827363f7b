"""The file of a backup: a plain tar whose last members say what it holds, and the hash of each part.

=========================================  ===========================================================
member                                     what it is
=========================================  ===========================================================
``data/clickup-<version>.db.zst``          the database, compressed by Zstandard
``data/journal.db.zst``                    the journal
``data/runs/<UTC time>.ipynb``, ``.json``  executed notebooks, and what came of the runs
``data/schedule.json``, ``notified.json``  when the next run is due, who was told of failures
``versions/<version>.json``                a manifest, as Redis holds it
``chunks/<hash>``                          a chunk of versions: raw deflate, named by the hash of these bytes
``deltas/<hash>``                          a chunk of older versions, told by newer ones
``manifest.json``                          everything else by name, with size and SHA-256
``manifest.sha256``                        the SHA-256 of that
=========================================  ===========================================================

Nothing else is a member: no link, no device, no name twice, no path that leads elsewhere. A file that has
anything else, or lacks anything, is refused before a byte of it is used.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from clickup_toolkit.errors import StorageError

__all__ = ["DELTA", "Contents", "Member", "Reader", "Version", "Writer", "is_taken", "refused"]

SCHEMA = 1
DELTA = b"CUTD1"
"""What the bytes of a delta begin with."""

_MANIFEST, _SEAL = "manifest.json", "manifest.sha256"
_LARGEST_MANIFEST = 256 << 20  # bytes
_PIECE = 1 << 20  # bytes read at once
_VERSION = r"\d{8}T\d{6}Z"
_NAMES = re.compile(
    rf"data/(clickup-{_VERSION}\.db\.zst|journal\.db\.zst|schedule\.json|notified\.json"
    r"|runs/\d[\w-]*\.(ipynb|json))"
    rf"|versions/{_VERSION}\.json|(chunks|deltas)/[0-9a-f]{{40}}|manifest\.(json|sha256)",
    re.ASCII,
)


class Member(msgspec.Struct, frozen=True):
    """A part: how many bytes it has, and their SHA-256."""

    bytes: int
    sha256: str


class Version(msgspec.Struct, frozen=True):
    """A published version: ``ttl`` is None when it stays, else the seconds that it had left."""

    id: str
    etag: str
    ttl: int | None = None
    pinned: bool = False


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; ``database`` is the version of the database, ``format`` its format's number."""

    schema: int = SCHEMA
    toolkit: str
    made: datetime
    team_id: str
    database: str | None = None
    format: int = 0
    tasks: int = 0
    versions: tuple[Version, ...] = ()
    members: dict[str, Member] = {}


def is_taken(name: str) -> bool:
    """Tell whether a member may have this name."""
    return _NAMES.fullmatch(name) is not None


def refused(path: Path, why: str) -> StorageError:
    """Return the error that says that a file is no backup that could be restored."""
    return StorageError(
        f"{path} is refused: {why}.",
        "Take another backup, or fetch this one again: it was cut off, changed, or never made by "
        "clickup-toolkit backup. Nothing was touched.",
    )


class Writer:
    """Appends parts to the tar ``file``, each with its hash, and the manifest at the end.

    What was appended can be read: as from a :class:`Reader`.
    """

    def __init__(self, path: Path, file: IO[bytes], made: datetime) -> None:
        self.path = path
        self._file = file
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._made = made
        self._places: dict[str, int] = {}
        self.members: dict[str, Member] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def read(self, name: str) -> bytes:
        """Return a member's bytes; small ones only."""
        self._file.flush()
        return os.pread(self._file.fileno(), self.members[name].bytes, self._places[name])

    def add(self, name: str, data: bytes) -> None:
        """Append bytes under a name."""
        self._add(name, io.BytesIO(data), Member(len(data), hashlib.sha256(data).hexdigest()))

    def add_file(self, name: str, path: Path) -> None:
        """Append a file that nobody writes any more."""
        with path.open("rb") as file:
            member = Member(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            self._add(name, file, member)

    def finish(self, contents: Contents) -> None:
        """Append the manifest, with the members in ``contents`` filled in, and the end of the tar."""
        text = msgspec.json.encode(msgspec.structs.replace(contents, members=dict(self.members)))
        self.add(_MANIFEST, text)
        self.add(_SEAL, hashlib.sha256(text).hexdigest().encode())
        self._tar.close()

    def _add(self, name: str, file: IO[bytes], member: Member) -> None:
        about = tarfile.TarInfo(name)
        about.size, about.mode, about.mtime = member.bytes, 0o600, int(self._made.timestamp())
        self._tar.addfile(about, file)
        blocks = -(-member.bytes // tarfile.BLOCKSIZE)
        self._places[name] = self._tar.offset - blocks * tarfile.BLOCKSIZE
        self.members[name] = member


class Reader:
    """The parts of a backup, in a tar that was looked through; see :meth:`opened`."""

    def __init__(self, path: Path, tar: tarfile.TarFile, found: dict[str, tarfile.TarInfo]) -> None:
        self.path = path
        self._tar = tar
        self._found = found
        text = self._sealed()
        try:
            self.contents = msgspec.json.decode(text, type=Contents)
        except msgspec.DecodeError as error:
            raise refused(path, f"its manifest cannot be read ({error})") from error
        self.id = hashlib.sha256(text).hexdigest()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Reader]:
        """Give the backup in a file; raises :class:`StorageError` where it is none."""
        try:
            with _tar(path) as tar:
                yield cls(path, tar, _members(path, tar))
        except (tarfile.TarError, EOFError) as error:
            raise refused(path, f"it is no whole tar file ({error})") from error

    def names(self, folder: str) -> list[str]:
        """Return the names of the members whose names begin with ``folder``."""
        return [name for name in self._found if name.startswith(folder)]

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def open(self, name: str) -> IO[bytes]:
        """Open a member to read."""
        file = self._tar.extractfile(self._found[name])
        assert file is not None  # members are files, all of them
        return file

    def read(self, name: str) -> bytes:
        """Return a member's bytes; small ones only."""
        with self.open(name) as file:
            return file.read()

    def check(self) -> None:
        """Compare all members with the manifest; raises :class:`StorageError` on the first that differs."""
        wanted, found = self.contents.members, self._found.keys() - {_MANIFEST, _SEAL}
        if missing := sorted(wanted.keys() - found):
            raise refused(self.path, f"{len(missing)} of its parts are missing, {missing[0]} among them")
        if foreign := sorted(found - wanted.keys()):
            raise refused(self.path, f"its manifest does not know {foreign[0]}")
        for name, member in wanted.items():
            if self._measured(name) != member:
                raise refused(self.path, f"{name} is not what was written")

    def _measured(self, name: str) -> Member:
        size, hashed = 0, hashlib.sha256()
        with self.open(name) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                hashed.update(piece)
        return Member(size, hashed.hexdigest())

    def _sealed(self) -> bytes:
        if not {_MANIFEST, _SEAL} <= self._found.keys():
            raise refused(self.path, "its end is missing")
        if self._found[_MANIFEST].size > _LARGEST_MANIFEST:
            raise refused(self.path, "its manifest is too long to be one")
        text = self.read(_MANIFEST)
        if hashlib.sha256(text).hexdigest().encode() != self.read(_SEAL):
            raise refused(self.path, "its manifest is not what was written")
        schema = msgspec.json.decode(text, type=_Schema).schema if text[:1] == b"{" else 0
        if schema > SCHEMA:
            raise StorageError(
                f"{self.path} was made by a newer release of the toolkit.",
                "Upgrade this one. Nothing was touched.",
            )
        return text


class _Schema(msgspec.Struct):
    schema: int = 0


def _tar(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, "r:")
    except FileNotFoundError as error:
        raise StorageError(f"There is no file {path}.", "Name a file that backup wrote.") from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read ({error.strerror}).", "Name a file that can be."
        ) from error


def _members(path: Path, tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    found: dict[str, tarfile.TarInfo] = {}
    for about in tar:
        if not about.isreg() or about.issparse():
            raise refused(path, f"{about.name!r} in it is no plain file")
        if not is_taken(about.name):
            raise refused(path, f"{about.name!r} is nothing that belongs into it")
        if about.name in found:
            raise refused(path, f"{about.name} stands in it twice")
        found[about.name] = about
    return found
