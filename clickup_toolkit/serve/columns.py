"""In which order pages show the columns of a table: what people look for first, ids and colours last.

The order in the files and in the JSON document is that of the declaration; this one is of the pages alone.
"""

from __future__ import annotations

from clickup_toolkit.records import RAW, TABLES, Table
from clickup_toolkit.store.reports import REPORTS

__all__ = ["in_order"]

_FIRST = {
    "tasks": (
        *("name", "status", "list_id", "priority", "due_date", "status_ms", "age_ms", "tracked_ms"),
        *("time_estimate_ms", "date_updated", "date_created", "date_done", "lead_time_ms", "cycle_time_ms"),
        *("space_id", "folder_id", "parent_id", "creator_id", "task_type_id", "custom_id"),
    ),
    "lists": ("name", "space_id", "folder_id", "task_count", "due_date"),
    "folders": ("name", "space_id", "parent_folder_id", "task_count"),
    "members": ("username", "role", "state", "email", "last_active"),
    "statuses": ("status", "type", "list_id", "orderindex"),
    "time_entries": ("task_id", "member_id", "start", "duration_ms", "billable", "description", "tags"),
    "time_in_status": ("task_id", "status", "total_ms", "share", "since", "current", "status_type"),
    "status_changes": ("task_id", "from_status", "to_status", "changed_at", "changed_by", "list_id"),
    "task_custom_fields": ("task_id", "field_id", "value", "number", "time"),
    "custom_fields": ("name", "type", "scope", "required"),
    "comments": ("task_id", "member_id", "date", "text"),
    "checklists": ("name", "task_id", "unresolved", "resolved"),
    "checklist_items": ("name", "resolved", "task_id", "assignee_id", "due_date"),
    "attachments": ("title", "task_id", "member_id", "date", "size"),
    "goals": ("name", "percent_completed", "due_date", "description"),
    "key_results": ("name", "goal_id", "percent_completed", "steps_current", "steps_end", "unit"),
    "doc_pages": ("name", "doc_id", "content"),
    "deleted_tasks": ("name", "status", "list_id", "space_id", "last_seen", "missed_by"),
    "missing_tasks": ("name", "status", "list_id", "space_id", "last_seen", "missed_by"),
    "open_tasks": ("name",),
}
_LAST = (
    *("space_name", "folder_name", "list_name", "top_level_parent_id", "orderindex", "status_color", "color"),
    *("foreground", "background", "route", "type_config", "raw", "as_of", "url"),
)


def _ordered(table: Table) -> list[str]:
    names = [column.name for column in table.columns]
    first = [*table.key, *(name for name in _FIRST.get(table.name, ()) if name not in table.key)]
    last = [name for name in _LAST if name in names and name not in first]
    return [*first, *(name for name in names if name not in first and name not in last), *last]


_ORDERS = {table.name: _ordered(table) for table in (*TABLES.values(), *REPORTS.values(), RAW)}


def in_order(table: str, columns: list[str]) -> list[str]:
    """Return the columns of a table as pages show them; those that are not known stay where they are."""
    places = {name: place for place, name in enumerate(_ORDERS.get(table, ()))}
    return sorted(columns, key=lambda name: places.get(name, -1)) if places else columns
