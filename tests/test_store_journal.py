"""The journal when its file is damaged: begun anew at the beginning, and said in a sentence after that."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clickup_toolkit.client import Answer
from clickup_toolkit.errors import Refused, StorageError
from clickup_toolkit.records import Gap
from clickup_toolkit.settings import Secret
from clickup_toolkit.store import Journal, open_journal
from tests.journals import STARTED, Crawl, task

SOURCE = ("http://127.0.0.1:9/api/v2", Secret("pk_1"))


def written(path: Path) -> Path:
    """Write a journal of many answers, all in the file itself, and return its path."""
    journal = open_journal(path, "9", SOURCE, since=None, previous=None, now=STARTED)
    for number in range(200):
        journal.record(f"key {number}", Answer("tasks", {}, STARTED, str(number).encode() * 500))
    journal.record_refusal("refused", "tasks", Refused("No.", "Ask.", status=403))
    journal.note_tasks([(f"t{number}", 1, 1, "L1") for number in range(200)])
    journal.note_gap(Gap("tasks", "1", "X", "No.", "Ask."))
    journal.close()
    return path


def no_database(path: Path) -> None:
    """Write over all of the file."""
    path.write_bytes(b"this is no database" * 1000)


def malformed(path: Path) -> None:
    """Write over all pages but the first: the file looks like a database."""
    sent = path.read_bytes()
    path.write_bytes(sent[:4096] + b"\xff" * (len(sent) - 4096))


def bad_header(path: Path) -> None:
    """Write over the schema on the first page, behind the header."""
    sent = path.read_bytes()
    path.write_bytes(sent[:100] + b"\xff" * 3996 + sent[4096:])


@pytest.mark.parametrize("damage", [no_database, malformed, bad_header])
def test_a_journal_that_is_damaged_at_opening_is_begun_anew(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nothing is lost but answers, which are asked for again."""
    path = written(tmp_path / "journal.db")
    damage(path)
    later = STARTED + 5000
    with closing(open_journal(path, "9", SOURCE, since=None, previous=None, now=later)) as journal:
        assert (journal.started, journal.mode, list(journal.answers())) == (later, "full", [])
        journal.record("key", Answer("tasks", {}, later, b"{}"))
        assert journal.recall("key") == Answer("tasks", {}, later, b"{}")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_undamaged_journal_is_gone_on_with(tmp_path: Path) -> None:
    """Without damage the answers are there."""
    path = written(tmp_path / "journal.db")
    with closing(open_journal(path, "9", SOURCE, since=None, previous=None, now=STARTED + 5000)) as journal:
        assert (journal.started, len(list(journal.answers()))) == (STARTED, 200)


def body(number: int) -> bytes:
    """Return an answer that does not get smaller when it is compressed."""
    return b'{"x":"%s"}' % Random(number).randbytes(1500).hex().encode()


def cut_off(folder: Path, name: str, part: float, checkpoint: int) -> tuple[Path, list[str]]:
    """Write a journal, leave it as a kill does, cut the file ``name`` off; return it, and the keys."""
    path, keys = folder / "journal.db", [f"key {number}" for number in range(60)]
    with closing(open_journal(path, "9", SOURCE, since=None, previous=None, now=STARTED)) as journal:
        for number, key in enumerate(keys):
            journal.record(key, Answer("tasks", {}, STARTED, body(number)))
            if number == checkpoint:
                journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        left = folder / "left"
        left.mkdir()
        for file in folder.glob("journal.db*"):
            shutil.copy(file, left)
    sent = (left / name).read_bytes()
    (left / name).write_bytes(sent[: round(len(sent) * part)])
    return left / "journal.db", keys


@given(st.sampled_from(["journal.db", "journal.db-wal"]), st.floats(0, 1), st.integers(0, 60))
@example("journal.db", 0.9667021235860659, 48)  # within a page, whose rest SQLite takes for zeros
@settings(max_examples=40, deadline=None)
def test_a_journal_that_was_cut_off_anywhere_is_gone_on_with_or_begun_anew(
    name: str, part: float, checkpoint: int
) -> None:
    """Of the log, cut at any byte, the answers before the cut stay; a file that lost some is begun anew."""
    with TemporaryDirectory() as folder:
        path, keys = cut_off(Path(folder), name, part, checkpoint)
        later = STARTED + 5000
        with closing(open_journal(path, "9", SOURCE, since=None, previous=None, now=later)) as journal:
            held = [key for key in keys if journal.recall(key) is not None]
            assert held == keys[: len(held)]
            assert journal.started in ([STARTED] if held else [STARTED, later])
            assert [answer.body for answer in journal.answers()] == [body(at) for at in range(len(held))]
            journal.record("one more", Answer("tasks", {}, later, b"{}"))
            if name == "journal.db-wal":
                assert len(held) >= min(checkpoint + 1, len(keys)) * (checkpoint < len(keys))


READS: dict[str, Callable[[Journal], object]] = {
    "facts": lambda journal: journal.facts,
    "recall": lambda journal: journal.recall("key 150"),
    "answers": lambda journal: list(journal.answers("tasks")),
    "count_tasks": lambda journal: journal.count_tasks(),
    "task_ids": lambda journal: journal.task_ids("", 500),
    "tasks_by_list": lambda journal: journal.tasks_by_list(),
    "unknown_lists": lambda journal: journal.unknown_lists([]),
    "undertracked_tasks": lambda journal: journal.undertracked_tasks(),
    "covers": lambda journal: journal.covers(Gap("tasks", "1", "X", "", "")),
    "gaps": lambda journal: journal.gaps(),
    "unread": lambda journal: journal.readings.unread("comments", "", 500),
    "count_unread": lambda journal: journal.readings.count_unread("comments"),
    "holds": lambda journal: journal.readings.holds("comments", "t1", 1),
}


@pytest.mark.parametrize("read", READS)
def test_damage_that_is_met_while_reading_is_told_with_a_remedy(read: str, tmp_path: Path) -> None:
    """Whatever is read, the reader learns which file is damaged and what to do, not what SQLite calls it."""
    path = written(tmp_path / "journal.db")
    with closing(Journal(path)) as journal:
        malformed(path)
        with pytest.raises(StorageError) as caught:
            READS[read](journal)
    assert caught.value.message.startswith(f"The journal {path} cannot be read: ")
    assert caught.value.remedy == "Delete that file and run the export again: it begins anew."


@pytest.mark.parametrize("change", ["body = x'00'", "context = '['", "received = 'soon'"])
def test_damage_within_an_answer_is_told_too(change: str, tmp_path: Path) -> None:
    """Bytes that cannot be decompressed or decoded are damage like any other."""
    path = written(tmp_path / "journal.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE answers SET {change} WHERE key = 'key 7'")
    with closing(Journal(path)) as journal:
        with pytest.raises(StorageError, match="cannot be read"):
            journal.recall("key 7")
        with pytest.raises(StorageError, match="cannot be read"):
            list(journal.answers())


def test_damage_that_is_met_while_writing_is_no_want_of_space(tmp_path: Path) -> None:
    """Who is told to free disk space has too little of it."""
    path = written(tmp_path / "journal.db")
    with closing(Journal(path)) as journal:
        malformed(path)
        with pytest.raises(StorageError) as caught:
            journal.begin()
    assert caught.value.message.startswith(f"The journal {path} is damaged: ")
    assert caught.value.remedy == "Delete that file and run the export again: it begins anew."


def test_a_damaged_last_database_is_not_taken_for_the_journal(tmp_path: Path) -> None:
    """When a new crawl takes over what is known, the file that is damaged is the one that is named."""
    database, _ = Crawl(tmp_path / "data").structure().tasks(task("a")).build()
    database.write_bytes(database.read_bytes()[:20000] + b"\xff" * (database.stat().st_size - 20000))
    with pytest.raises(StorageError, match=f"The database of the last export, {database}, is damaged"):
        open_journal(tmp_path / "journal.db", "9", SOURCE, since=None, previous=database, now=STARTED)
