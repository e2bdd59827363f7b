"""Backups: what is taken beside whatever runs, and that a restore elsewhere gives just that."""

from __future__ import annotations

import random
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
import zstandard

from clickup_toolkit import publish, store
from clickup_toolkit.backup import Taken, restore, take
from clickup_toolkit.backup.archive import Writer
from clickup_toolkit.backup.published import add_versions
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.demo.drift import VISIBLE_CHANGES, drift
from clickup_toolkit.errors import RedisUnreachable, StorageError
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.publish.copying import Form, copied_versions, forms
from clickup_toolkit.settings import Secret, Settings
from tests.backups import Place, bodies, exported, folder_of, give, the_world
from tests.exporting import settings_for
from tests.fixtures.valkey import RedisServer, serving
from tests.killing import Killer, export
from tests.versions import TEAM, changed, day, kept, named_chunks, put, staying_chunks, workspace

PASSWORD = "hunter2-of-the-server"


@pytest.fixture(scope="module")
def other_server() -> Iterator[RedisServer]:
    """Give a second server, of another machine as it were."""
    yield from serving()


@pytest.fixture
def other_redis(other_server: RedisServer) -> str:
    """Give the second server's address, found empty."""
    with other_server.client() as client:
        client.flushall()
    return other_server.url


@pytest.fixture
def server(demo_server: Callable[..., DemoServer]) -> DemoServer:
    """Give a small workspace."""
    return demo_server(the_world())


def leaving(client: redis.Redis) -> dict[str, int]:
    """Return how long the versions live that are not kept."""
    return {one.version: one.ttl for one in publish.versions(client, TEAM) if one.ttl is not None}


def some(taken: list[Taken]) -> list[Taken]:
    """Return the last of the backups and a few before it."""
    return taken[:: -max(len(taken) // 5, 1)]


def members(path: Path) -> dict[str, bytes]:
    """Return the parts of a backup, unpacked."""
    with tarfile.open(path) as archive:
        found = {about.name: archive.extractfile(about).read() for about in archive}  # type: ignore[union-attr]
    unpack = zstandard.ZstdDecompressor().decompressobj
    return {
        name: unpack().decompress(data) if name.endswith(".zst") else data for name, data in found.items()
    }


def test_restored_elsewhere_everything_is_the_same_and_goes_on(
    tmp_path: Path, server: DemoServer, redis_url: str, other_redis: str
) -> None:
    """Versions byte for byte under the same ETags, rows, files, pins; an incremental export follows."""
    settings = exported(server, tmp_path / "data", redis_url, exports=3)
    with publish.connect(settings) as client:
        before = bodies(client, server.team_id)
        oldest = min(before)
        publish.pin(client, server.team_id, before[oldest][0], 60)
        before = bodies(client, server.team_id)
    taken = take(settings, tmp_path / "backup.tar")
    assert (taken.versions, taken.pinned, taken.leaving, taken.left_out) == (3, 1, 0, [])
    assert (taken.database, taken.runs, taken.bytes) == (
        max(before),
        2,
        (tmp_path / "backup.tar").stat().st_size,
    )
    place = Place(settings, tmp_path / "elsewhere" / "data", other_redis)
    done = restore(place.settings, tmp_path / "backup.tar")
    assert (done.database, done.versions, done.latest, done.migrated) == (max(before), 3, max(before), None)
    assert place.bodies() == before
    assert folder_of(place.settings.data_dir) == folder_of(settings.data_dir)
    hidden = [path.name for path in place.settings.data_dir.glob(".*")]
    assert hidden == []
    asked = len(server.requests)
    drift(server.world, random.Random(9), 4, VISIBLE_CHANGES)
    report = run_export_sync(place.settings)
    there = len(server.requests) - asked
    assert (report.mode, report.version > max(before)) == ("incremental", True)
    run_export_sync(settings)
    assert len(server.requests) - asked - there == there
    with publish.connect(settings) as client:
        ours, theirs = max(bodies(client, server.team_id).items()), max(place.bodies().items())
    assert (ours[1][0].tasks, ours[1][0].facts["mode"]) == (theirs[1][0].tasks, theirs[1][0].facts["mode"])


def test_a_backup_is_for_its_owner_and_holds_no_secret(
    tmp_path: Path, server: DemoServer, redis_server: RedisServer
) -> None:
    """The file has mode 0600; no token, no password and no .env is in it, not even compressed."""
    with redis_server.client() as client:
        client.config_set("requirepass", PASSWORD)
    address = f"unix://:{PASSWORD}@{redis_server.socket}"
    settings = exported(server, tmp_path / "data", address, api_auth_token=Secret("bearer-of-the-export"))
    take(settings, tmp_path / "backup.tar")
    assert stat.S_IMODE((tmp_path / "backup.tar").stat().st_mode) == 0o600
    parts = members(tmp_path / "backup.tar")
    assert not [name for name in parts if "env" in name]
    whole = b"".join([(tmp_path / "backup.tar").read_bytes(), *parts.values()])
    for secret in (server.token, PASSWORD, "bearer-of-the-export", "pk_hidden_in_the_folder"):
        assert secret.encode() not in whole
    assert len(parts["data/journal.db.zst"]) > 10_000  # it was looked at unpacked


def test_backups_in_a_loop_beside_exports_hold_what_was_published(
    tmp_path: Path, server: DemoServer, redis_url: str, other_redis: str
) -> None:
    """Each backup restores to versions that were published, byte for byte, while some come and go."""
    settings = exported(server, tmp_path / "data", redis_url, keep_last_n_exports=2, keep_daily_exports=0)
    published: dict[str, bytes] = {}
    wrong: list[BaseException] = []

    def go_on() -> None:
        try:
            for number in range(4):
                with publish.connect(settings) as client:
                    found = bodies(client, server.team_id)
                    published.update({name: body for name, (_, body) in found.items()})
                drift(server.world, random.Random(number), 6, VISIBLE_CHANGES)
                run_export_sync(settings, full=number == 2)
        except BaseException as error:
            wrong.append(error)

    exporting = threading.Thread(target=go_on)
    exporting.start()
    taken = []
    while exporting.is_alive():
        taken.append(take(settings, tmp_path / f"{len(taken)}.tar"))
    exporting.join()
    assert wrong == []
    with publish.connect(settings) as client:
        published.update({name: body for name, (_, body) in bodies(client, server.team_id).items()})
    assert [one.left_out for one in taken if one.left_out] == []
    assert len({one.database for one in taken}) > 1
    for one in some(taken):
        with redis.Redis.from_url(other_redis) as client:
            client.flushall()
        place = Place(settings, tmp_path / f"at-{Path(one.file).stem}", other_redis)
        restore(place.settings, Path(one.file))
        found = place.bodies()
        assert len(found) == one.versions >= 2
        assert {name: body for name, (_, body) in found.items()}.items() <= published.items()
        database = store.current(place.settings.data_dir)
        assert database is not None
        assert database.name == f"clickup-{one.database}.db"
        assert place.settings.data_dir.joinpath("parquet/tasks/part-0.parquet").exists()


def test_deltas_pins_and_expiry_come_back(
    tmp_path: Path, redis_client: redis.Redis, other_redis: str
) -> None:
    """Older versions are deltas in the backup, too, and take the same room where they are restored."""
    settings = Settings(team_id=TEAM, data_dir=tmp_path / "none", redis_url=_address(redis_client))
    tasks = workspace()
    for number in range(1, 7):
        put(redis_client, day(number), changed(tasks, number, number * 50), keep=4)
    with_pin = publish.find(redis_client, TEAM, day(4))
    assert with_pin is not None
    publish.pin(redis_client, TEAM, with_pin, 60)
    before, going = bodies(redis_client, TEAM), leaving(redis_client)
    assert sorted(going) == [day(1), day(2)]
    taken = take(settings, tmp_path)
    assert (taken.versions, taken.leaving, taken.pinned, taken.database) == (6, 2, 1, None)
    names = members(Path(taken.file))
    assert sum(name.startswith("deltas/") for name in names) >= 5
    elsewhere = replace(settings, redis_url=other_redis, data_dir=tmp_path / "elsewhere")
    restore(elsewhere, Path(taken.file))
    with redis.Redis.from_url(other_redis) as other:
        after = bodies(other, TEAM)
        assert {name: (one.etag, one.pinned, body) for name, (one, body) in after.items()} == {
            name: (one.etag, one.pinned, body) for name, (one, body) in before.items()
        }
        assert {name: going[name] - left < 60 for name, left in leaving(other).items()} == dict.fromkeys(
            going, True
        )
        assert named_chunks(other) <= staying_chunks(other)
        assert staying_chunks(other) == staying_chunks(redis_client)
        put(other, day(7), changed(tasks, 7, 1), keep=4)
        assert kept(other) == [day(7), day(6), day(5), day(4)]
        assert bodies(other, TEAM)[day(4)][1] == before[day(4)][1]
        restore(elsewhere, Path(taken.file), force=True)
        assert publish.latest_id(other, TEAM) == day(7)
        assert kept(other) == [day(7), day(6), day(5), day(4), day(3)]
        for stored in publish.versions(other, TEAM):
            publish.verify(other, stored)


def test_backups_beside_a_writer_that_packs_and_drops(
    tmp_path: Path, redis_client: redis.Redis, other_redis: str
) -> None:
    """While every version turns chunks of the others into deltas, and drops one, no backup lacks anything."""
    settings = Settings(team_id=TEAM, data_dir=tmp_path / "none", redis_url=_address(redis_client))
    tasks = workspace(250)
    published = {}
    over = threading.Event()

    def write() -> None:
        with redis.Redis.from_url(_address(redis_client)) as client:
            for number in range(3, 13):
                put(client, day(number), changed(tasks, number % 3, *range(0, 250, 7)), keep=2)
                published[day(number)] = b"".join(publish.body(client, _found(client, day(number))))
        over.set()

    for number in (1, 2):
        put(redis_client, day(number), changed(tasks, number, 5), keep=2)
    published.update({name: body for name, (_, body) in bodies(redis_client, TEAM).items()})
    writing = threading.Thread(target=write)
    writing.start()
    taken = []
    while not over.is_set():
        taken.append(take(settings, tmp_path / f"{len(taken)}.tar"))
    writing.join()
    assert [one.left_out for one in taken if one.left_out] == []
    assert len(taken) > 1
    for one in some(taken):
        with redis.Redis.from_url(other_redis) as other:
            other.flushall()
            restore(replace(settings, redis_url=other_redis, data_dir=tmp_path / "there"), Path(one.file))
            assert {
                name: body for name, (_, body) in bodies(other, TEAM).items()
            }.items() <= published.items()


def test_what_is_taken_is_held_as_a_reader_holds_it(redis_client: redis.Redis) -> None:
    """A version that is about to go lives for another hour from when it is taken."""
    for number in (1, 2):
        put(redis_client, day(number), workspace(90, seed=number), keep=1)
    names = [name for name in redis_client.scan_iter() if redis_client.ttl(name) >= 0]
    for name in names:
        redis_client.expire(name, 50)
    going = _found(redis_client, day(1))
    taken = {form.digest for form in forms(redis_client, [going])}
    assert taken >= {chunk.digest for chunk in going.chunks}
    assert {redis_client.ttl(name) > 3000 for name in names} == {True}


def test_chunks_that_turn_round_while_they_are_taken_are_rebuilt(
    tmp_path: Path, redis_client: redis.Redis
) -> None:
    """A version comes back while it is taken: its chunks and their bases were seen to rest on each other."""
    tasks = workspace(90)
    for number in (1, 2):
        put(redis_client, day(number), changed(tasks, number, 5, 50))
    older = [one for one in copied_versions(redis_client, TEAM)[0] if one.id == day(1)]

    def found() -> Iterator[Form]:
        steps = forms(redis_client, [older[0].read()])
        yield next(steps)
        put(redis_client, day(3), changed(tasks, 1, 5, 50))
        yield from steps

    path = tmp_path / "b.tar"
    with path.open("w+b") as file:
        writer = Writer(path, file, datetime.now(UTC))
        whole, missing = add_versions(writer, redis_client, older, found())
        turned = [name for name in writer.members if name.replace("deltas/", "chunks/") in writer]
    assert ([one.id for one in whole], missing) == ([day(1)], [])
    assert [name for name in turned if name.startswith("deltas/")]


def _found(client: redis.Redis, version: str) -> publish.StoredVersion:
    stored = publish.find(client, TEAM, version)
    assert stored is not None
    return stored


def _address(client: redis.Redis) -> str:
    return f"unix://{client.connection_pool.connection_kwargs['path']}"


def test_a_damaged_version_is_named_and_the_rest_is_taken(tmp_path: Path, redis_client: redis.Redis) -> None:
    """What Redis lost a part of cannot be backed up: the report says so, the exit code too."""
    settings = Settings(team_id=TEAM, data_dir=tmp_path / "none", redis_url=_address(redis_client))
    for number in (1, 2):
        put(redis_client, day(number), workspace(seed=number))
    of_older = {chunk.digest for chunk in _found(redis_client, day(1)).chunks}
    lost = (of_older - {chunk.digest for chunk in _found(redis_client, day(2)).chunks}).pop()
    redis_client.delete(f"clickup:{TEAM}:chunk:{lost}", f"clickup:{TEAM}:delta:{lost}")
    done = give(settings, "backup", "--out", str(tmp_path / "b.tar"))
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.splitlines()[-1] == (
        f"  LEFT OUT  version {day(1)}: it is damaged in Redis, or has just gone"
    )
    checked = give(settings, "restore", "--check", str(tmp_path / "b.tar"))
    assert (checked.returncode, "versions  1" in checked.stdout) == (0, True)


def test_nothing_to_back_up_is_an_error_with_a_remedy(tmp_path: Path, redis_url: str) -> None:
    """An empty folder is told by name, no file is left, and no server is started for it."""
    for address in (redis_url, None):
        settings = Settings(team_id=TEAM, data_dir=tmp_path / "empty", redis_url=address)
        with pytest.raises(StorageError) as error:
            take(settings, tmp_path)
        assert error.value.message == (
            f"There is nothing to back up: {tmp_path / 'empty'} holds no export, and no version is published."
        )
    assert list(tmp_path.iterdir()) == []


def test_without_redis_there_is_an_error_or_a_backup_without_versions(
    tmp_path: Path, server: DemoServer, redis_server: RedisServer
) -> None:
    """A Redis that is gone is named, and how to do without; then the folder alone is taken."""
    settings = exported(server, tmp_path / "data", redis_server.url, exports=1)
    redis_server.kill()
    with pytest.raises(RedisUnreachable) as error:
        take(settings, tmp_path / "b.tar")
    assert "cannot be reached" in error.value.message
    assert "--without-versions" in error.value.remedy
    assert not (tmp_path / "b.tar").exists()
    taken = take(settings, tmp_path / "b.tar", versions=False)
    assert (taken.versions, taken.tasks > 0) == (0, True)


def test_on_a_full_disk_the_last_backup_stays(tmp_path: Path, server: DemoServer, redis_url: str) -> None:
    """Where there is no room the error says what to do; the backup before is whole, nothing is left."""
    settings = exported(server, tmp_path / "data", redis_url, exports=1)
    out = tmp_path / "out"
    out.mkdir()
    take(settings, out / "b.tar")
    before = (out / "b.tar").read_bytes()

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = give(settings, "backup", "--out", str(out / "b.tar"), preexec_fn=limit)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: There is no space left to write {out / 'b.tar'} (")
    assert done.stderr.endswith("Free disk space there, or name another place: --out.\n")
    assert [path.name for path in out.iterdir()] == ["b.tar"]
    assert (out / "b.tar").read_bytes() == before


def test_the_command_says_what_it_took(tmp_path: Path, server: DemoServer, redis_url: str) -> None:
    """Sizes and counts for people, one line of JSON for programs; the default name tells whose and when."""
    settings = exported(server, tmp_path / "data", redis_url)
    done = give(settings, "backup", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (file,) = tmp_path.glob("*.tar")
    assert file.name.startswith(f"clickup-{server.team_id}-2")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"Wrote {file}: workspace {server.team_id}, 0.")
    assert [line.split()[0] for line in lines[1:]] == ["database", "journal", "runs", "versions"]
    as_json = give(settings, "backup", "--json", "--out", str(tmp_path / "b.tar"))
    assert as_json.stdout.startswith(f'{{"file":"{tmp_path / "b.tar"}","bytes":')
    elsewhere = replace(settings, data_dir=tmp_path / "elsewhere")
    checked = give(elsewhere, "restore", "--check", str(file))
    assert checked.stdout.startswith(f"Good, nothing changed: workspace {server.team_id}, backed up 2")
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_journal_is_named_and_left_out(tmp_path: Path, server: DemoServer, redis_url: str) -> None:
    """Without its journal a crawl begins anew and nothing is lost; a damaged database is another matter."""
    settings = exported(server, tmp_path / "data", redis_url, exports=1)
    (settings.data_dir / "journal.db").write_bytes(b"no database at all" * 999)
    taken = take(settings, tmp_path / "b.tar")
    assert taken.left_out == ["the journal: it is damaged; the next crawl begins anew"]
    database = store.current(settings.data_dir)
    assert database is not None
    with database.open("r+b") as file:
        file.seek(3 * 16384)
        file.write(b"\xff" * 16384)
    before = (tmp_path / "b.tar").read_bytes()
    with pytest.raises(StorageError, match="is damaged"):
        take(settings, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == before


def test_an_unfinished_export_goes_on_elsewhere(
    tmp_path: Path, demo_server: Callable[..., DemoServer], redis_url: str, other_redis: str
) -> None:
    """What an export had read when it was killed is in the backup: elsewhere it is not asked for again."""
    killer = Killer()
    server = demo_server(the_world(), changes=killer)
    settings = settings_for(server, tmp_path / "data", redis_url, concurrency=1)
    run_export_sync(settings)
    killer.at = {killer.asked + 20}
    assert export(replace(settings, full_export_hours=1e-9), killer) is None
    taken = take(settings, tmp_path / "b.tar")
    assert taken.journal_answers > 10
    place = Place(settings, tmp_path / "elsewhere", other_redis)
    restore(place.settings, tmp_path / "b.tar")
    assert run_export_sync(place.settings).resumed >= taken.journal_answers
