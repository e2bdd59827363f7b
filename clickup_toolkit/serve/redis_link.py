"""The way to the versions in Redis, for the one event loop of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio

from clickup_toolkit import publish
from clickup_toolkit.errors import RedisError, RedisUnreachable
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.settings import Settings

__all__ = ["RedisLink"]

_STANDS = 5.0  # seconds that a version is taken to be whole; a reader who finds that it is not ends them


class RedisLink:
    """A client that is made when it is first needed, and an embedded server that is started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: redis.asyncio.Redis | None = None
        self._lost = False
        self._reaching = asyncio.Lock()
        self._stood, self._until = "", 0.0

    @asynccontextmanager
    async def client(self) -> AsyncIterator[redis.asyncio.Redis]:
        """Give the client. Raises :class:`RedisError`, and reaches anew the next time where it was lost."""
        try:
            yield await self._reach()
        except RedisError as error:
            self._until = 0.0
            self._lost = isinstance(error, RedisUnreachable)
            raise

    async def find(self, wanted: str) -> StoredVersion | None:
        """Return a version by its id or day, or the latest. Raises :class:`RedisError`.

        Whether all chunks of the latest are there is asked now and then: it takes longer than all the rest.
        """
        stood = self._stood if time.monotonic() < self._until else ""
        async with self.client() as client:
            found = await publish.async_find(client, self._settings.team_id or "", wanted, stood=stood)
        if found is not None and wanted == "latest" and found.etag != stood:
            self._stood, self._until = found.etag, time.monotonic() + _STANDS
        return found

    async def versions(self) -> list[StoredVersion]:
        """Return all versions, the newest first. Raises :class:`RedisError`."""
        async with self.client() as client:
            return await publish.async_versions(client, self._settings.team_id or "")

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _reach(self) -> redis.asyncio.Redis:
        async with self._reaching:
            if self._client is None:
                self._client = await publish.async_connect(self._settings)
            elif self._lost:
                await asyncio.to_thread(publish.server_address, self._settings)
            self._lost = False
            return self._client
