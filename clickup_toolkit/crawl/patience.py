"""How often to insist on questions that fail, and how often to doubt the token."""

from __future__ import annotations

import asyncio

__all__ = ["Doubt", "Patience"]

BREAKS_AFTER = 3
"""Questions to one route that may be insisted on in vain before each gets one try, until one is answered."""
_MOST = 12
_UNDOUBTED = 10


class Patience:
    """Who may insist on a question that failed, of all that go to one route.

    Insisting in vain costs a life, an answer gives one. So a route that is broken for good costs a bounded
    number of tries, however many ask at the same time, and a few things that are broken for good on a route
    that answers do not keep the others from being insisted on.
    """

    def __init__(self) -> None:
        self._lives = BREAKS_AFTER
        self._insisting = 0
        self._changed = asyncio.Event()

    async def turn(self) -> bool:
        """Wait for a turn to insist, which :meth:`ended` gives back; False: there is none to be had."""
        while self._lives and self._insisting >= self._lives:
            self._changed.clear()
            await self._changed.wait()
        self._insisting += bool(self._lives)
        return bool(self._lives)

    def ended(self, *, in_vain: bool) -> None:
        """Give a turn back."""
        self._insisting -= 1
        self._lives -= in_vain
        self._changed.set()

    def answered(self) -> None:
        """Take heart: the route answers."""
        self._lives = min(self._lives + 1, _MOST)
        self._changed.set()


class Doubt:
    """When to check the token: after refusals in a row that may mean the token as well as a wrong id."""

    def __init__(self) -> None:
        self._left = 0

    def settled(self) -> None:
        """Note that the token is good: ClickUp answered."""
        self._left = _UNDOUBTED

    def arises(self) -> bool:
        """Count a refusal; tell whether it is time to check the token."""
        self._left -= 1
        return self._left < 0
