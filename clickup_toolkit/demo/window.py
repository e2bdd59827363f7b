"""The rate limit: so many requests in a window that opens with the first of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RateWindow", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass, what is left, and in how many seconds the window ends."""

    passes: bool
    remaining: int
    seconds_left: float


class RateWindow:
    """A fixed window of ``seconds``, anchored at its first request, of ``limit`` requests.

    ``others`` requests of every window are spent by somebody else who uses the token, evenly over its time.
    """

    def __init__(
        self, limit: int, seconds: float, others: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit, self.seconds, self.others = limit, seconds, others
        self.fullest = 0
        self.throttled = 0
        self._clock = clock
        self._opened = -math.inf
        self._spent = 0

    def enter(self) -> Verdict:
        """Spend one request, or refuse it."""
        now = self._clock()
        if now >= self._opened + self.seconds:
            self._opened, self._spent = now, 0
        elapsed = now - self._opened
        taken = self._spent + math.floor(self.others * elapsed / self.seconds)
        left = self._opened + self.seconds - now
        if taken >= self.limit:
            self.throttled += 1
            return Verdict(False, 0, left)
        self._spent += 1
        self.fullest = max(self.fullest, self._spent)
        return Verdict(True, max(0, self.limit - taken - 1), left)
