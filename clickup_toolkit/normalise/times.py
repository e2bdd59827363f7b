"""Times to rows: time entries by either route, and time in status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import MISSING, Reference, items, mapping, read
from clickup_toolkit.normalise.values import Scalar, boolean, duration, identifier, integer, text, timestamp
from clickup_toolkit.records import TimeEntry, TimeInStatus

__all__ = ["Interval", "entry_row", "intervals", "status_rows"]


class _Tag(msgspec.Struct, gc=False):
    name: Scalar = None


class _Location(msgspec.Struct, gc=False):
    list_id: Scalar = None
    folder_id: Scalar = None
    space_id: Scalar = None


class _Entry(msgspec.Struct, gc=False):
    id: Scalar = None
    task: Reference | Scalar = None
    user: Person | None = None
    billable: Scalar = None
    start: Scalar = None
    end: Scalar = None
    duration: Scalar = None
    description: Scalar = None
    tags: list[_Tag] | None = None
    source: Scalar = None
    at: Scalar = None
    date_added: Scalar = None
    task_location: _Location | None = None


def entry_row(body: bytes | msgspec.Raw, crowd: Crowd, route: str = "member") -> TimeEntry | None:
    """Return the row of a time entry; None if it makes no sense.

    A running timer has a negative duration and no end. Entries without a task have no ``task``, or 0.
    """
    shape = read(body, _Entry)
    key = identifier(shape.id) if shape else None
    if shape is None or key is None:
        return None
    start, end, sent = timestamp(shape.start), timestamp(shape.end), integer(shape.duration)
    running = end is None and (sent < 0 if sent is not None else start is not None)
    if sent is None and start is not None and end is not None:
        sent = end - start
    where = shape.task_location or _NOWHERE
    changed = timestamp(shape.at)
    return TimeEntry(
        id=key,
        task_id=_task_id(shape.task),
        member_id=crowd.meet(shape.user),
        start=start,
        end=end,
        duration_ms=None if running else duration(sent),
        running=running,
        billable=boolean(shape.billable),
        description=text(shape.description),
        tags=_tag_names(shape.tags),
        source=text(shape.source),
        list_id=identifier(where.list_id),
        folder_id=identifier(where.folder_id),
        space_id=identifier(where.space_id),
        updated=timestamp(shape.date_added) if changed is None else changed,
        route=route,
    )


_NOWHERE = _Location()


def _task_id(task: Reference | Scalar) -> str | None:
    key = task.key if isinstance(task, Reference) else identifier(task)
    return None if key == "0" else key


def _tag_names(tags: list[_Tag] | None) -> str | None:
    names = [name for name in (text(tag.name) for tag in tags or ()) if name]
    return msgspec.json.encode(names).decode() if names else None


class Interval(NamedTuple):
    """A time entry from a task's legacy route: its id, and its JSON in the form of other entries."""

    id: str
    body: bytes


class _Tracked(msgspec.Struct, gc=False):
    user: msgspec.Raw = MISSING
    intervals: list[msgspec.Raw] | None = None


def intervals(body: bytes, task_id: str) -> Iterator[Interval | msgspec.Raw]:
    """Yield the entries of an answer of ``GET /task/{id}/time``; what makes no sense comes back as sent.

    That route groups intervals by person. Each interval keeps its keys as sent and gets those by which other
    entries are read: ``user``, ``task`` and ``duration``.
    """
    for item in items(body, "data") or ():
        tracked = read(item, _Tracked)
        if tracked is None:
            yield item
            continue
        for interval in tracked.intervals or ():
            parts = mapping(interval)
            key = identifier(_plain(parts.get("id"))) if parts else None
            if parts is None or key is None:
                yield interval
                continue
            parts["user"] = tracked.user if bytes(tracked.user) else _NULL
            parts["task"] = msgspec.Raw(msgspec.json.encode({"id": task_id}))
            parts["duration"] = parts.get("time", _NULL)
            yield Interval(key, msgspec.json.encode(parts))


_NULL = msgspec.Raw(b"null")


def _plain(raw: msgspec.Raw | None) -> object:
    try:
        return msgspec.json.decode(raw) if raw else None
    except (msgspec.MsgspecError, ValueError):
        return None


class _Total(msgspec.Struct, gc=False):
    by_minute: Scalar = None
    since: Scalar = None


class _InStatus(msgspec.Struct, gc=False):
    status: Scalar = None
    type: Scalar = None
    color: Scalar = None
    orderindex: Scalar = None
    total_time: _Total | None = None


class _TimeInStatus(msgspec.Struct, gc=False):
    current_status: _InStatus | None = None
    status_history: list[_InStatus] | None = None


_FOREVER = 1 << 62
_MINUTE_MS = 60_000


def status_rows(task_id: str, body: bytes | msgspec.Raw, received: int) -> list[TimeInStatus]:
    """Return a task's rows of time in status, by ``since``. ``received`` is when ClickUp sent them, in ms.

    ClickUp repeats the current status outside its history, up to a minute further: that figure is taken.
    """
    shape = read(body, _TimeInStatus)
    if shape is None:
        return []
    rows = [row for row in (_row(task_id, one, received) for one in shape.status_history or ()) if row]
    current = _row(task_id, shape.current_status, received) if shape.current_status else None
    if current is not None:
        rows = _with_current(rows, current)
    rows.sort(key=_in_order)
    whole = sum(row.total_ms for row in rows)
    return [
        row._replace(position=position, share=row.total_ms / whole if whole else None)
        for position, row in enumerate(rows)
    ]


def _row(task_id: str, shape: _InStatus, received: int) -> TimeInStatus | None:
    name = text(shape.status)
    if name is None:
        return None
    total = shape.total_time or _Total()
    return TimeInStatus(
        task_id=task_id,
        position=0,
        status=name,
        status_type=text(shape.type),
        orderindex=integer(shape.orderindex),
        color=text(shape.color),
        total_ms=duration((integer(total.by_minute) or 0) * _MINUTE_MS) or 0,
        since=timestamp(total.since),
        current=False,
        share=None,
        as_of=received,
    )


def _with_current(rows: list[TimeInStatus], current: TimeInStatus) -> list[TimeInStatus]:
    name = current.status.casefold()
    same = [row for row in rows if row.status.casefold() == name]
    if not same:
        return [*rows, current._replace(current=True)]
    match = max(same, key=lambda row: (row.since or 0, row.total_ms))
    since = match.since if current.since is None else current.since
    merged = match._replace(total_ms=max(match.total_ms, current.total_ms), since=since, current=True)
    return [merged if row is match else row for row in rows]


def _in_order(row: TimeInStatus) -> tuple[int, int, str]:
    since = _FOREVER if row.since is None else row.since
    place = _FOREVER if row.orderindex is None else row.orderindex
    return since, place, row.status
