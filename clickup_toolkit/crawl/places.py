"""Spaces, folders and lists: what ClickUp tells of them, and what the crawl needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

__all__ = [
    "Item",
    "Place",
    "Places",
    "SharedThings",
    "decode_folders",
    "decode_lists",
    "decode_shared",
    "decode_spaces",
    "size_of",
    "untold",
]


class Place(msgspec.Struct, frozen=True):
    """A list as the crawl needs it.

    ``group`` orders neighbours together, ``hidden`` means from the workspace-wide task route, ``size`` is
    ClickUp's count of tasks, a hint.
    """

    id: str
    group: str
    hidden: bool
    archived: bool
    in_archived: bool
    shared: bool
    size: int | None


@dataclass
class Places:
    """What there is: lists by id, folders and spaces, and tasks that are shared one by one."""

    lists: dict[str, Place] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    spaces: list[str] = field(default_factory=list)
    open_spaces: list[str] = field(default_factory=list)
    shared_tasks: list[str] = field(default_factory=list)


class Item(msgspec.Struct):
    """A space, folder or list as ClickUp sends it, as far as the crawl needs it."""

    id: str | int
    archived: object = False
    task_count: str | int | float | None = None
    override_statuses: object = None
    parent_folder: object = None
    lists: list[Item] | None = None


class _Spaces(msgspec.Struct):
    spaces: list[Item]


class _Folders(msgspec.Struct):
    folders: list[Item]


class _Lists(msgspec.Struct):
    lists: list[Item]


class SharedThings(msgspec.Struct):
    """What is shared with the token's user and lies below no space that it sees."""

    tasks: list[Item] | None = None
    lists: list[Item] | None = None
    folders: list[Item] | None = None


class _Shared(msgspec.Struct):
    shared: SharedThings


decode_spaces = msgspec.json.Decoder(_Spaces, strict=False).decode
decode_folders = msgspec.json.Decoder(_Folders, strict=False).decode
decode_lists = msgspec.json.Decoder(_Lists, strict=False).decode
decode_shared = msgspec.json.Decoder(_Shared, strict=False).decode


def untold(folder: Item) -> int | None:
    """Return how many tasks ClickUp counts in a folder beyond those of the lists that came inside it."""
    sizes = [size_of(item.task_count) for item in folder.lists or ()]
    told = size_of(folder.task_count)
    if told is None or None in sizes:
        return None
    return told - sum(size or 0 for size in sizes)


def size_of(count: str | int | float | None) -> int | None:
    """Return a count of tasks, which ClickUp sends as a number or as text; None where it is neither."""
    try:
        return None if count is None else max(0, int(float(count)))
    except (ValueError, OverflowError):
        return None
