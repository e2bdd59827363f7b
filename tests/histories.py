"""A builder of small histories that reads like a story, for the tests of measures, charts and notebooks.

::

    story = Story(now="2026-11-23 10:00")
    story.list("App", "to do (open) > doing > review > shipped (closed)")
    story.task("Login", "App", "to do 2d > doing 3d > review 5d")            # in review for 5 days now
    story.task("Logout", "App", "to do 1d > doing 1d > shipped 7d")          # shipped a week ago
"""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clickup_toolkit import records
from clickup_toolkit.records import TABLES

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST = "20000101T000000Z"  # the version of the export that observation began with

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
_ARROW = {
    "TEXT": pa.string(),
    "JSON": pa.string(),
    "INTEGER": pa.int64(),
    "REAL": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DURATION": pa.int64(),
    "TIMESTAMP": pa.timestamp("ms", tz="UTC"),
}
_COLORS = {
    "to do": "#87909e",
    "doing": "#5f55ee",
    "review": "#f8ae00",
    "blocked": "#d33d44",
    "shipped": "#008844",
}


class Stay(NamedTuple):
    """A visit of a status."""

    status: str
    ms: int


class Story:
    """A workspace in the making. Ids are the lower-cased names; ``now`` is when the export was made."""

    def __init__(self, now: str = "2026-11-23 10:00") -> None:
        self.now = datetime.fromisoformat(now).replace(tzinfo=UTC)
        self.rows: dict[str, list[Any]] = {name: [] for name in TABLES}
        self.rows["workspaces"].append(records.Workspace("9001", "Acme", "#5f55ee", "Business"))
        self._workflow: dict[tuple[str, str], tuple[str, int]] = {}
        self._lists: dict[str, tuple[str, str | None]] = {}
        self._visits: list[tuple[str, str, list[Stay], list[int]]] = []

    def list(self, path: str, workflow: str, *, space: str = "Product", ids: str = "") -> Story:
        """Add a list, ``Folder/List`` or ``List``, with its statuses in order.

        ``ids`` is what the ids of its statuses begin with; lists that inherit them have the same.
        """
        folder, _, name = path.rpartition("/")
        list_id = path.lower()
        self._lists[path] = (space, folder or None)
        if not any(row.name == space for row in self.rows["spaces"]):
            self.rows["spaces"].append(records.Space(space.lower(), space))
        self.rows["lists"].append(
            records.List(list_id, name, space.lower(), folder.lower() if folder else None)
        )
        for order, word in enumerate(workflow.split(" > ")):
            status, kind = re.fullmatch(r"\s*(.*?)\s*(?:\((\w+)\))?\s*", word).groups()  # type: ignore[union-attr]
            self._workflow[list_id, status] = (kind or "custom", order)
            status_id = f"{ids}_{status}" if ids else None
            self.rows["statuses"].append(
                records.Status(list_id, status, kind or "custom", order, _COLORS.get(status), status_id)
            )
        return self

    def task(
        self,
        name: str,
        in_list: str,
        history: str,
        *,
        told: str = "0m",
        assignees: tuple[str, ...] = (),
        tags: tuple[str, ...] = (),
        **facts: Any,
    ) -> Story:
        """Add a task with its visits, the last one still lasting at ``now``.

        ClickUp ``told`` the sums that long before ``now``; the visits are those up to then.
        """
        home, folder = self._lists[in_list]
        list_id = in_list.lower()
        visits = [_stay(word) for word in history.split(" > ")]
        as_of = int(self.now.timestamp() * 1000) - _ms(told)
        starts = _starts(visits, as_of)
        current = visits[-1].status
        kind, _ = self._workflow[list_id, current]
        finished = kind in ("done", "closed")
        first_left = next((s for s, v in zip(starts, visits, strict=True) if self._started(list_id, v)), None)
        task_id = name.lower()
        task = records.Task(
            id=task_id,
            name=name,
            status=current,
            status_type=kind,
            status_color=_COLORS.get(current),
            space_id=home.lower(),
            space_name=home,
            folder_id=folder.lower() if folder else None,
            folder_name=folder,
            list_id=list_id,
            list_name=in_list.rpartition("/")[2],
            date_created=starts[0],
            date_done=starts[-1] if finished else None,
            date_closed=starts[-1] if kind == "closed" else None,
            status_since=starts[-1],
            status_ms=visits[-1].ms,
            lead_time_ms=starts[-1] - starts[0] if finished else None,
            cycle_started=first_left,
            cycle_time_ms=starts[-1] - first_left if finished and first_left else None,
            age_ms=None if finished else as_of - starts[0],
            as_of=as_of,
            url=f"https://app.clickup.com/t/{task_id}",
        )._replace(**facts)
        self.rows["tasks"].append(task)
        self._visits.append((task_id, list_id, visits, starts))
        self.rows["time_in_status"] += self._sums(task, visits, starts)
        for member in assignees:
            self.member(member)
            self.rows["task_assignees"].append(records.TaskAssignee(task_id, member.lower()))
        for tag in tags:
            self.rows["task_tags"].append(records.TaskTag(task_id, tag))
        return self

    def watched(self, since: str) -> Story:
        """Note the changes that exports saw, so many that none escaped, from that long before now on."""
        now = int(self.now.timestamp() * 1000)
        begun = now - _ms(since)
        self.rows["exports"].append(records.Export(FIRST, begun, begun))
        for task_id, list_id, visits, starts in self._visits:
            before: str | None = None
            for visit, start in zip(visits, starts, strict=True):
                if start > begun and visit.status != before:
                    kind = self._workflow[list_id, before][0] if before else None
                    self.rows["status_changes"].append(
                        records.StatusChange(
                            task_id=task_id,
                            changed_by=start + MINUTE,
                            from_status=before,
                            from_type=kind,
                            to_status=visit.status,
                            to_type=self._workflow[list_id, visit.status][0],
                            changed_after=start - MINUTE,
                            changed_at=start,
                            list_id=list_id,
                        )
                    )
                before = visit.status
        return self

    def tracked(self, task: str | None, who: str | None, begun: str, length: str, **facts: Any) -> Story:
        """Add a time entry that began that long before now."""
        start = int(self.now.timestamp() * 1000) - _ms(begun)
        entry = records.TimeEntry(
            id=f"e{len(self.rows['time_entries'])}",
            task_id=task.lower() if task else None,
            member_id=who.lower() if who else None,
            start=start,
            end=start + _ms(length),
            duration_ms=_ms(length),
        )._replace(**facts)
        self.rows["time_entries"].append(entry)
        return self

    def member(self, name: str) -> Story:
        """Add a person, once."""
        if not any(row.username == name for row in self.rows["members"]):
            self.rows["members"].append(records.Member(name.lower(), name))
        return self

    def gap(self, what: str, message: str) -> Story:
        """Note that something could not be read."""
        self.rows["gaps"].append(records.Gap(what, "", "TIS_027", message, "Ask for another plan."))
        return self

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as the workspace reads it from Parquet."""
        return self.arrow(name).to_pandas()

    def arrow(self, name: str) -> pa.Table:
        """Return a table typed as in the Parquet files."""
        columns = TABLES[name].columns
        fields = [pa.field(column.name, _ARROW[column.type]) for column in columns]
        rows = [dict(zip([c.name for c in columns], row, strict=True)) for row in self.rows[name]]
        for row in rows:
            row |= {
                c.name: bool(row[c.name]) for c in columns if c.type == "BOOLEAN" and row[c.name] is not None
            }
        return pa.Table.from_pylist(rows, pa.schema(fields))

    def write(self, data_dir: Path) -> Path:
        """Write the Parquet files of an export made at ``now``; return ``data_dir``."""
        now = int(self.now.timestamp() * 1000)
        self.rows["exports"] = [
            *(row for row in self.rows["exports"] if row.version == FIRST),
            records.Export(
                version=self.now.strftime("%Y%m%dT%H%M%SZ"),
                started=now - 3 * MINUTE,
                finished=now,
                complete=not self.rows["gaps"],
                tasks=len(self.rows["tasks"]),
                gaps=len(self.rows["gaps"]),
            ),
        ]
        for name in TABLES:
            folder = data_dir / "parquet" / name
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(self.arrow(name), folder / "part-0.parquet", compression="zstd")
        return data_dir

    def _started(self, list_id: str, visit: Stay) -> bool:
        return self._workflow[list_id, visit.status][0] == "custom"

    def _sums(self, task: records.Task, visits: list[Stay], starts: list[int]) -> list[records.TimeInStatus]:
        sums: dict[str, int] = {}
        since: dict[str, int] = {}
        for visit, start in zip(visits, starts, strict=True):
            sums[visit.status] = sums.get(visit.status, 0) + visit.ms
            since[visit.status] = start
        return [
            records.TimeInStatus(
                task_id=task.id,
                position=position,
                status=status,
                status_type=self._workflow[str(task.list_id), status][0],
                orderindex=self._workflow[str(task.list_id), status][1],
                color=_COLORS.get(status),
                total_ms=sums[status],
                since=since[status],
                current=status == task.status,
                share=sums[status] / max(sum(sums.values()), 1),
                as_of=task.as_of,
            )
            for position, status in enumerate(sorted(sums, key=lambda word: since[word]))
        ]


def believable(tasks: int = 600, seed: int = 7) -> Story:
    """Return a product company whose reviews are slow and whose blocked queue grows."""
    story = Story()
    plans = {
        ("Mobile app", "Product"): ("to do (open) > doing > review > shipped (closed)", (8, 3, 7)),
        ("Website", "Product"): ("to do (open) > doing > review > shipped (closed)", (5, 2, 1.5)),
        ("Core/Platform", "Engineering"): (
            "backlog (open) > selected > doing > review > blocked > deployed (done)",
            (20, 2, 4, 3, 6),
        ),
        ("Core/Incidents", "Engineering"): ("new (open) > investigating > fixed (closed)", (0.05, 0.6)),
        ("Design requests with a rather long name", "Design"): (
            "requested (open) > sketching > waiting for feedback > delivered (closed)",
            (6, 4, 9),
        ),
    }
    chance = random.Random(seed)
    places = list(plans)
    for path, space in places:
        story.list(path, plans[path, space][0], space=space)
    for number in range(tasks):
        place = chance.choices(places, weights=(5, 4, 6, 3, 2))[0]
        workflow, usual = plans[place]
        story.task(f"{_WORDS[number % len(_WORDS)]} {number}", place[0], _walk(chance, workflow, usual))
    return story


def _walk(chance: random.Random, workflow: str, usual: tuple[float, ...]) -> str:
    statuses = [re.sub(r"\s*\(\w+\)", "", word).strip() for word in workflow.split(" > ")]
    left = chance.uniform(1, 200)
    walk = []
    for status, days in zip(statuses, usual, strict=False):
        stay = chance.lognormvariate(0, 0.9) * days
        if left <= stay:
            return " > ".join([*walk, f"{status} {left:.4f}d"])
        walk.append(f"{status} {stay:.4f}d")
        left -= stay
    return " > ".join([*walk, f"{statuses[-1]} {left:.4f}d"])


_WORDS = (
    "Checkout",
    "Search",
    "Login",
    "Invoice",
    "Export",
    "Onboarding",
    "Push message",
    "Dark mode",
    "Cache",
)


def _stay(word: str) -> Stay:
    status, length = word.strip().rsplit(" ", 1)
    return Stay(status, _ms(length))


def _ms(length: str) -> int:
    return round(float(length[:-1]) * _UNITS[length[-1]])


def _starts(visits: list[Stay], end: int) -> list[int]:
    starts = []
    for visit in reversed(visits):
        end -= visit.ms
        starts.append(end)
    return starts[::-1]


def ago(story: Story, length: str) -> pd.Timestamp:
    """Return the instant that lies so long before the story's now."""
    return pd.Timestamp(story.now - timedelta(milliseconds=_ms(length)))
