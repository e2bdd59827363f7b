"""Finding versions and reading their bodies, for threads and for event loops.

Everything is verified before it is handed on: a manifest and every chunk against its hash, and that all
chunks are there in their length before the first byte. A version that is dropped while it is read keeps its
chunks for an hour.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator, Sequence

import redis
import redis.asyncio
import structlog

from clickup_toolkit.errors import VersionDamaged
from clickup_toolkit.publish.chunks import HEADER, Chunk, digest, inflate
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.publish.kept import KeptChunks
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.manifest import StoredVersion, damaged, decode
from clickup_toolkit.publish.scripts import FIND, LENGTHS, LIST

__all__ = ["async_body", "async_find", "body", "find", "latest_id", "verify", "versions"]

_BATCH = 1024 * 1024  # bytes asked for at once; from 2 MB on the allocations cost more than the turns save

_log = structlog.get_logger(__name__)


def versions(client: redis.Redis, team_id: str) -> list[StoredVersion]:
    """Return the versions of a workspace, the newest first, without those that cannot be read."""
    keys = Keys(team_id)
    with plain_faults(client):
        found = client.eval(LIST, 1, keys.versions, keys.version(""))
    return [stored for one in found if (stored := _decoded_or_none(*one))]


def latest_id(client: redis.Redis, team_id: str) -> str | None:
    """Return the id of the latest version, whatever its state; None when there is none."""
    with plain_faults(client):
        found = client.get(Keys(team_id).latest)
    return found.decode() if isinstance(found, bytes) else None


def find(client: redis.Redis, team_id: str, version: str = "latest") -> StoredVersion | None:
    """Return a version by its id, or the latest; None when there is none. Raises :class:`VersionDamaged`."""
    keys = Keys(team_id)
    with plain_faults(client):
        found = client.eval(FIND, 2, keys.latest, keys.versions, version, keys.version(""))
    return decode(*found) if found else None


async def async_find(
    client: redis.asyncio.Redis, team_id: str, version: str = "latest"
) -> StoredVersion | None:
    """As :func:`find`."""
    keys = Keys(team_id)
    with plain_faults(client):
        found = await client.eval(FIND, 2, keys.latest, keys.versions, version, keys.version(""))
    return decode(*found) if found else None


def body(client: redis.Redis, stored: StoredVersion) -> Iterator[bytes]:
    """Yield the document as one gzip member, in pieces of ``stored.gzip_bytes`` together.

    Raises :class:`VersionDamaged` before the first piece when a chunk is missing, and instead of any piece
    that is not what it should be.
    """
    names = _names(stored)
    with plain_faults(client):
        lengths = client.eval(LENGTHS, len(names), *names)
    _check_lengths(stored, lengths)
    yield HEADER
    for batch in _batches(stored.chunks):
        with plain_faults(client):
            values = client.mget(names[batch])
        yield from _checked(stored, batch, values)
    yield stored.trailer


async def async_body(
    client: redis.asyncio.Redis, stored: StoredVersion, kept: KeptChunks | None = None
) -> AsyncIterator[bytes]:
    """As :func:`body`. A version that ``kept`` holds whole is not read from Redis; others go there."""
    pieces = kept.all_of(stored.chunks) if kept is not None else None
    if pieces is None:
        await _async_check(client, stored)
    yield HEADER
    for piece in pieces or ():
        yield piece
    if pieces is None:
        room = kept if kept is not None and kept.suits(stored.chunks) else None
        async for piece in _async_pieces(client, stored, room):
            yield piece
    yield stored.trailer


async def _async_check(client: redis.asyncio.Redis, stored: StoredVersion) -> None:
    names = _names(stored)
    with plain_faults(client):
        lengths = await client.eval(LENGTHS, len(names), *names)
    _check_lengths(stored, lengths)


async def _async_pieces(
    client: redis.asyncio.Redis, stored: StoredVersion, kept: KeptChunks | None
) -> AsyncIterator[bytes]:
    names = _names(stored)
    for batch in _batches(stored.chunks):
        with plain_faults(client):
            values = await client.mget(names[batch])
        for chunk, piece in zip(stored.chunks[batch], _checked(stored, batch, values), strict=True):
            if kept is not None:
                kept.put(chunk, piece)
            yield piece


def verify(client: redis.Redis, stored: StoredVersion) -> None:
    """Read the whole version and inflate it, too; raise :class:`VersionDamaged` where anything is wrong."""
    pieces = body(client, stored)
    next(pieces)
    for chunk, piece in zip(stored.chunks, pieces, strict=False):
        if not _holds_text(chunk, piece):
            damaged(stored.version, f"the text of chunk {chunk.digest} is not what was written")


def _holds_text(chunk: Chunk, stored: bytes) -> bool:
    try:
        text = inflate(stored)
    except zlib.error:
        return False
    return (zlib.crc32(text), len(text)) == (chunk.crc, chunk.text_bytes)


def _decoded_or_none(version: bytes, text: bytes | None, etag: bytes | None) -> StoredVersion | None:
    try:
        return decode(version, text, etag)
    except VersionDamaged as damage:
        _log.warning("version.unreadable", version=version.decode(), reason=damage.message)
        return None


def _names(stored: StoredVersion) -> list[str]:
    keys = Keys(stored.team_id)
    return [keys.chunk(chunk.digest) for chunk in stored.chunks]


def _check_lengths(stored: StoredVersion, lengths: Sequence[int]) -> None:
    wanted = [chunk.stored_bytes for chunk in stored.chunks]
    wrong = sum(length != want for length, want in zip(lengths, wanted, strict=True))
    if wrong:
        damaged(stored.version, f"{wrong} of its {len(wanted)} chunks are missing or cut off")


def _batches(chunks: Sequence[Chunk]) -> Iterator[slice]:
    """Yield runs of chunks that make a batch together, or one alone that is larger."""
    start = size = 0
    for index, chunk in enumerate(chunks):
        if index > start and size + chunk.stored_bytes > _BATCH:
            yield slice(start, index)
            start, size = index, 0
        size += chunk.stored_bytes
    yield slice(start, len(chunks))


def _checked(stored: StoredVersion, batch: slice, values: Sequence[bytes | str | None]) -> Iterator[bytes]:
    for chunk, value in zip(stored.chunks[batch], values, strict=True):
        if not isinstance(value, bytes):
            damaged(stored.version, f"chunk {chunk.digest} is missing")
        if digest(value) != chunk.digest:
            damaged(stored.version, f"chunk {chunk.digest} does not match its hash")
        yield value
