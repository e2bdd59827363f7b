"""What datasette tells about the tables, made from the declaration of the tables."""

from __future__ import annotations

from typing import Any

from clickup_toolkit.records import RAW, TABLES, Column, Table
from clickup_toolkit.serve.facts import Facts
from clickup_toolkit.serve.queries import QUERIES
from clickup_toolkit.store.counts import COUNTED
from clickup_toolkit.store.field_views import MOST_FIELDS, MOST_LISTS
from clickup_toolkit.store.reports import REPORTS, VIEWS
from clickup_toolkit.store.search import SEARCHES

__all__ = ["DATABASE", "DATASETTE_SETTINGS", "describe", "without_unit"]

DATABASE = "clickup"
"""The name of the database in datasette, and so in every address."""

# The limits of time are datasette's own: a second for a query, 0.2 for a facet.
DATASETTE_SETTINGS: dict[str, int | bool] = {
    "default_page_size": 50,
    "max_returned_rows": 5000,
    "num_sql_threads": 4,
    "suggest_facets": False,  # each column of a large table would be tried; its menu offers the facet anyway
    "default_facet_size": 20,
    "default_cache_ttl": 0,  # a page from before an export must not outlive it in the browser
    "truncate_cells_html": 400,
}

_SORTED_DOWN = {
    "tasks": "date_updated",
    "time_entries": "start",
    "status_changes": "changed_by",
    "comments": "date",
    "exports": "version",
    "open_tasks": "in_status_ms",
    "time_in_status_by_list": "sum_ms",
    "tracked_by_week": "week",
    "estimate_against_tracked": "estimated_ms",
    "stale_tasks": "untouched_ms",
    "tasks_without_owner": "age_ms",
    "overdue_tasks": "overdue_ms",
}
# Of the tables with several rows for each task: what an index puts in order, or few rows are left to sort by.
_SORTABLE = {
    "time_in_status": ["task_id", "status", "total_ms"],
    "task_custom_fields": ["task_id", "field_id", "value", "number", "time"],
}
_MS = "milliseconds"
_LONGEST = 100  # characters of a list's name in a title
_SEARCHED = {name: search.name for name, search in SEARCHES.items()}
_SEARCHED["open_tasks"] = SEARCHES["tasks"].name  # its rows have the numbers of their tasks


def describe(facts: Facts, team_id: str) -> dict[str, Any]:
    """Return datasette's metadata: titles, descriptions, labels, facets, order, and what is hidden."""
    tables = {name: _describe_table(name, table) for name, table in (TABLES | REPORTS).items()}
    for name, search in _SEARCHED.items():
        if search in facts.counts:
            tables[name]["fts_table"] = search
    for name, view in VIEWS.items():
        description = view.description.format(stale_days=facts.stale_days)
        told = _describe_table(name, REPORTS[view.report]) | {"description": description}
        tables[name] = {key: about for key, about in told.items() if key != "label_column"}
    tables |= {name: _describe_field_view(facts, list_id) for name, list_id in facts.field_views.items()}
    tables |= {name: {"hidden": True} for name in facts.hidden}
    tables[RAW.name] = _describe_table(RAW.name, RAW) | {"hidden": True}
    # A database of an earlier release has no reports; its next export makes them.
    queries = QUERIES if REPORTS.keys() <= facts.counts.keys() else {}
    return {
        "title": facts.workspace or "ClickUp workspace",
        "source": "ClickUp",
        "source_url": f"https://app.clickup.com/{team_id}",
        "databases": {DATABASE: {"tables": tables, "queries": queries}},
    }


def without_unit(description: str) -> str:
    """Return what a column means where durations are shown in words, which name their units, and 1 as yes."""
    described = description.removesuffix(f" ({_MS})")
    return f"yes{described[1:]}" if described.startswith("1 when ") else described


def _describe_table(name: str, table: Table) -> dict[str, Any]:
    about: dict[str, Any] = {
        "description": table.description,
        "columns": {column.name: _describe_column(column) for column in table.columns},
    }
    if table.label is not None:
        about["label_column"] = table.label
    if name in COUNTED:
        about["counted"] = list(COUNTED[name])
    if name in _SORTED_DOWN:
        about["sort_desc"] = _SORTED_DOWN[name]
    if name in _SORTABLE:
        about["sortable_columns"] = _SORTABLE[name]
    return about


def _describe_field_view(facts: Facts, list_id: str) -> dict[str, Any]:
    name = (facts.names.get("lists", {}).get(list_id) or list_id)[:_LONGEST]
    return {
        "title": f"Custom fields of {name}",
        "description": f"The tasks of the list {name} with a column for each custom field that one has, the "
        f" {MOST_FIELDS} most used at most. The {MOST_LISTS} lists with most values have such a view.",
    }


def _describe_column(column: Column) -> str:
    """Return the description, the unit in words: datasette's own units would turn hours into kiloseconds."""
    units = {"ms": _MS, "ratio": ""}
    unit = units.get(column.unit, column.unit)
    return f"{column.description} ({unit})" if unit else column.description
