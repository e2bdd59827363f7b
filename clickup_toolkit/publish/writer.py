"""Writing a version, and clearing what it leaves over.

Why nobody loses a chunk:

- What the kept versions need never expires: the chunks they name, whole or as deltas, and what those rest
  on. Everything else does. Chunks are written with an hour to live. The flip makes them stay, in the same
  step that checks that each is there and whole, that the lock is still ours and that no newer version
  stands, and that makes the version the latest.
- So a writer that is killed, loses its lock or finds Redis full has changed nothing that readers see. What
  it left expires, or is found by the next writer, which then need not send it again.
- A writer sends a chunk again unless Redis says that it holds just these bytes, by their SHA-1: what is
  missing, cut off or damaged is mended by the next version that has it.
- A writer that finds a chunk in Redis gives it the hour anew, in the step that looked, if it was about to
  expire. If it stays now and another version's removal loosens it before the flip, it has an hour then.
- After the flip, versions leave, chunks become deltas (:mod:`.packing`), and the sweep loosens everything
  that stays and is not needed: it is removed in an hour, which a reader makes longer. Only the holder of the
  lock does so, checked in each step, and only it flips, so no version can begin to need a chunk between the
  look at the manifests and the loosening.
- A manifest of a newer layout makes all that wait until retention, by a toolkit that can read it, drops it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import redis
import structlog

from clickup_toolkit.errors import LockLost, RedisError, RedisFull
from clickup_toolkit.publish.chunks import Chunk, Piece, cut, deflate
from clickup_toolkit.publish.faults import place_of, plain_faults
from clickup_toolkit.publish.keeping import Kept, drop, free
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.manifest import StoredVersion, describe, instant_of
from clickup_toolkit.publish.packing import Packed
from clickup_toolkit.publish.reader import GRACE
from clickup_toolkit.publish.scripts import CLAIM, FLIP

__all__ = ["Published", "clear", "publish"]

_BATCH = 4 * 1024 * 1024  # bytes sent at once

_log = structlog.get_logger(__name__)


class Published(NamedTuple):
    """What publishing did: the version, what had to be sent for it, the versions that were dropped, and what
    became of the chunks of older ones.
    """

    stored: StoredVersion
    sent_chunks: int
    sent_bytes: int
    dropped: list[str]
    packed: Packed


def publish(
    client: redis.Redis,
    lock: ExportLock,
    *,
    team_id: str,
    version: str,
    head: Iterable[bytes],
    tasks: Iterable[tuple[str, bytes]],
    facts: Mapping[str, object],
    keep: int,
    keep_daily: int = 0,
) -> Published:
    """Write a version, make it the latest and clear up; memory stays flat.

    The last ``keep`` versions stay, the newest of each of the last ``keep_daily`` days, and the pinned ones.

    ``head`` is the document's JSON, in parts, up to and with the bracket that opens the tasks; ``tasks`` are
    ids and finished JSON texts in order of creation. ``facts`` are kept with the version, see
    :func:`~clickup_toolkit.publish.manifest.describe`.

    Publishing the same version again replaces it. Raises :class:`LockLost`, or :class:`RedisError`; the
    version that was the latest is untouched then, as where the head does not end so (ValueError).
    """
    keys = Keys(team_id)
    sender = _Sender(client, lock, keys)
    counted = _Counted(tasks)
    try:
        with plain_faults(client):
            for opens, text in cut(_opening(head), counted):
                sender.add(deflate(text, opens))
            sender.send()
            manifest, stored = describe(team_id, version, counted.count, facts, sender.chunks)
            _flip(client, lock, keys, stored, manifest)
    except RedisFull:
        clear(client, lock, keep, keep_daily)  # what no setting keeps any more may be all that is in the way
        raise
    dropped, packed = clear(client, lock, keep, keep_daily)
    return Published(stored, sender.sent_chunks, sender.sent_bytes, dropped, packed)


def _opening(head: Iterable[bytes]) -> Iterator[bytes]:
    last = b""
    for part in head:
        last = part or last
        yield part
    if not last.endswith(b"["):
        raise ValueError("the head must end with the bracket that opens the tasks")


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

    def __init__(self, client: redis.Redis, lock: ExportLock, keys: Keys) -> None:
        self._client = client
        self._lock = lock
        self._keys = keys
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
        whole = self._claim()
        with self._client.pipeline(transaction=False) as pipeline:
            for (chunk, stored), is_there in zip(self._batch, whole, strict=True):
                if not is_there:
                    pipeline.set(self._keys.chunk(chunk.digest), stored, ex=GRACE)
                    self.sent_chunks += 1
                    self.sent_bytes += chunk.stored_bytes
            pipeline.execute()
        self._batch, self._size = [], 0

    def _claim(self) -> list[int]:
        names = [self._keys.chunk(piece.chunk.digest) for piece in self._batch]
        hashes = [hashlib.sha1(piece.stored, usedforsecurity=False).hexdigest() for piece in self._batch]
        whole = self._client.eval(
            CLAIM, 1 + len(names), self._lock.key, *names, self._lock.value, GRACE, *hashes
        )
        if whole is None:
            raise self._lock.lost()
        return list(whole)


def _flip(client: redis.Redis, lock: ExportLock, keys: Keys, stored: StoredVersion, manifest: bytes) -> None:
    names = [keys.chunk(chunk.digest) for chunk in stored.chunks]
    outcome, *details = client.eval(
        FLIP,
        5 + len(names),
        *(lock.key, keys.latest, keys.versions, keys.leaving, keys.version(stored.version), *names),
        *(lock.value, stored.version, int(instant_of(stored.version).timestamp()), manifest, stored.etag),
        keys.delta(""),
        *(chunk.stored_bytes for chunk in stored.chunks),
    )
    if outcome == b"lost":
        raise lock.lost()
    if outcome == b"older":
        raise RedisError(
            f"Version {stored.version} is not published: the newer {details[0].decode()} is there already.",
            "See whether this machine's clock is wrong, and export again. If it is that version's that was: "
            f"clickup-toolkit versions delete {details[0].decode()}",
        )
    if outcome == b"missing":
        raise RedisError(
            f"Redis at {place_of(client)} lost {details[0]} of the {len(names)} chunks of version "
            f"{stored.version} while it was written, so it is not published.",
            "See that it evicts nothing (maxmemory-policy noeviction), and export again.",
        )


def clear(client: redis.Redis, lock: ExportLock, keep: int, keep_daily: int) -> tuple[list[str], Packed]:
    """Drop the versions that do not stay, pack and sweep; return the dropped ones and what was packed.

    What cannot be cleared now is cleared by the next export, so nothing is raised.
    """
    keys = Keys(lock.team_id)
    kept, packed = Kept([], []), Packed()
    try:
        kept = drop(client, keys, keep, keep_daily)
        packed = free(client, lock, keys, kept.versions)
    except (RedisError, LockLost) as fault:
        _log.warning("versions.not_cleared", reason=fault.message)
    return kept.dropped, packed
