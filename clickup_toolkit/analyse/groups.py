"""By what a measure is told: list, space, member, tag, …

A grouping says which task belongs to which groups. Those that the task table knows by itself are named by a
word (:data:`OF_TASKS`); the others are made from a second table by :func:`by_member`, :func:`by_tag` or
:func:`by_custom_field`. A task with two assignees counts for both, so the groups may add up to more than
there is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import (
    Coded,
    Places,
    coded,
    is_finished,
    milliseconds,
    positions,
    text,
    times,
)
from clickup_toolkit.analyse.columns import OF_RESULTS
from clickup_toolkit.analyse.measure import takes

__all__ = [
    "OF_TASKS",
    "Grouped",
    "Grouping",
    "by_custom_field",
    "by_member",
    "by_period",
    "by_tag",
    "by_task_type",
    "grouped",
    "name_of",
    "place_labels",
    "told",
]

_PERIODS = {"done_week": "W", "done_month": "M", "done_quarter": "Q"}
OF_TASKS = ("list", "folder", "space", "status", "priority", "task_type", *_PERIODS)
"""Groupings that need the task table alone. ``status`` is no grouping beyond the statuses themselves;
``done_week``, ``done_month`` and ``done_quarter`` are the periods, in UTC, in which tasks were finished."""

_PARENTS = {"list": ("folder", "space"), "folder": ("space",), "space": ()}
_BUILT_IN_TYPES = {0: "Task", 1: "Milestone"}


class Grouping(NamedTuple):
    """Groups of tasks: ``rows`` has ``task_id``, ``id`` and ``label``, one row for each task in each group.

    ``name`` names the columns of a result: ``<name>_id`` and ``<name>``.
    """

    name: str
    rows: pd.DataFrame


class Grouped(NamedTuple):
    """Groups as numbers: ``task`` (position) is in group ``code``; ``ids`` and ``labels`` by code."""

    name: str
    task: Places
    code: Places
    ids: list[str]
    labels: list[str]


def name_of(by: str | Grouping) -> str:
    """Return what a grouping is called."""
    return by.name if isinstance(by, Grouping) else by


def grouped(tasks: pd.DataFrame, by: str | Grouping) -> Grouped:
    """Return the groups that ``by`` names. Raises ValueError for a word that names none."""
    if isinstance(by, Grouping):
        return _of_rows(tasks, by)
    if by in _PARENTS:
        return _by_place(tasks, by)
    if by == "status":
        return Grouped(by, np.arange(len(tasks)), np.zeros(len(tasks), dtype="int64"), [""], [""])
    if by == "priority":
        found = coded(tasks["priority"])
        return _of_codes(by, found, [str(value) or "No priority" for value in found.values])
    if by == "task_type":
        return _coded_rows(by, np.arange(len(tasks)), by_task_type(tasks).rows)
    if by in _PERIODS:
        return _coded_rows(by, np.arange(len(tasks)), by_period(tasks, by).rows)
    raise ValueError(
        f"by={by!r} names no grouping: choose one of {', '.join(OF_TASKS)}, "
        "or pass what by_member, by_tag or by_custom_field return"
    )


def _of_rows(tasks: pd.DataFrame, by: Grouping) -> Grouped:
    task = positions(by.rows["task_id"], tasks["id"])
    return _coded_rows(by.name, task[task >= 0], by.rows[task >= 0])


def _coded_rows(name: str, task: Places, rows: pd.DataFrame) -> Grouped:
    ids = coded(rows["id"])
    labels = coded(rows["label"])
    first = _first_rows(ids)
    named = [str(labels.values[code]) for code in labels.codes[first]]
    return Grouped(name, task, ids.codes, [str(value) for value in ids.values], named)


def _of_codes(name: str, found: Coded, labels: list[str]) -> Grouped:
    return Grouped(
        name, np.arange(len(found.codes)), found.codes, [str(value) for value in found.values], labels
    )


def _first_rows(found: Coded) -> Places:
    """Return the first row of each value."""
    first = np.zeros(len(found.values), dtype="int64")
    first[found.codes[::-1]] = np.arange(len(found.codes))[::-1]
    return first


@takes(tasks=("id",), task_assignees=("task_id", "member_id"), members=("id", "username", "email"))
def by_member(tasks: pd.DataFrame, task_assignees: pd.DataFrame, members: pd.DataFrame) -> Grouping:
    """Group by assigned person, as assigned now; tasks that nobody has are 'Unassigned'."""
    names = members["username"].fillna(members["email"]).fillna(members["id"])
    labels = dict(zip(members["id"], names, strict=True))
    return _membership("member", tasks, task_assignees, "member_id", labels, "Unassigned")


@takes(tasks=("id",), task_tags=("task_id", "tag"))
def by_tag(tasks: pd.DataFrame, task_tags: pd.DataFrame) -> Grouping:
    """Group by tag; tasks without one are 'No tag'."""
    return _membership("tag", tasks, task_tags, "tag", {}, "No tag")


@takes(tasks=("id",), task_custom_fields=("task_id", "field_id", "name", "value"))
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
    return _membership("value" if name in OF_RESULTS else name, tasks, values, "value", {}, "No value")


@takes(tasks=("id", "task_type_id"), task_types=("id", "name"))
def by_task_type(tasks: pd.DataFrame, task_types: pd.DataFrame | None = None) -> Grouping:
    """Group by task type; the types' names come from ``task_types``."""
    names = dict(_BUILT_IN_TYPES)
    if task_types is not None:
        named = task_types[task_types["name"].notna()]
        names |= {int(key): str(name) for key, name in zip(named["id"], named["name"], strict=True)}
    codes, kinds = pd.factorize(tasks["task_type_id"].fillna(0).astype("int64"))
    labels = [names.get(int(key), f"Type {key}") for key in kinds]
    return _categories("task_type", tasks["id"], codes, [str(key) for key in kinds], labels)


@takes(tasks=("id", "status_type", "date_done", "date_closed"))
def by_period(tasks: pd.DataFrame, by: str = "done_month", tz: str = "UTC") -> Grouping:
    """Group by the week (from Monday), month or quarter of time zone ``tz`` in which tasks were finished.

    ``by`` is done_week, done_month or done_quarter; tasks that are not finished are 'Not finished'. Labels
    are ``2026-11-23`` (the Monday), ``2026-11`` and ``2026-Q4``, so that they sort in time.
    """
    at = milliseconds(tasks["date_done"].fillna(tasks["date_closed"]))
    local = pd.Series(times(np.where(is_finished(tasks), at, np.nan))).dt.tz_convert(tz).dt.tz_localize(None)
    codes, periods = pd.factorize(local.dt.to_period(_PERIODS[by]))
    labels = [_period(period, by) for period in periods]
    places = np.where(codes < 0, len(labels), codes)
    return _categories(by, tasks["id"], places, [*labels, ""], [*labels, "Not finished"])


def _period(period: pd.Period, by: str) -> str:
    if by == "done_week":
        return period.start_time.strftime("%Y-%m-%d")
    return period.strftime("%Y-%m") if by == "done_month" else f"{period.year}-Q{period.quarter}"


def _categories(name: str, ids: pd.Series, codes: Places, keys: list[str], labels: list[str]) -> Grouping:
    """Make a grouping of codes; its texts are kept once each."""
    place, unique = pd.factorize(np.array(labels, dtype=object))
    named = pd.Categorical.from_codes(place[codes], pd.Index(unique, dtype="str"))
    keyed = pd.Categorical.from_codes(np.asarray(codes), pd.Index(keys, dtype="str"))
    rows = {"task_id": ids, "id": keyed, "label": named}
    return Grouping(name, pd.DataFrame(rows))


def place_labels(tasks: pd.DataFrame, level: str) -> pd.Series:
    """Name each list, folder or space by id; places of the same name get what they lie in before it."""
    names = [f"{place}_name" for place in (level, *_PARENTS[level])]
    found = coded(tasks[f"{level}_id"])
    places = tasks[names].iloc[_first_rows(found)].set_axis(found.values.astype("str"), axis=0)
    places = places.apply(text)
    unnamed = pd.Series(places.index.where(places.index != "", f"No {level}"), index=places.index)
    labels = places[names[0]].fillna(unnamed).astype("str")
    twins = labels.duplicated(keep=False)
    for parent in names[1:]:
        longer = places[parent].astype("str") + " / " + labels
        labels = labels.mask(twins & places[parent].notna(), longer)
        twins = labels.duplicated(keep=False) | (twins & places[parent].isna())
    return labels.mask(labels.duplicated(keep=False), labels + " (" + labels.index + ")")


def _by_place(tasks: pd.DataFrame, level: str) -> Grouped:
    return _of_codes(level, coded(tasks[f"{level}_id"]), place_labels(tasks, level).tolist())


def _membership(
    name: str, tasks: pd.DataFrame, rows: pd.DataFrame, column: str, labels: dict[str, str], without: str
) -> Grouping:
    groups = pd.DataFrame({"task_id": text(rows["task_id"]), "id": text(rows[column])}).drop_duplicates()
    groups["label"] = groups["id"].map(labels).fillna(groups["id"]) if labels else groups["id"]
    others = tasks.loc[positions(tasks["id"], groups["task_id"]) < 0, "id"]
    rest = pd.DataFrame({"task_id": text(others), "id": "", "label": without})
    return Grouping(name, pd.concat([groups, rest], ignore_index=True))


def told(table: pd.DataFrame, groups: Grouped, columns: list[str]) -> pd.DataFrame:
    """Put the group's id and label in front, named after the grouping, and the columns in order."""
    if groups.name == "status":
        return table[columns].reset_index(drop=True)
    labelled = table.assign(
        **{
            f"{groups.name}_id": pd.Series(groups.ids, dtype="str").reindex(table["group"]).array,
            groups.name: pd.Series(groups.labels, dtype="str").reindex(table["group"]).array,
        }
    )
    return labelled[[f"{groups.name}_id", groups.name, *columns]].reset_index(drop=True)
