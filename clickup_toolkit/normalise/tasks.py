"""Tasks to rows: the task itself, its texts, people, tags, lists, links and custom fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from clickup_toolkit import records
from clickup_toolkit.normalise.enrich import Effort, Flow, flow
from clickup_toolkit.normalise.fields import FieldValue, field_rows
from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import Reference
from clickup_toolkit.normalise.values import (
    Scalar,
    boolean,
    duration,
    identifier,
    integer,
    real,
    text,
    timestamp,
)

__all__ = ["Home", "Surroundings", "TaskShape", "task_rows"]


class _Status(msgspec.Struct, gc=False):
    status: Scalar = None
    type: Scalar = None
    color: Scalar = None


class _Priority(msgspec.Struct, gc=False):
    priority: Scalar = None


class _Tag(msgspec.Struct, gc=False):
    name: Scalar = None


class _Dependency(msgspec.Struct, gc=False):
    task_id: Scalar = None
    depends_on: Scalar = None
    date_created: Scalar = None


class _Link(msgspec.Struct, gc=False):
    task_id: Scalar = None
    link_id: Scalar = None
    date_created: Scalar = None


class TaskShape(msgspec.Struct, gc=False):
    """What is needed of a task as ClickUp sends it."""

    id: Scalar = None
    custom_id: Scalar = None
    custom_item_id: Scalar = None
    name: Scalar = None
    text_content: Scalar = None
    description: Scalar = None
    status: _Status | Scalar = None
    date_created: Scalar = None
    date_updated: Scalar = None
    date_closed: Scalar = None
    date_done: Scalar = None
    archived: Scalar = None
    creator: Person | None = None
    assignees: list[Person] | None = None
    watchers: list[Person] | None = None
    tags: list[_Tag] | None = None
    parent: Scalar = None
    top_level_parent: Scalar = None
    priority: _Priority | Scalar = None
    due_date: Scalar = None
    start_date: Scalar = None
    points: Scalar = None
    time_estimate: Scalar = None
    time_spent: Scalar = None
    custom_fields: list[FieldValue] | None = None
    dependencies: list[_Dependency] | None = None
    linked_tasks: list[_Link] | None = None
    locations: list[Reference] | None = None
    url: Scalar = None
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
) -> Iterator[NamedTuple]:
    """Yield all rows of one task. ``received`` is when ClickUp sent it, in ms.

    ``statuses`` are its rows of time in status, ``effort`` its tracked time.
    """
    yield _task(task_id, shape, received, statuses, effort, around)
    description = text(shape.text_content) or text(shape.description)
    if description is not None:
        yield records.TaskText(task_id, description)
    for person in shape.assignees or ():
        key = around.crowd.meet(person)
        if key is not None:
            yield records.TaskAssignee(task_id, key)
    for person in shape.watchers or ():
        key = around.crowd.meet(person)
        if key is not None:
            yield records.TaskWatcher(task_id, key)
    for tag in shape.tags or ():
        name = text(tag.name)
        if name is not None:
            yield records.TaskTag(task_id, name)
    yield from _lists(task_id, shape)
    if shape.dependencies or shape.linked_tasks:
        yield from _links(task_id, shape)
    if shape.custom_fields:
        yield from field_rows(task_id, shape.custom_fields)


def _task(
    task_id: str,
    shape: TaskShape,
    received: int,
    statuses: Sequence[records.TimeInStatus],
    effort: Effort,
    around: Surroundings,
) -> records.Task:
    status, kind, color = _status(shape.status)
    created, done = timestamp(shape.date_created), timestamp(shape.date_done)
    closed = timestamp(shape.date_closed)
    home = _home(shape, around)
    times = _times(status, kind, created, closed if done is None else done, statuses, received)
    return records.Task(
        id=task_id,
        name=text(shape.name),
        status=status,
        status_type=kind,
        status_color=color,
        space_id=home.space_id,
        space_name=home.space_name,
        folder_id=home.folder_id,
        folder_name=home.folder_name,
        list_id=shape.home.key if shape.home else None,
        list_name=home.list_name,
        parent_id=identifier(shape.parent),
        top_level_parent_id=identifier(shape.top_level_parent),
        custom_id=text(shape.custom_id),
        task_type_id=integer(shape.custom_item_id),
        creator_id=around.crowd.meet(shape.creator),
        priority=_priority(shape.priority),
        points=real(shape.points),
        archived=boolean(shape.archived) or False,
        in_archived=home.archived,
        date_created=created,
        date_updated=timestamp(shape.date_updated),
        date_done=done,
        date_closed=closed,
        start_date=timestamp(shape.start_date),
        due_date=timestamp(shape.due_date),
        time_estimate_ms=duration(shape.time_estimate),
        time_spent_ms=duration(shape.time_spent),
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
        url=text(shape.url),
    )


def _times(
    status: str | None,
    kind: str | None,
    created: int | None,
    done: int | None,
    statuses: Sequence[records.TimeInStatus],
    received: int,
) -> Flow:
    as_of = statuses[0].as_of if statuses else None
    return flow(status, kind, created, done, statuses, received if as_of is None else as_of)


def _status(sent: _Status | Scalar) -> tuple[str | None, str | None, str | None]:
    if isinstance(sent, _Status):
        return text(sent.status), text(sent.type), text(sent.color)
    return text(sent), None, None


def _priority(sent: _Priority | Scalar) -> str | None:
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
    if folder and boolean(folder.hidden):
        folder = None
    return Home(
        list_name=text(listed.name) if listed else None,
        folder_id=folder.key if folder else None,
        folder_name=text(folder.name) if folder else None,
        space_id=space_id,
        space_name=around.spaces.get(space_id or "") or (text(space.name) if space else None),
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
        waiting, other = identifier(dependency.task_id), identifier(dependency.depends_on)
        if waiting is None or other is None:
            continue
        made = timestamp(dependency.date_created)
        if waiting == task_id:
            yield records.TaskLink(task_id, other, "waiting_on", made)
        elif other == task_id:
            yield records.TaskLink(task_id, waiting, "blocking", made)
    for link in shape.linked_tasks or ():
        ends = identifier(link.task_id), identifier(link.link_id)
        linked = ends[1] if ends[0] == task_id else ends[0]
        if linked is not None and linked != task_id:
            yield records.TaskLink(task_id, linked, "linked", timestamp(link.date_created))
