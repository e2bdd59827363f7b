"""The state of the workspace and the questions it answers about itself, without any HTTP or JSON."""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator

from clickup_toolkit.demo.columns import Entries, Tasks
from clickup_toolkit.demo.facts import TASK_TYPES, Comment, Dependency, Link, StatusRow
from clickup_toolkit.demo.ids import entry_index, mix, stir, task_index
from clickup_toolkit.demo.model import MINUTE, Field, Folder, Person, Space, Status, TaskList
from clickup_toolkit.demo.vocabulary import COMPANY

__all__ = ["State", "real_clock"]


def real_clock() -> int:
    """Return the present in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class State:
    """Everything there is. Read and change it under ``lock`` while a server runs."""

    def __init__(self, seed: int, now: int, clock: Callable[[], int] | None) -> None:
        self.seed = seed
        self.name = COMPANY
        self.team_id = "9012345678"
        self.born_at = now
        self.clock = clock
        self._stood = now
        self.lock = threading.RLock()
        self.version = 0
        self._drawn = (-1, 0)
        self.people: list[Person] = []
        self.statuses: list[Status] = []
        self.former: dict[int, Status] = {}
        self.spaces: list[Space] = []
        self.folders: list[Folder] = []
        self.lists: list[TaskList] = []
        self.fields: list[Field] = []
        self.tasks = Tasks()
        self.entries = Entries()
        self.first_size = 1
        self.added: dict[int, tuple[int, ...]] = {}
        self.dependencies: dict[int, list[Dependency]] = {}
        self.links: dict[int, list[Link]] = {}
        self.children: dict[int, list[int]] = {}
        self.entries_of: dict[int, array[int]] = {}
        self.entries_by: dict[int, array[int]] = {}
        self.later: dict[int, list[tuple[int, int]]] = {}
        self.field_edits: dict[tuple[int, str], object] = {}
        self.texts: dict[int, str] = {}
        self.first_names: dict[int, str] = {}
        self.comments_added: dict[int, list[Comment]] = {}
        self.shared_tasks: set[int] = set()
        self.unreadable: set[int] = set()
        self.changed: Callable[[int], None] = lambda task: None
        self.by_id: dict[str, Space | Folder | TaskList] = {}

    def index_places(self) -> None:
        """Make spaces, folders and lists findable by id."""
        places: list[Space | Folder | TaskList] = [*self.spaces, *self.folders, *self.lists]
        self.by_id = {place.id: place for place in places}

    # time

    def now(self) -> int:
        """Return the workspace's present: the clock's, or where time stood still, the last change's."""
        return self.clock() if self.clock else self._stood

    def tick(self) -> int:
        """Let a change happen now: return an instant later than that of every change before."""
        self._stood = max(self._stood + 1_000 if self.clock is None else self._stood + 1, self.now())
        self.version += 1
        return self._stood

    # finding things

    @property
    def me(self) -> Person:
        """The person the token belongs to."""
        return self.people[0]

    @property
    def present_people(self) -> list[Person]:
        """Those whom the API lists as members."""
        return [person for person in self.people if person.state != "left"]

    def find_task(self, id_: str) -> int:
        """Return the index of the task with this id, or -1."""
        index = task_index(id_)
        return index if 0 <= index < len(self.tasks) else -1

    def find_entry(self, id_: str) -> int:
        """Return the index of the time entry with this id, or -1."""
        index = entry_index(id_)
        return index if 0 <= index < len(self.entries) and not self.entries.deleted[index] else -1

    def find_person(self, id_: int) -> int:
        """Return the place of the person with this id, or -1."""
        return next((place for place, person in enumerate(self.people) if person.id == id_), -1)

    # what the token sees

    def sees(self, task: int) -> bool:
        """Whether the token may read the task: through its home, a list it was added to, or sharing."""
        if self.tasks.deleted[task]:
            return False
        return (
            self.lists[self.tasks.list[task]].readable
            or task in self.shared_tasks
            or bool(self.seen_lists(task))
        )

    def seen_lists(self, task: int) -> list[TaskList]:
        """Return the readable lists the task was added to, its home apart."""
        return [self.lists[place] for place in self.added.get(task, ()) if self.lists[place].readable]

    def on_team_route(self, task: int) -> bool:
        """Whether the workspace-wide task route shows the task without being asked for more."""
        return self.lists[self.tasks.list[task]].on_team_route and not (
            self.tasks.archived[task] or self.tasks.deleted[task]
        )

    def seen_tasks(self) -> Iterator[int]:
        """Yield every task that the token's user may read."""
        return filter(self.sees, range(len(self.tasks)))

    # facts about a task

    def draw(self, task: int, salt: int) -> int:
        """Return random bits that belong to the task and the salt, the same every time."""
        known, base = self._drawn
        if known != task:
            base = mix(self.seed, task)
            self._drawn = (task, base)
        return stir(base, salt)

    def top_parent(self, task: int) -> int:
        """Return the topmost task above this one, or -1."""
        top, above = -1, self.tasks.parent[task]
        while above >= 0:
            top, above = above, self.tasks.parent[above]
        return top

    def descendants(self, task: int) -> list[int]:
        """Return all subtasks below the task, at any depth."""
        below = list(self.children.get(task, ()))
        for child in below:
            below += self.children.get(child, ())
        return below

    def fields_of(self, task: int) -> list[Field]:
        """Return the custom fields that apply to the task."""
        list_ = self.lists[self.tasks.list[task]]
        fields = [*self.fields, *list_.space.fields, *list_.all_fields]
        type_ = TASK_TYPES[self.tasks.type[task]].id
        return [field for field in fields if field.only_type is None or field.only_type == type_]

    def visits(self, task: int) -> list[tuple[int, int]]:
        """Return when the task entered which status, in order of time."""
        columns = self.tasks
        if task + 1 < len(columns.path_first):
            span = range(columns.path_first[task], columns.path_first[task + 1])
            first = [(columns.path_at[step], columns.path_status[step]) for step in span]
        else:
            first = []
        return first + self.later.get(task, [])

    def has_history(self, task: int) -> bool:
        """Whether time in status is known; a few tasks were imported before it was switched on."""
        return self.draw(task, 99) % 250 != 0

    def status_rows(self, task: int, now: int) -> list[StatusRow]:
        """Return the time in each status, the workflow's own ones first, then those deleted or foreign."""
        own = {status.name: status for status in self.lists[self.tasks.list[task]].statuses}
        visits = self.visits(task)
        since: dict[str, int] = {}
        spent: dict[str, int] = {}
        types: dict[str, str] = {}
        name = ""
        for (begin, number), (end, _) in zip(visits, [*visits[1:], (now, -1)], strict=True):
            name = self.statuses[number].name
            since[name] = begin
            spent[name] = spent.get(name, 0) + max(0, end - begin)
            types[name] = self.statuses[number].type
        rows = []
        for status, total in spent.items():
            known = own.get(status)
            color, order = (known.color, known.orderindex) if known else (None, None)
            minutes = total // MINUTE
            rows.append(
                StatusRow(status, color, types[status], since[status], minutes, order, status == name)
            )
        rows.sort(key=lambda row: (row.orderindex is None, row.orderindex or 0, row.status))
        return rows

    def status_at_home(self, list_: TaskList, status: Status) -> Status:
        """Return the status that a task gets in the list: the one of the same name, or of the same type."""
        for same in ("name", "type"):
            for offered in list_.statuses:
                if getattr(offered, same) == getattr(status, same):
                    return offered
        return list_.statuses[0]

    def entries_in(self, person: int, start: int, end: int) -> array[int]:
        """Return the time entries of a person that start in [start, end), in order of start."""
        all_ = self.entries_by.get(person, array("I"))
        first = bisect_left(all_, start, key=self.entry_instant)
        last = bisect_left(all_, end, key=self.entry_instant)
        return all_[first:last]

    def entry_instant(self, entry: int) -> int:
        """Return the instant an entry counts by: its start, or when it was added where it has none."""
        return self.entries.start[entry] or self.entries.at[entry]

    @staticmethod
    def person_json(person: Person, keys: str) -> dict[str, object]:
        """Return a person as ClickUp's JSON, with these keys in this order."""
        known: dict[str, object] = {
            "id": person.id,
            "username": person.username,
            "color": person.color,
            "initials": person.initials,
            "email": person.email,
            "profilePicture": person.picture,
        }
        return {key: known[key] for key in keys.split()}
