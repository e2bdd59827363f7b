"""Tracked time of every member, since the beginning.

ClickUp answers whole windows without pages, only the token's user unless others are named, and refuses the
whole question when one of the named may not be read. So all members are named together, a refused question
is halved until the unreadable ones stand alone, and windows reach back as wide as answers stay small. An
answer large enough to have been cut off is asked for again in two halves: if they hold no more, smaller
answers are whole. One of that size itself may be cut off: it may be just the most that ClickUp sends.

Whether an entry belongs to a span in which it starts, or ends, or only to one that holds all of it, is not
told. So each window reaches back behind the one before it, a day, or as far as an eighth of what an answer
held where that is more than it sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from clickup_toolkit.client import Query, Request
from clickup_toolkit.crawl.cursor import instant
from clickup_toolkit.crawl.places import key_of
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.errors import BrokenAnswer, Refused, Unanswered

__all__ = ["TimeEntries", "newest_window", "read_time_entries"]

DAY_MS = 86_400_000
FIRST_SPAN_MS = 30 * DAY_MS
AHEAD_MS = 366 * DAY_MS
"""How far into the future to ask: time is sometimes planned ahead."""
WANTED = 4_000
"""Entries that a window should hold."""
SUSPECT = 1_000
"""Entries from which on an answer may have been cut off."""
MOST_MEMBERS = 100
PATIENCE = 3
"""Windows in a row that may fail before the rest of the past is given up, as one gap."""
_LEAST_OVERLAP_MS = 1_000  # whether a window's edges belong to it is not told
_STRAY_ONE_IN = 10  # entries outside of the span asked for that are one odd value each, not another answer
_NO_TIME_BEFORE = 10**11  # 1973: smaller numbers are no instants in ms
_MOST_GROWTH = 8.0
_SMALLEST_SPAN_MS = 60_000
_DETAILS: Query = (("include_task_tags", "true"), ("include_location_names", "true"))


class _Task(msgspec.Struct):
    id: str | int | None = None


class _Entry(msgspec.Struct):
    id: str | int | None = None
    task: _Task | str | int | None = None
    start: str | int | float | None = None
    duration: str | int | float | None = None


class _Entries(msgspec.Struct):
    data: list[_Entry] | None


class _Loose(msgspec.Struct):
    data: list[object] | None


_decode_entries = msgspec.json.Decoder(_Entries).decode
_decode_loose = msgspec.json.Decoder(_Loose).decode


class Window(NamedTuple):
    """A span of time, ms since 1970 UTC."""

    start: int
    end: int


class _Part(NamedTuple):
    """A window or a part of one, and how far before it is asked for as well (ms)."""

    start: int
    end: int
    overlap: int = DAY_MS

    @property
    def since(self) -> int:
        """From when on entries are asked for."""
        return max(0, self.start - self.overlap)


async def read_time_entries(reader: Reader, team: str, members: Sequence[str], *, together: bool) -> None:
    """Read all entries of ``members``; whom the token may not read becomes a gap.

    An incremental crawl reads the newest ones again, and leaves the older ones to the next full crawl.

    ``together`` tells whether a question may name several people (personal tokens may, OAuth ones not).
    """
    size = MOST_MEMBERS if together else 1
    entries = TimeEntries(reader, team)
    newest = newest_window(reader.journal.started, reader.journal.since)
    for group in _groups(members, size):
        await entries.read_newest(group, newest)
    if reader.journal.since is not None:
        return
    await each(entries.read_back, [(group, newest) for group in _groups(entries.readable, size)])


def newest_window(started: int, since: int | None) -> Window:
    """Return the span that every crawl reads again: entries in it may have been changed or deleted."""
    return Window(min(started, since or started) - FIRST_SPAN_MS, started + AHEAD_MS)


class TimeEntries:
    """Reads entries of groups of people; ``readable`` are those of whom the newest could be read."""

    def __init__(self, reader: Reader, team: str) -> None:
        self.readable: list[str] = []
        self._reader = reader
        self._route = f"/team/{team}/time_entries"
        self._whole_up_to = SUSPECT - 1
        self._count = 0

    async def read_newest(self, group: Sequence[str], window: Window) -> None:
        """Read the newest window, and find out who may be read at all."""
        for member in group:
            self._reader.journal.note_covered("time_entries", member)
        try:
            await self.read_window(group, window)
        except Refused as error:
            if len(group) == 1:
                self._reader.note_gap("time_entries", group[0], error)
                return
            middle = len(group) // 2
            await self.read_newest(group[:middle], window)
            await self.read_newest(group[middle:], window)
        except Unanswered as error:
            self._note_unread(group, Window(0, window.end), error)
        else:
            self.readable += group

    async def read_back(self, start_from: tuple[Sequence[str], Window]) -> None:
        """Read from ``window`` back to the beginning of time, in windows that fit what they hold."""
        group, window = start_from
        span, end, failures = float(FIRST_SPAN_MS), window.start, 0
        while end > 0:
            window = Window(max(0, end - int(span)), end)
            try:
                count, failures = await self.read_window(group, window), 0
            except (Refused, Unanswered) as error:
                count, failures = WANTED, failures + 1
                if failures == PATIENCE:
                    self._note_unread(group, Window(0, end), error)
                    return
                self._note_unread(group, window, error)
            span *= min(_MOST_GROWTH, max(1 / _MOST_GROWTH, WANTED / max(count, 1)))
            end = window.start

    async def read_window(self, group: Sequence[str], window: Window) -> int:
        """Read one window whole and return how many entries it holds.

        Raises what :meth:`Reader.ask` raises. Where it was cut off, a part that cannot be read is a gap.
        """
        return await self._read_part(group, _Part(*window))

    async def _read_part(self, group: Sequence[str], part: _Part) -> int:
        found = await self._ask(group, part)
        if len(found) <= self._whole_up_to or part.end - part.start <= _SMALLEST_SPAN_MS:
            return len(found)
        halves = _halves(found, part)
        parts = [await self._ask_half(group, half) for half in halves]
        told = [part for part in parts if part is not None]
        if len(told) == len(parts) and all(part.keys() <= found.keys() for part in told):
            self._whole_up_to = max(self._whole_up_to, len(found) - 1)
            return len(found)
        # What was answered is in the journal: reading on from there asks for smaller parts only.
        answered = [half for half, part in zip(halves, parts, strict=True) if part is not None]
        return sum([await self._read_part(group, half) for half in answered])

    async def _ask_half(self, group: Sequence[str], half: _Part) -> dict[str, int | None] | None:
        try:
            return await self._ask(group, half)
        except (Refused, Unanswered) as error:
            self._note_unread(group, half, error)
            return None

    async def _ask(self, group: Sequence[str], part: _Part) -> dict[str, int | None]:
        context = {"assignees": ",".join(group), "start": str(part.start), "end": str(part.end)}
        span = [("start_date", str(part.since)), ("end_date", str(part.end))]
        request = Request(self._route, [*span, ("assignee", ",".join(group)), *_DETAILS])
        decode = partial(_decode, part=part)
        entries = await self._reader.ask("time_entries", request, decode, context)
        _note_entries(self._reader, entries)
        self._count += len(entries)
        self._reader.progress("time entries", self._count, None)
        return {str(entry.id): instant(entry.start) for entry in entries if entry.id is not None}

    def _note_unread(self, group: Sequence[str], window: Window | _Part, error: Refused | Unanswered) -> None:
        self._reader.note_gap("time_entries", f"{','.join(group)} {window.start}-{window.end}", error)


def _groups(members: Sequence[str], size: int) -> list[Sequence[str]]:
    return [members[at : at + size] for at in range(0, len(members), size)]


def _halves(found: dict[str, int | None], part: _Part) -> list[_Part]:
    """Cut a window at the instant that halves what was found, or else in its middle.

    They overlap so little that neither can be asked for all of what was found again.
    """
    starts = sorted(start for start in found.values() if start is not None)
    median = starts[len(starts) // 2] if starts else 0
    if part.start + _SMALLEST_SPAN_MS < median < part.end - _SMALLEST_SPAN_MS:
        overlap = max(_LEAST_OVERLAP_MS, min(DAY_MS, (median - starts[0]) // 4))
        return [part._replace(end=median), _Part(median, part.end, overlap)]
    middle = (part.start + part.end) // 2
    return [_Part(part.start, middle, _LEAST_OVERLAP_MS), _Part(middle, part.end, _LEAST_OVERLAP_MS)]


def _decode(body: bytes, *, part: _Part) -> list[_Entry]:
    """Return the entries of an answer; raise BrokenAnswer where they are not of the span asked for."""
    try:
        entries = _decode_entries(body).data or []
    except msgspec.ValidationError:
        loose = _decode_loose(body).data or []
        entries = [_loose_entry(entry) for entry in loose if isinstance(entry, dict)]
    strays = sum(_is_outside(entry, part) for entry in entries)
    if strays * _STRAY_ONE_IN > len(entries):
        raise BrokenAnswer(
            "ClickUp answered a question for time entries with those of another span.",
            "Run the export again later.",
            code="PAGE_REPEATED",
        )
    return entries


def _is_outside(entry: _Entry, part: _Part) -> bool:
    """Tell whether an entry lies a day or more outside of the span asked for."""
    start, duration = instant(entry.start), instant(entry.duration) or 0
    if start is None or start < _NO_TIME_BEFORE:
        return False
    ended = duration >= 0 and start + duration < part.since - DAY_MS
    return ended or start > part.end + DAY_MS


def _loose_entry(entry: dict[str, object]) -> _Entry:
    def simple(value: object) -> str | int | float | None:
        return value if isinstance(value, str | int | float) else None

    task = entry.get("task")
    task_id = task.get("id") if isinstance(task, dict) else None
    return _Entry(
        key_of(entry.get("id")) or None,
        _Task(key_of(task_id) or None),
        simple(entry.get("start")),
        simple(entry.get("duration")),
    )


def _note_entries(reader: Reader, entries: Sequence[_Entry]) -> None:
    reader.journal.note_entries(
        (str(entry.id), _task_id(entry), max(0, instant(entry.duration) or 0))
        for entry in entries
        if entry.id is not None
    )


def _task_id(entry: _Entry) -> str | None:
    if isinstance(entry.task, _Task) and entry.task.id is not None:
        return str(entry.task.id)
    return None
