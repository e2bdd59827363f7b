"""What tests of whole exports share: settings for a synthetic workspace, and reading what was written."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import redis

from clickup_toolkit import publish, store
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.demo.ledger import Ledger
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Secret, Settings

__all__ = [
    "ALONE",
    "comparable",
    "differences",
    "document",
    "exported_tables",
    "head_of",
    "settings_for",
    "table",
]

INSTANTS = {name: {c.name for c in t.columns if c.type == "TIMESTAMP"} for name, t in TABLES.items()}
FLAGS = {name: {c.name for c in t.columns if c.type == "BOOLEAN"} for name, t in TABLES.items()}

ALONE = {
    "tasks": {
        *(
            "id",
            "url",
            "space_name",
            "folder_name",
            "list_name",
            "as_of",
            "age_ms",
            "status_since",
            "status_ms",
        ),
        *("lead_time_ms", "cycle_started", "cycle_time_ms"),
        *("tracked_ms", "tracked_billable_ms", "tracked_entries"),
        *("text", "assignees", "watchers", "tags", "locations", "fields", "waits_for", "blocks", "linked"),
    },
    "entries": {"id", "route", "tags", "source", "list_id", "folder_id", "space_id"},
    "members": {"id"},
    "spaces": {"id", "multiple_assignees"},
    "folders": {"id", "orderindex", "override_statuses", "task_count"},
    "lists": {"id", "orderindex", "override_statuses", "task_count", "permission_level", "statuses"},
    "fields": {"id", "required", "hide_from_guests", "type_config"},
}
"""Columns that only the table has, or only the ledger; what stands in tables of its own is compared there."""
_UNTOLD_BY_LEGACY = {"billable", "description", "updated"}
_LINKS = {"waiting_on": "waits_for", "blocking": "blocks", "linked": "linked"}


def settings_for(server: DemoServer, folder: Path, redis_url: str, **changes: Any) -> Settings:
    """Return settings that export ``server``'s workspace into ``folder`` and ``redis_url``."""
    given: dict[str, Any] = {
        "token": Secret(server.token),
        "team_id": server.team_id,
        "api_url": server.url,
        "data_dir": folder,
        "redis_url": redis_url,
        "initial_backoff": 1e-6,
        "concurrency": 8,
        **changes,
    }
    return Settings(**given)


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table, times as ms and flags as booleans."""
    with closing(sqlite3.connect(folder / "clickup.db")) as db:
        db.row_factory = sqlite3.Row
        return [_plain(name, row) for row in db.execute(f'SELECT * FROM "{name}"')]


def _plain(name: str, row: sqlite3.Row) -> dict[str, Any]:
    plain = dict(row)
    for column in INSTANTS[name] & plain.keys():
        plain[column] = plain[column] and round(datetime.fromisoformat(plain[column]).timestamp() * 1000)
    for column in FLAGS[name] & plain.keys():
        plain[column] = plain[column] if plain[column] is None else bool(plain[column])
    return plain


def document(redis_url: str, team_id: str) -> dict[str, Any]:
    """Return the latest published document."""
    with redis.Redis.from_url(redis_url) as client:
        found = publish.find(client, team_id, "latest")
        assert found is not None, "nothing was published"
        loaded = json.loads(gzip.decompress(b"".join(publish.body(client, found))))
        assert isinstance(loaded, dict)
        return loaded


def head_of(database: Path) -> dict[str, Any]:
    """Return what the document of a database says beside its tasks."""
    head: dict[str, Any] = json.loads(b"".join(store.document_head(database)) + b"]}")
    assert list(head).pop() == "data"
    del head["data"]
    return head


def by_id(rows: list[dict[str, Any]], key: str = "id") -> dict[str, dict[str, Any]]:
    """Return rows by key, having checked that each stands there once."""
    found = {row[key]: row for row in rows}
    assert len(found) == len(rows), "a row stands there twice"
    return found


def exported_tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return all tables."""
    return {name: table(folder, name) for name in TABLES}


def differences(folder: Path, ledger: Ledger) -> dict[str, list[str]]:
    """Compare an export with the workspace's own ledger; return what differs, by subject."""
    found = {
        "tasks": _compare("tasks", by_id(table(folder, "tasks")), ledger.tasks),
        "texts": _texts(folder, ledger),
        "relations": _relations(folder, ledger),
        "links": _links(folder, ledger),
        "values": _values(folder, ledger),
        "entries": _entries(folder, ledger),
        "status rows": _status_rows(folder, ledger),
        "members": _compare("members", _present(by_id(table(folder, "members"))), ledger.members),
        "spaces": _compare("spaces", by_id(table(folder, "spaces")), ledger.spaces),
        "folders": _compare("folders", by_id(table(folder, "folders")), _as_shared(ledger.folders)),
        "lists": _compare("lists", by_id(_seen(folder, ledger)), ledger.lists),
        "statuses": _statuses(folder, ledger),
        "fields": _fields(folder, ledger),
        "tags": sorted(map(str, {(t["space_id"], t["name"]) for t in table(folder, "tags")} ^ ledger.tags)),
    }
    return {subject: wrong for subject, wrong in found.items() if wrong}


def _present(members: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {key: row for key, row in members.items() if row["state"] != "left"}


def _as_shared(folders: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Empty the space of what is shared alone: ClickUp does not tell it of a folder."""
    return {key: {**facts, "space_id": None} if facts["shared"] else facts for key, facts in folders.items()}


def _seen(folder: Path, ledger: Ledger) -> list[dict[str, Any]]:
    """Leave out lists that tasks name as their home but the token does not see."""
    homes = {facts["list_id"] for facts in ledger.tasks.values()} - ledger.lists.keys()
    return [row for row in table(folder, "lists") if row["id"] not in homes]


def _fields(folder: Path, ledger: Ledger) -> list[str]:
    """Compare definitions: all that a place above lists defines, or that a task shows; others may lack."""
    got = by_id(table(folder, "custom_fields"))
    on_tasks = {field for facts in ledger.tasks.values() for field in facts["fields"]}  # type: ignore[attr-defined]
    above = {key for key, facts in ledger.fields.items() if facts["scope"] in ("workspace", "space")}
    wanted = {key: ledger.fields[key] for key in (on_tasks | above) & ledger.fields.keys()}
    extra = {key for key, row in got.items() if row["scope"] != "task"} - ledger.fields.keys()
    there = {key: got[key] for key in got.keys() & (wanted.keys() | extra)}
    return _compare("fields", there, wanted, skip={"scope", "scope_id"})


def _compare(
    subject: str,
    got: dict[str, dict[str, Any]],
    wanted: dict[str, dict[str, Any]],
    skip: set[str] = frozenset(),
) -> list[str]:
    """Compare all columns but those in ``ALONE`` and ``skip``; empty text is as good as none."""
    wrong = [f"{key}: missing" for key in wanted.keys() - got.keys()]
    wrong += [f"{key}: not in the workspace" for key in got.keys() - wanted.keys()]
    for key in wanted.keys() & got.keys():
        unexpected = (wanted[key].keys() ^ got[key].keys()) ^ ALONE[subject]
        if unexpected:
            wrong.append(f"{key}: cannot be compared by {sorted(unexpected)}")
        for column in (wanted[key].keys() & got[key].keys()) - skip:
            if (got[key][column] or None) != (wanted[key][column] or None):
                wrong.append(f"{key}.{column}: {got[key][column]!r}, not {wanted[key][column]!r}")
    return wrong


def _unlike(got: dict[Any, Any], wanted: dict[Any, Any]) -> list[str]:
    """Compare two mappings."""
    keys = [key for key in got.keys() | wanted.keys() if key not in got or key not in wanted]
    keys += [key for key in got.keys() & wanted.keys() if got[key] != wanted[key]]
    return [f"{key}: {got.get(key)!r}, not {wanted.get(key)!r}" for key in keys]


def _texts(folder: Path, ledger: Ledger) -> list[str]:
    got = {row["task_id"]: row["text"] for row in table(folder, "task_texts")}
    return _unlike(got, {task: facts["text"] for task, facts in ledger.tasks.items() if facts["text"]})


def _links(folder: Path, ledger: Ledger) -> list[str]:
    got = {(row["task_id"], _LINKS[row["kind"]], row["other_id"]) for row in table(folder, "task_links")}
    wanted = {
        (task, name, other)
        for task, facts in ledger.tasks.items()
        for name in _LINKS.values()
        for other in _items(facts[name])
    }
    return sorted(map(str, got ^ wanted))


def _values(folder: Path, ledger: Ledger) -> list[str]:
    """Compare the values of custom fields as ClickUp sent them."""
    rows = table(folder, "task_custom_fields")
    wanted = {
        (task, key): facts["fields"][key]  # type: ignore[index]
        for task, facts in ledger.tasks.items()
        for key in _items(facts["fields"])
    }
    return _unlike({(row["task_id"], row["field_id"]): json.loads(row["raw"]) for row in rows}, wanted)


def _statuses(folder: Path, ledger: Ledger) -> list[str]:
    """Compare what lists offer, in order."""
    got: dict[str, list[str]] = {key: [] for key in ledger.lists}
    for row in sorted(table(folder, "statuses"), key=lambda row: (row["list_id"], row["orderindex"])):
        got.setdefault(row["list_id"], []).append(row["status"])
    wanted = {key: facts["statuses"] for key, facts in ledger.lists.items()}
    return _unlike(got, wanted)


def _relations(folder: Path, ledger: Ledger) -> list[str]:
    pairs = {
        "assignees": {(r["task_id"], r["member_id"]) for r in table(folder, "task_assignees")},
        "watchers": {(r["task_id"], r["member_id"]) for r in table(folder, "task_watchers")},
        "tags": {(r["task_id"], r["tag"]) for r in table(folder, "task_tags")},
        "fields": {(r["task_id"], r["field_id"]) for r in table(folder, "task_custom_fields")},
    }
    wrong = []
    for name, got in pairs.items():
        wanted = {(task, item) for task, facts in ledger.tasks.items() for item in _items(facts[name])}
        wrong += [f"{name}: {pair}" for pair in got ^ wanted]
    lists = {(r["task_id"], r["list_id"]) for r in table(folder, "task_lists")}
    return wrong + [f"lists: {pair}" for pair in lists ^ ledger.task_lists]


def _items(related: object) -> Iterable[str]:
    """Return what a task is related to; a custom field whose value is empty is not set."""
    if isinstance(related, dict):
        return [key for key, value in related.items() if value not in (None, [], "")]
    return related  # type: ignore[return-value]  # a set of ids


def _entries(folder: Path, ledger: Ledger) -> list[str]:
    got = by_id(table(folder, "time_entries"))
    by_route = {
        route: {k: row for k, row in got.items() if row["route"] == route} for route in ("member", "task")
    }
    return _compare("entries", by_route["member"], ledger.entries) + _compare(
        "entries", by_route["task"], ledger.entries_by_task, _UNTOLD_BY_LEGACY
    )


def _status_rows(folder: Path, ledger: Ledger) -> list[str]:
    got: dict[str, list[tuple[Any, ...]]] = {}
    for row in sorted(table(folder, "time_in_status"), key=lambda row: (row["task_id"], row["position"])):
        got.setdefault(row["task_id"], []).append(
            (row["status"], row["status_type"], row["since"], row["total_ms"] // 60_000, row["current"])
        )
    wanted = {
        task: [
            (row.status, row.type, row.since, row.minutes, row.current)
            for row in sorted(rows, key=lambda row: row.since)
        ]
        for task, rows in ledger.status_rows.items()
    }
    return [
        f"{task}: {got.get(task)}, not {wanted.get(task)}"
        for task in wanted.keys() | got.keys()
        if not _same(got.get(task), wanted.get(task))
    ]


def _same(got: list[tuple[Any, ...]] | None, wanted: list[tuple[Any, ...]] | None) -> bool:
    """Compare status rows; the current one may have grown by the minute that ClickUp adds to it."""
    if got is None or wanted is None or len(got) != len(wanted):
        return False
    pairs = list(zip(sorted(got), sorted(wanted), strict=True))
    return all(g[:3] == w[:3] and g[4] == w[4] and abs(g[3] - w[3]) <= int(w[4]) for g, w in pairs)


def comparable(exported: dict[str, Any]) -> dict[str, Any]:
    """Return a document without what depends on when it was made rather than on the workspace.

    That is: the times of the export, the growing time in the current status with the shares it moves, and
    what older time entries repeat of their task, which is as of when the entry was read.
    """
    kept = {key: value for key, value in exported.items() if key not in ("version", "updated_at", "as_of")}
    kept["data"] = {task["id"]: _steady(task) for task in exported["data"]}
    kept["members"] = {member["id"]: {**member, "last_active": None} for member in exported["members"]}
    return kept


def _steady(task: dict[str, Any]) -> dict[str, Any]:
    analytics = {k: v for k, v in task["analytics"].items() if k not in ("as_of", "status_ms", "age_ms")}
    analytics["statuses"] = [_without_growth(row) for row in analytics["statuses"]]
    entries = [
        {key: value for key, value in entry.items() if key not in ("task", "task_location", "task_tags")}
        for entry in task["time_summary"]
    ]
    times = task["time_in_status"] or {"current_status": None, "status_history": []}
    current = (times["current_status"] or {}).get("status")
    history = [
        {**row, "total_time": row["total_time"]["since"] if row["status"] == current else row["total_time"]}
        for row in times["status_history"]
    ]
    return {**task, "analytics": analytics, "time_summary": entries, "time_in_status": [current, history]}


def _without_growth(row: dict[str, Any]) -> dict[str, Any]:
    steady = {key: value for key, value in row.items() if key != "share"}
    return {**steady, "total_ms": None} if row["current"] else steady
