"""Versions out of Redis and back, as they lie there: manifests, and chunks whole or as deltas.

Taking them out needs no lock. What is listed is held as a reader holds it; a chunk that becomes a delta
meanwhile, or comes back whole, is found in one form or the other, and either will do.

Putting them back changes nothing that readers see until a version has all its parts: these have an hour to
live, as an exporter's have, and the step that makes them stay enters the version. So whoever is killed in
between only has to do it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import redis

from clickup_toolkit.errors import RedisError, VersionDamaged
from clickup_toolkit.publish.asking import answer, evaluate
from clickup_toolkit.publish.chunks import Chunk, digest
from clickup_toolkit.publish.deltas import restore
from clickup_toolkit.publish.faults import place_of, plain_faults
from clickup_toolkit.publish.finding import listed
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.lock import ExportLock
from clickup_toolkit.publish.looks import LOAD
from clickup_toolkit.publish.manifest import StoredVersion, decode, instant_of
from clickup_toolkit.publish.reader import GRACE, touching
from clickup_toolkit.publish.rebuilding import texts
from clickup_toolkit.publish.scripts import PUT, SETTLE, TOUCH

__all__ = ["Copied", "Form", "copied_versions", "forms", "put_back", "settle", "whole_form"]

_AT_ONCE = 16  # chunks asked for in one step; a few megabytes
_HOLD_EVERY = GRACE / 4  # seconds

Clock = Callable[[], float]


class Copied(msgspec.Struct, frozen=True):
    """A version as Redis holds it; ``etag`` is the hash of the manifest, ``ttl`` None when it stays."""

    id: str
    manifest: bytes
    etag: str
    ttl: int | None
    pinned: bool

    def read(self) -> StoredVersion:
        """Return what the manifest says; raises :class:`VersionDamaged` where it does not fit its hash."""
        ttl = -1 if self.ttl is None else self.ttl
        return decode(self.id.encode(), self.manifest, self.etag.encode(), ttl, int(self.pinned))


class Form(NamedTuple):
    """A chunk as it lies in Redis: its bytes, or a delta with its bases and the hash of the text."""

    digest: str
    data: bytes
    bases: tuple[str, ...] = ()
    sha: bytes = b""


def copied_versions(client: redis.Redis, team_id: str) -> tuple[list[Copied], list[str]]:
    """Return all versions, the newest first, and the ids of those that are damaged.

    Raises :class:`RedisError`, also where a newer release wrote one.
    """
    found, broken = [], []
    for name, manifest, etag, ttl, pinned in answer(client, listed(Keys(team_id))):
        stays = None if ttl < 0 else int(ttl)
        one = Copied(name.decode(), manifest or b"", (etag or b"").decode(), stays, bool(pinned))
        try:
            one.read()
        except VersionDamaged:
            broken.append(one.id)
        else:
            found.append(one)
    return found, broken


def forms(
    client: redis.Redis, versions: Sequence[StoredVersion], *, clock: Clock = time.monotonic
) -> Iterator[Form]:
    """Yield every chunk of the versions once, and all that is needed to rebuild it; not what is gone.

    The versions are held meanwhile: one that is dropped stays for as long as this goes on, and an hour.
    Whole chunks are verified, deltas are not.
    """
    if not versions:
        return
    keys = Keys(versions[0].team_id)
    waiting = list(dict.fromkeys(chunk.digest for stored in versions for chunk in stored.chunks))
    seen, held = set(waiting), clock() - _HOLD_EVERY
    while waiting:
        if clock() - held >= _HOLD_EVERY:
            _hold(client, keys, versions)
            held = clock()
        asked, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
        for form in _loaded(client, keys, asked):
            yield form
            waiting += [base for base in form.bases if base not in seen]
            seen.update(form.bases)


def whole_form(client: redis.Redis, team_id: str, chunk: Chunk) -> Form | None:
    """Return a chunk whole, rebuilt if need be; None where that cannot be."""
    text = answer(client, texts(Keys(team_id), [chunk.digest])).get(chunk.digest)
    stored = None if text is None else restore(text, chunk)
    return None if stored is None or digest(stored) != chunk.digest else Form(chunk.digest, stored)


def _hold(client: redis.Redis, keys: Keys, versions: Iterable[StoredVersion]) -> None:
    for stored in versions:
        with plain_faults(client):
            client.execute_command(*touching(keys, stored).words)  # type: ignore[no-untyped-call]


def _loaded(client: redis.Redis, keys: Keys, asked: Sequence[str]) -> Iterator[Form]:
    with plain_faults(client):
        words = evaluate(LOAD, [keys.chunk(name) for name in asked], keys.delta("")).words
        found = client.execute_command(*words)  # type: ignore[no-untyped-call]
    for name, parts in zip(asked, found, strict=True):
        if len(parts) == 1 and digest(parts[0]) == name:
            yield Form(name, parts[0])
        elif len(parts) == 3:
            yield Form(name, parts[2], tuple(parts[0].decode().split()), parts[1])


def put_back(client: redis.Redis, lock: ExportLock, form: Form) -> None:
    """Bring a chunk to Redis, to live an hour; one that can be read there stays as it is.

    Raises :class:`LockLost` and :class:`RedisError`.
    """
    keys = Keys(lock.team_id)
    if form.digest in answer(client, texts(keys, [form.digest])):
        prefixes = (keys.chunk(""), keys.delta(""))
        with plain_faults(client):
            client.eval(TOUCH, 1, keys.chunk(form.digest), *prefixes, GRACE, form.digest)
        return
    names = (lock.key, keys.chunk(form.digest), keys.delta(form.digest))
    with plain_faults(client):
        done = client.eval(
            PUT, len(names), *names, lock.value, GRACE, form.data, " ".join(form.bases), form.sha
        )
    if done is None:
        raise lock.lost()


def settle(client: redis.Redis, lock: ExportLock, one: Copied) -> None:
    """Enter a version whose chunks are there: kept, or leaving in as many seconds as it had.

    It becomes the latest unless a newer one is there. Raises :class:`LockLost` and :class:`RedisError`.
    """
    keys, stored = Keys(lock.team_id), one.read()
    names = (lock.key, keys.latest, keys.versions, keys.leaving, keys.pinned, keys.version(one.id))
    with plain_faults(client):
        missing = client.eval(
            SETTLE,
            len(names),
            *names,
            *(lock.value, keys.chunk(""), keys.delta(""), one.id, int(instant_of(one.id).timestamp())),
            *(one.manifest, one.etag, "" if one.ttl is None else max(one.ttl, 1), int(one.pinned)),
            *(chunk.digest for chunk in stored.chunks),
        )
    if missing is None:
        raise lock.lost()
    if missing:
        raise RedisError(
            f"Redis at {place_of(client)} lost {missing} chunks of version {one.id} while it was put back.",
            "See that it evicts nothing (maxmemory-policy noeviction), and restore again.",
        )
