"""Random changes, the same for the same seed: what a busy workspace does while it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from clickup_toolkit.demo.ids import entry_id, task_id
from clickup_toolkit.demo.model import HOUR, MINUTE, TaskList
from clickup_toolkit.demo.vocabulary import SENTENCES

if TYPE_CHECKING:
    from clickup_toolkit.demo.world import World

__all__ = ["ALL_CHANGES", "VISIBLE_CHANGES", "Changes", "drift"]

Change = Callable[["World", Random], str]
_TRIES = 50


def drift(world: World, rng: Random, count: int, kinds: Sequence[str]) -> list[str]:
    """Make ``count`` random changes of these kinds; return what happened, a line each."""
    with world.lock:
        return [_CHANGES[kind](world, rng) for kind in rng.choices(kinds, k=count)]


def _task(world: World, rng: Random) -> str:
    """Return a task that the workspace-wide route shows."""
    for _ in range(_TRIES):
        task = rng.randrange(len(world.tasks))
        if world.on_team_route(task):
            return task_id(task)
    return next(task_id(task) for task in range(len(world.tasks)) if world.on_team_route(task))


def _list(world: World, rng: Random) -> TaskList:
    return rng.choice([list_ for list_ in world.lists if list_.on_team_route])


def _create(world: World, rng: Random) -> str:
    parent = _task(world, rng) if rng.random() < 0.3 else None
    made = world.create_task(_list(world, rng).id, f"New: {rng.choice(SENTENCES)}", parent=parent)
    return f"create {made}"


def _edit(world: World, rng: Random) -> str:
    id_ = _task(world, rng)
    if rng.random() < 0.5:
        world.edit_task(
            id_, name=f"{rng.choice(SENTENCES)} ({rng.randrange(1000)})", priority=rng.randrange(5)
        )
    else:
        people = rng.sample(world.present_people, 2)
        world.edit_task(id_, text=rng.choice(SENTENCES), assignees=[person.id for person in people])
    return f"edit {id_}"


def _set_field(world: World, rng: Random) -> str:
    id_ = _task(world, rng)
    number = next(field for field in world.fields if field.type == "number")
    world.set_field(id_, number.id, str(rng.randrange(100)))
    return f"set field of {id_}"


def _status(world: World, rng: Random) -> str:
    id_ = _task(world, rng)
    statuses = world.lists[world.tasks.list[world.find_task(id_)]].statuses
    world.set_status(id_, rng.choice(statuses).name)
    return f"status of {id_}"


def _move(world: World, rng: Random) -> str:
    id_, target = _task(world, rng), _list(world, rng)
    world.move_task(id_, target.id)
    return f"move {id_} to {target.id}"


def _add(world: World, rng: Random) -> str:
    id_, target = _task(world, rng), _list(world, rng)
    world.add_to_list(id_, target.id)
    return f"add {id_} to {target.id}"


def _log(world: World, rng: Random) -> str:
    workers = [person for person in world.present_people if person.state != "invited"]
    id_, person = _task(world, rng), rng.choice(workers)
    duration = rng.randrange(5, 120) * MINUTE
    made = world.log_time(person.id, id_, world.now() - duration - rng.randrange(HOUR), duration)
    return f"log {made} on {id_}"


def _delete_time(world: World, rng: Random) -> str:
    for _ in range(_TRIES):
        entry = rng.randrange(max(1, len(world.entries)))
        if world.find_entry(entry_id(entry)) >= 0:
            world.delete_time(entry_id(entry))
            return f"delete time {entry_id(entry)}"
    return "nothing"


def _archive(world: World, rng: Random) -> str:
    id_ = _task(world, rng)
    world.archive_task(id_)
    return f"archive {id_}"


def _delete(world: World, rng: Random) -> str:
    id_ = _task(world, rng)
    world.delete_task(id_)
    return f"delete {id_}"


def _move_away(world: World, rng: Random) -> str:
    id_ = _task(world, rng)
    target = rng.choice([list_ for list_ in world.lists if list_.readable and not list_.on_team_route])
    world.move_task(id_, target.id)
    return f"move {id_} to {target.id}"


def _archive_list(world: World, rng: Random) -> str:
    lists = [list_ for list_ in world.lists if list_.on_team_route]
    if len(lists) < 4:
        return "nothing"
    id_ = rng.choice(lists).id
    world.archive_place(id_)
    return f"archive list {id_}"


def _create_list(world: World, rng: Random) -> str:
    return f"create list {world.create_list(_list(world, rng).id, f'New list {rng.randrange(100)}')}"


_CHANGES: dict[str, Change] = {
    "create": _create,
    "edit": _edit,
    "field": _set_field,
    "status": _status,
    "move": _move,
    "add": _add,
    "log": _log,
    "delete_time": _delete_time,
    "archive": _archive,
    "delete": _delete,
    "move_away": _move_away,
    "archive_list": _archive_list,
    "create_list": _create_list,
}

VISIBLE_CHANGES = ("create", "edit", "edit", "field", "status", "status", "move", "add")
"""Changes that the workspace-wide task route shows by ``date_updated``."""

ALL_CHANGES = tuple(_CHANGES)
"""Every kind of change, deletions, archiving and moves out of sight among them."""


class Changes:
    """For ``DemoServer(changes=…)``: before every ``every``-th answer, make ``count`` random changes."""

    def __init__(
        self,
        world: World,
        *,
        every: int = 10,
        count: int = 1,
        seed: int = 0,
        kinds: Sequence[str] = VISIBLE_CHANGES,
    ) -> None:
        self.world, self.every, self.count, self.kinds = world, every, count, kinds
        self.log: list[str] = []
        self._rng = Random(seed)

    def __call__(self, request: int) -> None:
        """Make the changes that are due before the answer to this request."""
        if request % self.every == 0:
            self.log += drift(self.world, self._rng, self.count, self.kinds)
