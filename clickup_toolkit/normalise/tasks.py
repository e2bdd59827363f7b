"""Tasks to rows: the task itself, its texts, people, tags, lists, links and custom fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from clickup_toolkit import records
from clickup_toolkit.normalise.enrich import Effort, flow
from clickup_toolkit.normalise.fields import FieldValue, field_rows
from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import Flag, Number, Reference, Span, Text, Time, Whole
from clickup_toolkit.normalise.values import (
    Scalar,
    text,
)

__all__ = ["Home", "Surroundings", "TaskShape", "task_rows"]


class _Status(msgspec.Struct, gc=False):
    status: Text = None
    type: Text = None
    color: Text = None


class _Priority(msgspec.Struct, gc=False):
    priority: Scalar = None


class _Tag(msgspec.Struct, gc=False):
    name: Text = None


class _Dependency(msgspec.Struct, gc=False):
    task_id: Text = None
    depends_on: Text = None
    date_created: Time = None


class _Link(msgspec.Struct, gc=False):
    task_id: Text = None
    link_id: Text = None
    date_created: Time = None


class TaskShape(msgspec.Struct, gc=False):
    """What is needed of a task as ClickUp sends it."""

    id: Text = None
    custom_id: Text = None
    custom_item_id: Whole = None
    name: Text = None
    text_content: Text = None
    description: Text = None
    status: _Status | str | None = None
    date_created: Time = None
    date_updated: Time = None
    date_closed: Time = None
    date_done: Time = None
    archived: Flag = None
    creator: Person | None = None
    assignees: list[Person] | None = None
    watchers: list[Person] | None = None
    tags: list[_Tag] | None = None
    parent: Text = None
    top_level_parent: Text = None
    priority: _Priority | Scalar = None
    due_date: Time = None
    start_date: Time = None
    points: Number = None
    time_estimate: Span = None
    time_spent: Span = None
    custom_fields: list[FieldValue] | None = None
    dependencies: list[_Dependency] | None = None
    linked_tasks: list[_Link] | None = None
    locations: list[Reference] | None = None
    url: Text = None
    home: Reference | None = msgspec.field(default=None, name="list")
    folder: Reference | None = None
    space: Reference | None = None


class Home(NamedTuple):
    """Where a list lies, from the structure: newer than what stands on its tasks."""

    list_name: str | None
    folder_id: str | None
    folder_name: str | None
    space_id: str | None
    space_name: str | None
    archived: bool


@dataclass
class Surroundings:
    """What a task's rows need beside the task: lists by id, names of spaces by id, and the people met."""

    homes: Mapping[str, Home]
    spaces: Mapping[str, str | None]
    crowd: Crowd


def task_rows(
    task_id: str,
    shape: TaskShape,
    received: int,
    statuses: Sequence[records.TimeInStatus],
    effort: Effort,
    around: Surroundings,
) -> list[NamedTuple]:
    """Return all rows of one task. ``received`` is when ClickUp sent it, in ms.

    ``statuses`` are its rows of time in status, ``effort`` its tracked time.
    """
    meet = around.crowd.meet
    rows: list[NamedTuple] = [_task(task_id, shape, received, statuses, effort, around), *statuses]
    description = shape.text_content or shape.description
    if description:
        rows.append(records.TaskText(task_id, description))
    rows += [records.TaskAssignee(task_id, key) for key in map(meet, shape.assignees or ()) if key]
    rows += [records.TaskWatcher(task_id, key) for key in map(meet, shape.watchers or ()) if key]
    rows += [records.TaskTag(task_id, tag.name) for tag in shape.tags or () if tag.name]
    rows += _lists(task_id, shape)
    if shape.dependencies or shape.linked_tasks:
        rows += _links(task_id, shape)
    if shape.custom_fields:
        rows += field_rows(task_id, shape.custom_fields)
    return rows


def _task(
    task_id: str,
    shape: TaskShape,
    received: int,
    statuses: Sequence[records.TimeInStatus],
    effort: Effort,
    around: Surroundings,
) -> records.Task:
    status, kind, color = _status(shape.status)
    home = _home(shape, around)
    done = shape.date_closed if shape.date_done is None else shape.date_done
    times = flow(status, kind, shape.date_created, shape.date_updated, done, statuses, received)
    return records.Task(
        id=task_id,
        name=shape.name or None,
        status=status,
        status_type=kind,
        status_color=color,
        space_id=home.space_id,
        space_name=home.space_name,
        folder_id=home.folder_id,
        folder_name=home.folder_name,
        list_id=shape.home.key if shape.home else None,
        list_name=home.list_name,
        parent_id=shape.parent or None,
        top_level_parent_id=shape.top_level_parent or None,
        custom_id=shape.custom_id or None,
        task_type_id=shape.custom_item_id,
        creator_id=around.crowd.meet(shape.creator),
        priority=_priority(shape.priority),
        points=shape.points,
        archived=shape.archived or False,
        in_archived=home.archived,
        date_created=shape.date_created,
        date_updated=shape.date_updated,
        date_done=shape.date_done,
        date_closed=shape.date_closed,
        start_date=shape.start_date,
        due_date=shape.due_date,
        time_estimate_ms=shape.time_estimate,
        time_spent_ms=shape.time_spent,
        tracked_ms=effort.tracked_ms,
        tracked_billable_ms=effort.billable_ms,
        tracked_entries=effort.entries,
        status_since=times.status_since,
        status_ms=times.status_ms,
        lead_time_ms=times.lead_time_ms,
        cycle_started=times.cycle_started,
        cycle_time_ms=times.cycle_time_ms,
        age_ms=times.age_ms,
        as_of=times.as_of,
        url=shape.url or None,
    )


def _status(sent: _Status | str | None) -> tuple[str | None, str | None, str | None]:
    if isinstance(sent, _Status):
        return sent.status or None, sent.type or None, sent.color or None
    return sent or None, None, None


def _priority(sent: _Priority | Scalar) -> str | None:
    if sent is None:
        return None
    name = sent.priority if isinstance(sent, _Priority) else sent
    return _PRIORITIES.get(name, text(name))


_PRIORITIES: dict[Scalar, str] = {
    number: name
    for place, name in enumerate(("urgent", "high", "normal", "low"), 1)
    for number in (place, str(place))
}


def _home(shape: TaskShape, around: Surroundings) -> Home:
    """Return where the task lies: as the structure has it, and as the task says for unknown lists."""
    listed, folder, space = shape.home, shape.folder, shape.space
    home = around.homes.get(listed.key or "") if listed else None
    space_id = space.key if space else None
    if home is not None:
        if home.space_id is not None or space_id is None:
            return home
        return home._replace(space_id=space_id, space_name=around.spaces.get(space_id))
    if folder and folder.hidden:
        folder = None
    return Home(
        list_name=listed.name or None if listed else None,
        folder_id=folder.key if folder else None,
        folder_name=folder.name or None if folder else None,
        space_id=space_id,
        space_name=around.spaces.get(space_id or "") or (space.name or None if space else None),
        archived=False,
    )


def _lists(task_id: str, shape: TaskShape) -> Iterator[records.TaskList]:
    home = shape.home.key if shape.home else None
    if home is not None:
        yield records.TaskList(task_id, home, True)
    for location in shape.locations or ():
        key = location.key
        if key is not None and key != home:
            yield records.TaskList(task_id, key, False)


def _links(task_id: str, shape: TaskShape) -> Iterator[records.TaskLink]:
    for dependency in shape.dependencies or ():
        waiting, other = dependency.task_id, dependency.depends_on
        if not waiting or not other:
            continue
        if waiting == task_id:
            yield records.TaskLink(task_id, other, "waiting_on", dependency.date_created)
        elif other == task_id:
            yield records.TaskLink(task_id, waiting, "blocking", dependency.date_created)
    for link in shape.linked_tasks or ():
        linked = link.link_id if link.task_id == task_id else link.task_id
        if linked and linked != task_id:
            yield records.TaskLink(task_id, linked, "linked", link.date_created)
