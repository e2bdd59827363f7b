"""Which tasks a question is about, in which order: the filters of the two task routes."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from heapq import merge

from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.demo.facts import TASK_TYPES
from clickup_toolkit.demo.http import ApiError, Query, not_authorized
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.demo.model import Folder, Space, TaskList
from clickup_toolkit.demo.state import State

__all__ = ["Selections"]

_MUST_BE_ARRAYS = {
    "list_ids": "PUBAPITASK_014",
    "space_ids": "PUBAPITASK_014",
    "project_ids": "PUBAPITASK_014",
    "assignees": "PUBAPITASK_017",
    "statuses": "PUBAPITASK_008",
    "tags": "PUBAPITASK_009",
    "custom_items": "PUBAPITASK_014",
}
_PLACES: tuple[tuple[str, str, type[TaskList | Space | Folder], str], ...] = (
    ("list_ids[]", "List", TaskList, "OAUTH_061"),
    ("project_ids[]", "Folder", Folder, "OAUTH_057"),
    ("space_ids[]", "Space", Space, "OAUTH_055"),
)
_KEPT = 48

Test = Callable[[int], bool]


class Selections:
    """Answers questions about tasks, and remembers the latest answers until the workspace changes."""

    def __init__(self, world: State, behaviour: Behaviour) -> None:
        self.world, self.behaviour = world, behaviour
        self._kept: OrderedDict[object, tuple[int, array[int]]] = OrderedDict()

    def in_list(self, list_: TaskList, query: Query) -> array[int]:
        """Return the tasks of one list."""
        return self._remember(
            (list_.id, *query.without(("page",))), query, lambda: self._of_list(list_, query)
        )

    def in_workspace(self, query: Query) -> array[int]:
        """Return the tasks that the workspace-wide route shows."""
        return self._remember(("team", *query.without(("page",))), query, lambda: self._of_workspace(query))

    def _remember(self, key: object, query: Query, choose: Callable[[], Iterable[int]]) -> array[int]:
        version, found = self._kept.get(key, (-1, array("I")))
        if version != self.world.version:
            _check_arrays(query)
            found = self._order(choose(), query)
            self._kept[key] = (self.world.version, found)
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _of_list(self, list_: TaskList, query: Query) -> Iterator[int]:
        tasks: Iterable[int] = list_.home
        if query.flag("include_timl"):
            tasks = merge(list_.home, list_.added)
        return filter(self._test(query, archived=query.flag("archived")), tasks)

    def _of_workspace(self, query: Query) -> Iterator[int]:
        archived = query.flag("archived") and self.behaviour.team_archived
        lists = self._chosen_lists(query)
        whole = len(lists) == sum(list_.on_team_route for list_ in self.world.lists)
        tasks: Iterable[int] = _homes(self.world, lists) if whole else sorted(_tasks_of(lists))
        if query.flag("include_timl") and self.behaviour.team_timl:
            tasks = sorted({*tasks, *(task for list_ in lists for task in list_.added)})
        found = filter(self._test(query, archived=archived), tasks)
        if not archived:
            return found
        if not self.behaviour.team_archived_subtasks:
            found = filter(lambda task: self.world.tasks.parent[task] < 0, found)
        return filter(lambda task: task_id(task) not in self.behaviour.team_hidden, found)

    def _chosen_lists(self, query: Query) -> list[TaskList]:
        """Return the lists on the workspace-wide route that the filters name: all, if there is no filter."""
        lists = [list_ for list_ in self.world.lists if list_.on_team_route]
        for name, what, kind, code in _PLACES:
            ids = query.all(name)
            if not ids:
                continue
            places = [self.world.by_id.get(id_) for id_ in ids]
            if self.behaviour.strict_filters and not all(_seen(place, kind) for place in places):
                raise not_authorized(what, code)
            wanted = set(ids)
            lists = [list_ for list_ in lists if wanted & _above(list_)]
        return lists

    def _test(self, query: Query, *, archived: bool) -> Test:
        columns, statuses = self.world.tasks, self.world.statuses
        flag = int(archived)
        tests = list(self._further_tests(query))
        closed = query.flag("include_closed") or bool(query.all("statuses[]"))
        subtasks = query.flag("subtasks") or bool(query.get("parent"))
        is_closed = bytes(status.type == "closed" for status in statuses)

        def passes(task: int) -> bool:
            return (
                columns.archived[task] == flag
                and not columns.deleted[task]
                and (closed or not is_closed[columns.status[task]])
                and (subtasks or columns.parent[task] < 0)
                and (not tests or all(test(task) for test in tests))
            )

        return passes

    def _further_tests(self, query: Query) -> Iterator[Test]:
        yield from self._date_tests(query)
        columns, world = self.world.tasks, self.world
        if names := set(query.all("statuses[]")):
            yield lambda task: world.statuses[columns.status[task]].name in names
        if tags := set(query.all("tags[]")):
            yield lambda task: bool(tags.intersection(columns.tags[task]))
        if people := set(query.all("assignees[]")):
            yield lambda task: any(str(world.people[who].id) in people for who in columns.assignees[task])
        if types := set(query.all("custom_items[]")):
            yield lambda task: str(TASK_TYPES[columns.type[task]].id or 0) in types
        if parent := query.get("parent"):
            above = world.find_task(parent)
            yield lambda task: columns.parent[task] == above

    def _date_tests(self, query: Query) -> Iterator[Test]:
        columns = self.world.tasks
        for name, column in (
            ("date_created", columns.created),
            ("date_updated", columns.updated),
            ("date_done", columns.done),
            ("due_date", columns.due),
        ):
            for end, inclusive in (("gt", self.behaviour.gt_inclusive), ("lt", self.behaviour.lt_inclusive)):
                text = query.get(f"{name}_{end}")
                if text:
                    yield _date_test(column, end, _instant(text), inclusive)

    def _order(self, tasks: Iterable[int], query: Query) -> array[int]:
        """Sort: newest first unless reversed. Tasks come in order of creation, which is that of their ids."""
        by = query.get("order_by", "created") or "created"
        columns = self.world.tasks
        column = {"updated": columns.updated, "due_date": columns.due}.get(by)
        if column is not None:
            tasks = sorted(tasks, key=column.__getitem__)
        elif by not in ("created", "id"):
            raise ApiError(500, "ITEMV2_003", "Internal server error")
        found = array("I", tasks)
        if not query.flag("reverse"):
            found.reverse()
        return found


def _check_arrays(query: Query) -> None:
    for name, code in _MUST_BE_ARRAYS.items():
        if name in query:
            raise ApiError(400, code, f"{name} must be an array")


def _homes(world: State, lists: Iterable[TaskList]) -> Iterator[int]:
    """Return all tasks whose home is among many lists, in order, without sorting them."""
    chosen = bytearray(len(world.lists))
    for list_ in lists:
        chosen[list_.index] = 1
    homes = world.tasks.list
    return (task for task in range(len(world.tasks)) if chosen[homes[task]])


def _tasks_of(lists: Iterable[TaskList]) -> Iterator[int]:
    return (task for list_ in lists for task in list_.home)


def _seen(place: object, kind: type[TaskList | Space | Folder]) -> bool:
    if isinstance(place, Space):
        return kind is Space and place.visible and not place.denied
    if isinstance(place, TaskList):
        return kind is TaskList and place.readable
    return isinstance(place, Folder) and kind is Folder and place.readable


def _above(list_: TaskList) -> set[str]:
    """Return the ids that a filter may name the list by: its own, its space's, its folders'."""
    ids = {list_.id, list_.space.id, list_.hidden_folder}
    folder = list_.folder
    while folder:
        ids.add(folder.id)
        folder = folder.parent
    return ids


def _date_test(column: array[int], end: str, instant: int, inclusive: bool) -> Test:
    if end == "gt":
        least = instant if inclusive else instant + 1
        return lambda task: column[task] >= least
    most = instant if inclusive else instant - 1
    return lambda task: 0 < column[task] <= most


def _instant(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ApiError(500, "ITEMV2_003", "Internal server error") from None
