"""The tables narrowed to what the filters say, and put to the measures: the same that notebooks ask.

What belongs is what ``Workspace.filter`` takes: tasks of the places and types, assigned to the members; in a
period, finished tasks by when they were done and unfinished ones made by its end.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from clickup_toolkit import analyse
from clickup_toolkit.analyse.basis import Mask, is_finished, milliseconds, positions
from clickup_toolkit.serve.dashboards.filters import Filters
from clickup_toolkit.serve.dashboards.source import Source

__all__ = ["Narrowed"]

_ONLY_FOR = {"priority": "priority", "task_type_id": "task_type"}


class Narrowed:
    """A source narrowed to filters, and how it asks the measures. ``now`` is when the export was finished."""

    def __init__(
        self, source: Source, filters: Filters, now: datetime, settings: analyse.Configuration
    ) -> None:
        self.source = source
        self.filters = filters
        self.now = now
        self.settings = settings
        self.since = filters.since(now, settings.tz)
        self.until = filters.until(now, settings.tz)
        self._rows: dict[tuple[str, bool], Mask | None] = {}
        self._told: dict[object, pd.DataFrame] = {}

    def ask(self, measure: str, *, by: str = "", of_period: bool = False, **how: Any) -> pd.DataFrame:
        """Return what a measure of :mod:`clickup_toolkit.analyse` says of the tasks that are meant.

        ``of_period`` leaves out the tasks that were finished outside the period, and those that were made
        after it. Settings are passed on to a measure that takes them. What was asked before is not computed
        again.
        """
        asked = (measure, by, of_period, *sorted(how.items()))
        if asked not in self._told:
            self._told[asked] = self._compute(measure, by, of_period, how)
        return self._told[asked]

    def _compute(self, measure: str, by: str, of_period: bool, how: dict[str, Any]) -> pd.DataFrame:
        function = getattr(analyse, measure)
        takes = inspect.signature(function).parameters
        given = dict(how)
        for name in ("cycle", "tz", "waiting", "blocked", "stale_days"):
            if name in takes:
                given.setdefault(name, getattr(self.settings, name))
        if by:
            given["by"] = self._grouping(by, of_period)
        tables = {
            name: self.table(name, [c for c in columns if _ONLY_FOR.get(c, by) == by], of_period=of_period)
            for name, columns in analyse.COLUMNS[measure].items()
            if not self._can_do_without(name, takes)
        }
        told: pd.DataFrame = function(**tables, now=self.now, **given)
        return told

    def table(self, name: str, columns: Sequence[str] = (), *, of_period: bool = False) -> pd.DataFrame:
        """Return columns of a table, and of its rows those that are meant."""
        frame = self.source.columns(name, columns)
        keep = self._keep(name, of_period)
        return frame if keep is None else frame[keep].reset_index(drop=True)

    def _can_do_without(self, table: str, takes: Any) -> bool:
        """Tell whether ClickUp's own rule tells the start, so that the stays need not be read for it."""
        return (
            table == "time_in_status"
            and takes[table].default is None
            and self.settings.cycle == analyse.CLICKUP_RULE
        )

    def _grouping(self, by: str, of_period: bool) -> str | analyse.Grouping:
        if by == "member":
            tasks = self.table("tasks", ("id",), of_period=of_period)
            assigned = self.source.columns("task_assignees", ("task_id", "member_id"))
            people = self.source.columns("members", ("id", "username", "email"))
            return analyse.by_member(tasks, assigned, people)
        if by == "tag":
            tasks = self.table("tasks", ("id",), of_period=of_period)
            return analyse.by_tag(tasks, self.source.columns("task_tags", ("task_id", "tag")))
        if by == "task_type":
            tasks = self.table("tasks", ("id", "task_type_id"), of_period=of_period)
            return analyse.by_task_type(tasks, self.source.columns("task_types", ("id", "name")))
        return by

    def _keep(self, table: str, of_period: bool) -> Mask | None:
        if (table, of_period) not in self._rows:
            self._rows[table, of_period] = self._found(table, of_period)
        return self._rows[table, of_period]

    def _found(self, table: str, of_period: bool) -> Mask | None:
        """Tell which rows of a table are meant; None is all."""
        of_period = of_period and (self.since is not None or self.until is not None)
        if table == "time_entries":
            return self._entries(of_period)
        if table != "tasks":
            return None  # measures look at the rows of the tasks that they are given
        keep = self._placed() & self._assigned()
        return keep & self._in_period() if of_period else keep

    def _placed(self) -> Mask:
        tasks = self.source.columns("tasks", ("space_id", "list_id", "task_type_id"))
        keep = np.ones(len(tasks), dtype=bool)
        for kind in ("space", "list"):
            if self.filters.chosen(kind):
                keep &= tasks[f"{kind}_id"].isin(self.filters.chosen(kind)).to_numpy()
        if self.filters.type:
            kinds = tasks["task_type_id"].fillna(0).astype("int64").astype("str")
            keep &= kinds.isin(self.filters.type).to_numpy()
        return keep

    def _assigned(self) -> Mask:
        tasks = self.source.columns("tasks", ("id",))
        if not self.filters.member:
            return np.ones(len(tasks), dtype=bool)
        rows = self.source.columns("task_assignees", ("task_id", "member_id"))
        theirs = rows["member_id"].isin(self.filters.member)
        return positions(tasks["id"], rows["task_id"][theirs]) >= 0

    def _in_period(self) -> Mask:
        """Tell which tasks were done in the period, or are not done and were made by its end."""
        tasks = self.source.columns("tasks", ("status_type", "date_created", "date_done", "date_closed"))
        finished = is_finished(tasks)
        done = milliseconds(tasks["date_done"].fillna(tasks["date_closed"]))
        keep = np.ones(len(tasks), dtype=bool)
        if self.since:
            keep &= ~finished | (done >= self.since.timestamp() * 1000)
        if self.until:
            made = milliseconds(tasks["date_created"])
            keep &= np.where(finished, done, made) <= self.until.timestamp() * 1000
        return keep

    def _entries(self, of_period: bool) -> Mask:
        """Tell which time entries are meant: on its tasks, by its members, begun in its period."""
        entries = self.source.columns("time_entries", ("task_id", "member_id", "start"))
        keep = np.ones(len(entries), dtype=bool)
        if any(self.filters.chosen(kind) for kind in ("space", "list", "type")):
            tasks = self.source.columns("tasks", ("id",))["id"][self._placed()]
            keep &= positions(entries["task_id"], tasks) >= 0
        if self.filters.member:
            keep &= entries["member_id"].isin(self.filters.member).to_numpy()
        start = milliseconds(entries["start"])
        if of_period and self.since:
            keep &= start >= self.since.timestamp() * 1000
        if of_period and self.until:
            keep &= start <= self.until.timestamp() * 1000
        return keep
