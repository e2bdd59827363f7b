"""The body of a version in the encoding that a client takes, whole or in part.

Gzip is what Redis keeps, so a part of it is a part of the stored bytes. Plain text is unpacked on the way;
since every chunk can be unpacked by itself, a part of it needs no more than the chunks that hold it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from itertools import accumulate
from typing import NamedTuple

from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.ranges import Part
from clickup_toolkit.serve.streams import gathered, inflated, inflated_part

__all__ = ["PIECE", "Representation"]

PIECE = 1 << 19
"""Bytes sent at once."""
_HEADER = 10  # bytes of a gzip member before its first chunk

Read = Callable[[Part], AsyncIterator[bytes]]
"""Reads a part of the stored bytes."""


class Representation(NamedTuple):
    """A version in one encoding; plain text is another representation than gzip, with a tag of its own."""

    stored: StoredVersion
    gzip: bool

    @property
    def etag(self) -> str:
        """The entity tag."""
        return f'"{self.stored.etag}"' if self.gzip else f'"{self.stored.etag}-text"'

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.stored.gzip_bytes if self.gzip else self.stored.text_bytes

    def pieces(self, read: Read, part: Part | None) -> AsyncGenerator[bytes, None]:
        """Yield its bytes, those of ``part`` where one is given, in pieces of a good size to send."""
        if self.gzip:
            return gathered(read(part or Part(0, self.length)), PIECE)
        if part is None:
            return inflated(read(Part(0, self.stored.gzip_bytes)), PIECE)
        chunks, skipped = _that_hold(self.stored, part)
        return inflated_part(read(chunks), PIECE, skipped, part.length)


def _that_hold(stored: StoredVersion, text: Part) -> tuple[Part, int]:
    """Return which stored bytes hold a part of the text, and how much text stands in them before it."""
    starts = _sums(chunk.text_bytes for chunk in stored.chunks)
    stored_starts = _sums(chunk.stored_bytes for chunk in stored.chunks)
    first = bisect_right(starts, text.start) - 1
    last = bisect_right(starts, text.stop - 1) - 1
    return Part(_HEADER + stored_starts[first], _HEADER + stored_starts[last + 1]), text.start - starts[first]


def _sums(sizes: Iterable[int]) -> list[int]:
    return [0, *accumulate(sizes)]
