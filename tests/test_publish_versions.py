"""Versions: written once, shared, read back verified; and what retention leaves and removes."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import anyio
import msgspec
import pytest
import redis
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickup_toolkit.errors import LockLost, RedisError
from clickup_toolkit.publish import (
    ExportLock,
    StoredVersion,
    async_body,
    async_find,
    body,
    find,
    publish,
    verify,
    versions,
)
from tests.fixtures.valkey import wait_until
from tests.versions import (
    HEAD,
    TEAM,
    Tasks,
    changed,
    day,
    document,
    kept,
    named_chunks,
    put,
    staying_chunks,
    text_of,
    workspace,
)


def test_what_is_published_can_be_read(redis_client: redis.Redis) -> None:
    """A version says everything about itself, is the latest, and its body is the document."""
    tasks = workspace()
    with ExportLock(redis_client, TEAM, 60) as lock:
        done = publish(
            redis_client,
            lock,
            team_id=TEAM,
            version="20261123T101500Z",
            head=[HEAD],
            tasks=iter(tasks),
            facts={"updated_at": "2026-11-23T10:14:59Z", "complete": False, "gaps": 2, "mode": "full"},
            keep=7,
        )
    stored = done.stored
    assert find(redis_client, TEAM) == find(redis_client, TEAM, "20261123T101500Z") == stored
    assert versions(redis_client, TEAM) == [stored]
    assert text_of(redis_client) == document(tasks)
    lengths = {name: len(getattr(stored, name)) for name in ("chunks", "etag", "compressor")}
    assert msgspec.structs.asdict(stored) | lengths == {
        "schema": 1,
        "team_id": TEAM,
        "version": "20261123T101500Z",
        "updated_at": datetime(2026, 11, 23, 10, 14, 59, tzinfo=UTC),
        "complete": False,
        "tasks": 400,
        "facts": {"gaps": 2, "mode": "full"},
        "chunks": 6,
        "etag": 40,
        "compressor": 8,
        "ttl": None,
        "pinned": False,
        "instead_of": None,
    }
    assert stored.text_bytes == len(document(tasks))
    assert (done.sent_chunks, done.dropped) == (6, [])
    assert done.sent_bytes == stored.gzip_bytes - 20
    verify(redis_client, stored)


def test_an_event_loop_reads_the_same(redis_url: str, redis_client: redis.Redis) -> None:
    """The asynchronous functions find and yield what the others do, piece by piece."""
    put(redis_client, day(1), workspace())
    stored = find(redis_client, TEAM)
    assert stored is not None

    async def read() -> tuple[StoredVersion | None, StoredVersion | None, list[bytes]]:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            found = await async_find(client, TEAM)
            assert found is not None
            return (
                found,
                await async_find(client, TEAM, day(2)),
                [piece async for piece in async_body(client, found)],
            )

    assert anyio.run(read) == (stored, None, list(body(redis_client, stored)))


def test_what_is_not_there_is_none(redis_client: redis.Redis) -> None:
    """Without versions there is no latest; an unknown id is nothing, whatever it looks like."""
    assert find(redis_client, TEAM) is None
    assert versions(redis_client, TEAM) == []
    put(redis_client, day(1), [])
    for unknown in (day(2), "", "latest ", "*", "ü"):
        assert find(redis_client, TEAM, unknown) is None


def test_an_empty_workspace_is_a_version(redis_client: redis.Redis) -> None:
    """No tasks make a document, too."""
    assert put(redis_client, day(1), []).stored.tasks == 0
    assert text_of(redis_client) == HEAD + b"]}"


def test_only_what_changed_is_sent(redis_client: redis.Redis) -> None:
    """A version after an edit, an end and a beginning sends the chunks around them and shares the others."""
    tasks = workspace(2000)
    first = put(redis_client, day(1), tasks)
    later = [*changed(tasks, 2, 700)[:1500], *changed(tasks, 2, 700)[1501:], *workspace(20, seed=9)]
    second = put(redis_client, day(2), later)
    third = put(redis_client, day(3), later)
    assert first.sent_chunks == len(first.stored.chunks) > 15
    assert 3 <= second.sent_chunks <= 5
    assert third.sent_chunks == third.sent_bytes == 0
    assert text_of(redis_client, day(1)) == document(tasks)
    assert text_of(redis_client, day(3)) == document(later)
    assert staying_chunks(redis_client) == named_chunks(redis_client)
    assert len(named_chunks(redis_client)) == first.sent_chunks + second.sent_chunks


def test_etags_tell_bodies_apart(redis_client: redis.Redis) -> None:
    """The same version published again has its ETag, another body has another."""
    first = put(redis_client, day(1), workspace())
    again = put(redis_client, day(1), workspace())
    other = put(redis_client, day(1), changed(workspace(), 2, 3))
    assert first.stored == again.stored
    assert again.sent_chunks == 0
    assert other.stored.etag != first.stored.etag
    assert versions(redis_client, TEAM) == [other.stored]
    assert staying_chunks(redis_client) == named_chunks(redis_client)


def test_the_last_few_versions_are_kept(redis_client: redis.Redis) -> None:
    """Older ones leave; they and what only they named expire in an hour, what others name stays."""
    tasks = workspace()
    dropped = [put(redis_client, day(n), changed(tasks, n, 350), keep=2).dropped for n in range(1, 5)]
    assert dropped == [[], [], [day(1)], [day(2)]]
    assert kept(redis_client) == [day(4), day(3)]
    assert staying_chunks(redis_client) == named_chunks(redis_client)
    leaving = [stored for stored in versions(redis_client, TEAM) if stored.ttl is not None]
    assert [stored.version for stored in leaving] == [day(2), day(1)]
    forms = ("chunk", "delta", "version")
    names = [name for form in forms for name in redis_client.keys(f"*:{form}:*")]
    going = [name for name in names if redis_client.ttl(name) >= 0]
    assert len(going) == 2 + 2
    assert all(3590 < redis_client.ttl(name) <= 3600 for name in going)
    assert text_of(redis_client, day(1)) == document(changed(tasks, 1, 350))


def test_what_has_gone_is_forgotten(redis_client: redis.Redis) -> None:
    """A version whose hour is over is found no more by id or day; the next export forgets it."""
    put(redis_client, day(1), workspace(), keep=1)
    put(redis_client, day(2), workspace(seed=2), keep=1)
    assert find(redis_client, TEAM, "2026-11-01") == find(redis_client, TEAM, day(1)) != None  # noqa: E711
    redis_client.pexpire(f"clickup:{TEAM}:version:{day(1)}", 1)
    wait_until(lambda: not redis_client.exists(f"clickup:{TEAM}:version:{day(1)}"))
    assert find(redis_client, TEAM, day(1)) is find(redis_client, TEAM, "2026-11-01") is None
    assert [stored.version for stored in versions(redis_client, TEAM)] == [day(2)]
    assert redis_client.zcard(f"clickup:{TEAM}:leaving") == 1
    put(redis_client, day(3), workspace(seed=2), keep=9)
    assert redis_client.zcard(f"clickup:{TEAM}:leaving") == 0


def test_the_latest_is_never_dropped(redis_client: redis.Redis) -> None:
    """Even who wants to keep none keeps the latest."""
    put(redis_client, day(1), workspace())
    assert put(redis_client, day(2), workspace(), keep=0).dropped == [day(1)]
    assert kept(redis_client) == [day(2)]


def test_a_reader_in_mid_download_reads_to_the_end(redis_client: redis.Redis) -> None:
    """A version may be superseded and dropped while it is read."""
    tasks = workspace(3000)
    stored = put(redis_client, day(1), tasks).stored
    pieces = body(redis_client, stored)
    begun = [next(pieces) for _ in range(3)]
    put(redis_client, day(2), workspace(3000, seed=2), keep=1)
    assert kept(redis_client) == [day(2)]
    redis_client.delete(f"clickup:{TEAM}:version:{day(1)}")
    assert find(redis_client, TEAM, day(1)) is None
    assert gzip.decompress(b"".join([*begun, *pieces])) == document(tasks)


def test_a_chunk_on_its_way_out_stays_when_it_is_named_again(redis_client: redis.Redis) -> None:
    """What an earlier version left is not sent again while it is there, and expires no more."""
    put(redis_client, day(1), workspace(seed=1), keep=1)
    put(redis_client, day(2), workspace(seed=2), keep=1)
    back = put(redis_client, day(3), workspace(seed=1), keep=1)
    assert back.sent_chunks == 0
    assert staying_chunks(redis_client) == {chunk.digest for chunk in back.stored.chunks}
    verify(redis_client, back.stored)


def test_workspaces_do_not_touch_each_other(redis_client: redis.Redis) -> None:
    """Every key begins with the workspace, and clearing one leaves the other alone."""
    put(redis_client, day(1), workspace(), team_id="9001", keep=1)
    put(redis_client, day(1), workspace(seed=2), team_id="90011", keep=1)
    put(redis_client, day(2), workspace(seed=3), team_id="9001", keep=1)
    kept = find(redis_client, "90011")
    assert kept is not None
    assert staying_chunks(redis_client, "90011") == {chunk.digest for chunk in kept.chunks}
    names = redis_client.keys("*")
    assert {tuple(name.split(b":")[:2]) for name in names} == {(b"clickup", b"9001"), (b"clickup", b"90011")}


def test_memory_is_flat(redis_url: str, redis_client: redis.Redis) -> None:
    """Publishing and reading hold a few megabytes, whatever the size of the document."""
    name, text = workspace(1)[0]

    def many() -> Iterator[tuple[str, bytes]]:
        return ((f"{name}{number}", text) for number in range(30_000))

    async def read() -> int:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            stored = await async_find(client, TEAM)
            assert stored is not None
            return sum([len(piece) async for piece in async_body(client, stored)])

    tracemalloc.start()
    try:
        stored = put(redis_client, day(1), many()).stored
        assert sum(len(piece) for piece in body(redis_client, stored)) == stored.gzip_bytes
        assert anyio.run(read) == stored.gzip_bytes
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert stored.text_bytes > 90_000_000
    assert peak < 25_000_000


@pytest.mark.parametrize(("version", "head"), [("23.11.2026", HEAD), (day(1), b"{}")])
def test_what_makes_no_version_is_refused(redis_client: redis.Redis, version: str, head: bytes) -> None:
    """An id that is no time, or a head that opens no list of tasks, is a mistake of the caller."""
    with pytest.raises(ValueError, match=r"time data|must end with the bracket"):
        put(redis_client, version, [], head=head)
    assert redis_client.keys("*version*") == []


def test_a_newer_layout_is_left_alone(redis_client: redis.Redis) -> None:
    """A version that a newer toolkit wrote is neither misread nor are its chunks cleared."""
    stored = put(redis_client, day(1), workspace()).stored
    text = b'{"schema":2,"pieces":[]}'
    redis_client.hset(
        f"clickup:{TEAM}:version:{day(1)}",
        mapping={"manifest": text, "etag": hashlib.sha256(text).hexdigest()[:40]},
    )
    with pytest.raises(RedisError, match=r"was written by a newer toolkit\. Update this one"):
        find(redis_client, TEAM)
    put(redis_client, day(2), workspace(seed=2))
    assert staying_chunks(redis_client) > {chunk.digest for chunk in stored.chunks}


def _fated(client: redis.Redis, tasks: Tasks, fate: str) -> Iterator[tuple[str, bytes]]:
    """Tasks that fail half way, or lose the lock there."""
    yield from tasks[:100]
    if fate == "failing":
        raise KeyError
    client.delete(f"clickup:{TEAM}:lock")
    yield from tasks[100:]


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["whole", "failing", "robbed"]), st.integers(0, 3)),
        max_size=8,
    )
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_last_good_version_stands(
    redis_client: redis.Redis, steps: list[tuple[int, str, int]]
) -> None:
    """After any series of exports, some of which fail, the latest is the last that did not, whole."""
    redis_client.flushall()
    good: Tasks | None = None
    for number, (seed, fate, keep) in enumerate(steps, start=1):
        tasks = workspace(200, seed)
        if fate == "whole":
            put(redis_client, day(number), tasks, keep=keep)
            good = tasks
            assert staying_chunks(redis_client) == named_chunks(redis_client)
            assert len(kept(redis_client)) <= max(keep, 1)
        else:
            with pytest.raises(KeyError if fate == "failing" else LockLost):
                put(redis_client, day(number), _fated(redis_client, tasks, fate), keep=keep)
        if good is None:
            assert find(redis_client, TEAM) is None
        else:
            assert text_of(redis_client) == document(good)
