"""How a cell looks: names that lead somewhere, durations and times as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from datasette.utils import tilde_encode
from markupsafe import Markup

from clickup_toolkit.records import TABLES
from clickup_toolkit.serve.words import duration
from clickup_toolkit.store.reports import REPORTS, VIEWS

if TYPE_CHECKING:
    from clickup_toolkit.serve.site import Site

__all__ = ["kind_of", "named", "place_of", "shown", "yes_or_no"]

_TABLES = TABLES | REPORTS | {view: REPORTS[about.report] for view, about in VIEWS.items()}
_TYPES = {(name, column.name): column.type for name, table in _TABLES.items() for column in table.columns}
_POINTS_AT = {
    (name, column.name): column.references.partition(".")[0]
    for name, table in _TABLES.items()
    for column in table.columns
    if column.references
}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_PLACES = {
    "list_id": "lists",
    "space_id": "spaces",
    "folder_id": "folders",
    "member_id": "members",
}
"""Columns of views and queries whose ids are shown by the names that the site knows."""


def shown(
    site: Site, row: Mapping[str, object], value: object, column: str, table: str | None
) -> Markup | None:
    """Return what a page shows of a cell, None where that is the value itself.

    Exact values stay in tooltips. ``table`` is None for the outcome of a query.
    """
    if value is None:
        return None
    if isinstance(value, dict):  # a reference, with the name of what it points at, if that has one
        key = str(value["value"])
        return _link(_POINTS_AT[table or "", column], key, str(value["label"] or key))
    kind = _kind(table, column, value)
    if kind == "DURATION" and isinstance(value, int | float):
        return Markup('<span title="{} ms">{}</span>').format(value, duration(value))
    if kind == "TIMESTAMP" and isinstance(value, str):
        return Markup('<time title="{0}" datetime="{0}">{1}</time>').format(
            value, value[:16].replace("T", " ")
        )
    if kind == "BOOLEAN" and value in (0, 1):
        return Markup('<span title="{}">{}</span>').format(value, yes_or_no(value))
    if _is_share(table, column, value):
        return Markup('<span title="{}">{:.1%}</span>').format(value, value)
    if isinstance(value, str) and value:
        return _named(site, row, value, column, table)
    return None


async def named(site: Site, value: object, column: str, table: str) -> Markup | None:
    """Return what a row's own page shows of a reference: the name of what it points at; None for others."""
    if (table, column) not in _POINTS_AT or value is None or isinstance(value, dict):
        return None
    place = _POINTS_AT[table, column]
    label: object = site.facts.names.get(place, {}).get(str(value))
    if label is None:
        labels = await site.expand_foreign_keys("clickup", table, column, [value])
        label = labels.get((column, value))
    return None if label is None else _link(place, str(value), str(label or value))


def kind_of(table: str, column: str) -> str:
    """Return the type of a table's column, as it is declared; empty where it is not."""
    return _TYPES.get((table, column), "")


def yes_or_no(flag: object) -> str:
    """Return what a page shows of a flag, which the tables hold as 1 or 0."""
    return "yes" if str(flag) == "1" else "no"


def place_of(table: str, column: str) -> str:
    """Return the table whose ids stand in a column; empty where it holds none."""
    return _POINTS_AT.get((table, column), "")


def _is_share(table: str | None, column: str, value: object) -> bool:
    ours = table is None or table in _TABLES  # a custom field of that name is anything
    return ours and column == "share" and isinstance(value, int | float) and 0 <= value <= 1


def _kind(table: str | None, column: str, value: object) -> str:
    if (table or "", column) in _TYPES:
        return _TYPES[table or "", column]
    if column.endswith("_ms"):
        return "DURATION"
    return "TIMESTAMP" if isinstance(value, str) and _INSTANT.fullmatch(value) else ""


def _named(
    site: Site, row: Mapping[str, object], value: str, column: str, table: str | None
) -> Markup | None:
    if table in TABLES:
        return _own_name(site, row, value, column, table or "")
    if column in _PLACES:
        label = site.facts.names.get(_PLACES[column], {}).get(value)
        return None if label is None else _link(_PLACES[column], value, label or value)
    if column in ("name", "task", "task_id") and "task_id" in row.keys():  # noqa: SIM118  # a row of SQLite
        here = _link("tasks", str(row["task_id"]), value)
        return _beside(here, _outside(_text(row, "url"))) if column != "task_id" else here
    for name, place in (("list", "lists"), ("member", "members")):
        if column == name and f"{name}_id" in row.keys():  # noqa: SIM118
            return _link(place, str(row[f"{name}_id"]), value)
    return None


def _own_name(site: Site, row: Mapping[str, object], value: str, column: str, table: str) -> Markup | None:
    """Return a row's name with the way to its page, and to ClickUp where that has one."""
    if column != TABLES[table].label or "id" not in row.keys():  # noqa: SIM118
        return None
    return _beside(_link(table, str(row["id"]), value), _outside(_address(site, row, table)))


def _link(table: str, key: str, label: str) -> Markup:
    return Markup('<span class="name" dir="auto"><a href="/clickup/{}/{}">{}</a></span>').format(
        table, tilde_encode(key), label
    )


def _beside(name: Markup, outside: Markup) -> Markup:
    """Return a name with what stands beside it, on its first line however long the name is."""
    return Markup('<span class="named">{}{}</span>').format(name, outside) if outside else name


def _outside(address: str) -> Markup:
    if not address.startswith("https://"):
        return Markup("")
    return Markup(
        '<a class="outside" href="{}" rel="noreferrer" title="Open in ClickUp" '
        'aria-label="Open in ClickUp">\u2197</a>'
    ).format(address)


def _address(site: Site, row: Mapping[str, object], table: str) -> str:
    """Return where ClickUp shows the thing; empty where no address is known."""
    if table == "tasks":
        return _text(row, "url")
    ways = {"lists": "v/li", "folders": "v/o/f", "spaces": "v/s"}
    if table not in ways or not site.toolkit.team_id:
        return ""
    return f"https://app.clickup.com/{site.toolkit.team_id}/{ways[table]}/{quote(str(row['id']), safe='')}"


def _text(row: Mapping[str, object], column: str) -> str:
    return str(row[column] or "") if column in row.keys() else ""  # noqa: SIM118
