"""Finding versions: by id, by day, the latest, all; and what each takes in Redis.

A manifest is verified against its hash. Where the latest version is damaged, its manifest or a chunk gone,
the newest older one that stands is found in its place, and says so (``instead_of``): the last good version
is served until the next export, or :mod:`clickup_toolkit.rebuild`, has mended it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec
import redis
import redis.asyncio
import structlog

from clickup_toolkit.errors import RedisError, VersionDamaged
from clickup_toolkit.publish.asking import Steps, answer, async_answer, evaluate
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.looks import FIND, LENGTHS, LIST, SIZES
from clickup_toolkit.publish.manifest import StoredVersion, damaged, decode

__all__ = [
    "Memory",
    "async_find",
    "async_memory",
    "async_versions",
    "find",
    "latest_id",
    "listed",
    "listing",
    "memory",
    "standing",
    "versions",
]

LATEST = "latest"

_log = structlog.get_logger(__name__)


class _Known(NamedTuple):
    """What the one who asks knows already, see :func:`async_find`."""

    stood: str = ""
    fallen: Collection[str] = ()
    told: Collection[str] = ()


_NOTHING = _Known()


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a version takes in Redis, in bytes as they are stored there.

    ``stored_bytes`` are those of all its chunks, ``shared_bytes`` those of them that other versions hold,
    too; ``own_bytes`` would be freed with it. ``ttl`` and ``pinned`` are the version's.
    """

    version: str
    stored_bytes: int
    shared_bytes: int
    ttl: int | None
    pinned: bool

    @property
    def own_bytes(self) -> int:
        """Bytes that no other version holds."""
        return self.stored_bytes - self.shared_bytes


def find(client: redis.Redis, team_id: str, wanted: str = LATEST) -> StoredVersion | None:
    """Return a version by its id, the newest of a day (``2026-11-23``, UTC), or the ``latest``.

    None when there is none. Where the latest is damaged, the newest version that stands is returned, with
    ``instead_of``. Raises :class:`VersionDamaged` when none stands, or the one that was named does not.
    """
    return answer(client, _finding(Keys(team_id), wanted))


async def async_find(
    client: redis.asyncio.Redis,
    team_id: str,
    wanted: str = LATEST,
    *,
    stood: str = "",
    fallen: Collection[str] = (),
    told: Collection[str] = (),
) -> StoredVersion | None:
    """As :func:`find`; the version of the ETag ``stood`` was just seen to stand and is taken as it is.

    Those of the ETags ``fallen`` were read and found damaged, in a way that no length shows: they are taken
    for damaged. Of the latest versions named in ``told``, the log has been told already.
    """
    return await async_answer(client, _finding(Keys(team_id), wanted, _Known(stood, fallen, told)))


def versions(client: redis.Redis, team_id: str) -> list[StoredVersion]:
    """Return the versions of a workspace, the newest first, without those that cannot be read."""
    return answer(client, listing(Keys(team_id)))


async def async_versions(client: redis.asyncio.Redis, team_id: str) -> list[StoredVersion]:
    """As :func:`versions`."""
    return await async_answer(client, listing(Keys(team_id)))


def memory(client: redis.Redis, team_id: str) -> list[Memory]:
    """Return what each version takes in Redis, the newest first."""
    return answer(client, _measuring(Keys(team_id)))


async def async_memory(client: redis.asyncio.Redis, team_id: str) -> list[Memory]:
    """As :func:`memory`."""
    return await async_answer(client, _measuring(Keys(team_id)))


def latest_id(client: redis.Redis, team_id: str) -> str | None:
    """Return the id of the latest version, whatever its state; None when there is none."""
    with plain_faults(client):
        found = client.get(Keys(team_id).latest)
    return found.decode() if isinstance(found, bytes) else None


def standing(keys: Keys, stored: StoredVersion) -> Steps[None]:
    """Ask whether all chunks are there, as long as they should be or as deltas; raises where not."""
    names = [keys.chunk(chunk.digest) for chunk in stored.chunks]
    lengths: Sequence[int] = yield evaluate(LENGTHS, names, keys.delta(""))
    wanted = [chunk.stored_bytes for chunk in stored.chunks]
    wrong = sum(length not in (want, -1) for length, want in zip(lengths, wanted, strict=True))
    if wrong:
        damaged(stored.version, f"{wrong} of its {len(wanted)} chunks are missing or cut off")


def listed(keys: Keys) -> Steps[list[list[Any]]]:
    """Ask for all versions as Redis answers them: arguments of :func:`~.manifest.decode`."""
    found: list[list[Any]] = yield evaluate(
        LIST, [keys.versions, keys.leaving, keys.pinned], keys.version("")
    )
    return found


def _finding(keys: Keys, wanted: str, known: _Known = _NOTHING) -> Steps[StoredVersion | None]:
    names = [keys.latest, keys.versions, keys.leaving, keys.pinned]
    day = wanted.replace("-", "") if len(wanted) == 10 else wanted
    found = yield evaluate(FIND, names, day, keys.version(""))
    if not found:
        return None
    try:
        stored = _not_fallen(decode(*found), known.fallen)
        if wanted == LATEST and stored.etag != known.stood:
            yield from standing(keys, stored)
    except VersionDamaged as damage:
        if wanted != LATEST:
            raise
        return (yield from _instead(keys, found[0].decode(), damage, known))
    return stored


def _instead(keys: Keys, latest: str, damage: VersionDamaged, known: _Known) -> Steps[StoredVersion]:
    """Find the newest version that stands, the latest being damaged."""
    for stored in (yield from listing(keys)):
        if stored.version != latest:
            try:
                yield from standing(keys, _not_fallen(stored, known.fallen))
            except VersionDamaged:
                continue
            if latest not in known.told:
                _log.error("version.damaged", version=latest, reason=damage.message, instead=stored.version)
            return msgspec.structs.replace(stored, instead_of=latest)
    raise damage


def _not_fallen(stored: StoredVersion, fallen: Collection[str]) -> StoredVersion:
    if stored.etag in fallen:
        damaged(stored.version, "it was found so when it was read")
    return stored


def listing(keys: Keys) -> Steps[list[StoredVersion]]:
    """Ask for all versions that can be read, the newest first."""
    found = yield from listed(keys)
    return [stored for one in found if (stored := _decoded_or_none(*one))]


def _decoded_or_none(version: bytes, *others: Any) -> StoredVersion | None:
    try:
        return decode(version, *others)
    except RedisError as damage:
        _log.warning("version.unreadable", version=version.decode(), reason=damage.message)
        return None


def _measuring(keys: Keys) -> Steps[list[Memory]]:
    found = yield from listing(keys)
    holders = Counter(digest for stored in found for digest in _digests(stored))
    sizes = yield evaluate(SIZES, [], keys.chunk(""), keys.delta(""), *holders)
    size_of = dict(zip(holders, sizes, strict=True))
    return [
        Memory(
            version=stored.version,
            stored_bytes=sum(size_of[digest] for digest in _digests(stored)),
            shared_bytes=sum(size_of[digest] for digest in _digests(stored) if holders[digest] > 1),
            ttl=stored.ttl,
            pinned=stored.pinned,
        )
        for stored in found
    ]


def _digests(stored: StoredVersion) -> set[str]:
    return {chunk.digest for chunk in stored.chunks}
