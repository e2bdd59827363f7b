"""Writing a version, keeping the last few, clearing what is left over.

Why nobody loses a chunk:

- A chunk that a version in the index names never expires; every other one does. Chunks are written with an
  hour to live. The flip makes them stay, in the same step that checks that each is there and whole, that the
  lock is still ours and that no newer version stands, and that makes the version the latest.
- So a writer that is killed, loses its lock or finds Redis full has changed nothing that readers see. What
  it left expires, or is found by the next writer, which then need not send it again.
- A writer that finds a chunk in Redis gives it the hour anew, in the step that looked, if it was about to
  expire. If it stays now and another version's removal loosens it before the flip, it has an hour then.
- Dropping a version removes its manifest. The sweep then loosens every chunk that stays and that no
  remaining manifest names: it is removed in an hour, which is the time that a reader has to finish a
  download that began before. Only the holder of the lock sweeps, checked in each step, and only it flips,
  so no version can begin to name a chunk between the look at the manifests and the loosening.
- A manifest that cannot be read makes the sweep wait until retention has dropped it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import redis
import structlog

from clickup_toolkit.errors import RedisError
from clickup_toolkit.publish.chunks import Chunk, Piece, cut, deflate
from clickup_toolkit.publish.faults import place_of, plain_faults
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.manifest import StoredVersion, decode, describe, instant_of
from clickup_toolkit.publish.scripts import CLAIM, DROP, FLIP, LIST, LOOSEN

__all__ = ["Published", "publish"]

_PENDING = 3600  # seconds that a chunk lives which no version names (any more)
_BATCH = 4 * 1024 * 1024  # bytes sent at once
_SCAN = 5000  # keys looked at in one step of the sweep

_log = structlog.get_logger(__name__)


class Published(NamedTuple):
    """What publishing did: the version, what had to be sent for it, and the versions that were dropped."""

    stored: StoredVersion
    sent_chunks: int
    sent_bytes: int
    dropped: list[str]


def publish(
    client: redis.Redis,
    lock: ExportLock,
    *,
    team_id: str,
    version: str,
    head: bytes,
    tasks: Iterable[tuple[str, bytes]],
    facts: Mapping[str, object],
    keep: int,
    repair: bool = False,
) -> Published:
    """Write a version, make it the latest and keep the last ``keep``; memory stays flat.

    ``head`` is the document's JSON up to and with the bracket that opens the tasks; ``tasks`` are ids and
    finished JSON texts in order of creation. ``facts`` are kept with the version, see
    :func:`~clickup_toolkit.publish.manifest.describe`. ``repair`` sends every chunk, whatever Redis holds.

    Publishing the same version again replaces it. Raises :class:`LockLost`, or :class:`RedisError`; the
    version that was the latest is untouched then.
    """
    if not head.endswith(b"["):
        raise ValueError("the head must end with the bracket that opens the tasks")
    keys = Keys(team_id)
    sender = _Sender(client, lock, keys, repair)
    counted = _Counted(tasks)
    with plain_faults(client):
        for text in cut(head, counted):
            sender.add(deflate(text))
        sender.send()
        manifest, stored = describe(team_id, version, counted.count, facts, sender.chunks)
        _flip(client, lock, keys, stored, manifest)
    return Published(stored, sender.sent_chunks, sender.sent_bytes, _clear(client, lock, keys, keep))


class _Counted:
    """The tasks, counted as they pass."""

    def __init__(self, tasks: Iterable[tuple[str, bytes]]) -> None:
        self._tasks = tasks
        self.count = 0

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for task in self._tasks:
            self.count += 1
            yield task


class _Sender:
    """Brings chunks to Redis in batches, except those that stand there already."""

    def __init__(self, client: redis.Redis, lock: ExportLock, keys: Keys, repair: bool) -> None:
        self._client = client
        self._lock = lock
        self._keys = keys
        self._repair = repair
        self._batch: list[Piece] = []
        self._size = 0
        self.chunks: list[Chunk] = []
        self.sent_chunks = 0
        self.sent_bytes = 0

    def add(self, piece: Piece) -> None:
        """Take the next chunk of the document."""
        self.chunks.append(piece.chunk)
        self._batch.append(piece)
        self._size += piece.chunk.stored_bytes
        if self._size >= _BATCH:
            self.send()

    def send(self) -> None:
        """Send what was taken and is not in Redis."""
        lengths = self._claim()
        with self._client.pipeline(transaction=False) as pipeline:
            for (chunk, stored), length in zip(self._batch, lengths, strict=True):
                if self._repair or length != chunk.stored_bytes:
                    pipeline.set(self._keys.chunk(chunk.digest), stored, ex=_PENDING)
                    self.sent_chunks += 1
                    self.sent_bytes += chunk.stored_bytes
            pipeline.execute()
        self._batch, self._size = [], 0

    def _claim(self) -> list[int]:
        names = [self._keys.chunk(piece.chunk.digest) for piece in self._batch]
        lengths = self._client.eval(CLAIM, 1 + len(names), self._lock.key, *names, self._lock.value, _PENDING)
        if lengths is None:
            raise self._lock.lost()
        return list(lengths)


def _flip(client: redis.Redis, lock: ExportLock, keys: Keys, stored: StoredVersion, manifest: bytes) -> None:
    names = [keys.chunk(chunk.digest) for chunk in stored.chunks]
    outcome, *details = client.eval(
        FLIP,
        4 + len(names),
        *(lock.key, keys.latest, keys.versions, keys.version(stored.version), *names),
        *(lock.value, stored.version, int(instant_of(stored.version).timestamp()), manifest, stored.etag),
        *(chunk.stored_bytes for chunk in stored.chunks),
    )
    if outcome == b"lost":
        raise lock.lost()
    if outcome == b"older":
        raise RedisError(
            f"Version {stored.version} is not published: the newer {details[0].decode()} is there already.",
            "See whether this machine's clock is wrong, and export again.",
        )
    if outcome == b"missing":
        raise RedisError(
            f"Redis at {place_of(client)} lost {details[0]} of the {len(names)} chunks of version "
            f"{stored.version} while it was written, so it is not published.",
            "See that it evicts nothing (maxmemory-policy noeviction), and export again.",
        )


def _clear(client: redis.Redis, lock: ExportLock, keys: Keys, keep: int) -> list[str]:
    """Drop all but the last ``keep`` versions and loosen what they leave; return the dropped ones."""
    try:
        with plain_faults(client):
            dropped = client.eval(DROP, 2, keys.versions, keys.latest, keep, keys.version(""))
            _sweep(client, lock, keys)
    except RedisError as fault:
        # The version is published and stays so; the next export clears up.
        _log.warning("versions.not_cleared", reason=fault.message)
        return []
    return [version.decode() for version in dropped]


def _sweep(client: redis.Redis, lock: ExportLock, keys: Keys) -> None:
    stored = (decode(*found) for found in client.eval(LIST, 1, keys.versions, keys.version("")))
    named = {keys.chunk(chunk.digest).encode() for version in stored for chunk in version.chunks}
    cursor = -1
    while cursor != 0:
        cursor, found = client.scan(max(cursor, 0), match=keys.chunk("*"), count=_SCAN)
        loose = [name for name in found if name not in named]
        if loose and client.eval(LOOSEN, 1 + len(loose), lock.key, *loose, lock.value, _PENDING) is None:
            return
