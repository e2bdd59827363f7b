"""What belongs to a task, for its page: who works on it, where its time went, its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from datasette.database import QueryInterrupted
from markupsafe import Markup

from clickup_toolkit.serve.cells import shown

if TYPE_CHECKING:
    from clickup_toolkit.serve.site import Site

__all__ = ["Belonging", "belongings"]

_MOST = 20
_ASKED = {
    "Assigned to": (
        "task_assignees",
        "SELECT a.member_id FROM task_assignees AS a LEFT JOIN members AS m ON m.id = a.member_id "
        "WHERE a.task_id = :key ORDER BY m.username LIMIT :most",
    ),
    "Time in status": (
        "time_in_status",
        "SELECT status, total_ms, since FROM time_in_status WHERE task_id = :key "
        "ORDER BY position LIMIT :most",
    ),
    "Custom fields": (
        "task_custom_fields",
        "SELECT f.name AS field, f.value FROM task_custom_fields AS f WHERE f.task_id = :key "
        "ORDER BY 1 LIMIT :most",
    ),
    "Tracked time": (
        "time_entries",
        "SELECT start, member_id, duration_ms, description FROM time_entries WHERE task_id = :key "
        "ORDER BY start DESC LIMIT :most",
    ),
    "Subtasks": (
        "tasks",
        "SELECT id AS task_id, name, status, url FROM tasks WHERE parent_id = :key ORDER BY name LIMIT :most",
    ),
}


class Belonging(NamedTuple):
    """A few rows of ``table`` that are about a task, as a page shows them; ``more``: there may be others."""

    title: str
    table: str
    columns: list[str]
    rows: list[list[Markup]]
    more: bool


async def belongings(site: Site, table: str, key: str) -> list[Belonging]:
    """Return what belongs to a row of ``table``; nothing for other tables than that of tasks."""
    if table != "tasks":
        return []
    found = [await _belonging(site, title, *asked, key) for title, asked in _ASKED.items()]
    return [each for each in found if each is not None]


async def _belonging(site: Site, title: str, table: str, sql: str, key: str) -> Belonging | None:
    try:
        told = await site.execute("clickup", sql, {"key": key, "most": _MOST})
    except QueryInterrupted:
        return None
    columns = [name for name in told.columns if name not in ("url", "task_id")]
    rows = [[_cell(site, row, name) for name in columns] for row in told.rows]
    return Belonging(title, table, columns, rows, len(rows) == _MOST) if rows else None


def _cell(site: Site, row: Any, column: str) -> Markup:
    value = row[column]
    told = shown(site, row, value, column, None)
    return Markup("{}").format("" if value is None else value) if told is None else told
