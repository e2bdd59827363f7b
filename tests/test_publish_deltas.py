"""Deltas: older texts told by newer ones, and stored bytes made again from texts."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit.publish.chunks import HEADER, Chunk, deflate, inflate, trailer
from clickup_toolkit.publish.deltas import compressor, decode, encode, fitted, restore, seal
from clickup_toolkit.publish.packing import bases_of

PLAIN = "".join(random.Random(1).choices("the task of a workspace ", k=50_000)).encode()


@given(st.binary(max_size=3000), st.binary(max_size=3000), st.integers(0, 3000))
@settings(deadline=None)
def test_a_delta_leads_back(own: bytes, base: bytes, shared: int) -> None:
    """Whatever the base is, and however little it has in common, the text comes back."""
    text = base[:shared] + own
    assert decode(encode(text, base), base) == text


def test_a_delta_is_small_however_far_apart_the_same_stands() -> None:
    """What the base has anywhere in its megabytes costs next to nothing."""
    base = random.Random(1).randbytes(3_000_000)
    text = base[2_500_000:] + b"changed" + base[:500_000]
    assert len(encode(text, base)) < 2000


@pytest.mark.parametrize("at", [0, 5, 200, -1])
def test_a_damaged_delta_is_noticed(at: int) -> None:
    """Another byte in a delta, or another base, makes no text that bears its hash."""
    base = PLAIN
    text = PLAIN[:20_000] + random.Random(2).randbytes(300) + PLAIN[20_000:]
    delta = bytearray(encode(text, base))
    delta[at] ^= 0xFF
    read = decode(bytes(delta), base)
    assert read is None or seal(read) != seal(text)
    assert decode(b"", base) is None
    read = decode(encode(text, base), base[1:])
    assert read is None or seal(read) != seal(text)


def test_stored_bytes_are_made_again() -> None:
    """The same compressor makes of a text the bytes that were stored; another text makes none."""
    chunk, stored = deflate(PLAIN, "a")
    assert restore(PLAIN, chunk) == stored
    assert restore(PLAIN[1:], chunk) is None


@given(st.integers(0, 400))
@settings(deadline=None, max_examples=50)
def test_another_compressor_makes_as_many_bytes(more: int) -> None:
    """For what another compressor stored come other bytes of that length, which fit into the member."""
    deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    length = len(deflater.compress(PLAIN) + deflater.flush(zlib.Z_FULL_FLUSH)) + more
    chunk = Chunk("stored by another", zlib.crc32(PLAIN), len(PLAIN), length)
    made = restore(PLAIN, chunk)
    assert made is not None
    assert len(made) == length
    assert inflate(made) == PLAIN
    before, after = deflate(b"before"), deflate(b"after")
    chunks = (before.chunk, chunk, after.chunk)
    assert gzip.decompress(HEADER + before.stored + made + after.stored + trailer(chunks)) == (
        b"before" + PLAIN + b"after"
    )


def test_what_cannot_be_made_as_short_is_not_made() -> None:
    """A text that no compressor here makes as short as it was stored is not filled up with anything."""
    assert fitted(PLAIN, 100) is None


def test_a_compressor_has_a_name() -> None:
    """It is the same each time, so that ETags are."""
    assert compressor() == compressor()
    assert len(compressor()) == 8


def chunks(*opens: str, size: int = 10) -> list[Chunk]:
    """Chunks of one size, by the tasks that open them."""
    return [Chunk(f"{at}{name}", 0, size, size, name) for at, name in enumerate(opens)]


def opened(older: list[Chunk], newer: list[Chunk]) -> list[list[str]]:
    """The openings of the bases of each older chunk."""
    return [[base.opens for base in bases] for bases in bases_of(older, newer)]


def test_the_base_is_what_holds_the_same_tasks() -> None:
    """The chunk that begins alike, or all those between the next two that do; the head goes with the head."""
    older, newer = chunks("", "a", "b", "c", "d"), chunks("", "a", "x", "y", "d", "e")
    assert opened(older, newer) == [[""], ["a", "x", "y"], ["a", "x", "y"], ["a", "x", "y"], ["d", "e"]]


def test_a_long_way_without_a_common_opening_is_paced_out() -> None:
    """Between distant openings the newer chunks at about the same place are taken, with their neighbours."""
    older = chunks("", "a", *"bcdefgh")
    newer = chunks("", "a", *"BCDEFGH")
    assert opened(older, newer)[1:4] == [["a", "B"], ["a", "B", "C"], ["B", "C", "D"]]


def test_every_older_chunk_has_a_base() -> None:
    """Also where all tasks went, or the head grew, or nothing is alike."""
    for newer in (chunks("", ""), chunks("", "", "", "z"), chunks("")):
        assert all(opened(chunks("", "a", "b"), newer))
