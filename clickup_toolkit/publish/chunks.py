"""The document cut into chunks, and chunks stitched into one gzip member. Pure: bytes in, bytes out.

The text of the document is its head, the tasks joined by commas, and ``]}``. The head makes chunks of its
own. A task opens a new chunk when the one before has its 256 KB and the task's *id* says so (one id in
sixteen does), or when the chunk would grow over 1 MB. So where tasks come, go or change, the cuts around
them may move, and from the next such id on everything falls into the same chunks as before. A task brings
the comma before it along, so that no text depends on what follows it; tasks are in order of creation, so
new ones change the last chunk alone.

Every chunk is deflated by itself, ends in a full flush, on a whole byte, and refers to nothing before it.
Therefore any chunks in a row, between a gzip header and a final empty block with the combined CRC, are one
gzip member. (Many readers take the first of several members for the whole body, without an error.)

A chunk is named by the SHA-256 of its stored bytes, not of its text: what is sent can be verified without
inflating it, and equal ETags mean equal bytes, which ``Range`` needs.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from isal import isal_zlib

__all__ = [
    "HEADER",
    "LARGEST",
    "SMALLEST",
    "TAIL",
    "Chunk",
    "Piece",
    "Section",
    "cut",
    "deflate",
    "digest",
    "inflate",
    "trailer",
]

SMALLEST = 256 * 1024
"""Bytes of text that every chunk of tasks has at least, except the last."""
LARGEST = 1024 * 1024
"""Bytes of text that no chunk exceeds, unless a single task does."""
TAIL = b"]}"
"""What ends the document, and so the text of the last chunk."""
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""What a gzip member begins with: deflate, no name, no time, so that equal texts make equal bytes."""

_OPENS_ONE_IN = 16

_LEVEL = 2  # isal's: as small as zlib -1 and four times as fast
_EMPTY_FINAL_BLOCK = b"\x03\x00"
_DIGEST = 40  # hexadecimal digits of the SHA-256: 160 bits


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """What a manifest says of a chunk: its name, the CRC-32 and length of its text, its stored length.

    ``opens`` is the id of its first task; empty where it holds no task, but a part of the head, or the end.
    """

    digest: str
    crc: int
    text_bytes: int
    stored_bytes: int
    opens: str = ""


class Section(NamedTuple):
    """The text of a chunk, and the id of its first task, if it has one."""

    opens: str
    text: bytes


class Piece(NamedTuple):
    """A chunk with its stored bytes."""

    chunk: Chunk
    stored: bytes


def cut(head: Iterable[bytes], tasks: Iterable[tuple[str, bytes]]) -> Iterator[Section]:
    """Yield the text of the document chunk by chunk; ``tasks`` are ids and JSON texts, in a fixed order.

    ``head`` comes in parts of any size, which change nothing.
    """
    yield from _cut_head(head)
    parts: list[bytes] = []
    size = 0
    first = comma = None
    for task_id, text in tasks:
        if size >= SMALLEST and (_opens(task_id) or size + len(text) >= LARGEST):
            yield Section(first or "", b"".join(parts))
            first, parts, size = None, [], 0
        first = task_id if first is None else first
        parts += (comma or b"", text)
        size += len(text) + (comma is not None)
        comma = b","
    yield Section(first or "", b"".join((*parts, TAIL)))


def _cut_head(head: Iterable[bytes]) -> Iterator[Section]:
    held = bytearray()
    for part in head:
        held += part
        while len(held) > LARGEST:
            yield Section("", bytes(held[:LARGEST]))
            del held[:LARGEST]
    if held:
        yield Section("", bytes(held))


def deflate(text: bytes, opens: str = "") -> Piece:
    """Deflate the text of one chunk so that it can stand between any others."""
    deflater = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    stored = deflater.compress(text) + deflater.flush(isal_zlib.Z_FULL_FLUSH)
    return Piece(Chunk(digest(stored), isal_zlib.crc32(text), len(text), len(stored), opens), stored)


def inflate(stored: bytes) -> bytes:
    """Return the text of one chunk, by another implementation than deflated it. Raises ``zlib.error``."""
    return zlib.decompress(stored + _EMPTY_FINAL_BLOCK, -zlib.MAX_WBITS)


def digest(stored: bytes) -> str:
    """Return the name of stored bytes."""
    return hashlib.sha256(stored).hexdigest()[:_DIGEST]


def trailer(chunks: Iterable[Chunk]) -> bytes:
    """Return what ends a gzip member of these chunks: the final block, the combined CRC, the length."""
    crc = length = 0
    for chunk in chunks:
        crc = isal_zlib.crc32_combine(crc, chunk.crc, chunk.text_bytes)
        length += chunk.text_bytes
    return _EMPTY_FINAL_BLOCK + struct.pack("<II", crc, length & 0xFFFFFFFF)


def _opens(task_id: str) -> bool:
    return hashlib.sha256(task_id.encode()).digest()[0] % _OPENS_ONE_IN == 0
