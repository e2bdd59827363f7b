"""Routes about the user and the workspace: members, plan, what is shared, task types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clickup_toolkit.demo.facts import TASK_TYPES
from clickup_toolkit.demo.http import Query, Reply, json_reply
from clickup_toolkit.demo.model import Folder, Person, Role, TaskList
from clickup_toolkit.demo.render import js
from clickup_toolkit.demo.routes_places import date_text, task_count

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["WORKSPACE_ROUTES"]

Json = dict[str, object]


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
        "last_active": date_text(person.last_active),
        "date_joined": date_text(person.joined),
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
    count = sum(task_count(api, list_) for list_ in lists)
    return {**facts, "task_count": str(count), "due_date": None, "archived": place.archived}


def get_task_types(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/custom_item``: the types that people made; 0 and 1 are built in."""
    items = [
        {"id": kind.id, "name": kind.name, "name_plural": kind.plural, "description": kind.description}
        for kind in TASK_TYPES
        if kind.id is not None and kind.id > 1
    ]
    return json_reply({"custom_items": items})


WORKSPACE_ROUTES = {
    "user": get_user,
    "team": get_teams,
    "team/{team}": get_team,
    "team/{team}/seats": get_seats,
    "team/{team}/plan": get_plan,
    "team/{team}/shared": get_shared,
    "team/{team}/custom_item": get_task_types,
}
