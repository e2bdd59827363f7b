"""The workspace as a notebook sees it: its tables, its measures, its charts.

::

    from clickup_toolkit import Workspace

    ws = Workspace()  # the folder that CLICKUP_DATA_DIR names
    ws  # name, freshness, counts, gaps
    ws.tasks  # any table of the export, as a DataFrame
    ws.time_in_status(by="list")
    ws.chart_where_work_waits()
    await ws.export()  # or, in a plain call: ws.export_now()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit import analyse, charts
from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Settings
from clickup_toolkit.workspace import face
from clickup_toolkit.workspace.groupings import grouping
from clickup_toolkit.workspace.tables import Tables, find_data_dir, find_dotenv

if TYPE_CHECKING:
    from clickup_toolkit.crawl import Progress
    from clickup_toolkit.export import Report

__all__ = ["Workspace"]


class Workspace:
    """An exported workspace, read from ``data_dir``: tables, measures, charts.

    ``data_dir`` is the folder that an export wrote; left out (or empty), it is what CLICKUP_DATA_DIR says,
    looked for from the working folder upwards, so that notebooks find it from their own folder. ``now`` is
    the instant at which measures look (a datetime with time zone, or ISO 8601 text); by default that of
    the export, so that figures come out the same whenever they are made.

    Every table of the export is an attribute (``ws.tasks``, ``ws.lists``, …) or ``ws.table(name)``, the only
    way to ``time_in_status``, whose name is a method's here. Asking for one raises :class:`StorageError`
    where there is no export.
    """

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        now: datetime | str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        folder = Path(data_dir).expanduser().absolute() if data_dir else find_data_dir()
        self._tables = Tables(folder)
        self._now = _instant(now) if now else None
        self._clock = clock
        charts.show_offline()

    @property
    def data_dir(self) -> Path:
        """The folder that the export is in."""
        return self._tables.data_dir

    # Tables

    def table(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table of the export, or only the ``columns`` asked for.

        Raises :class:`StorageError` where there is no export, ValueError for a name that no table has.
        """
        return self._tables.read(name, columns)

    def reload(self) -> Workspace:
        """Forget what was read, so that the tables are read again; a newer export is noticed without it."""
        self._tables.forget()
        return self

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.table(name)
        raise AttributeError(f"a workspace has no {name!r}; its tables are {', '.join(TABLES)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *TABLES})

    # What it is

    @property
    def name(self) -> str:
        """The workspace's name."""
        names = self.table("workspaces")["name"].dropna()
        return str(names.iloc[0]) if len(names) else "Workspace"

    @property
    def exported(self) -> datetime:
        """When the export was finished."""
        exports = self.table("exports").sort_values("started")
        if exports.empty:
            told = f"The export in {self.data_dir} does not say when it was made."
            raise StorageError(told, "Run the export again.")
        last = exports.iloc[-1]
        at = last["finished"] if pd.notna(last["finished"]) else last["started"]
        moment: datetime = at.to_pydatetime()
        return moment

    @property
    def now(self) -> datetime:
        """The instant at which measures look: when the export was finished, unless given otherwise."""
        return self._now or self.exported

    @now.setter
    def now(self, at: datetime | str | None) -> None:
        self._now = _instant(at) if at else None

    def __repr__(self) -> str:
        try:
            return f"<{face.line(self, self._clock())}>"
        except StorageError as error:
            return f"<Workspace without an export: {error}>"

    def _repr_html_(self) -> str:
        try:
            return face.page(self, self._clock())
        except StorageError as error:
            return face.no_export(error)

    # Measures

    def time_in_status(
        self, by: str = "list", *, merge_statuses: bool = False, finished: bool = False
    ) -> pd.DataFrame:
        """Tell how long tasks stay in each status; see :func:`clickup_toolkit.analyse.time_in_status`.

        ``by`` is list, folder, space, status, priority, task_type, member, tag, or a custom field's name.
        """
        return self._measured(analyse.time_in_status, by, merge_statuses=merge_statuses, finished=finished)

    def where_work_waits(
        self, by: str = "status", *, merge_statuses: bool = False, not_started: bool = False
    ) -> pd.DataFrame:
        """Rank where unfinished work waits; see :func:`clickup_toolkit.analyse.where_work_waits`."""
        return self._measured(
            analyse.where_work_waits, by, merge_statuses=merge_statuses, not_started=not_started
        )

    def queues(
        self, weeks: int = 13, by: str = "status", *, merge_statuses: bool = False, not_started: bool = False
    ) -> pd.DataFrame:
        """Tell how long each queue was, week by week; see :func:`clickup_toolkit.analyse.queues`."""
        return self._measured(
            analyse.queues, by, weeks=weeks, merge_statuses=merge_statuses, not_started=not_started
        )

    def waiting_now(self, *, merge_statuses: bool = False, not_started: bool = False) -> pd.DataFrame:
        """List unfinished tasks, the longest waiting first; see :func:`analyse.waiting_now`."""
        return self._tables.of_one_export(
            lambda: analyse.waiting_now(
                self._tasks(),
                now=self.now,
                statuses=self.table("statuses"),
                merge_statuses=merge_statuses,
                not_started=not_started,
            )
        )

    def throughput(self, by: str = "status", *, weeks: int | None = None, tz: str = "UTC") -> pd.DataFrame:
        """Count the tasks finished each week; see :func:`clickup_toolkit.analyse.throughput`."""
        return self._tables.of_one_export(
            lambda: analyse.throughput(
                self._tasks(), now=self.now, by=grouping(self._tables, by), weeks=weeks, tz=tz
            )
        )

    def lead_and_cycle_time(self, by: str = "list", *, since: datetime | str | None = None) -> pd.DataFrame:
        """Tell how long finished work took; see :func:`clickup_toolkit.analyse.lead_and_cycle_time`."""
        start = _instant(since) if since else None
        return self._tables.of_one_export(
            lambda: analyse.lead_and_cycle_time(
                self._tasks(), now=self.now, by=grouping(self._tables, by), since=start
            )
        )

    def work_item_age(self) -> pd.DataFrame:
        """List started tasks, the oldest first; see :func:`clickup_toolkit.analyse.work_item_age`."""
        return self._tables.of_one_export(lambda: analyse.work_item_age(self._tasks(), now=self.now))

    def headline(self) -> analyse.Sentence:
        """Say in a sentence where work waits."""
        return analyse.headline(self.where_work_waits())

    readable = staticmethod(analyse.readable)

    # Charts

    def chart_time_in_status(
        self, by: str = "list", *, top: int = 15, not_started: bool = False
    ) -> go.Figure:
        """Draw how long a task spends in each status."""
        table = self.time_in_status(by)
        return charts.time_in_status(table, as_of=self.now, top=top, not_started=not_started)

    def chart_median_and_p85(self, by: str = "status", *, top: int = 15) -> go.Figure:
        """Draw what half and what 85 in 100 of the tasks spend in each status at most."""
        return charts.median_and_p85(self.time_in_status(by), as_of=self.now, top=top)

    def chart_where_work_waits(self, by: str = "status", *, top: int = 12) -> go.Figure:
        """Draw the statuses by their share of unfinished work's time."""
        return charts.where_work_waits(self.where_work_waits(by), as_of=self.now, top=top)

    def chart_waiting_now(self, *, top: int = 12) -> go.Figure:
        """Draw the age of all unfinished tasks in their current status."""
        return charts.waiting_now(self.waiting_now(), as_of=self.now, top=top)

    def chart_queues(self, weeks: int = 13, by: str = "status", *, top: int = 6) -> go.Figure:
        """Draw how long the longest queues were, week by week."""
        return charts.queues(self.queues(weeks, by), as_of=self.now, top=top)

    def chart_throughput(self, *, weeks: int = 26, tz: str = "UTC") -> go.Figure:
        """Draw how much gets finished each week."""
        return charts.throughput(self.throughput(weeks=weeks, tz=tz), as_of=self.now)

    def chart_lead_and_cycle_time(self, by: str = "list", *, top: int = 15) -> go.Figure:
        """Draw how long finished work took."""
        return charts.lead_and_cycle_time(self.lead_and_cycle_time(by), as_of=self.now, top=top)

    # A new export

    async def export(self, *, full: bool = False, progress: Progress | None = None) -> Report:
        """Export the workspace anew into ``data_dir``, and see the result from then on.

        The token and the workspace's id come from the environment or ``.env``. Raises
        :class:`~clickup_toolkit.errors.ToolkitError`; the last good export stays in place then.
        """
        from clickup_toolkit.export import run_export

        settings = Settings.read(need=("token", "team_id"), dotenv=find_dotenv())
        report = await run_export(replace(settings, data_dir=self.data_dir), full=full, progress=progress)
        self.reload()
        return report

    def export_now(self, *, full: bool = False, progress: Progress | None = None) -> Report:
        """As ``await ws.export()``, for a plain call; works where an event loop runs, as in a notebook."""
        if _is_loop_running():
            import nest_asyncio

            nest_asyncio.apply()
        return asyncio.run(self.export(full=full, progress=progress))

    def _tasks(self) -> pd.DataFrame:
        return self.table("tasks", analyse.TASK_COLUMNS)

    def _measured(self, measure: Callable[..., pd.DataFrame], by: str, **how: bool | int) -> pd.DataFrame:
        return self._tables.of_one_export(
            lambda: measure(
                self._tasks(),
                self.table("time_in_status", analyse.TIME_IN_STATUS_COLUMNS),
                now=self.now,
                by=grouping(self._tables, by),
                statuses=self.table("statuses"),
                **how,
            )
        )


def _instant(at: datetime | str) -> datetime:
    """Return an instant; text is ISO 8601, in UTC where it names no time zone."""
    if isinstance(at, datetime):
        return at
    parsed = datetime.fromisoformat(at)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
