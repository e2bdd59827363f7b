"""One window of the rate limit, as far as the answers tell."""

from __future__ import annotations

from collections.abc import Callable

from clickup_toolkit.pacing.report import RateReport

__all__ = ["SMALLEST_LIMIT", "WINDOW_S", "Window"]

WINDOW_S = 60.0
"""Length of ClickUp's window, seconds."""
SMALLEST_LIMIT = 100
"""Requests a minute on the plans that allow least; assumed until an answer tells."""
_ROUNDING_S = 3.0  # how far reset and date, both rounded, can place a window's end too late
LONGEST_WAIT_S = 120.0
"""Longest wait that a Retry-After may ask for: the window is half as long."""
_SAME_WINDOW_S = 1.0  # resets that differ by less are one window, told with rounding


class Window:
    """One window of the rate limit as far as the answers tell."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limit = SMALLEST_LIMIT
        self._clock = clock
        self._remaining = SMALLEST_LIMIT
        self._under_way = 0
        self._reset: float | None = None  # server's Unix seconds: names the window
        self._ends: float | None = None  # our clock
        self._ends_by = float("inf")  # our clock: when a window that we opened ourselves is over
        self._offset = float("-inf")  # server's time minus ours, never too high

    def wait(self, now: float) -> float:
        """Return the seconds until one more may be sent: 0 now, inf when an answer must come first."""
        self._roll(now)
        if self._remaining - self._under_way > 0:
            return 0.0
        if self._remaining > 0 or self._ends is None:
            return float("inf") if self._under_way else self._whole_window(now)
        return max(0.0, self._ends - now)

    def send(self) -> None:
        """Count a request as under way."""
        if self._ends is None:
            self._ends = self._clock() + WINDOW_S
        self._under_way += 1

    def unsend(self) -> None:
        """Take back a request that was not sent after all."""
        self._under_way -= 1

    def ends_in(self, now: float) -> float:
        """Return the seconds until the window ends; 0 when that is not known."""
        return max(0.0, self._ends - now) if self._ends is not None and self._reset is not None else 0.0

    def lose(self) -> None:
        """Count a request without an answer as spent: the server may have seen it."""
        self._under_way -= 1
        self._remaining -= 1

    def answer(self, report: RateReport, now: float) -> None:
        """Learn from the answer to a request that was under way."""
        self._under_way -= 1
        self.limit = report.limit or self.limit
        if report.date is not None:
            self._offset = max(self._offset, report.date - now)
        if report.remaining is None:
            self._remaining -= 1
        elif self._belongs_to_earlier(report.reset):
            return
        elif self._is_new(report.reset):
            self._remaining = report.remaining
        else:
            self._remaining = min(self._remaining, report.remaining)
        if report.reset is not None:
            self._learn_end(report, report.reset, now)

    def wait_after_429(self, report: RateReport) -> float:
        """Return how long a 429 asks to wait, seconds."""
        if report.retry_after is not None:
            return min(max(1.0, report.retry_after), LONGEST_WAIT_S)
        if self._ends is not None and report.reset is not None:
            return max(0.0, self._ends - self._clock())
        return WINDOW_S

    def close(self, until: float) -> None:
        """Hold everything back until ``until``: the server says that the window is spent."""
        self._remaining = 0
        self._ends = until

    def _roll(self, now: float) -> None:
        if self._ends is not None and now >= self._ends:
            self._ends = None
            self._remaining = self.limit

    def _whole_window(self, now: float) -> float:
        self._ends = now + WINDOW_S
        return WINDOW_S

    def _belongs_to_earlier(self, reset: float | None) -> bool:
        return reset is not None and self._reset is not None and reset < self._reset - _SAME_WINDOW_S

    def _is_new(self, reset: float | None) -> bool:
        return reset is not None and (self._reset is None or reset > self._reset + _SAME_WINDOW_S)

    def _learn_end(self, report: RateReport, reset: float, now: float) -> None:
        if self._is_new(reset):
            self._ends_by = float("inf")
        if report.limit is not None and report.remaining == report.limit - 1:
            self._ends_by = now + WINDOW_S
        self._reset = reset if self._reset is None else max(self._reset, reset)
        offset = self._offset if report.date is not None else reset - WINDOW_S - now
        # A reset told in whole seconds may have been rounded down: the window ends up to a step later. If it
        # was rounded up, that is too late; where our own request opened the window, its answer knows better.
        told = now + max(0.0, reset + report.reset_step - (now + offset))
        self._ends = self._ends_by if 0 < told - self._ends_by < _ROUNDING_S else told
