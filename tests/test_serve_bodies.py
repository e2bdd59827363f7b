"""Bodies in the server's memory: read once for all, bounded, and honest about what could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest

from clickup_toolkit.serve.bodies import Bodies


class Source:
    """Three pieces, each given when it is let out; counts how often they were asked for."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked = 0
        self.out = asyncio.Event()
        self.fault = fault

    async def read(self) -> AsyncGenerator[bytes, None]:
        """Yield the pieces, then fail if that is wished."""
        self.asked += 1
        yield b"one,"
        await self.out.wait()
        yield b"two,"
        if self.fault is not None:
            raise self.fault
        yield b"three"


async def joined(pieces: AsyncIterator[bytes]) -> bytes:
    """Return all pieces as one."""
    return b"".join([piece async for piece in pieces])


def run(story: Callable[[], object]) -> None:
    """Run a coroutine function."""
    asyncio.run(story())  # type: ignore[arg-type]


def test_all_who_ask_follow_one_reading() -> None:
    """Whoever comes while a body is read, or later, gets the whole of it from the same reading."""

    async def story() -> None:
        bodies, source = Bodies(), Source()
        early = [asyncio.create_task(joined(bodies.pieces("a", 13, source.read))) for _ in range(3)]
        await asyncio.sleep(0)
        source.out.set()
        found = [*await asyncio.gather(*early), await joined(bodies.pieces("a", 13, source.read))]
        assert found == [b"one,two,three"] * 4
        assert (source.asked, bodies.held) == (1, 13)
        await bodies.close()
        assert bodies.held == 0

    run(story)


def test_a_piece_is_passed_on_as_soon_as_it_is_there() -> None:
    """The first byte does not wait for the last one."""

    async def story() -> None:
        bodies, source = Bodies(), Source()
        pieces = bodies.pieces("a", 13, source.read)
        assert await anext(pieces) == b"one,"
        assert not source.out.is_set()
        source.out.set()
        assert await joined(pieces) == b"two,three"

    run(story)


def test_memory_is_bounded() -> None:
    """Beyond the limit the body goes that was not asked for the longest; a too large one never comes in."""

    async def story() -> None:
        bodies, sources = Bodies(limit=30), {name: Source() for name in "abc"}
        for name in "abac":
            sources[name].out.set()
            await joined(bodies.pieces(name, 13, sources[name].read))
            assert bodies.held <= 30
        for name in "abc":
            await joined(bodies.pieces(name, 13, sources[name].read))
        assert {name: source.asked for name, source in sources.items()} == {"a": 1, "b": 2, "c": 2}
        assert (bodies.suits(30), bodies.suits(31)) == (True, False)

    run(story)


def test_a_failed_reading_fails_for_all_and_is_forgotten() -> None:
    """Each follower gets what there was and then the fault; who asks next reads anew."""

    async def story() -> None:
        bodies, source = Bodies(), Source(fault=ValueError("damaged"))
        source.out.set()
        for _ in range(2):
            pieces = bodies.pieces("a", 13, source.read)
            assert [await anext(pieces), await anext(pieces)] == [b"one,", b"two,"]
            with pytest.raises(ValueError, match="damaged"):
                await anext(pieces)
        assert (source.asked, bodies.held) == (2, 0)

    run(story)
