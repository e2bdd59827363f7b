"""What pages call the columns: words in place of names that are made for SQL."""

from __future__ import annotations

__all__ = ["label_of"]

_LABELS = {
    "id": "Id",
    "status_id": "Id of the status",
    "custom_id": "Custom id",
    "scope_id": "Id of the scope",
    "status_ms": "In status for",
    "in_status_ms": "In status for",
    "status_since": "In status since",
    "time_estimate_ms": "Estimate",
    "time_spent_ms": "Tracked by ClickUp",
    "untouched_ms": "Unchanged for",
    "overdue_ms": "Overdue for",
    "oldest_ms": "Oldest",
    "p85_ms": "85 in 100 within",
    "lead_p85_ms": "Lead time, 85 in 100 within",
    "cycle_p85_ms": "Cycle time, 85 in 100 within",
    "cycle_p95_ms": "Cycle time, 95 in 100 within",
    "median_ms": "Half within",
    "lead_median_ms": "Lead time, half within",
    "cycle_median_ms": "Cycle time, half within",
    "mean_ms": "Mean",
    "sum_ms": "In all",
    "per_task_ms": "Per task",
    "mean_of_4_weeks": "Mean of 4 weeks",
    "url": "Address in ClickUp",
    "as_of": "As of",
    "in_archived": "Lies in the archive",
    "due_date": "Due",
    "start_date": "Planned start",
    "orderindex": "Order",
}
_UNITS = ("_ms", "_id")
_DATE = "date_"


def label_of(column: str) -> str:
    """Return the heading of a column: List for ``list_id``, Cycle time for ``cycle_time_ms``."""
    if column in _LABELS:
        return _LABELS[column]
    for unit in _UNITS:
        column = column.removesuffix(unit)
    words = column.removeprefix(_DATE).replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else column
