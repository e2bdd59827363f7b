"""Custom fields as columns: a view for each list whose tasks have values, made anew at the end of each build.

A view is named after its list's id, since names change, may be the same, and may be written in any script;
its columns are named as the fields are, as far as a column can be.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter

__all__ = ["MOST_FIELDS", "MOST_LISTS", "PREFIX", "column_names", "create_field_views", "lists_of_views"]

MOST_LISTS = 100
"""Views there are at most: for the lists with most values."""
MOST_FIELDS = 60
"""Fields that a view shows at most: those with most values."""
PREFIX = "fields_"

_LONGEST = 60  # characters of a column's name
_FIXED = ("task_id", "name", "status", "assignees", "url")
_NUMBERS = ("number", "currency", "emoji", "automatic_progress", "manual_progress", "formula")

# Text can be sorted as text alone; numbers and times are shown as what they are.
_VALUE = {"number": "coalesce(f.number, f.value)", "date": "coalesce(f.time, f.value)"}
_SET = """
SELECT t.list_id, f.field_id FROM main.tasks AS t CROSS JOIN main.task_custom_fields AS f ON f.task_id = t.id
WHERE t.list_id IS NOT NULL
"""
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")


def create_field_views(db: sqlite3.Connection) -> None:
    """Create the views; those of before are gone already."""
    values: dict[str, Counter[str]] = {}
    for list_id, field_id in db.execute(_SET):
        values.setdefault(list_id, Counter())[field_id] += 1
    known = {key: (name, kind) for key, name, kind in db.execute("SELECT id, name, type FROM custom_fields")}
    for list_id, counts in sorted(values.items(), key=lambda item: (-item[1].total(), item[0]))[:MOST_LISTS]:
        most = sorted(counts, key=lambda key: (-counts[key], key))[:MOST_FIELDS]
        db.execute(_view(list_id, [(key, *known.get(key, (None, None))) for key in most]))


def lists_of_views(db: sqlite3.Connection) -> dict[str, str]:
    """Return the list's id of each of the views that are there."""
    views = db.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
    there = {name for (name,) in map(tuple, views)}
    lists = {_name(key): key for (key,) in map(tuple, db.execute("SELECT id FROM lists"))}
    return {name: lists[name] for name in sorted(there & lists.keys())}


def column_names(names: list[str]) -> list[str]:
    """Return a name for each column, each once, whatever the case, and fit for SQL and addresses.

    Blanks and characters that nobody sees become one blank; brackets, which datasette quotes names with,
    become parentheses; a leading underscore and double ones, which mean something in its addresses, go.
    """
    taken = set(_FIXED)
    found = []
    for name in names:
        told = _UNFIT.sub(" ", name).strip(" _").replace("[", "(").replace("]", ")")
        told = re.sub("_{2,}", "_", told)[:_LONGEST].strip(" _") or "field"
        number, free = 1, told
        while free.casefold() in taken:
            number += 1
            free = f"{told} ({number})"
        taken.add(free.casefold())
        found.append(free)
    return found


def _view(list_id: str, fields: list[tuple[str, str | None, str | None]]) -> str:
    names = column_names([name or field_id for field_id, name, _ in fields])
    columns = [
        f"(SELECT {_value(kind)} FROM task_custom_fields AS f "  # noqa: S608  # quoted
        f"WHERE f.task_id = t.id AND f.field_id = {_text(field_id)}) AS {_quoted(name)}"
        for name, (field_id, _, kind) in zip(names, fields, strict=True)
    ]
    owners = (
        "(SELECT group_concat(coalesce(m.username, m.email, a.member_id), ', ') FROM task_assignees AS a "
        "LEFT JOIN members AS m ON m.id = a.member_id WHERE a.task_id = t.id) AS assignees"
    )
    told = ",\n    ".join(["t.id AS task_id", "t.name", "t.status", owners, *columns, "t.url"])
    source = f"tasks AS t WHERE t.list_id = {_text(list_id)}"
    return f"CREATE VIEW {_quoted(_name(list_id))} AS SELECT {told}\nFROM {source}"


def _name(list_id: str) -> str:
    return PREFIX + re.sub(r"\W", "_", list_id)


def _value(kind: str | None) -> str:
    return _VALUE.get("number" if kind in _NUMBERS else kind or "", "f.value")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
