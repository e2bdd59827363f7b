"""Times to rows: time entries by either route, and time in status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import msgspec

from clickup_toolkit.normalise.members import Crowd, Person
from clickup_toolkit.normalise.shapes import (
    MISSING,
    Flag,
    Reference,
    Text,
    Time,
    Whole,
    exact,
    items,
    mapping,
    not_understood,
    read,
)
from clickup_toolkit.normalise.values import LONGEST, duration, identifier
from clickup_toolkit.records import Gap, TimeEntry, TimeInStatus

__all__ = ["Interval", "StatusTimes", "entry_row", "intervals", "status_rows"]

MINUTE_MS = 60_000


class _Tag(msgspec.Struct, gc=False):
    name: Text = None


class _Location(msgspec.Struct, gc=False):
    list_id: str | int | None = None
    folder_id: str | int | None = None
    space_id: str | int | None = None


class _Entry(msgspec.Struct, gc=False):
    id: Text = None
    task: Reference | str | int | None = None
    user: Person | None = None
    billable: Flag = None
    start: Time = None
    end: Time = None
    duration: Whole = None
    description: Text = None
    tags: list[_Tag] | None = None
    source: Text = None
    at: Time = None
    date_added: Time = None
    task_location: _Location | None = None


def entry_row(body: bytes | msgspec.Raw, crowd: Crowd, route: str = "member") -> TimeEntry | None:
    """Return the row of a time entry; None if it makes no sense.

    A running timer has a negative duration and no end. Entries without a task have no ``task``, or 0.
    """
    shape = read(body, _Entry)
    if shape is None or not shape.id:
        return None
    start, end, sent = shape.start, shape.end, shape.duration
    running = end is None and (sent < 0 if sent is not None else start is not None)
    if sent is None and start is not None and end is not None:
        sent = end - start
    where = shape.task_location or _NOWHERE
    return TimeEntry(
        id=shape.id,
        task_id=_task_id(shape.task),
        member_id=crowd.meet(shape.user),
        start=start,
        end=end,
        duration_ms=None if running else duration(sent),
        running=running,
        billable=shape.billable,
        description=shape.description or None,
        tags=_tag_names(shape.tags) if shape.tags else None,
        source=shape.source or None,
        list_id=identifier(where.list_id),
        folder_id=identifier(where.folder_id),
        space_id=identifier(where.space_id),
        updated=shape.date_added if shape.at is None else shape.at,
        route=route,
    )


_NOWHERE = _Location()


def _task_id(task: Reference | str | int | None) -> str | None:
    key = task.key if isinstance(task, Reference) else identifier(task)
    return None if key == "0" else key


def _tag_names(tags: list[_Tag]) -> str | None:
    names = [tag.name for tag in tags if tag.name]
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


class _Total(msgspec.Struct, gc=False, frozen=True):
    by_minute: Annotated[int, msgspec.Meta(ge=0, le=LONGEST // MINUTE_MS)] | None = None
    since: Time = None


class _Stay(msgspec.Struct, gc=False):
    """A task's time in one status."""

    status: Text = None
    type: Text = None
    color: Text = None
    orderindex: Whole = None
    total_time: _Total = _Total()

    @property
    def clear(self) -> bool:
        """Whether it says in which status the task was, and how long."""
        return bool(self.status) and self.total_time.by_minute is not None


class _TimeInStatus(msgspec.Struct, gc=False):
    current_status: _Stay | None = None
    status_history: list[_Stay] | None = None

    @property
    def clear(self) -> bool:
        """Whether all of it is."""
        history, current = self.status_history or (), self.current_status
        return all(stay.clear for stay in history) and (current is None or current.clear)


class StatusTimes(NamedTuple):
    """A task's rows of time in status, and the gap that says what of it was not understood."""

    rows: list[TimeInStatus]
    gap: Gap | None = None


def status_rows(task_id: str, body: bytes | msgspec.Raw, received: int) -> StatusTimes:
    """Return a task's rows of time in status, by ``since``. ``received`` is when ClickUp sent them, in ms.

    ClickUp repeats the current status outside its history, up to a minute further: that figure is taken. A
    status without a name is left out, and one without a time has a total of 0; then there is a gap, too.
    """
    shape = exact(body, _TimeInStatus)
    if shape is not None and shape.clear:
        return StatusTimes(_rows(task_id, shape, received))
    shape, odd = read(body, _TimeInStatus), _odd_part(body)
    gap = None if odd is None else not_understood("time_in_status", task_id, odd)
    return StatusTimes([] if shape is None else _rows(task_id, shape, received), gap)


def _odd_part(body: bytes | msgspec.Raw) -> bytes | msgspec.Raw | None:
    """Return the first part of a time in status that is not understood; None if there is none."""
    parts = mapping(body)
    if parts is None:
        return body
    history, current = (parts.get(name, _NULL) for name in ("status_history", "current_status"))
    stays = items(b'{"stays":%b}' % bytes(history), "stays")
    if stays is None:
        return history
    if bytes(current) != b"null":
        stays.append(current)
    return next((sent for sent in stays if not (read(sent, _Stay) or _Stay()).clear), None)


def _rows(task_id: str, shape: _TimeInStatus, received: int) -> list[TimeInStatus]:
    stays = [stay for stay in shape.status_history or () if stay.status]
    current = shape.current_status
    if current is not None and current.status:
        current = _placed(current, stays)
    stays.sort(key=_in_order)
    totals = [(stay.total_time.by_minute or 0) * MINUTE_MS for stay in stays]
    whole = sum(totals) or None
    return [
        TimeInStatus(
            task_id,
            position,
            stay.status or "",
            stay.type or None,
            stay.orderindex,
            stay.color or None,
            total,
            stay.total_time.since,
            stay is current,
            total / whole if whole else None,
            received,
        )
        for position, (stay, total) in enumerate(zip(stays, totals, strict=True))
    ]


def _placed(current: _Stay, stays: list[_Stay]) -> _Stay:
    """Return the stay that is the current one, with its newest figures; it is added where it is missing."""
    same = [stay for stay in stays if stay.status == current.status]
    if not same:
        name = (current.status or "").casefold()
        same = [stay for stay in stays if (stay.status or "").casefold() == name]
    if not same:
        stays.append(current)
        return current
    match = same[0] if len(same) == 1 else max(same, key=lambda stay: stay.total_time.since or 0)
    total, newest = match.total_time, current.total_time
    match.total_time = _Total(
        max(total.by_minute or 0, newest.by_minute or 0),
        total.since if newest.since is None else newest.since,
    )
    return match


_FOREVER = 1 << 62


def _in_order(stay: _Stay) -> tuple[int, int, str]:
    since, place = stay.total_time.since, stay.orderindex
    return _FOREVER if since is None else since, _FOREVER if place is None else place, stay.status or ""
