"""The workspace: its state, and everything that can be done with it."""

from __future__ import annotations

from clickup_toolkit.demo.state import State

__all__ = ["World"]


class World(State):
    """A synthetic ClickUp workspace. Made by :func:`clickup_toolkit.demo.build_world`."""
