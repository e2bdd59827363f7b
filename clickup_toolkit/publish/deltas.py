"""Chunks of older versions as deltas against newer ones. Pure: bytes in, bytes out.

The latest version lies in Redis as it is sent. A chunk of an older one that is not among its chunks is kept
as what Zstandard makes of its text when it may refer to the text of the newer chunks that hold the same
tasks: a hundredth of it, where few tasks changed or all changed a little. (Version control does the same.)

Deflating the text again makes the bytes that were stored, as long as the same compressor does it. Where it
does not, after an upgrade or on another kind of processor, the text is deflated tighter and filled up with
empty blocks: other bytes of the same length and for the same text, so that what was said of the body still
holds. :func:`compressor` names the one at work, which goes into the ETag.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from functools import cache

import zstandard

from clickup_toolkit.publish.chunks import Chunk, deflate

__all__ = ["compressor", "decode", "encode", "fitted", "restore", "seal"]

_LEVEL = 3  # Zstandard's; higher ones gain three in a hundred and take twice as long
_TABLES = 17  # the logarithm of their entries that this level takes for a megabyte
_LONGEST = 27  # a decoder takes no larger window, 128 MB, unasked
_LARGEST = 1 << _LONGEST  # bytes of a text; a chunk has a megabyte, unless a single task has more
_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
_EMPTY_BLOCKS = b"\x02\x00\x00\x00\xff\xff"  # one with fixed codes, then one that is stored
_TIGHTER = (6, 9)  # zlib's levels


def encode(text: bytes, base: bytes) -> bytes:
    """Return ``text``, of less than 128 MB, as a delta against ``base``."""
    room = (len(text) + len(base)).bit_length()
    window = min(max(room, zstandard.WINDOWLOG_MIN), _LONGEST)
    tables = min(max(room - 2, _TABLES), _LONGEST)  # of a base only eight times as much is looked through
    how = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=window, hash_log=tables, chain_log=tables, write_checksum=False
    )
    return zstandard.ZstdCompressor(dict_data=_dictionary(base), compression_params=how).compress(text)


def decode(delta: bytes, base: bytes) -> bytes | None:
    """Return the text that :func:`encode` took; None when the delta is damaged so that it cannot be read."""
    reader = zstandard.ZstdDecompressor(dict_data=_dictionary(base))
    try:
        if not 0 <= zstandard.frame_content_size(delta) <= _LARGEST:
            return None
        return reader.decompress(delta)
    except zstandard.ZstdError:
        return None


def seal(text: bytes) -> bytes:
    """Return the hash that tells whether a decoded text is what was encoded."""
    return hashlib.sha256(text).digest()[:20]


def restore(text: bytes, chunk: Chunk) -> bytes | None:
    """Return stored bytes for a chunk's text: those that were, or others as long; None where neither can be.

    None, too, for a text that is not the chunk's by length and CRC-32; :func:`seal` tells better.
    """
    made, stored = deflate(text, chunk.opens)
    if (made.crc, made.text_bytes) != (chunk.crc, chunk.text_bytes):
        return None
    return stored if made == chunk else fitted(text, chunk.stored_bytes)


def fitted(text: bytes, length: int) -> bytes | None:
    """Deflate a text to exactly ``length`` bytes, to stand between any chunks; None when it cannot be."""
    for level in _TIGHTER:
        deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        tight = deflater.compress(text) + deflater.flush(zlib.Z_FULL_FLUSH)
        sixes = (length - len(tight)) % len(_EMPTY_BLOCK)
        fives, rest = divmod(length - len(tight) - sixes * len(_EMPTY_BLOCKS), len(_EMPTY_BLOCK))
        if fives >= 0 and rest == 0:
            return tight + _EMPTY_BLOCKS * sixes + _EMPTY_BLOCK * fives
    return None


@cache
def compressor() -> str:
    """Name the compressor at work by what it makes of a sample: equal names mean equal stored bytes."""
    dice = random.Random(1)  # noqa: S311  # a sample, no secret
    words = [f'"{dice.getrandbits(36):x}":' for _ in range(999)]
    sample = "".join(dice.choices(words, k=20_000)).encode()
    return deflate(sample).chunk.digest[:8]


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
