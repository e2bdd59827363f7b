"""What many versions cost: a little more than one, and what is sent is what changed."""

from __future__ import annotations

import random
import zlib

import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickup_toolkit.errors import VersionDamaged
from clickup_toolkit.publish import ExportLock, body, delete, find, memory, pin, verify, versions
from clickup_toolkit.publish.asking import answer
from clickup_toolkit.publish.chunks import digest
from clickup_toolkit.publish.deltas import compressor
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.manifest import describe
from clickup_toolkit.publish.packing import Packed
from clickup_toolkit.publish.rebuilding import texts
from clickup_toolkit.publish.writer import clear
from tests.versions import (
    TEAM,
    Tasks,
    changed,
    day,
    document,
    kept,
    named_chunks,
    packed_chunks,
    put,
    staying_chunks,
    text_of,
    workspace,
)


def taken(client: redis.Redis) -> int:
    """The bytes that Redis needs for everything it holds of the workspace, by its own count."""
    return sum(client.memory_usage(name, samples=0) or 0 for name in client.scan_iter(f"clickup:{TEAM}:*"))


def series(tasks: Tasks, exports: int, share: float) -> list[Tasks]:
    """A workspace, exported time and again while a share of its tasks, anywhere, changes in between."""
    states = [tasks]
    for number in range(1, exports):
        places = random.Random(number).sample(range(len(tasks)), round(len(tasks) * share))
        states.append(changed(states[-1], number + 1, *places))
    return states


def test_seven_versions_take_little_more_than_one(redis_client: redis.Redis) -> None:
    """With 2 % of the tasks changed anywhere in between, seven versions take at most 1.6 times one."""
    states = series(workspace(2000), 7, 0.02)
    puts = [put(redis_client, day(1), states[0])]
    one = taken(redis_client)
    puts += [put(redis_client, day(number), state) for number, state in enumerate(states[1:], start=2)]
    assert len(kept(redis_client)) == 7
    assert taken(redis_client) < 1.25 * one
    assert all(taken_now.ttl is None for taken_now in memory(redis_client, TEAM))
    for (number, state), done in zip(enumerate(states, start=1), puts, strict=True):
        assert text_of(redis_client, day(number)) == document(state)
        verify(redis_client, done.stored)


def test_only_changed_chunks_are_sent(redis_client: redis.Redis) -> None:
    """A chunk in which no task changed is not sent again, and stays as it is; each other is sent once."""
    first, second = series(workspace(2000), 2, 0.005)
    before, done = put(redis_client, day(1), first).stored, put(redis_client, day(2), second)
    new = [chunk for chunk in done.stored.chunks if chunk not in before.chunks]
    assert 0 < len(new) < len(before.chunks)
    assert (done.sent_chunks, done.sent_bytes) == (len(new), sum(chunk.stored_bytes for chunk in new))
    old = {chunk.digest for chunk in before.chunks} - {chunk.digest for chunk in done.stored.chunks}
    assert packed_chunks(redis_client) == old
    assert done.packed.chunks == len(old)
    assert done.packed.bytes_after < done.packed.bytes_before / 5


def test_the_latest_is_stored_as_it_is_sent(redis_client: redis.Redis) -> None:
    """No chunk of the latest version is a delta, also where one comes back that was."""
    there, elsewhere = series(workspace(600), 2, 0.02)
    for number, state in enumerate([there, elsewhere, there, elsewhere, there], start=1):
        stored = put(redis_client, day(number), state).stored
        assert packed_chunks(redis_client).isdisjoint(chunk.digest for chunk in stored.chunks)
        assert staying_chunks(redis_client) == named_chunks(redis_client)
        assert [text_of(redis_client, day(n)) for n in range(1, number + 1)] == [
            document([there, elsewhere][(n - 1) % 2]) for n in range(1, number + 1)
        ]


def test_what_rested_on_a_dropped_version_is_told_anew(redis_client: redis.Redis) -> None:
    """A pinned version outlives those after it; nothing of them stays, and it reads the same."""
    states = series(workspace(1000), 6, 0.02)
    put(redis_client, day(1), states[0])
    pin(redis_client, TEAM, versions(redis_client, TEAM)[0], 60)
    for number, state in enumerate(states[1:], start=2):
        put(redis_client, day(number), state, keep=2)
    assert kept(redis_client) == [day(6), day(5), day(1)]
    assert staying_chunks(redis_client) == named_chunks(redis_client)
    redis_client.delete(
        *(name for name in redis_client.scan_iter(f"clickup:{TEAM}:*") if redis_client.ttl(name) > 0)
    )
    for number in (1, 5, 6):
        assert text_of(redis_client, day(number)) == document(states[number - 1])


def test_deltas_never_lead_back_to_where_they_came_from(redis_client: redis.Redis) -> None:
    """A chunk that came back, and was told by it what lay between, is not told by that in its turn."""
    tasks = workspace(120)
    states = {n: changed(tasks, n, 40) for n in (2, 4, 5)} | {1: tasks, 3: tasks}
    for number in (1, 2, 3, 4):
        put(redis_client, day(number), states[number])
    delete(redis_client, TEAM, day(3), 60)
    put(redis_client, day(5), states[5])
    delete(redis_client, TEAM, day(4), 60)
    assert kept(redis_client) == [day(5), day(2), day(1)]
    for number in (1, 2, 5):
        assert text_of(redis_client, day(number)) == document(states[number])
    assert staying_chunks(redis_client) == named_chunks(redis_client)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 4), st.booleans(), st.booleans()), min_size=1, max_size=8
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_version_reads_back(
    redis_client: redis.Redis, exports: list[tuple[int, int, bool, bool]]
) -> None:
    """Whatever comes, goes, comes back, is pinned and unpinned: all that is kept, or leaving, reads back."""
    redis_client.flushall()
    states = series(workspace(260), 4, 0.02)
    states[2] = [*states[2][40:], *workspace(90, seed=8)]
    put_in: dict[str, Tasks] = {}
    for number, (state, keep, pinned, unpinned) in enumerate(exports, start=1):
        if unpinned:
            redis_client.spop(f"clickup:{TEAM}:pinned")
        stored = put(redis_client, day(number), states[state], keep=keep).stored
        put_in[day(number)] = states[state]
        if pinned:
            pin(redis_client, TEAM, stored, 60)
        assert staying_chunks(redis_client) == named_chunks(redis_client)
        for found in versions(redis_client, TEAM):
            assert text_of(redis_client, found.version) == document(put_in[found.version])


def test_a_part_of_any_version_can_be_read(redis_client: redis.Redis) -> None:
    """Any range of the body is what the whole holds there, of the latest and of one that is rebuilt."""
    for number, state in enumerate(series(workspace(600), 2, 0.02), start=1):
        put(redis_client, day(number), state)
    dice = random.Random(1)
    for number in (1, 2):
        stored = find(redis_client, TEAM, day(number))
        assert stored is not None
        whole = b"".join(body(redis_client, stored))
        size = len(whole)
        edges = [0, 1, 9, 10, 11, 300_000, size - 11, size - 10, size - 1, size, size + 5]
        for _ in range(40):
            start, stop = dice.choice(edges), dice.choice([*edges, dice.randrange(size)])
            assert b"".join(body(redis_client, stored, start, stop)) == whole[start:stop]
        assert b"".join(body(redis_client, stored, size - 5)) == whole[-5:]


def test_a_part_is_read_without_the_rest(redis_client: redis.Redis) -> None:
    """Chunks outside of the range are not looked into."""
    stored = put(redis_client, day(1), workspace()).stored
    whole = b"".join(body(redis_client, stored))
    redis_client.setrange(f"clickup:{TEAM}:chunk:{stored.chunks[3].digest}", 1000, b"\x00\xff")
    begins = 10 + sum(chunk.stored_bytes for chunk in stored.chunks[:3])
    assert b"".join(body(redis_client, stored, 5, begins)) == whole[5:begins]
    with pytest.raises(VersionDamaged):
        b"".join(body(redis_client, stored, 5, begins + 1))


def by_another_compressor(client: redis.Redis, version: str) -> None:
    """Make a version's deltas those of chunks that another compressor once stored."""
    stored = find(client, TEAM, version)
    assert stored is not None
    chunks = []
    for chunk in stored.chunks:
        text = answer(client, texts(Keys(TEAM), [chunk.digest]))[chunk.digest]
        deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        bytes_then = deflater.compress(text) + deflater.flush(zlib.Z_FULL_FLUSH)
        then = msgspec.structs.replace(chunk, digest=digest(bytes_then), stored_bytes=len(bytes_then))
        if chunk.digest in packed_chunks(client):
            client.rename(f"clickup:{TEAM}:delta:{chunk.digest}", f"clickup:{TEAM}:delta:{then.digest}")
        chunks.append(then if client.exists(f"clickup:{TEAM}:delta:{then.digest}") else chunk)
    text, _ = describe(TEAM, version, stored.tasks, {}, chunks)
    text = text.replace(compressor().encode(), b"01234567")
    client.hset(f"clickup:{TEAM}:version:{version}", mapping={"manifest": text, "etag": digest(text)})


def test_another_compressors_chunks_are_rebuilt_as_long_as_they_were(redis_client: redis.Redis) -> None:
    """After an upgrade an older version has other bytes, as many, the same text, and another ETag."""
    put(redis_client, day(1), workspace())
    put(redis_client, day(2), changed(workspace(), 2, *range(0, 400, 9)))
    assert len(packed_chunks(redis_client)) == 5
    by_another_compressor(redis_client, day(1))
    found = find(redis_client, TEAM, day(1))
    assert found is not None
    assert found.etag.endswith(f"-{compressor()}")
    assert text_of(redis_client, day(1)) == document(workspace())
    verify(redis_client, found)
    # What cannot be made as short as it was is named, and never replaced by anything else.
    short = [msgspec.structs.replace(chunk, stored_bytes=chunk.stored_bytes // 2) for chunk in found.chunks]
    with pytest.raises(VersionDamaged, match="is missing"):
        list(body(redis_client, msgspec.structs.replace(found, chunks=(found.chunks[0], *short[1:]))))


@pytest.mark.parametrize("damage", ["data", "sha", "bases"])
def test_a_damaged_delta_is_never_served(redis_client: redis.Redis, damage: str) -> None:
    """A delta that leads to another text, or nowhere, raises in its place; the latest stays whole."""
    states = series(workspace(600), 2, 0.02)
    first, second = (put(redis_client, day(n), state).stored for n, state in enumerate(states, start=1))
    broken = next(chunk for chunk in first.chunks[2:] if chunk.digest in packed_chunks(redis_client))
    key = f"clickup:{TEAM}:delta:{broken.digest}"
    was = redis_client.hget(key, damage) or b""
    redis_client.hset(key, damage, was[:-2] + bytes([was[-2] ^ 1, was[-1]]))
    with pytest.raises(VersionDamaged, match=f"chunk {broken.digest} is missing"):
        list(body(redis_client, first))
    verify(redis_client, second)
    verify(redis_client, put(redis_client, day(3), states[0]).stored)
    verify(redis_client, first)  # the chunk came back whole


def test_a_writer_without_its_lock_packs_nothing(redis_client: redis.Redis) -> None:
    """Whoever lost the lock cannot turn chunks into deltas; whoever has it goes on where that one ended."""
    states = series(workspace(600), 2, 0.02)
    first = put(redis_client, day(1), states[0]).stored
    put(redis_client, day(2), states[1], keep=1)
    pin(redis_client, TEAM, first, 60)  # it was leaving, so nothing is packed yet
    with ExportLock(redis_client, TEAM, 60) as lock:
        redis_client.delete(lock.key)
        assert clear(redis_client, lock, 7, 0) == ([], Packed())
    assert packed_chunks(redis_client) == set()
    with ExportLock(redis_client, TEAM, 60) as lock:
        _, packed = clear(redis_client, lock, 7, 0)
    assert packed.chunks == len(packed_chunks(redis_client)) > 4
    assert staying_chunks(redis_client) == named_chunks(redis_client)
