"""What a table's page is about, in a sentence: search, filters and order, in the words of the headings.

datasette writes one of its own, with the names that are made for SQL; programs get that one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from clickup_toolkit.serve.assigned import members_of
from clickup_toolkit.serve.cells import kind_of, place_of, yes_or_no
from clickup_toolkit.serve.labels import label_of
from clickup_toolkit.serve.words import duration

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

    from clickup_toolkit.serve.site import Site

__all__ = ["assigned_to", "order", "sentence"]

_LONGEST = 80  # characters of a value; the field below has it whole
_EMPTY = {"isnull": "is empty", "isblank": "is empty", "notnull": "is not empty", "notblank": "is not empty"}
_WORDS = {
    "exact": "is",
    "not": "is not",
    "contains": "contains",
    "endswith": "ends with",
    "startswith": "begins with",
    "like": "is like",
    "notlike": "is not like",
    "glob": "is like",
    "arraycontains": "has",
    "arraynotcontains": "does not have",
    "date": "is on",
}
_COMPARED = {
    "gt": ("more than", "after"),
    "gte": ("at least", "from"),
    "lt": ("less than", "before"),
    "lte": ("at most", "up to"),
}
_SEVERAL = {"in": "is one of", "notin": "is none of"}
_ORDER = {
    "TIMESTAMP": ("earliest first", "latest first"),
    "DURATION": ("shortest first", "longest first"),
    "INTEGER": ("smallest first", "largest first"),
    "REAL": ("smallest first", "largest first"),
}
_RELATED = {"task_assignees": "assigned to", "task_watchers": "watched by"}


async def sentence(site: Site, request: Request, table: str, filters: Any, search: str | None) -> str:
    """Return which rows of ``table`` a page shows: ``where Status is “open”``; empty for all of them.

    ``filters`` are datasette's, ``search`` is what was looked for.
    """
    parts = [f"matching {_quoted(search)}"] if search else []
    parts += _related(site, request)
    told = [await _condition(site, table, *selected) for selected in filters.selections()]
    if conditions := _joined([each for each in told if each]):
        parts.append(f"where {conditions}")
    return " ".join(parts)


def order(table: str, sort: str | None, sort_desc: str | None) -> str:
    """Return in which order a page shows its rows: ``sorted by Age, longest first``; empty for none."""
    column = sort_desc or sort
    if not column:
        return ""
    words = _ORDER.get(kind_of(table, column), ("", "descending"))[bool(sort_desc)]
    return f"sorted by {label_of(column)}{f', {words}' if words else ''}"


def assigned_to(site: Site, where: str) -> str:
    """Return in words the condition by which dashboards narrow tasks to members; empty for any other."""
    members = [_name(site, "members", member) for member in members_of(where)]
    return f"assigned to {_joined(members, 'or')}" if members else ""


def _related(site: Site, request: Request) -> Iterator[str]:
    """Tell of other tables' rows that lead to the rows (``_through``) and of members (``_where``)."""
    for through in request.args.getlist("_through"):
        told = json.loads(through)  # datasette has read it, too
        table, column, value = told["table"], told["column"], str(told["value"])
        place = place_of(table, column)
        words = _RELATED.get(table, f"with {label_of(column)} in {table}:")
        yield f"{words} {_name(site, place, value)}"
    yield from filter(None, (assigned_to(site, where) for where in request.args.getlist("_where")))


async def _condition(site: Site, table: str, column: str, lookup: str, value: str) -> str:
    name, kind = label_of(column), kind_of(table, column)
    if lookup in _EMPTY:
        return f"{name} {_EMPTY[lookup]}"
    if lookup in _SEVERAL:
        shown = [await _value(site, table, column, kind, each) for each in _split(value)]
        return f"{name} {_SEVERAL[lookup]} {_joined(shown, 'or')}"
    shown_value = await _value(site, table, column, kind, value)
    if lookup in _COMPARED:
        return f"{name} is {_COMPARED[lookup][kind == 'TIMESTAMP']} {shown_value}"
    return f"{name} {_WORDS[lookup]} {shown_value}" if lookup in _WORDS else ""


async def _value(site: Site, table: str, column: str, kind: str, value: str) -> str:
    if place := place_of(table, column):
        if site.facts.names.get(place, {}).get(value):
            return _name(site, place, value)
        labels = await site.expand_foreign_keys("clickup", table, column, [value])
        return _quoted(str(next(iter(labels.values()), None) or value))
    if kind == "DURATION" and value.isdecimal():
        return duration(int(value))
    if kind == "BOOLEAN" and value in ("0", "1"):
        return yes_or_no(value)
    if kind == "TIMESTAMP":
        return value[:16].replace("T", " ")
    return value if kind in ("INTEGER", "REAL") else _quoted(value)


def _split(value: str) -> list[str]:
    """Return the values of a list, written as datasette takes it."""
    if value.startswith("["):
        return [str(each) for each in json.loads(value)]
    return [each.strip() for each in value.split(",")]


def _name(site: Site, place: str, key: str) -> str:
    return _quoted(site.facts.names.get(place, {}).get(key) or key)


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}”"


def _joined(parts: list[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
