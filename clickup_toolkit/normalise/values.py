"""Single values, in every form in which ClickUp sends them.

Each function takes whatever JSON can hold and returns the value, or None when there is none or it cannot
be understood. None of them raises.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias

__all__ = [
    "EARLIEST",
    "LATEST",
    "LONGEST",
    "Scalar",
    "boolean",
    "duration",
    "identifier",
    "instant_text",
    "integer",
    "real",
    "text",
    "timestamp",
]

Scalar: TypeAlias = str | int | float | bool | None
"""A JSON value that is neither an object nor an array."""

EARLIEST = -62_135_596_800_000  # 0001-01-01, in ms
LATEST = 253_402_300_799_999  # the last ms of 9999
_INT64 = 1 << 63
LONGEST = 1_000_000_000_000  # ms; sums of millions of such spans still fit 64 bits


def timestamp(value: object) -> int | None:
    """Return ms since 1970 UTC: from ms as text or number, or from ISO 8601 text; "" is none.

    >>> timestamp("1592841559129")
    1592841559129
    """
    if value.__class__ is str:
        try:
            number: int | None = int(value)
        except ValueError:
            return _odd_time(str(value))
    elif value.__class__ is int:
        number = value
    else:
        number = _whole(value)
    return number if number is not None and EARLIEST <= number <= LATEST else None


def _odd_time(value: str) -> int | None:
    number = integer(value)
    if number is None:
        number = _iso(value)
    return number if number is not None and EARLIEST <= number <= LATEST else None


def _iso(value: str) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def instant_text(milliseconds: int) -> str:
    """Return ms since 1970 UTC as ISO 8601 text, such as ``2026-11-23T10:15:00.000Z``."""
    seconds, rest = divmod(milliseconds, 1000)
    days, second = divmod(seconds, 86400)
    day = datetime.fromordinal(days + 719_163)
    return f"{day:%Y-%m-%d}".rjust(10, "0") + (
        f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{rest:03}Z"
    )


def integer(value: object) -> int | None:
    """Return a whole number that fits 64 bits, from a number or its text; parts of a whole are cut off."""
    if value.__class__ is int:
        number: int | None = value
    elif isinstance(value, str):
        try:
            number = int(value)
        except ValueError:
            number = _whole(real(value))
    else:
        number = _whole(value)
    return number if number is not None and -_INT64 <= number < _INT64 else None


def duration(value: object) -> int | None:
    """Return a span of time as a whole number, 0 or more; None where it is longer than 31 years."""
    number = integer(value)
    return number if number is not None and 0 <= number <= LONGEST else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value - value == 0 else None


def real(value: object) -> float | None:
    """Return a finite number, from a number or its text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0 else None


def boolean(value: object) -> bool | None:
    """Return a truth value, from a boolean, 0 or 1, or their texts."""
    if value is True or value is False or value is None:
        return value
    if isinstance(value, str):
        return _TRUTHS.get(value.strip().lower())
    return bool(value) if value in (0, 1) else None


_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def identifier(value: object) -> str | None:
    """Return an id as text, whether it came as text or as number."""
    if value.__class__ is str:
        return value or None
    if value.__class__ is int:
        return str(value)
    number = _whole(value)
    return None if number is None else str(number)


def text(value: object) -> str | None:
    """Return a text; numbers become their text, and an empty text is none."""
    if value.__class__ is str:
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)
