"""What datasette tells about the tables, made from the declaration of the tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clickup_toolkit.records import RAW, TABLES, Column, Table

__all__ = ["DATABASE", "DATASETTE_SETTINGS", "describe"]

DATABASE = "clickup"
"""The name of the database in datasette, and so in every address."""

DATASETTE_SETTINGS: dict[str, int | bool] = {
    "default_page_size": 50,
    "max_returned_rows": 5000,
    "num_sql_threads": 4,
    "sql_time_limit_ms": 5000,
    "facet_time_limit_ms": 1500,
    "suggest_facets": False,  # each column of a large table would be tried; its menu offers the facet anyway
    "default_facet_size": 20,
    "default_cache_ttl": 0,  # a page from before an export must not outlive it in the browser
    "truncate_cells_html": 400,
}

_FACETS = {
    "tasks": ["status_type", "space_id", "status", "priority"],
    "time_entries": ["member_id", "billable"],
    "time_in_status": ["status", "status_type"],
    "status_changes": ["to_status"],
    "members": ["role", "state"],
    "custom_fields": ["type", "scope"],
    "task_custom_fields": ["name", "type"],
    "gaps": ["what", "code"],
}
_SORTED_DOWN = {
    "tasks": "date_updated",
    "time_entries": "start",
    "status_changes": "changed_by",
    "exports": "version",
}


def describe(workspace: str, team_id: str, hidden: Iterable[str]) -> dict[str, Any]:
    """Return datasette's metadata: titles, descriptions, labels, facets, order, and what is hidden."""
    tables = {name: _describe_table(table) for name, table in TABLES.items()}
    tables |= {name: {"hidden": True} for name in hidden}
    tables[RAW.name] = _describe_table(RAW) | {"hidden": True}
    return {
        "title": workspace or "ClickUp workspace",
        "source": "ClickUp",
        "source_url": f"https://app.clickup.com/{team_id}",
        "databases": {DATABASE: {"tables": tables}},
    }


def _describe_table(table: Table) -> dict[str, Any]:
    about: dict[str, Any] = {
        "description": table.description,
        "columns": {column.name: _describe_column(column) for column in table.columns},
    }
    if table.label is not None:
        about["label_column"] = table.label
    if table.name in _FACETS:
        about["facets"] = _FACETS[table.name]
    if table.name in _SORTED_DOWN:
        about["sort_desc"] = _SORTED_DOWN[table.name]
    return about


def _describe_column(column: Column) -> str:
    """Return the description, the unit in words: datasette's own units would turn hours into kiloseconds."""
    units = {"ms": "milliseconds", "ratio": ""}
    unit = units.get(column.unit, column.unit)
    return f"{column.description} ({unit})" if unit else column.description
