"""The fields of the JSON document, declared once: the JSON Schema and the docs are made from here.

Rows have the columns of :mod:`~clickup_toolkit.records`, the analytics those of ``ANALYTICS``. What ClickUp
sent is an object with at least what is named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from clickup_toolkit.records import TABLES, Column
from clickup_toolkit.store import ANALYTICS

__all__ = [
    "AS_OF",
    "DOCUMENT",
    "OPTIONAL",
    "OPTIONAL_AS_OF",
    "OPTIONAL_OF_TASKS",
    "TASK",
    "TYPES",
    "Field",
    "Schema",
    "analytics",
    "row",
    "strict",
]

Schema = dict[str, Any]


class Field(NamedTuple):
    """A field: its name, meaning (Markdown, as the docs show it) and JSON Schema."""

    name: str
    meaning: str
    schema: Schema


TYPES: dict[str, Schema] = {
    "TEXT": {"type": "string"},
    "INTEGER": {"type": "integer"},
    "REAL": {"type": "number"},
    "BOOLEAN": {"type": "boolean"},
    "TIMESTAMP": {"type": "string", "format": "date-time"},
    "DURATION": {"type": "integer"},
    "JSON": {},
}
"""The schemas of the columns' types."""

_TIME = TYPES["TIMESTAMP"]
_CLICKUPS: Schema = {"type": "object"}  # with whatever keys ClickUp sends


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def strict(properties: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """Return the schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in set(optional)],
        "additionalProperties": False,
    }


def _column(column: Column) -> Schema:
    schema = TYPES[column.type]
    return (_or_null(schema) if column.nullable else schema) | {"description": column.description}


def row(table: str, without: str = "", **beside: Schema) -> Schema:
    """Return the schema of a table's row, with other properties beside its columns."""
    columns = {column.name: _column(column) for column in TABLES[table].columns if column.name != without}
    return strict({**columns, **beside})


def analytics() -> Schema:
    """Return the schema of a task's ``analytics``."""
    return strict(dict(_measures()))


def _measures() -> Iterator[tuple[str, Schema]]:
    columns = {column.name: column for column in TABLES["tasks"].columns}
    for name, measure in ANALYTICS.items():
        schema = _column(columns[name]) if name in columns else _OTHER_MEASURES[name]
        yield name, schema | {"description": measure.meaning}


_OTHER_MEASURES: dict[str, Schema] = {
    "statuses": _list(
        strict(
            {
                "status": {"type": "string"},
                "type": _or_null({"type": "string"}),
                "total_ms": {"type": "integer"},
                "share": _or_null({"type": "number", "minimum": 0, "maximum": 1}),
                "since": _or_null(_TIME),
                "current": {"type": "boolean"},
            }
        )
    ),
    "tracked_by_member": _list(
        strict(
            {
                "member_id": _or_null({"type": "string"}),
                "username": _or_null({"type": "string"}),
                "tracked_ms": {"type": "integer"},
                "billable_ms": {"type": "integer"},
                "entries": {"type": "integer"},
            }
        )
    ),
    "remaining_ms": {"type": ["integer", "null"]},
    "missing_ms": {"type": "integer", "minimum": 0},
}


def _columns_of(table: str) -> str:
    return f"the columns of [`{table}`](tables.md#{table})"


def _rows(name: str) -> Field:
    return Field(name, f"a list: {_columns_of(name)}", _list(row(name)))


_STATUSES = _list(row("statuses", without="list_id"))

DOCUMENT = (
    Field("status", '`"success"`', {"const": "success"}),
    Field(
        "version",
        "the version: when the export began, in UTC, as `20261123T101500Z`",
        {"type": "string", "pattern": r"^\d{8}T\d{6}Z$"},
    ),
    Field(
        "schema_version", "1; a higher one will say that something was changed or taken away", {"const": 1}
    ),
    Field("updated_at", "when the export was finished", _TIME),
    Field("as_of", "which part holds as of when, see below", {"$ref": "#/$defs/AsOf"}),
    Field(
        "workspace",
        f"the workspace: {_columns_of('workspaces')}",
        {"anyOf": [row("workspaces"), {"type": "null"}]},
    ),
    _rows("spaces"),
    _rows("folders"),
    Field(
        "lists",
        f"a list: {_columns_of('lists')}, and `statuses`, what the list offers: {_columns_of('statuses')} "
        "without `list_id`",
        _list(row("lists", statuses=_STATUSES)),
    ),
    _rows("members"),
    _rows("custom_fields"),
    Field(
        "unassigned_time_entries",
        "time entries that belong to no exported task, as ClickUp sent them",
        _list(_CLICKUPS),
    ),
    Field("gaps", f"what could not be read, and why: {_columns_of('gaps')}", _list(row("gaps"))),
    Field("data", "the tasks, in the order of their creation", _list({"$ref": "#/$defs/Task"})),
)
"""What stands in the object, in its order; ``data`` comes last."""

AS_OF = (
    Field("structure", "spaces, folders, lists, members, custom fields", _or_null(_TIME)),
    Field("tasks", "tasks that are not archived", _or_null(_TIME)),
    Field("archived_tasks", "archived tasks, and tasks in archived places", _or_null(_TIME)),
    Field("time_entries", "recent time entries", _or_null(_TIME)),
    Field("older_time_entries", "the others", _or_null(_TIME)),
)
"""What holds as of which instant."""

TASK = (
    Field(
        "space",
        "as sent, with the space's `name` added",
        {"type": "object", "properties": {"name": {"type": ["string", "null"]}}, "required": ["name"]},
    ),
    Field(
        "time_in_status",
        "ClickUp's object: `current_status` and `status_history`; `{}` where ClickUp told none",
        _CLICKUPS,
    ),
    Field("time_summary", "the task's time entries, as ClickUp sent them, by their start", _list(_CLICKUPS)),
    Field("analytics", "times and sums, below", {"$ref": "#/$defs/Analytics"}),
)
"""What stands in a task beside every key that ClickUp sends."""

OPTIONAL = (
    Field(
        "goals",
        "a list: goals as ClickUp sent them, those in folders too, each with `key_results`",
        _or_null(_list(_CLICKUPS)),
    ),
    Field(
        "docs",
        "a list: docs as ClickUp sent them, archived and deleted ones too, each with `pages`, which nest",
        _or_null(_list(_CLICKUPS)),
    ),
)
"""What stands in the object while its setting is on."""

OPTIONAL_OF_TASKS = (
    Field(
        "comments",
        "its comments as ClickUp sent them, newest first, each with `replies`, a list of comments",
        _or_null(_list(_CLICKUPS)),
    ),
    Field(
        "details",
        "`checklists` and `attachments`, as ClickUp sends them with the task's own route; its lists show "
        "neither in full",
        _or_null(_CLICKUPS),
    ),
)
"""What stands in a task while its setting is on."""

OPTIONAL_AS_OF = (
    Field(
        "comments", "when the oldest was read; [`readings`](tables.md#readings) has each one", _or_null(_TIME)
    ),
    Field("task_details", "the same", _or_null(_TIME)),
    Field("goals", "when their lists were read", _or_null(_TIME)),
    Field("docs", "when their lists were read", _or_null(_TIME)),
    Field("doc_pages", "when the oldest was read", _or_null(_TIME)),
)
"""As of when the optional streams hold."""
