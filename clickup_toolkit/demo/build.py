"""Build the workspace: one call, the same every time for the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from clickup_toolkit.demo.model import DAY, Role
from clickup_toolkit.demo.people import make_people
from clickup_toolkit.demo.places import make_places
from clickup_toolkit.demo.populate import add_tasks
from clickup_toolkit.demo.state import real_clock
from clickup_toolkit.demo.tracking import add_entries
from clickup_toolkit.demo.world import World

__all__ = ["build_world"]

_LEAST = {"tasks": 60, "lists": 19, "members": 4, "time_entries": 0, "hidden": 12}


def build_world(
    *,
    tasks: int = 2500,
    lists: int | None = None,
    members: int | None = None,
    time_entries: int | None = None,
    hidden: int | None = None,
    seed: int = 1,
    now: int | None = None,
    unreadable: int = 0,
    clock: Callable[[], int] | None = None,
) -> World:
    """Return the workspace of a product company as its owner's token sees it.

    ``tasks`` and ``lists`` count what that token can see, archived and shared ones included; ``hidden`` of
    the tasks are archived, in archived places or shared, so that the workspace-wide task route does not show
    them. ``members`` counts the people of the workspace (one more left it), ``time_entries`` everybody's.
    The time of ``unreadable`` members is refused to the token.

    ``now`` (ms) is the present; with it, everything is the same byte for byte, and time stands still but for
    a second a change, unless ``clock`` tells it. Without it the workspace lives in the real present.
    """
    size = {
        "tasks": tasks,
        "lists": max(24, tasks // 90) if lists is None else lists,
        "members": 10 + min(40, tasks // 250) if members is None else members,
        "time_entries": tasks if time_entries is None else time_entries,
        "hidden": tasks * 27 // 100 if hidden is None else hidden,
    }
    _check(size)
    rng = Random(seed)
    clock = clock or (real_clock if now is None else None)
    now = real_clock() if now is None else now
    born = now - _span(tasks)
    world = World(seed, now, clock)
    world.people = make_people(size["members"], born, now, rng)
    places = make_places(size["lists"], world.people, born, now, rng)
    world.spaces, world.folders, world.lists = places.spaces, places.folders, places.lists
    world.statuses, world.former, world.fields = places.statuses, places.former, places.fields
    world.index_places()
    add_tasks(world, places, tasks, size["hidden"], rng)
    add_entries(world, size["time_entries"], rng)
    workers = [
        place for place, who in enumerate(world.people) if who.role == Role.MEMBER and who.state == "active"
    ]
    world.unreadable = set(workers[:unreadable])
    return world


def _span(tasks: int) -> int:
    """Return how long the workspace has existed: 10 months for a small one, 4 years for a large one."""
    return int(min(1460, 300 + tasks**0.6)) * DAY


def _check(size: dict[str, int]) -> None:
    for name, least in _LEAST.items():
        if size[name] < least:
            raise ValueError(f"A workspace needs {name}={least} or more, not {size[name]}.")
    if size["hidden"] > size["tasks"] * 3 // 4:
        raise ValueError("At most three quarters of the tasks can be hidden.")
