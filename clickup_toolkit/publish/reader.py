"""Reading the bodies of versions, for threads and for event loops.

Everything is verified before it is handed on: that all chunks are there before the first byte, and every
chunk against its hash. A chunk of an older version may have to be rebuilt, see :mod:`.deltas`; that may
begin in the middle of a download, when a newer version comes. A version that is dropped while it is read
keeps its chunks for an hour, and as long as somebody reads it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import redis
import redis.asyncio

from clickup_toolkit.publish.asking import (
    Ask,
    Pieces,
    Steps,
    Work,
    async_pieces,
    evaluate,
    pieces,
)
from clickup_toolkit.publish.chunks import HEADER, Chunk, digest, inflate
from clickup_toolkit.publish.deltas import restore
from clickup_toolkit.publish.finding import standing
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.manifest import StoredVersion, damaged
from clickup_toolkit.publish.rebuilding import texts
from clickup_toolkit.publish.scripts import TOUCH

__all__ = ["GRACE", "async_body", "body", "touching", "verify"]

GRACE = 3600
"""Seconds that chunks live which no version names (any more), and versions that are not kept any more."""
_TOUCH_EVERY = GRACE / 4  # seconds
_BATCH = 1024 * 1024  # bytes asked for at once; from 2 MB on the allocations cost more than the turns save

Clock = Callable[[], float]


def body(
    client: redis.Redis,
    stored: StoredVersion,
    start: int = 0,
    stop: int | None = None,
    *,
    clock: Clock = time.monotonic,
) -> Iterator[bytes]:
    """Yield the bytes from ``start`` up to ``stop`` (default: all) of the document as one gzip member.

    The whole has ``stored.gzip_bytes``; chunks outside of the range are not read. Raises
    :class:`VersionDamaged` before the first piece when any chunk is missing, and instead of any piece that
    is not what it should be. ``clock`` tells when it is time to say that the version is still read.
    """
    return pieces(client, _reading(stored, start, stop, clock))


def async_body(
    client: redis.asyncio.Redis,
    stored: StoredVersion,
    start: int = 0,
    stop: int | None = None,
    *,
    clock: Clock = time.monotonic,
) -> AsyncIterator[bytes]:
    """As :func:`body`."""
    return async_pieces(client, _reading(stored, start, stop, clock))


def verify(client: redis.Redis, stored: StoredVersion) -> None:
    """Read the whole version and inflate it, too; raise :class:`VersionDamaged` where anything is wrong."""
    found = body(client, stored)
    next(found)
    for chunk, piece in zip(stored.chunks, found, strict=False):
        if not _holds_text(chunk, piece):
            damaged(stored.version, f"the text of chunk {chunk.digest} is not what was written")


def touching(keys: Keys, stored: StoredVersion) -> Ask:
    """Return what keeps a version for another hour where it would expire sooner."""
    digests = (chunk.digest for chunk in stored.chunks)
    names = [keys.version(stored.version)]
    return evaluate(TOUCH, names, keys.chunk(""), keys.delta(""), GRACE, *digests, optional=True)


class _Placed(NamedTuple):
    """A chunk and where in the body it begins."""

    chunk: Chunk
    begins: int


class _Value(NamedTuple):
    """Stored bytes, and whether rebuilding them has verified them already."""

    stored: bytes | None
    verified: bool


def _reading(stored: StoredVersion, start: int, stop: int | None, clock: Clock) -> Pieces:
    end = stored.gzip_bytes if stop is None else min(stop, stored.gzip_bytes)
    yield from standing(Keys(stored.team_id), stored)
    yield from _part(HEADER, 0, start, end)
    yield from _fetched(stored, _placed(stored, start, end), (start, end), clock)
    yield from _part(stored.trailer, stored.gzip_bytes - len(stored.trailer), start, end)


def _fetched(stored: StoredVersion, wanted: Sequence[_Placed], part: tuple[int, int], clock: Clock) -> Pieces:
    """Yield what lies in a part of the body, from Redis, telling now and then that it is still read."""
    keys = Keys(stored.team_id)
    touched = clock() - (0 if stored.ttl is None else _TOUCH_EVERY)
    for batch in _batches(wanted):
        if clock() - touched >= _TOUCH_EVERY:
            yield touching(keys, stored)
            touched = clock()
        values = yield from _whole(keys, [one.chunk for one in batch])
        for one, value in zip(batch, values, strict=True):
            yield from _part(_checked(stored, one.chunk, value), one.begins, *part)


def _part(whole: bytes, begins: int, start: int, stop: int) -> Iterator[bytes]:
    """Yield what of ``whole``, which stands at ``begins``, lies between ``start`` and ``stop``."""
    part = whole[max(start - begins, 0) : max(stop - begins, 0)]
    if part:
        yield part


def _placed(stored: StoredVersion, start: int, stop: int) -> list[_Placed]:
    """Return the chunks of which something lies between ``start`` and ``stop``."""
    places = accumulate((chunk.stored_bytes for chunk in stored.chunks), initial=len(HEADER))
    return [
        _Placed(chunk, begins)
        for chunk, begins in zip(stored.chunks, places, strict=False)
        if begins < stop and begins + chunk.stored_bytes > start
    ]


def _batches(chunks: Sequence[_Placed]) -> Iterator[Sequence[_Placed]]:
    """Yield runs of chunks that make a batch together, or one alone that is larger."""
    start = size = 0
    for index, (chunk, _) in enumerate(chunks):
        if index > start and size + chunk.stored_bytes > _BATCH:
            yield chunks[start:index]
            start, size = index, 0
        size += chunk.stored_bytes
    if chunks:
        yield chunks[start:]


def _whole(keys: Keys, chunks: Sequence[Chunk]) -> Steps[list[_Value]]:
    """Return the stored bytes of chunks, rebuilding those that are packed; None for what is gone."""
    values: list[bytes | None] = yield Ask(("MGET", *(keys.chunk(chunk.digest) for chunk in chunks)))
    packed = [chunk for chunk, value in zip(chunks, values, strict=True) if value is None]
    rebuilt = (yield from _rebuilt(keys, packed)) if packed else {}
    return [
        _Value(rebuilt.get(chunk.digest), verified=True) if value is None else _Value(value, verified=False)
        for chunk, value in zip(chunks, values, strict=True)
    ]


def _rebuilt(keys: Keys, chunks: Sequence[Chunk]) -> Steps[dict[str, bytes]]:
    found = yield from texts(keys, (chunk.digest for chunk in chunks))

    def deflated() -> dict[str, bytes | None]:
        return {
            chunk.digest: restore(found[chunk.digest], chunk) for chunk in chunks if chunk.digest in found
        }

    made: dict[str, bytes | None] = yield Work(deflated)
    return {name: value for name, value in made.items() if value is not None}


def _checked(stored: StoredVersion, chunk: Chunk, value: _Value) -> bytes:
    if value.stored is None:
        damaged(stored.version, f"chunk {chunk.digest} is missing")
    if not value.verified and digest(value.stored) != chunk.digest:
        damaged(stored.version, f"chunk {chunk.digest} does not match its hash")
    return value.stored


def _holds_text(chunk: Chunk, stored: bytes) -> bool:
    try:
        text = inflate(stored)
    except zlib.error:
        return False
    return (zlib.crc32(text), len(text)) == (chunk.crc, chunk.text_bytes)
