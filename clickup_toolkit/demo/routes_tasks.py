"""Routes about tasks: pages of them, one with everything, and the time in status."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec

from clickup_toolkit.demo.http import ApiError, Query, Reply, not_authorized
from clickup_toolkit.demo.ids import mix, task_id
from clickup_toolkit.demo.render import js
from clickup_toolkit.demo.routes_places import find_list
from clickup_toolkit.demo.traits import Attachment, attachments, checklists, text

if TYPE_CHECKING:
    from clickup_toolkit.demo.api import Api

__all__ = ["PAGE_SIZE", "TASK_ROUTES", "find_task"]

PAGE_SIZE = 100
_MOST_IDS = 100
_GHOST_EVERY = 9


def get_list_tasks(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /list/{id}/task``: a page of a list's tasks; always says whether it is the last."""
    tasks = api.selections.in_list(find_list(api, ids[0]), query)
    return _page(api, tasks, query, last_page=True)


def get_team_tasks(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /team/{id}/task``: a page of the workspace's tasks; may not say whether it is the last."""
    tasks = api.selections.in_workspace(query)
    tells = {"always": True, "never": False}.get(api.behaviour.team_last_page)
    if tells is None:
        tells = mix(query.page(), len(tasks)) % 3 != 0
    return _page(api, tasks, query, last_page=tells)


def _page(api: Api, tasks: array[int], query: Query, *, last_page: bool) -> Reply:
    page = query.page()
    first, last = page * PAGE_SIZE, (page + 1) * PAGE_SIZE
    if api.behaviour.short_pages:  # every ninth row of the unfiltered result is somebody else's
        first, last = first - first // _GHOST_EVERY, last - last // _GHOST_EVERY
    bodies = [api.bytes.page(task) for task in tasks[first:last]]
    if query.flag("include_markdown_description"):
        bodies = [
            _extended(body, {"markdown_description": text(api.world, task) or ""})
            for body, task in zip(bodies, tasks[first:last], strict=True)
        ]
    end = b"]}"
    if last_page:
        end = b'],"last_page":true}' if last >= len(tasks) else b'],"last_page":false}'
    return Reply(200, b'{"tasks":[' + b",".join(bodies) + end)


def _extended(body: bytes, more: dict[str, object]) -> bytes:
    return body[:-1] + b"," + msgspec.json.encode(more)[1:]


def find_task(api: Api, id_: str, query: Query) -> int:
    """Return a task that the token may read, by id or custom id, or raise what ClickUp answers."""
    world = api.world
    task = _by_custom_id(api, id_) if query.flag("custom_task_ids") else world.find_task(id_)
    if task < 0:
        raise not_authorized()
    if world.tasks.deleted[task]:
        raise ApiError(404, "ITEM_013", "Task not found, deleted")
    if not world.sees(task):
        raise ApiError(401, "ACCESS_083", "You do not have access to this task")
    return task


def _by_custom_id(api: Api, id_: str) -> int:
    prefix, _, number = id_.partition("-")
    columns, lists = api.world.tasks, api.world.lists
    for task in range(len(columns)):
        if str(columns.number[task]) == number and lists[columns.list[task]].space.prefix == prefix:
            return task
    return -1


def get_task(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /task/{id}``: with true checklists and attachments, and subtasks when asked."""
    task = find_task(api, ids[0], query)
    world = api.world
    more: dict[str, object] = {
        "attachments": [_attachment(api, task, file) for file in attachments(world, task)]
    }
    if query.flag("include_markdown_description"):
        more["markdown_description"] = text(world, task) or ""
    if query.flag("include_subtasks"):
        below = [child for child in world.children.get(task, ()) if world.sees(child)]
        more["subtasks"] = [msgspec.Raw(api.bytes.page(child)) for child in below]
    lists = js([_checklist(api, task, place) for place in range(len(checklists(world, task)))])
    body = api.bytes.page(task).replace(b'"checklists":[]', b'"checklists":' + lists.encode(), 1)
    return Reply(200, _extended(body, more))


def _checklist(api: Api, task: int, place: int) -> dict[str, object]:
    found = checklists(api.world, task)[place]
    resolved = sum(done for _, done in found.items)
    return {
        "id": found.id,
        "task_id": task_id(task),
        "name": found.name,
        "date_created": str(found.created),
        "orderindex": place,
        "creator": api.world.people[found.person].id,
        "resolved": resolved,
        "unresolved": len(found.items) - resolved,
        "items": [
            {
                "id": f"{found.id[:-2]}{order:02}",
                "name": name,
                "orderindex": order,
                "assignee": None,
                "group_assignee": None,
                "resolved": done,
                "parent": None,
                "date_created": str(found.created),
                "start_date": None,
                "due_date": None,
                "children": [],
            }
            for order, (name, done) in enumerate(found.items)
        ],
    }


def _attachment(api: Api, task: int, file: Attachment) -> dict[str, object]:
    world = api.world
    id_, title, size, date, person = file
    extension = title.rpartition(".")[2]
    url = f"https://t{world.team_id}.p.clickup-attachments.com/t{world.team_id}/{id_}/{title}"
    user = world.person_json(world.people[person], "id username initials email color profilePicture")
    return {
        "id": f"{id_}.{extension}", "date": date, "title": title, "type": 1, "source": 1, "version": 0,
        "extension": extension, "thumbnail_small": None, "thumbnail_medium": None, "thumbnail_large": None,
        "is_folder": None, "mimetype": "application/octet-stream", "hidden": False,
        "parent_id": task_id(task), "size": size, "total_comments": 0, "resolved_comments": 0,
        "user": user, "deleted": False,
        "orientation": None, "url": url, "email_data": None,
        "url_w_query": f"{url}?view=open", "url_w_host": url,
    }  # fmt: skip


def get_time_in_status(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /task/{id}/time_in_status``."""
    _check_plan(api)
    task = find_task(api, ids[0], query)
    return Reply(200, _time_in_status(api, task, api.world.now()).encode())


def get_bulk_time_in_status(api: Api, ids: tuple[str, ...], query: Query) -> Reply:
    """``GET /task/bulk_time_in_status/task_ids``: those it knows of at most a hundred tasks."""
    _check_plan(api)
    asked = query.all("task_ids")
    if len(asked) > _MOST_IDS:
        raise ApiError(400, "TIS_014", "Too many task ids, the limit is 100")
    if not asked:
        raise ApiError(400, "TIS_013", "task_ids is required")
    world, now = api.world, api.world.now()
    tasks = {id_: world.find_task(id_) for id_ in asked}
    known = [
        (id_, task)
        for id_, task in tasks.items()
        if task >= 0
        and world.sees(task)
        and world.has_history(task)
        and world.tasks.created[task] >= api.behaviour.history_from
    ]
    return Reply(
        200,
        ("{" + ",".join(f'"{id_}":{_time_in_status(api, task, now)}' for id_, task in known) + "}").encode(),
    )


def _check_plan(api: Api) -> None:
    if not api.behaviour.time_in_status:
        raise ApiError(403, "TIS_027", "Time In Status is not available on your plan")


def _time_in_status(api: Api, task: int, now: int) -> str:
    if not api.world.has_history(task):
        return '{"current_status":null,"status_history":[]}'
    history, current = [], ""
    for row in api.world.status_rows(task, now):
        color = js(row.color)
        order = "" if row.orderindex is None else f',"orderindex":{row.orderindex}'
        name = js(row.status)
        history.append(
            f'{{"status":{name},"color":{color},"type":"{row.type}",'
            f'"total_time":{{"by_minute":{row.minutes},"since":"{row.since}"}}{order}}}'
        )
        if row.current:
            late = mix(task, 3) & 1  # the current status may be a minute ahead of its row
            current = (
                f'{{"status":{name},"color":{color},'
                f'"total_time":{{"by_minute":{row.minutes + late},"since":"{row.since}"}}}}'
            )
    return f'{{"current_status":{current},"status_history":[{",".join(history)}]}}'


TASK_ROUTES = {
    "list/{id}/task": get_list_tasks,
    "team/{team}/task": get_team_tasks,
    "task/bulk_time_in_status/task_ids": get_bulk_time_in_status,
    "task/{id}": get_task,
    "task/{id}/time_in_status": get_time_in_status,
}
