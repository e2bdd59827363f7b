"""The journal: every answered page, compressed, before anything else happens to it.

One SQLite file in the data folder. A crawl asks the journal first; what an interrupted crawl has already
been told is not asked again. A finished crawl is normalised from its journal, so that step can be repeated
without the API. What stands in the journal is committed page by page and survives SIGKILL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from isal import isal_zlib

from clickup_toolkit.client import Answer
from clickup_toolkit.errors import JournalDamaged, Refused
from clickup_toolkit.normalise import redact
from clickup_toolkit.normalise.values import EARLIEST, LATEST
from clickup_toolkit.records import Gap
from clickup_toolkit.store.damage import BEGIN_ANEW, last_database_damaged, read_errors, write_errors
from clickup_toolkit.store.readings import Readings

__all__ = ["Journal"]

DAY_MS = 24 * 3_600_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, stream TEXT NOT NULL, context TEXT NOT NULL,
    received INTEGER NOT NULL, refusal TEXT, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS answers_by_stream ON answers (stream, seq);
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, updated INTEGER, time_spent INTEGER NOT NULL, list_id TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, task_id TEXT, duration INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_task ON entries (task_id, duration);
CREATE TABLE IF NOT EXISTS known_lists (id TEXT PRIMARY KEY, open INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known_filled (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known_entries (
    id TEXT PRIMARY KEY, task_id TEXT, duration INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known_spent (id TEXT PRIMARY KEY, time_spent INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS covered (what TEXT, id TEXT, PRIMARY KEY (what, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (
    what TEXT, id TEXT, code TEXT, message TEXT, remedy TEXT, PRIMARY KEY (what, id, code)) WITHOUT ROWID;
"""
_FAST = 1  # isal's level: seven times smaller at 800 MB/s


class Journal:
    """What one crawl has been told, in order, without the secrets in it.

    ``facts`` describe the crawl (workspace, mode, start); a journal with other facts is another crawl's.
    Raises :class:`~clickup_toolkit.errors.StorageError` where the file cannot be written, and
    :class:`~clickup_toolkit.errors.JournalDamaged` where what stands in it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path.absolute().as_uri(), uri=True, isolation_level=None, check_same_thread=False
            )
            # A killed process loses nothing without syncs; only a power cut could, and a crawl can be redone.
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _SCHEMA)
            self.readings = Readings(self._db, path)

    @property
    def facts(self) -> dict[str, str]:
        """What the crawl is: ``team_id``, ``mode``, ``started`` (ms) and what else it noted."""
        return dict(self._read("SELECT name, value FROM facts"))

    def note_facts(self, facts: Mapping[str, str]) -> None:
        """Add to the facts, overwriting those of the same name."""
        self._write("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    @property
    def started(self) -> int:
        """When the crawl began, in ms since 1970 UTC."""
        return int(self.facts["started"])

    @property
    def team_id(self) -> str:
        """The workspace that was crawled."""
        return self.facts["team_id"]

    @property
    def mode(self) -> str:
        """``full`` or ``incremental``."""
        return self.facts["mode"]

    @property
    def watermark(self) -> int:
        """When the crawl began by ClickUp's clock, in ms since 1970 UTC, or a little earlier."""
        return self.started - max(0, int(self.facts.get("ahead", "0")))

    def note_ahead(self, ahead: int | None) -> None:
        """Remember how far our clock is ahead of ClickUp's (ms), the first time it is known."""
        if ahead is not None and "ahead" not in self.facts:
            self.note_facts({"ahead": str(ahead)})

    @property
    def since(self) -> int | None:
        """From when on changes are to be read (ms since 1970 UTC); None: everything."""
        since = self.facts.get("since")
        return None if since is None else int(since)

    @property
    def streams(self) -> frozenset[str]:
        """The optional streams that this crawl reads."""
        return frozenset(self.facts.get("streams", "").split())

    def recall(self, key: str) -> Answer | Refused | None:
        """Return what was answered to the request ``key``, or None when it was not asked yet."""
        rows = self._read(
            "SELECT stream, context, received, body, refusal FROM answers WHERE key = ?", (key,)
        )
        if not rows:
            return None
        *answer, refusal = rows[0]
        with read_errors(self.path):
            return _answer(answer) if refusal is None else Refused(**msgspec.json.decode(refusal))

    def record(self, key: str, answer: Answer) -> None:
        """Append an answer."""
        body = isal_zlib.compress(redact.page(answer.body), _FAST)
        row = (key, answer.stream, _text(answer.context), answer.received, None, body)
        self._write(f"INSERT INTO answers {_COLUMNS}", [row])

    def record_refusal(self, key: str, stream: str, refusal: Refused) -> None:
        """Append the fact that a request was refused for good."""
        facts = {
            "message": refusal.message,
            "remedy": refusal.remedy,
            "status": refusal.status,
            "code": refusal.code,
        }
        self._write(f"INSERT INTO answers {_COLUMNS}", [(key, stream, "{}", 0, _text(facts), b"")])

    def answers(self, *streams: str) -> Iterator[Answer]:
        """Yield the answers of these streams (of all, if none is named) in the order of their arrival."""
        chosen = f"stream IN ({','.join('?' * len(streams))})" if streams else "1"
        question = (
            "SELECT stream, context, received, body FROM answers "  # noqa: S608  # placeholders only
            f"WHERE refusal IS NULL AND {chosen} ORDER BY seq"
        )
        with read_errors(self.path):
            yield from map(_answer, self._db.execute(question, streams))

    def begin(self) -> None:
        """Forget what was derived from answers: gaps, tasks, entries. A crawl derives it again."""
        for table in ("tasks", "entries", "covered", "gaps"):
            self._write(f"DELETE FROM {table}", [()])  # noqa: S608  # our own names
        self._write("INSERT INTO entries SELECT * FROM known_entries", [()])

    def know(self, previous: Path, reread: tuple[int, int] | None, read_since: int) -> None:
        """Take over from the ``previous`` database what need not be asked for again, and forget all other.

        These are the entries that were read task by task or of people who left, and the tasks of which they
        were not all. On top of that, an incremental crawl, which reads time entries in the span ``reread``
        (ms) again, takes over the lists and the other entries. What is read thing by thing is not read again
        where it was since ``read_since`` (ms) and did not change.
        """
        self.forget()
        try:
            self._know(previous, reread, read_since)
        except JournalDamaged as error:  # this file is new: what is damaged is the one beside it
            raise last_database_damaged(previous, error.__cause__) from error

    def forget(self) -> None:
        """Know nothing of earlier crawls any more: their database is gone, and what it held with it."""
        with write_errors(self.path):
            for table in ("known_lists", "known_filled", "known_entries", "known_spent"):
                self._write(f"DELETE FROM {table}", [()])  # noqa: S608  # our own names
            self.readings.forget()

    def _know(self, previous: Path, reread: tuple[int, int] | None, read_since: int) -> None:
        with write_errors(self.path):
            self._db.execute("ATTACH DATABASE ? AS previous", (f"{previous.as_uri()}?mode=ro&immutable=1",))
            start, end = reread or (EARLIEST, LATEST)
            self._write(_KNOW_ENTRIES, [(reread is not None, start, end)])
            self._write(_KNOW_SPENT, [()])
            if reread:
                self._write(_KNOW_LISTS, [()])
                self._write(_KNOW_FILLED, [()])
            self.readings.know(read_since, everything=reread is None)
            self._db.execute("DETACH DATABASE previous")

    def note_tasks(self, tasks: Iterable[tuple[str, int | None, int, str | None]]) -> None:
        """Remember tasks: id, date_updated (ms), time_spent (ms), home list. The last reading holds."""
        self._write("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?)", tasks)

    def note_entries(self, entries: Iterable[tuple[str, str | None, int]]) -> None:
        """Remember time entries: id, task, duration (ms). The last reading holds."""
        self._write("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", entries)

    def count_tasks(self) -> int:
        """Return how many tasks were noted."""
        return int(self._read("SELECT count(*) FROM tasks")[0][0])

    def task_ids(self, after: str, most: int) -> list[str]:
        """Return up to ``most`` ids of noted tasks behind ``after``, in order."""
        rows = self._read("SELECT id FROM tasks WHERE id > ? ORDER BY id LIMIT ?", (after, most))
        return [row[0] for row in rows]

    def tasks_by_list(self) -> dict[str, int]:
        """Return how many tasks were noted in each home list."""
        return dict(
            self._read("SELECT list_id, count(*) FROM tasks WHERE list_id IS NOT NULL GROUP BY list_id")
        )

    def known_lists(self) -> set[str]:
        """Return the lists that the export before held and that lay in no archived place."""
        return {row[0] for row in self._db.execute("SELECT id FROM known_lists WHERE open")}

    def unknown_lists(self, known: Iterable[str]) -> set[str]:
        """Return the home lists of noted tasks that are neither in ``known`` nor known from before."""
        return self.tasks_by_list().keys() - self.lists_before() - set(known)

    def lists_before(self) -> set[str]:
        """Return the lists that the export before held, open or not."""
        return {row[0] for row in self._read("SELECT id FROM known_lists")}

    def filled_before(self) -> set[str]:
        """Return the lists in which ClickUp counted tasks at the export before."""
        return {row[0] for row in self._read("SELECT id FROM known_filled")}

    def undertracked_tasks(self) -> list[str]:
        """Return the tasks whose time_spent exceeds their noted entries, and was not found to before."""
        rows = self._read(
            "SELECT tasks.id FROM tasks LEFT JOIN entries ON task_id = tasks.id "
            "WHERE time_spent > 0 GROUP BY tasks.id HAVING time_spent > coalesce(sum(duration), 0) "
            "AND (tasks.id, time_spent) NOT IN (SELECT id, time_spent FROM known_spent) ORDER BY tasks.id"
        )
        return [row[0] for row in rows]

    def note_covered(self, what: str, id: str) -> None:  # noqa: A002
        """Remember that this crawl asks for ``what`` of ``id``: earlier gaps about it are settled."""
        self._write("INSERT OR IGNORE INTO covered VALUES (?, ?)", [(what, id)])

    def covers(self, gap: Gap) -> bool:
        """Tell whether this crawl asked for what an earlier gap is about."""
        return bool(self._read("SELECT 1 FROM covered WHERE what = ? AND id = ?", gap[:2]))

    def note_gap(self, gap: Gap) -> None:
        """Remember that something could not be read."""
        self._write("INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?)", [gap])

    def gaps(self) -> list[Gap]:
        """Return what could not be read."""
        return [Gap(*row) for row in self._read("SELECT * FROM gaps ORDER BY what, id, code")]

    def check(self) -> None:
        """Read all of the file; raises :class:`~clickup_toolkit.errors.JournalDamaged` if it is damaged."""
        found = self._read("PRAGMA quick_check(1)")
        if found != [("ok",)]:
            raise JournalDamaged(f"The journal {self.path} is damaged: {found[0][0]}.", BEGIN_ANEW)
        # SQLite takes a page that was cut off for one that ends in zeros: only the answers themselves tell.
        for _ in self.answers():
            pass

    def close(self) -> None:
        """Close the file; what was noted stays."""
        self._db.close()

    def _read(self, question: str, values: Sequence[object] = ()) -> list[Any]:
        with read_errors(self.path):
            return self._db.execute(question, values).fetchall()

    def _write(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with write_errors(self.path):
            try:
                self._db.execute("BEGIN")
                self._db.executemany(statement, rows)
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


_KNOW_ENTRIES = """
INSERT INTO known_entries SELECT id, task_id, coalesce(duration_ms, 0) FROM previous.time_entries
WHERE route = 'task' OR member_id IN (SELECT id FROM previous.members WHERE state = 'left')
OR (? AND (start IS NULL OR strftime('%s', start) * 1000 NOT BETWEEN ? AND ?))
"""
# A list that the last crawl was not shown may have been archived since: what changed there was not read.
_KNOW_LISTS = """
INSERT INTO known_lists SELECT l.id, NOT (coalesce(l.archived, 0) OR coalesce(l.in_archived, 0))
    AND coalesce(raw.received >= (SELECT started FROM previous.exports ORDER BY version DESC LIMIT 1), 0)
FROM previous.lists AS l LEFT JOIN previous.raw ON raw.kind = 'list' AND raw.id = l.id
"""
_KNOW_FILLED = "INSERT INTO known_filled SELECT id FROM previous.lists WHERE task_count > 0"
_KNOW_SPENT = """
INSERT INTO known_spent SELECT id, time_spent_ms FROM previous.tasks WHERE time_spent_ms > tracked_ms
AND id NOT IN (SELECT id FROM previous.gaps WHERE what = 'time_entries' AND code <> 'TIME_MISSING')
"""
_COLUMNS = "(key, stream, context, received, refusal, body) VALUES (?, ?, ?, ?, ?, ?)"


def _answer(row: Sequence[object]) -> Answer:
    stream, context, received, body = row
    return Answer(
        str(stream),
        msgspec.json.decode(str(context), type=dict[str, str]),
        int(str(received)),
        isal_zlib.decompress(body),
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
