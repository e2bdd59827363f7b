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
    "Entries",
    "Field",
    "Folder",
    "Person",
    "Space",
    "Status",
    "Tag",
    "TaskList",
    "Tasks",
    "entry_id",
    "entry_index",
    "mix",
    "task_id",
    "task_index",
]

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_MASK = (1 << 64) - 1
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIRST_TASK = int("86a4k0001", 36)
_TASK_STEP = 23
_FIRST_ENTRY = 4_381_920_000_000_000_000
_ENTRY_STEP = 1_003


def mix(*numbers: int) -> int:
    """Return 63 well-stirred bits of the numbers: a random draw that needs no state."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = ((state ^ number) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
    return (state * 0x94D049BB133111EB & _MASK) >> 1


def task_id(index: int) -> str:
    """Return the id of the task at ``index``: nine characters, as ClickUp's look."""
    number = _FIRST_TASK + index * _TASK_STEP
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


def task_index(text: str) -> int:
    """Return the index that belongs to a task's id, or -1 for an id that no task can have."""
    try:
        offset, rest = divmod(int(text, 36) - _FIRST_TASK, _TASK_STEP)
    except ValueError:
        return -1
    return offset if rest == 0 and text.islower() else -1


def entry_id(index: int) -> str:
    """Return the id of the time entry at ``index``: nineteen digits, as ClickUp's."""
    return str(_FIRST_ENTRY + index * _ENTRY_STEP)


def entry_index(text: str) -> int:
    """Return the index that belongs to an entry's id, or -1."""
    if not text.isdigit():
        return -1
    offset, rest = divmod(int(text) - _FIRST_ENTRY, _ENTRY_STEP)
    return offset if rest == 0 and offset >= 0 else -1


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
    """A custom field's definition: ``scope`` is workspace, space, folder or list; ``fill`` how often it is set."""

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


class Tasks:
    """The columns of all tasks; 0 stands for an unset time, -1 for an unset index."""

    def __init__(self) -> None:
        self.list = array("I")
        self.parent = array("i")
        self.status = array("H")
        self.created = array("q")
        self.updated = array("q")
        self.done = array("q")
        self.closed = array("q")
        self.start = array("q")
        self.due = array("q")
        self.archived = bytearray()
        self.deleted = bytearray()
        self.priority = bytearray()
        self.type = bytearray()
        self.points = array("b")
        self.estimate = array("i")
        self.spent = array("q")
        self.creator = array("H")
        self.number = array("I")
        self.names: list[str] = []
        self.assignees: list[tuple[int, ...]] = []
        self.tags: list[tuple[str, ...]] = []
        self.path_first = array("I", [0])
        self.path_status = array("H")
        self.path_at = array("q")

    def __len__(self) -> int:
        return len(self.names)


class Entries:
    """The columns of all time entries; ``start`` and ``end`` 0 for unset, ``task`` -1 for none.

    ``billable`` is 0, 1 or 2 for null; ``duration`` is negative for a running timer.
    """

    def __init__(self) -> None:
        self.task = array("i")
        self.member = array("H")
        self.start = array("q")
        self.end = array("q")
        self.duration = array("q")
        self.at = array("q")
        self.billable = bytearray()
        self.source = bytearray()
        self.deleted = bytearray()
        self.texts: list[str | None] = []

    def __len__(self) -> int:
        return len(self.texts)
