"""The tables of all workspaces, for measures: Dask DataFrames over everybody's Parquet files.

A partition is one table of one workspace. A measure cuts it down where it lies, so what is gathered is what
the measure needs, and no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from clickup_toolkit.errors import StorageError
from clickup_toolkit.objects import filesystem

if TYPE_CHECKING:
    import pandas as pd

    from clickup_toolkit.analyse import Grouping

__all__ = ["by_workspace", "tables", "workspaces"]

_FILE = "{}/parquet/{}/part-0.parquet"


def workspaces(root: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the ids of the workspaces that lie below ``root``, a folder or an ``s3://`` address.

    ``environ`` holds the variables of S3 clients (default: this process's). Raises
    :class:`~clickup_toolkit.errors.StorageError` when it cannot be read.
    """
    from pyarrow import fs

    storage, path = _opened(root, environ)
    try:
        found = storage.get_file_info(fs.FileSelector(path))
    except OSError as error:
        raise StorageError(
            f"{root} cannot be read ({error}).", "Name the data_dir of workspaces.toml."
        ) from error
    return sorted(each.base_name for each in found if each.base_name.isdigit() and not each.is_file)


def tables(measure: str, root: str, *, only: Collection[str] = ()) -> dict[str, Any]:
    """Return what a measure needs of all workspaces below ``root``, as its arguments.

    ``analyse.queues(**fleet.tables("queues", "s3://exports/clickup"), now=now)``. Each table is a Dask
    DataFrame with the columns that the measure reads and ``team_id``, a partition for each workspace;
    ``only`` names some workspaces by id. A table that no workspace has is left out. Raises
    :class:`~clickup_toolkit.errors.StorageError` when there is no workspace.
    """
    from clickup_toolkit.analyse import COLUMNS

    teams = [team for team in workspaces(root) if not only or team in only]
    if not teams:
        raise StorageError(
            f"{root} holds no exported workspace.",
            "Export some: clickup-toolkit export --workspaces workspaces.toml",
        )
    found = {table: _table(root, table, columns, teams) for table, columns in COLUMNS[measure].items()}
    return {table: frame for table, frame in found.items() if frame is not None}


def by_workspace(tasks: Any, names: dict[str, str] | None = None) -> Grouping:
    """Group tasks by workspace; ``tasks`` is the table that :func:`tables` gives, with ``team_id``.

    ``names`` labels workspaces by id; without, their ids do.
    """
    from clickup_toolkit.analyse import Grouping

    rows = tasks[["id", "team_id"]]
    rows = rows.compute() if hasattr(rows, "compute") else rows
    team = rows["team_id"].astype("str")
    label = team.map(names or {}).fillna(team)
    found = {"task_id": rows["id"], "id": team, "label": label}
    return Grouping("workspace", _frame(found))


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns).reset_index(drop=True)


def _opened(root: str, environ: Mapping[str, str] | None = None) -> tuple[Any, str]:
    try:
        return filesystem(root, environ)
    except OSError as error:
        raise StorageError(f"{root} cannot be opened ({error}).", "Correct the address.") from error


def _table(root: str, table: str, columns: Collection[str], teams: list[str]) -> Any:
    """Return a table of all workspaces that have it; None where none has."""
    import dask.dataframe as dd

    storage, path = _opened(root)
    files = storage.get_file_info([f"{path}/{_FILE.format(team, table)}" for team in teams])
    there = [team for team, file in zip(teams, files, strict=True) if file.is_file]
    if not there:
        return None
    empty = _read(there[0], root=root, table=table, wanted=tuple(columns), teams=tuple(teams)).head(0)
    return dd.from_map(  # type: ignore[no-untyped-call]
        _read,
        there,
        root=root,
        table=table,
        wanted=tuple(columns),
        teams=tuple(teams),
        meta=empty,
        enforce_metadata=False,  # a column of flags without gaps is of another type than one with
        label=table,
    )


def _read(
    team: str, *, root: str, table: str, wanted: tuple[str, ...], teams: tuple[str, ...]
) -> pd.DataFrame:
    """Read a table of one workspace where the work is done; the way there holds no secret."""
    import numpy as np
    import pandas as pd
    from pyarrow.parquet import ParquetFile

    storage, path = _opened(root)
    with storage.open_input_file(f"{path}/{_FILE.format(team, table)}") as source:
        file = ParquetFile(source)
        columns = [name for name in wanted if name in file.schema_arrow.names]
        frame: pd.DataFrame = file.read(columns=columns).to_pandas()
    codes = np.full(len(frame), teams.index(team))
    frame["team_id"] = pd.Categorical.from_codes(codes, categories=pd.Index(teams))
    return frame
