"""What a measure needs, and how it takes tables larger than the machine.

:func:`measure` marks a function as a measure and declares, table by table, the columns it reads
(:data:`COLUMNS`) and which rows it can do without (:data:`ROWS`). A table may be a pandas DataFrame, or a
Dask DataFrame: then each partition is cut down where it lies to those columns and rows, its texts turned
into categories, and only that is gathered; what the measure computes of it, percentiles too, is exact. What
a measure only counts or adds up is ``counted`` in each partition, and the counts alone are gathered.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import FINISHED, NOT_STARTED, text
from clickup_toolkit.analyse.columns import FOR_GROUPS

__all__ = ["COLUMNS", "FEW", "NEEDED", "ROWS", "combined", "compact", "is_usual", "measure", "takes"]

COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {}
"""For each measure, by table, the columns it reads and no other."""

ROWS: dict[str, dict[str, str]] = {}
"""For each measure, by table, which rows it needs where it can do without others: those of ``finished`` or
``unfinished`` tasks, or in ``started`` statuses; where cycle time starts and ends as ClickUp has it."""

NEEDED = {
    "finished": (FINISHED, True),
    "unfinished": (FINISHED, False),
    "started": (NOT_STARTED + FINISHED, False),
}
"""What the words of :data:`ROWS` mean: status types, and whether those or the others are needed."""

FEW = frozenset(
    {
        *("status", "status_type", "status_color", "color", "type", "priority", "state", "role", "what"),
        *("list_id", "list_name", "folder_id", "folder_name", "space_id", "space_name", "member_id", "tag"),
        *("from_status", "from_type", "to_status", "to_type", "kind", "creator_id", "route", "source"),
    }
)
"""Columns of texts of which there are few: kept once each, and a number in each row."""

Counted: TypeAlias = Callable[[pd.DataFrame, Mapping[str, Any]], pd.DataFrame]
"""Counts the rows of a table for what is asked beside the tables; the counts of counts are the same."""

_Given = ParamSpec("_Given")
_Told = TypeVar("_Told")


def measure(
    *,
    rows: Mapping[str, str] | None = None,
    counted: Mapping[str, Counted] | None = None,
    **tables: tuple[str, ...],
) -> Callable[[Callable[_Given, _Told]], Callable[_Given, _Told]]:
    """Declare the columns of each table that a measure reads; its parameters bear the tables' names."""

    def declare(function: Callable[_Given, _Told]) -> Callable[_Given, _Told]:
        COLUMNS[function.__name__], ROWS[function.__name__] = dict(tables), dict(rows or {})
        return takes(rows=rows, counted=counted, **tables)(function)

    return declare


def takes(
    *,
    rows: Mapping[str, str] | None = None,
    counted: Mapping[str, Counted] | None = None,
    **tables: tuple[str, ...],
) -> Callable[[Callable[_Given, _Told]], Callable[_Given, _Told]]:
    """Let a function take Dask DataFrames for these of its parameters, of which it reads these columns."""
    needed, counts = dict(rows or {}), dict(counted or {})

    def wrap(function: Callable[_Given, _Told]) -> Callable[_Given, _Told]:
        signature = inspect.signature(function)

        @wraps(function)
        def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Told:
            given = signature.bind(*args, **kwargs)
            cut = needed if is_usual(given.arguments.get("cycle")) else {}
            usual = {name: each.default for name, each in signature.parameters.items()}
            asked = {name: value for name, value in (usual | given.arguments).items() if name not in tables}
            for table, value in given.arguments.items():
                if table in tables and hasattr(value, "to_delayed"):
                    columns = _asked_for(tables[table], asked)
                    told = _gathered(value, columns, cut.get(table, ""), counts.get(table), asked)
                    given.arguments[table] = told
                elif table in cut and value is not None:
                    given.arguments[table] = _needed(value, cut[table])
            return function(*given.args, **given.kwargs)

        return run

    return wrap


def _asked_for(columns: tuple[str, ...], asked: Mapping[str, Any]) -> list[str]:
    """Return the columns without those that only another grouping needs."""
    if "by" not in asked:
        return [*columns]
    spared = {column for name, own in FOR_GROUPS.items() if name != asked["by"] for column in own}
    return [column for column in columns if column not in spared]


def _gathered(
    frame: Any, columns: list[str], rows: str, counted: Counted | None, asked: Mapping[str, Any]
) -> pd.DataFrame:
    """Cut each partition of a Dask DataFrame down where it lies, and put together what is left."""
    from dask import compute, delayed  # type: ignore[attr-defined]

    def cut(part: pd.DataFrame) -> pd.DataFrame:
        left = compact(part, rows)
        return left if counted is None else compact(counted(left, asked))

    wanted = frame[[column for column in columns if column in frame.columns]]
    told = combined(compute(*(delayed(cut)(part) for part in wanted.to_delayed())))  # type: ignore[no-untyped-call]
    return told if counted is None else counted(told, asked)


def compact(frame: pd.DataFrame, rows: str = "") -> pd.DataFrame:
    """Return the rows that a measure needs (see :data:`ROWS`), with the few texts as categories."""
    frame = _needed(frame, rows) if rows else frame
    kept = {str(name): _kept(str(name), frame[name]) for name in frame.columns}
    return pd.DataFrame(kept).reset_index(drop=True)


def is_usual(cycle: object) -> bool:
    """Tell whether cycle time starts and ends as ClickUp has it, so that status types tell which rows."""
    return cycle is None or cycle == type(cycle)()


def _needed(frame: pd.DataFrame, rows: str) -> pd.DataFrame:
    types, wanted = NEEDED[rows]
    needed = (frame["status_type"].isin(types) == wanted) | frame["status_type"].isna()
    return frame if needed.all() else frame[needed].reset_index(drop=True)


def _kept(name: str, column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)) or column.isna().all():
        return column  # a column of nothing has no type of its own
    return text(column).astype("category") if name in FEW else text(column)


def combined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put partitions together; categories of all of them are kept once."""
    frames = list(parts)
    columns = {
        str(name): _joined([frame[name] for frame in frames])
        for name in (frames[0].columns if frames else ())
    }
    return pd.DataFrame(columns)


def _joined(columns: list[pd.Series]) -> pd.Series:
    if not all(isinstance(column.dtype, pd.CategoricalDtype) for column in columns):
        filled = [column for column in columns if len(column)] or columns[:1]
        return pd.concat(filled, ignore_index=True)
    known = pd.Index(np.concatenate([column.cat.categories.astype(object) for column in columns])).unique()
    codes = [known.get_indexer(column.cat.categories.astype(object)) for column in columns]
    parts = [np.append(code, -1)[column.cat.codes] for code, column in zip(codes, columns, strict=True)]
    return pd.Series(pd.Categorical.from_codes(np.concatenate(parts), known.astype("str")))
