"""How many requests may be under way at once."""

from __future__ import annotations

__all__ = ["Workers"]


class Workers:
    """How many requests may be under way: a fixed number, or one found while running.

    Auto starts at 2 and follows Little's law, L = λ·W (J. Little, 1961): to spend a window's ``limit``
    requests within ``SPENT_WITHIN_S`` at the latency seen, ``limit / SPENT_WITHIN_S · latency`` must be under
    way. A window may be spent at once, and the sooner the last one is spent, the sooner a crawl ends. Latency
    is a moving mean; the number at most doubles from one round of answers to the next and never passes
    ``MOST``, which is enough for 10,000 requests a minute at three quarters of a second each, and costs
    little memory. The least latency seen guards against a server that only grows slower: beyond eight times
    that, the number shrinks.
    """

    MOST = 128
    SPENT_WITHIN_S = 3.0

    def __init__(self, concurrency: int | None) -> None:
        self._auto = concurrency is None
        self.allowed = 2 if concurrency is None else concurrency
        self.busy = 0
        self._mean = 0.0
        self._least = float("inf")
        self._round = 0

    @property
    def free(self) -> bool:
        """Whether one more may be under way."""
        return self.busy < self.allowed

    def answered(self, latency: float, limit: int) -> None:
        """Learn from an answer: its latency in seconds, and the limit of a window."""
        if not self._auto:
            return
        self._least = min(self._least, latency)
        self._mean = latency if not self._mean else 0.9 * self._mean + 0.1 * latency
        self._round += 1
        if self._round < self.allowed:
            return
        self._round = 0
        wanted = int(limit / self.SPENT_WITHIN_S * self._mean) + 1
        if self._mean > 8 * self._least and self.allowed > 2:
            wanted = self.allowed // 2
        self.allowed = max(2, min(wanted, self.allowed * 2, self.MOST))
