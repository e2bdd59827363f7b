"""What every measure rests on: instants, durations, and which tasks count as what.

ClickUp's status types are ``open`` and ``unstarted`` (not started), ``custom`` (active), ``done`` and
``closed`` (finished).

Millions of rows are worked on as numbers: texts are turned into codes once (:func:`coded`), ids are looked
up once (:func:`positions`), and percentiles of all groups come from one sort (:func:`percentiles`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "FINISHED",
    "NOT_STARTED",
    "PERCENTILE",
    "Coded",
    "Floats",
    "Mask",
    "Places",
    "coded",
    "dense",
    "flags",
    "instant",
    "is_abandoned",
    "is_finished",
    "is_in",
    "is_of_type",
    "largest_first",
    "milliseconds",
    "percentiles",
    "positions",
    "text",
    "times",
    "whole",
]

NOT_STARTED = ("open", "unstarted")
FINISHED = ("done", "closed")
PERCENTILE = 0.85
"""The percentile beside the median: the usual service level in flow metrics (D. Vacanti, *Actionable
Agile Metrics for Predictability*, 2015). Interpolated linearly between the closest ranks, as numpy does
by default (method 7 of R. Hyndman and Y. Fan, *Sample Quantiles in Statistical Packages*, 1996)."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.integer]


class Coded(NamedTuple):
    """A column as numbers: ``values[codes[row]]`` is the row's text."""

    codes: Places
    values: npt.NDArray[np.object_]


def coded(column: pd.Series, missing: str = "") -> Coded:
    """Turn a column of texts into numbers; rows without one have the text ``missing``."""
    codes, found = pd.factorize(column)
    values: npt.NDArray[np.object_] = np.asarray(found, dtype=object)
    if (codes < 0).any():
        same = np.flatnonzero(values == missing)
        place = same[0] if len(same) else len(values)
        codes = np.where(codes < 0, place, codes)
        values = values if len(same) else np.asarray([*values, missing], dtype=object)
    return Coded(codes, values)


def dense(keys: Places, below: int) -> tuple[Places, Places]:
    """Number the keys that occur (whole numbers from 0, less than ``below``): each one's number, and which.

    As ``np.unique`` with its inverse, but without sorting millions of rows where ``below`` is moderate.
    """
    if below > 4 * len(keys) + 1_000_000:
        which, numbers = np.unique(keys, return_inverse=True)
        return numbers, which
    occurs = np.zeros(below, dtype=bool)
    occurs[keys] = True
    which = np.flatnonzero(occurs)
    number = np.zeros(below, dtype="int32")
    number[which] = np.arange(len(which))
    return number[keys], which


def text(column: pd.Series) -> pd.Series:
    """Return a column of texts, of the plain type, whether it is kept as categories or not."""
    return column.astype("str").where(column.notna()) if len(column) else column.astype("str")


def positions(keys: pd.Series, among: pd.Series) -> Places:
    """Return at which row of ``among`` each key stands; -1 where it does not."""
    if not len(keys) or not len(among):
        return np.full(len(keys), -1)
    if isinstance(keys.dtype, pd.CategoricalDtype):
        found = positions(pd.Series(keys.cat.categories), among)
        return np.append(found, -1)[keys.cat.codes]
    texts = _strings(keys)
    differs = pc.fill_null(pc.not_equal(texts[1:], texts[:-1]), True)
    begins = np.append(True, differs.to_numpy(zero_copy_only=False))
    # Rows of one task mostly stand together: each run is looked up once.
    heads = texts if begins.all() else texts.filter(pa.array(begins))
    return np.asarray(_looked_up(heads, _strings(among))[np.cumsum(begins) - 1])


def _looked_up(texts: Any, among: Any) -> Places:
    """Return at which place of ``among`` each text stands first; -1 where it does not.

    Ids of one length, as ClickUp's are, are looked up as numbers: without a hash of each of millions.
    """
    packed = _packed(texts, among)
    if packed is None:
        found = pc.fill_null(pc.index_in(texts, value_set=among), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False))
    wanted, known = packed
    in_order = bool((known[1:] >= known[:-1]).all())
    order = np.arange(len(known)) if in_order else np.argsort(known, kind="stable")
    known = known if in_order else known[order]
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, order[place], -1)


def _packed(*arrays: Any) -> list[npt.NDArray[np.uint64]] | None:
    """Return texts as numbers, equal where they are; None where lengths, or more than 8 bytes, differ."""
    tables = [_bytes(array) for array in arrays]
    if any(table is None or table.shape[1] != tables[0].shape[1] for table in tables):
        return None
    differ = np.any([(table != tables[0][0]).any(axis=0) for table in tables], axis=0)
    if differ.sum() > 8:
        return None
    packed = [np.zeros(len(table), dtype="uint64") for table in tables]
    for column in np.flatnonzero(differ):
        packed = [
            (numbers << np.uint64(8)) | table[:, column]
            for numbers, table in zip(packed, tables, strict=True)
        ]
    return packed


def _bytes(array: Any) -> Any:
    """Return texts of one length as a table of bytes, a row for each; None where they are not."""
    if array.null_count or not len(array):
        return None
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, "int64")[array.offset : array.offset + len(array) + 1]
    width = int(ends[1] - ends[0])
    if not width or (np.diff(ends) != width).any():
        return None
    return np.frombuffer(data, "uint8")[ends[0] : ends[-1]].reshape(len(array), width)


def largest_first(values: Floats, ids: pd.Series) -> Places:
    """Return the order of rows from the largest value down; ties by id. Ids in order cost no sorting."""
    texts = _strings(ids)
    in_order = len(ids) < 2 or bool(pc.all(pc.less_equal(texts[:-1], texts[1:])).as_py())
    rank = (
        np.arange(len(ids)) if in_order else np.argsort(np.argsort(ids.to_numpy(dtype=object), kind="stable"))
    )
    return np.lexsort((rank, -values))


def _strings(column: pd.Series) -> Any:
    array = pa.array(column.astype("str") if column.dtype == object else column, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return array.cast(pa.large_string())


def instant(now: datetime) -> float:
    """Return ``now`` in ms since 1970 UTC. Raises ValueError for an instant without a time zone."""
    if now.tzinfo is None:
        raise ValueError(f"now must have a time zone, such as datetime.now(UTC); it is {now!r}")
    return pd.Timestamp(now).timestamp() * 1000


def milliseconds(times: pd.Series) -> Floats:
    """Return a column of times as ms since 1970 UTC, NaN where there is none."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        times = pd.to_datetime(times, utc=True)  # a column of nothing has no type of its own
    naive = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ms]")
    values: Floats = naive.view("int64").astype("float64")
    values[np.isnat(naive)] = np.nan
    return values


def times(values: Floats) -> pd.DatetimeIndex:
    """Return instants in ms since 1970 UTC as times, in ms; NaN is no time."""
    whole_ms = np.where(np.isnan(values), np.iinfo("int64").min, np.nan_to_num(values)).astype("int64")
    return pd.DatetimeIndex(whole_ms.view("datetime64[ms]")).tz_localize("UTC")


def flags(column: pd.Series) -> Mask:
    """Return a column of booleans as such; false where it is empty."""
    if column.dtype == bool:
        return np.asarray(column.to_numpy(), dtype=bool)
    return np.asarray(column.eq(True).fillna(False), dtype=bool)


def is_in(column: pd.Series, wanted: tuple[str, ...]) -> Mask:
    """Tell which rows of a column of texts have one of these."""
    return np.asarray(column.isin(wanted), dtype=bool)


def is_of_type(tasks: pd.DataFrame, types: tuple[str, ...]) -> Mask:
    """Tell which tasks are in a status of one of these types."""
    return is_in(tasks["status_type"], types)


def is_finished(tasks: pd.DataFrame) -> Mask:
    """Tell which tasks are done or closed; by the status, and where that has no type, by the date."""
    untyped = np.asarray(tasks["status_type"].isna() & tasks["date_done"].notna(), dtype=bool)
    return np.asarray(is_of_type(tasks, FINISHED) | untyped, dtype=bool)


def is_abandoned(tasks: pd.DataFrame) -> Mask:
    """Tell which tasks lie unfinished in the archive.

    Their clocks run on in ClickUp, but nobody waits for them: every measure leaves them out.
    """
    archived = flags(tasks["archived"]) | flags(tasks["in_archived"])
    return np.asarray(archived & ~is_finished(tasks), dtype=bool)


def whole(values: pd.Series) -> pd.Series:
    """Round durations to whole milliseconds."""
    return values.round().astype("int64")


def percentiles(key: Places, keys: int, values: Floats, parts: tuple[float, ...]) -> Floats:
    """Return percentiles of ``values`` in each group: an array of ``keys`` rows and a column for each part.

    ``key`` numbers the group of each value, from 0. Interpolated linearly between the closest ranks; NaN for
    a group without a value. Values that are NaN do not count. Whole values are exact.
    """
    known = ~np.isnan(values)
    key, values = (key, values) if known.all() else (key[known], values[known])
    count = np.bincount(key, minlength=keys)
    first = np.cumsum(count) - count
    ordered = _sorted_within(key, keys, values)
    found = np.full((keys, len(parts)), np.nan)
    some = count > 0
    for column, part in enumerate(parts):
        rank = (count[some] - 1) * part
        below = np.floor(rank).astype("int64")
        low = ordered[first[some] + below]
        high = ordered[first[some] + np.minimum(below + 1, count[some] - 1)]
        found[some, column] = low + (high - low) * (rank - below)
    return found


def _sorted_within(key: Places, keys: int, values: Floats) -> Floats:
    """Return the values of group 0 in order, then those of group 1, …

    One sort of whole numbers, group before value, is several times as quick as sorting by two columns.
    """
    if not len(values):
        return values
    least = values.min()
    bits = int(values.max() - least).bit_length() + 1
    if bits + int(keys).bit_length() > 62 or not np.array_equal(values, np.floor(values)):
        return np.asarray(values[np.lexsort((values, key))])
    both = (key.astype("int64") << bits) | (values - least).astype("int64")
    both.sort()
    both &= (1 << bits) - 1
    return np.asarray(both + least, dtype="float64")
