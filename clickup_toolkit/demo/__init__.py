"""A synthetic ClickUp: a believable workspace behind a real HTTP server, to try everything against.

:func:`build_world` makes the workspace, :class:`DemoServer` serves it, :meth:`World.ledger` tells what an
export of it must hold. ``python -m clickup_toolkit.demo`` runs it as a process of its own.
"""

from __future__ import annotations

from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.demo.build import build_world
from clickup_toolkit.demo.drift import ALL_CHANGES, VISIBLE_CHANGES, Changes
from clickup_toolkit.demo.faults import Fault
from clickup_toolkit.demo.fields import UNSET
from clickup_toolkit.demo.ledger import Ledger
from clickup_toolkit.demo.server import DemoServer
from clickup_toolkit.demo.world import World

__all__ = [
    "ALL_CHANGES",
    "UNSET",
    "VISIBLE_CHANGES",
    "Behaviour",
    "Changes",
    "DemoServer",
    "Fault",
    "Ledger",
    "World",
    "build_world",
]
