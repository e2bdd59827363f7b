"""One window of the rate limit, as far as the answers tell."""

from __future__ import annotations

from collections.abc import Callable

from clickup_toolkit.pacing.report import RateReport

__all__ = ["SMALLEST_LIMIT", "WINDOW_S", "Window"]

WINDOW_S = 60.0
"""Length of ClickUp's window, seconds."""
SMALLEST_LIMIT = 100
"""Requests a minute on the plans that allow least; assumed until an answer tells."""
LONGEST_WAIT_S = 120.0
"""Longest wait that a Retry-After may ask for: the window is half as long."""
SHORTEST_WAIT_S = 1.0
"""Shortest wait after a 429, whatever it says: asking at once would meet the next."""
SAME_WINDOW_S = 1.0
"""Resets that differ by no more are one window, told with rounding."""
_SLACK_S = 5.0  # a reset further outside of its window, by the answer's own Date, is garbage
_BLUR_S = 3.0  # how far rounding and latency can place a window's end too late


class Window:
    """One window of the rate limit as far as the answers tell; times are seconds of ``clock``.

    ClickUp's windows are told apart by their reset. What is estimated errs to one side: too few that remain,
    an end that is too late. ``_left`` sinks by one with every request that was answered, and further where
    an answer says so, so it is not too high where ``X-RateLimit-Remaining`` lies or is missing. A window
    that answered us ends within ``WINDOW_S`` of that answer, whatever the headers say.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limit = SMALLEST_LIMIT
        self._clock = clock
        self._serial = 0  # of the window we believe to be in
        self._left = SMALLEST_LIMIT  # before those under way are taken off
        self._under_way = 0
        self._ends: float | None = None  # when the window is believed to be over; None: none is open
        self._answered = False  # whether an answer said anything of when this window ends
        self._name: float | None = None  # the reset of the newest window that was told, server's Unix seconds
        self._named = False  # whether that is the window we believe to be in
        self._over_by = float("inf")  # when the one of that name is over
        self._offset = float("-inf")  # server's time minus ours, at most
        self._carried = 0  # answers that named no window, so near its end that the next may have counted them

    @property
    def remaining(self) -> int:
        """Requests that may still be answered in this window, as far as answers tell."""
        return max(0, self._left)

    def wait(self, now: float) -> float:
        """Return the seconds until one more may be sent: 0 now, inf when an answer may tell earlier."""
        self._roll(now)
        if self._left - self._under_way > 0:
            return 0.0
        if self._under_way:
            return float("inf")
        if self._ends is None:
            self._ends = now + WINDOW_S
        return self._ends - now

    def closes_in(self, now: float) -> float:
        """Return the seconds until the window is believed to be over, inf where none is open."""
        return float("inf") if self._ends is None else max(0.0, self._ends - now)

    def send(self) -> int:
        """Count a request as under way; its answer is to come with what this returns."""
        if self._ends is None:
            self._ends = self._clock() + WINDOW_S
        self._under_way += 1
        return self._serial

    def unsend(self) -> None:
        """Take back a request that was not sent after all."""
        self._under_way -= 1
        if not self._under_way and not self._answered and self._left == self.limit:
            self._ends = None

    def ends_in(self, now: float) -> float:
        """Return the seconds until the window ends; 0 when that was not told."""
        return max(0.0, self._ends - now) if self._ends is not None and self._named else 0.0

    def name(self, report: RateReport) -> float | None:
        """Return the reset that names an answer's window; None where it has no date that the reset fits."""
        if report.reset is None or report.date is None:
            return None
        return report.reset if -_SLACK_S <= report.reset - report.date <= WINDOW_S + _SLACK_S else None

    def answer(self, report: RateReport, now: float, serial: int) -> None:
        """Learn from the answer to a request that :meth:`send` returned ``serial`` for."""
        self._under_way -= 1
        self._learn_limit(report.limit)
        name = self.name(report)
        if name is None:
            self._count_unnamed(report.remaining, now, serial)
        elif report.date is not None and (self._name is None or name >= self._name - SAME_WINDOW_S):
            self._learn_window(report, name, report.date, now)

    def lose(self, now: float, serial: int) -> None:
        """Count a request without an answer as spent: the server may have seen it."""
        self.answer(RateReport(), now, serial)

    def wait_after_429(self, report: RateReport, now: float) -> float:
        """Return how long a 429, which was learnt from, asks to wait, seconds."""
        if report.retry_after is not None:
            return min(max(SHORTEST_WAIT_S, report.retry_after), LONGEST_WAIT_S)
        if self._ends is not None and self.name(report) is not None:
            return max(SHORTEST_WAIT_S, self._ends - now)
        return WINDOW_S

    def close(self, until: float) -> None:
        """Hold everything back until ``until``, and to the end of a window that is known to be spent."""
        spent = self._named and self._left <= 0
        self._ends = max(until, self._over_by) if spent else until
        self._left, self._answered = min(0, self._left), True

    def _learn_limit(self, limit: int | None) -> None:
        """Take over a limit; where it changed, as with the plan, so did what remains."""
        if limit is not None:
            self._left += limit - self.limit
            self.limit = limit

    def _learn_window(self, report: RateReport, name: float, date: float, now: float) -> None:
        """Learn from an answer of the newest window, or of one that is newer still."""
        if self._name is None or name > self._name + SAME_WINDOW_S:
            if self._named:  # it is over earlier than we believed
                self._begin()
            self._name, self._over_by, self._offset = name, float("inf"), float("-inf")
        self._offset = max(self._offset, date - now)
        # A reset told in whole seconds may have been rounded down: the window ends up to a step later.
        told = now + max(0.0, name + report.reset_step - (now + self._offset))
        self._over_by = min(self._over_by, now + WINDOW_S, told)
        if now >= self._over_by:
            return  # a late answer: that window is over
        self._named = self._answered = True
        self._ends = self._over_by
        self._count(report.remaining)

    def _count_unnamed(self, remaining: int | None, now: float, serial: int) -> None:
        """Count an answer that does not tell its window: in this one, and in the next if that is near."""
        self._count(remaining if serial == self._serial else None)
        if serial == self._serial and not self._answered:
            self._ends, self._answered = now + WINDOW_S, True
        elif self._ends is not None and now >= self._ends - _BLUR_S:
            self._carried += 1

    def _count(self, remaining: int | None) -> None:
        self._left = self._left - 1 if remaining is None else min(self._left - 1, remaining)

    def _roll(self, now: float) -> None:
        if self._ends is not None and now >= self._ends:
            self._begin()

    def _begin(self) -> None:
        """Go over to the next window, which the next request opens."""
        self._left, self._carried = self.limit - self._carried, 0
        self._ends, self._named, self._answered = None, False, False
        self._serial += 1
