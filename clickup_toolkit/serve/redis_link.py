"""The way to the versions in Redis, for the one event loop of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio

from clickup_toolkit import publish
from clickup_toolkit.errors import RedisError, RedisUnreachable, VersionDamaged
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.mending import Mending
from clickup_toolkit.serve.ranges import Part
from clickup_toolkit.settings import Settings

__all__ = ["LATEST", "RedisLink"]

LATEST = "latest"
_STANDS = 5.0  # seconds that a version is taken to be whole; a reader who finds that it is not ends them
_ANSWER_WITHIN = 5.0  # seconds; somebody waits for each of them
_RETRIES = 1


class RedisLink:
    """A client that is made when it is first needed, and an embedded server that is started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: redis.asyncio.Redis | None = None
        self._lost = False
        self._reaching = asyncio.Lock()
        self._stood, self._until = "", 0.0
        self._told: set[str] = set()
        self.mending = Mending(settings)

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
        Where it is not there or damaged, mending begins.
        """
        if wanted != LATEST:
            return await self._find(wanted, "")
        stood = self._stood if time.monotonic() < self._until else ""
        try:
            found = await self._find(LATEST, stood)
        except VersionDamaged:
            self.mending.begin()
            raise
        self._note(found, stood)
        return found

    def body(self, client: redis.asyncio.Redis, stored: StoredVersion, span: Part) -> AsyncIterator[bytes]:
        """Yield a part of a version's body; one that turns out to be damaged is not found any more."""
        return self._watched(stored, publish.async_body(client, stored, start=span.start, stop=span.stop))

    async def versions(self) -> list[StoredVersion]:
        """Return all versions, the newest first. Raises :class:`RedisError`."""
        async with self.client() as client:
            return await publish.async_versions(client, self._settings.team_id or "")

    def nothing(self) -> tuple[str, str]:
        """Return why there is no latest version, and what to do."""
        if not self.mending.can_mend():
            return "There is no version yet.", "Run an export: clickup-toolkit export"
        return (
            "Redis has lost the version that the data folder holds; it is published again by itself.",
            "Ask again in a minute. If that does not help: clickup-toolkit versions rebuild",
        )

    async def close(self) -> None:
        """Wait for what is being mended, and let go of the connections."""
        await self.mending.close()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _find(self, wanted: str, stood: str) -> StoredVersion | None:
        known = {"fallen": self.mending.fallen, "told": self._told}
        async with self.client() as client:
            return await publish.async_find(
                client, self._settings.team_id or "", wanted, stood=stood, **known
            )

    def _note(self, found: StoredVersion | None, stood: str) -> None:
        if found is None or found.instead_of is not None:
            self.mending.begin()
        if found is None:
            return
        self._told = {found.instead_of} if found.instead_of is not None else set()
        if found.etag != stood:
            self._stood, self._until = found.etag, time.monotonic() + _STANDS

    async def _watched(self, stored: StoredVersion, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in pieces:
                yield piece
        except VersionDamaged:
            self._until = 0.0
            self.mending.note(stored)
            raise

    async def _reach(self) -> redis.asyncio.Redis:
        async with self._reaching:
            if self._client is None:
                self._client = await publish.async_connect(
                    self._settings, within=_ANSWER_WITHIN, retries=_RETRIES
                )
            elif self._lost:
                await asyncio.to_thread(publish.server_address, self._settings)
            self._lost = False
            return self._client
