"""What a measure needs, and how it takes tables larger than the machine.

:func:`measure` marks a function as a measure and declares, table by table, the columns it reads
(:data:`COLUMNS`) and which rows it can do without (:data:`ROWS`). A table may be a pandas DataFrame, or a
Dask DataFrame: then each partition is cut down where it lies to those columns and rows, its texts turned
into categories, and only that is gathered; what the measure computes of it, percentiles too, is exact.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import FINISHED, NOT_STARTED, text

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

_Given = ParamSpec("_Given")
_Told = TypeVar("_Told")


def measure(
    *, rows: Mapping[str, str] | None = None, **tables: tuple[str, ...]
) -> Callable[[Callable[_Given, _Told]], Callable[_Given, _Told]]:
    """Declare the columns of each table that a measure reads; its parameters bear the tables' names."""

    def declare(function: Callable[_Given, _Told]) -> Callable[_Given, _Told]:
        COLUMNS[function.__name__], ROWS[function.__name__] = dict(tables), dict(rows or {})
        return takes(rows=rows, **tables)(function)

    return declare


def takes(
    *, rows: Mapping[str, str] | None = None, **tables: tuple[str, ...]
) -> Callable[[Callable[_Given, _Told]], Callable[_Given, _Told]]:
    """Let a function take Dask DataFrames for these of its parameters, of which it reads these columns."""
    needed = dict(rows or {})

    def wrap(function: Callable[_Given, _Told]) -> Callable[_Given, _Told]:
        signature = inspect.signature(function)

        @wraps(function)
        def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Told:
            given = signature.bind(*args, **kwargs)
            cut = needed if is_usual(given.arguments.get("cycle")) else {}
            for table, value in given.arguments.items():
                if table in tables and hasattr(value, "to_delayed"):
                    given.arguments[table] = _gathered(value, tables[table], cut.get(table, ""))
                elif table in cut and value is not None:
                    given.arguments[table] = _needed(value, cut[table])
            return function(*given.args, **given.kwargs)

        return run

    return wrap


def _gathered(frame: Any, columns: tuple[str, ...], rows: str) -> pd.DataFrame:
    """Cut each partition of a Dask DataFrame down where it lies, and put together what is left."""
    from dask import compute, delayed  # type: ignore[attr-defined]

    wanted = frame[[column for column in columns if column in frame.columns]]
    cut = [delayed(compact)(part, rows) for part in wanted.to_delayed()]
    return combined(compute(*cut))  # type: ignore[no-untyped-call]


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
