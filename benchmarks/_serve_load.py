"""Clients that read a document again and again and note how long each first byte took, in a process.

``python -m benchmarks._serve_load`` is given a :class:`Load` as JSON on its standard input and prints a
:class:`Taken` as JSON. Each client is a thread with one connection that stays open; a body is read into
one buffer and forgotten, or hashed where it is to be checked.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

__all__ = ["Load", "Taken"]

_BUFFER = 1 << 20


@dataclass
class Load:
    """What is to be asked, by how many clients, for how many seconds; ``check`` compares what came."""

    url: str
    token: str
    clients: int
    seconds: float
    check: bool = False


@dataclass
class Taken:
    """What came of it: whole answers, bytes, seconds from a question to the first byte of its answer.

    ``failed`` says of each answer that was not a whole 200 why not; ``bodies`` holds the hashes of
    the bodies by their ETag, where they were checked.
    """

    seconds: float = 0.0
    answers: int = 0
    received: int = 0
    first_bytes: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    bodies: dict[str, set[str]] = field(default_factory=dict)


class _Client:
    """One connection."""

    def __init__(self, load: Load, taken: Taken) -> None:
        self._load = load
        self._taken = taken
        self._buffer = memoryview(bytearray(_BUFFER))
        parts = urlsplit(load.url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname, parts.port)
        self._question = (
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: gzip\r\n"
            f"Authorization: Bearer {load.token}\r\n\r\n"
        ).encode()

    def run(self, until: float) -> None:
        """Ask until the time is over; open a new connection after a failure."""
        while time.monotonic() < until:
            try:
                with self._connected() as connection:
                    while self._ask(connection) and time.monotonic() < until:
                        pass
            except (OSError, ValueError) as error:
                self._taken.failed.append(f"{type(error).__name__}: {error}")

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(self._address, timeout=30) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._secure:
                yield plain
                return
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(plain) as wrapped:
                yield wrapped

    def _ask(self, connection: socket.socket) -> bool:
        """Read one answer; tell whether the connection can be asked again."""
        began = time.perf_counter()
        connection.sendall(self._question)
        got = connection.recv_into(self._buffer)
        first = time.perf_counter() - began
        while (end := bytes(self._buffer[:got]).find(b"\r\n\r\n")) < 0:
            more = connection.recv_into(self._buffer[got:])
            if not more:
                raise ValueError("no whole head came")
            got += more
        status, headers = _head(bytes(self._buffer[:end]))
        length = int(headers["content-length"])
        told = hashlib.sha256(self._buffer[end + 4 : got]) if self._load.check else None
        left = length - (got - end - 4)
        while left:
            got = connection.recv_into(self._buffer, min(left, _BUFFER))
            if not got:
                raise ValueError(f"{left} of {length} bytes did not come")
            if told is not None:
                told.update(self._buffer[:got])
            left -= got
        if status != 200:
            raise ValueError(f"status {status}")
        self._taken.first_bytes.append(first)
        self._taken.answers += 1
        self._taken.received += length
        if told is not None:
            self._taken.bodies.setdefault(headers.get("etag", ""), set()).add(told.hexdigest())
        return headers.get("connection") != "close"


def _head(text: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the headers of an answer."""
    status, *lines = text.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers


def _run(load: Load) -> Taken:
    taken = Taken()
    began = time.monotonic()
    clients = [_Client(load, taken) for _ in range(load.clients)]
    threads = [threading.Thread(target=client.run, args=(began + load.seconds,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.seconds = time.monotonic() - began
    return taken


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.read(), type=Load)
    print(msgspec.json.encode(_run(asked)).decode())
