"""What the times of a task say: lead and cycle time, age, time in the current status, tracked time.

The formulas follow ClickUp's own reports:

- **Lead time** runs from the creation of a task to its completion: ``date_done``, or ``date_closed`` where
  ClickUp sends no ``date_done``. A task is complete while its status is of type done or closed.
- **Cycle time** runs from when the task entered an active status (type ``custom``) to its completion. A task
  that never was in an active status has none. The API sums times by status and tells one instant for each
  (``since``), not every change: the start is the earliest of these instants, which is exact unless the task
  went back to its first active status, when ClickUp may tell the later entry.
- **Age** of a task that is not complete runs from its creation to ``as_of``.
- **Time in the current status** is ClickUp's own sum, in whole minutes. It goes on growing after ClickUp
  answered; it counts up to ``as_of``. A task that was read later than its time in status, and unchanged,
  has stayed in its status until then. The figure is left out when the time in status was read at another
  status than the task.
- **Tracked time** is summed over the exported time entries; a running timer counts 0 until it is stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clickup_toolkit.records import TimeInStatus

__all__ = ["ANALYTICS", "Effort", "Flow", "Measure", "flow"]

COMPLETE = frozenset({"done", "closed"})
"""ClickUp's types of statuses in which a task is complete."""

ACTIVE = "custom"
"""ClickUp's type of statuses in which a task is worked on."""


class Measure(NamedTuple):
    """A name in a task's ``analytics``; ``as_of`` is true where the figure counts up to ``as_of``."""

    meaning: str
    unit: str = ""
    as_of: bool = False


ANALYTICS: dict[str, Measure] = {
    "space_name": Measure("Name of the space"),
    "folder_name": Measure("Name of the folder; null in a folderless list"),
    "list_name": Measure("Name of the home list"),
    "status": Measure("Current status"),
    "status_type": Measure("ClickUp's type of it: open, custom (active), done or closed"),
    "status_since": Measure("Since when the task has been in its current status", "time"),
    "status_ms": Measure("Time in the current status", "ms", True),
    "lead_time_ms": Measure("From creation to completion; null while the task is not complete", "ms"),
    "cycle_started": Measure("When it entered an active status, as far as ClickUp's sums tell", "time"),
    "cycle_time_ms": Measure("From cycle_started to completion; null while not complete", "ms"),
    "age_ms": Measure("From creation to as_of; null when the task is complete", "ms", True),
    "time_estimate_ms": Measure("Estimate", "ms"),
    "time_spent_ms": Measure("Tracked time as ClickUp sums it", "ms"),
    "tracked_ms": Measure("Tracked time, summed over time_summary; running timers count 0", "ms"),
    "tracked_billable_ms": Measure("Its billable part", "ms"),
    "tracked_entries": Measure("Number of time entries"),
    "as_of": Measure("Instant up to which the figures that go on growing count", "time", True),
    "statuses": Measure(
        "Each status the task has been in, by when it entered it: `status`, `type`, `total_ms`, `share` of "
        "the whole time in statuses (0 to 1), `since`, and whether it is the `current` one",
        as_of=True,
    ),
    "tracked_by_member": Measure(
        "Tracked time of each person: `member_id`, `username`, `tracked_ms`, `billable_ms`, `entries`"
    ),
    "remaining_ms": Measure(
        "Estimate less tracked time, below 0 when over it; null without an estimate", "ms"
    ),
    "missing_ms": Measure(
        "Tracked time that ClickUp counts and the export does not hold; 0 where they agree", "ms"
    ),
}
"""The names in a task's ``analytics`` and what they mean, in their order."""


class Effort(NamedTuple):
    """Tracked time of a task, summed over its entries."""

    tracked_ms: int = 0
    billable_ms: int = 0
    entries: int = 0


class Flow(NamedTuple):
    """The times of a task on its way; instants and durations in ms."""

    status_since: int | None
    status_ms: int | None
    lead_time_ms: int | None
    cycle_started: int | None
    cycle_time_ms: int | None
    age_ms: int | None
    as_of: int


def flow(
    status: str | None,
    status_type: str | None,
    created: int | None,
    updated: int | None,
    done: int | None,
    statuses: Sequence[TimeInStatus],
    received: int,
) -> Flow:
    """Return the times of a task; the module's docstring tells the formulas.

    ``done`` is when the task was completed, if ClickUp tells; ``statuses`` are its rows of time in status;
    ``received`` is when the task was read.
    """
    summed = (statuses[0].as_of if statuses else None) or received
    since_then = max(received - summed, 0) if updated is None or updated <= summed else 0
    as_of = summed + since_then
    current = next((row for row in statuses if row.current), None)
    if current is not None and (status is None or current.status.casefold() != status.casefold()):
        current = None
    complete = status_type in COMPLETE
    completed = done if complete else None
    started = min((row.since for row in statuses if row.status_type == ACTIVE and row.since), default=None)
    return Flow(
        status_since=current.since if current else None,
        status_ms=current.total_ms + since_then if current else None,
        lead_time_ms=_between(created, completed),
        cycle_started=started,
        cycle_time_ms=_between(started, completed),
        age_ms=None if complete else _between(created, as_of),
        as_of=as_of,
    )


def _between(start: int | None, end: int | None) -> int | None:
    """Return the time between two instants; None where one is missing or the order is wrong."""
    return None if start is None or end is None or end < start else end - start
