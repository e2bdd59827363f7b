"""The next page of a sorted table, read on from where the last one ended.

datasette asks for rows behind the last value, or with that value and behind the last key. SQLite takes such
an OR for several searches and sorts all that they find, which is most of the table; a plus before the column
keeps it from that, and it goes on in the order of the index.

What is counted beside a table is to be counted for all its pages alike, so there the condition has to go.
"""

from __future__ import annotations

import re

__all__ = ["paged", "unpaged"]

_COLUMN = r"(?P<column>\[[^\]]+\]|\w+)"
_BEHIND = re.compile(
    rf"\({_COLUMN} (?P<side>[<>]) (?P<value>:p\d+)(?P<none> or (?P=column) is null)? "
    r"or \((?P=column) = (?P=value) and "
)


_JOINT = re.compile(r"\s(?:where|and)\s+$")


def paged(sql: str) -> str:
    """Return the query, its paging written so that an index helps; any other query as it is."""
    return _BEHIND.sub(_plus, sql)


def _plus(found: re.Match[str]) -> str:
    column = f"+{found['column']}"
    none = f" or {column} is null" if found["none"] else ""
    return f"({column} {found['side']} {found['value']}{none} or ({column} = {found['value']} and "


def unpaged(sql: str) -> str:
    """Return the query of a page without its last condition, by which it begins behind the page before."""
    end = sql.rstrip()
    depth = place = 0
    for place in range(len(end) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(end[place], 0)
        if depth == 0:
            break
    joint = _JOINT.search(end, 0, place)
    is_paging = joint is not None and re.search(r" [<>] :p\d+", end[place:])
    return end[: joint.start()] if joint and is_paging else sql
