"""Routes about spaces, folders, lists, custom fields and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clickup_toolkit.demo.http import Query, Reply, bad_id, json_reply, not_authorized
from clickup_toolkit.demo.model import Field, Folder, Space, Status, TaskList

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["PLACE_ROUTES", "date_text", "find_folder", "find_list", "find_space", "space_ref", "task_count"]

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
        "task_count": str(sum(task_count(api, list_) for list_ in lists)),
        "archived": folder.archived,
        "statuses": [],
        "permission_level": "create",
    }
    inside = {"all": len(lists), "all but one": -1}.get(api.behaviour.inlined_lists)
    if inside is not None:
        facts["lists"] = [_inlined(api, list_) for list_ in lists if not list_.archived][:inside]
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
        "task_count": task_count(api, list_),
        "due_date": date_text(list_.due_date),
        "start_date": date_text(list_.start_date),
        "folder": folder,
        "space": space_ref(list_.space),
        "archived": list_.archived,
        "override_statuses": list_.override_statuses,
        "permission_level": "create",
    }


def task_count(api: Api, list_: TaskList) -> int:
    """Return how many tasks live in the list and are not archived."""
    columns = api.world.tasks
    return sum(not columns.archived[task] and not columns.deleted[task] for task in list_.home)


def date_text(instant: int | None) -> str | None:
    """Return an instant as ClickUp writes it."""
    return None if instant is None else str(instant)


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


PLACE_ROUTES = {
    "team/{team}/space": get_spaces,
    "team/{team}/field": get_team_fields,
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
