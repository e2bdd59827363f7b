"""Durations, sizes and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["ago", "duration", "instant", "moment", "size"]

_STEPS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))


def duration(milliseconds: float) -> str:
    """Return the two largest units that matter: ``3 d 4 h``, ``2 min``, ``0 s``."""
    left = round(abs(milliseconds))
    words = []
    for unit, length in _STEPS:
        count, left = divmod(left, length)
        if count:
            words.append(f"{count:,} {unit}")
        elif words:
            break
    sign = "−" if milliseconds < 0 else ""
    return sign + (" ".join(words[:2]) or "0 s")


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago something was: ``3 h 20 min ago``, ``just now``."""
    passed = now - then
    if passed < timedelta(minutes=1):
        return "just now"
    return f"{duration(passed // timedelta(minutes=1) * 60_000)} ago"


def moment(then: datetime) -> str:
    """Return an instant as a heading says it: ``3 Nov 2026 21:46 UTC``."""
    at = then.astimezone(UTC)
    return f"{at.day} {at:%b %Y %H:%M} UTC"


def size(count: int) -> str:
    """Return a number of bytes: ``54.1 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def instant(text: str) -> datetime:
    """Return the instant that a table's ISO 8601 text (UTC) names."""
    then = datetime.fromisoformat(text)
    return then if then.tzinfo else then.replace(tzinfo=UTC)
