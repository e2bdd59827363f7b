"""Change over from one database file to the next, between requests.

Each request asks which file ``clickup.db`` names (one ``stat``) and holds the site of that file until it has
been answered. A site that nobody holds any more, and whose file is not the current one, is closed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from clickup_toolkit.errors import StorageError
from clickup_toolkit.migrate import is_due
from clickup_toolkit.serve.site import Site

__all__ = ["Identity", "Switch"]

Identity = tuple[int, int, int, int]
"""Tells one database file from the next: device, inode, time of change (of name and rights too), size."""

_log = structlog.get_logger(__name__)


class _Lease:
    """A site, the file it was made for (None: no file), and how many requests hold it."""

    def __init__(self, site: Site, identity: Identity | None) -> None:
        self.site = site
        self.identity = identity
        self.holders = 0


class Switch:
    """Keeps the site of the file that ``link`` names. ``build`` makes a site; it runs in a thread."""

    def __init__(self, link: Path, build: Callable[[Path | None, str], Site]) -> None:
        self._link = link
        self._build = build
        self._lease: _Lease | None = None
        self._changing = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def site(self) -> AsyncIterator[Site]:
        """Hold the current site for the time of one request."""
        lease = await self._current()
        lease.holders += 1
        try:
            yield lease.site
        finally:
            lease.holders -= 1
            self._close_if_left(lease)

    async def close(self) -> None:
        """Close the current site and wait for those that are being closed."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            self._close_if_left(lease)
        await asyncio.gather(*self._closing)

    async def _current(self) -> _Lease:
        if self._lease is not None and self._lease.identity == _identify(self._link):
            return self._lease
        async with self._changing:
            identity = _identify(self._link)  # it may have changed, or been seen to by another, meanwhile
            if self._lease is None or self._lease.identity != identity:
                self._lease = await self._change_over(self._lease, identity)
            return self._lease

    async def _change_over(self, old: _Lease | None, identity: Identity | None) -> _Lease:
        try:
            site = await asyncio.to_thread(self._make, identity)
        except (sqlite3.Error, OSError, StorageError) as error:
            _log.error("database.unreadable", file=str(self._link), error=str(error))
            if old is not None:
                old.identity = identity  # the good one stays until a third one comes
                return old
            site = await asyncio.to_thread(self._build, None, f"{self._link} cannot be read: {error}.")
        await site.invoke_startup()
        _log.info("database.opened", version=site.facts.export.version if site.facts.export else None)
        if old is not None:
            self._lease = None
            self._close_if_left(old)
        return _Lease(site, identity)

    def _make(self, identity: Identity | None) -> Site:
        if identity is None:
            return self._build(None, "")
        is_due(self._link.parent)  # raises where a newer release wrote it
        return self._build(self._link.resolve(strict=True), "")

    def _close_if_left(self, lease: _Lease) -> None:
        if lease.holders == 0 and lease is not self._lease:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(lease.site.close))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _identify(link: Path) -> Identity | None:
    try:
        about = link.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino, about.st_ctime_ns, about.st_size
