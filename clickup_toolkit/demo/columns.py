"""The columns of tasks and of time entries: many rows in little memory."""

from __future__ import annotations

from array import array

__all__ = ["Entries", "Tasks"]


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
