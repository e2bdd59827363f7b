"""Thin routes: comments, goals, docs, groups, roles, webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clickup_toolkit.demo.http import Query, Reply, json_reply
from clickup_toolkit.demo.routes_places import find_list
from clickup_toolkit.demo.routes_tasks import find_task
from clickup_toolkit.demo.state import Comment
from clickup_toolkit.demo.traits import comments

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["EXTRA_ROUTES"]

_COMMENTS_A_PAGE = 25
_USER_KEYS = "id username initials email color profilePicture"


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
    task = (number - 90_120_000_000_000) // 100_000
    known = comments(api.world, task) if 0 <= task < len(api.world.tasks) else []
    replies = [reply for one in known if one.id == number for reply in one.replies]
    return json_reply({"comments": [_comment(api, reply) for reply in replies]})


def _comment(api: Api, one: Comment) -> dict[str, object]:
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


EXTRA_ROUTES = {
    "task/{id}/comment": get_comments,
    "list/{id}/comment": get_list_comments,
    "comment/{id}/reply": get_replies,
}
