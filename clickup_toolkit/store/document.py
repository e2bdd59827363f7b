"""The JSON document of a database: what it is in its head, and its tasks one by one.

Each task keeps every key that ClickUp sent, each value byte for byte; only ``space`` gets its name. Beside
them stand ``time_in_status`` and ``time_summary`` as ClickUp sent them, and ``analytics``. Tasks come in the
order of their creation, entries by their start: nothing in a task depends on when it was fetched but what
:data:`~clickup_toolkit.normalise.enrich.ANALYTICS` marks so, and ClickUp's own running sums.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from clickup_toolkit.normalise.shapes import mapping
from clickup_toolkit.records import TABLES, Gap, Table
from clickup_toolkit.store import document_extras
from clickup_toolkit.store.files import storage_errors

__all__ = ["SCHEMA_VERSION", "document_head", "document_tasks"]

SCHEMA_VERSION = 1

_encode = msgspec.json.Encoder().encode


def _reading(database: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    db.execute("PRAGMA cache_size = -4000")  # rows are read in order: more holds memory and saves nothing
    return db


def gaps(database: Path) -> list[Gap]:
    """Return what the export of a database could not read."""
    with storage_errors(database), closing(_reading(database)) as db:
        return [Gap(*row) for row in db.execute("SELECT * FROM gaps ORDER BY what, id, code")]


def document_head(database: Path) -> Iterator[bytes]:
    """Yield the JSON text of everything of the document but its tasks, in parts, up to ``"data":[``.

    Times are ISO 8601 text in UTC. ``as_of`` says which part holds as of when: an incremental export reads
    the structure, what changed, and recent time entries; the rest is as the last full export read it.
    Memory stays flat.
    """
    with storage_errors(database), closing(_reading(database)) as db:
        yield b"{"
        for name, value in _head(db).items():
            yield _encode(name) + b":"
            yield from _array(value) if isinstance(value, Iterator) else (_encode(value),)
            yield b","
        yield b'"data":['


def _array(items: Iterator[object]) -> Iterator[bytes]:
    yield b"["
    for number, item in enumerate(items):
        yield b"," + _encode(item) if number else _encode(item)
    yield b"]"


def _head(db: sqlite3.Connection) -> dict[str, object]:
    """Return what stands beside the tasks, in its order; what there may be many of as iterators."""
    export = _last(db, "1")
    whole = _last(db, "mode = 'full'") or export
    return {
        "status": "success",
        "version": export.get("version"),
        "schema_version": SCHEMA_VERSION,
        "updated_at": export.get("finished") or export.get("started"),
        "as_of": {
            "structure": export.get("started"),
            "tasks": export.get("started"),
            "archived_tasks": whole.get("started"),
            "time_entries": export.get("started"),
            "older_time_entries": whole.get("started"),
            **document_extras.as_of(db, export.get("started")),
        },
        "workspace": next(_objects(db, "workspaces"), None),
        "spaces": _objects(db, "spaces"),
        "folders": _objects(db, "folders"),
        "lists": _lists(db),
        "members": _objects(db, "members"),
        "custom_fields": _objects(db, "custom_fields"),
        "unassigned_time_entries": (msgspec.Raw(body) for (body,) in db.execute(_UNASSIGNED)),
        "gaps": _objects(db, "gaps"),
        **document_extras.head(db),
    }


def _last(db: sqlite3.Connection, which: str) -> dict[str, object]:
    return next(_objects(db, "exports", f"WHERE {which} ORDER BY version DESC LIMIT 1"), {})


def _objects(
    db: sqlite3.Connection, name: str, clause: str = "", values: tuple[object, ...] = ()
) -> Iterator[dict[str, object]]:
    """Yield the rows of a table as objects, in the order of its key."""
    table = TABLES[name]
    keys = ", ".join(f'"{key}"' for key in table.key)
    rows = f'SELECT * FROM "{name}" {clause or "ORDER BY " + keys}'  # noqa: S608  # our own names
    for row in db.execute(rows, values):
        yield _object(table, row)


def _object(table: Table, row: tuple[Any, ...]) -> dict[str, object]:
    return {
        column.name: _READ[column.type](value) if value is not None and column.type in _READ else value
        for column, value in zip(table.columns, row, strict=True)
    }


_READ: dict[str, Any] = {"BOOLEAN": bool, "JSON": lambda text: msgspec.Raw(text.encode())}


def _lists(db: sqlite3.Connection) -> Iterator[dict[str, object]]:
    """Yield the lists, each with the statuses that it offers."""
    for row in _objects(db, "lists"):
        statuses = list(_objects(db, "statuses", _OF_LIST, (row["id"],)))
        for status in statuses:
            del status["list_id"]
        yield {**row, "statuses": statuses}


_OF_LIST = "WHERE list_id = ? ORDER BY orderindex, status"


_ENTRY_BODY = """
JOIN raw ON raw.kind = CASE e.route WHEN 'task' THEN 'legacy_time' ELSE 'time_entry' END AND raw.id = e.id
"""
_UNASSIGNED = f"""
SELECT CAST(raw.body AS BLOB) FROM time_entries AS e {_ENTRY_BODY}
WHERE e.task_id IS NULL OR e.task_id NOT IN (SELECT id FROM tasks) ORDER BY e.start, e.id
"""  # noqa: S608  # our own text


class _Status(msgspec.Struct, gc=False):
    """A status the task has been in, as ``analytics.statuses`` shows it."""

    status: str
    type: str | None
    total_ms: int
    share: float | None
    since: str | None
    current: bool


class _Tracked(msgspec.Struct, gc=False):
    """A person's part of the tracked time, as ``analytics.tracked_by_member`` shows it."""

    member_id: str | None
    username: str | None
    tracked_ms: int = 0
    billable_ms: int = 0
    entries: int = 0


class _Analytics(msgspec.Struct, gc=False):
    """A task's ``analytics``; what the names mean stands in ``ANALYTICS``.

    The names up to ``as_of`` are columns of the table ``tasks``.
    """

    space_name: str | None
    folder_name: str | None
    list_name: str | None
    status: str | None
    status_type: str | None
    status_since: str | None
    status_ms: int | None
    lead_time_ms: int | None
    cycle_started: str | None
    cycle_time_ms: int | None
    age_ms: int | None
    time_estimate_ms: int | None
    time_spent_ms: int | None
    tracked_ms: int
    tracked_billable_ms: int
    tracked_entries: int
    as_of: str | None
    statuses: list[_Status] = []
    tracked_by_member: list[_Tracked] = []
    remaining_ms: int | None = None
    missing_ms: int = 0


_FACTS = ", ".join(
    f"t.{name}" for name in _Analytics.__struct_fields__[: _Analytics.__struct_fields__.index("statuses")]
)
_TASKS = f"""
SELECT t.id, CAST(raw.body AS BLOB), CAST(times.body AS BLOB), t.space_id, {_FACTS}
FROM tasks AS t CROSS JOIN raw ON raw.kind = 'task' AND raw.id = t.id
LEFT JOIN raw AS times ON times.kind = 'time_in_status' AND times.id = t.id
ORDER BY t.date_created, t.id
"""  # noqa: S608
_STATUSES = """
SELECT t.id, s.status, s.status_type, s.total_ms, s.share, s.since, s.current
FROM tasks AS t CROSS JOIN time_in_status AS s ON s.task_id = t.id
ORDER BY t.date_created, t.id, s.position
"""
_ENTRIES = f"""
SELECT t.id, CAST(raw.body AS BLOB), e.member_id, m.username,
    coalesce(e.duration_ms, 0), coalesce(e.billable, 0)
FROM tasks AS t CROSS JOIN time_entries AS e ON e.task_id = t.id {_ENTRY_BODY}
LEFT JOIN members AS m ON m.id = e.member_id
ORDER BY t.date_created, t.id, e.start, e.id
"""  # noqa: S608


def document_tasks(database: Path) -> Iterator[tuple[str, bytes]]:
    """Yield id and JSON text of every task, in the order of creation; memory stays flat."""
    with storage_errors(database), closing(_reading(database)) as db:
        extras = document_extras.TaskExtras(db)
        statuses = _Follower(db.execute(_STATUSES))
        entries = _Follower(db.execute(_ENTRIES))
        for task_id, body, times, space_id, *facts in db.execute(_TASKS):
            stays, tracked = statuses.of(task_id), entries.of(task_id)
            analytics = _analytics(facts, stays, tracked)
            added = b'"time_in_status":%b,"time_summary":[%b],"analytics":%b%b}' % (
                times or b"{}",
                b",".join([row[1] for row in tracked]),
                _encode(analytics),
                extras.of(task_id),
            )
            yield task_id, _with_space(body, space_id, analytics.space_name) + added


class _Follower:
    """Rows that belong to tasks, in the tasks' order; hands out those of one task after the other."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, task_id: str) -> list[tuple[Any, ...]]:
        """Return the rows of a task; each has the task's id first."""
        found: list[tuple[Any, ...]] = []
        while self._next is not None and self._next[0] == task_id:
            found.append(self._next)
            self._next = next(self._rows, None)
        return found


_ADDED = ("time_in_status", "time_summary", "analytics")


def _with_space(body: bytes, space_id: str | None, name: str | None) -> bytes:
    """Return a task as sent, with the name of its space, open for more keys: it ends in a comma."""
    if space_id is not None:
        # ClickUp sends the space last: then nothing before it needs to be looked at.
        end = b'"space":{"id":"%b"}}' % space_id.encode()
        if body.endswith(end):
            return b'%b,"name":%b},' % (body[:-2], _encode(name))
    task: dict[str, object] = dict(mapping(body) or {})
    task["space"] = _named_space(task.get("space"), space_id, name)
    for key in _ADDED:
        task.pop(key, None)
    return _encode(task)[:-1] + b","


def _named_space(sent: object, space_id: str | None, name: str | None) -> object:
    """Return ``space`` as sent, with its name where that was not sent."""
    parts = mapping(sent) if isinstance(sent, msgspec.Raw) else None
    space: dict[str, object] = {"id": space_id} if parts is None else dict(parts)
    space.setdefault("name", name)
    return space


def _analytics(
    facts: list[Any], statuses: list[tuple[Any, ...]], entries: list[tuple[Any, ...]]
) -> _Analytics:
    stays = [
        _Status(status, kind, total, share, since, bool(current))
        for _, status, kind, total, share, since, current in statuses
    ]
    found = _Analytics(*facts)
    found.statuses, found.tracked_by_member = stays, _by_member(entries)
    if found.time_estimate_ms is not None:
        found.remaining_ms = found.time_estimate_ms - found.tracked_ms
    found.missing_ms = max((found.time_spent_ms or 0) - found.tracked_ms, 0)
    return found


def _by_member(entries: list[tuple[Any, ...]]) -> list[_Tracked]:
    found: dict[str | None, _Tracked] = {}
    for _, _, member_id, username, duration, billable in entries:
        sums = found.setdefault(member_id, _Tracked(member_id, username))
        sums.tracked_ms += duration
        sums.billable_ms += duration if billable else 0
        sums.entries += 1
    return list(found.values())
