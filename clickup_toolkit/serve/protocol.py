"""HTTP as uvicorn speaks it, with a limit to what may come before the headers of a request have ended.

uvicorn holds whatever is sent, for as long as it is sent: a header without end fills the memory before
anybody has asked who sends it.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["LimitedProtocol"]


class LimitedProtocol(HttpToolsProtocol):
    """Refuses heads that are too long, or too long on the way, and hangs up."""

    longest_head = 64 * 1024
    """Bytes of a request line with its headers; what came with the last of them is looked at all the same."""
    head_within = 20.0
    """Seconds that they may take."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = False
        self._held = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read, and count what belongs to a head that has not ended."""
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head:
            self._held += len(data)
            if self._held > self.longest_head:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Wait for the head of the next request on the same connection."""
        super().on_message_begin()
        if not self._in_head:
            self._begin_head()

    def on_headers_complete(self) -> None:
        """Answer, as long as that may take."""
        self._end_head()
        super().on_headers_complete()

    def _begin_head(self) -> None:
        self._in_head, self._held = True, 0
        self._deadline = self.loop.call_later(self.head_within, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _end_head(self) -> None:
        self._in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: HTTPStatus) -> None:
        """Hang up; with a word, unless it would be taken for the end of the answer before."""
        self._end_head()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            self.transport.write(f"{line}content-length: 0\r\nconnection: close\r\n\r\n".encode("ascii"))
        self.transport.close()
