"""The ledger: what an export of the workspace must hold, from the model alone, past the server's routes."""

from __future__ import annotations

from dataclasses import dataclass, field

from clickup_toolkit.demo.facts import TASK_TYPES, StatusRow
from clickup_toolkit.demo.fields import UNSET, field_value
from clickup_toolkit.demo.ids import entry_id, task_id
from clickup_toolkit.demo.model import Field
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.traits import text, watchers

__all__ = ["Facts", "Ledger", "make_ledger"]

Facts = dict[str, object]
_PRIORITIES = (None, "urgent", "high", "normal", "low")


@dataclass
class Ledger:
    """What the token can read, by id, and what it cannot. Ids are text, times are ms; no time is None.

    - ``tasks``: facts of every task, named like the columns of the table ``tasks``, and besides ``text``,
      ``assignees``, ``watchers``, ``tags``, ``locations`` (readable lists apart from home), ``fields`` (value
      by field id; unset ones are absent), ``waits_for``, ``blocks``, ``linked`` (ids of tasks)
    - ``task_lists``: (task, list), the home list and those the task was added to
    - ``hidden``: tasks that the workspace-wide route does not show by their home list
    - ``entries``: time entries read by member; ``entries_by_task``: those that only the task's legacy route
      shows, as their people left or are closed to the token; ``entries_lost``: those nothing shows
    - ``status_rows``: time in status by task, at ``now``; tasks without history are absent
    - ``members``: people of the workspace; ``left``: those who left it
    - ``spaces``, ``folders``, ``lists``, ``fields``: their facts; ``tags``: (space, name)
    - ``unreadable``: ids by kind (``members``, ``lists``, ``spaces``) that belong into gaps
    """

    now: int
    tasks: dict[str, Facts] = field(default_factory=dict)
    task_lists: set[tuple[str, str]] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    entries: dict[str, Facts] = field(default_factory=dict)
    entries_by_task: dict[str, Facts] = field(default_factory=dict)
    entries_lost: set[str] = field(default_factory=set)
    status_rows: dict[str, list[StatusRow]] = field(default_factory=dict)
    members: dict[str, Facts] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    spaces: dict[str, Facts] = field(default_factory=dict)
    folders: dict[str, Facts] = field(default_factory=dict)
    lists: dict[str, Facts] = field(default_factory=dict)
    fields: dict[str, Facts] = field(default_factory=dict)
    tags: set[tuple[str, str]] = field(default_factory=set)
    unreadable: dict[str, set[str]] = field(default_factory=dict)


def make_ledger(world: State) -> Ledger:
    """Return the ledger of the workspace as it is now."""
    with world.lock:
        ledger = Ledger(world.now())
        _add_people(world, ledger)
        _add_places(world, ledger)
        for task in world.seen_tasks():
            _add_task(world, ledger, task)
        for entry in range(len(world.entries)):
            if not world.entries.deleted[entry]:
                _add_entry(world, ledger, entry)
    return ledger


def _add_people(world: State, ledger: Ledger) -> None:
    for person in world.people:
        if person.state == "left":
            ledger.left.add(str(person.id))
            continue
        ledger.members[str(person.id)] = {
            "username": person.username,
            "email": person.email,
            "initials": person.initials,
            "color": person.color,
            "role": person.role.name.lower(),
            "state": person.state,
            "date_joined": person.joined,
            "date_invited": person.invited,
            "last_active": person.last_active,
        }
    ledger.unreadable["members"] = {str(world.people[place].id) for place in world.unreadable}


def _add_places(world: State, ledger: Ledger) -> None:
    for space in world.spaces:
        if not space.visible:
            continue
        facts: Facts = {"name": space.name, "color": space.color, "private": space.private}
        ledger.spaces[space.id] = {**facts, "archived": space.archived}
        if not space.denied:
            ledger.tags |= {(space.id, tag.name) for tag in space.tags}
            _add_fields(ledger, space.fields)
    _add_fields(ledger, world.fields)
    _add_folders(world, ledger)
    _add_lists(world, ledger)
    ledger.unreadable["spaces"] = {space.id for space in world.spaces if space.denied and space.visible}
    ledger.unreadable["lists"] = {list_.id for list_ in world.lists if list_.denied and list_.listed}


def _add_folders(world: State, ledger: Ledger) -> None:
    for folder in world.folders:
        if folder.readable:
            ledger.folders[folder.id] = {
                "name": folder.name,
                "space_id": folder.space.id,
                "parent_folder_id": folder.parent.id if folder.parent else None,
                "archived": folder.archived,
                "in_archived": folder.in_archived,
                "shared": not folder.space.visible,
            }
            _add_fields(ledger, folder.fields)


def _add_lists(world: State, ledger: Ledger) -> None:
    for list_ in world.lists:
        if not list_.listed:
            continue
        ledger.lists[list_.id] = {
            "name": list_.name,
            "space_id": list_.space.id,
            "folder_id": list_.folder.id if list_.folder else None,
            "archived": list_.archived,
            "in_archived": list_.in_archived,
            "shared": not list_.space.visible,
            "start_date": list_.start_date,
            "due_date": list_.due_date,
            "statuses": [status.name for status in list_.statuses],
        }
        if list_.readable:
            _add_fields(ledger, list_.fields)


def _add_fields(ledger: Ledger, fields: list[Field]) -> None:
    for one in fields:
        ledger.fields[one.id] = {
            "name": one.name,
            "type": one.type,
            "scope": one.scope,
            "scope_id": one.scope_id,
            "date_created": one.created,
        }


def _add_task(world: State, ledger: Ledger, task: int) -> None:
    id_, list_ = task_id(task), world.lists[world.tasks.list[task]]
    ledger.tasks[id_] = _facts(world, task)
    ledger.task_lists.add((id_, list_.id))
    ledger.task_lists |= {(id_, seen.id) for seen in world.seen_lists(task)}
    if not world.on_team_route(task):
        ledger.hidden.add(id_)
    if world.has_history(task):
        ledger.status_rows[id_] = world.status_rows(task, ledger.now)


def _facts(world: State, task: int) -> Facts:
    columns = world.tasks
    list_ = world.lists[columns.list[task]]
    status = world.statuses[columns.status[task]]
    prefix = list_.space.prefix
    values = {one.id: field_value(world, task, one) for one in world.fields_of(task)}
    return {
        "name": columns.names[task],
        "status": status.name,
        "status_type": status.type,
        "status_color": status.color,
        "space_id": list_.space.id,
        "folder_id": list_.folder.id if list_.folder else None,
        "list_id": list_.id,
        "parent_id": _id(columns.parent[task]),
        "top_level_parent_id": _id(world.top_parent(task)),
        "custom_id": f"{prefix}-{columns.number[task]}" if prefix else None,
        "task_type_id": TASK_TYPES[columns.type[task]].id,
        "creator_id": str(world.people[columns.creator[task]].id),
        "priority": _PRIORITIES[columns.priority[task]],
        "points": columns.points[task] if columns.points[task] >= 0 else None,
        "archived": bool(columns.archived[task]),
        "in_archived": list_.archived or list_.in_archived,
        "date_created": columns.created[task],
        "date_updated": columns.updated[task],
        "date_done": columns.done[task] or None,
        "date_closed": columns.closed[task] or None,
        "start_date": columns.start[task] or None,
        "due_date": columns.due[task] or None,
        "time_estimate_ms": columns.estimate[task] * 60_000 if columns.estimate[task] >= 0 else None,
        "time_spent_ms": columns.spent[task] or None,
        "text": text(world, task),
        "assignees": {str(world.people[who].id) for who in columns.assignees[task]},
        "watchers": {str(world.people[who].id) for who in watchers(world, task)},
        "tags": set(columns.tags[task]),
        "locations": {seen.id for seen in world.seen_lists(task)},
        "fields": {key: value for key, value in values.items() if value is not UNSET},
        **_relations(world, task),
    }


def _relations(world: State, task: int) -> Facts:
    waits = world.dependencies.get(task, ())
    links = world.links.get(task, ())
    return {
        "waits_for": {task_id(wait.on) for wait in waits if wait.task == task},
        "blocks": {task_id(wait.task) for wait in waits if wait.on == task},
        "linked": {task_id(link.other if link.one == task else link.one) for link in links},
    }


def _id(task: int) -> str | None:
    return task_id(task) if task >= 0 else None


def _add_entry(world: State, ledger: Ledger, entry: int) -> None:
    columns = world.entries
    person, task = columns.member[entry], columns.task[entry]
    id_, duration = entry_id(entry), columns.duration[entry]
    facts: Facts = {
        "task_id": _id(task),
        "member_id": str(world.people[person].id),
        "start": columns.start[entry] or None,
        "end": columns.end[entry] or None,
        "duration_ms": duration if duration >= 0 else None,
        "running": duration < 0,
        "billable": (False, True, None)[columns.billable[entry]],
        "description": columns.texts[entry],
        "updated": columns.at[entry],
    }
    if world.people[person].state != "left" and person not in world.unreadable:
        ledger.entries[id_] = facts
    elif task >= 0 and duration >= 0 and world.sees(task):
        ledger.entries_by_task[id_] = facts
    else:
        ledger.entries_lost.add(id_)
