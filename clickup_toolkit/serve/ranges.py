"""Read ``Range`` and ``If-Range`` (RFC 9110): which part of a representation a client wants.

One range is answered. Several at once, other units and what cannot be read are ignored, as the standard
allows: the client gets the whole.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clickup_toolkit.serve.asgi import Scope, header

__all__ = ["Part", "Unsatisfiable", "wanted_part"]

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class Part(NamedTuple):
    """The bytes from ``start`` up to but without ``stop``."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes that is."""
        return self.stop - self.start


class Unsatisfiable(Exception):
    """The client wants a part that begins behind the end: to be answered with 416."""


def wanted_part(scope: Scope, length: int, etag: str) -> Part | None:
    """Return the part of ``length`` bytes that a GET wants, or None for the whole.

    With ``If-Range`` a part is sent only of the very representation that the client began with. That is told
    by its tag alone: a second is long enough for two versions, so no time is a strong validator. Raises
    :class:`Unsatisfiable`.
    """
    text = header(scope, "range")
    found = _RANGE.fullmatch(text) if text and scope["method"] == "GET" else None
    if found is None or not _is_the_same(header(scope, "if-range"), etag):
        return None
    return _within(found[1], found[2], length)


def _is_the_same(if_range: str | None, etag: str) -> bool:
    return if_range is None or if_range.strip() == etag


def _within(first: str, last: str, length: int) -> Part | None:
    if not first and not last:
        return None
    if not first:  # the last so many bytes
        start, stop = max(0, length - int(last)), length
    else:
        start, stop = int(first), min(length, int(last) + 1 if last else length)
        if last and int(last) < start:
            return None  # no range at all
    if start >= length:
        raise Unsatisfiable
    return Part(start, stop)
