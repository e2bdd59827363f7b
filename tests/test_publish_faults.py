"""What goes wrong while versions are written and read: the last good one stays, damage is never served."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import anyio
import msgspec
import pytest
import redis
import redis.asyncio
from structlog.testing import capture_logs

from clickup_toolkit.errors import LockLost, RedisError, RedisFull, RedisUnreachable, VersionDamaged
from clickup_toolkit.publish import (
    ExportLock,
    StoredVersion,
    async_body,
    body,
    delete,
    find,
    publish,
    verify,
    versions,
)
from clickup_toolkit.publish.chunks import Chunk, deflate, digest
from clickup_toolkit.publish.faults import place_of, plain_faults
from clickup_toolkit.publish.writer import clear
from tests.fixtures.valkey import RedisServer, wait_until
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
    workspace,
)

LATE_WAKER = """
import sys, redis
from clickup_toolkit.errors import LockLost
from tests.versions import day, put, workspace
from clickup_toolkit.publish import ExportLock, publish
from tests.versions import HEAD, TEAM

def tasks():
    yield from workspace(3000, seed=7)[:2000]
    print("half", flush=True)
    sys.stdin.read(1)
    yield from workspace(3000, seed=7)[2000:]

client = redis.Redis.from_url(sys.argv[1])
with ExportLock(client, TEAM, 1.5) as lock:
    try:
        publish(client, lock, team_id=TEAM, version=sys.argv[2], head=[HEAD], tasks=tasks(), facts={}, keep=1)
    except LockLost:
        sys.exit(7)
"""


def latest(client: redis.Redis) -> StoredVersion:
    """The latest version."""
    stored = find(client, TEAM)
    assert stored is not None
    return stored


def read(client: redis.Redis) -> bytes:
    """The latest version's document."""
    return gzip.decompress(b"".join(body(client, latest(client))))


def with_incident(tasks: Tasks, incident: Callable[[], object]) -> Iterator[tuple[str, bytes]]:
    """Tasks in whose middle something happens."""
    yield from tasks[: len(tasks) // 2]
    incident()
    yield from tasks[len(tasks) // 2 :]


@pytest.mark.parametrize("version", [day(1), day(3)])
def test_a_late_waker_cannot_publish(redis_url: str, redis_client: redis.Redis, version: str) -> None:
    """An exporter that is stopped half way, and woken after another published, changes nothing any more."""
    stalled = subprocess.Popen(
        [sys.executable, "-c", LATE_WAKER, redis_url, version],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stalled.stdout is not None
    assert stalled.stdout.readline() == "half\n"
    stalled.send_signal(signal.SIGSTOP)
    wait_until(lambda: not redis_client.exists(f"clickup:{TEAM}:lock"))
    put(redis_client, day(2), workspace())
    stalled.send_signal(signal.SIGCONT)
    stalled.communicate("x")
    assert stalled.returncode == 7
    assert [stored.version for stored in versions(redis_client, TEAM)] == [day(2)]
    assert read(redis_client) == document(workspace())


def test_a_lock_lost_on_the_way_stops_the_writer(redis_client: redis.Redis) -> None:
    """Whoever lost the lock half way sends no more chunks and leaves nothing that stays."""
    with pytest.raises(LockLost):
        put(
            redis_client,
            day(1),
            with_incident(workspace(), lambda: redis_client.delete(f"clickup:{TEAM}:lock")),
        )
    assert redis_client.keys() == []


def test_an_older_version_is_not_published_over_a_newer(redis_client: redis.Redis) -> None:
    """A clock that was set back is noticed, and the newer version stays the latest."""
    put(redis_client, day(2), workspace())
    with pytest.raises(RedisError) as met:
        put(redis_client, day(1), workspace(seed=2))
    assert met.value.message == f"Version {day(1)} is not published: the newer {day(2)} is there already."
    assert "clock" in met.value.remedy
    assert [stored.version for stored in versions(redis_client, TEAM)] == [day(2)]
    assert staying_chunks(redis_client) == named_chunks(redis_client)


def test_a_full_server_keeps_the_last_good_version(redis_server: RedisServer) -> None:
    """When memory runs out, one sentence says so; with room again, the same export goes through."""
    client = redis_server.client()
    put(client, day(1), workspace())
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 2_000_000)
    with pytest.raises(RedisError) as met:
        put(client, day(2), workspace(6000, seed=2))
    assert (
        met.value.message
        == f"Redis at {redis_server.url} is full; the versions that are to be kept stay as they are."
    )
    assert read(client) == document(workspace())
    client.config_set("maxmemory", 0)
    put(client, day(2), workspace(6000, seed=2))
    assert read(client) == document(workspace(6000, seed=2))


def test_an_export_frees_a_full_server_of_what_is_too_much(redis_server: RedisServer) -> None:
    """Fewer versions are kept from then on: what they leave expires, and the next export has its room."""
    client = redis_server.client()
    for number in range(1, 6):
        put(client, day(number), workspace(400, seed=number))
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
    with pytest.raises(RedisFull, match="is full"):
        put(client, day(6), workspace(400, seed=6), keep=2)
    assert kept(client) == [day(5), day(4)]
    assert read(client) == document(workspace(400, seed=5))
    for name in [*client.scan_iter(f"clickup:{TEAM}:*")]:
        if client.ttl(name) >= 0:
            client.delete(name)  # an hour later
    put(client, day(6), workspace(400, seed=6), keep=2)
    assert read(client) == document(workspace(400, seed=6))


def test_what_is_dropped_expires_also_where_there_is_no_room_to_pack(redis_server: RedisServer) -> None:
    """A delta needs memory; that what nobody needs goes must not wait for it."""
    client = redis_server.client()
    for number in (1, 2, 3):
        put(client, day(number), changed(workspace(400), number, *range(0, 400, 2)), keep=3)
    with ExportLock(client, TEAM, 60) as lock:
        client.config_set("maxmemory", 1)
        clear(client, lock, 1, 0)
    client.config_set("maxmemory", 0)
    assert staying_chunks(client) == named_chunks(client)
    assert kept(client) == [day(3)]


def test_a_version_from_the_future_can_be_deleted(redis_client: redis.Redis) -> None:
    """A clock that was wrong once does not stop all publishing: the error says how to go on."""
    put(redis_client, day(1), workspace(50))
    put(redis_client, "29991123T101500Z", workspace(50, seed=2))
    with pytest.raises(RedisError, match="versions delete 29991123T101500Z"):
        put(redis_client, day(2), workspace(50))
    delete(redis_client, TEAM, "29991123T101500Z", 60)
    assert read(redis_client) == document(workspace(50))
    put(redis_client, day(2), workspace(50, seed=3))
    assert read(redis_client) == document(workspace(50, seed=3))


def test_a_full_disk_of_the_server_is_told_in_one_sentence(redis_server: RedisServer) -> None:
    """A server that cannot save takes nothing more; one sentence says so, without a byte of what was sent."""
    client = redis_server.client()
    put(client, day(1), workspace())

    def fail_to_save() -> None:
        (redis_server.folder / "dump.rdb").mkdir()  # where the snapshot would go
        client.config_set("save", "3600 1")
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")

    with capture_logs() as logs, pytest.raises(RedisError) as met:
        put(client, day(2), with_incident(workspace(6000, seed=2), fail_to_save))
    cannot = f"Redis at {redis_server.url} cannot write to its disk, so it takes nothing new."
    assert (met.value.message, met.value.remedy) == (
        cannot,
        "Free disk space where the server keeps its files, and export again.",
    )
    assert [line["reason"] for line in logs] == [cannot]  # the lock could not be given back
    assert read(client) == document(workspace())


def test_an_unknown_refusal_in_a_pipeline_shows_nothing_that_was_sent(redis_client: redis.Redis) -> None:
    """What the server says is shown; the command that redis-py puts before it is not."""
    with (
        pytest.raises(RedisError) as met,
        plain_faults(redis_client),
        redis_client.pipeline(transaction=False) as pipeline,
    ):
        pipeline.set("clickup:9001:x", "TEXT OF A TASK").lpush("clickup:9001:x", "TEXT OF A TASK").execute()
    assert met.value.message == (
        f"Redis at {place_of(redis_client)} refuses: "
        "WRONGTYPE Operation against a key holding the wrong kind of value."
    )


def test_a_killed_server_keeps_the_last_good_version(redis_server: RedisServer) -> None:
    """Killed while a version is written, Redis has the one before; what was sent need not be sent again."""
    client = redis_server.client()
    put(client, day(1), workspace())
    tasks = workspace(6000, seed=2)
    with pytest.raises(RedisUnreachable, match="cannot be reached"):
        put(client, day(2), with_incident(tasks, redis_server.kill))
    redis_server.start()
    assert read(client) == document(workspace())
    client.delete(f"clickup:{TEAM}:lock")  # it could not be released
    again = put(client, day(2), tasks)
    assert 0 < again.sent_chunks < len(again.stored.chunks) * 0.7
    assert read(client) == document(tasks)


def test_pending_chunks_that_are_evicted_are_noticed(redis_server: RedisServer) -> None:
    """A server that evicts what it was just given never gets an incomplete version made the latest."""
    client = redis_server.client()
    put(client, day(1), workspace())
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 6_000_000)
    client.config_set("maxmemory-policy", "volatile-ttl")
    lost = r"lost \d+ of the \d+ chunks of version .* so it is not published"
    # The lock lives longer than the chunks, so it is not what is evicted.
    with pytest.raises(RedisError, match=lost) as met, ExportLock(client, TEAM, 7200) as lock:
        publish(
            client,
            lock,
            team_id=TEAM,
            version=day(2),
            head=[HEAD],
            tasks=workspace(6000, seed=2),
            facts={},
            keep=7,
        )
    assert "noeviction" in met.value.remedy
    assert read(client) == document(workspace())


def test_a_missing_chunk_is_noticed_before_the_first_byte(redis_url: str, redis_client: redis.Redis) -> None:
    """A version that lost a chunk, or has one cut off, yields nothing at all, to threads and event loops."""
    stored = put(redis_client, day(1), workspace()).stored
    redis_client.delete(f"clickup:{TEAM}:chunk:{stored.chunks[-1].digest}")
    cut_off = f"clickup:{TEAM}:chunk:{stored.chunks[-2].digest}"
    redis_client.set(cut_off, redis_client.getrange(cut_off, 0, -2))

    async def begin() -> bytes:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            return await anext(async_body(client, stored))

    for start in (lambda: next(body(redis_client, stored)), lambda: anyio.run(begin)):
        with pytest.raises(VersionDamaged) as met:
            start()
        assert met.value.message == (
            f"Version {day(1)} is damaged: 2 of its {len(stored.chunks)} chunks are missing or cut off."
        )
        assert met.value.remedy == "Export again: the next version is written whole."


def test_a_damaged_chunk_is_never_handed_on(redis_client: redis.Redis) -> None:
    """A chunk with another byte in it raises in its place; what came before it was good."""
    stored = put(redis_client, day(1), workspace()).stored
    whole = list(body(redis_client, stored))
    redis_client.setrange(f"clickup:{TEAM}:chunk:{stored.chunks[3].digest}", 1000, b"\x00\xff")
    pieces = body(redis_client, stored)
    assert [next(pieces) for _ in range(4)] == whole[:4]
    with pytest.raises(VersionDamaged, match=f"chunk {stored.chunks[3].digest} does not match its hash"):
        next(pieces)
    with pytest.raises(VersionDamaged):
        verify(redis_client, stored)


def test_a_version_gone_while_it_is_read_is_noticed(redis_client: redis.Redis) -> None:
    """A chunk that disappears in mid-download ends the body with an error, never with a gap."""
    stored = put(redis_client, day(1), workspace(4000)).stored
    pieces = body(redis_client, stored)
    next(pieces)
    redis_client.flushall()
    with pytest.raises(VersionDamaged, match="is missing"):
        list(pieces)


def test_a_damaged_manifest_is_never_used(redis_client: redis.Redis) -> None:
    """Manifests are sealed; a list of versions leaves out what cannot be read, asking for it raises."""
    put(redis_client, day(1), workspace())
    put(redis_client, day(2), changed(workspace(), 2, 5))
    redis_client.hset(f"clickup:{TEAM}:version:{day(1)}", "manifest", b"{}")
    with pytest.raises(VersionDamaged, match="its manifest does not match its hash"):
        find(redis_client, TEAM, day(1))
    redis_client.delete(f"clickup:{TEAM}:version:{day(1)}")
    with pytest.raises(VersionDamaged, match="its manifest is missing"):
        find(redis_client, TEAM, day(1))
    assert versions(redis_client, TEAM) == [latest(redis_client)]


def test_lost_chunks_come_back_with_the_next_version(redis_client: redis.Redis) -> None:
    """Chunks that were evicted or cut off are sent again, which heals the versions that share them."""
    stored = put(redis_client, day(1), workspace()).stored
    redis_client.delete(f"clickup:{TEAM}:chunk:{stored.chunks[1].digest}")
    redis_client.set(f"clickup:{TEAM}:chunk:{stored.chunks[2].digest}", b"")
    assert put(redis_client, day(2), workspace()).sent_chunks == 2
    verify(redis_client, stored)
    verify(redis_client, latest(redis_client))
    assert staying_chunks(redis_client) == named_chunks(redis_client)


def test_a_damaged_chunk_is_sent_again(redis_client: redis.Redis) -> None:
    """Damage that does not show in a length is seen by the next export, which sends that chunk alone."""
    stored = put(redis_client, day(1), workspace()).stored
    redis_client.setrange(f"clickup:{TEAM}:chunk:{stored.chunks[3].digest}", 1000, b"\x00\xff")
    again = put(redis_client, day(1), workspace())
    assert (again.sent_chunks, again.sent_bytes) == (1, stored.chunks[3].stored_bytes)
    assert again.stored == stored
    verify(redis_client, stored)
    assert staying_chunks(redis_client) == named_chunks(redis_client)


def test_what_a_stranger_removed_does_not_leak(redis_client: redis.Redis) -> None:
    """Chunks whose version somebody deleted by hand expire after the version has left the index."""
    put(redis_client, day(1), workspace())
    redis_client.delete(f"clickup:{TEAM}:version:{day(1)}")
    put(redis_client, day(2), workspace(seed=2), keep=2)
    put(redis_client, day(3), workspace(seed=3), keep=2)
    assert staying_chunks(redis_client) == named_chunks(redis_client)


def test_the_latest_is_found_without_its_pointer(redis_client: redis.Redis) -> None:
    """Should the pointer be evicted, the newest version of the index is the latest."""
    stored = put(redis_client, day(1), workspace()).stored
    redis_client.delete(f"clickup:{TEAM}:latest")
    assert find(redis_client, TEAM) == stored


@pytest.mark.parametrize("stored_bytes", [b"\xff no deflate", deflate(b"another text").stored])
def test_verifying_reads_the_text_too(redis_client: redis.Redis, stored_bytes: bytes) -> None:
    """Bytes that match their hash but are not the text that was meant are found by inflating them."""
    stored = put(redis_client, day(1), workspace()).stored
    wrong = Chunk(digest(stored_bytes), stored.chunks[2].crc, stored.chunks[2].text_bytes, len(stored_bytes))
    redis_client.set(f"clickup:{TEAM}:chunk:{wrong.digest}", stored_bytes)
    forged = msgspec.structs.replace(stored, chunks=(*stored.chunks[:2], wrong, *stored.chunks[3:]))
    with pytest.raises(VersionDamaged, match=f"the text of chunk {wrong.digest} is not what was written"):
        verify(redis_client, forged)
