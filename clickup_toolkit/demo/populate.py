"""Fill the lists with tasks: when they were made, by whom, under which parent, and how they fared."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from random import Random

from clickup_toolkit.demo.facts import Dependency, Link
from clickup_toolkit.demo.flow import Path, simulate, working_time
from clickup_toolkit.demo.ids import mix
from clickup_toolkit.demo.model import DAY, HOUR, Person, Role, TaskList
from clickup_toolkit.demo.places import Places
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.vocabulary import ODD_NAMES, TASK_WORDS

__all__ = ["UNSEEN_TASKS", "VISITING_TASKS", "add_tasks", "divide"]

UNSEEN_TASKS = 14
"""Tasks in lists that the token cannot see, on top of those asked for…"""
VISITING_TASKS = 2
"""… of which so many were added to a list that it can see, and one is shared by itself."""

_POINTS = (1, 2, 3, 5, 8, 13)
_ESTIMATES = (30, 60, 120, 240, 480, 960, 2400)
_DEEPEST = 4


def divide(total: int, weights: Sequence[float]) -> list[int]:
    """Divide ``total`` into whole parts in proportion to the weights."""
    whole = sum(weights) or 1.0
    exact = [total * weight / whole for weight in weights]
    parts = [int(part) for part in exact]
    rest = sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])
    for place in rest[: total - sum(parts)]:
        parts[place] += 1
    return parts


def add_tasks(world: State, places: Places, total: int, hidden: int, rng: Random) -> None:
    """Add ``total`` tasks that the token sees, ``hidden`` of which the workspace-wide route does not show."""
    alone = VISITING_TASKS + 1
    counts, archived = _count_by_list(places, total - alone, hidden - alone, rng)
    events = sorted(
        (_creation(places, list_, role, rng), list_.index)
        for list_, role, count in zip(places.lists, places.roles, counts, strict=True)
        for _ in range(count)
    )
    created = [instant for instant, _ in events]
    homes = [place for _, place in events]
    spaces = [world.spaces.index(list_.space) for list_ in places.lists]
    kinds = ["bugs" if list_.override_statuses else list_.space.kind for list_ in places.lists]
    paths = simulate(
        created, [spaces[home] for home in homes], [kinds[home] for home in homes], world.born_at, rng
    )
    filler = _Filler(world, places, rng)
    for instant, home, path in zip(created, homes, paths, strict=True):
        filler.add(instant, places.lists[home], path, kinds[home])
    world.first_size = len(world.tasks)
    _archive(world, archived, rng)
    _add_to_lists(world, places, rng)
    _connect(world, rng)


def _count_by_list(places: Places, total: int, hidden: int, rng: Random) -> tuple[list[int], int]:
    """Return the number of tasks of each list, and how many in live lists are to be archived one by one."""
    groups: dict[str, list[int]] = {"live": [], "archived": [], "shared": [], "unseen": []}
    for place, role in enumerate(places.roles):
        groups["live" if role == "folderless" else role.split()[0]].append(place)
    shared = min(hidden, max(6, hidden // 40))
    in_archived = int((hidden - shared) * 0.62)
    sizes = {
        "live": total - shared - in_archived,
        "archived": in_archived,
        "shared": shared,
        "unseen": UNSEEN_TASKS,
    }
    counts = [0] * len(places.lists)
    for name, members in groups.items():
        weights = [
            0.0 if name != "unseen" and order % 17 == 13 else rng.lognormvariate(0, 0.7)
            for order in range(len(members))
        ]
        for place, count in zip(members, divide(sizes[name], weights), strict=True):
            counts[place] = count
    return counts, hidden - shared - in_archived


def _creation(places: Places, list_: TaskList, role: str, rng: Random) -> int:
    born, span = places.born, places.now - places.born - HOUR
    if list_.space.archived:
        instant = born + int(span * 0.45 * rng.random())
    elif role == "archived":
        instant = born + int(span * 0.7 * rng.random())
    elif list_.start_date and list_.due_date and list_.start_date > born:
        instant = list_.start_date + int((list_.due_date - list_.start_date) * (rng.random() * 1.6 - 0.8))
    else:
        instant = born + int(span * rng.random() ** 0.8)
    instant = min(max(instant, born), places.now - HOUR)
    return min(working_time(instant, rng), places.now - HOUR) if rng.random() < 0.9 else instant


class _Filler:
    """Adds one task after the other, in order of creation."""

    def __init__(self, world: State, places: Places, rng: Random) -> None:
        self.world, self.rng = world, rng
        self.columns = world.tasks
        self.recent: dict[int, list[int]] = {}
        self.elsewhere: dict[str, list[int]] = {}
        self.depth = bytearray()
        self.tags: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.numbers: dict[str, int] = {}
        self.teams = {space.id: _team(world.people, order) for order, space in enumerate(world.spaces)}
        self.rename_day = places.born + int((places.now - places.born) * 0.4)
        self.left = len(world.people) - 1
        self.last_day_of_left = places.now - 60 * DAY

    def add(self, created: int, list_: TaskList, path: Path, kind: str) -> None:
        """Append one task."""
        world, columns, rng = self.world, self.columns, self.rng
        task = len(columns)
        columns.list.append(list_.index)
        columns.parent.append(self._parent(task, list_))
        columns.created.append(created)
        status = self._record_path(list_, path)
        self._record_ends(list_, path, status)
        space = list_.space
        columns.archived.append(0)
        columns.deleted.append(0)
        columns.priority.append((0, 0, 0, 0, 0, 3, 3, 3, 2, 2, 4, 1)[int(rng.random() * 12)])
        columns.type.append(self._type(kind))
        columns.points.append(
            _POINTS[int(rng.random() * 6)] if kind in ("engineering", "bugs") and rng.random() < 0.6 else -1
        )
        columns.estimate.append(_ESTIMATES[int(rng.random() * 7)] if rng.random() < 0.35 else -1)
        columns.spent.append(0)
        team = self.teams[space.id]
        columns.creator.append(team[int(rng.random() * len(team))])
        self.numbers[space.id] = number = self.numbers.get(space.id, 0) + 1
        columns.number.append(number)
        columns.names.append(self._name("engineering" if kind == "bugs" else kind))
        columns.assignees.append(self._assignees(team, created))
        columns.tags.append(self._tags([tag.name for tag in space.tags]))
        due = created + int(rng.uniform(3, 60)) * DAY if rng.random() < 0.3 else 0
        columns.due.append(due // DAY * DAY + 4 * HOUR if due else 0)
        columns.start.append(created // DAY * DAY + 4 * HOUR if due and rng.random() < 0.4 else 0)
        list_.home.append(task)
        if columns.parent[task] >= 0:
            world.children.setdefault(columns.parent[task], []).append(task)

    def _parent(self, task: int, list_: TaskList) -> int:
        draw = self.rng.random()
        near = self.recent.setdefault(list_.index, [])
        far = self.elsewhere.setdefault(list_.space.id, [])
        pool = near if draw < 0.23 else far if draw < 0.25 else ()
        parent = pool[int(self.rng.random() * len(pool))] if pool else -1
        if parent >= 0 and self.depth[parent] + 1 >= _DEEPEST:
            parent = -1
        self.depth.append(self.depth[parent] + 1 if parent >= 0 else 0)
        for known in (near, far):
            known.append(task)
            del known[:-10]
        return parent

    def _record_path(self, list_: TaskList, path: Path) -> int:
        columns = self.columns
        for step, (instant, place) in enumerate(path):
            status = list_.statuses[place]
            former = self.world.former.get(status.index)
            if former and instant < self.rename_day and step < len(path) - 1:
                status = former
            columns.path_status.append(status.index)
            columns.path_at.append(instant)
        columns.path_first.append(len(columns.path_at))
        columns.status.append(list_.statuses[path[-1][1]].index)
        return path[-1][1]

    def _record_ends(self, list_: TaskList, path: Path, last: int) -> None:
        columns, type_ = self.columns, list_.statuses[last].type
        done = closed = 0
        if type_ in ("done", "closed"):
            closed = path[-1][0] if type_ == "closed" else 0
            before = list_.statuses[path[-2][1]].type if len(path) > 1 else ""
            done = path[-2][0] if before == "done" else path[-1][0]
        columns.done.append(done)
        columns.closed.append(closed)
        touched = path[-1][0] + int(self.rng.random() ** 4 * 6 * DAY)
        columns.updated.append(min(touched, self.world.born_at - 1 - int(self.rng.random() * HOUR)))
        columns.updated[-1] = max(columns.updated[-1], path[-1][0])

    def _type(self, kind: str) -> int:
        draw = self.rng.random()
        if kind == "bugs":
            return 2 if draw < 0.9 else 4
        return 0 if draw < 0.8 else 3 if draw < 0.9 else 1 if draw < 0.93 else 5

    def _name(self, kind: str) -> str:
        rng = self.rng
        if rng.random() < 0.012:
            return ODD_NAMES[int(rng.random() * len(ODD_NAMES))]
        first, second, third = TASK_WORDS[kind]
        name = f"{first[int(rng.random() * len(first))]} {second[int(rng.random() * len(second))]}"
        return f"{name} {third[int(rng.random() * len(third))]}" if rng.random() < 0.8 else name

    def _assignees(self, team: Sequence[int], created: int) -> tuple[int, ...]:
        draw = self.rng.random()
        if draw < 0.15:
            return ()
        if draw < 0.19 and created < self.last_day_of_left:
            return (self.left,)
        count = 1 if draw < 0.8 else 2 if draw < 0.97 else 3
        return tuple(dict.fromkeys(team[int(self.rng.random() * len(team))] for _ in range(count)))

    def _tags(self, offered: Sequence[str]) -> tuple[str, ...]:
        draw = self.rng.random()
        count = 0 if draw < 0.55 else 1 if draw < 0.85 else 2 if draw < 0.97 else 3
        chosen = tuple(dict.fromkeys(offered[int(self.rng.random() * len(offered))] for _ in range(count)))
        return self.tags.setdefault(chosen, chosen)


def _team(people: Sequence[Person], order: int) -> list[int]:
    """Return who works in a space: everybody who is neither guest, invited nor gone is in about two."""
    workers = [place for place, who in enumerate(people) if who.state == "active" and who.role != Role.GUEST]
    chosen = [place for place in workers if mix(place, 5) % 6 == order % 6 or mix(place, 9) % 6 == order % 6]
    guests = [place for place, who in enumerate(people) if who.role == Role.GUEST and place % 3 == order % 3]
    return (chosen if len(chosen) > 1 else workers) + guests[:1]


def _archive(world: State, count: int, rng: Random) -> None:
    """Archive ``count`` finished tasks of live lists, mostly old, and some where all is archived anyway."""
    columns = world.tasks
    finished: list[int] = []
    others: list[int] = []
    for task in range(len(columns)):
        if world.on_team_route(task):
            (finished if columns.done[task] else others).append(task)
        elif columns.done[task] and rng.random() < 0.15:
            columns.archived[task] = 1
    old = finished[: max(count, int(len(finished) * 0.8))]
    chosen = rng.sample(old, min(count, len(old)))
    chosen += others[: count - len(chosen)]
    for task in chosen:
        columns.archived[task] = 1


def _add_to_lists(world: State, places: Places, rng: Random) -> None:
    """Add some tasks to further lists; two whose home is not seen to a list that is, and share a third."""
    for task in range(len(world.tasks)):
        if rng.random() < 0.035:
            _add_to(world, task, rng.sample(range(len(world.lists)), 1 if rng.random() < 0.8 else 2))
    unseen = [
        task
        for place, role in zip(places.lists, places.roles, strict=True)
        if role == "unseen"
        for task in place.home
    ]
    for task in unseen:
        for place in world.added.pop(task, ()):
            world.lists[place].added.remove(task)
    live = places.roles.index("live")
    for task in unseen[:VISITING_TASKS]:
        world.tasks.archived[task] = 0
        _add_to(world, task, [live, live + 1])
    world.shared_tasks.add(unseen[VISITING_TASKS])


def _add_to(world: State, task: int, lists: Sequence[int]) -> None:
    chosen = tuple(place for place in lists if place != world.tasks.list[task])
    if chosen:
        world.added[task] = chosen
        for place in chosen:
            insort(world.lists[place].added, task)


def _connect(world: State, rng: Random) -> None:
    """Let some tasks wait for an earlier one, and link some."""
    columns = world.tasks
    for task in range(1, len(columns)):
        draw = rng.random()
        if draw > 0.05:
            continue
        other = task - 1 - int(rng.random() ** 2 * min(task - 1, 400))
        person, created = columns.creator[task], columns.created[task]
        if draw < 0.03:
            dependency = Dependency(task, other, created, person)
            for end in (task, other):
                world.dependencies.setdefault(end, []).append(dependency)
        else:
            link = Link(task, other, created, person)
            for end in (task, other):
                world.links.setdefault(end, []).append(link)
