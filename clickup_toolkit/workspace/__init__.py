"""The workspace as a notebook sees it: its tables, its measures, its charts.

::

    from clickup_toolkit import Workspace

    ws = Workspace()  # the folder that CLICKUP_DATA_DIR names
    ws  # name, freshness, counts, gaps
    ws.tasks  # any table of the export, as a DataFrame
    ws.time_in_status(by="list")
    ws.chart_where_work_waits()
    ws.filter(space="Product", since="2026-09-01").throughput()  # the same of a part
    await ws.export()  # or, in a plain call: ws.export_now()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from clickup_toolkit import charts
from clickup_toolkit.errors import StorageError
from clickup_toolkit.migrate import migrate_to_read
from clickup_toolkit.progress import progress_bar
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Settings
from clickup_toolkit.workspace import face
from clickup_toolkit.workspace.asking import When, instant
from clickup_toolkit.workspace.choices import unknown
from clickup_toolkit.workspace.drawing import Drawing
from clickup_toolkit.workspace.names import TableNames
from clickup_toolkit.workspace.part import EVERYTHING, Part, tasks_of
from clickup_toolkit.workspace.tables import Tables, find_data_dir, find_dotenv

if TYPE_CHECKING:
    from clickup_toolkit.crawl import Progress
    from clickup_toolkit.export import Report

__all__ = ["Workspace"]

Words = str | Sequence[str]


class Workspace(Drawing, TableNames):
    """An exported workspace, read from ``data_dir``: tables, measures, charts.

    ``data_dir`` is the folder that an export wrote; left out (or empty), it is what CLICKUP_DATA_DIR says,
    looked for from the working folder upwards, so that notebooks find it from their own folder. ``now`` is
    the instant at which measures look (a datetime with time zone, or ISO 8601 text); by default that of
    the export, so that figures come out the same whenever they are made. ``working`` lets measures count
    working time, as the settings tell it, unless they are told otherwise.

    Every table of the export is an attribute (``ws.tasks``, ``ws.lists``, …) or ``ws.table(name)``, the only
    way to ``time_in_status``, whose name is a method's here. Asking for one raises :class:`StorageError`
    where there is no export. :meth:`filter` gives a part of it, of which all can be asked.
    """

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        now: When | None = None,
        working: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        folder = Path(data_dir).expanduser().absolute() if data_dir else find_data_dir()
        migrate_to_read(folder)
        self._tables = Tables(folder)
        self._now = instant(now) if now else None
        self._working = working
        self._clock = clock
        charts.show_offline()

    @property
    def data_dir(self) -> Path:
        """The folder that the export is in."""
        return self._tables.data_dir

    # Tables

    def table(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table of the export, or only the ``columns`` asked for; in a part, the part's rows.

        Raises :class:`StorageError` where there is no export, ValueError for a name that no table has.
        """
        if self._part == EVERYTHING or name not in TABLES:
            return self._tables.read(name, columns)
        return self._tables.of_one_export(lambda: self._part_of(name, columns))

    def _part_of(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        table, keep = self._tables.read(name, columns), self._rows(name)
        return table if keep is None else table[keep].reset_index(drop=True)

    def reload(self) -> Workspace:
        """Forget what was read, so that the tables are read again; a newer export is noticed without it."""
        self._tables.forget()
        return self

    def filter(
        self,
        *,
        space: Words = (),
        folder: Words = (),
        list: Words = (),  # noqa: A002  # ClickUp's word, as every measure says it
        member: Words = (),
        tag: Words = (),
        task_type: Words = (),
        since: When | None = None,
        until: When | None = None,
        **others: object,
    ) -> Workspace:
        """Return this workspace narrowed to a part, of which every table, measure and chart can be asked.

        Each takes an id, a name in any case, or several of them; ``member`` is who a task is assigned to, and
        who tracked time. ``since`` and ``until`` (a datetime, or ISO 8601 text) leave out what was done
        outside that time, what was made after it, and time entries that began outside it. Filters
        add up. Raises :class:`UnknownName`, a ValueError, with the choice, for a name or a filter that is not
        there.
        """
        for word in others:
            raise unknown(f"{word} is no filter", word, Part._fields)
        places = (_words(space), _words(folder), _words(list))
        marks = (_words(member), _words(tag), _words(task_type))
        period = (instant(since) if since else None, instant(until) if until else None)
        narrowed = copy(self)
        narrowed._part = self._part.narrower(Part(*places, *marks, *period))
        if narrowed._part != EVERYTHING:
            tasks_of(narrowed._part, self._tables.columns)  # a name that is not there is told at once
        return narrowed

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.table(name)
        raise AttributeError(f"a workspace has no {name!r}; its tables are {', '.join(TABLES)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *TABLES})

    # What it is

    @property
    def part(self) -> str:
        """What it was narrowed to, in words; empty for everything."""
        return str(self._part)

    @property
    def name(self) -> str:
        """The workspace's name."""
        names = self.table("workspaces")["name"].dropna()
        return str(names.iloc[0]) if len(names) else "Workspace"

    @property
    def exported(self) -> datetime:
        """When the export was finished."""
        exports = self.table("exports").sort_values("version")
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
    def now(self, at: When | None) -> None:
        self._now = instant(at) if at else None

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

    # A new export

    async def export(self, *, full: bool = False, progress: Progress | None = None) -> Report:
        """Export the workspace anew into ``data_dir``, and see the result from then on.

        A bar shows how far it is, unless ``progress`` is told instead. The token and the workspace's id come
        from the environment or ``.env``. Raises :class:`~clickup_toolkit.errors.ToolkitError`; the last good
        export stays in place then.
        """
        from clickup_toolkit.export import run_export

        settings = Settings.read(need=("token", "team_id"), dotenv=find_dotenv())
        settings = replace(settings, data_dir=self.data_dir)
        with nullcontext(progress) if progress else progress_bar() as told:
            report = await run_export(settings, full=full, progress=told)
        self.reload()
        return report

    def export_now(self, *, full: bool = False, progress: Progress | None = None) -> Report:
        """As ``await ws.export()``, for a plain call; works where an event loop runs, as in a notebook."""
        if _is_loop_running():
            import nest_asyncio

            nest_asyncio.apply()
        return asyncio.run(self.export(full=full, progress=progress))


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _words(given: Words) -> tuple[str, ...]:
    """Return what a filter was given as words; an empty text, as a notebook's parameter has it, is none."""
    return tuple(word for word in ((given,) if isinstance(given, str) else given) if word)
