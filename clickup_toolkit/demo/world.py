"""The workspace: its state, and everything that can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from clickup_toolkit.demo.drift import VISIBLE_CHANGES, drift
from clickup_toolkit.demo.editing import Editing
from clickup_toolkit.demo.ledger import Ledger, make_ledger

__all__ = ["World"]


class World(Editing):
    """A synthetic ClickUp workspace. Made by :func:`clickup_toolkit.demo.build_world`."""

    def ledger(self) -> Ledger:
        """Return what an export must hold, as of now."""
        return make_ledger(self)

    def drift(self, rng: Random, count: int, kinds: Sequence[str] = VISIBLE_CHANGES) -> list[str]:
        """Make ``count`` random changes of these kinds; return what happened, a line each."""
        return drift(self, rng, count, kinds)
