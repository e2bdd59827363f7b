"""The steps inside Redis, each asked directly what it does when it must not do its work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from clickup_toolkit.publish.scripts import CLAIM, CLOSURE, FLIP, LOOSEN, PACK

OURS, THEIRS = b"ours", b"theirs"
FLIPPED = ("lock", "latest", "versions", "leaving", "version:v", "chunk:a", "chunk:b")
MANIFEST = ("v", 100, "{}", "etag", "delta:")
HASHES = [hashlib.sha1(stored).hexdigest() for stored in (b"aaa", b"another", b"none")]


@pytest.fixture
def client(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """A server that holds our lock, a chunk that stays and one that expires."""
    redis_client.set("lock", OURS)
    redis_client.set("chunk:a", b"aaa")
    redis_client.set("chunk:b", b"bb", ex=10)
    return redis_client


def state(client: redis.Redis) -> dict[bytes, int]:
    """Every key and how long it lives."""
    return {name: client.ttl(name) for name in client.scan_iter()}


@pytest.mark.parametrize(
    ("lock", "lengths", "answer"),
    [
        (THEIRS, (3, 2), [b"lost"]),
        (OURS, (3, 1), [b"missing", 1]),
        (OURS, (4, 3), [b"missing", 2]),
    ],
)
def test_a_flip_that_is_refused_changes_nothing(
    client: redis.Redis, lock: bytes, lengths: tuple[int, int], answer: list[object]
) -> None:
    """With another's lock, or chunks that are not as long as they should be, nothing is written."""
    before = state(client)
    assert client.eval(FLIP, 7, *FLIPPED, lock, *MANIFEST, *lengths) == answer
    assert state(client) == before


def test_a_flip_makes_everything_stay(client: redis.Redis) -> None:
    """With the lock and all chunks, the version is the latest, and none of its keys expires."""
    assert client.eval(FLIP, 7, *FLIPPED, OURS, *MANIFEST, 3, 2) == [b"done"]
    assert state(client) == dict.fromkeys((name.encode() for name in FLIPPED if name != "leaving"), -1)
    assert client.get("latest") == b"v"
    assert client.zrange("versions", 0, -1, withscores=True) == [(b"v", 100.0)]
    assert client.hgetall("version:v") == {b"manifest": b"{}", b"etag": b"etag"}


def test_a_claim_gives_time_to_what_expires(client: redis.Redis) -> None:
    """What a writer found lives long enough to be flipped; what stays is left alone."""
    assert client.eval(CLAIM, 4, "lock", "chunk:a", "chunk:b", "chunk:c", OURS, 3600, *HASHES) == [1, 0, 0]
    assert state(client) == {b"lock": -1, b"chunk:a": -1, b"chunk:b": 3600}


def test_only_the_holder_claims(client: redis.Redis) -> None:
    """Another's lock answers nothing and changes nothing."""
    before = state(client)
    assert client.eval(CLAIM, 3, "lock", "chunk:a", "chunk:b", THEIRS, 3600) is None
    assert state(client) == before


def test_what_expires_already_is_not_given_more_time(client: redis.Redis) -> None:
    """Only chunks that would stay are loosened; the others go when they would have gone."""
    assert client.eval(LOOSEN, 4, "lock", "chunk:a", "chunk:b", "chunk:c", OURS, 3600) == 1
    assert state(client) == {b"lock": -1, b"chunk:a": 3600, b"chunk:b": 10}


def test_only_the_holder_loosens(client: redis.Redis) -> None:
    """Whoever lost the lock in mid-sweep cannot touch the chunks of the next writer."""
    before = state(client)
    assert client.eval(LOOSEN, 3, "lock", "chunk:a", "chunk:b", THEIRS, 3600) is None
    assert state(client) == before


PACKED = ("lock", "latest", "chunk:a", "delta:a")


def pack(client: redis.Redis, lock: bytes = OURS, latest: str = "v", bases: str = "b c") -> object:
    """Ask for the delta of a chunk; of its bases one is whole, one a delta."""
    client.set("latest", "v")
    client.hset("delta:c", "data", b"")
    return client.eval(PACK, 4, *PACKED, lock, latest, bases, "sha", "data", "chunk:", "delta:")


@pytest.mark.parametrize(
    ("refused", "answer"), [({"lock": THEIRS}, None), ({"latest": "w"}, None), ({"bases": "b c d"}, 0)]
)
def test_a_chunk_is_packed_only_when_it_can_be_read_after(
    client: redis.Redis, refused: dict[str, Any], answer: object
) -> None:
    """With another's lock, another latest version or a base that is gone, the chunk stays as it is."""
    assert pack(client, **refused) == answer
    assert client.get("chunk:a") == b"aaa"
    assert not client.exists("delta:a")


def test_a_packed_chunk_is_a_delta_that_stays(client: redis.Redis) -> None:
    """The chunk gives way to its delta, in one step, also where a delta was about to expire."""
    client.hset("delta:a", "data", b"old")
    client.expire("delta:a", 10)
    assert pack(client) == 1
    assert not client.exists("chunk:a")
    assert client.hgetall("delta:a") == {b"bases": b"b c", b"sha": b"sha", b"data": b"data"}
    assert client.ttl("delta:a") == -1


def test_what_is_needed_to_rebuild_is_found(client: redis.Redis) -> None:
    """From chunk to base to base, each once, also where chunks rest on the same."""
    for name, bases in {"a": "b c", "b": "d", "c": "d"}.items():
        client.hset(f"delta:{name}", "bases", bases)
    assert client.eval(CLOSURE, 0, "delta:", "a", "x") == [b"a", b"x", b"b", b"c", b"d"]
