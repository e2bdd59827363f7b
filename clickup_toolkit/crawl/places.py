"""Spaces, folders and lists: what ClickUp tells of them, and what the crawl needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

__all__ = [
    "Item",
    "Page",
    "Place",
    "Places",
    "SharedThings",
    "decode_places",
    "decode_shared",
    "key_of",
    "page_of",
    "size_of",
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
    """A space, folder, list or task as ClickUp sends it: what the crawl needs of it, of any type."""

    id: object = None
    archived: object = False
    task_count: object = None
    override_statuses: object = None
    parent_folder: object = None
    lists: object = None

    @property
    def key(self) -> str:
        """The id as text; empty where there is none."""
        return key_of(self.id)


class Page(NamedTuple):
    """The items that bear an id, and how many do not."""

    items: list[Item]
    nameless: int = 0


class SharedThings(NamedTuple):
    """What is shared with the token's user and lies below no space that it sees."""

    tasks: Page = Page([])
    lists: Page = Page([])
    folders: Page = Page([])


class _Shared(msgspec.Struct):
    shared: dict[str, object]


_decode_page = msgspec.json.Decoder(dict[str, object]).decode
_decode_shared = msgspec.json.Decoder(_Shared).decode


def key_of(identity: object) -> str:
    """Return an id as text; empty where it is none."""
    known = isinstance(identity, str | int) and not isinstance(identity, bool)
    return str(identity) if known else ""


def decode_places(kind: str, body: bytes) -> Page:
    """Return the spaces, folders or lists of an answer. Raises msgspec.DecodeError where it holds none."""
    found = _decode_page(body).get(kind)
    if not isinstance(found, list):
        raise msgspec.ValidationError(f"Expected an array of {kind}")
    return page_of(found)


def decode_shared(body: bytes) -> SharedThings:
    """Return what is shared. Raises msgspec.DecodeError where the answer does not tell."""
    shared = _decode_shared(body).shared
    return SharedThings(*(page_of(shared.get(kind)) for kind in SharedThings._fields))


def page_of(found: object) -> Page:
    """Return the items of an array; anything else, but nothing at all, counts as one that makes no sense."""
    things = found if isinstance(found, list) else [] if found is None else [found]
    items = [msgspec.convert(thing, Item) for thing in things if isinstance(thing, dict)]
    return Page([item for item in items if item.key], len(things) - sum(bool(item.key) for item in items))


def size_of(count: object) -> int | None:
    """Return a count of tasks, which ClickUp sends as a number or as text; None where it is neither."""
    if isinstance(count, bool) or not isinstance(count, str | int | float):
        return None
    try:
        return max(0, int(float(count)))
    except (ValueError, OverflowError):
        return None
