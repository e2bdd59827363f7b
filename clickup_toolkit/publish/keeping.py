"""Which versions stay: the last few, the newest of each of the last days, and the pinned ones.

A version that does not stay is *leaving*: it can be found and read for an hour, and somebody who reads it
makes that longer. Its chunks get the hour at the same time: what no kept version needs any more, not even to
rebuild one of its own, expires.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import redis

from clickup_toolkit.errors import RedisError, VersionDamaged
from clickup_toolkit.publish.asking import answer
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.publish.finding import listed, listing
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.manifest import StoredVersion, decode, instant_of
from clickup_toolkit.publish.packing import Packed, pack
from clickup_toolkit.publish.reader import GRACE
from clickup_toolkit.publish.scripts import CLOSURE, DELETE, DROP, LOOSEN, PIN, REVIVE

__all__ = ["Kept", "chosen", "delete", "drop", "free", "pin", "unpin"]

_SCAN = 5000  # keys looked at in one step of the sweep
_LIST_THEM = "List them: clickup-toolkit versions"


class Kept(NamedTuple):
    """The versions that stay, the newest first, and the ids of those that were dropped."""

    versions: list[StoredVersion]
    dropped: list[str]


def chosen(ids: Sequence[str], last: int, daily: int) -> set[str]:
    """Return which of the versions, the newest first, stay: the ``last`` ones and one for each of some days.

    That is the newest of each of the ``daily`` days up to the newest version's, in UTC.
    """
    kept = set(ids[: max(last, 1)])
    if ids and daily > 0:
        newest = instant_of(ids[0])
        days = {f"{newest - timedelta(days=back):%Y%m%d}" for back in range(daily)}
        first_of = {one[:8]: one for one in reversed(ids)}
        kept |= {one for day, one in first_of.items() if day in days}
    return kept


def drop(client: redis.Redis, keys: Keys, last: int, daily: int) -> Kept:
    """Let those versions leave that do not stay, and those that are damaged beyond reading."""
    found = {one[0].decode(): one for one in answer(client, listed(keys)) if one[3] < 0}
    readable = {name: stored for name, one in found.items() if (stored := _read(one))}
    stay = chosen([*readable], last, daily)
    going = [name for name in found if name not in stay]
    names = (keys.versions, keys.latest, keys.pinned, keys.leaving)
    with plain_faults(client):
        dropped = client.eval(DROP, len(names), *names, GRACE, keys.version(""), *going)
    gone = [name.decode() for name in dropped]
    return Kept([stored for name, stored in readable.items() if name not in gone], gone)


def _read(found: Sequence[Any]) -> StoredVersion | None:
    """Return a version; None when it is damaged. Raises :class:`RedisError` for a newer layout."""
    try:
        return decode(*found)
    except VersionDamaged:
        return None


def free(client: redis.Redis, lock: ExportLock, keys: Keys, kept: Sequence[StoredVersion]) -> Packed:
    """Pack what the kept versions need, and let everything else expire, also where there is no room to pack.

    Raises :class:`RedisError` and :class:`LockLost`.
    """
    try:
        return pack(client, lock, keys, kept)
    finally:
        sweep(client, lock, keys, kept)


def sweep(client: redis.Redis, lock: ExportLock, keys: Keys, kept: Sequence[StoredVersion]) -> None:
    """Let everything expire that none of the kept versions needs. Raises :class:`LockLost`."""
    named = {chunk.digest for stored in kept for chunk in stored.chunks}
    with plain_faults(client):
        needed = {digest.decode() for digest in client.eval(CLOSURE, 0, keys.delta(""), *named)}
        for pattern in (keys.chunk("*"), keys.delta("*")):
            cursor = -1
            while cursor != 0:
                cursor, found = client.scan(max(cursor, 0), match=pattern, count=_SCAN)
                loose = [name for name in found if _digest(name) not in needed]
                if loose and client.eval(LOOSEN, 1 + len(loose), lock.key, *loose, lock.value, GRACE) is None:
                    raise lock.lost()


def _digest(name: bytes | str) -> str:
    return (name.decode() if isinstance(name, bytes) else name).rpartition(":")[2]


def pin(client: redis.Redis, team_id: str, stored: StoredVersion, lock_ttl: float) -> None:
    """Keep a version until it is unpinned; one that is leaving comes back.

    Raises :class:`RedisError` when it has gone, :class:`ExportRunning` when a leaving one cannot be brought
    back because of an export.
    """
    keys = Keys(team_id)
    with plain_faults(client):
        done = client.eval(PIN, 2, keys.versions, keys.pinned, stored.version)
    if not done:
        with ExportLock(client, team_id, lock_ttl) as lock:
            _revive(client, lock, keys, stored)


def _revive(client: redis.Redis, lock: ExportLock, keys: Keys, stored: StoredVersion) -> None:
    names = (lock.key, keys.versions, keys.leaving, keys.pinned, keys.version(stored.version))
    digests = (chunk.digest for chunk in stored.chunks)
    with plain_faults(client):
        done = client.eval(
            REVIVE, len(names), *names, keys.chunk(""), keys.delta(""), lock.value, stored.version, *digests
        )
    if done is None:
        raise lock.lost()
    if not done:
        raise RedisError(f"Version {stored.version} has gone.", _LIST_THEM)


def unpin(client: redis.Redis, team_id: str, version: str) -> bool:
    """Leave a version to retention again, at the next export; return whether it was pinned."""
    with plain_faults(client):
        return bool(client.srem(Keys(team_id).pinned, version))


def delete(client: redis.Redis, team_id: str, version: str, lock_ttl: float) -> None:
    """Remove a version for good; whoever reads it right now can finish, its memory is freed in an hour.

    Raises :class:`RedisError` when it is the latest (unless that lies in the future by Redis' clock), pinned
    or not there, :class:`ExportRunning` when it is removed but an export is running, the end of which frees
    the memory.
    """
    keys = Keys(team_id)
    names = (keys.versions, keys.latest, keys.pinned, keys.leaving, keys.version(version))
    with plain_faults(client):
        done = client.eval(DELETE, len(names), *names, version)
    if done != b"done":
        raise _refused(version, done)
    with ExportLock(client, team_id, lock_ttl) as lock:
        free(client, lock, keys, [stored for stored in answer(client, listing(keys)) if stored.ttl is None])


def _refused(version: str, why: bytes) -> RedisError:
    message, remedy = {
        b"latest": ("is the latest, which is never deleted.", "Export a newer one first."),
        b"pinned": ("is pinned.", f"Unpin it first: clickup-toolkit versions unpin {version}"),
        b"none": ("is not there.", _LIST_THEM),
    }[why]
    return RedisError(f"Version {version} {message}", remedy)
