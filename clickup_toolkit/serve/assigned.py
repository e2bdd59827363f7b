"""Tasks of members: the condition by which the task table is narrowed to them, written and read.

datasette's own way, ``_through``, mixes up its parameters with those of other filters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["assigned", "members_of"]

_LIST = r"'(?:[^']|'')*'(?:, '(?:[^']|'')*')*"
_CONDITION = re.compile(
    rf"id in \(select task_id from task_assignees where member_id in \(({_LIST})\)\)",  # noqa: S608  # none
    re.DOTALL,
)
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


def assigned(members: Iterable[str]) -> str:
    """Return the ``_where`` of tasks to which one of these members is assigned."""
    quoted = ", ".join("'" + member.replace("'", "''") + "'" for member in members)
    return f"id in (select task_id from task_assignees where member_id in ({quoted}))"  # noqa: S608  # quoted


def members_of(where: str) -> list[str]:
    """Return the members that such a condition is about; none for any other."""
    found = _CONDITION.fullmatch(where)
    return [] if found is None else [each.replace("''", "'") for each in _QUOTED.findall(found[1])]
