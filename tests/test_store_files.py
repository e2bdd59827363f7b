"""Which file is the current database, and that nothing harms it."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clickup_toolkit import store
from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import Export
from tests.journals import STARTED, Crawl, rows, task

NEXT = STARTED + 5000


def test_a_flip_changes_the_current_database_and_keeps_one_before(tmp_path: Path) -> None:
    """The link names the newest; the one before stays for its readers; older ones are cleared."""
    assert store.current(tmp_path) is None
    built = []
    for at in range(3):
        target, _ = Crawl(tmp_path, started=STARTED + at).structure().build()
        store.flip(tmp_path, target)
        built.append(target)
        assert store.current(tmp_path) == target.resolve()
    assert (tmp_path / "clickup.db").readlink() == Path(built[2].name)
    assert sorted(tmp_path.glob("clickup-*.db")) == built[1:]
    assert rows(tmp_path / "clickup.db", "SELECT version FROM exports") == [(f"v{STARTED + 2}",)]


def test_leftovers_of_a_killed_build_are_cleared(tmp_path: Path) -> None:
    """A half-built file goes at the next build, whatever its version was."""
    leftover = tmp_path / "clickup-v1.db.unfinished"
    leftover.write_bytes(b"half")
    target, _ = Crawl(tmp_path).structure().build()
    assert sorted(path.name for path in tmp_path.glob("clickup*")) == [target.name]


def test_a_build_that_fails_leaves_the_last_one_alone(tmp_path: Path) -> None:
    """A journal that breaks off with an error builds nothing."""
    target, _ = Crawl(tmp_path).structure().tasks(task("a")).build()
    before = target.read_bytes()
    crawl = Crawl(tmp_path, started=NEXT).structure()
    crawl.journal.close()
    with pytest.raises(StorageError):
        store.build_database(crawl.journal, target, previous=None, version="x")
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("clickup*")) == [target.name]


_SMALL_DISK = """
import resource, signal, sys
from pathlib import Path
from clickup_toolkit import parquet, store
from clickup_toolkit.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
folder = Path(sys.argv[1])
try:
    if sys.argv[2] == "build":
        journal = store.Journal(folder / "journal.db")
        store.build_database(journal, folder / "clickup-next.db", previous=None, version="next")
    else:
        parquet.write(folder / "clickup-big.db", folder / "parquet")
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(
    not hasattr(signal, "SIGXFSZ") or not hasattr(resource, "RLIMIT_FSIZE"), reason="POSIX only"
)
@pytest.mark.parametrize("what", ["build", "parquet"])
def test_a_full_disk_is_one_clear_sentence(tmp_path: Path, what: str) -> None:
    """When no more can be written, the error says so and what to do, and nothing half-written stays."""
    chance = random.Random(1)
    crawl = Crawl(tmp_path).structure()
    for page in range(0, 2000, 100):
        texts = [chance.randbytes(400).hex() for _ in range(100)]
        crawl.tasks(*(task(f"t{page + n}", text_content=text) for n, text in enumerate(texts)))
    crawl.build("big")
    command = [sys.executable, "-c", _SMALL_DISK, str(tmp_path), what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "no space left" in done.stdout or "cannot be written" in done.stdout
    assert "ree disk space" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if "unfinished" in path.name or "next" in path.name]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A path that is no folder ends in an error with a remedy."""
    (tmp_path / "file").write_text("not a folder")
    crawl = Crawl(tmp_path).structure()
    with pytest.raises(StorageError, match="cannot be written") as caught:
        store.build_database(crawl.journal, tmp_path / "file" / "x.db", previous=None, version="x")
    assert "CLICKUP_DATA_DIR" in caught.value.remedy


def test_a_damaged_previous_database_is_said(tmp_path: Path) -> None:
    """History is not dropped in silence: the message says what to do with the damaged file."""
    damaged = tmp_path / "clickup-old.db"
    damaged.write_bytes(b"SQLite format 3\x00" + bytes(200))
    crawl = Crawl(tmp_path).structure()
    with pytest.raises(StorageError, match="is damaged") as caught:
        store.build_database(crawl.journal, tmp_path / "clickup-new.db", previous=damaged, version="x")
    assert "move it away" in caught.value.remedy
    assert sorted(path.name for path in tmp_path.glob("clickup*")) == ["clickup-old.db"]


def test_the_final_figures_of_an_export_are_written(tmp_path: Path) -> None:
    """What only the run knows is added to the export's row."""
    target, export = Crawl(tmp_path).structure().build()
    store.finish(target, export._replace(requests=12, retries=1))
    times = ("started", "finished", "watermark")
    names = [f'"{name}"' for name in Export._fields if name not in times]
    (row,) = rows(target, f"SELECT {', '.join(names)} FROM exports")
    expected = export._replace(requests=12, retries=1)._asdict()
    assert row == tuple(value for name, value in expected.items() if name not in times)
