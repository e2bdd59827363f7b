"""Small things that the state hands out: types, status rows, links, comments."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TASK_TYPES", "Comment", "Dependency", "Link", "StatusRow", "TaskType"]


class TaskType(NamedTuple):
    """A task type; 0 and 1 are built in."""

    id: int | None
    name: str
    plural: str
    description: str


TASK_TYPES = (
    TaskType(0, "task", "tasks", ""),
    TaskType(1, "Milestone", "Milestones", "A date that others wait for"),
    TaskType(1001, "Bug", "Bugs", "Something that worked, or should"),
    TaskType(1002, "User story", "User stories", "What a passenger or operator wants to do"),
    TaskType(1003, "Incident", "Incidents", "Boats are waiting"),
    TaskType(None, "", "", ""),
)
"""Task types by the number in ``Tasks.type``; the last stands for null."""


class StatusRow(NamedTuple):
    """Time of a task in one status: ``color`` and ``orderindex`` None for one deleted or of another list."""

    status: str
    color: str | None
    type: str
    since: int
    minutes: int
    orderindex: int | None
    current: bool


class Dependency(NamedTuple):
    """``task`` waits for ``on``."""

    task: int
    on: int
    created: int
    person: int


class Link(NamedTuple):
    """Two tasks that somebody linked."""

    one: int
    other: int
    created: int
    person: int


class Comment(NamedTuple):
    """A comment or a reply; ``replies`` are those below it."""

    id: int
    text: str
    person: int
    date: int
    resolved: bool
    replies: tuple[Comment, ...] = ()
