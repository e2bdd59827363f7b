"""Redis loses things: the last good version is served meanwhile, and is rebuilt from the data folder."""

from __future__ import annotations

import dataclasses
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from clickup_toolkit import publish
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.errors import ExportRunning, RedisError, SettingsError, StorageError, VersionDamaged
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.publish import ExportLock, StoredVersion, body, find, verify, versions
from clickup_toolkit.rebuild import mend, rebuild
from clickup_toolkit.settings import Settings
from tests.exporting import settings_for
from tests.fixtures.valkey import RedisServer, serving, wait_until
from tests.versions import TEAM, changed, day, document, put, workspace
from tests.worlds import living_world


def latest(client: redis.Redis, team_id: str = TEAM) -> StoredVersion:
    """The version that is served."""
    stored = find(client, team_id)
    assert stored is not None
    return stored


def text_of(client: redis.Redis, stored: StoredVersion) -> bytes:
    """The document of a version."""
    return gzip.decompress(b"".join(body(client, stored)))


def damage_manifest(client: redis.Redis, version: str) -> None:
    """Put another byte into a manifest."""
    key = f"clickup:{TEAM}:version:{version}"
    client.hset(key, "manifest", client.hget(key, "manifest").replace(b'"tasks":400', b'"tasks":401'))


def lose_manifest(client: redis.Redis, version: str) -> None:
    """Take a manifest away, as eviction does."""
    client.delete(f"clickup:{TEAM}:version:{version}")


def lose_chunk(client: redis.Redis, version: str) -> None:
    """Take a chunk away that only this version names."""
    named = [{chunk.digest for chunk in stored.chunks} for stored in versions(client, TEAM)]
    only = named[0].difference(*named[1:])
    client.delete(f"clickup:{TEAM}:chunk:{only.pop()}")


@pytest.mark.parametrize("damage", [damage_manifest, lose_manifest, lose_chunk])
def test_instead_of_a_damaged_version_the_newest_good_one_is_found(
    redis_client: redis.Redis, damage: Callable[[redis.Redis, str], None]
) -> None:
    """The latest is asked for and damaged: the one before is found, says so, and the next export repairs."""
    tasks = workspace()
    before = put(redis_client, day(1), tasks).stored
    put(redis_client, day(2), changed(tasks, 2, 5))
    damage(redis_client, day(2))
    with capture_logs() as logs:
        found = latest(redis_client)
    assert (found.version, found.instead_of, found.etag) == (day(1), day(2), before.etag)
    assert ("version.damaged", day(2), day(1)) in [
        (line["event"], line["version"], line.get("instead")) for line in logs
    ]
    if damage is not lose_chunk:
        with pytest.raises(VersionDamaged):
            find(redis_client, TEAM, day(2))
    put(redis_client, day(3), changed(tasks, 2, 5))
    assert (latest(redis_client).version, latest(redis_client).instead_of) == (day(3), None)
    assert text_of(redis_client, latest(redis_client)) == document(changed(tasks, 2, 5))


def test_where_no_version_stands_that_is_said(redis_client: redis.Redis) -> None:
    """With every version damaged, asking for the latest says what is wrong with it."""
    put(redis_client, day(1), workspace())
    damage_manifest(redis_client, day(1))
    with pytest.raises(VersionDamaged, match="its manifest does not match its hash"):
        find(redis_client, TEAM)


def test_a_server_that_evicts_serves_what_stands_or_nothing(redis_server: RedisServer) -> None:
    """Under allkeys-lru any key may go: what is found is whole, or an error says what is missing."""
    client = redis_server.client()
    states = {day(n): changed(workspace(400), n, *range(n, 400, 40)) for n in (1, 2, 3)}
    for version, state in states.items():
        put(client, version, state)
    used = client.info("memory")["used_memory"]
    client.config_set("maxmemory-policy", "allkeys-lru")
    outcomes = set()
    for share in (95, 85, 75, 60, 40, 20, 5):
        client.config_set("maxmemory", max(used * share // 100, 1))
        try:
            stored = find(client, TEAM)
            outcomes.add("none" if stored is None else "found")
            if stored is not None:
                assert text_of(client, stored) == document(states[stored.version])
        except VersionDamaged:
            outcomes.add("damaged")
    assert outcomes & {"damaged", "none"}
    client.config_set("maxmemory", 0)
    put(client, day(4), states[day(3)])
    verify(client, latest(client))
    assert latest(client).version == day(4)


@pytest.fixture
def replica(redis_server: RedisServer) -> Iterator[RedisServer]:
    """Give a server that follows ``redis_server``."""
    with redis_server.client() as client:
        client.config_set("repl-diskless-sync-delay", 0)
    for follower in serving():
        with follower.client() as client:
            client.replicaof("127.0.0.1", str(redis_server.listen()))
            wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        yield follower


def test_a_switch_to_the_replica_keeps_the_last_good_version(
    redis_server: RedisServer, replica: RedisServer
) -> None:
    """The primary dies in mid-publish: the replica has the version before, and takes the next."""
    primary, follower = redis_server.client(), replica.client()
    tasks, more = workspace(), workspace(4000, seed=2)
    put(primary, day(1), tasks)
    primary.wait(1, 60_000)
    assert text_of(follower, latest(follower)) == document(tasks)  # a replica can be read

    def switching() -> Iterator[tuple[str, bytes]]:
        yield from more[:3500]
        primary.wait(1, 60_000)
        redis_server.kill()
        follower.replicaof("NO", "ONE")
        yield from more[3500:]

    with pytest.raises(RedisError, match="cannot be reached"):
        put(primary, day(2), switching())
    assert [stored.version for stored in versions(follower, TEAM)] == [day(1)]
    assert text_of(follower, latest(follower)) == document(tasks)
    follower.delete(f"clickup:{TEAM}:lock")  # it came along, and the writer cannot release it there
    again = put(follower, day(2), more)
    assert 0 < again.sent_chunks < len(again.stored.chunks) * 0.7
    assert text_of(follower, latest(follower)) == document(more)


@pytest.fixture(scope="module")
def once_exported(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give settings of an exported workspace; ClickUp cannot be reached any more."""
    with DemoServer(living_world(tasks=60, time_entries=60), rate_limit=1_000_000) as server:
        settings = settings_for(server, tmp_path_factory.mktemp("exported"), redis_url, max_retries=1)
        run_export_sync(settings)
    return settings


@pytest.fixture
def exported(once_exported: Settings, redis_client: redis.Redis, tmp_path: Path) -> Settings:
    """Give settings of an exported workspace of the test's own, its version in Redis."""
    shutil.copytree(once_exported.data_dir, tmp_path / "data", symlinks=True)
    settings = dataclasses.replace(once_exported, data_dir=tmp_path / "data")
    assert rebuild(settings) == latest(redis_client, str(settings.team_id)).version
    return settings


def served(client: redis.Redis, settings: Settings) -> dict[str, Any]:
    """The document that is served."""
    loaded = json.loads(text_of(client, latest(client, str(settings.team_id))))
    assert isinstance(loaded, dict)
    return loaded


def nothing_left(client: redis.Redis, stored: StoredVersion) -> None:
    """Somebody gave FLUSHALL."""
    client.flushall()


def only_the_pointer_left(client: redis.Redis, stored: StoredVersion) -> None:
    """The manifest and the index were evicted."""
    client.delete(f"clickup:{stored.team_id}:version:{stored.version}", f"clickup:{stored.team_id}:versions")


def a_chunk_missing(client: redis.Redis, stored: StoredVersion) -> None:
    """A chunk was evicted."""
    client.delete(f"clickup:{stored.team_id}:chunk:{stored.chunks[0].digest}")


@pytest.mark.parametrize("lose", [nothing_left, only_the_pointer_left, a_chunk_missing])
def test_a_lost_version_is_rebuilt_from_the_data_folder(
    exported: Settings, redis_client: redis.Redis, lose: Callable[[redis.Redis, StoredVersion], None]
) -> None:
    """The same version with the same ETag, made from the database without a request to ClickUp."""
    stored, whole = latest(redis_client, str(exported.team_id)), served(redis_client, exported)
    lose(redis_client, stored)
    assert rebuild(exported) == stored.version
    assert latest(redis_client, str(exported.team_id)) == stored
    assert served(redis_client, exported) == whole
    assert rebuild(exported) is None


def test_damage_that_no_length_shows_is_found_when_asked_for(
    exported: Settings, redis_client: redis.Redis
) -> None:
    """A thorough rebuild reads every byte, and sends the chunk again that is not what it should be."""
    stored = latest(redis_client, str(exported.team_id))
    key = f"clickup:{exported.team_id}:chunk:{stored.chunks[0].digest}"
    redis_client.setrange(key, 20, b"\x00\xff\x00")
    assert rebuild(exported) is None
    assert rebuild(exported, thoroughly=True) == stored.version
    verify(redis_client, stored)


def test_an_export_rebuilds_what_was_lost_before_it_begins(
    exported: Settings, redis_client: redis.Redis
) -> None:
    """Should the export itself fail, the last good version is there again all the same."""
    version = latest(redis_client, str(exported.team_id)).version
    redis_client.flushall()
    with pytest.raises(Exception, match="cannot be reached"):
        run_export_sync(exported)
    assert latest(redis_client, str(exported.team_id)).version == version


def test_what_is_newer_in_redis_is_left_alone(exported: Settings, redis_client: redis.Redis) -> None:
    """Another machine published since: its version is neither replaced nor hidden, damaged or not."""
    newer = put(redis_client, "20991231T235959Z", workspace(), team_id=str(exported.team_id)).stored
    assert rebuild(exported, thoroughly=True) is None
    redis_client.delete(f"clickup:{exported.team_id}:version:{newer.version}")
    assert rebuild(exported, thoroughly=True) is None
    assert latest(redis_client, str(exported.team_id)).instead_of == newer.version


def test_what_there_is_nothing_to_rebuild_from_stays_as_it_is(
    exported: Settings, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """No database, or another workspace's, is no source; while an export runs, it does it itself."""
    redis_client.flushall()
    assert rebuild(dataclasses.replace(exported, data_dir=tmp_path / "empty")) is None
    assert rebuild(dataclasses.replace(exported, team_id="404")) is None
    with pytest.raises(SettingsError, match="CLICKUP_TEAM_ID"):
        rebuild(dataclasses.replace(exported, team_id=None))
    with ExportLock(redis_client, str(exported.team_id), 60), pytest.raises(ExportRunning):
        rebuild(exported)
    assert publish.latest_id(redis_client, str(exported.team_id)) is None


def test_a_damaged_database_is_no_source_and_no_obstacle(
    exported: Settings, redis_client: redis.Redis
) -> None:
    """Asked to rebuild from it, one sentence says what is wrong; an export goes on without."""
    redis_client.flushall()
    (exported.data_dir / "clickup.db").write_bytes(b"SQLite format 3\0 and no more")
    with pytest.raises(StorageError, match=r"clickup-\S+\.db cannot be read"):
        rebuild(exported)
    with capture_logs() as logs, ExportLock(redis_client, str(exported.team_id), 60) as lock:
        assert mend(redis_client, lock, exported) is None
    assert [line["event"] for line in logs] == ["version.not_rebuilt"]
