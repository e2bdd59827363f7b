"""Columnar files: typed, described, swapped in whole."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clickup_toolkit import parquet
from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import TABLES
from tests.journals import HOUR, STARTED, Crawl, entry, rows, stays, task

_TYPES = {
    "INTEGER": pa.int64(),
    "DURATION": pa.int64(),
    "REAL": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("ms", "UTC"),
}


def test_every_table_has_its_file_typed_and_described(tmp_path: Path) -> None:
    """Schemas follow records, of empty tables too; nothing else is left in the folder."""
    database, _ = Crawl(tmp_path).structure().build()
    parquet.write(database, tmp_path / "parquet")
    assert sorted(path.name for path in (tmp_path / "parquet").iterdir()) == sorted(TABLES)
    for table in TABLES.values():
        schema = pq.read_schema(tmp_path / "parquet" / table.name / "part-0.parquet")
        assert [(field.name, field.type, field.nullable) for field in schema] == [
            (column.name, _TYPES.get(column.type, pa.string()), column.nullable) for column in table.columns
        ]
        assert [(schema.field(c.name).metadata or {})[b"description"].decode() for c in table.columns] == [
            column.description for column in table.columns
        ]


def test_rows_are_those_of_the_database(tmp_path: Path) -> None:
    """Times, flags, numbers and texts come back exactly, in the order of the key."""
    crawl = Crawl(tmp_path).structure().tasks(task("b", points=0.1), task("a", name="ü\n", points=1 / 3))
    crawl.times(a=stays(("to do", 1, 1_700_000_000_123), ("in progress", 2, 1_700_000_060_123)))
    database, _ = crawl.entries(entry("e", "a", 1_700_000_000_123, HOUR)).build()
    parquet.write(database, tmp_path / "parquet")
    tasks = pq.read_table(tmp_path / "parquet/tasks", columns=["id", "name", "points", "archived", "as_of"])
    as_of = datetime.fromtimestamp(STARTED / 1000, UTC)
    assert tasks.to_pylist() == [
        {"id": "a", "name": "ü\n", "points": 1 / 3, "archived": False, "as_of": as_of.replace(second=6)},
        {"id": "b", "name": "Task b", "points": 0.1, "archived": False, "as_of": as_of.replace(second=5)},
    ]
    for name in TABLES:
        written = pq.read_table(tmp_path / "parquet" / name)
        assert written.num_rows == rows(database, f'SELECT count(*) FROM "{name}"')[0][0]
    shares = pq.read_table(tmp_path / "parquet/time_in_status", columns=["share", "since"]).to_pylist()
    assert [row["share"] for row in shares] == [1 / 3, 2 / 3]
    assert shares[0]["since"] == datetime(2023, 11, 14, 22, 13, 20, 123000, UTC)


def test_many_rows_make_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is written piece by piece, and read as a whole."""
    monkeypatch.setattr(parquet, "_ROWS", 4)
    monkeypatch.setattr(parquet, "_AT_ONCE", 2)
    database, _ = Crawl(tmp_path).structure().tasks(*(task(f"t{n}") for n in range(9))).build()
    parquet.write(database, tmp_path / "parquet")
    file = pq.ParquetFile(tmp_path / "parquet/tasks/part-0.parquet")
    assert (file.num_row_groups, file.metadata.num_rows) == (3, 9)
    assert file.read(["id"]).column("id").to_pylist() == [f"t{n}" for n in range(9)]


def test_a_failed_write_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    """A damaged database costs no file that is there."""
    database, _ = Crawl(tmp_path).structure().build()
    parquet.write(database, tmp_path / "parquet")
    before = (tmp_path / "parquet/lists/part-0.parquet").read_bytes()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database")
    with pytest.raises(StorageError, match="cannot be written"):
        parquet.write(broken, tmp_path / "parquet")
    assert (tmp_path / "parquet/lists/part-0.parquet").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "parquet").iterdir()) == sorted(TABLES)


def test_writing_does_not_import_pandas(tmp_path: Path) -> None:
    """Neither building nor writing pays for pandas."""
    database, _ = Crawl(tmp_path).structure().tasks(task("a")).build()
    script = (
        "import sys; from pathlib import Path; from clickup_toolkit import parquet, store;"
        f"parquet.write(Path({str(database)!r}), Path({str(tmp_path / 'parquet')!r}));"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
