"""Durations as people type them into a filter, ``2 d 4 h``: the tables hold milliseconds."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from clickup_toolkit.serve.asgi import App, Receive, Scope, Send
from clickup_toolkit.serve.words import duration

__all__ = ["as_typed", "typed_duration", "with_typed_durations"]

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_PART = r"(\d{1,9}(?:\.\d{1,9})?)\s*(d(?:ays?)?|h(?:ours?)?|min(?:utes?)?|s(?:econds?)?)(?![a-z])"
_PARTS = re.compile(rf"(?:\s*{_PART})+\s*", re.IGNORECASE)
_EACH = re.compile(_PART, re.IGNORECASE)
_COLUMN = re.compile(r"\w+_ms(__(gte?|lte?|not|exact))?")


def typed_duration(text: str) -> int | None:
    """Return the milliseconds of a duration with units: ``1.5 h``, ``2 days 4 h``; None for anything else."""
    if not _PARTS.fullmatch(text):
        return None
    return round(sum(float(count) * _UNITS[unit[0].lower()] for count, unit in _EACH.findall(text)))


def as_typed(column: str, value: str) -> str:
    """Return what a filter's field shows: a duration in words where they say all of it, else the value."""
    if not (_COLUMN.fullmatch(column) and value.isdecimal() and len(value) < len(str(1 << 63))):
        return value
    words = duration(int(value)).replace(",", "")
    return words if typed_duration(words) == int(value) else value


def with_typed_durations(app: App) -> App:
    """Return the app, told milliseconds where somebody asks for a duration in words."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"")
        if b"_ms" in query:
            told = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            meant = [(name, _meant(name, value)) for name, value in told]
            if meant != told:
                scope = {**scope, "query_string": urlencode(meant).encode("latin-1")}
        await app(scope, receive, send)

    return answer


def _meant(name: str, value: str) -> str:
    milliseconds = typed_duration(value) if _COLUMN.fullmatch(name) else None
    return value if milliseconds is None else str(milliseconds)
