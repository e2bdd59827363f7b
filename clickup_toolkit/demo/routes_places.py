"""Routes about the user, the workspace, spaces, folders, lists, fields and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clickup_toolkit.demo.http import Query, Reply, bad_id, json_reply, not_authorized
from clickup_toolkit.demo.model import Field, Folder, Person, Role, Space, Status, TaskList
from clickup_toolkit.demo.render import js
from clickup_toolkit.demo.state import TASK_TYPES

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["PLACE_ROUTES", "find_folder", "find_list", "find_space", "space_ref"]

Json = dict[str, object]

_FEATURES: Json = {
    "due_dates": {
        "enabled": True,
        "start_date": True,
        "remap_due_dates": False,
        "remap_closed_due_date": False,
    },
    "sprints": {"enabled": True},
    "time_tracking": {"enabled": True, "harvest": False, "rollup": False, "default_to_billable": 2},
    "points": {"enabled": True},
    "custom_items": {"enabled": True},
    "tags": {"enabled": True},
    "check_unresolved": {"enabled": True, "subtasks": True, "checklists": None, "comments": None},
    "milestones": {"enabled": True},
    "custom_fields": {"enabled": True},
    "scheduler_enabled": False,
}


def find_space(api: Api, id_: str) -> Space:
    """Return a space that the token sees, or raise what ClickUp answers."""
    if not id_.isdigit():
        raise bad_id()
    place = api.world.by_id.get(id_)
    if isinstance(place, Space) and place.visible and not place.denied:
        return place
    raise not_authorized("Space", "OAUTH_055")


def find_folder(api: Api, id_: str) -> Folder:
    """Return a folder that the token sees, or raise what ClickUp answers."""
    if not id_.isdigit():
        raise bad_id()
    place = api.world.by_id.get(id_)
    if isinstance(place, Folder) and place.readable:
        return place
    raise not_authorized("Folder", "OAUTH_057")


def find_list(api: Api, id_: str) -> TaskList:
    """Return a list that the token may read, or raise what ClickUp answers."""
    if not id_.isdigit():
        raise bad_id()
    place = api.world.by_id.get(id_)
    if isinstance(place, TaskList) and place.readable:
        return place
    raise not_authorized("List", "OAUTH_061")


def get_user(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /user``: the token's user."""
    me = api.world.person_json(api.world.me, "id username email color profilePicture initials")
    return json_reply(
        {"user": {**me, "week_start_day": 1, "global_font_support": False, "timezone": "Europe/Berlin"}}
    )


def get_teams(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team``: the workspaces of the token, with their members."""
    teams = [_team(api)]
    if query.oauth and api.behaviour.second_workspace:
        teams.append({**teams[0], "id": api.other_team, "name": "Side project", "members": []})
    return json_reply({"teams": teams})


def get_team(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}``: one workspace."""
    return json_reply({"team": _team(api)})


def _team(api: Api) -> Json:
    members = [_member(api, person) for person in api.world.present_people]
    return {
        "id": api.world.team_id,
        "name": api.world.name,
        "color": "#40BC86",
        "avatar": None,
        "members": members,
    }


def _member(api: Api, person: Person) -> Json:
    user = {
        **api.world.person_json(person, "id username email color profilePicture initials"),
        "role": int(person.role),
        "role_subtype": 0,
        "role_key": person.role.name.lower(),
        "custom_role": None,
        "last_active": _text(person.last_active),
        "date_joined": _text(person.joined),
        "date_invited": str(person.invited),
    }
    if person.role == Role.OWNER:
        return {"user": user}
    inviter = api.world.person_json(api.world.me, "id username color email initials profilePicture")
    return {"user": user, "invited_by": {**inviter, "banned_date": None, "status": person.state}}


def get_seats(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/seats``."""
    guests = sum(person.role == Role.GUEST for person in api.world.present_people)
    members = len(api.world.present_people) - guests
    return json_reply({
        "members": {"filled_members_seats": members, "total_member_seats": members, "empty_member_seats": 0},
        "guests": {"filled_guest_seats": guests, "total_guest_seats": 50, "empty_guest_seats": 50 - guests},
    })  # fmt: skip


def get_plan(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/plan``."""
    name, number = api.behaviour.plan
    return json_reply({"plan_name": name, "plan_id": number})


def get_spaces(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/space``: either the archived or the other ones."""
    wanted = query.flag("archived")
    spaces = [s for s in api.world.spaces if s.visible and s.archived == wanted]
    return json_reply({"spaces": [_space(api, space) for space in spaces]})


def get_space(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /space/{id}``."""
    return json_reply(_space(api, find_space(api, ids[0])))


def _space(api: Api, space: Space) -> Json:
    facts: Json = {"id": space.id, "name": space.name, "color": space.color, "private": space.private}
    facts |= {"avatar": None, "admin_can_manage": None}
    if space.private:
        keys = "id username color profilePicture initials"
        facts["members"] = [
            {"user": api.world.person_json(api.world.people[place], keys)} for place in space.members
        ]
    statuses = [_status(status) for status in space.statuses]
    return {
        **facts,
        "statuses": statuses,
        "multiple_assignees": True,
        "features": _FEATURES,
        "archived": space.archived,
    }


def _status(status: Status) -> Json:
    return {
        "id": status.id,
        "status": status.name,
        "type": status.type,
        "orderindex": status.orderindex,
        "color": status.color,
    }


def space_ref(space: Space) -> Json:
    """Return a space as folders and lists name it."""
    return {"id": space.id, "name": space.name, "access": space.visible}


def get_folders(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /space/{id}/folder``: subfolders stand beside their folders, with ``parent_folder``."""
    space, wanted = find_space(api, ids[0]), query.flag("archived")
    folders = [f for f in api.world.folders if f.space is space and f.archived == wanted]
    return json_reply({"folders": [_folder(api, folder) for folder in folders]})


def get_folder(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /folder/{id}``."""
    folder = find_folder(api, ids[0])
    facts = _folder(api, folder)
    if query.flag("include_subfolders"):
        facts["subfolders"] = [_folder(api, below) for below in api.world.folders if below.parent is folder]
    return json_reply(facts)


def _folder(api: Api, folder: Folder) -> Json:
    lists = [list_ for list_ in api.world.lists if list_.folder is folder]
    facts: Json = {
        "id": folder.id,
        "name": folder.name,
        "orderindex": folder.orderindex,
        "override_statuses": False,
        "hidden": False,
        "space": space_ref(folder.space),
        "task_count": str(sum(_task_count(api, list_) for list_ in lists)),
        "archived": folder.archived,
        "statuses": [],
        "lists": [_inlined(api, list_) for list_ in lists if not list_.archived],
        "permission_level": "create",
    }
    if folder.parent:
        facts["parent_folder"] = folder.parent.id
    return facts


def _inlined(api: Api, list_: TaskList) -> Json:
    facts = _list(api, list_)
    del facts["folder"]
    return {
        **facts,
        "override_statuses": list_.override_statuses or None,
        "statuses": [_status(status) for status in list_.statuses],
    }


def get_folderless_lists(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /space/{id}/list``: lists without a folder, and without their statuses."""
    space, wanted = find_space(api, ids[0]), query.flag("archived")
    lists = [
        li for li in api.world.lists if li.space is space and li.folder is None and li.archived == wanted
    ]
    return json_reply({"lists": [_list(api, list_) for list_ in lists]})


def get_folder_lists(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /folder/{id}/list``: either the archived or the other ones."""
    folder, wanted = find_folder(api, ids[0]), query.flag("archived")
    lists = [li for li in api.world.lists if li.folder is folder and li.archived == wanted]
    return json_reply({"lists": [_list(api, list_) for list_ in lists]})


def get_list(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /list/{id}``: with statuses and the secret mail address."""
    list_ = find_list(api, ids[0])
    group = ("subcat_" if list_.override_statuses else "proj_") + list_.id
    statuses = [{**_status(status), "status_group": group} for status in list_.statuses]
    address = f"a.t.{api.world.team_id}.u.{api.world.me.id}.{list_.id}-demo@tasks.clickup.com"
    return json_reply(
        {**_list(api, list_), "deleted": False, "inbound_address": address, "statuses": statuses}
    )


def _list(api: Api, list_: TaskList) -> Json:
    folder: Json = {"id": list_.hidden_folder, "name": "hidden", "hidden": True, "access": True}
    if list_.folder:
        readable = list_.folder.readable
        folder = {"id": list_.folder.id, "name": list_.folder.name, "hidden": False, "access": readable}
    return {
        "id": list_.id,
        "name": list_.name,
        "orderindex": list_.orderindex,
        "content": list_.content,
        "status": None,
        "priority": None,
        "assignee": None,
        "task_count": _task_count(api, list_),
        "due_date": _text(list_.due_date),
        "start_date": _text(list_.start_date),
        "folder": folder,
        "space": space_ref(list_.space),
        "archived": list_.archived,
        "override_statuses": list_.override_statuses,
        "permission_level": "create",
    }


def _task_count(api: Api, list_: TaskList) -> int:
    columns = api.world.tasks
    return sum(not columns.archived[task] and not columns.deleted[task] for task in list_.home)


def _text(instant: int | None) -> str | None:
    return None if instant is None else str(instant)


def get_shared(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/shared``: what the token reaches although it does not see the place above."""
    world = api.world
    tasks = ",".join(api.bytes.page(task).decode() for task in sorted(world.shared_tasks) if world.sees(task))
    lists = [_shared_item(api, li, [li]) for li in world.lists if li.shared]
    folders = [
        _shared_item(api, folder, [li for li in world.lists if li.folder is folder])
        for folder in world.folders
        if folder.shared
    ]
    return Reply(
        200, f'{{"shared":{{"tasks":[{tasks}],"lists":{js(lists)},"folders":{js(folders)}}}}}'.encode()
    )


def _shared_item(api: Api, place: TaskList | Folder, lists: list[TaskList]) -> Json:
    facts: Json = {"id": place.id, "name": place.name, "orderindex": place.orderindex, "content": None}
    if isinstance(place, TaskList):
        facts |= {"status": None, "priority": None, "assignee": None, "start_date": None}
    count = sum(_task_count(api, list_) for list_ in lists)
    return {**facts, "task_count": str(count), "due_date": None, "archived": place.archived}


def get_team_fields(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/field``: fields of the workspace's own level."""
    return _fields(api.world.fields)


def get_space_fields(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /space/{id}/field``: fields of the space's own level."""
    return _fields(find_space(api, ids[0]).fields)


def get_folder_fields(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /folder/{id}/field``: fields of the folder's own level."""
    return _fields(find_folder(api, ids[0]).fields)


def get_list_fields(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /list/{id}/field``: every field that its tasks have."""
    list_ = find_list(api, ids[0])
    return _fields([*api.world.fields, *list_.space.fields, *list_.all_fields])


def _fields(fields: list[Field]) -> Reply:
    return json_reply(
        {
            "fields": [
                {
                    "id": field.id,
                    "name": field.name,
                    "type": field.type,
                    "type_config": {key: value for key, value in field.config.items() if key != "old"},
                    "date_created": str(field.created),
                    "hide_from_guests": field.hidden_from_guests,
                    "required": field.required,
                }
                for field in fields
            ]
        }
    )


def get_tags(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /space/{id}/tag``."""
    tags = [
        {"name": tag.name, "tag_fg": tag.foreground, "tag_bg": tag.background, "creator": tag.creator}
        for tag in find_space(api, ids[0]).tags
    ]
    return json_reply({"tags": tags})


def get_task_types(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/custom_item``: the types that people made; 0 and 1 are built in."""
    items = [
        {"id": kind.id, "name": kind.name, "name_plural": kind.plural, "description": kind.description}
        for kind in TASK_TYPES
        if kind.id is not None and kind.id > 1
    ]
    return json_reply({"custom_items": items})


PLACE_ROUTES = {
    "user": get_user,
    "team": get_teams,
    "team/{team}": get_team,
    "team/{team}/seats": get_seats,
    "team/{team}/plan": get_plan,
    "team/{team}/space": get_spaces,
    "team/{team}/shared": get_shared,
    "team/{team}/field": get_team_fields,
    "team/{team}/custom_item": get_task_types,
    "space/{id}": get_space,
    "space/{id}/folder": get_folders,
    "space/{id}/list": get_folderless_lists,
    "space/{id}/field": get_space_fields,
    "space/{id}/tag": get_tags,
    "folder/{id}": get_folder,
    "folder/{id}/list": get_folder_lists,
    "folder/{id}/field": get_folder_fields,
    "list/{id}": get_list,
    "list/{id}/field": get_list_fields,
}
