"""Routes about tracked time: entries of members, running timers, and the legacy time of a task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from clickup_toolkit.demo.http import ApiError, Query, Reply, json_reply, not_authorized
from clickup_toolkit.demo.ids import entry_id, mix, task_id
from clickup_toolkit.demo.model import DAY, Folder, Space, TaskList
from clickup_toolkit.demo.render import js
from clickup_toolkit.demo.routes_tasks import find_task
from clickup_toolkit.demo.tracking import SOURCES

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["TIME_ROUTES"]

_LOCATIONS = ("space_id", "folder_id", "list_id", "task_id")
_BILLABLE = ("false", "true", "null")


def get_entries(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/time_entries``: one's own of the last 30 days, unless asked for more."""
    start, end = _window(api, query)
    where = [name for name in _LOCATIONS if name in query]
    if len(where) > 1:
        raise ApiError(400, "TIMEENTRY_065", "Only one location filter may be used")
    people = _assignees(api, query, everybody=where == ["task_id"])
    world = api.world
    found = [entry for person in people for entry in world.entries_in(person, start, end)]
    if api.behaviour.entries_inside:
        found = [entry for entry in found if world.entries.end[entry] <= end]
    if where:
        keeps = _in_place(api, where[0], query.get(where[0]), query)
        found = [entry for entry in found if keeps(world.entries.task[entry])]
    if "is_billable" in query:
        found = [entry for entry in found if world.entries.billable[entry] == query.flag("is_billable")]
    if len(people) > 1:
        found.sort(key=world.entry_instant)
    if api.behaviour.entries_limit:
        found = found[: api.behaviour.entries_limit]
    if not found and mix(start, end) & 1:
        return Reply(200, b'{"data":null}')
    return _entries(api, found, query)


def _window(api: Api, query: Query) -> tuple[int, int]:
    end = _instant(query.get("end_date")) if query.get("end_date") else api.world.now() + 1
    start = _instant(query.get("start_date")) if query.get("start_date") else end - 30 * DAY
    return start, end


def _instant(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ApiError(500, "TIMEENTRY_072", "Internal server error") from None


def _assignees(api: Api, query: Query, *, everybody: bool) -> list[int]:
    """Return whose entries are meant; one person whose time is closed to the token refuses them all."""
    world = api.world
    text = query.get("assignee")
    if not text:
        return list(range(len(world.people))) if everybody else [0]
    people = []
    for part in text.split(","):
        place = world.find_person(int(part)) if part.strip().isdigit() else -1
        if place < 0 or (world.people[place].state == "left" and not api.behaviour.left_people):
            raise ApiError(400, "TIMEENTRY_007", "Invalid assignee")
        people.append(place)
    if world.unreadable.intersection(people) or (query.oauth and len(people) > 1):
        raise ApiError(403, "TIMEENTRY_059", "You have no access")
    return list(dict.fromkeys(people))


class _in_place:  # noqa: N801  # used as a function
    """Tells whether a task is in the place that a location filter names."""

    def __init__(self, api: Api, name: str, id_: str, query: Query) -> None:
        self.world = api.world
        if name == "task_id":
            task = find_task(api, id_, query)
            self.tasks = {task, *api.world.descendants(task)}
            self.place: object = None
            return
        self.place = api.world.by_id.get(id_)
        kind = {"space_id": Space, "folder_id": Folder, "list_id": TaskList}[name]
        if not isinstance(self.place, kind):
            raise not_authorized()

    def __call__(self, task: int) -> bool:
        if self.place is None:
            return task in self.tasks
        if task < 0:
            return False
        list_ = self.world.lists[self.world.tasks.list[task]]
        return self.place in (list_, list_.folder, list_.space)


def _entries(api: Api, found: Iterable[int], query: Query) -> Reply:
    names, tags = query.flag("include_location_names"), query.flag("include_task_tags")
    with_tags = [_entry(api, entry, names=names, tags=tags) for entry in found]
    return Reply(200, f'{{"data":[{",".join(with_tags)}]}}'.encode())


def _entry(api: Api, entry: int, *, names: bool, tags: bool) -> str:
    world, columns = api.world, api.world.entries
    user = api.user_text(columns.member[entry])
    start, end, duration = columns.start[entry], columns.end[entry], columns.duration[entry]
    span = f'"start":"{start}",' if start else '"start":null,'
    span += f'"end":"{end}",' if end else "" if duration < 0 else '"end":null,'
    task = columns.task[entry]
    return (
        f'{{"id":"{entry_id(entry)}",{_entry_task(api, entry, task)}"wid":"{world.team_id}","user":{user},'
        f'"billable":{_BILLABLE[columns.billable[entry]]},{span}'
        f'"duration":{duration if duration < 0 else js(str(duration))},'
        f'"description":{js(columns.texts[entry])},"tags":{_tags(entry)},"source":{js(SOURCES[columns.source[entry]])},'
        f'"at":"{columns.at[entry]}"{_place(api, task, names=names, tags=tags)}}}'
    )


def _tags(entry: int) -> str:
    return (
        '[{"name":"meeting","tag_bg":"#BF55EC","tag_fg":"#FFFFFF","creator":0}]' if entry % 29 == 3 else "[]"
    )


def _entry_task(api: Api, entry: int, task: int) -> str:
    if task < 0:
        return '"task":null,' if entry % 2 else ""
    world = api.world
    columns = world.tasks
    status = world.statuses[columns.status[task]]
    prefix = world.lists[columns.list[task]].space.prefix
    custom = js(f"{prefix}-{columns.number[task]}" if prefix else None)
    return (
        f'"task":{{"id":"{task_id(task)}","custom_id":{custom},'
        f'"name":{js(columns.names[task])},"status":{{"status":{js(status.name)},"color":{js(status.color)},'
        f'"type":"{status.type}","orderindex":{status.orderindex}}},"custom_type":null}},'
    )


def _place(api: Api, task: int, *, names: bool, tags: bool) -> str:
    if task < 0:
        return ',"task_location":{}' + (',"task_tags":[]' if tags else "")
    world = api.world
    list_ = world.lists[world.tasks.list[task]]
    folder = list_.folder.id if list_.folder else list_.hidden_folder
    ids = f'"list_id":{list_.id},"folder_id":{folder},"space_id":{list_.space.id}'
    if task % 2:  # both are seen: numbers and strings
        ids = f'"list_id":"{list_.id}","folder_id":"{folder}","space_id":"{list_.space.id}"'
    if names:
        above = list_.folder.name if list_.folder else "hidden"
        ids += f',"list_name":{js(list_.name)},"folder_name":{js(above)},"space_name":{js(list_.space.name)}'
    text = f',"task_location":{{{ids}}}'
    if tags:
        parts = (api.bytes.pieces.tag(list_, name) for name in world.tasks.tags[task])
        text += f',"task_tags":[{",".join(parts)}]'
    return text + f',"task_url":"https://app.clickup.com/t/{task_id(task)}"'


def get_current(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/time_entries/current``: the running timer of one person."""
    if query.oauth and query.get("assignee"):
        raise ApiError(403, "TEAMM_002", "You have no access")
    people = _assignees(api, query, everybody=False)
    columns = api.world.entries
    for entry in reversed(api.world.entries_by.get(people[0], ())):
        if columns.duration[entry] < 0:
            return Reply(200, f'{{"data":{_entry(api, entry, names=False, tags=False)}}}'.encode())
    return json_reply({"data": None})


def get_entry(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/time_entries/{timer_id}``."""
    entry = api.world.find_entry(ids[1])
    if entry < 0:
        raise ApiError(404, "TIMEENTRY_050", "Time entry not found")
    if api.world.entries.member[entry] in api.world.unreadable:
        raise ApiError(403, "TIMEENTRY_059", "You have no access")
    return _entries(api, [entry], query)


def get_entry_history(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/time_entries/{timer_id}/history``: nothing happened to any."""
    return json_reply({"data": []})


def get_entry_tags(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/time_entries/tags``."""
    tag = {"name": "meeting", "creator": api.world.me.id, "tag_bg": "#BF55EC", "tag_fg": "#FFFFFF"}
    return json_reply({"data": [tag]})


def get_task_time(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /task/{id}/time``: everybody's time on a task, those who left included."""
    task = find_task(api, ids[0], query)
    by_person: dict[int, list[int]] = {}
    columns = api.world.entries
    for entry in api.world.entries_of.get(task, ()):
        if columns.duration[entry] >= 0 and not columns.deleted[entry]:
            by_person.setdefault(columns.member[entry], []).append(entry)
    return json_reply({"data": [_person_time(api, *item) for item in by_person.items()]})


def _person_time(api: Api, person: int, entries: list[int]) -> dict[str, object]:
    columns = api.world.entries
    keys = "id username email color initials profilePicture"
    return {
        "user": api.world.person_json(api.world.people[person], keys),
        "time": sum(columns.duration[entry] for entry in entries),
        "intervals": [
            {
                "id": entry_id(entry),
                "start": str(columns.start[entry]) if columns.start[entry] else None,
                "end": str(columns.end[entry]) if columns.end[entry] else None,
                "time": str(columns.duration[entry]),
                "source": SOURCES[columns.source[entry]],
                "date_added": str(columns.at[entry]),
            }
            for entry in entries
        ],
    }


TIME_ROUTES = {
    "team/{team}/time_entries": get_entries,
    "team/{team}/time_entries/current": get_current,
    "team/{team}/time_entries/tags": get_entry_tags,
    "team/{team}/time_entries/{id}": get_entry,
    "team/{team}/time_entries/{id}/history": get_entry_history,
    "task/{id}/time": get_task_time,
}
