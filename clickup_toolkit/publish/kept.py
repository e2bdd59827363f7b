"""Chunks kept in memory by a server, so that what many ask for is read from Redis, and verified, once.

A chunk is named by its hash, so what was verified under a name stays right for as long as it is kept,
whichever version names it: a new version brings only the chunks that are new.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from clickup_toolkit.publish.chunks import Chunk

__all__ = ["LIMIT", "KeptChunks"]

LIMIT = 64 * 1024 * 1024
"""Bytes of chunks that a server keeps."""


class KeptChunks:
    """Verified chunks by name; beyond ``limit`` bytes those are given up that were not asked for the longest.

    For one event loop, as it takes no locks.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._chunks: OrderedDict[str, bytes] = OrderedDict()
        self.held = 0

    def all_of(self, chunks: Sequence[Chunk]) -> list[bytes] | None:
        """Return the stored bytes of these chunks, or None when one of them is not here."""
        found = [self.get(chunk) for chunk in chunks]
        whole = [stored for stored in found if stored is not None]
        return whole if len(whole) == len(found) else None

    def get(self, chunk: Chunk) -> bytes | None:
        """Return the stored bytes of a chunk, or None."""
        stored = self._chunks.get(chunk.digest)
        if stored is not None:
            self._chunks.move_to_end(chunk.digest)
        return stored

    def suits(self, chunks: Sequence[Chunk]) -> bool:
        """Tell whether chunks that are read in a row are worth keeping.

        Where they do not fit in together, each is given up before it is asked for again.
        """
        return sum(chunk.stored_bytes for chunk in chunks) <= self._limit

    def put(self, chunk: Chunk, stored: bytes) -> None:
        """Keep the stored bytes of a chunk, which were just verified."""
        if chunk.digest not in self._chunks:
            self._chunks[chunk.digest] = stored
            self.held += len(stored)
        while self.held > self._limit:
            self.held -= len(self._chunks.popitem(last=False)[1])
