"""The way to the versions in Redis, for the one event loop of the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio

from clickup_toolkit import publish
from clickup_toolkit.errors import RedisError, RedisUnreachable
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.settings import Settings

__all__ = ["RedisLink"]


class RedisLink:
    """A client that is made when it is first needed, and an embedded server that is started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: redis.asyncio.Redis | None = None
        self._lost = False
        self._reaching = asyncio.Lock()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[redis.asyncio.Redis]:
        """Give the client. Raises :class:`RedisError`, and reaches anew the next time where it was lost."""
        try:
            yield await self._reach()
        except RedisError as error:
            self._lost = isinstance(error, RedisUnreachable)
            raise

    async def find(self, wanted: str) -> StoredVersion | None:
        """Return a version by its id or day, or the latest. Raises :class:`RedisError`."""
        async with self.client() as client:
            return await publish.async_find(client, self._settings.team_id or "", wanted)

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
