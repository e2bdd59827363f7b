"""Compute a page: one version of the tables, narrowed, in the hands of the module that knows the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from clickup_toolkit import analyse
from clickup_toolkit.errors import StorageError
from clickup_toolkit.serve.dashboards import flow, overview, time_in_status, time_tracking
from clickup_toolkit.serve.dashboards.choices import choices_of
from clickup_toolkit.serve.dashboards.filters import KINDS, Filters
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Board, Choice
from clickup_toolkit.serve.dashboards.source import Source, of_one_version

__all__ = ["make_board"]

_MAKERS = {
    "overview": overview.make,
    "time-in-status": time_in_status.make,
    "flow": flow.make,
    "time-tracking": time_tracking.make,
}
_SHOWN = 40


def make_board(folder: Path, name: str, filters: Filters, settings: analyse.Configuration) -> Board:
    """Return the page ``name`` over the Parquet files in ``folder``, looked at when they were exported.

    Raises :class:`StorageError` where there is no export, or it cannot be read.
    """
    return of_one_version(folder, lambda source: _board(source, name, filters, settings))


def _board(source: Source, name: str, filters: Filters, settings: analyse.Configuration) -> Board:
    export = _last_export(source)
    choices = choices_of(source, filters)
    known, problems = _known(filters, choices)
    narrowed = Narrowed(source, known, _at(export), settings)
    return Board(
        version=str(export["version"]),
        as_of=narrowed.now,
        mode=str(export.get("mode", "")),
        complete=bool(export.get("complete", True)),
        filters=known,
        problems=problems,
        choices=choices,
        tasks=len(narrowed.table("tasks", ("id",))),
        told=_MAKERS[name](narrowed, Links(source, known)),
    )


def _last_export(source: Source) -> pd.Series:
    exports = source.columns("exports", ("version", "started", "finished", "mode", "complete"))
    if exports.empty:
        raise StorageError("The export does not say when it was made.", "Run: clickup-toolkit export")
    last: pd.Series = exports.sort_values("version").iloc[-1]
    return last


def _at(export: pd.Series) -> datetime:
    at = export["finished"] if pd.notna(export["finished"]) else export["started"]
    moment: datetime = at.to_pydatetime()
    return moment


def _known(filters: Filters, choices: tuple[Choice, ...]) -> tuple[Filters, tuple[str, ...]]:
    """Leave out ids that nothing in the export has, and say so."""
    problems = []
    for choice in choices:
        found = {option.id for option in choice.chosen}
        strange = [value for value in filters.chosen(choice.kind) if value not in found]
        if strange:
            told = ", ".join(f"“{value[:_SHOWN]}”" for value in strange[:5])
            problems.append(f"{KINDS[choice.kind]} {told} is not in this export, and was left out.")
            kept = [value for value in filters.chosen(choice.kind) if value in found]
            filters = filters.only(choice.kind, kept)
    return replace(filters), tuple(problems)
