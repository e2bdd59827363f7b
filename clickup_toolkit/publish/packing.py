"""Superseded chunks become deltas against the version that came after theirs.

- Only who holds the lock packs, checked in each step; and what the latest version names is never packed, and
  loses its delta when it is flipped. So what is sent most lies there as it is sent.
- A chunk turns into its delta in one step, which looks that the bases are there. Readers find one or the
  other at every moment.
- Bases are chunks of the next newer version that is kept. When retention drops that one, its chunks are
  still there: what rests on them is told anew, by the then next newer version, before the sweep lets them
  go. So chains are as long as the list of versions, and nothing of dropped versions stays.
- A delta points to what was newer when it was made. Chunks may come back, so that a way back to the chunk
  itself could arise: then it is told by the latest version, whose chunks are whole.
- What cannot be read, or not be made again as long as it was, stays as it is; so does everything else when
  the writer ends here, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import redis

from clickup_toolkit.publish.asking import answer
from clickup_toolkit.publish.chunks import Chunk
from clickup_toolkit.publish.deltas import encode, restore, seal
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.looks import FORMS
from clickup_toolkit.publish.manifest import StoredVersion
from clickup_toolkit.publish.rebuilding import texts
from clickup_toolkit.publish.scripts import CLOSURE, PACK

__all__ = ["Packed", "bases_of", "pack"]

_BATCH = 1024 * 1024  # bytes of deltas sent at once
_WORTH_IT = 0.8  # of the stored bytes; a delta that is larger is none
_FEW = 3  # newer chunks that are taken together as a base without looking closer


class Packed(NamedTuple):
    """What packing did: chunks that are deltas now, the bytes that they took, and those of the deltas."""

    chunks: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


def pack(client: redis.Redis, lock: ExportLock, keys: Keys, kept: Sequence[StoredVersion]) -> Packed:
    """Pack what the latest of the kept versions, the newest first, does not hold; memory stays flat.

    Raises :class:`LockLost` or :class:`RedisError`; everything can be read then, too.
    """
    if len(kept) < 2:
        return Packed()
    packer = _Packer(client, lock, keys, kept)
    for chunk, bases, fallback in packer.due():
        packer.take(chunk, bases, fallback)
    packer.send()
    return packer.packed


class _Packer:
    """Knows which chunk rests on which, and sends deltas in batches."""

    def __init__(
        self, client: redis.Redis, lock: ExportLock, keys: Keys, kept: Sequence[StoredVersion]
    ) -> None:
        self._client = client
        self._lock = lock
        self._keys = keys
        self._kept = kept
        self._named = {chunk.digest for stored in kept for chunk in stored.chunks}
        self._bases = self._present_bases()
        self._batch: list[tuple[Chunk, tuple[str, ...], bytes, bytes]] = []
        self._size = 0
        self.packed = Packed()

    def _present_bases(self) -> dict[str, tuple[str, ...]]:
        """Return, for every chunk that is there, what it rests on: nothing where it is whole."""
        with plain_faults(self._client):
            reached = self._client.eval(CLOSURE, 0, self._keys.delta(""), *self._named)
            forms = self._client.eval(FORMS, 0, self._keys.chunk(""), self._keys.delta(""), *reached)
        return {
            digest.decode(): tuple(form.decode().split())
            for digest, form in zip(reached, forms, strict=True)
            if form is not None
        }

    def due(self) -> Iterator[tuple[Chunk, Sequence[Chunk], Sequence[Chunk]]]:
        """Yield chunks to pack, each with its bases and with those in the latest version."""
        seen = {chunk.digest for chunk in self._kept[0].chunks}
        for newer, older in pairwise(self._kept):
            bases = bases_of(older.chunks, newer.chunks)
            latest = bases if newer is self._kept[0] else bases_of(older.chunks, self._kept[0].chunks)
            for chunk, next_newer, newest in zip(older.chunks, bases, latest, strict=True):
                if chunk.digest not in seen and self._is_due(chunk.digest):
                    yield chunk, next_newer, newest
                seen.add(chunk.digest)

    def _is_due(self, digest: str) -> bool:
        bases = self._bases.get(digest)
        return bases is not None and (not bases or not self._named.issuperset(bases))

    def take(self, chunk: Chunk, bases: Sequence[Chunk], fallback: Sequence[Chunk]) -> None:
        """Pack a chunk against ``bases``, or against ``fallback`` where those rest on the chunk."""
        chosen = tuple(base.digest for base in bases)
        if self._lead_to(chunk.digest, chosen):
            chosen = tuple(base.digest for base in fallback)
        found = answer(self._client, texts(self._keys, (chunk.digest, *chosen)))
        text = found.get(chunk.digest)
        if text is None or any(base not in found for base in chosen) or restore(text, chunk) is None:
            return
        delta = encode(text, b"".join(found[base] for base in chosen))
        if self._bases[chunk.digest] or len(delta) < chunk.stored_bytes * _WORTH_IT:
            self._bases[chunk.digest] = chosen
            self._batch.append((chunk, chosen, seal(text), delta))
            self._size += len(delta)
        if self._size >= _BATCH:
            self.send()

    def _lead_to(self, digest: str, starts: Sequence[str]) -> bool:
        waiting, seen = list(starts), set(starts)
        while waiting:
            name = waiting.pop()
            if name == digest:
                return True
            further = [base for base in self._bases.get(name, ()) if base not in seen]
            seen.update(further)
            waiting += further
        return False

    def send(self) -> None:
        """Make the taken chunks deltas."""
        with plain_faults(self._client), self._client.pipeline(transaction=False) as pipeline:
            for chunk, bases, sha, delta in self._batch:
                names = (self._lock.key, self._keys.latest)
                pair = (self._keys.chunk(chunk.digest), self._keys.delta(chunk.digest))
                checks = (self._lock.value, self._kept[0].version)
                prefixes = (self._keys.chunk(""), self._keys.delta(""))
                pipeline.eval(PACK, 4, *names, *pair, *checks, " ".join(bases), sha, delta, *prefixes)
            answers = pipeline.execute()
        for (chunk, _, _, delta), done in zip(self._batch, answers, strict=True):
            if done is None:
                raise self._lock.lost()
            self._count(chunk, delta if done else None)
        self._batch, self._size = [], 0

    def _count(self, chunk: Chunk, delta: bytes | None) -> None:
        if delta is not None:
            count, before, after = self.packed
            self.packed = Packed(count + 1, before + chunk.stored_bytes, after + len(delta))


def bases_of(older: Sequence[Chunk], newer: Sequence[Chunk]) -> list[Sequence[Chunk]]:
    """Return for each older chunk the newer ones that hold the same tasks, and perhaps some beside them.

    Between two tasks that open a chunk in both versions lie the same tasks, but for those that came or went.
    """
    found: list[Sequence[Chunk]] = []
    for (start, newer_start), (stop, newer_stop) in pairwise(_anchors(older, newer)):
        found += _within(
            older[start:stop], newer[newer_start:newer_stop] or newer[max(newer_start - 1, 0) :][:2]
        )
    return found


def _anchors(older: Sequence[Chunk], newer: Sequence[Chunk]) -> Iterator[tuple[int, int]]:
    """Yield places where both versions begin with the same: the document, the tasks, a task; and the ends."""
    places = {chunk.opens: place for place, chunk in enumerate(newer) if chunk.opens}
    yield 0, 0
    last = first = _heads(newer)
    if _heads(older) and first:
        yield _heads(older), first
    for at, chunk in enumerate(older):
        place = places.get(chunk.opens, 0)
        if place > last:
            yield at, place
            last = place
    yield len(older), len(newer)


def _heads(chunks: Sequence[Chunk]) -> int:
    """Return how many chunks stand before the first with tasks."""
    return next((at for at, chunk in enumerate(chunks) if chunk.opens), len(chunks))


def _within(older: Sequence[Chunk], newer: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    """Yield for each older chunk those of the newer that lie where it lies, when both are equally long."""
    whole = sum(chunk.text_bytes for chunk in older) or 1
    ends = list(accumulate(chunk.text_bytes for chunk in newer))
    begins = 0
    for chunk in older:
        low, high = (part * ends[-1] // whole for part in (begins, begins + chunk.text_bytes))
        begins += chunk.text_bytes
        first = sum(end <= low for end in ends)
        last = sum(end < high for end in ends)
        yield newer if len(newer) <= _FEW else newer[max(first - 1, 0) : last + 2]
