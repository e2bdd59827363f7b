"""The JSON of tasks, put together from ready-made pieces, and kept as bytes within a bound."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from clickup_toolkit.demo.facts import TASK_TYPES
from clickup_toolkit.demo.fields import UNSET, field_value
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.demo.model import Field, Person, Status, Tag, TaskList
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.traits import text, watchers

__all__ = ["TaskBytes", "js", "task_text"]

_LEVELS = (("urgent", "#f50000"), ("high", "#f8ae00"), ("normal", "#6fddff"), ("low", "#d8d8d8"))
_PRIORITIES = [
    "null",
    *(
        f'{{"color":"{color}","id":"{rank}","orderindex":"{rank}","priority":"{name}"}}'
        for rank, (name, color) in enumerate(_LEVELS, 1)
    ),
]
_SHARING = (
    '"sharing":{"public":false,"public_share_expires_on":null,"public_fields":["assignees","priority","due_date",'
    '"content","comments","attachments","customFields","subtasks","tags","checklists","coverimage"],"token":%s,'
    '"seo_optimized":false}'
)


def js(value: object) -> str:
    """Return the value as JSON."""
    return msgspec.json.encode(value).decode()


class _Pieces:
    """Parts of a task's JSON that many tasks share, made once each."""

    def __init__(self, world: State) -> None:
        self.world = world
        self.creators: dict[int, str] = {}
        self.people: dict[int, str] = {}
        self.statuses: dict[int, str] = {}
        self.places: dict[int, str] = {}
        self.fields: dict[str, tuple[str, str]] = {}
        self.tags: dict[tuple[str, str], str] = {}

    def clear(self) -> None:
        """Forget everything: a place or person changed."""
        for pieces in (self.creators, self.people, self.statuses, self.places, self.fields, self.tags):
            pieces.clear()

    def creator(self, place: int) -> str:
        """Return a person as tasks name their creator."""
        if place not in self.creators:
            self.creators[place] = self._person(
                self.world.people[place], "id username color email profilePicture"
            )
        return self.creators[place]

    def person(self, place: int) -> str:
        """Return a person as tasks name assignees and watchers."""
        if place not in self.people:
            keys = "id username color initials email profilePicture"
            self.people[place] = self._person(self.world.people[place], keys)
        return self.people[place]

    def _person(self, person: Person, keys: str) -> str:
        return js(self.world.person_json(person, keys))

    def status(self, number: int) -> str:
        """Return a status as tasks show it."""
        if number not in self.statuses:
            self.statuses[number] = _status(self.world.statuses[number])
        return self.statuses[number]

    def place(self, list_: TaskList) -> str:
        """Return the keys list, project, folder and space of a task."""
        if list_.index not in self.places:
            self.places[list_.index] = _place(list_)
        return self.places[list_.index]

    def field(self, field: Field) -> tuple[str, str]:
        """Return a custom field up to its value, and after it."""
        if field.id not in self.fields:
            self.fields[field.id] = _field(field)
        return self.fields[field.id]

    def tag(self, list_: TaskList, name: str) -> str:
        """Return a tag of the list's space."""
        key = list_.space.id, name
        if key not in self.tags:
            known = next(
                (tag for tag in list_.space.tags if tag.name == name), Tag(name, "#000000", "#000000", 0)
            )
            self.tags[key] = js(
                {
                    "name": known.name,
                    "tag_fg": known.foreground,
                    "tag_bg": known.background,
                    "creator": known.creator,
                }
            )
        return self.tags[key]


def _status(status: Status) -> str:
    return js(
        {
            "id": status.id,
            "status": status.name,
            "color": status.color,
            "orderindex": status.orderindex,
            "type": status.type,
        }
    )


def _place(list_: TaskList) -> str:
    access = list_.readable
    folder: dict[str, object] = {"id": list_.hidden_folder, "name": "hidden", "hidden": True, "access": True}
    if list_.folder:
        readable = list_.folder.readable
        folder = {"id": list_.folder.id, "name": list_.folder.name, "hidden": False, "access": readable}
    home = js({"id": list_.id, "name": list_.name, "access": access})
    return f'"list":{home},"project":{js(folder)},"folder":{js(folder)},"space":{{"id":"{list_.space.id}"}}'


def _field(field: Field) -> tuple[str, str]:
    config = {key: value for key, value in field.config.items() if key != "old"}
    head = js(
        {
            "id": field.id,
            "name": field.name,
            "type": field.type,
            "type_config": config,
            "date_created": str(field.created),
            "hide_from_guests": field.hidden_from_guests,
        }
    )
    tail = f'"required":{js(field.required)}}}'
    if field.type == "short_text":
        tail = '"value_richtext":null,' + tail
    return head[:-1] + ",", tail


class TaskBytes:
    """The bytes of tasks as list pages show them; the latest ``limit`` bytes are kept."""

    def __init__(self, world: State, limit: int = 256 << 20) -> None:
        self.world = world
        self.limit = limit
        self.pieces = _Pieces(world)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0
        world.changed = self.forget

    def page(self, task: int) -> bytes:
        """Return the task as pages of tasks show it: no attachments, checklists always empty."""
        kept = self._kept.get(task)
        if kept is None:
            kept = self._kept[task] = task_text(self.pieces, task).encode()
            self._size += len(kept)
            while self._size > self.limit:
                self._size -= len(self._kept.popitem(last=False)[1])
        return kept

    def forget(self, task: int) -> None:
        """Make the task's bytes anew next time; those of all tasks for -1."""
        if task < 0:
            self._kept.clear()
            self.pieces.clear()
            self._size = 0
        else:
            self._size -= len(self._kept.pop(task, b""))


def _time(instant: int) -> str:
    return f'"{instant}"' if instant else "null"


def task_text(pieces: _Pieces, task: int) -> str:
    """Return the JSON of a task as list pages show it."""
    world = pieces.world
    columns = world.tasks
    id_ = task_id(task)
    list_ = world.lists[columns.list[task]]
    prefix = list_.space.prefix
    custom = f'"{prefix}-{columns.number[task]}"' if prefix else "null"
    described = js(text(world, task))
    parent, top = columns.parent[task], world.top_parent(task)
    estimate, spent, points = columns.estimate[task], columns.spent[task], columns.points[task]
    return (
        f'{{"id":"{id_}","custom_id":{custom},"custom_item_id":{js(TASK_TYPES[columns.type[task]].id)},'
        f'"name":{js(columns.names[task])},"text_content":{described},"description":{described},'
        f'"status":{pieces.status(columns.status[task])},'
        f'"orderindex":"{task % 9973}.0003212000000000000000000000000{task % 7}",'
        f'"date_created":"{columns.created[task]}","date_updated":"{columns.updated[task]}",'
        f'"date_closed":{_time(columns.closed[task])},"date_done":{_time(columns.done[task])},'
        f'"archived":{"true" if columns.archived[task] else "false"},'
        f'"creator":{pieces.creator(columns.creator[task])},'
        f'"assignees":[{",".join([pieces.person(who) for who in columns.assignees[task]])}],'
        f'"group_assignees":[],'
        f'"watchers":[{",".join([pieces.person(who) for who in watchers(world, task)])}],"checklists":[],'
        f'"tags":[{",".join([pieces.tag(list_, name) for name in columns.tags[task]])}],'
        f'"parent":{js(task_id(parent)) if parent >= 0 else "null"},'
        f'"top_level_parent":{js(task_id(top)) if top >= 0 else "null"},'
        f'"priority":{_PRIORITIES[columns.priority[task]]},"due_date":{_time(columns.due[task])},'
        f'"start_date":{_time(columns.start[task])},"points":{points if points >= 0 else "null"},'
        f'"time_estimate":{estimate * 60000 if estimate >= 0 else "null"},'
        + (f'"time_spent":{spent},' if spent else "")
        + f'"custom_fields":[{_fields(pieces, task)}],"dependencies":[{_dependencies(world, task)}],'
        f'"linked_tasks":[{_links(world, task)}],"locations":{_locations(world, task)},'
        f'"team_id":"{world.team_id}","url":"https://app.clickup.com/t/{id_}",'
        f"{_SHARING % _sharing_token(task)},"
        f'"permission_level":"create",{pieces.place(list_)}}}'
    )


def _sharing_token(task: int) -> str:
    return f'"demo-sharing-token-{task}"' if task % 211 == 7 else "null"


def _fields(pieces: _Pieces, task: int) -> str:
    parts = []
    for field in pieces.world.fields_of(task):
        head, tail = pieces.field(field)
        value = field_value(pieces.world, task, field)
        parts.append(head + tail if value is UNSET else f'{head}"value":{js(value)},{tail}')
    return ",".join(parts)


def _dependencies(world: State, task: int) -> str:
    return ",".join(
        f'{{"task_id":"{task_id(wait.task)}","depends_on":"{task_id(wait.on)}","type":1,'
        f'"date_created":"{wait.created}","userid":"{world.people[wait.person].id}",'
        f'"workspace_id":"{world.team_id}","chain_id":null}}'
        for wait in world.dependencies.get(task, ())
    )


def _links(world: State, task: int) -> str:
    return ",".join(
        f'{{"task_id":"{task_id(link.one)}","link_id":"{task_id(link.other)}","date_created":"{link.created}",'
        f'"userid":"{world.people[link.person].id}","workspace_id":"{world.team_id}"}}'
        for link in world.links.get(task, ())
    )


def _locations(world: State, task: int) -> str:
    if task not in world.added:
        return "[]"
    return js([{"id": list_.id, "name": list_.name} for list_ in world.seen_lists(task)])
