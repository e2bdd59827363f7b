"""How a workspace asks a measure: its tables, the instant, the settings, the part it is narrowed to."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeAlias

import pandas as pd

from clickup_toolkit import analyse
from clickup_toolkit.analyse.basis import positions
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Settings
from clickup_toolkit.workspace.groupings import grouping
from clickup_toolkit.workspace.part import EVERYTHING, Part, entries_of, tasks_of
from clickup_toolkit.workspace.tables import Tables, find_dotenv

__all__ = ["Asking", "By", "When", "instant"]

When: TypeAlias = datetime | str
By: TypeAlias = str | analyse.Grouping
_ONLY_FOR = {"priority": "priority", "task_type_id": "task_type"}
_UNTOLD = ("lost_parent", "time_of_unknown_task")


class Asking(ABC):
    """What the methods of a workspace rest on; nothing here is for notebooks."""

    _tables: Tables
    _part: Part = EVERYTHING
    _working = False

    @property
    @abstractmethod
    def now(self) -> datetime:
        """The instant at which measures look."""

    @cached_property
    def settings(self) -> analyse.Configuration:
        """What the settings say about measures: working time, cycle time, waiting, blocked and stale work."""
        return analyse.configuration(Settings.read(dotenv=find_dotenv()))

    def _ask(self, measure: str, by: By = "", *, working: bool | None = None, **how: Any) -> pd.DataFrame:
        """Return what a measure of :mod:`clickup_toolkit.analyse` says of this workspace, or its part.

        ``how`` are further arguments of it, None for its default. The tables it declares are read, and what
        it takes of the settings is taken from there.
        """
        return self._tables.of_one_export(lambda: self._asked(measure, by, working, how))

    def _asked(self, measure: str, by: By, working: bool | None, how: dict[str, Any]) -> pd.DataFrame:
        function = getattr(analyse, measure)
        takes = inspect.signature(function).parameters
        given: dict[str, Any] = {name: value for name, value in how.items() if value is not None}
        said = self.settings
        for name in ("cycle", "waiting", "blocked", "stale_days", "tz"):
            if name in takes:
                given.setdefault(name, getattr(said, name))
        if "history" in takes and self._part.since:
            given["history"] = self._history(given.get("history", takes["history"].default))
        if "working" in takes and (self._working if working is None else working):
            given["working"] = said.working
        if "by" in takes and by:
            given["by"] = grouping(self._narrowed, by, said.tz)
        skipped = self._without(measure, takes, given)
        tables = {
            name: self._narrowed(name, [column for column in columns if _is_needed(column, by)])
            for name, columns in analyse.COLUMNS[measure].items()
            if name not in skipped
        }
        table: pd.DataFrame = function(**tables, now=self.now, **given)
        if measure == "data_quality" and self._part != EVERYTHING:
            return table[~table["check"].isin(_UNTOLD)].reset_index(drop=True)
        return table

    def _history(self, days: int) -> int:
        """Return how many days a forecast may draw from: those before the part begins had nothing done."""
        assert self._part.since is not None
        return max(min(days, (self.now - self._part.since).days), 1)

    def _without(
        self, measure: str, takes: Mapping[str, inspect.Parameter], given: dict[str, Any]
    ) -> tuple[str, ...]:
        """Return the tables that the measure can do without: stays where ClickUp's own rule tells the start,
        and gaps, which are those of everything, where a part is looked at.
        """
        optional = "time_in_status" in takes and takes["time_in_status"].default is None
        if optional and "cycle" in takes and given["cycle"] == analyse.CLICKUP_RULE:
            return ("time_in_status",)
        return ("gaps",) if self._part != EVERYTHING else ()

    def _narrowed(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Return columns of a table, and only the rows that belong to the part."""
        frame = self._tables.columns(name, columns)
        keep = self._rows(name)
        return frame if keep is None else frame[keep].reset_index(drop=True)

    def _rows(self, name: str) -> Any:
        """Tell which rows of a table belong to the part; None is all."""
        if self._part == EVERYTHING:
            return None
        if name == "tasks":
            return tasks_of(self._part, self._tables.columns)
        if name == "time_entries":
            return entries_of(self._part, self._tables.columns)
        if "task_id" not in [column.name for column in TABLES[name].columns]:
            return None
        tasks = self._tables.columns("tasks", ("id",))["id"][tasks_of(self._part, self._tables.columns)]
        return positions(self._tables.columns(name, ("task_id",))["task_id"], tasks) >= 0


def instant(at: When) -> datetime:
    """Return an instant; text is ISO 8601, in UTC where it names no time zone."""
    if isinstance(at, datetime):
        return at
    parsed = datetime.fromisoformat(at)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _is_needed(column: str, by: By) -> bool:
    """Tell whether a column is needed that one grouping alone reads."""
    return column not in _ONLY_FOR or by == _ONLY_FOR[column]
