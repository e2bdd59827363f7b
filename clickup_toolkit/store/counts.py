"""How often each value of some columns occurs, counted once by the export: pages show that beside a table."""

from __future__ import annotations

import sqlite3

__all__ = ["COUNTED", "COUNTS_DEFINITION", "count_values"]

COUNTED: dict[str, tuple[str, ...]] = {
    "tasks": ("status_type", "space_id", "status", "priority"),
    "time_entries": ("member_id", "billable"),
    "time_in_status": ("status", "status_type"),
    "status_changes": ("to_status",),
    "members": ("role", "state"),
    "lists": ("space_id", "archived"),
    "custom_fields": ("type", "scope"),
    "task_custom_fields": ("field_id",),
    "comments": ("member_id",),
    "gaps": ("what", "code"),
    "open_tasks": ("status", "space_id", "priority", "started"),
    "stale_tasks": ("status", "priority"),
    "tasks_without_owner": ("status", "priority"),
    "overdue_tasks": ("status", "priority"),
    "time_in_status_by_list": ("space_id", "status_type"),
    "tracked_by_week": ("member_id",),
    "estimate_against_tracked": ("space_id",),
}
"""The columns of each table and view whose values are counted."""

COUNTS_DEFINITION = """
CREATE TABLE value_counts ("table" TEXT, "column" TEXT, rank INTEGER, value, count INTEGER,
    PRIMARY KEY ("table", "column", rank)) WITHOUT ROWID
"""
_MOST = 100  # values that are kept of a column: the most frequent ones


def count_values(db: sqlite3.Connection) -> None:
    """Count the values anew."""
    db.execute("DELETE FROM main.value_counts")
    for table, columns in COUNTED.items():
        for column in columns:
            db.execute(
                f"INSERT INTO main.value_counts SELECT :table, :column, "  # noqa: S608  # our own names
                f"row_number() OVER (ORDER BY many DESC, value) - 1 AS rank, value, many FROM ("
                f'SELECT "{column}" AS value, count(*) AS many FROM main."{table}" '
                f'WHERE "{column}" IS NOT NULL GROUP BY 1) ORDER BY rank LIMIT {_MOST}',
                {"table": table, "column": column},
            )
