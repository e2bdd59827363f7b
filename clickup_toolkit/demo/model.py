"""The things of a workspace: people, statuses, spaces, folders, lists, fields, and the columns of tasks.

Places and people are few, so they are objects. Tasks and time entries are many, so they are columns of
numbers: a task is an index into them, and its id follows from the index.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import IntEnum

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "Field",
    "Folder",
    "Person",
    "Space",
    "Status",
    "Tag",
    "TaskList",
]

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Role(IntEnum):
    """ClickUp's numbers for what a person may do."""

    OWNER = 1
    ADMIN = 2
    MEMBER = 3
    GUEST = 4


@dataclass(slots=True)
class Person:
    """Somebody: ``state`` is active, invited or left."""

    id: int
    username: str | None
    email: str
    color: str | None
    initials: str
    role: Role
    state: str
    invited: int
    joined: int | None
    last_active: int | None
    picture: str | None = None


@dataclass(slots=True, frozen=True)
class Status:
    """A status of a workflow; ``index`` is its number in the world. A deleted one has no ``color``."""

    index: int
    id: str
    name: str
    type: str
    color: str | None
    orderindex: int | None


@dataclass(slots=True, frozen=True)
class Tag:
    """A tag of a space."""

    name: str
    foreground: str
    background: str
    creator: int


@dataclass(slots=True)
class Field:
    """A custom field: ``scope`` is workspace, space, folder or list; ``fill`` how often it is set."""

    id: str
    name: str
    type: str
    config: dict[str, object]
    created: int
    scope: str
    scope_id: str
    fill: float
    salt: int
    required: bool = False
    hidden_from_guests: bool = False
    only_type: int | None = None


@dataclass(slots=True)
class Space:
    """A space; ``visible`` tells whether the token's user sees it at all."""

    id: str
    name: str
    kind: str
    color: str | None
    private: bool
    archived: bool
    visible: bool
    statuses: tuple[Status, ...]
    created: int
    members: tuple[int, ...] = ()
    tags: list[Tag] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    prefix: str | None = None
    denied: bool = False


@dataclass(slots=True)
class Folder:
    """A folder or subfolder; ``shared`` when the token's user reaches it through sharing alone."""

    id: str
    name: str
    space: Space
    orderindex: int
    archived: bool = False
    parent: Folder | None = None
    shared: bool = False
    fields: list[Field] = field(default_factory=list)

    @property
    def readable(self) -> bool:
        """Whether the token's user may see it."""
        if self.space.visible:
            return not self.space.denied
        return self.shared or (self.parent is not None and self.parent.readable)

    @property
    def in_archived(self) -> bool:
        """Whether something above it is archived."""
        above = self.parent
        return self.space.archived or (above is not None and (above.archived or above.in_archived))


@dataclass(slots=True, eq=False)
class TaskList:
    """A list with its tasks: ``home`` those that live here, ``added`` those that were added from elsewhere.

    Both hold indices of tasks in ascending order, which is the order of creation.
    """

    index: int
    id: str
    name: str
    space: Space
    folder: Folder | None
    hidden_folder: str
    orderindex: int
    statuses: tuple[Status, ...]
    archived: bool = False
    shared: bool = False
    denied: bool = False
    override_statuses: bool = False
    content: str = ""
    start_date: int | None = None
    due_date: int | None = None
    fields: list[Field] = field(default_factory=list)
    home: array[int] = field(default_factory=lambda: array("I"))
    added: array[int] = field(default_factory=lambda: array("I"))

    @property
    def listed(self) -> bool:
        """Whether the token's user sees the list itself."""
        if self.space.visible:
            return not self.space.denied
        return self.shared or (self.folder is not None and self.folder.readable)

    @property
    def readable(self) -> bool:
        """Whether the token's user may read its tasks."""
        return self.listed and not self.denied

    @property
    def in_archived(self) -> bool:
        """Whether something above it is archived."""
        folder = self.folder
        return self.space.archived or (folder is not None and (folder.archived or folder.in_archived))

    @property
    def on_team_route(self) -> bool:
        """Whether the workspace-wide task route shows its tasks."""
        return self.readable and self.space.visible and not (self.archived or self.in_archived)

    @property
    def all_fields(self) -> list[Field]:
        """The custom fields of its folder and of its own (the space's and workspace's come on top)."""
        return [*(self.folder.fields if self.folder else ()), *self.fields]
