"""A version: the manifest that names its chunks, and what everybody wants to know about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import NoReturn

import msgspec

from clickup_toolkit.errors import RedisError, VersionDamaged
from clickup_toolkit.publish.chunks import HEADER, Chunk, digest, trailer
from clickup_toolkit.publish.deltas import compressor

__all__ = ["StoredVersion", "damaged", "decode", "describe", "instant_of"]

_SCHEMA = 1
_VERSION = "%Y%m%dT%H%M%SZ"
_EXPORT_AGAIN = "Export again: the next version is written whole."


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept in Redis, as JSON; the keys of a later schema need not be these."""

    schema: int = _SCHEMA
    team_id: str
    version: str
    updated_at: datetime
    complete: bool
    tasks: int
    facts: dict[str, object]
    compressor: str = ""
    chunks: tuple[Chunk, ...]


class StoredVersion(_Manifest, frozen=True, kw_only=True, dict=True):
    """A version in Redis.

    ``version`` is its id, ``updated_at`` when its data was read (aware, UTC), ``complete`` whether it has
    no gaps, ``tasks`` how many it holds, ``facts`` what else the export noted, ``chunks`` what its body is
    made of. ``etag`` is the hash of the manifest, so equal ones mean equal bodies; it has a suffix where
    another compressor is at work than wrote the version, since what has to be rebuilt has other bytes then.

    ``pinned`` tells whether it stays until it is unpinned, ``ttl`` the seconds until it is gone when it is
    not kept any more, else None. ``instead_of`` is the id of the latest version when this older one had to
    be found in its place, because that is damaged.
    """

    etag: str
    ttl: int | None = None
    pinned: bool = False
    instead_of: str | None = None

    @cached_property
    def text_bytes(self) -> int:
        """Length of the JSON document."""
        return sum(chunk.text_bytes for chunk in self.chunks)

    @cached_property
    def gzip_bytes(self) -> int:
        """Length of the body: the document as one gzip member."""
        return sum(chunk.stored_bytes for chunk in self.chunks) + len(HEADER) + len(self.trailer)

    @cached_property
    def trailer(self) -> bytes:
        """What follows the last chunk in the body."""
        return trailer(self.chunks)


class _Schema(msgspec.Struct):
    schema: int


def describe(
    team_id: str, version: str, tasks: int, facts: Mapping[str, object], chunks: Sequence[Chunk]
) -> tuple[bytes, StoredVersion]:
    """Return the manifest's JSON and the version that it describes.

    Of the facts, ``updated_at`` (default: the version's own time) and ``complete`` (default: True) become
    attributes, the others stay together.
    """
    others = dict(facts)
    manifest = _Manifest(
        team_id=team_id,
        version=version,
        updated_at=msgspec.convert(others.pop("updated_at", instant_of(version)), datetime),
        complete=bool(others.pop("complete", True)),
        tasks=tasks,
        facts=others,
        compressor=compressor(),
        chunks=tuple(chunks),
    )
    text = msgspec.json.encode(manifest)
    return text, _read(text)


def decode(
    name: bytes, text: bytes | None, etag: bytes | None, ttl: int = -1, pinned: int = 0
) -> StoredVersion:
    """Return the version ``name`` that was stored as ``text`` with the hash ``etag``, as Redis answers it.

    ``ttl`` is the seconds that it lives, below 0 when it stays, ``pinned`` 1 for a pinned one. Raises
    :class:`VersionDamaged` when manifest and hash are missing or do not belong together.
    """
    stored = _decoded(name, text, etag)
    if ttl < 0 and not pinned:
        return stored
    return msgspec.structs.replace(stored, ttl=None if ttl < 0 else ttl, pinned=bool(pinned))


@lru_cache(maxsize=16)  # a server reads the same few over and over
def _decoded(name: bytes, text: bytes | None, etag: bytes | None) -> StoredVersion:
    version = name.decode()
    if text is None or etag is None:
        damaged(version, "its manifest is missing")
    if digest(text).encode() != etag:
        damaged(version, "its manifest does not match its hash")
    if msgspec.json.decode(text, type=_Schema).schema > _SCHEMA:
        raise RedisError(f"Version {version} was written by a newer toolkit.", "Update this one.")
    return _read(text)


def damaged(version: str, how: str) -> NoReturn:
    """Raise :class:`VersionDamaged`."""
    raise VersionDamaged(f"Version {version} is damaged: {how}.", _EXPORT_AGAIN)


def instant_of(version: str) -> datetime:
    """Return the time that a version's id stands for: ``20261123T101500Z``. Raises ``ValueError``."""
    return datetime.strptime(version, _VERSION).replace(tzinfo=UTC)


def _read(text: bytes) -> StoredVersion:
    manifest = msgspec.json.decode(text, type=_Manifest)
    ours = manifest.compressor in ("", compressor())
    etag = digest(text) if ours else f"{digest(text)}-{compressor()}"
    return StoredVersion(**msgspec.structs.asdict(manifest), etag=etag)
