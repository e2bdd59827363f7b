"""What a dashboard is narrowed to, as it stands in the address: places, people, types, a period, groups.

An address that says something wrong is no error: what is wrong is left out, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

__all__ = ["GROUPS", "KINDS", "PRESETS", "Filters", "read_filters"]

KINDS = {"space": "Space", "list": "List", "member": "Member", "type": "Task type"}
"""What tasks are chosen by, as the address calls it, and its heading."""

PRESETS = {
    "30d": ("Last 30 days", 30),
    "90d": ("Last 90 days", 90),
    "180d": ("Last 180 days", 180),
    "365d": ("Last 365 days", 365),
    "all": ("All time", 0),
}
"""The periods that have a name: their words and days, 0 for no beginning."""

GROUPS = {
    "list": "List",
    "folder": "Folder",
    "space": "Space",
    "member": "Member",
    "task_type": "Task type",
    "priority": "Priority",
    "tag": "Tag",
}
"""By what a chart of groups may be told."""

_USUAL = "90d"
_MOST = 100  # values of one filter; an address of more was not made by the form
_SHOWN = 40  # characters of a value that is not understood


@dataclass(frozen=True)
class Filters:
    """``space``, ``list``, ``member`` and ``type`` are ids, none for all; dates go before the ``period``."""

    space: tuple[str, ...] = ()
    list: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    period: str = _USUAL
    first: date | None = None
    last: date | None = None
    by: str = "list"

    def chosen(self, kind: str) -> tuple[str, ...]:
        """Return the ids of one of the :data:`KINDS`."""
        ids: tuple[str, ...] = getattr(self, kind)
        return ids

    def without(self, kind: str, value: str) -> Filters:
        """Return these filters but for one id."""
        return self.only(kind, [each for each in self.chosen(kind) if each != value])

    def only(self, kind: str, values: Sequence[str]) -> Filters:
        """Return these filters with other ids of a kind."""
        change: dict[str, tuple[str, ...]] = {kind: tuple(values)}
        return replace(self, **change)  # type: ignore[arg-type]  # every kind is a field of ids

    def query(self, **changes: str) -> str:
        """Return the query of an address, nothing that is as usual, ``?`` and all; ``changes`` go on top."""
        said = [(kind, value) for kind in KINDS for value in self.chosen(kind)]
        if self.first or self.last:
            said += [(name, f"{day}") for name, day in (("from", self.first), ("to", self.last)) if day]
        elif self.period != _USUAL:
            said.append(("period", self.period))
        if self.by != "list":
            said.append(("by", self.by))
        said = [pair for pair in said if pair[0] not in changes]
        said += [(name, value) for name, value in changes.items() if value]
        return f"?{urlencode(said)}" if said else ""

    def since(self, now: datetime, tz: str) -> datetime | None:
        """Return the first instant of the period, None where it has no beginning."""
        day = self.first
        if day is None and self.last is None and PRESETS[self.period][1]:
            day = (now.astimezone(ZoneInfo(tz)) - timedelta(days=PRESETS[self.period][1])).date()
        return None if day is None else _midnight(day, tz)

    def until(self, now: datetime, tz: str) -> datetime | None:
        """Return the last instant of the period, None for the present."""
        if self.last is None:
            return None
        end = _midnight(self.last + timedelta(days=1), tz) - timedelta(milliseconds=1)
        return end if end < now else None

    def period_words(self) -> str:
        """Say the period: ``last 90 days``, ``1 Jan 2026 to 31 Mar 2026``."""
        if self.first is None and self.last is None:
            return PRESETS[self.period][0].lower()
        if self.first and self.last:
            return f"{_day(self.first)} to {_day(self.last)}"
        return f"since {_day(self.first)}" if self.first else f"until {_day(self.last or date.min)}"


def read_filters(told: Callable[[str], Sequence[str]]) -> tuple[Filters, tuple[str, ...]]:
    """Return what an address says, and what of it cannot be; ``told`` gives the values of a name."""
    problems: list[str] = []
    chosen = {kind: _ids(told(kind), KINDS[kind], problems) for kind in KINDS}
    first, last = _date(told("from"), "from", problems), _date(told("to"), "to", problems)
    if first and last and first > last:
        problems.append(f"The period ends ({last}) before it begins ({first}): its days were swapped.")
        first, last = last, first
    period = _word(told("period"), "period", PRESETS, _USUAL, problems)
    by = _word(told("by"), "by", GROUPS, "list", problems)
    return Filters(**chosen, period=period, first=first, last=last, by=by), tuple(problems)


def _ids(values: Sequence[str], name: str, problems: list[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(value for value in values if value))
    if len(found) > _MOST:
        problems.append(f"{name}: only the first {_MOST} of {len(found)} values were taken.")
    return found[:_MOST]


def _date(values: Sequence[str], name: str, problems: list[str]) -> date | None:
    value = next((value for value in values if value), None)
    if value is None:
        return None
    try:
        day = date.fromisoformat(value)
        if not 1970 <= day.year < 2200:
            raise ValueError
    except ValueError:
        problems.append(f"{_quoted(value)} is no date for “{name}”: write it as 2026-01-31. It was left out.")
        return None
    return day


def _word(values: Sequence[str], name: str, choice: Collection[str], usual: str, problems: list[str]) -> str:
    value = next((value for value in values if value), usual)
    if value in choice:
        return value
    problems.append(f"{_quoted(value)} is none of the choices for “{name}”: {', '.join(choice)}.")
    return usual


def _quoted(value: str) -> str:
    return f"“{value if len(value) <= _SHOWN else value[: _SHOWN - 1] + '…'}”"


def _midnight(day: date, tz: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
