"""Restoring: what is refused before anything is touched, and what is left of one that was killed."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import redis

from clickup_toolkit import publish, store
from clickup_toolkit.backup import restore, take
from clickup_toolkit.backup.archive import Contents, Reader, Writer
from clickup_toolkit.errors import ExportRunning, RedisError, SettingsError, StorageError, ToolkitError
from clickup_toolkit.settings import Settings
from clickup_toolkit.store.formats import format_of
from tests.backups import bodies, folder_of, give, killed
from tests.fixtures.valkey import serving
from tests.releases import unpack
from tests.test_migrations import set_format
from tests.versions import changed, put, workspace

TEAM = "9012345678"


def version(second: int) -> str:
    """The id of a version, of about the time of the kept data."""
    return f"20261123T1900{second:02}Z"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with an export and the journal of an unfinished one."""
    return unpack(6, tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def _made(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a backup of that folder and of two published versions, one of them as deltas."""
    for server in serving():
        with server.client() as client:
            tasks = workspace(250)
            for second in (1, 2):
                put(client, version(second), changed(tasks, second, 1, 99), team_id=TEAM)
        out = tmp_path_factory.mktemp("made") / "b.tar"
        take(Settings(team_id=TEAM, data_dir=kept, redis_url=server.url), out)
        yield out


@pytest.fixture
def backup(_made: Path, tmp_path: Path) -> Path:
    """Give a copy of the backup, to do with as one likes."""
    return Path(shutil.copy(_made, tmp_path / "b.tar"))


@pytest.fixture
def there(redis_url: str, tmp_path: Path) -> Settings:
    """Give the settings of an empty place, with an empty server."""
    return Settings(team_id=TEAM, data_dir=tmp_path / "there", redis_url=redis_url)


def other_tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    """Write a backup to which members were added."""
    with tarfile.open(path, "a") as archive:
        for about, data in members:
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """Describe a member."""
    about = tarfile.TarInfo(name)
    about.type, about.linkname = kind, target
    return about


def _flip(path: Path, part: str) -> None:
    """Turn one bit in the middle of a part."""
    with tarfile.open(path) as archive:
        about = next(one for one in archive if one.name.startswith(part))
    with path.open("r+b") as file:
        place = about.offset_data + about.size // 2
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def _cut(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def _without(path: Path, part: str) -> None:
    """Take a part out, as if it had never been there."""
    with tarfile.open(path) as archive:
        kept = [(one, archive.extractfile(one).read()) for one in archive]  # type: ignore[union-attr]
    with tarfile.open(path, "w") as archive:
        for about, data in kept:
            if not about.name.startswith(part):
                archive.addfile(about, io.BytesIO(data))


def _swap_texts(path: Path) -> None:
    """Give a version the chunks of another name, and seal that as it should be."""
    with tarfile.open(path) as archive:
        parts = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    contents = json.loads(parts.pop("manifest.json"))
    del parts["manifest.sha256"], contents["members"]
    chunk, other = [name for name in parts if name.startswith("chunks/")][:2]
    parts[chunk] = parts[other]
    with path.open("w+b") as file:
        writer = Writer(path, file, msgspec.convert(contents, Contents).made)
        for name, data in parts.items():
            writer.add(name, data)
        writer.finish(msgspec.convert(contents, Contents))


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut off in the middle": (lambda path: _cut(path, 0.5), "no whole tar file|its end is missing"),
    "cut off near the end": (lambda path: _cut(path, 0.95), "no whole tar file|its end is missing"),
    "empty": (lambda path: path.write_bytes(b""), "no whole tar file"),
    "some text": (lambda path: path.write_text("what is this" * 999), "no whole tar file"),
    "compressed": (lambda path: path.write_bytes(gzip.compress(path.read_bytes())), "no whole tar file"),
    "another program's tar": (
        lambda path: _without(path, "manifest"),
        "its end is missing",
    ),
    "a bit of the database": (lambda path: _flip(path, "data/clickup"), "is not what was written"),
    "a bit of a chunk": (lambda path: _flip(path, "chunks/"), "is not what was written"),
    "a bit of a delta": (lambda path: _flip(path, "deltas/"), "is not what was written"),
    "a bit of the manifest": (lambda path: _flip(path, "manifest.json"), "is not what was written"),
    "a part is missing": (lambda path: _without(path, "data/journal"), "1 of its parts are missing"),
    "chunks exchanged": (_swap_texts, "is not whole"),
    "a part too many": (
        lambda path: other_tar(path, (member("chunks/" + "0" * 40), b"x")),
        "does not know chunks/",
    ),
    "a name twice": (lambda path: other_tar(path, (member("manifest.json"), b"{}")), "stands in it twice"),
    "a way out": (lambda path: other_tar(path, (member("data/runs/../../../x.json"), b"x")), "nothing that"),
    "an absolute name": (lambda path: other_tar(path, (member("/etc/passwd"), b"x")), "nothing that"),
    "a setting": (lambda path: other_tar(path, (member("data/.env"), b"x")), "nothing that"),
    "a symbolic link": (
        lambda path: other_tar(path, (member("data/schedule.json", tarfile.SYMTYPE, "/etc/passwd"), b"")),
        "is no plain file",
    ),
    "a hard link": (
        lambda path: other_tar(path, (member("data/schedule.json", tarfile.LNKTYPE, "manifest.json"), b"")),
        "is no plain file",
    ),
    "a device": (
        lambda path: other_tar(path, (member("data/schedule.json", tarfile.CHRTYPE), b"")),
        "is no plain file",
    ),
    "a folder": (
        lambda path: other_tar(path, (member("data/runs", tarfile.DIRTYPE), b"")),
        "is no plain file",
    ),
}


@pytest.mark.parametrize("how", BAD)
def test_what_is_no_whole_backup_is_refused(
    backup: Path, there: Settings, redis_client: redis.Redis, how: str
) -> None:
    """Cut off, changed, foreign or hostile files are refused by name and reason; nothing is touched."""
    spoil, why = BAD[how]
    spoil(backup)
    with pytest.raises(StorageError, match=why) as error:
        restore(there, backup, force=True)
    assert error.value.message.startswith(f"{backup} is refused: ")
    assert error.value.remedy.endswith("Nothing was touched.")
    assert not there.data_dir.exists()
    assert redis_client.keys() == []


def test_a_name_that_is_no_file_is_told(there: Settings, tmp_path: Path) -> None:
    """A file that is not there, or a folder, is told as such."""
    with pytest.raises(StorageError, match=r"There is no file .*nowhere\.tar"):
        restore(there, tmp_path / "nowhere.tar")
    with pytest.raises(StorageError, match="cannot be read"):
        restore(there, tmp_path)


def test_nothing_is_restored_beside_an_export_or_up(backup: Path, there: Settings) -> None:
    """Whoever works in the folder is named, with exit code 4; a lock in Redis counts as well."""
    for name, what in (("up.lock", "`up`"), ("schedule.lock", "a scheduler"), ("export.lock", "export")):
        with store.hold(there.data_dir / name, lambda _: ToolkitError("")):
            with pytest.raises(ExportRunning) as error:
                restore(there, backup, force=True)
            assert what in error.value.message
            assert str(os.getpid()) in error.value.message
    with (
        publish.connect(there) as client,
        publish.ExportLock(client, TEAM, 60),
        pytest.raises(ExportRunning, match="Another export of workspace"),
    ):
        restore(there, backup)
    assert store.current(there.data_dir) is None
    done = give(there, "restore", str(backup))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_that_holds_something_is_replaced_by_force_alone(
    backup: Path, there: Settings, kept: Path
) -> None:
    """The refusal says what would be lost, and nothing changes; forced, the folder is as the backup was."""
    unpack(5, there.data_dir)
    (there.data_dir / "runs").mkdir(exist_ok=True)
    (there.data_dir / "runs" / "20261123T185500Z.ipynb").write_text("{}")
    before = folder_of(there.data_dir)
    done = give(there, "restore", str(backup))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Error: The data folder {there.data_dir} is not empty. Replaced, and lost, would be version "
        "20261123T184845Z (63 tasks); 1 executed notebooks.",
        "Nothing was touched. Name an empty folder with --data-dir, back this one up first, or give --force.",
    ]
    assert folder_of(there.data_dir) == before
    restore(there, backup, force=True)
    now, wanted = folder_of(there.data_dir), folder_of(kept)
    assert {name: now[name] for name in wanted if ".parquet" not in name} == {
        name: rows for name, rows in wanted.items() if ".parquet" not in name and name != "user_version"
    } | {"user_version": now["user_version"]}
    assert not (there.data_dir / "runs" / "20261123T185500Z.ipynb").exists()


def test_a_newer_version_stays_the_latest(backup: Path, there: Settings, redis_client: redis.Redis) -> None:
    """Where Redis holds a newer version, restoring is refused; forced, it adds the others behind it."""
    newer = version(30)
    put(redis_client, newer, workspace(90), team_id=TEAM)
    with pytest.raises(RedisError) as error:
        restore(there, backup)
    assert f"holds version {newer} of workspace {TEAM}, which is newer" in error.value.message
    assert not (there.data_dir / "clickup.db").exists()
    done = restore(there, backup, force=True)
    assert done.latest == newer
    assert sorted(bodies(redis_client, TEAM)) == [version(1), version(2), newer]


def test_another_version_of_the_same_name_is_replaced_by_force_alone(
    backup: Path, there: Settings, redis_client: redis.Redis
) -> None:
    """Where a version in Redis differs from the backup's of that name, nobody chooses unasked."""
    put(redis_client, version(2), workspace(90, seed=8), team_id=TEAM)
    with pytest.raises(RedisError, match="holds another version"):
        restore(there, backup)
    before = bodies(redis_client, TEAM)
    restore(there, backup, force=True)
    after = bodies(redis_client, TEAM)
    assert after[version(2)][0].etag != before[version(2)][0].etag
    assert sorted(after) == [version(1), version(2)]


def test_another_workspace_is_refused(backup: Path, there: Settings) -> None:
    """A backup is restored for its own workspace; without an id in the settings, it says which."""
    with pytest.raises(SettingsError, match=f"holds workspace {TEAM}, not 404"):
        restore(replace(there, team_id="404"), backup)
    assert restore(replace(there, team_id=None), backup).team_id == TEAM


def test_a_backup_of_a_newer_release_is_refused(tmp_path: Path, there: Settings) -> None:
    """A database that only a newer release knows is neither taken nor restored."""
    folder = unpack(5, tmp_path / "data")
    old = take(replace(there, data_dir=folder), tmp_path / "old.tar", versions=False)
    assert (old.database, restore(there, tmp_path / "old.tar").migrated) == ("20261123T184845Z", 5)
    assert format_of(there.data_dir / "clickup.db") == store.FORMAT
    database = store.current(there.data_dir)
    assert database is not None
    set_format(database, store.FORMAT + 1)
    with pytest.raises(StorageError, match="written by a newer release"):
        take(there, tmp_path / "new.tar", versions=False)


def moments(work: Callable[[Settings, Path], object], settings: Settings, path: Path) -> list[float]:
    """Return moments from early to late of how long it takes when nobody kills it."""
    killed(60, len, "")  # the process that all others are forked from starts
    began = time.monotonic()
    assert not killed(60, work, settings, path)
    whole = time.monotonic() - began
    return [whole * part / 6 for part in range(1, 6)]


def test_a_backup_that_is_killed_leaves_the_one_before(there: Settings, backup: Path, tmp_path: Path) -> None:
    """Killed at any moment, the file is the old one or the new one; the next backup clears what is left."""
    out = tmp_path / "out" / "b.tar"
    out.parent.mkdir()
    restore(there, backup)
    take(there, out)
    struck = 0
    for moment in moments(take, there, out):
        struck += killed(moment, take, there, out)
        assert restore(there, out, check=True).versions == 2
    assert struck > 0
    take(there, out)
    assert [path.name for path in out.parent.iterdir()] == ["b.tar"]


def _is_done(folder: Path) -> bool:
    """Tell whether a restore had ended before it could be killed."""
    return store.current(folder) is not None and not (folder / ".restoring.begun").exists()


def test_a_restore_that_is_killed_is_finished_by_the_next(
    backup: Path, there: Settings, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Killed at any moment, the same command without --force ends as if nothing had been."""
    whole = replace(there, data_dir=tmp_path / "whole")
    chosen = moments(restore, whole, backup)
    wanted, published = folder_of(whole.data_dir), bodies(redis_client, TEAM)
    struck = 0
    for number, moment in enumerate(chosen):
        redis_client.flushall()
        place = replace(there, data_dir=tmp_path / str(number))
        struck += killed(moment, restore, place, backup)
        redis_client.delete(f"clickup:{TEAM}:lock")
        database = store.current(place.data_dir)
        if database is not None:
            assert folder_of(place.data_dir)["tasks"] == wanted["tasks"]
        restored = restore(place, backup, force=_is_done(place.data_dir))
        assert restored.latest == version(2)
        assert folder_of(place.data_dir) == wanted
        assert bodies(redis_client, TEAM) == published
        assert list(place.data_dir.glob(".restoring*")) == []
    assert struck > 0


def test_a_begun_restore_is_no_leave_to_replace_what_came_after(
    backup: Path, there: Settings, redis_client: redis.Redis
) -> None:
    """Where an export followed one that was killed, the next restore asks for --force again."""
    restore(there, backup)
    with Reader.opened(backup) as archive:
        begun = f"{archive.id} "
    (there.data_dir / ".restoring.begun").write_text(begun)
    restore(there, backup)
    (there.data_dir / ".restoring.begun").write_text(begun)
    database = store.current(there.data_dir)
    assert database is not None
    later = database.with_name("clickup-20261123T235900Z.db")
    later.write_bytes(database.read_bytes())
    store.flip(there.data_dir, later)
    with pytest.raises(StorageError, match="is not empty"):
        restore(there, backup)
