"""How the settings of measures are read: working time, boundaries of cycle time, words for waiting."""

from __future__ import annotations

import re
from datetime import date, time
from zoneinfo import ZoneInfo

__all__ = ["Hours", "boundaries", "holidays", "time_zone", "weekdays", "words", "working_hours"]

Hours = tuple[tuple[time, time], ...]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BOUNDARY = re.compile(r"(?:list:.+/)?(?:type|status):.+", re.IGNORECASE)


def weekdays(value: str) -> tuple[int, ...]:
    """Read weekdays such as ``mon-fri`` or ``sun-thu, sat``; Monday is 0."""
    found: set[int] = set()
    for part in _parts(value):
        first, _, last = part.lower().partition("-")
        start, end = _weekday(first), _weekday(last or first)
        found |= {day % 7 for day in range(start, (end if end >= start else end + 7) + 1)}
    if not found:
        raise ValueError("must name a weekday at least, such as mon-fri")
    return tuple(sorted(found))


def _weekday(word: str) -> int:
    name = word.strip()[:3]
    if name not in _DAYS:
        raise ValueError("must be weekdays, such as mon-fri or mon, wed, fri")
    return _DAYS.index(name)


def working_hours(value: str) -> Hours:
    """Read spans of the day such as ``09:00-12:30, 13:30-18:00``; an end of 24:00 is midnight."""
    spans = tuple(sorted(_span(part) for part in _parts(value)))
    ends = [(end.hour, end.minute) if end != time(0) else (24, 0) for _, end in spans]
    starts = [(start.hour, start.minute) for start, _ in spans]
    in_order = [at for pair in zip(starts, ends, strict=True) for at in pair]
    if not spans or any(later <= at for at, later in zip(in_order[::2], in_order[1::2], strict=True)):
        raise ValueError("must be spans that end after they begin, such as 09:00-17:00")
    if in_order != sorted(in_order):
        raise ValueError("must be spans that do not overlap")
    return spans


def _span(text: str) -> tuple[time, time]:
    start, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip().replace("24:00", "00:00"))
    except ValueError:
        raise ValueError("must be spans of the day, such as 09:00-12:30, 13:30-18:00") from None


def holidays(value: str) -> frozenset[date]:
    """Read dates such as ``2026-12-25, 2027-01-01``."""
    try:
        return frozenset(date.fromisoformat(part) for part in _parts(value))
    except ValueError:
        raise ValueError("must be dates, such as 2026-12-25, 2027-01-01") from None


def time_zone(value: str) -> str:
    """Read the name of a time zone of the tz database."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # no such name, a malformed one, a folder of names
        raise ValueError("must be a time zone such as Europe/Berlin") from None
    return value


def boundaries(value: str) -> tuple[str, ...]:
    """Read where cycle time starts or ends: ``type:custom``, ``status:doing``, ``list:App/status:doing``."""
    found = tuple(_parts(value))
    if not found or not all(_BOUNDARY.fullmatch(part) for part in found):
        raise ValueError("must be type:<type>, status:<name> or list:<list>/status:<name>, apart by commas")
    return found


def words(value: str) -> tuple[str, ...]:
    """Read words, apart by commas, in small letters."""
    return tuple(part.casefold() for part in _parts(value))


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
