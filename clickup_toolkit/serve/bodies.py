"""The bodies that were asked for last, in memory: each is read from Redis, and verified, once for all.

Whoever asks for a body that is being read follows that reading, at a pace of their own. What is here are
the pieces that are sent, so that nothing is looked up, hashed or joined for a second reader.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable

__all__ = ["LIMIT", "Bodies"]

LIMIT = 64 * 1024 * 1024
"""Bytes of bodies that a server keeps in memory."""

Read = Callable[[], AsyncIterator[bytes]]


class _Body:
    """A body as far as it was read."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.pieces: list[bytes] = []
        self.error: Exception | None = None
        self.ended = False
        self.more = asyncio.Event()

    def tell(self) -> None:
        """Wake those who wait for more."""
        self.more.set()
        self.more = asyncio.Event()


class Bodies:
    """Bodies by ETag; beyond ``limit`` bytes those go that were not asked for the longest.

    One that is larger than that is never kept, see :meth:`suits`. For one event loop.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._bodies: OrderedDict[str, _Body] = OrderedDict()
        self._readings: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> int:
        """Bytes of the bodies that are kept, or will be when they are read."""
        return sum(body.length for body in self._bodies.values())

    def suits(self, length: int) -> bool:
        """Tell whether a body of so many bytes may be kept."""
        return length <= self._limit

    async def pieces(self, etag: str, length: int, read: Read) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of a body, from memory as far as they are there; ``read`` reads it from its start.

        Raises what ``read`` raises, where it does; the next one who asks reads anew.
        """
        body = self._bodies.get(etag) or self._begin(etag, length, read)
        self._bodies.move_to_end(etag)
        at = 0
        while True:
            if at < len(body.pieces):
                yield body.pieces[at]
                at += 1
            elif body.error is not None:
                raise body.error
            elif body.ended:
                return
            else:
                await body.more.wait()

    async def close(self) -> None:
        """Wait for what is being read, and let go of everything."""
        await asyncio.gather(*self._readings)
        self._bodies.clear()

    def _begin(self, etag: str, length: int, read: Read) -> _Body:
        while self._bodies and self.held + length > self._limit:
            self._bodies.popitem(last=False)
        body = self._bodies[etag] = _Body(length)
        task = asyncio.create_task(self._fill(etag, body, read))
        self._readings.add(task)
        task.add_done_callback(self._readings.discard)
        return body

    async def _fill(self, etag: str, body: _Body, read: Read) -> None:
        try:
            async for piece in read():
                body.pieces.append(piece)
                body.tell()
        except Exception as error:  # for those who follow, as if they had read themselves
            body.error = error
            if self._bodies.get(etag) is body:
                del self._bodies[etag]
        finally:
            body.ended = True
            body.tell()
