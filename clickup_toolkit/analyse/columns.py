"""The columns that the measures read, and those that their tables have in common."""

from __future__ import annotations

__all__ = [
    "ABOUT",
    "CHANGES",
    "CYCLE",
    "OF_RESULTS",
    "OF_TASK",
    "STATUS",
    "STATUSES",
    "STAYS",
    "TASK_COLUMNS",
    "TIME_IN_STATUS_COLUMNS",
]

OF_TASK = (
    *("id", "list_id", "list_name", "folder_id", "folder_name", "space_id", "space_name", "status_type"),
    *("archived", "in_archived", "date_done", "date_closed", "priority", "task_type_id"),
)
STAYS = ("task_id", "status", "status_type", "orderindex", "color", "total_ms", "since", "current", "as_of")
STATUSES = ("list_id", "status", "type", "orderindex", "color", "status_id")
STATUS = ["status", "status_type", "place", "color", "orderindex", "status_key"]
CHANGES = (
    *("task_id", "changed_by", "changed_after", "changed_at"),
    *("from_status", "from_type", "to_status", "to_type", "list_id"),
)
ABOUT = ("name", "url", "status")
CYCLE = (*OF_TASK, "status", "date_created", "cycle_started")
FOR_GROUPS = {"priority": ("priority",), "task_type": ("task_type_id",)}
"""Columns of ``tasks`` that one grouping alone needs."""
OF_RESULTS = frozenset(
    {
        *("status", "status_type", "place", "color", "orderindex", "status_key", "source"),
        *("group", "legend", "label", "id", "name", "key", "order", "whole_time"),
        *("tasks", "waiting", "waiting_before", "sum_ms", "per_task_ms", "mean_ms", "median_ms", "p85_ms"),
        *(
            "share",
            "time_ms",
            "oldest_ms",
            "growth",
            "signs",
            "queue",
            "arrived",
            "left",
            "at",
            "week",
            "day",
        ),
        *("largest_share", "largest_p85", "largest_growth", "active_ms", "waiting_ms", "efficiency"),
        *("done", "started", "created", "net", "complete", "in_progress", "stage", "cumulative"),
        *("lead_median_ms", "lead_p85_ms", "cycle_median_ms", "cycle_p85_ms"),
        *("probability", "within_ms", "beyond", "near"),
        *("moves", "backward", "reopened", "reworked"),
        *("compared", "without_estimate", "without_time", "estimated_ms", "tracked_ms"),
        *("ratio", "ratio_median", "ratio_p85", "over"),
    }
)
"""What measures with groups call their own columns, and work with: no grouping may bear such a name."""
TASK_COLUMNS = (
    *("id", "name", "url", "list_id", "list_name", "folder_id", "folder_name", "space_id", "space_name"),
    *("status", "status_type", "status_color", "status_since", "archived", "in_archived", "as_of"),
    *("date_created", "date_done", "date_closed", "lead_time_ms", "cycle_started", "cycle_time_ms"),
    *("priority", "task_type_id", "date_updated", "due_date", "parent_id"),
    *("time_estimate_ms", "tracked_ms", "tracked_entries"),
)
"""The columns of ``tasks`` that the measures need, and no other; each one's own are in ``COLUMNS``."""
TIME_IN_STATUS_COLUMNS = STAYS
"""The columns of ``time_in_status`` that the measures need, and no other."""
