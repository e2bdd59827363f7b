"""The names of everything that is kept in Redis for one workspace.

============================  ======  ==================================================================
key                           type    what it holds
============================  ======  ==================================================================
``clickup:<team>:lock``       string  who exports right now, as JSON; expires
``clickup:<team>:files``      string  who brings its files to object storage, as JSON; expires
``clickup:<team>:run:…``      string  the latest version before a run over many workspaces; expires
``clickup:<team>:latest``     string  the latest version's id
``clickup:<team>:versions``   zset    ids of the versions that are kept; the score is their time, in seconds
``clickup:<team>:leaving``    zset    ids of versions that are not kept any more, until they expire
``clickup:<team>:pinned``     set     ids of versions that are kept until they are unpinned
``clickup:<team>:version:…``  hash    one version: ``manifest`` (JSON) and ``etag``, its hash
``clickup:<team>:chunk:…``    string  one chunk: raw deflate, named by the hash of these bytes
``clickup:<team>:delta:…``    hash    what a chunk was, told by newer ones: ``bases``, ``sha``, ``data``
============================  ======  ==================================================================
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
    def files(self) -> str:
        """Who brings files to object storage right now."""
        return f"clickup:{self.team_id}:files"

    def run(self, run: str) -> str:
        """Which version was the latest before a run over many workspaces."""
        return f"clickup:{self.team_id}:run:{run}"

    @property
    def latest(self) -> str:
        """The latest version's id."""
        return f"clickup:{self.team_id}:latest"

    @property
    def versions(self) -> str:
        """The index of versions."""
        return f"clickup:{self.team_id}:versions"

    @property
    def leaving(self) -> str:
        """The index of versions that expire."""
        return f"clickup:{self.team_id}:leaving"

    @property
    def pinned(self) -> str:
        """The versions that stay."""
        return f"clickup:{self.team_id}:pinned"

    def version(self, version: str) -> str:
        """One version's manifest."""
        return f"clickup:{self.team_id}:version:{version}"

    def chunk(self, digest: str) -> str:
        """One chunk."""
        return f"clickup:{self.team_id}:chunk:{digest}"

    def delta(self, digest: str) -> str:
        """One chunk of an older version, as a delta."""
        return f"clickup:{self.team_id}:delta:{digest}"
