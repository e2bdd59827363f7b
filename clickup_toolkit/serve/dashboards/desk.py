"""Where pages are computed: one at a time, in a thread, and the latest are kept.

A page of hundreds of thousands of tasks takes seconds and a few hundred megabytes: one at a time, memory
stays bounded, and the event loop goes on answering. Who asks for a page that is under way waits for that one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from clickup_toolkit.serve.dashboards.filters import Filters
from clickup_toolkit.serve.dashboards.stamp import Stamp, stamp_of

if TYPE_CHECKING:
    from clickup_toolkit.serve.dashboards.panels import Board

__all__ = ["Busy", "Desk"]

Key = tuple[Stamp, str, Filters]
_KEPT_BYTES = 48_000_000
_WAITING = 16  # pages asked for and not computed yet; more come from no person


class Busy(Exception):
    """So many pages are being waited for that another would take too long."""


class Desk:
    """Computes the pages over the Parquet files in ``folder``; ``make`` computes one, given its name."""

    def __init__(
        self, folder: Path, make: Callable[[Path, str, Filters], Board], kept_bytes: int = _KEPT_BYTES
    ) -> None:
        self._folder = folder
        self._make = make
        self._room = kept_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dashboards")
        self._kept: OrderedDict[Key, Board] = OrderedDict()
        self._under_way: dict[Key, asyncio.Future[Board]] = {}

    async def board(self, name: str, filters: Filters) -> Board:
        """Return a page of the current version. Raises :class:`Busy`, and what ``make`` raises."""
        key = (await asyncio.to_thread(stamp_of, self._folder), name, filters)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._under_way:
            self._begin(key)
        return await asyncio.shield(self._under_way[key])  # who goes away takes it from nobody else

    def _begin(self, key: Key) -> None:
        if len(self._under_way) >= _WAITING:
            raise Busy
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._make, self._folder, *key[1:])
        self._under_way[key] = work
        work.add_done_callback(lambda done: self._end(key, done))

    def _end(self, key: Key, done: asyncio.Future[Board]) -> None:
        del self._under_way[key]
        if done.cancelled() or done.exception() is not None:
            return
        for old in [old for old in self._kept if old[0] != key[0]]:
            del self._kept[old]  # of an earlier export
        self._kept[key] = done.result()
        while len(self._kept) > 1 and sum(board.size for board in self._kept.values()) > self._room:
            self._kept.popitem(last=False)
