"""Streams of bytes on their way from Redis to a client: larger pieces, the next one under way, plain text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine

from isal import isal_zlib

__all__ = ["gathered", "inflated", "inflated_part", "prefetched"]

_GZIP = 31  # window bits of a gzip member
_RAW = -15  # of deflate without anything around it


async def gathered(pieces: AsyncIterator[bytes], least: int) -> AsyncGenerator[bytes, None]:
    """Join pieces until they hold ``least`` bytes: each piece sent costs a turn of the server."""
    waiting: list[bytes] = []
    held = 0
    async for piece in pieces:
        waiting.append(piece)
        held += len(piece)
        if held >= least:
            yield b"".join(waiting)
            waiting, held = [], 0
    if waiting:
        yield b"".join(waiting)


async def prefetched(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the same pieces, one read ahead: while one is sent, Redis is already asked for the next."""
    ahead = asyncio.create_task(_next(pieces))
    try:
        while (piece := await ahead) is not None:
            ahead = asyncio.create_task(_next(pieces))
            yield piece
    finally:
        # Not cancelled: a connection to Redis that is left in the middle of an answer is of no use any more.
        await asyncio.wait([ahead])
        if not ahead.cancelled():
            ahead.exception()


def _next(pieces: AsyncIterator[bytes]) -> Coroutine[None, None, bytes | None]:
    async def ask() -> bytes | None:
        return await anext(pieces, None)

    return ask()


async def inflated(pieces: AsyncIterator[bytes], at_most: int) -> AsyncGenerator[bytes, None]:
    """Yield the text of one gzip member in pieces of ``at_most`` bytes, however well it was compressed."""
    inflater = isal_zlib.decompressobj(wbits=_GZIP)
    async for piece in pieces:
        text = inflater.decompress(piece, at_most)
        while text:
            yield text
            text = inflater.decompress(inflater.unconsumed_tail, at_most)
    if rest := inflater.flush():
        yield rest


async def inflated_part(
    pieces: AsyncIterator[bytes], at_most: int, skip: int, length: int
) -> AsyncGenerator[bytes, None]:
    """Yield ``length`` bytes of the text of raw deflate, from ``skip`` on."""
    inflater = isal_zlib.decompressobj(wbits=_RAW)
    async for piece in pieces:
        text = inflater.decompress(piece, at_most)
        while text:
            wanted = text[skip : skip + length]
            skip -= min(skip, len(text))
            if wanted:
                yield wanted
                length -= len(wanted)
            if not length:
                return
            text = inflater.decompress(inflater.unconsumed_tail, at_most)
