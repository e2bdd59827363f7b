"""What people do to the workspace while it is looked at. Every change takes the lock and a new instant."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from clickup_toolkit.demo.facts import Comment
from clickup_toolkit.demo.ids import entry_id, task_id
from clickup_toolkit.demo.model import Folder, TaskList
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.tracking import Draft, record_entry

__all__ = ["Editing"]


class Editing(State):
    """Changes to tasks. A task's ``date_updated`` moves with each change to it.

    Whether tracked time moves it too is not known of ClickUp; ``time_updates_tasks`` decides.
    """

    time_updates_tasks = True

    @contextmanager
    def _change(self, *tasks: int) -> Iterator[int]:
        """Hold the lock, and stamp the tasks with the instant of the change."""
        with self.lock:
            instant = self.tick()
            yield instant
            for task in tasks:
                self._stamp(task, instant)

    def _stamp(self, task: int, instant: int) -> None:
        self.tasks.updated[task] = instant
        self.changed(task)

    def _task(self, id_: str) -> int:
        task = self.find_task(id_)
        if task < 0 or self.tasks.deleted[task]:
            raise KeyError(f"There is no task {id_}.")
        return task

    def _list(self, id_: str) -> TaskList:
        place = self.by_id[id_]
        if not isinstance(place, TaskList):
            raise KeyError(f"{id_} is not a list.")
        return place

    def _people(self, ids: Iterable[int]) -> tuple[int, ...]:
        return tuple(self.find_person(id_) for id_ in ids)

    def create_task(
        self, list_id: str, name: str, *, parent: str | None = None, assignees: Iterable[int] = ()
    ) -> str:
        """Add a task in the first status of the list; return its id."""
        list_, columns = self._list(list_id), self.tasks
        above = self._task(parent) if parent else -1
        with self._change() as now:
            task = len(columns)
            columns.list.append(list_.index)
            columns.parent.append(above)
            columns.status.append(list_.statuses[0].index)
            columns.created.append(now)
            columns.updated.append(now)
            for times in (columns.done, columns.closed, columns.start, columns.due, columns.spent):
                times.append(0)
            for numbers in (columns.archived, columns.deleted, columns.priority, columns.type):
                numbers.append(0)
            columns.points.append(-1)
            columns.estimate.append(-1)
            columns.creator.append(0)
            columns.number.append(task + 1)
            columns.names.append(name)
            columns.assignees.append(self._people(assignees))
            columns.tags.append(())
            self.later[task] = [(now, list_.statuses[0].index)]
            list_.home.append(task)
            if above >= 0:
                self.children.setdefault(above, []).append(task)
        return task_id(task)

    def edit_task(
        self,
        id_: str,
        *,
        name: str | None = None,
        text: str | None = None,
        priority: int | None = None,
        points: int | None = None,
        due: int | None = None,
        estimate: int | None = None,
        assignees: Iterable[int] | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """Change what is given: ``due`` in ms (0: none), ``estimate`` in minutes, ``assignees`` as ids."""
        task, columns = self._task(id_), self.tasks
        with self._change(task):
            if name is not None:
                self.first_names.setdefault(task, columns.names[task])
                columns.names[task] = name
            if text is not None:
                self.texts[task] = text
            if assignees is not None:
                columns.assignees[task] = self._people(assignees)
            if tags is not None:
                columns.tags[task] = tuple(tags)
            if priority is not None:
                columns.priority[task] = priority
            for column, value in ((columns.points, points), (columns.due, due), (columns.estimate, estimate)):
                if value is not None:
                    column[task] = value

    def set_field(self, id_: str, field_id: str, value: object) -> None:
        """Set a custom field to a value as ClickUp writes it; ``UNSET`` clears it."""
        task = self._task(id_)
        with self._change(task):
            self.field_edits[task, field_id] = value

    def set_status(self, id_: str, status: str) -> None:
        """Put the task into a status of its list."""
        task = self._task(id_)
        offered = {one.name: one for one in self.lists[self.tasks.list[task]].statuses}
        with self._change(task) as now:
            self._enter(task, offered[status].index, now)

    def _enter(self, task: int, status: int, now: int) -> None:
        columns, type_ = self.tasks, self.statuses[status].type
        self.later.setdefault(task, []).append((now, status))
        columns.status[task] = status
        finished = type_ in ("done", "closed")
        columns.done[task] = (columns.done[task] or now) if finished else 0
        columns.closed[task] = now if type_ == "closed" else 0

    def move_task(self, id_: str, list_id: str) -> None:
        """Move the task, with its subtasks, to another home list; statuses follow by name or type."""
        task, target = self._task(id_), self._list(list_id)
        family = [task, *(t for t in self.descendants(task) if not self.tasks.deleted[t])]
        with self._change(*family) as now:
            for one in family:
                self._move(one, target, now)

    def _move(self, task: int, target: TaskList, now: int) -> None:
        home = self.lists[self.tasks.list[task]]
        if home is target:
            return
        home.home.remove(task)
        self._leave(task, target)
        insort(target.home, task)
        self.tasks.list[task] = target.index
        before = self.statuses[self.tasks.status[task]]
        after = self.status_at_home(target, before)
        if after.index != before.index:
            self._enter(task, after.index, now)

    def add_to_list(self, id_: str, list_id: str) -> None:
        """Let the task stand in one more list."""
        task, target = self._task(id_), self._list(list_id)
        with self._change(task):
            if target.index not in (self.tasks.list[task], *self.added.get(task, ())):
                self.added[task] = (*self.added.get(task, ()), target.index)
                insort(target.added, task)

    def remove_from_list(self, id_: str, list_id: str) -> None:
        """Take the task out of a list it was added to."""
        task, target = self._task(id_), self._list(list_id)
        with self._change(task):
            self._leave(task, target)

    def _leave(self, task: int, target: TaskList) -> None:
        if target.index in self.added.get(task, ()):
            target.added.remove(task)
            rest = tuple(place for place in self.added[task] if place != target.index)
            if rest:
                self.added[task] = rest
            else:
                del self.added[task]

    def archive_task(self, id_: str, *, archived: bool = True) -> None:
        """Archive the task and its subtasks, or bring them back."""
        family = [self._task(id_), *self.descendants(self._task(id_))]
        with self._change(*family):
            for task in family:
                self.tasks.archived[task] = int(archived)

    def delete_task(self, id_: str) -> None:
        """Delete the task with its subtasks and their time."""
        family = [self._task(id_), *self.descendants(self._task(id_))]
        with self._change(*family):
            for task in family:
                self.tasks.deleted[task] = 1
                for entry in self.entries_of.get(task, array("I")):
                    self._forget_entry(entry)

    def add_comment(self, id_: str, text: str) -> None:
        """Comment on the task; that does not change the task itself."""
        task = self._task(id_)
        with self._change() as now:
            made = self.comments_added.setdefault(task, [])
            made.append(
                Comment(90_120_000_000_000 + task * 100_000 + 90_000 + len(made), text, 0, now, False)
            )

    # time

    def log_time(
        self,
        person: int,
        task: str | None,
        start: int,
        duration: int,
        *,
        text: str = "",
        billable: bool = False,
    ) -> str:
        """Track ``duration`` ms (negative: a running timer) of a person, by id; return the entry's id."""
        index = self._task(task) if task else -1
        end = start + duration if duration >= 0 else 0
        touched = [index] if index >= 0 and self.time_updates_tasks else []
        with self._change(*touched) as now:
            member = self.find_person(person)
            entry = record_entry(
                self, Draft(now, index, member, start, end, duration, int(billable), 0, text)
            )
            mine = self.entries_by[member]
            mine.pop()
            mine.insert(bisect_left(mine, start, key=self.entry_instant), entry)
            self.changed(index) if index >= 0 else None
        return entry_id(entry)

    def delete_time(self, id_: str) -> None:
        """Delete a time entry."""
        entry = self.find_entry(id_)
        task = self.entries.task[entry]
        touched = [task] if task >= 0 and self.time_updates_tasks else []
        with self._change(*touched):
            self._forget_entry(entry)

    def _forget_entry(self, entry: int) -> None:
        columns = self.entries
        if columns.deleted[entry]:
            return
        columns.deleted[entry] = 1
        self.entries_by[columns.member[entry]].remove(entry)
        task = columns.task[entry]
        if task >= 0:
            self.tasks.spent[task] -= max(0, columns.duration[entry])
            self.changed(task)

    # places and people

    def create_list(self, near: str, name: str) -> str:
        """Add a list beside another one; return its id."""
        beside = self._list(near)
        with self._change():
            order = len(self.lists)
            made = TaskList(
                order,
                f"9012{order * 131 + 40_117_309:08}",
                name,
                beside.space,
                beside.folder,
                f"9012{order * 61 + 7_700_021:07}",
                order % 9,
                beside.space.statuses,
            )
            self.lists.append(made)
            self.by_id[made.id] = made
        return made.id

    def rename(self, id_: str, name: str) -> None:
        """Give a space, folder or list another name; the tasks in it are not stamped."""
        with self._change():
            self.by_id[id_].name = name
            self.changed(-1)

    def archive_place(self, id_: str, *, archived: bool = True) -> None:
        """Archive a space, folder or list, or bring it back; the tasks in it are not stamped."""
        with self._change():
            self.by_id[id_].archived = archived

    def deny(self, id_: str) -> None:
        """Close a space or list to the token: it is still listed, but answers 401 when it is asked for."""
        place = self.by_id[id_]
        if isinstance(place, Folder):
            raise TypeError("Only spaces and lists can be closed to the token.")
        with self._change():
            place.denied = True
            self.changed(-1)

    def let_go(self, person: int) -> None:
        """Let a person leave the workspace: no longer a member, still on tasks and entries."""
        with self._change():
            self.people[self.find_person(person)].state = "left"
