"""The tables of a measure from Parquet files: only the columns it reads, only the rows it needs.

Texts of which there are few come as categories, a number in each row. Row groups that hold no row that is
needed are passed over by their statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from clickup_toolkit.analyse.basis import positions
from clickup_toolkit.analyse.columns import FOR_GROUPS
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Cycle
from clickup_toolkit.analyse.measure import COLUMNS, FEW, NEEDED, ROWS, is_usual

__all__ = ["read", "tables_for"]

_OF_UNFINISHED = {"ageing_work": ("name", "url")}
"""Long texts that a measure shows of unfinished tasks alone, though it counts the others, too."""


def tables_for(
    measure: str, paths: Mapping[str, Path], by: str = "", cycle: Cycle = CLICKUP_RULE
) -> dict[str, pd.DataFrame]:
    """Return what a measure needs of the tables that lie at ``paths``, as its arguments.

    ``analyse.queues(**analyse.tables_for("queues", paths), now=now)``. Tables that the measure does not read
    are left alone, and those for which there is no path are left out. Columns that only another grouping
    than ``by`` needs are not read; nor are rows that only another ``cycle`` needs.
    """
    spared = {column for name, columns in FOR_GROUPS.items() if name != by for column in columns}
    found = {}
    for table, columns in COLUMNS[measure].items():
        if table not in paths:
            continue
        details = _OF_UNFINISHED.get(measure, ()) if table == "tasks" else ()
        wanted = [name for name in columns if name not in spared and name not in details]
        rows = ROWS[measure].get(table, "") if is_usual(cycle) else ""
        found[table] = read(paths[table], wanted, rows)
        if details:
            _add_details(found[table], read(paths[table], ("id", "status_type", *details), "unfinished"))
    return found


def _add_details(tasks: pd.DataFrame, few: pd.DataFrame) -> None:
    place = positions(tasks["id"], few["id"])
    for name in few.columns.difference(["id", "status_type"]):
        tasks[name] = few[name].array.take(place, allow_fill=True)


def read(path: Path, columns: Sequence[str] = (), rows: str = "") -> pd.DataFrame:
    """Return these columns of a Parquet file (default: all); ``rows`` is a word of :data:`ROWS`.

    Rows whose ``status_type`` is not known are always among them.
    """
    there = pq.read_schema(path).names
    wanted = [column for column in columns if column in there] or there
    few = [column for column in wanted if column in FEW]
    if rows:
        form = ds.ParquetFileFormat(read_options={"dictionary_columns": few})
        types, these = NEEDED[rows]
        named = ds.field("status_type").isin(list(types))
        kept = (named if these else ~named) | ds.field("status_type").is_null()
        table = ds.dataset(path, format=form).to_table(columns=wanted, filter=kept)
    else:
        # Without reading ahead: on a local disk that costs memory and saves nothing.
        table = pq.read_table(path, columns=wanted, read_dictionary=few, partitioning=None, pre_buffer=False)
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    del table
    pa.default_memory_pool().release_unused()
    return frame
