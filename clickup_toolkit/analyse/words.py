"""Figures as people say them: '3.2 days', '41%', a sentence, a table with units."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Mask

__all__ = ["Sentence", "contains", "duration", "headline", "percent", "readable"]

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_SPACE = "\u00a0"

_HEADINGS = {
    "p85_ms": "85% within",
    "lead_median_ms": "lead time, median",
    "lead_p85_ms": "lead time, 85% within",
    "cycle_median_ms": "cycle time, median",
    "cycle_p85_ms": "cycle time, 85% within",
    "sum_ms": "time, all told",
    "per_task_ms": "per task of the group",
    "mean_ms": "mean",
    "median_ms": "median",
    "time_ms": "unfinished work's time",
    "oldest_ms": "oldest waiting",
    "age_ms": "age",
    "waiting": "waiting now",
    "waiting_before": "four weeks ago",
    "place": "in",
}
_SHARES = ("share", "efficiency", "probability", "likelihood")
_EFFORT = ("estimated_ms", "tracked_ms", "billable_ms")
"""What people did, which they count in hours: a day of it is not 24 of them."""
_HIDDEN = ("status_key", "status_type", "color", "orderindex", "url", "source")


class Sentence(str):
    """A sentence in Markdown that a notebook shows as such."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


def contains(names: pd.Series, words: tuple[str, ...]) -> Mask:
    """Tell which names contain one of these words, whole words in any case: 'hold' is not in 'threshold'."""
    if not words:
        return np.zeros(len(names), dtype=bool)
    pattern = "|".join(re.escape(word) for word in words)
    found = names.fillna("").str.contains(rf"(?<!\w)(?:{pattern})(?!\w)", case=False, regex=True)
    return np.asarray(found, dtype=bool)


def duration(ms: float) -> str:
    """Say a duration in the unit that fits: 42 min, 1.5 h, from two days on 3.2 days.

    The space in it does not break. NaN, no duration, is a dash.
    """
    if math.isnan(ms):
        return "–"
    if ms < 0.95 * HOUR:
        return f"{ms / MINUTE:.0f}{_SPACE}min"
    value, unit = (ms / HOUR, "h") if ms < 2 * DAY else (ms / DAY, "days")
    number = f"{value:,.0f}" if value >= 9.95 or round(value, 1) % 1 == 0 else f"{value:.1f}"
    return f"{number}{_SPACE}{unit}"


def hours(ms: float) -> str:
    """Say effort in hours: 42 min, 1.5 h, 456 h. NaN is a dash."""
    if math.isnan(ms) or ms < 0.95 * HOUR:
        return duration(ms)
    return f"{ms / HOUR:.1f}{_SPACE}h" if ms < 9.95 * HOUR else f"{ms / HOUR:,.0f}{_SPACE}h"


def percent(share: float) -> str:
    """Say a share: 41%, and <1% for the little that is not nothing. NaN is a dash."""
    if math.isnan(share):
        return "–"
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a measure's table for people: durations and shares in words, headings instead of names.

    Ids, colours and addresses are left out, rows are numbered from 1. For reading only: the words cannot be
    calculated with.
    """
    shown = {}
    for column in table.columns:
        if column in _HIDDEN or column.endswith("_id") or (column == "place" and "list" in table.columns):
            continue
        heading = _HEADINGS.get(column, column.removesuffix("_ms").replace("_", " "))
        shown[heading] = _in_words(str(column), table[column])
    told = pd.DataFrame(shown, index=table.index)
    return told.set_axis(pd.RangeIndex(1, len(told) + 1)) if told.index.dtype == "int64" else told


def headline(waits: pd.DataFrame) -> Sentence:
    """Say in a sentence or two where work waits; ``waits`` is what ``where_work_waits`` returns."""
    if waits.empty:
        return Sentence("No time in status of started work is known: there is none, or the gaps say why.")
    if waits["time_ms"].sum() == 0:
        return Sentence("No started work is waiting.")
    top = waits.iloc[0]
    where = f"**{top['status']}** ({top['place']})"
    text = (
        f"Unfinished work has spent more time in {where} than anywhere else: {percent(top['share'])} of it. "
        f"{_tasks(top['waiting'])} there now, {_before(top)} Of all tasks, half spend at most "
        f"{duration(top['median_ms'])} in it, and 85% at most {duration(top['p85_ms'])}."
    )
    return Sentence(text)


def _before(row: pd.Series) -> str:
    was, now = int(row["waiting_before"]), int(row["waiting"])
    if was == now:
        return "as many as four weeks ago."
    if was == 0:
        return "none four weeks ago."
    return f"{'up' if now > was else 'down'} from about {was} four weeks ago."


def _tasks(count: int) -> str:
    return "1 task stands" if count == 1 else f"{count:,} tasks stand"


def _in_words(name: str, values: pd.Series) -> pd.Series:
    if name in _EFFORT:
        return values.map(hours)
    if name.endswith("_ms"):
        return values.map(duration)
    if name in _SHARES:
        return values.map(percent)
    if pd.api.types.is_datetime64_any_dtype(values):
        days = bool((values.dropna() == values.dropna().dt.normalize()).all())
        return pd.Series(values.dt.strftime("%Y-%m-%d" if days else "%Y-%m-%d %H:%M")).fillna("–")
    return values.round(2) if pd.api.types.is_float_dtype(values) else values
