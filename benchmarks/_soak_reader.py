"""A client of a soak: reads the export all the time, looks at every byte, and keeps what went wrong."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Reader"]

_EXPORT, _TABLE, _METRICS = "/api/v1/export/", "/clickup/tasks.json?_size=5&_shape=objects", "/metrics"
_EVERY = 0.25  # seconds
_WITHIN = 30.0


@dataclass
class Reader:
    """Reads in a thread of its own, from ``start`` to ``stop``.

    ``answers`` counts statuses by address; ``away`` are the moments (monotonic) at which nobody answered;
    ``wrong`` says what must not happen.
    """

    port: int
    token: str
    answers: Counter[str] = field(default_factory=Counter)
    away: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._etag = ""
        self._seen = False  # whether there was a version yet

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        turn = 0
        while not self._over.wait(_EVERY):
            turn += 1
            self._ask(_EXPORT, {"If-None-Match": self._etag} if turn % 2 and self._etag else {})
            if turn % 5 == 0:
                self._ask(_TABLE, {})
                self._ask(_METRICS, {})

    def _ask(self, path: str, more: dict[str, str]) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip", **more}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_WITHIN)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._note_failure(path, error)
        else:
            self._note(path, answer, body)
        finally:
            connection.close()

    def _note_failure(self, path: str, error: Exception) -> None:
        """A server that is not there, or ends in the middle, is looked at later; one that hangs is wrong."""
        if isinstance(error, TimeoutError):
            self._wrong(f"{path} was not answered within {_WITHIN:g} s")
        else:
            self.away.append(time.monotonic())

    def _note(self, path: str, answer: http.client.HTTPResponse, body: bytes) -> None:
        short = path.partition("?")[0]
        self.answers[f"{short} {answer.status}"] += 1
        if path != _EXPORT:
            if answer.status != 200 and not (answer.status == 503 and not self._seen):
                self._wrong(f"{short} answered {answer.status}: {body[:200]!r}")
        elif answer.status == 200:
            self._look_at(answer.headers["ETag"], body)
        elif answer.status == 503:
            if not answer.headers.get("Retry-After"):
                self._wrong("a 503 came without Retry-After")
        elif answer.status != 304:
            self._wrong(f"{short} answered {answer.status}: {body[:200]!r}")

    def _look_at(self, etag: str, body: bytes) -> None:
        self._etag, self._seen = etag, True
        told = hashlib.sha256(body).hexdigest()
        if self.bodies.setdefault(etag, told) != told:
            self._wrong(f"two bodies came under the ETag {etag}")
        try:
            document = json.loads(gzip.decompress(body))
        except (OSError, EOFError, ValueError) as error:
            self._wrong(f"a body could not be read: {error}")
            return
        if document["status"] != "success" or not document["data"]:
            self._wrong("a document holds nothing")

    def _wrong(self, what: str) -> None:
        self.wrong.append(what)
