"""The names of everything that is kept in Redis for one workspace.

============================  ======  ==========================================================
key                           type    what it holds
============================  ======  ==========================================================
``clickup:<team>:lock``       string  who exports right now, as JSON; expires
``clickup:<team>:latest``     string  the latest version's id
``clickup:<team>:versions``   zset    ids of all versions; the score is their time, in seconds
``clickup:<team>:version:…``  hash    one version: ``manifest`` (JSON) and ``etag``, its hash
``clickup:<team>:chunk:…``    string  one chunk: raw deflate, named by the hash of these bytes
============================  ======  ==========================================================
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Keys"]


class Keys(NamedTuple):
    """The keys of the workspace ``team_id``."""

    team_id: str

    @property
    def lock(self) -> str:
        """Who exports right now."""
        return f"clickup:{self.team_id}:lock"

    @property
    def latest(self) -> str:
        """The latest version's id."""
        return f"clickup:{self.team_id}:latest"

    @property
    def versions(self) -> str:
        """The index of versions."""
        return f"clickup:{self.team_id}:versions"

    def version(self, version: str) -> str:
        """One version's manifest."""
        return f"clickup:{self.team_id}:version:{version}"

    def chunk(self, digest: str) -> str:
        """One chunk."""
        return f"clickup:{self.team_id}:chunk:{digest}"
