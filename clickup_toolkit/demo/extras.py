"""Goals, docs and groups: few, made when asked, the same every time."""

from __future__ import annotations

from typing import NamedTuple

from clickup_toolkit.demo.ids import mix
from clickup_toolkit.demo.model import DAY, Person
from clickup_toolkit.demo.state import State

__all__ = ["Doc", "Goal", "KeyResult", "Page", "docs", "goals", "group_members"]


class KeyResult(NamedTuple):
    """A measured target of a goal."""

    id: str
    name: str
    unit: str
    steps: int
    reached: int


class Goal(NamedTuple):
    """A goal; ``folder`` is the id of the folder it lies in, or None."""

    id: str
    name: str
    number: int
    folder: str | None
    created: int
    due: int
    key_results: tuple[KeyResult, ...]

    @property
    def share_done(self) -> float:
        """Part of the key results that is reached, 0 to 1."""
        return sum(result.reached / result.steps for result in self.key_results) / max(
            1, len(self.key_results)
        )

    @property
    def completed(self) -> bool:
        """Whether all key results are reached; such goals are listed only when asked for."""
        return bool(self.key_results) and all(result.reached == result.steps for result in self.key_results)


class Page(NamedTuple):
    """A page of a doc, with the pages below it."""

    id: str
    name: str
    content: str
    pages: tuple[Page, ...] = ()


class Doc(NamedTuple):
    """A doc; ``archived`` and ``deleted`` ones are told only when asked for."""

    id: str
    name: str
    created: int
    archived: bool
    deleted: bool
    pages: tuple[Page, ...]


GOAL_FOLDER = "b1d0c5a2-3f10-4e55-9a54-0d2b6a1f7c11"

_REACHED = "No more paper tickets"
_GOALS = (
    ("Boarding in half the time", None, (("Kiosks live", "ports", 8), ("Boarding time", "minutes", 6))),
    ("Operators answer for themselves", None, (("Tickets per sailing", "tickets", 40),)),
    ("Season 2026 without an outage", GOAL_FOLDER, (("Quiet days", "days", 90), ("Drills", "drills", 4))),
    ("Grow in the Aegean 🚢", GOAL_FOLDER, ()),
    (_REACHED, GOAL_FOLDER, (("Tills replaced", "tills", 12),)),
)  # fmt: skip
_DOCS = (
    "Handbook",
    "How we ship",
    "Tariffs explained",
    "Onboarding of operators",
    "Post-mortems",
    "会社案内",
)


def _uuid(*numbers: int) -> str:
    digits = f"{mix(*numbers):016x}{mix(*numbers, 1):016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def goals(world: State) -> list[Goal]:
    """Return all goals."""
    made = []
    for order, (name, folder, targets) in enumerate(_GOALS):
        results = tuple(
            KeyResult(
                _uuid(world.seed, 41, order, place),
                title,
                unit,
                steps,
                steps if name == _REACHED else mix(order, place) % (steps + 1),
            )
            for place, (title, unit, steps) in enumerate(targets)
        )
        created = world.born_at - (200 - 30 * order) * DAY
        made.append(
            Goal(_uuid(world.seed, 40, order), name, order + 1, folder, created, created + 300 * DAY, results)
        )
    return made


def docs(world: State) -> list[Doc]:
    """Return all docs, archived and deleted ones too."""
    made = []
    for order in range(26):
        id_ = f"8cky6{order:02}-{1000 + order * 7}"
        last = Page(f"{id_}-3", "Open questions", "")
        below = Page(
            f"{id_}-2",
            "Details",
            "Written down so that nobody has to ask.\n\n* one\n* two",
            (last,) if order % 5 == 1 else (),
        )
        top = Page(
            f"{id_}-1", _DOCS[order % 6], "# Why\n\nBecause boats do not wait.", (below,) if order % 2 else ()
        )
        name = f"{_DOCS[order % 6]} {order // 6 + 1}"
        made.append(Doc(id_, name, world.born_at - order * 9 * DAY, order % 9 == 5, order % 13 == 7, (top,)))
    return made


def group_members(world: State) -> list[Person]:
    """Return the people of the one user group."""
    return [person for place, person in enumerate(world.present_people) if place % 4 == 1]
