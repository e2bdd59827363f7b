"""A part of the workspace: which tasks, and which time entries, a narrowed workspace is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from clickup_toolkit.analyse.basis import is_finished, milliseconds, positions, text
from clickup_toolkit.errors import UnknownName
from clickup_toolkit.workspace.choices import unknown

__all__ = ["EVERYTHING", "Part", "Read", "entries_of", "names_ids", "tasks_of"]

Mask = npt.NDArray[np.bool_]
Read = Callable[[str, Sequence[str]], pd.DataFrame]

_BUILT_IN_TYPES = {"task": "0", "milestone": "1"}
_NAMED_BY = {
    "space": ("spaces", ("name",)),
    "folder": ("folders", ("name",)),
    "list": ("lists", ("name",)),
    "member": ("members", ("username", "email")),
    "task_type": ("task_types", ("name",)),
}


class Part(NamedTuple):
    """What a workspace was narrowed to: names or ids, and a period; empty is everything.

    ``since`` and ``until`` leave out what was done outside the period, and what was made after it.
    """

    space: tuple[str, ...] = ()
    folder: tuple[str, ...] = ()
    list: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    task_type: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        told = [f"{name.replace('_', ' ')} {' or '.join(words)}" for name, words in self._named() if words]
        told += [f"{name} {at:%Y-%m-%d}" for name, at in (("since", self.since), ("until", self.until)) if at]
        return ", ".join(told)

    def _named(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return (
            ("space", self.space),
            ("folder", self.folder),
            ("list", self.list),
            ("member", self.member),
            ("tag", self.tag),
            ("task_type", self.task_type),
        )

    def narrower(self, other: Part) -> Part:
        """Return this part, with what the other one says in place of what this one does."""
        said = {name: value for name, value in other._asdict().items() if value}
        return self._replace(**said)


EVERYTHING = Part()


def names_ids(read: Read, what: str, words: Sequence[str]) -> list[str]:
    """Return the ids that words mean, which are ids or names in any case.

    Raises :class:`UnknownName`, with the choice, for a word that means none.
    """
    table, columns = _NAMED_BY[what]
    rows = read(table, ("id", *columns))
    ids = text(rows["id"]).tolist()
    known: dict[str, set[str]] = {str(key): {str(key)} for key in ids}
    for column in columns:
        for key, name in zip(ids, text(rows[column]), strict=True):
            if isinstance(name, str):
                known.setdefault(name.casefold(), set()).add(str(key))
    if what == "task_type":
        for name, key in _BUILT_IN_TYPES.items():
            known.setdefault(name, {key})
    for word in words:
        if word not in known and word.casefold() not in known:
            raise _unknown(what, word, text(rows[columns[0]]).dropna().tolist())
    found = [known.get(word) or known[word.casefold()] for word in words]
    return sorted(set().union(*found))


def _unknown(what: str, word: str, names: list[str]) -> UnknownName:
    told = f"{what}={word!r} names no {what.replace('_', ' ')}"
    return unknown(told, word, sorted(names), "" if what == "tag" else ", or an id")


def tasks_of(part: Part, read: Read) -> Mask:
    """Tell which rows of the task table belong to the part."""
    return _placed(part, read) & _assigned(part, read) & _in_period(part, read)


def entries_of(part: Part, read: Read) -> Mask:
    """Tell which time entries belong: of its tasks, of its members, begun in its period."""
    entries = read("time_entries", ("task_id", "member_id", "start"))
    keep = np.ones(len(entries), dtype=bool)
    if any((part.space, part.folder, part.list, part.tag, part.task_type)):
        tasks = read("tasks", ("id",))["id"][_placed(part, read)]
        keep &= positions(entries["task_id"], tasks) >= 0
    if part.member:
        keep &= entries["member_id"].isin(names_ids(read, "member", part.member)).to_numpy()
    start = milliseconds(entries["start"])
    if part.since:
        keep &= start >= part.since.timestamp() * 1000
    return keep & (start <= part.until.timestamp() * 1000) if part.until else keep


def _placed(part: Part, read: Read) -> Mask:
    """Tell which tasks are in its places, of its types and tags."""
    tasks = read("tasks", ("id", "space_id", "folder_id", "list_id", "task_type_id"))
    keep = np.ones(len(tasks), dtype=bool)
    for what, words in (("space", part.space), ("folder", part.folder), ("list", part.list)):
        if words:
            keep &= tasks[f"{what}_id"].isin(names_ids(read, what, words)).to_numpy()
    if part.task_type:
        kinds = tasks["task_type_id"].fillna(0).astype("int64").astype("str")
        keep &= kinds.isin(names_ids(read, "task_type", part.task_type)).to_numpy()
    if part.tag:
        rows = read("task_tags", ("task_id", "tag"))
        tags = text(rows["tag"]).str.casefold()
        for word in part.tag:
            if not tags.eq(word.casefold()).any():
                raise _unknown("tag", word, text(rows["tag"]).drop_duplicates().tolist())
        wanted = tags.isin([word.casefold() for word in part.tag])
        keep &= positions(tasks["id"], rows["task_id"][wanted]) >= 0
    return keep


def _assigned(part: Part, read: Read) -> Mask:
    tasks = read("tasks", ("id",))
    if not part.member:
        return np.ones(len(tasks), dtype=bool)
    rows = read("task_assignees", ("task_id", "member_id"))
    theirs = rows["member_id"].isin(names_ids(read, "member", part.member))
    return positions(tasks["id"], rows["task_id"][theirs]) >= 0


def _in_period(part: Part, read: Read) -> Mask:
    """Tell which tasks were done in the period, or are not done and were made by its end."""
    tasks = read("tasks", ("status_type", "date_created", "date_done", "date_closed"))
    finished = is_finished(tasks)
    done, created = milliseconds(tasks["date_done"].fillna(tasks["date_closed"])), tasks["date_created"]
    keep = np.ones(len(tasks), dtype=bool)
    if part.since:
        keep &= ~finished | (done >= part.since.timestamp() * 1000)
    if part.until:
        end = part.until.timestamp() * 1000
        keep &= np.where(finished, done, milliseconds(created)) <= end
    return keep
