"""Object storage, against a real server of the S3 protocol."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from clickup_toolkit.errors import LockLost, StorageError
from clickup_toolkit.objects import Manifest, Objects, filesystem
from tests.fixtures.s3 import S3Server

FIRST, SECOND = "20261123T100000Z", "20261123T150000Z"
PARTS = [b"first", b"second"]


def make_files(folder: Path, version: str, tasks: bytes) -> tuple[Path, Path]:
    """Write a database and columnar files into a folder; their bytes are all that matters here."""
    database, columnar = folder / f"clickup-{version}.db", folder / "parquet"
    database.write_bytes(version.encode() * 10_000)
    for name, text in {"tasks": tasks, "lists": b"lists"}.items():
        (columnar / name).mkdir(parents=True, exist_ok=True)
        (columnar / name / "part-0.parquet").write_bytes(text)
    return database, columnar


def agree() -> None:
    """Hold the lock."""


@pytest.fixture
def objects(s3_server: S3Server) -> Objects:
    """Give the objects of workspace 9001, of which there are none."""
    return Objects("s3://exports/clickup", "9001", s3_server.environ)


def test_a_version_is_stored_and_its_database_fetched(
    objects: Objects, s3_server: S3Server, tmp_path: Path
) -> None:
    """Everything lies below the workspace's id; the database comes back byte for byte."""
    database, columnar = make_files(tmp_path, FIRST, b"tasks")
    assert objects.manifest() == Manifest()
    stored = objects.store(FIRST, database, columnar, iter(PARTS), agree)
    names = {
        *("parquet/tasks/part-0.parquet", "parquet/lists/part-0.parquet"),
        *("export.json.gz", f"clickup-{FIRST}.db.zst"),
    }
    assert (stored.version, set(stored.objects)) == (FIRST, names)
    assert s3_server.names() == {f"clickup/9001/{name}" for name in {*names, "manifest.json"}}
    assert objects.manifest() == stored
    assert s3_server.read("clickup/9001/export.json.gz") == b"firstsecond"
    other = tmp_path / "other machine"
    other.mkdir()
    assert objects.fetch(stored, other).read_bytes() == database.read_bytes()
    assert [file.name for file in other.iterdir()] == [database.name]


def test_what_did_not_change_is_not_sent_again(objects: Objects, s3_server: S3Server, tmp_path: Path) -> None:
    """The next version replaces what changed and the database before it; the rest stays as it was."""
    there = "clickup/9001"
    objects.store(FIRST, *make_files(tmp_path, FIRST, b"tasks"), iter(PARTS), agree)
    untouched = (f"{there}/parquet/lists/part-0.parquet", f"{there}/export.json.gz")
    for name in untouched:
        s3_server.write(name, b"marked")
    objects.store(SECOND, *make_files(tmp_path, SECOND, b"more tasks"), iter(PARTS), agree)
    assert [s3_server.read(name) for name in untouched] == [b"marked", b"marked"]
    assert s3_server.read(f"{there}/parquet/tasks/part-0.parquet") == b"more tasks"
    databases = {name for name in s3_server.names() if name.endswith(".db.zst")}
    assert databases == {f"{there}/clickup-{SECOND}.db.zst"}


def test_who_lost_the_lock_leaves_the_version_before(
    objects: Objects, s3_server: S3Server, tmp_path: Path
) -> None:
    """The manifest is written last, by the holder of the lock; the database that it names stays."""
    stored = objects.store(FIRST, *make_files(tmp_path, FIRST, b"tasks"), iter(PARTS), agree)

    def refuse() -> None:
        raise LockLost("lost")

    with pytest.raises(LockLost):
        objects.store(SECOND, *make_files(tmp_path, SECOND, b"more"), iter(PARTS), refuse)
    assert objects.manifest() == stored
    assert f"clickup/9001/clickup-{FIRST}.db.zst" in s3_server.names()
    assert not (tmp_path / ".outgoing").exists()


def test_a_cut_off_database_is_refused(objects: Objects, s3_server: S3Server, tmp_path: Path) -> None:
    """A database that does not match its checksum never stands under its name."""
    stored = objects.store(FIRST, *make_files(tmp_path, FIRST, b"tasks"), iter(PARTS), agree)
    name = f"clickup/9001/clickup-{FIRST}.db.zst"
    whole = bytearray(s3_server.read(name))
    whole[-1] ^= 1
    s3_server.write(name, bytes(whole))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(StorageError, match="cannot be read"):
        objects.fetch(stored, other)
    assert not (other / f"clickup-{FIRST}.db").exists()


def test_a_bucket_that_is_not_there_is_said(s3_server: S3Server, tmp_path: Path) -> None:
    """The error names the address and what to look at, and no key."""
    objects = Objects("s3://nowhere/clickup", "9001", s3_server.environ)
    with pytest.raises(StorageError) as said:
        objects.store(FIRST, *make_files(tmp_path, FIRST, b"tasks"), iter(PARTS), agree)
    assert said.value.message.startswith("The object storage s3://nowhere/clickup/9001 cannot be written (")
    assert said.value.remedy.startswith("See that the bucket exists")
    assert "secret" not in said.value.message


def test_a_local_folder_is_read_by_the_same_words(tmp_path: Path) -> None:
    """A path without a scheme is a folder of this machine."""
    (tmp_path / "file").write_bytes(gzip.compress(json.dumps([1]).encode()))
    storage, path = filesystem(str(tmp_path), {})
    with storage.open_input_file(f"{path}/file") as file:
        assert json.loads(gzip.decompress(file.read())) == [1]
