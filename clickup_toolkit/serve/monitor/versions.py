"""The versions in Redis, each with what it takes there and how long it stays."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from clickup_toolkit import publish
from clickup_toolkit.publish import Memory, StoredVersion
from clickup_toolkit.serve.redis_link import RedisLink
from clickup_toolkit.serve.words import duration

__all__ = ["HeldVersion", "held_versions"]


class HeldVersion(NamedTuple):
    """A version: bytes of its document and of its body, of what it takes in Redis, and of that alone.

    ``stays`` is ``kept``, ``pinned``, or for how long it stays.
    """

    version: str
    updated_at: datetime
    tasks: int
    complete: bool
    text_bytes: int
    gzip_bytes: int
    stored_bytes: int
    own_bytes: int
    stays: str

    @property
    def shared(self) -> float:
        """The share of its bytes that other versions hold, too."""
        return 1 - self.own_bytes / self.stored_bytes if self.stored_bytes else 0.0


async def held_versions(link: RedisLink, team_id: str) -> list[HeldVersion]:
    """Return the versions of a workspace, the newest first.

    Raises :class:`~clickup_toolkit.errors.RedisError`.
    """
    async with link.client() as client:
        taken = {one.version: one for one in await publish.async_memory(client, team_id)}
        found = await publish.async_versions(client, team_id)
    return [_held(one, taken[one.version]) for one in found if one.version in taken]


def _held(stored: StoredVersion, taken: Memory) -> HeldVersion:
    return HeldVersion(
        version=stored.version,
        updated_at=stored.updated_at,
        tasks=stored.tasks,
        complete=stored.complete,
        text_bytes=stored.text_bytes,
        gzip_bytes=stored.gzip_bytes,
        stored_bytes=taken.stored_bytes,
        own_bytes=taken.own_bytes,
        stays=_stays(taken),
    )


def _stays(taken: Memory) -> str:
    if taken.ttl is not None:
        return f"for {duration(taken.ttl * 1000)}"
    return "pinned" if taken.pinned else "kept"
