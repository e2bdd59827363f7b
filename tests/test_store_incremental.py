"""An incremental build over the previous database is what a full build over the same facts is."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit import parquet
from clickup_toolkit.records import TABLES
from clickup_toolkit.store import document_tasks
from clickup_toolkit.store.schema import ALL_TABLES
from tests.exporting import head_of
from tests.journals import HOUR, STARTED, Crawl, entry, person, rows, stays, task

NEXT = STARTED + 5 * HOUR
CREATED = 1_700_000_000_000
_TIMED = {"tasks": {"as_of", "status_ms", "age_ms"}, "time_in_status": {"as_of"}}
_HISTORY = {"status_changes", "deleted_tasks", "missing_tasks", "exports", "raw"}


def _tables(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows but history and what depends on when it was read."""
    found = {}
    for table in ALL_TABLES.values():
        kept = [f'"{c.name}"' for c in table.columns if c.name not in _TIMED.get(table.name, ())]
        if table.name not in _HISTORY:
            order = ", ".join(f'"{key}"' for key in table.key)
            found[table.name] = rows(
                database, f'SELECT {", ".join(kept)} FROM "{table.name}" ORDER BY {order}'
            )
    return found


class _World:
    """A little workspace that changes at random."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.tasks: dict[str, dict[str, Any]] = {}
        self.times: dict[str, Any] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self.touched: set[str] = set()
        self.list_name = "Board"
        self.clock = CREATED
        for _ in range(8):
            self.change()

    def change(self) -> None:
        """Make, edit, move or track time on a task, or drop or rename something."""
        self.clock += 1000
        kinds = (self._make, self._edit, self._move, self._track, self._untrack, self._rename)
        self.chance.choice(kinds)()

    def _make(self) -> None:
        self._put(task(f"t{self.clock}", date_created=str(self.clock)))

    def _put(self, told: dict[str, Any]) -> None:
        told["date_updated"] = str(self.clock)
        self.tasks[told["id"]] = told
        self.times[told["id"]] = stays(("to do", 1, CREATED), (told["status"]["status"], 2, self.clock))
        self.touched.add(told["id"])

    def _some(self) -> dict[str, Any]:
        if not self.tasks:
            self._make()
        return copy.deepcopy(self.chance.choice(list(self.tasks.values())))

    def _edit(self) -> None:
        old = self._some()
        new = task(old["id"], self.chance.choice(["in progress", "Closed"]), at=old["list"]["id"])
        people = [person(key, name) for key, name in ((1, "Ada"), (2, "Bob")) if self.chance.random() < 0.5]
        fields = [{"id": "f1", "name": "Risk", "type": "number", "value": str(self.clock)}]
        more = {"assignees": people, "watchers": people[:1], "tags": [{"name": f"tag {self.clock}"}]}
        self._put({**new, "date_created": old["date_created"], **more, "custom_fields": fields})

    def _move(self) -> None:
        old = self._some()
        new = task(old["id"], old["status"]["status"], at=self.chance.choice(["L1", "L2"]))
        self._put({**new, "date_created": old["date_created"], "locations": [{"id": "L2", "name": "Inbox"}]})

    def _track(self) -> None:
        on = self._some()["id"] if self.chance.random() < 0.8 else None
        told = entry(
            f"e{self.clock}", on, STARTED - HOUR + self.clock % HOUR, HOUR, self.chance.choice([1, 2])
        )
        self.entries[told["id"]] = told

    def _untrack(self) -> None:
        if self.entries:
            self.entries.pop(self.chance.choice(list(self.entries)))

    def _rename(self) -> None:
        self.list_name = f"Board {self.clock}"

    def tell(self, crawl: Crawl, only: set[str] | None = None) -> Crawl:
        """Tell a crawl everything, or of the tasks only these."""
        crawl.structure(list_name=self.list_name, people={1: "Ada", 2: "Bob"})
        chosen = [told for key, told in self.tasks.items() if only is None or key in only]
        crawl.tasks(*chosen).times(**{told["id"]: self.times[told["id"]] for told in chosen})
        span = {"start": STARTED - 2 * HOUR, "end": NEXT}
        return crawl.entries(*self.entries.values(), members="1,2", **span)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 12), st.booleans())
def test_incremental_equals_full(
    tmp_path_factory: pytest.TempPathFactory, seed: int, changes: int, other_release: bool
) -> None:
    """After any changes, reading only what changed gives the tables and tasks that reading all gives."""
    folder = tmp_path_factory.mktemp("incremental")
    world = _World(seed)
    previous, _ = world.tell(Crawl(folder)).build()
    if other_release:
        rows(previous, "PRAGMA user_version = 1")
    world.touched.clear()
    for _ in range(changes):
        world.change()
    few, export = world.tell(Crawl(folder, "incremental", NEXT), world.touched).build("few", previous)
    full, _ = world.tell(Crawl(folder, "full", NEXT)).build("full", previous)
    assert export.mode == "incremental"
    assert _tables(few) == _tables(full)
    assert _undated(few) == _undated(full)
    assert rows(few, "SELECT task_id, from_status, to_status FROM status_changes") == rows(
        full, "SELECT task_id, from_status, to_status FROM status_changes"
    )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 3))
def test_columnar_files_that_stay_are_those_written_anew(
    tmp_path_factory: pytest.TempPathFactory, seed: int, changes: int
) -> None:
    """After any changes, the folder that holds files of the export before is as if it had been empty.

    Files stay, are mended or are made anew: in these little ones the row groups and limits are little, too.
    """
    folder = tmp_path_factory.mktemp("columnar")
    world = _World(seed)
    previous, _ = world.tell(Crawl(folder)).build()
    world.touched.clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, little in (("_ROWS", 3), ("_AT_ONCE", 1), ("_WORTH", 1)):
            patch.setattr(parquet, name, little)
        parquet.write(previous, folder / "parquet")
        for _ in range(changes):
            world.change()
        database, _ = world.tell(Crawl(folder, "incremental", NEXT), world.touched).build("next", previous)
        parquet.write(database, folder / "parquet")
        parquet.write(database, folder / "anew")
    assert _columnar(folder / "parquet") == _columnar(folder / "anew")


def _columnar(folder: Path) -> dict[str, pa.Table]:
    return {name: pq.ParquetFile(folder / name / "part-0.parquet").read() for name in TABLES}


def _undated(database: Path) -> tuple[Any, list[tuple[str, Any]]]:
    """Return the document without what depends on when it was read."""
    tasks = [(key, json.loads(body)) for key, body in document_tasks(database)]
    for _, one in tasks:
        for name in ("as_of", "age_ms", "status_ms"):
            del one["analytics"][name]
    head = head_of(database)
    return [head[name] for name in ("workspace", "spaces", "folders", "lists", "members", "gaps")], tasks


def test_an_entry_that_vanished_from_a_span_is_removed(tmp_path: Path) -> None:
    """Within what was read again the answer is all there is; outside of it nothing is touched."""
    crawl = Crawl(tmp_path).structure().tasks(task("a"))
    kept = [entry("before", "a", STARTED - 9 * HOUR, 5), entry("of other", "a", STARTED - 10, 5, member=2)]
    gone = entry("gone", "a", STARTED - 10, 5)
    previous, _ = crawl.entries(*kept, gone, members="1,2").build()
    again = Crawl(tmp_path, "incremental", NEXT).structure()
    again.entries(entry("new", "a", STARTED, 7), start=STARTED - HOUR, end=NEXT)
    database, export = again.build(previous=previous)
    assert rows(database, "SELECT id FROM time_entries ORDER BY id") == [("before",), ("new",), ("of other",)]
    assert rows(database, "SELECT tracked_ms, tracked_entries FROM tasks") == [(17, 3)]
    assert rows(database, "SELECT id FROM raw WHERE id = 'gone'") == []
    assert (export.time_entries, export.changed, export.deleted) == (3, 0, 0)


def test_columnar_files_stay_while_no_row_of_their_table_is_written(tmp_path: Path) -> None:
    """Entries that are read again as they were write nothing; one that changed does, with its task."""
    span = {"members": "1", "start": STARTED - HOUR, "end": NEXT}
    told = [entry(f"e{task_id}", task_id, STARTED - 5, HOUR) for task_id in "ab"]
    crawl = Crawl(tmp_path).structure().tasks(task("a"), task("b")).times(a=stays(("to do", 1, CREATED)))
    previous, _ = crawl.entries(*told).build()
    before = _files(previous, tmp_path)
    again = Crawl(tmp_path, "incremental", NEXT).structure().entries(*told, **span)
    same, _ = again.build("same", previous)
    structure = {"workspaces", "spaces", "folders", "lists", "statuses", "members", "task_types", "gaps"}
    as_before = _files(same, tmp_path)
    assert {name for name in TABLES if before[name] != as_before[name]} == structure | {"exports"}
    told[0] = entry("ea", "a", STARTED - 5, 2 * HOUR)
    later = Crawl(tmp_path, "incremental", NEXT + HOUR).structure().entries(*told, **span)
    changed, _ = later.build("changed", same)
    last = _files(changed, tmp_path)
    of_task = {"tasks", "task_lists", "time_entries", "time_in_status"}
    assert {name for name in TABLES if as_before[name] != last[name]} == structure | {"exports"} | of_task
    tracked = pq.read_table(tmp_path / "parquet/tasks", columns=["id", "tracked_ms"]).to_pylist()
    assert tracked == [{"id": "a", "tracked_ms": 2 * HOUR}, {"id": "b", "tracked_ms": HOUR}]


def test_a_row_group_of_which_nothing_stays_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A columnar file can be mended again after all rows of a group have vanished."""
    for name, little in (("_ROWS", 2), ("_AT_ONCE", 1), ("_WORTH", 1)):
        monkeypatch.setattr(parquet, name, little)
    told = [entry(f"e{number}", None, STARTED - 5, HOUR + number) for number in range(6)]
    database, _ = Crawl(tmp_path).structure().entries(*told).build()
    parquet.write(database, tmp_path / "parquet")
    for hours, kept in enumerate((told[:2] + told[4:], told[:1] + told[4:])):
        crawl = Crawl(tmp_path, "incremental", NEXT + hours * HOUR).structure()
        crawl.entries(*kept, members="1", start=STARTED - HOUR, end=NEXT)
        database, _ = crawl.build(f"later-{hours}", database)
        parquet.write(database, tmp_path / "parquet")
    file = pq.ParquetFile(tmp_path / "parquet/time_entries/part-0.parquet")
    assert file.read(["id"]).column("id").to_pylist() == ["e0", "e4", "e5"]
    assert file.num_row_groups == 2


def _files(database: Path, folder: Path) -> dict[str, int]:
    """Write the columnar files and return which they are: a file that is written anew is another one."""
    parquet.write(database, folder / "parquet")
    return {name: (folder / "parquet" / name / "part-0.parquet").stat().st_mtime_ns for name in TABLES}


def test_an_incremental_crawl_calls_nothing_deleted(tmp_path: Path) -> None:
    """Tasks that were not asked for stay as they were."""
    previous, _ = Crawl(tmp_path).structure().tasks(task("a"), task("b")).build()
    database, export = Crawl(tmp_path, "incremental", NEXT).structure().tasks(task("b")).build("x", previous)
    assert (export.tasks, export.deleted) == (2, 0)
    assert rows(database, "deleted_tasks") == []


def test_legacy_entries_are_remembered_while_clickup_counts_them(tmp_path: Path) -> None:
    """They stay without being asked for again, until ClickUp's own sum has no room for them."""
    gone = [{"user": person(8, "Gone"), "intervals": [{"id": "g", "time": "1000"}]}]
    crawl = Crawl(tmp_path).structure().tasks(task("a", time_spent=1000))
    first, _ = crawl.says("task_time", {"data": gone}, task_id="a").build()
    for mode in ("incremental", "full"):
        crawl = Crawl(tmp_path, mode, NEXT).structure().tasks(task("a", time_spent=1000))
        kept, _ = crawl.build(f"kept-{mode}", first)
        assert rows(kept, "SELECT id, task_id, route FROM time_entries") == [("g", "a", "task")]
        crawl = Crawl(tmp_path, mode, NEXT).structure().tasks(task("a", time_spent=0))
        dropped, _ = crawl.build(f"dropped-{mode}", first)
        assert rows(dropped, "time_entries") == []
        assert rows(dropped, "SELECT tracked_entries FROM tasks") == [(0,)]


def test_odd_time_in_status_stays_a_gap_until_it_is_read_again(tmp_path: Path) -> None:
    """A gap about a task that was not read again stays; it goes when ClickUp's answer is understood."""
    odd = {"current_status": None, "status_history": [5]}
    first = Crawl(tmp_path / "first").structure().tasks(task("a"), task("b")).times(a=odd, b=odd)
    previous, _ = first.build()
    again = Crawl(tmp_path / "again", "incremental", NEXT).structure().tasks(task("a"))
    database, _ = again.times(a=stays(("to do", 1, CREATED))).build(previous=previous)
    assert rows(database, "SELECT what, id, code FROM gaps") == [("time_in_status", "b", "NOT_UNDERSTOOD")]
