"""What is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

__all__ = ["Answer", "Query", "Request"]

Query = Sequence[tuple[str, str]]


class Answer(NamedTuple):
    """What ClickUp answered to one request.

    ``stream`` names what was asked for, ``context`` whose it is, ``received`` is the instant of the answer
    in ms since 1970 UTC, ``body`` the JSON text as sent, decompressed.
    """

    stream: str
    context: dict[str, str]
    received: int
    body: bytes


@dataclass(frozen=True)
class Request:
    """One question: ``path`` below the base address, or from ``/v3/`` on beside it; ``query`` in order.

    ``time`` tells a question from the same one asked earlier in the crawl; it is not sent.
    """

    path: str
    query: Query = ()
    time: str = ""

    @cached_property
    def address(self) -> str:
        """What is asked for, below the base address."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def key(self) -> str:
        """The question as one string, the same in every run."""
        return f"{self.address}#{self.time}" if self.time else self.address
