"""Versions that Redis lost or that turned out to be damaged, published again under a running server.

Done in a thread, once at a time and at most once a minute: requests go on meanwhile with what stands.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from clickup_toolkit import publish, store
from clickup_toolkit.errors import ExportRunning, ToolkitError, VersionDamaged
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.rebuild import rebuild
from clickup_toolkit.settings import Settings

__all__ = ["Mending"]

_EVERY = 60.0  # seconds from one try to the next

_log = structlog.get_logger(__name__)


class Mending:
    """What is known to be damaged, and the tries to mend it; for one event loop."""

    def __init__(self, settings: Settings, every: float = _EVERY) -> None:
        self._settings = settings
        self._every = every
        self._again = 0.0
        self._trying: asyncio.Task[None] | None = None
        self.fallen: dict[str, str] = {}
        """The ids of versions by their ETags that were found damaged when they were read, and not mended."""

    def note(self, stored: StoredVersion) -> None:
        """Remember that a version was found damaged on the way to a client, and begin to mend it."""
        self.fallen[stored.etag] = stored.version
        self.begin()

    def begin(self, *, at_start: bool = False) -> None:
        """Begin to mend, if it is time; a try ``at_start`` of the server does not put off the next one."""
        if self._trying is not None and not self._trying.done():
            return
        if not at_start:
            if time.monotonic() < self._again:
                return
            self._again = time.monotonic() + self._every
        self._trying = asyncio.create_task(self._try())

    def can_mend(self) -> bool:
        """Tell whether the data folder has a database to mend from."""
        return store.current(self._settings.data_dir) is not None

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._trying is not None:
            await self._trying

    async def _try(self) -> None:
        fallen = dict(self.fallen)
        for etag in await asyncio.to_thread(_mend, self._settings, fallen):
            self.fallen.pop(etag, None)


def _mend(settings: Settings, fallen: dict[str, str]) -> list[str]:
    """Publish the data folder's version again where need be; return which of ``fallen`` stand by now."""
    try:
        if store.current(settings.data_dir) is not None:
            rebuild(settings, thoroughly=bool(fallen))
        return [etag for etag, version in fallen.items() if not _is_damaged(settings, etag, version)]
    except ExportRunning:
        return []  # an export that begins does the same
    except ToolkitError as error:
        _log.warning("version.not_rebuilt", reason=error.message, remedy=error.remedy)
        return []


def _is_damaged(settings: Settings, etag: str, version: str) -> bool:
    """Tell whether the version is still there, and still damaged."""
    with publish.connect(settings) as client:
        try:
            stored = publish.find(client, settings.team_id or "", version)
            if stored is not None and stored.etag == etag:
                publish.verify(client, stored)
        except VersionDamaged:
            return True
    return False
