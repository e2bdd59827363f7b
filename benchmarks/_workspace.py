"""A large synthetic workspace as Parquet files, made with numpy alone: a million tasks take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

__all__ = ["NOW_MS", "make"]

NOW_MS = 1_795_428_000_000  # 2026-11-23 10:00 UTC
_DAY = 86_400_000
_AT_ONCE = 100_000
_ROWS = 10_000  # of a row group, as an export writes them
_NAMES = ("to do", "doing", "review", "shipped")
_TYPES = ("open", "custom", "custom", "closed")
_COLORS = ("#87909e", "#5f55ee", "#f8ae00", "#008844")
_TIME = pa.timestamp("ms", "UTC")


def make(folder: Path, tasks: int) -> Path:
    """Write the tables of a workspace of so many tasks below ``folder``, once; return ``folder``.

    Each task has up to four stays; one in three has a time entry, one in ten an observed change of status.
    """
    done = folder / "complete"
    if done.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    for table, rows in _tables(tasks):
        if table not in writers:
            writers[table] = pq.ParquetWriter(folder / f"{table}.parquet", rows.schema, compression="zstd")
        writers[table].write_table(rows, row_group_size=_ROWS)
    for writer in writers.values():
        writer.close()
    done.touch()
    return folder


def _tables(tasks: int) -> Iterator[tuple[str, pa.Table]]:
    lists = max(tasks // 370, 1)
    yield "statuses", _statuses(lists)
    yield (
        "members",
        pa.table(
            {
                "id": _ids("m", np.arange(50)),
                "username": _ids("Person ", np.arange(50)),
                "email": _ids("p", np.arange(50)),
            }
        ),
    )
    yield "exports", pa.table({"started": pa.array([NOW_MS - 200 * _DAY, NOW_MS - 3_600_000], _TIME)})
    chance = np.random.default_rng(7)
    for first in range(0, tasks, _AT_ONCE):
        yield from _some(chance, np.arange(first, min(first + _AT_ONCE, tasks)), tasks, lists)


def _some(chance: np.random.Generator, number: Any, tasks: int, lists: int) -> Iterator[tuple[str, pa.Table]]:
    ids = _ids("86c", number + 10_000_000)
    home = chance.integers(0, lists, len(number))
    created = NOW_MS - 3 * 365 * _DAY + number * (3 * 365 * _DAY // tasks)
    lengths = chance.lognormal(0, 1, (len(number), 3)) * np.array([10, 3, 4]) * _DAY // 60_000 * 60_000
    ends = created[:, None] + np.cumsum(lengths, axis=1).astype("int64")
    entered = np.concatenate([created[:, None], ends], axis=1)
    reached = entered <= NOW_MS
    last = reached.sum(axis=1) - 1
    left = np.concatenate([ends, np.full((len(number), 1), NOW_MS)], axis=1)
    spent = np.minimum(left, NOW_MS) - entered
    finished = last == 3
    yield "tasks", _task_rows(chance, number, ids, home, entered, last, finished)
    row, stay = np.nonzero(reached)
    yield (
        "time_in_status",
        pa.table(
            {
                "task_id": ids.take(pa.array(row)),
                "position": stay,
                "status": _word(_NAMES, stay),
                "status_type": _word(_TYPES, stay),
                "orderindex": stay,
                "color": _word(_COLORS, stay),
                "total_ms": spent[row, stay],
                "since": pa.array(entered[row, stay], _TIME),
                "current": stay == last[row],
                "share": spent[row, stay] / np.maximum((NOW_MS - created)[row], 1),
                "as_of": pa.array(np.full(len(row), NOW_MS), _TIME),
            }
        ),
    )
    yield from _beside(chance, ids, entered, reached, last, home)


def _task_rows(
    chance: np.random.Generator, number: Any, ids: Any, home: Any, entered: Any, last: Any, finished: Any
) -> pa.Table:
    done = pa.array(np.where(finished, entered[:, 3], 0), _TIME, mask=~finished)
    since = entered[np.arange(len(number)), last]
    words = chance.integers(0, 1 << 40, len(number))
    tracked = chance.integers(0, 20, len(number)) * 3_600_000
    return pa.table(
        {
            "id": ids,
            "name": _ids("A task with a name of usual length, number ", words),
            "url": pc.binary_join_element_wise(pa.scalar("https://app.clickup.com/t"), ids, "/"),
            "list_id": _ids("9012", home),
            "list_name": _ids("List ", home),
            "folder_id": _ids("8012", home // 10),
            "folder_name": _ids("Folder ", home // 10),
            "space_id": _ids("7012", home // 100),
            "space_name": _ids("Space ", home // 100),
            "parent_id": pa.array([None] * len(number), pa.string()),
            "status": _word(_NAMES, last),
            "status_type": _word(_TYPES, last),
            "status_color": _word(_COLORS, last),
            "status_since": pa.array(since, _TIME),
            "archived": chance.random(len(number)) < 0.02,
            "in_archived": np.zeros(len(number), dtype=bool),
            "as_of": pa.array(np.full(len(number), NOW_MS), _TIME),
            "date_created": pa.array(entered[:, 0], _TIME),
            "date_updated": pa.array(np.minimum(since + _DAY, NOW_MS), _TIME),
            "date_done": done,
            "date_closed": done,
            "due_date": pa.array(entered[:, 0] + 30 * _DAY, _TIME, mask=chance.random(len(number)) < 0.5),
            "lead_time_ms": pa.array(entered[:, 3] - entered[:, 0], mask=~finished),
            "cycle_started": pa.array(entered[:, 1], _TIME, mask=last < 1),
            "cycle_time_ms": pa.array(entered[:, 3] - entered[:, 1], mask=~finished),
            "priority": _word(("urgent", "high", "normal", "low"), chance.integers(0, 4, len(number))),
            "task_type_id": chance.integers(0, 3, len(number)),
            "time_estimate_ms": pa.array(
                chance.integers(1, 16, len(number)) * 3_600_000, mask=chance.random(len(number)) < 0.4
            ),
            "tracked_ms": np.where(chance.random(len(number)) < 0.3, tracked, 0),
            "tracked_entries": np.ones(len(number), dtype="int64"),
        }
    )


def _beside(
    chance: np.random.Generator, ids: Any, entered: Any, reached: Any, last: Any, home: Any
) -> Iterator[tuple[str, pa.Table]]:
    owner = chance.integers(0, 50, len(ids))
    owned = np.flatnonzero(chance.random(len(ids)) < 0.9)
    yield (
        "task_assignees",
        pa.table({"task_id": ids.take(pa.array(owned)), "member_id": _ids("m", owner[owned])}),
    )
    tracked = np.flatnonzero(chance.random(len(ids)) < 0.33)
    start = entered[tracked, 0] + 3_600_000
    yield (
        "time_entries",
        pa.table(
            {
                "id": _ids("e", tracked + entered[tracked, 0]),
                "task_id": ids.take(pa.array(tracked)),
                "member_id": _ids("m", owner[tracked]),
                "start": pa.array(start, _TIME),
                "end": pa.array(start + 3_600_000, _TIME),
                "duration_ms": np.full(len(tracked), 3_600_000),
                "running": np.zeros(len(tracked), dtype=bool),
                "billable": chance.random(len(tracked)) < 0.5,
            }
        ),
    )
    changed = np.flatnonzero((last > 0) & (entered[:, 0] > NOW_MS - 200 * _DAY))
    row, stay = np.nonzero(reached[changed])
    task = changed[row]
    at = entered[task, stay]
    yield (
        "status_changes",
        pa.table(
            {
                "task_id": ids.take(pa.array(task)),
                "changed_by": pa.array(at + 3_600_000, _TIME),
                "from_status": _word(_NAMES, np.maximum(stay - 1, 0), stay == 0),
                "from_type": _word(_TYPES, np.maximum(stay - 1, 0), stay == 0),
                "to_status": _word(_NAMES, stay),
                "to_type": _word(_TYPES, stay),
                "changed_after": pa.array(at - 3_600_000, _TIME),
                "changed_at": pa.array(at, _TIME),
                "list_id": _ids("9012", home[task]),
            }
        ),
    )
    linked = np.flatnonzero(chance.random(len(ids)) < 0.02)
    yield (
        "task_links",
        pa.table(
            {
                "task_id": ids.take(pa.array(linked)),
                "other_id": ids.take(pa.array(np.maximum(linked - 1, 0))),
                "kind": pa.array(["waiting_on"] * len(linked)),
            }
        ),
    )


def _statuses(lists: int) -> pa.Table:
    home, place = np.divmod(np.arange(lists * 4), 4)
    return pa.table(
        {
            "list_id": _ids("9012", home),
            "status": _word(_NAMES, place),
            "type": _word(_TYPES, place),
            "orderindex": place,
            "color": _word(_COLORS, place),
            "status_id": pc.binary_join_element_wise(_ids("p", home // 100), _word(_NAMES, place), "_"),
        }
    )


def _ids(prefix: str, numbers: Any) -> Any:
    return pc.binary_join_element_wise(pa.scalar(prefix), pc.cast(pa.array(numbers), pa.string()), "")


def _word(words: tuple[str, ...], places: Any, missing: Any = None) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32(), mask=missing), words).cast(pa.string())
