"""One authenticated, paced, retried GET."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Answer"]


class Answer(NamedTuple):
    """What ClickUp answered to one request.

    ``stream`` names what was asked for, ``context`` whose it is, ``received`` is the instant of the answer
    in ms since 1970 UTC, ``body`` the JSON text as sent, decompressed.
    """

    stream: str
    context: dict[str, str]
    received: int
    body: bytes
