"""A workspace's files: the local folder in which an export works, and object storage behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import redis

from clickup_toolkit import publish, store
from clickup_toolkit.objects import Manifest, Objects

__all__ = ["Files"]


class Files:
    """The files of a workspace in ``folder``, and at the ``address`` of object storage unless it is empty."""

    def __init__(
        self, folder: Path, address: str, team_id: str, environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self._team = team_id
        self._objects = Objects(address, team_id, environ) if address else None
        self._manifest = self._objects.manifest() if self._objects else Manifest()

    @property
    def stored_bytes(self) -> int:
        """What object storage holds of the workspace."""
        return sum(each.bytes for each in self._manifest.objects.values())

    def bring(self) -> None:
        """Fetch the database of the last export, unless it or a newer one is here.

        A journal that is here was begun before that export, so it is not gone on with.
        """
        if self._objects is None or self._manifest.version <= self._version():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        fetched = self._objects.fetch(self._manifest, self.folder)
        for stale in self.folder.glob("journal.db*"):
            stale.unlink(missing_ok=True)
        store.flip(self.folder, fetched)

    def keep(self, client: redis.Redis, lock: publish.ExportLock, version: str) -> bool:
        """See that the files of a published version are where they belong; False where they are not here.

        That is so when the version was published elsewhere, by a worker that died before it stored them.
        """
        if self._objects is None or self._manifest.version == version:
            return True
        database = store.current(self.folder)
        stored = publish.find(client, self._team, version)
        if database is None or self._version() != version or stored is None:
            return False
        document = publish.body(client, stored)
        columnar = self.folder / "parquet"
        self._manifest = self._objects.store(version, database, columnar, document, lock.check)
        return True

    def _version(self) -> str:
        """Return the version of the database that is here; empty where there is none."""
        database = store.current(self.folder)
        return database.stem.removeprefix("clickup-") if database else ""
