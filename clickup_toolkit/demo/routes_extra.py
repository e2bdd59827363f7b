"""Thin routes: comments, goals, docs, groups, roles, members, webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clickup_toolkit.demo.extras import GOAL_FOLDER, Doc, Goal, KeyResult, Page, docs, goals, group_members
from clickup_toolkit.demo.facts import Comment
from clickup_toolkit.demo.http import ApiError, Query, Reply, json_reply, not_authorized
from clickup_toolkit.demo.routes_places import find_list
from clickup_toolkit.demo.routes_tasks import find_task
from clickup_toolkit.demo.traits import comments, watchers

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["EXTRA_ROUTES"]

Json = dict[str, object]

_COMMENTS_A_PAGE = 25
_USER_KEYS = "id username initials email color profilePicture"
_FIRST_COMMENT = 90_120_000_000_000
_COMMENTS_A_TASK = 100_000


def get_comments(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /task/{id}/comment``: newest first, 25 at a time, from after ``start`` and ``start_id``."""
    found = comments(api.world, find_task(api, ids[0], query))
    start, start_id = query.get("start"), query.get("start_id")
    if start.isdigit() and start_id.isdigit():
        found = [one for one in found if (one.date, one.id) < (int(start), int(start_id))]
    return json_reply({"comments": [_comment(api, one) for one in found[:_COMMENTS_A_PAGE]]})


def get_list_comments(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /list/{id}/comment``: nobody comments on lists."""
    find_list(api, ids[0])
    return json_reply({"comments": []})


def get_replies(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /comment/{id}/reply``: all of them at once."""
    number = int(ids[0]) if ids[0].isdigit() else 0
    task = (number - _FIRST_COMMENT) // _COMMENTS_A_TASK
    known = comments(api.world, task) if 0 <= task < len(api.world.tasks) else []
    replies = [reply for one in known if one.id == number for reply in one.replies]
    return json_reply({"comments": [_comment(api, reply) for reply in replies]})


def _comment(api: Api, one: Comment) -> Json:
    return {
        "id": str(one.id),
        "comment": [{"text": one.text}],
        "comment_text": one.text,
        "user": api.world.person_json(api.world.people[one.person], _USER_KEYS),
        "resolved": one.resolved,
        "assignee": None,
        "assigned_by": None,
        "reactions": [],
        "date": str(one.date),
        "reply_count": str(len(one.replies)),
    }


def get_goals(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/goal``: goals of folders stand under their folders only.

    Completed ones are there with ``include_completed=true``.
    """
    listed = [goal for goal in goals(api.world) if query.flag("include_completed") or not goal.completed]
    loose = [_goal(api, goal) for goal in listed if goal.folder is None]
    inside = [_goal(api, goal) for goal in listed if goal.folder]
    folder = {
        "id": GOAL_FOLDER,
        "name": "Season",
        "team_id": api.world.team_id,
        "private": False,
        "date_created": str(api.world.spaces[0].created),
        "creator": api.world.me.id,
        "goal_count": len(inside),
        "members": [],
        "goals": inside,
    }
    return json_reply({"goals": loose, "folders": [folder]})


def get_goal(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /goal/{id}``: with its key results."""
    for goal in goals(api.world):
        if goal.id == ids[0]:
            results = [_key_result(api, goal, result) for result in goal.key_results]
            return json_reply({"goal": {**_goal(api, goal), "key_results": results, "history": []}})
    raise not_authorized("Goal", "GOAL_005")


def _goal(api: Api, goal: Goal) -> Json:
    owner = api.world.person_json(api.world.me, _USER_KEYS)
    return {
        "id": goal.id,
        "pretty_id": str(goal.number),
        "name": goal.name,
        "team_id": api.world.team_id,
        "creator": api.world.me.id,
        "owner": None,
        "color": "#32a852",
        "date_created": str(goal.created),
        "start_date": None,
        "due_date": str(goal.due),
        "description": "",
        "private": False,
        "archived": False,
        "multiple_owners": True,
        "editor_token": f"goal:{goal.id}:{goal.created}:demo-editor-token",
        "date_updated": str(goal.created),
        "folder_id": goal.folder,
        "pinned": False,
        "owners": [owner],
        "key_result_count": len(goal.key_results),
        "members": [],
        "group_members": [],
        "percent_completed": goal.share_done,
    }


def _key_result(api: Api, goal: Goal, result: KeyResult) -> Json:
    return {
        "id": result.id,
        "goal_id": goal.id,
        "name": result.name,
        "creator": api.world.me.id,
        "owner": None,
        "type": "number",
        "date_created": str(goal.created),
        "steps_start": 0,
        "steps_end": str(result.steps),
        "steps_current": str(result.reached),
        "unit": result.unit,
        "percent_completed": result.reached / result.steps,
        "completed": result.reached == result.steps,
        "owners": [],
        "task_ids": [],
        "subcategory_ids": [],
    }


def get_docs(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /v3/workspaces/{id}/docs``: by cursor; archived and deleted ones only when asked for."""
    limit = int(query.get("limit")) if query.get("limit").isdigit() else 50
    if not 10 <= limit <= 100:
        raise ApiError(400, "INPUT_001", "limit must be between 10 and 100")
    limit = min(limit, api.behaviour.docs_a_page)
    archived, deleted = query.flag("archived"), query.flag("deleted")
    found = [doc for doc in docs(api.world) if (doc.archived, doc.deleted) == (archived, deleted)]
    first = _place_of(query.get("cursor"))
    page: Json = {"docs": [_doc(api, doc) for doc in found[first : first + limit]]}
    if first + limit < len(found):
        page["next_cursor"] = f"docs:{first + limit}"
    elif not deleted:  # the end is told by nothing, by null or by an empty cursor
        page["next_cursor"] = None if archived else ""
    return json_reply(page)


def _place_of(cursor: str) -> int:
    place = cursor.removeprefix("docs:")
    if cursor and not (place.isdigit() and cursor.startswith("docs:")):
        raise ApiError(400, "INPUT_001", "cursor is invalid")
    return int(place or 0)


def _doc(api: Api, doc: Doc) -> Json:
    return {
        "id": doc.id,
        "name": doc.name,
        "type": 1,
        "public": False,
        "workspace_id": int(api.world.team_id),
        "creator": api.world.me.id,
        "date_created": doc.created,
        "date_updated": doc.created,
        "archived": doc.archived,
        "deleted": doc.deleted,
        "parent": {"id": api.world.spaces[0].id, "type": 4},
    }


def get_doc_pages(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /v3/workspaces/{id}/docs/{doc}/pages``: a bare array, pages in pages, ``max_page_depth`` deep."""
    if query.get("content_format", "text/md") not in ("text/md", "text/plain"):
        raise ApiError(400, "INPUT_001", "content_format must be text/md or text/plain")
    depth = query.get("max_page_depth", "-1")
    for doc in docs(api.world):
        if doc.id == ids[1]:
            return json_reply([_page(doc, page, int(depth)) for page in doc.pages])
    raise ApiError(404, "DOC_404", "Doc not found")


def _page(doc: Doc, page: Page, depth: int) -> Json:
    return {
        "id": page.id,
        "doc_id": doc.id,
        "name": page.name,
        "content": page.content,
        "archived": False,
        "pages": [_page(doc, below, depth - 1) for below in page.pages] if depth else [],
    }


def get_groups(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /group``: the user groups of ``team_id``."""
    if query.get("team_id") != api.world.team_id:
        raise not_authorized()
    members = [api.world.person_json(person, _USER_KEYS) for person in group_members(api.world)]
    group = {
        "id": "4bfdfcec-6f4f-40a7-b0d6-22660d51870d",
        "team_id": api.world.team_id,
        "userid": api.world.me.id,
        "name": "Release crew",
        "handle": "release-crew",
        "date_created": str(api.world.spaces[0].created),
        "initials": "RC",
        "members": members,
        "avatar": {"attachment_id": None, "color": None, "source": None, "icon": None},
    }
    return json_reply({"groups": [group]})


def get_roles(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/customroles``: none."""
    return json_reply({"custom_roles": []})


def get_list_members(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /list/{id}/member``: nobody has access to a list alone."""
    find_list(api, ids[0])
    return json_reply({"members": []})


def get_task_members(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /task/{id}/member``: those who watch it."""
    people = watchers(api.world, find_task(api, ids[0], query))
    members = [api.world.person_json(api.world.people[place], _USER_KEYS) for place in people]
    return json_reply({"members": members})


def get_webhooks(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/webhook``: one, with its secret."""
    webhook = {
        "id": "4b67ac88-e506-4a29-9d42-26e504e3435e",
        "userid": api.world.me.id,
        "team_id": int(api.world.team_id),
        "endpoint": "https://hooks.harbourlight.example/clickup",
        "events": ["taskUpdated"],
        "health": {"status": "active", "fail_count": 0},
        "secret": "DEMO-WEBHOOK-SECRET",
    }
    return json_reply({"webhooks": [webhook]})


def get_member(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/user/{user}``: for the Enterprise plan only."""
    raise ApiError(403, "TEAM_110", "Team must be on enterprise plan")


EXTRA_ROUTES = {
    "task/{id}/comment": get_comments,
    "task/{id}/member": get_task_members,
    "list/{id}/comment": get_list_comments,
    "list/{id}/member": get_list_members,
    "comment/{id}/reply": get_replies,
    "team/{team}/goal": get_goals,
    "goal/{id}": get_goal,
    "group": get_groups,
    "team/{team}/customroles": get_roles,
    "team/{team}/webhook": get_webhooks,
    "team/{team}/user/{id}": get_member,
    "v3/workspaces/{team}/docs": get_docs,
    "v3/workspaces/{team}/docs/{id}/pages": get_doc_pages,
}
