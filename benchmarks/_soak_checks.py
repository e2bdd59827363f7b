"""What must hold at the end of a soak, and how it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks._tables import table
from clickup_toolkit.demo import Ledger

__all__ = ["Check", "nothing", "show", "unlike"]


class Check(NamedTuple):
    """What must hold at the end, and what was found."""

    what: str
    found: str
    met: bool


def unlike(tasks: list[dict[str, Any]], ledger: Ledger) -> list[str]:
    """Return the tasks that the served document does not hold as the workspace does."""
    entries = Counter(
        facts["task_id"] for facts in [*ledger.entries.values(), *ledger.entries_by_task.values()]
    )
    held = {
        task["id"]: (
            task["name"],
            task["status"]["status"],
            task["list"]["id"],
            sorted(str(person["id"]) for person in task["assignees"]),
            sorted(tag["name"] for tag in task["tags"]),
            len(task["time_summary"]),
        )
        for task in tasks
    }
    wanted = {
        key: (
            facts["name"],
            facts["status"],
            facts["list_id"],
            sorted(facts["assignees"]),  # type: ignore[call-overload]
            sorted(facts["tags"]),  # type: ignore[call-overload]
            entries[key],
        )
        for key, facts in ledger.tasks.items()
    }
    keys = held.keys() | wanted.keys()
    return [
        f"{key}: {held.get(key)}, not {wanted.get(key)}" for key in keys if held.get(key) != wanted.get(key)
    ]


def _few(found: Sequence[object] | Mapping[str, object]) -> str:
    """Return how many there are, and the first ones."""
    items = [f"{key}: {value}" for key, value in found.items()] if isinstance(found, Mapping) else found
    return f"{len(items)}: {'; '.join(map(str, items[:3]))[:300]}" if items else "none"


def nothing(what: str, found: Sequence[object] | Mapping[str, object]) -> Check:
    """Return the check that there is none of something."""
    return Check(what, _few(found), not found)


def show(checks: list[Check]) -> str:
    """Return the checks as a table."""
    return table(
        ["must hold", "found", ""],
        [[check.what, check.found.replace("|", "/"), "met" if check.met else "MISSED"] for check in checks],
    )
