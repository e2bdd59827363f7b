"""Slow down who guesses: so many wrong tries of an address within a minute, and the next ones wait.

Kept in memory, for the addresses seen last; a restart forgets. What counts as one address is what one party
can easily have: a single IPv4 address, or a /64 network of IPv6.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from clickup_toolkit.serve.asgi import Scope

__all__ = ["WRONG", "Throttle", "address_of"]

WRONG = 10
"""Wrong tries within a minute, after which an address has to wait."""
_WINDOW = 60.0  # seconds
_ADDRESSES = 10_000


class Throttle:
    """A sliding window of wrong tries for each address."""

    def __init__(
        self,
        wrong: int = WRONG,
        window: float = _WINDOW,
        addresses: int = _ADDRESSES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wrong = wrong
        self._window = window
        self._addresses = addresses
        self._now = now
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Return the whole seconds that this address has to wait before it may try again; 0: none."""
        tries = self._tries.get(address)
        if tries is None or len(tries) < self._wrong:
            return 0
        return max(0, math.ceil(tries[0] + self._window - self._now()))

    def note(self, address: str) -> None:
        """Count one wrong try."""
        tries = self._tries.setdefault(address, deque(maxlen=self._wrong))
        tries.append(self._now())
        self._tries.move_to_end(address)
        if len(self._tries) > self._addresses:
            self._tries.popitem(last=False)

    def forgive(self, address: str) -> None:
        """Take back the last try: it was counted before it was known to be right."""
        tries = self._tries.get(address)
        if tries:
            tries.pop()

    def __len__(self) -> int:
        return len(self._tries)


def address_of(scope: Scope) -> str:
    """Return the address that a request is counted for; the server has put in a trusted proxy's client."""
    client = scope.get("client")
    host = client[0] if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)[:64]  # what a proxy wrote there, at its length at most
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
