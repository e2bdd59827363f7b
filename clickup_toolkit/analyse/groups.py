"""By what a measure is told: list, space, member, tag, …

A grouping says which task belongs to which groups. Those that the task table knows by itself are named by a
word (:data:`OF_TASKS`); the others are made from a second table by :func:`by_member`, :func:`by_tag` or
:func:`by_custom_field`. A task with two assignees counts for both, so the groups may add up to more than
there is.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

__all__ = [
    "OF_TASKS",
    "Grouping",
    "by_custom_field",
    "by_member",
    "by_tag",
    "by_task_type",
    "grouping",
    "place_labels",
]

OF_TASKS = ("list", "folder", "space", "status", "priority", "task_type")
"""Groupings that need the task table alone. ``status`` is no grouping beyond the statuses themselves."""

_PARENTS = {"list": ("folder", "space"), "folder": ("space",), "space": ()}
_TAKEN = {
    *("status", "status_type", "place", "color", "orderindex", "status_key", "group", "legend", "share"),
    *(
        "tasks",
        "waiting",
        "waiting_before",
        "at",
        "queue",
        "arrived",
        "left",
        "week",
        "done",
        "started",
        "complete",
    ),
}
_BUILT_IN_TYPES = {0: "Task", 1: "Milestone"}


class Grouping(NamedTuple):
    """Groups of tasks: ``rows`` has ``task_id``, ``id`` and ``label``, one row for each task in each group.

    ``name`` names the columns of a result: ``<name>_id`` and ``<name>``.
    """

    name: str
    rows: pd.DataFrame


def grouping(tasks: pd.DataFrame, by: str | Grouping) -> Grouping:
    """Return the grouping that ``by`` names. Raises ValueError for a word that names none."""
    if isinstance(by, Grouping):
        return by
    if by in _PARENTS:
        return _by_place(tasks, by)
    if by == "status":
        return _grouping(by, tasks["id"], "", "")
    if by == "priority":
        return _grouping(
            by, tasks["id"], tasks["priority"].fillna(""), tasks["priority"].fillna("No priority")
        )
    if by == "task_type":
        return by_task_type(tasks)
    raise ValueError(
        f"by={by!r} names no grouping: choose one of {', '.join(OF_TASKS)}, "
        "or pass what by_member, by_tag or by_custom_field return"
    )


def by_member(tasks: pd.DataFrame, task_assignees: pd.DataFrame, members: pd.DataFrame) -> Grouping:
    """Group by assigned person, as assigned now; tasks that nobody has are 'Unassigned'."""
    names = members["username"].fillna(members["email"]).fillna(members["id"])
    labels = dict(zip(members["id"], names, strict=True))
    return _membership("member", tasks, task_assignees, "member_id", labels, "Unassigned")


def by_tag(tasks: pd.DataFrame, task_tags: pd.DataFrame) -> Grouping:
    """Group by tag; tasks without one are 'No tag'."""
    return _membership("tag", tasks, task_tags, "tag", {}, "No tag")


def by_custom_field(tasks: pd.DataFrame, task_custom_fields: pd.DataFrame, field: str) -> Grouping:
    """Group by the value of the custom field of this name or id; tasks without one are 'No value'.

    A result's columns bear the field's name, or ``value`` where a measure has a column of that name.
    Raises ValueError when no task has a value in such a field.
    """
    named = (task_custom_fields["name"] == field) | (task_custom_fields["field_id"] == field)
    values = task_custom_fields[named & task_custom_fields["value"].notna()]
    if values.empty:
        known = ", ".join(sorted(task_custom_fields["name"].dropna().unique())) or "none"
        raise ValueError(f"no task has a value in a custom field {field!r}; fields with values: {known}")
    name = str(values["name"].iloc[0])
    return _membership("value" if name in _TAKEN else name, tasks, values, "value", {}, "No value")


def by_task_type(tasks: pd.DataFrame, task_types: pd.DataFrame | None = None) -> Grouping:
    """Group by task type; the types' names come from ``task_types``."""
    names = dict(_BUILT_IN_TYPES)
    if task_types is not None:
        named = task_types[task_types["name"].notna()]
        names |= {int(key): str(name) for key, name in zip(named["id"], named["name"], strict=True)}
    ids = tasks["task_type_id"].fillna(0).astype("int64")
    labels = {key: names.get(key, f"Type {key}") for key in ids.unique()}
    return _grouping("task_type", tasks["id"], ids.astype("string").astype("str"), ids.map(labels))


def place_labels(tasks: pd.DataFrame, level: str) -> pd.Series:
    """Name each list, folder or space by id; places of the same name get what they lie in before it."""
    names = [f"{place}_name" for place in (level, *_PARENTS[level])]
    ids = tasks[f"{level}_id"].fillna("")
    places = tasks.loc[~ids.duplicated(), names].set_axis(ids[~ids.duplicated()], axis=0)
    unnamed = places.index.to_series().replace("", f"No {level}")
    labels = places[names[0]].fillna(unnamed).astype("str")
    twins = labels.duplicated(keep=False)
    for parent in names[1:]:
        longer = places[parent].astype("str") + " / " + labels
        labels = labels.mask(twins & places[parent].notna(), longer)
        twins = labels.duplicated(keep=False) | (twins & places[parent].isna())
    return labels.mask(labels.duplicated(keep=False), labels + " (" + labels.index + ")")


def _by_place(tasks: pd.DataFrame, level: str) -> Grouping:
    ids = tasks[f"{level}_id"].fillna("")
    return _grouping(level, tasks["id"], ids, ids.map(place_labels(tasks, level)))


def _membership(
    name: str, tasks: pd.DataFrame, rows: pd.DataFrame, column: str, labels: dict[str, str], without: str
) -> Grouping:
    groups = pd.DataFrame({"task_id": rows["task_id"], "id": rows[column]}).drop_duplicates()
    groups["label"] = groups["id"].map(labels).fillna(groups["id"]) if labels else groups["id"]
    others = tasks.loc[~tasks["id"].isin(groups["task_id"]), "id"]
    rest = pd.DataFrame({"task_id": others, "id": "", "label": without})
    return Grouping(name, pd.concat([groups, rest], ignore_index=True))


def _grouping(name: str, task_ids: pd.Series, ids: object, labels: object) -> Grouping:
    return Grouping(name, pd.DataFrame({"task_id": task_ids, "id": ids, "label": labels}))
