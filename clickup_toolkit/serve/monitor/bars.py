"""How long the last runs took, as bars to look at: one glance shows a run that is not like the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clickup_toolkit.serve.runs import Run
from clickup_toolkit.serve.words import duration

__all__ = ["Bar", "bars_of"]

_MOST = 40
_LEAST_HEIGHT = 3  # of 100: a run of a second beside one of hours is still to be seen


class Bar(NamedTuple):
    """A run: its height in percent of the longest, how it went, and what it says when pointed at."""

    height: float
    tone: str
    title: str


def bars_of(runs: Sequence[Run]) -> list[Bar]:
    """Return a bar for each of the last runs that ended, oldest first; none where there is but one."""
    ended = [run for run in runs if run.seconds is not None][:_MOST]
    if len(ended) < 2:
        return []
    longest = max(run.seconds or 0.0 for run in ended) or 1.0
    return [
        Bar(
            round(max(_LEAST_HEIGHT, 100 * (run.seconds or 0.0) / longest), 1),
            run.tone,
            f"{run.title}: {run.state}, {duration((run.seconds or 0.0) * 1000)}",
        )
        for run in reversed(ended)
    ]
