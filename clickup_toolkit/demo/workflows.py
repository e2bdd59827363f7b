"""How each kind of team works: its statuses, how long work stays in them, and where it goes next.

The story that charts should tell is written here: reviews are slow, blocked work waits long, and QA, which
was quick until a few months ago, has become the bottleneck.
"""

from __future__ import annotations

from dataclasses import dataclass

from clickup_toolkit.demo.ids import mix
from clickup_toolkit.demo.model import Status

__all__ = ["WORKFLOWS", "Stage", "make_former_statuses", "make_statuses"]


@dataclass(frozen=True)
class Stage:
    """A status and what happens in it.

    ``days`` is the median of the work itself, ``spread`` its sigma (log-normal). ``load`` says how busy the
    people of the stage are (0: nobody has to be free); ``growth`` multiplies the work over the last months.
    ``next`` lists (probability, stage); ``stays`` is the part that never leaves. ``former`` is the name
    that the status had before the workspace renamed it by deleting it.
    """

    name: str
    type: str
    color: str
    days: float
    spread: float
    next: tuple[tuple[float, str], ...] = ()
    load: float = 0.0
    growth: float = 1.0
    stays: float = 0.0
    former: str | None = None


WORKFLOWS: dict[str, tuple[Stage, ...]] = {
    "engineering": (
        Stage("to do", "open", "#87909e", 5.0, 1.2, ((0.05, "shipped"), (0.95, "in progress")), stays=0.05),
        Stage("in progress", "custom", "#5f55ee", 1.8, 0.8,
              ((0.14, "blocked"), (0.03, "shipped"), (0.83, "in review")), load=0.75),
        Stage("blocked", "custom", "#d33d44", 8.0, 0.9, ((1.0, "in progress"),)),
        Stage("in review", "custom", "#f8ae00", 2.9, 0.7, ((0.22, "in progress"), (0.78, "in QA")),
              load=0.9, former="code review"),
        Stage("in QA", "custom", "#4466ff", 0.8, 0.7, ((0.12, "in progress"), (0.88, "ready to ship")),
              load=0.7, growth=2.4),
        Stage("ready to ship", "done", "#0f9d9f", 1.5, 0.6, ((1.0, "shipped"),), stays=0.03),
        Stage("shipped", "closed", "#008844", 30.0, 0.5, ((0.02, "in progress"),), stays=0.98),
    ),
    "bugs": (
        Stage("new", "open", "#87909e", 0.8, 1.0, ((0.12, "closed"), (0.88, "triage")), stays=0.03),
        Stage("triage", "custom", "#b660e0", 0.6, 0.9, ((0.15, "closed"), (0.85, "fixing"))),
        Stage("fixing", "custom", "#5f55ee", 1.1, 0.9, ((0.1, "blocked"), (0.9, "in review")), load=0.7),
        Stage("blocked", "custom", "#d33d44", 6.0, 0.9, ((1.0, "fixing"),)),
        Stage("in review", "custom", "#f8ae00", 2.2, 0.7, ((0.18, "fixing"), (0.82, "in QA")), load=0.9),
        Stage("in QA", "custom", "#4466ff", 0.5, 0.7, ((0.12, "fixing"), (0.88, "closed")),
              load=0.7, growth=2.4),
        Stage("closed", "closed", "#008844", 20.0, 0.5, ((0.04, "fixing"),), stays=0.96),
    ),
    "design": (
        Stage("brief", "open", "#87909e", 4.0, 1.1, ((0.08, "closed"), (0.92, "designing")), stays=0.07),
        Stage("designing", "custom", "#e16b16", 3.2, 0.7, ((1.0, "feedback"),), load=0.7),
        Stage("feedback", "custom", "#f8ae00", 4.5, 0.8, ((0.35, "designing"), (0.65, "approved")), load=0.8),
        Stage("approved", "done", "#0f9d9f", 9.0, 0.6, ((1.0, "closed"),), stays=0.3),
        Stage("closed", "closed", "#008844", 1.0, 0.5, stays=1.0),
    ),
    "marketing": (
        Stage("idea", "open", "#87909e", 9.0, 1.2, ((0.2, "published"), (0.8, "drafting")), stays=0.12),
        Stage("drafting", "custom", "#ee5e99", 2.5, 0.8, ((1.0, "waiting for approval"),), load=0.7),
        Stage("waiting for approval", "custom", "#f8ae00", 5.5, 0.8,
              ((0.25, "drafting"), (0.75, "scheduled")), load=0.85),
        Stage("scheduled", "custom", "#1090e0", 4.0, 0.6, ((1.0, "published"),)),
        Stage("published", "closed", "#008844", 1.0, 0.5, stays=1.0),
    ),
    "support": (
        Stage("Open", "open", "#d3d3d3", 0.3, 0.9, ((1.0, "in progress"),), stays=0.01),
        Stage("in progress", "custom", "#a875ff", 0.5, 0.9,
              ((0.4, "waiting on customer"), (0.12, "escalated"), (0.48, "solved")), load=0.75,
              former="working"),
        Stage("waiting on customer", "custom", "#ff7800", 3.0, 1.0, ((0.5, "in progress"), (0.5, "solved"))),
        Stage("escalated", "custom", "#d33d44", 6.5, 0.8, ((1.0, "in progress"),), load=0.85),
        Stage("solved", "done", "#2ecd6f", 5.0, 0.3, ((0.08, "in progress"), (0.92, "Closed"))),
        Stage("Closed", "closed", "#6bc950", 1.0, 0.5, stays=1.0),
    ),
    "operations": (
        Stage("to do", "open", "#87909e", 6.0, 1.1, ((0.1, "complete"), (0.9, "doing")), stays=0.06),
        Stage("doing", "custom", "#5f55ee", 2.5, 0.9, ((0.25, "on hold"), (0.75, "complete"))),
        Stage("on hold", "custom", "#f8ae00", 14.0, 0.9, ((1.0, "doing"),)),
        Stage("complete", "closed", "#008844", 1.0, 0.5, stays=1.0),
    ),
    "data": (
        Stage("to do", "open", "#87909e", 7.0, 1.1, ((0.06, "complete"), (0.94, "in progress")), stays=0.06),
        Stage("in progress", "custom", "#5f55ee", 2.6, 0.8, ((0.1, "blocked"), (0.9, "review")), load=0.75),
        Stage("blocked", "custom", "#d33d44", 9.0, 0.8, ((1.0, "in progress"),)),
        Stage("review", "custom", "#f8ae00", 3.0, 0.7, ((0.15, "in progress"), (0.85, "complete")),
              load=0.85),
        Stage("complete", "closed", "#008844", 1.0, 0.5, stays=1.0),
    ),
}  # fmt: skip

_SUFFIX = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def make_statuses(kind: str, owner: str, first: int) -> tuple[Status, ...]:
    """Return the statuses of ``owner`` (``p<space>`` or ``sc<list>``), numbered from ``first``."""
    return tuple(
        Status(first + order, _status_id(owner, order), stage.name, stage.type, stage.color, order)
        for order, stage in enumerate(WORKFLOWS[kind])
    )


def make_former_statuses(kind: str, owner: str, first: int) -> dict[str, Status]:
    """Return the deleted statuses of a workflow by the name of the status that took their place."""
    renamed = [stage for stage in WORKFLOWS[kind] if stage.former]
    return {
        stage.name: Status(
            first + order, _status_id(owner, 50 + order), stage.former or "", stage.type, None, None
        )
        for order, stage in enumerate(renamed)
    }


def _status_id(owner: str, order: int) -> str:
    draws = (mix(hash_text(owner), order, place) for place in range(8))
    return f"{owner}_" + "".join(_SUFFIX[draw % len(_SUFFIX)] for draw in draws)


def hash_text(text: str) -> int:
    """Return a number that stands for the text, the same in every process."""
    return int.from_bytes(text.encode()[-8:], "big")
