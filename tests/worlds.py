"""The synthetic workspace in the real present, and yet the same one on every day."""

from __future__ import annotations

from collections.abc import Callable

from clickup_toolkit.demo import World, build_world
from clickup_toolkit.demo.model import DAY, HOUR
from clickup_toolkit.demo.state import real_clock

__all__ = ["NOW", "living_world", "monday"]

NOW = 1_772_445_600_000
"""Monday, 2 March 2026, 10:00 UTC."""


def monday() -> int:
    """Return the last Monday, 10:00 UTC, that is two hours old or older, in milliseconds since 1970."""
    return NOW + (real_clock() - 2 * HOUR - NOW) // (7 * DAY) * 7 * DAY


def living_world(*, clock: Callable[[], int] = real_clock, **size: int) -> World:
    """Build a workspace that was filled up to ``monday`` and in which ``clock`` tells the time since.

    Tasks arrive and rest by the hours of the week, so a workspace filled up to this very millisecond would be
    another one at each run. ``size`` is what ``build_world`` takes.
    """
    return build_world(now=monday(), clock=clock, **size)  # type: ignore[arg-type]
