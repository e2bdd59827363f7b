"""What a client's headers choose: an encoding, or nothing because it has it already."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.serve.accept import is_unchanged, prefers_gzip, takes_identity
from clickup_toolkit.serve.ranges import Unsatisfiable, wanted_part
from clickup_toolkit.serve.streams import gathered, inflated, prefetched

PIECES = st.lists(st.binary(min_size=1, max_size=200), max_size=20)


@pytest.mark.parametrize(
    ("accepted", "gzip_preferred", "identity_taken"),
    [
        (None, False, True),
        ("", False, True),
        ("gzip", True, True),
        ("GZIP", True, True),
        ("x-gzip", True, True),
        ("gzip, deflate, br, zstd", True, True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True, True),
        ("*", True, True),
        ("br", False, True),
        ("gzip;q=0", False, True),
        ("gzip;q=0.000", False, True),
        ("gzip ; q=0 , identity", False, True),
        ("gzip;q=0, *", False, True),
        ("identity", False, True),
        ("identity;q=1, gzip;q=0.5", False, True),
        ("identity;q=0.5, gzip", True, True),
        ("identity;q=0", False, False),
        ("*;q=0", False, False),
        ("*;q=0, identity", False, True),
        ("gzip, identity;q=0", True, False),
        ("gzip;q=nonsense", False, True),
        (",;,", False, True),
    ],
)
def test_the_encoding_is_negotiated(accepted: str | None, gzip_preferred: bool, identity_taken: bool) -> None:
    """Gzip goes to those who take it and do not like plain text better; plain text can be refused."""
    assert (prefers_gzip(accepted), takes_identity(accepted)) == (gzip_preferred, identity_taken)


@pytest.mark.parametrize(
    ("none_match", "modified_since", "unchanged"),
    [
        (None, None, False),
        ('"a"', None, True),
        ('W/"a"', None, True),
        ('"x", "a"', None, True),
        ('"b"', None, False),
        ('"x"', None, False),
        ("a", None, False),
        ("*", None, True),
        ('"x"', "Mon, 23 Nov 2026 10:15:00 GMT", False),
        (None, "Mon, 23 Nov 2026 10:15:00 GMT", True),
        (None, "Mon, 23 Nov 2026 10:14:59 GMT", False),
        (None, "Mon, 23 Nov 2026 10:16:00 GMT", True),
        (None, "yesterday", False),
        (None, "Mon, 23 Nov 2026 10:15:00 +9999999999999", False),
        (None, "Mon, 23 Nov 99999 10:15:00 GMT", False),
    ],
)
def test_what_the_client_has_already(
    none_match: str | None, modified_since: str | None, unchanged: bool
) -> None:
    """A tag decides alone where there is one; else the time, to the second."""
    modified = datetime(2026, 11, 23, 10, 15, 0, 900_000, tzinfo=UTC)
    assert is_unchanged('"a"', modified, none_match, modified_since) is unchanged


DATE = re.compile(r"Mon, \d{1,3} Nov \d{1,5} \d{1,3}:\d\d:\d\d [+-]?\d{1,15}", re.ASCII)
RANGE = re.compile(r"(bytes)?=?\d{0,30}-\d{0,30}", re.ASCII)
WEIGHT = re.compile(r"(gzip|\*|identity) ?; ?q=[0-9.einfa_+-]{0,12}")
HEADERS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=60),
    *(st.from_regex(pattern, fullmatch=True) for pattern in (DATE, RANGE, WEIGHT)),
)


@given(text=HEADERS)
def test_no_header_makes_it_stumble(text: str) -> None:
    """Whatever stands in a header that chooses what is sent, it is read, or ignored."""
    modified = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    chosen = [prefers_gzip(text), takes_identity(text)]
    chosen += [is_unchanged('"a"', modified, text, None), is_unchanged('"a"', modified, None, text)]
    assert {type(choice) for choice in chosen} == {bool}
    names = ("range", "if-range")
    for told in ({"range": text}, {"range": "bytes=1-2", "if-range": text}):
        headers = [(name.encode(), told[name].encode("latin-1")) for name in names if name in told]
        with contextlib.suppress(Unsatisfiable):
            part = wanted_part({"method": "GET", "headers": headers}, 100, '"tag"')
            assert part is None or 0 <= part.start < part.stop <= 100


async def stream(pieces: list[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces, giving way before each."""
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def collect(pieces: AsyncIterator[bytes]) -> list[bytes]:
    """Return all that a stream yields."""

    async def run() -> list[bytes]:
        return [piece async for piece in pieces]

    return asyncio.run(run())


@given(pieces=PIECES, least=st.integers(1, 500))
def test_gathering_changes_no_byte(pieces: list[bytes], least: int) -> None:
    """Gathered pieces are the same bytes, and all but the last have the wanted size."""
    found = collect(prefetched(gathered(stream(pieces), least)))
    assert b"".join(found) == b"".join(pieces)
    assert all(len(piece) >= least for piece in found[:-1])


@given(text=st.binary(max_size=5000), cut=st.integers(1, 300), at_most=st.integers(1, 700))
def test_inflating_is_whole_and_flat(text: bytes, cut: int, at_most: int) -> None:
    """However the member was cut, the text comes whole, in pieces of bounded size."""
    member = gzip.compress(text * 20)
    cuts = [member[start : start + cut] for start in range(0, len(member), cut)]
    found = collect(inflated(stream(cuts), at_most))
    assert b"".join(found) == text * 20
    assert all(len(piece) <= at_most for piece in found)


def test_reading_is_one_ahead_and_no_further() -> None:
    """While a piece is in hand the next one is being read, and no other."""
    asked: list[int] = []

    async def source() -> AsyncIterator[bytes]:
        for number in range(5):
            asked.append(number)
            yield bytes([number])

    async def run() -> list[list[int]]:
        seen = []
        async for _ in prefetched(source()):
            for _turn in range(5):
                await asyncio.sleep(0)
            seen.append(list(asked))
        return seen

    assert asyncio.run(run()) == [[0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]


def test_an_error_comes_where_it_happened() -> None:
    """Reading ahead hands on what was read before the error, then the error."""

    async def source() -> AsyncIterator[bytes]:
        yield b"good"
        raise ConnectionError("gone")

    got: list[bytes] = []

    async def run() -> None:
        pieces = prefetched(source())
        got.append(await anext(pieces))
        await anext(pieces)

    with pytest.raises(ConnectionError, match="gone"):
        asyncio.run(run())
    assert got == [b"good"]
