"""What each filter offers: what is in the export, that with most tasks first to stay, then by name."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from clickup_toolkit.analyse.basis import text
from clickup_toolkit.serve.dashboards.drawing import cut
from clickup_toolkit.serve.dashboards.filters import KINDS, Filters
from clickup_toolkit.serve.dashboards.panels import Choice, Option
from clickup_toolkit.serve.dashboards.source import Source

__all__ = ["choices_of"]

_MOST = 300  # options of a filter; the address takes any other
_BUILT_IN = {"0": "Task", "1": "Milestone"}


def choices_of(source: Source, filters: Filters) -> tuple[Choice, ...]:
    """Return the filters with their options. Lists bear the name of their folder or space."""
    tasks = source.columns("tasks", ("space_id", "list_id", "task_type_id"))
    kinds = tasks["task_type_id"].fillna(0).astype("int64").astype("str")
    assigned = source.columns("task_assignees", ("member_id",))["member_id"]
    names = {
        "space": _names(source, "spaces", "name"),
        "list": _lists(source),
        "member": _members(source),
        "type": _BUILT_IN | _names(source, "task_types", "name"),
    }
    counts = {"space": tasks["space_id"], "list": tasks["list_id"], "member": assigned, "type": kinds}
    return tuple(_choice(kind, names[kind], _counted(counts[kind]), filters) for kind in KINDS)


def _choice(kind: str, names: Mapping[str, str], counts: Mapping[str, int], filters: Filters) -> Choice:
    options = [
        Option(key, cut(names.get(key) or key), counts.get(key, 0)) for key in names.keys() | counts.keys()
    ]
    options = [option for option in options if option.tasks or kind != "type"]
    options.sort(key=lambda option: (-option.tasks, option.name, option.id))
    wanted = filters.chosen(kind)
    chosen = tuple(option for option in options if option.id in wanted)
    shown = {*options[:_MOST], *chosen}
    named = sorted(shown, key=lambda option: (option.name.casefold(), option.id))
    return Choice(kind, KINDS[kind], tuple(named), chosen, len(options) - len(shown))


def _names(source: Source, table: str, column: str) -> dict[str, str]:
    rows = source.columns(table, ("id", column))
    return dict(zip(rows["id"].astype("str"), text(rows[column]).fillna(""), strict=True))


def _members(source: Source) -> dict[str, str]:
    rows = source.columns("members", ("id", "username", "email"))
    names = text(rows["username"]).fillna(text(rows["email"])).fillna("")
    return dict(zip(rows["id"].astype("str"), names, strict=True))


def _lists(source: Source) -> dict[str, str]:
    rows = source.columns("lists", ("id", "name", "space_id", "folder_id"))
    above = _names(source, "folders", "name"), _names(source, "spaces", "name")
    found = {}
    for row in rows.itertuples():
        home = above[0].get(str(row.folder_id)) or above[1].get(str(row.space_id)) or ""
        found[str(row.id)] = (
            f"{row.name} · {home}" if home and isinstance(row.name, str) else str(row.name or "")
        )
    return found


def _counted(column: pd.Series) -> dict[str, int]:
    counts = text(column.dropna()).value_counts()
    return {str(key): int(count) for key, count in counts.items()}
