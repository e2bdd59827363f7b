"""Journals for tests: a crawl told page by page, and short forms of what ClickUp sends."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from clickup_toolkit import store
from clickup_toolkit.client import Answer
from clickup_toolkit.records import Export, Gap

__all__ = ["STARTED", "Crawl", "entry", "person", "rows", "stays", "task"]

STARTED = 1_763_892_000_000  # 2025-11-23T10:00:00Z
HOUR = 3_600_000
STATUSES = [
    {"id": "p1", "status": "to do", "type": "open", "orderindex": 0, "color": "#d3d3d3"},
    {"id": "p2", "status": "in progress", "type": "custom", "orderindex": 1, "color": "#a875ff"},
    {"id": "p3", "status": "Closed", "type": "closed", "orderindex": 2, "color": "#6bc950"},
]
_TYPES = {status["status"]: status for status in STATUSES}


class Crawl:
    """A crawl that writes its journal as a test tells it; one second passes between two answers."""

    def __init__(self, folder: Path, mode: str = "full", started: int = STARTED, team: str = "9") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.started = started
        self.clock = started
        path = folder / "journal.db"
        for old in folder.glob("journal.db*"):
            old.unlink()
        self.journal = store.Journal(path)
        self.journal.note_facts({"team_id": team, "mode": mode, "started": str(started)})

    def says(self, stream: str, body: object, **context: str) -> Crawl:
        """Note an answer; ``body`` may be JSON text already."""
        self.clock += 1000
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self.journal.record(f"{stream}-{self.clock}", Answer(stream, context, self.clock, sent))
        return self

    def lacks(self, what: str, id: str = "", code: str = "OAUTH_027") -> Crawl:  # noqa: A002
        """Note a gap."""
        self.journal.note_gap(Gap(what, id, code, "Refused.", "Share it."))
        return self

    def structure(
        self, *, list_name: str = "Board", people: dict[int, str] | None = None, **archived: bool
    ) -> Crawl:
        """Tell a workspace of one space with a folder with a list, and a folderless list."""
        listed = {"id": "L1", "name": list_name, "orderindex": 0, "task_count": 3, "statuses": STATUSES}
        folder = {"id": "F1", "name": "Web", "hidden": False, "space": {"id": "S1"}, "statuses": []}
        loose = {"id": "L2", "name": "Inbox", "space": {"id": "S1"}, "folder": {"id": "F0", "hidden": True}}
        joined = {"role": 1, "date_joined": "1600000000000"}
        members = [
            {"user": {"id": key, "username": name, **joined}} for key, name in (people or {1: "Ada"}).items()
        ]
        self.says("teams", {"teams": [{"id": "9", "name": "Acme", "members": members}]})
        self.says(
            "spaces", {"spaces": [{"id": "S1", "name": "Product", "statuses": STATUSES}]}, archived="false"
        )
        place = {"space_id": "S1", "archived": "false", "in_archived": "false"}
        folders = [{**folder, "lists": [{**listed, "archived": archived.get("list", False)}]}]
        self.says("folders", {"folders": folders}, **place)
        return self.says("folderless_lists", {"lists": [loose]}, **place)

    def tasks(self, *tasks: dict[str, Any], **context: str) -> Crawl:
        """Tell a page of tasks of the workspace-wide route."""
        return self.says("tasks", {"tasks": list(tasks), "last_page": True}, **{"route": "team", **context})

    def times(self, **by_task: dict[str, Any]) -> Crawl:
        """Tell a page of time in status."""
        return self.says("time_in_status", by_task)

    def entries(self, *entries: dict[str, Any], members: str = "1", start: int = 0, end: int = 0) -> Crawl:
        """Tell the time entries of a span."""
        span = {"assignees": members, "start": str(start), "end": str(end or self.started)}
        return self.says("time_entries", {"data": list(entries)}, **span)

    def build(self, name: str = "", previous: Path | None = None) -> tuple[Path, Export]:
        """Build the database and return where it lies and its export's row. Versions grow with time."""
        version = name if name[:1].isdigit() else f"v{self.started} {name}".strip()
        target = self.folder / f"clickup-{name or version}.db"
        export = store.build_database(
            self.journal, target, previous=previous, version=version, now=lambda: self.started / 1000 + 60
        )
        self.journal.close()
        return target, export


def person(key: int, name: str) -> dict[str, Any]:
    """Return a person as they stand on a task."""
    return {"id": key, "username": name, "color": "#fff", "email": f"{name.lower()}@example.com"}


def task(key: str, status: str = "to do", *, at: str = "L1", **more: Any) -> dict[str, Any]:
    """Return a task of the list ``at``."""
    chosen = _TYPES.get(status, {"status": status, "type": "custom", "color": None})
    folder = {"id": "F1", "name": "Web", "hidden": False}
    return {
        "id": key,
        "name": f"Task {key}",
        "status": {name: chosen[name] for name in ("status", "type", "color")},
        "date_created": "1700000000000",
        "date_updated": "1700000001000",
        "creator": person(1, "Ada"),
        "locations": [],
        "list": {"id": at, "name": "as sent", "access": True},
        "folder": folder if at == "L1" else {"id": "F0", "name": "hidden", "hidden": True},
        "space": {"id": "S1"},
        **more,
    }


def stays(*history: tuple[str, int, int]) -> dict[str, Any]:
    """Return a time in status: (status, minutes, since); the last one is the current."""
    told = [
        {
            "status": status,
            "type": _TYPES[status]["type"],
            "color": _TYPES[status]["color"],
            "orderindex": _TYPES[status]["orderindex"],
            "total_time": {"by_minute": minutes, "since": str(since)},
        }
        for status, minutes, since in history
    ]
    current = {key: told[-1][key] for key in ("status", "color", "total_time")}
    return {"current_status": current, "status_history": told}


def entry(key: str, on: str | None, start: int, ms: int, member: int = 1, **more: Any) -> dict[str, Any]:
    """Return a time entry."""
    return {
        "id": key,
        "task": {"id": on} if on else None,
        "user": person(member, {1: "Ada", 2: "Bob"}.get(member, "Eve")),
        "billable": False,
        "start": str(start),
        "end": str(start + ms),
        "duration": str(ms),
        "tags": [],
        "at": str(start + ms),
        **more,
    }


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a question to a database; a bare table name asks for all of it."""
    question = sql if " " in sql else f'SELECT * FROM "{sql}"'
    with closing(sqlite3.connect(database)) as db:
        return db.execute(question).fetchall()
