"""Retention, pinning and deleting; and readers who are never cut off by them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator

import anyio
import pytest
import redis
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.errors import ExportRunning, RedisError
from clickup_toolkit.publish import (
    ExportLock,
    Memory,
    StoredVersion,
    async_body,
    async_find,
    async_memory,
    async_versions,
    body,
    delete,
    find,
    memory,
    pin,
    unpin,
    versions,
)
from clickup_toolkit.publish.keeping import chosen
from tests.versions import (
    TEAM,
    changed,
    day,
    document,
    kept,
    named_chunks,
    packed_chunks,
    put,
    staying_chunks,
    workspace,
)


def at(number: int, hour: int) -> str:
    """The id of a version on that day of November, at that hour."""
    return f"202611{number:02}T{hour:02}0000Z"


def test_the_last_and_the_newest_of_each_day_stay() -> None:
    """Beside the last few, one version of each of the last days is kept: its newest."""
    ids = [at(number, hour) for number in range(9, 0, -1) for hour in (20, 15, 10, 5)]
    assert chosen(ids, 2, 3) == {at(9, 20), at(9, 15), at(8, 20), at(7, 20)}
    assert chosen(ids, 6, 1) == set(ids[:6])
    assert chosen(ids, 1, 0) == chosen(ids, 0, 0) == {at(9, 20)}
    assert chosen([], 7, 7) == set()
    assert chosen([at(9, 5), at(2, 20), at(2, 5)], 1, 7) == {at(9, 5)}  # days, not versions
    assert chosen([at(9, 5), at(3, 20), at(3, 5)], 1, 7) == {at(9, 5), at(3, 20)}


@given(st.sets(st.integers(0, 27 * 24 - 1), min_size=1), st.integers(1, 9), st.integers(0, 9))
def test_retention_keeps_what_it_promises(hours: set[int], last: int, daily: int) -> None:
    """However irregular exports are, the last ones stay, and of every day at most one besides."""
    ids = [at(1 + hour // 24, hour % 24) for hour in sorted(hours, reverse=True)]
    stay = chosen(ids, last, daily)
    assert set(ids[:last]) <= stay <= set(ids)
    others = [one[:8] for one in stay - set(ids[:last])]
    assert len(others) == len(set(others)) <= daily


def test_exports_keep_a_version_of_each_day(redis_client: redis.Redis) -> None:
    """Five exports a day leave, in Redis, the last two and the newest of the two days before."""
    tasks = workspace(120)
    for number in (1, 2, 3):
        for hour in (5, 10, 15):
            put(redis_client, at(number, hour), tasks, keep=2, keep_daily=3)
    assert kept(redis_client) == [at(3, 15), at(3, 10), at(2, 15), at(1, 15)]
    found = find(redis_client, TEAM, "2026-11-02")
    assert found is not None
    assert found.version == at(2, 15)


def test_a_pinned_version_stays_until_it_is_unpinned(redis_client: redis.Redis) -> None:
    """Retention passes over what is pinned; unpinned, it goes with the next export."""
    stored = put(redis_client, day(1), workspace()).stored
    pin(redis_client, TEAM, stored, 60)
    put(redis_client, day(2), workspace(seed=2), keep=1)
    put(redis_client, day(3), workspace(seed=3), keep=1)
    assert kept(redis_client) == [day(3), day(1)]
    assert [one.pinned for one in versions(redis_client, TEAM)] == [False, False, True]
    assert unpin(redis_client, TEAM, day(1)) is True
    assert unpin(redis_client, TEAM, day(1)) is False
    assert put(redis_client, day(4), workspace(seed=4), keep=1).dropped == [day(3), day(1)]


def test_a_leaving_version_comes_back_when_it_is_pinned(redis_client: redis.Redis) -> None:
    """Within its hour a dropped version can be kept after all, whole; not while an export clears up."""
    tasks = workspace(600)
    stored = put(redis_client, day(1), tasks).stored
    put(redis_client, day(2), changed(tasks, 2, 5, 300), keep=1)
    with ExportLock(redis_client, TEAM, 60), pytest.raises(ExportRunning):
        pin(redis_client, TEAM, stored, 60)
    pin(redis_client, TEAM, stored, 60)
    assert kept(redis_client) == [day(2), day(1)]
    assert staying_chunks(redis_client) == named_chunks(redis_client)
    put(redis_client, day(3), workspace(600, seed=3), keep=1)
    assert gzip.decompress(b"".join(body(redis_client, stored))) == document(tasks)


def test_what_has_gone_in_part_does_not_come_back(redis_client: redis.Redis) -> None:
    """A leaving version of which a chunk is missing cannot be pinned."""
    stored = put(redis_client, day(1), workspace()).stored
    put(redis_client, day(2), workspace(seed=2), keep=1)
    redis_client.delete(f"clickup:{TEAM}:chunk:{stored.chunks[2].digest}")
    with pytest.raises(RedisError, match=f"Version {day(1)} has gone"):
        pin(redis_client, TEAM, stored, 60)
    assert kept(redis_client) == [day(2)]


def test_a_deleted_version_is_gone_at_once_and_its_memory_in_an_hour(redis_client: redis.Redis) -> None:
    """What only it needed expires; what rested on it is told by others, and a reader can finish."""
    states = [changed(workspace(600), number, *range(number, 600, 40)) for number in (1, 2, 3)]
    for number, state in enumerate(states, start=1):
        put(redis_client, day(number), state)
    reader = body(redis_client, versions(redis_client, TEAM)[1])
    begun = next(reader)
    delete(redis_client, TEAM, day(2), 60)
    assert [stored.version for stored in versions(redis_client, TEAM)] == [day(3), day(1)]
    assert find(redis_client, TEAM, day(2)) is None
    assert staying_chunks(redis_client) == named_chunks(redis_client)
    assert gzip.decompress(begun + b"".join(reader)) == document(states[1])
    oldest = find(redis_client, TEAM, day(1))
    assert oldest is not None
    assert gzip.decompress(b"".join(body(redis_client, oldest))) == document(states[0])


@pytest.mark.parametrize(
    ("version", "said"),
    [(day(3), "is the latest, which is never deleted"), (day(1), "is pinned"), (day(9), "is not there")],
)
def test_what_must_not_be_deleted_is_refused(redis_client: redis.Redis, version: str, said: str) -> None:
    """The latest, a pinned version and an unknown one are named, and nothing changes."""
    for number in (1, 2, 3):
        put(redis_client, day(number), workspace(120))
    pin(redis_client, TEAM, versions(redis_client, TEAM)[-1], 60)
    with pytest.raises(RedisError, match=said):
        delete(redis_client, TEAM, version, 60)
    assert kept(redis_client) == [day(3), day(2), day(1)]


def test_a_running_export_frees_what_was_deleted(redis_client: redis.Redis) -> None:
    """While an export has the lock, a version is removed all the same; clearing is left to the export."""
    put(redis_client, day(1), workspace())
    put(redis_client, day(2), workspace(seed=2))
    with ExportLock(redis_client, TEAM, 60), pytest.raises(ExportRunning):
        delete(redis_client, TEAM, day(1), 60)
    assert kept(redis_client) == [day(2)]
    assert staying_chunks(redis_client) > named_chunks(redis_client)
    put(redis_client, day(3), workspace(seed=2))
    assert staying_chunks(redis_client) == named_chunks(redis_client)


def test_what_versions_take_is_told(redis_url: str, redis_client: redis.Redis) -> None:
    """Of each version: its bytes as they are stored, what of them others hold, how long it lives."""
    tasks = workspace(600)
    older = put(redis_client, day(1), tasks).stored
    newer = put(redis_client, day(2), changed(tasks, 2, 300)).stored
    pin(redis_client, TEAM, older, 60)
    shared = sum(chunk.stored_bytes for chunk in set(newer.chunks) & set(older.chunks))
    (packed,) = packed_chunks(redis_client)
    delta = redis_client.hstrlen(f"clickup:{TEAM}:delta:{packed}", "data")
    expected = [
        Memory(
            version=day(2), stored_bytes=newer.gzip_bytes - 20, shared_bytes=shared, ttl=None, pinned=False
        ),
        Memory(version=day(1), stored_bytes=shared + delta, shared_bytes=shared, ttl=None, pinned=True),
    ]
    assert memory(redis_client, TEAM) == expected
    assert expected[1].own_bytes == delta < 10_000

    async def asked() -> tuple[list[Memory], list[StoredVersion], StoredVersion | None]:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            return (
                await async_memory(client, TEAM),
                await async_versions(client, TEAM),
                await async_find(client, TEAM, "2026-11-01"),
            )

    listed = versions(redis_client, TEAM)
    assert anyio.run(asked) == (expected, listed, listed[1])


def test_a_slow_reader_gets_every_byte_while_versions_come_and_go(redis_url: str) -> None:
    """A reader takes one piece at a time while exports supersede, pack, drop and expire its version."""
    tasks = workspace(2000)
    asked, given = threading.Semaphore(0), threading.Semaphore(0)
    ended = threading.Event()

    def export() -> None:
        with redis.Redis.from_url(redis_url) as client:
            state = tasks
            for number in range(2, 9):
                state = changed(state, number, *range(number, 2000, 50))
                asked.acquire()
                put(client, day(number), state, keep=3)
                given.release()
            ended.set()

    async def read() -> list[bytes]:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            stored = await async_find(client, TEAM)
            assert stored is not None
            pieces = []
            async for piece in async_body(client, stored):
                pieces.append(piece)
                if len(pieces) % 2 == 0 and not ended.is_set():
                    asked.release()
                    await anyio.to_thread.run_sync(given.acquire)
            return pieces

    with redis.Redis.from_url(redis_url) as client:
        put(client, day(1), tasks, keep=3)
        exporter = threading.Thread(target=export)
        exporter.start()
        pieces = anyio.run(read)
        exporter.join()
        assert kept(client) == [day(8), day(7), day(6)]
    assert ended.is_set()
    assert gzip.decompress(b"".join(pieces)) == document(tasks)


def test_readers_and_a_writer_at_once(redis_url: str, redis_client: redis.Redis) -> None:
    """Readers that start at any moment, without waiting for anything, always read a whole version."""
    states = {day(n): changed(workspace(600), n, *range(n, 600, 30)) for n in range(1, 9)}
    put(redis_client, day(1), states[day(1)])
    going = threading.Event()
    going.set()
    wrong: list[str] = []
    read = [0, 0, 0]

    def reading(number: int) -> None:
        with redis.Redis.from_url(redis_url) as client:
            while going.is_set() or not read[number]:
                for stored in versions(client, TEAM)[:3]:
                    if gzip.decompress(b"".join(body(client, stored))) != document(states[stored.version]):
                        wrong.append(stored.version)
                    read[number] += 1

    readers = [threading.Thread(target=reading, args=(number,)) for number in range(3)]
    for reader in readers:
        reader.start()
    for version in [*states][1:]:
        put(redis_client, version, states[version], keep=2)
    going.clear()
    for reader in readers:
        reader.join()
    assert (wrong, min(read) > 0) == ([], True)


def hours(*at_calls: float) -> Iterator[float]:
    """A clock: seconds at each look."""
    return iter(at_calls)


def test_a_reader_makes_what_it_reads_live_longer(redis_client: redis.Redis) -> None:
    """What a leaving version needs, also to be rebuilt, gets its hour anew while somebody reads it."""
    states = [changed(workspace(1200), n, *range(n, 1200, 20)) for n in (1, 2, 3)]
    put(redis_client, day(1), states[0])
    put(redis_client, day(2), states[1])
    reader = body(
        redis_client, versions(redis_client, TEAM)[1], clock=hours(0, 100, 1000, *[1000] * 99).__next__
    )
    begun = [next(reader), next(reader)]
    put(redis_client, day(3), states[2], keep=1)
    names = [name for name in redis_client.scan_iter(f"clickup:{TEAM}:*") if redis_client.ttl(name) >= 0]
    assert len(names) > 5
    for name in names:
        redis_client.expire(name, 30)
    rest = list(reader)
    assert gzip.decompress(b"".join([*begun, *rest])) == document(states[0])
    needed = {name for name in names if b":delta:" in name}
    assert {name for name in names if redis_client.ttl(name) > 3500} >= needed
    assert redis_client.ttl(f"clickup:{TEAM}:version:{day(1)}") > 3500
