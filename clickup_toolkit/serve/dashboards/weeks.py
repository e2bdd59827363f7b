"""Measures of weeks and days, cut to the period of a page without a figure becoming another."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from clickup_toolkit import charts
from clickup_toolkit.serve.dashboards.drawing import panel
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Panel
from clickup_toolkit.serve.dashboards.summaries import of_throughput

__all__ = ["cumulative_flow", "throughput", "tracked_time", "weekly"]

_MOST_DAYS = 190  # beyond, a point a week is fine enough
_YEARS = 5


def weekly(narrowed: Narrowed, links: Links) -> Panel:
    """Return the panel of throughput, each bar leading to the tasks that were done in its week."""
    table = throughput(narrowed)
    figure = charts.throughput(table)
    starts = dict(zip(table["week"].dt.strftime("%Y-%m-%d"), table["week"], strict=True))
    bars = [trace for trace in figure.data if trace.type == "bar"]
    for trace in bars:
        trace.update(customdata=[[str(at)[:10]] for at in trace.x], meta={"id": "week"})

    def lead(_kind: str, week: str) -> str:
        start: datetime = starts[week].to_pydatetime()
        return links.done_between(start, start + timedelta(days=7, milliseconds=-1))

    return panel("throughput", table, figure, links, summary=of_throughput(table), lead=lead)


def throughput(narrowed: Narrowed) -> pd.DataFrame:
    """Return the tasks finished in each week of the period; a week that begins before it counts whole."""
    return _within(narrowed.ask("throughput"), "week", narrowed)


def tracked_time(narrowed: Narrowed) -> pd.DataFrame:
    """Return the time tracked by each member in each week of the period, entries without times last."""
    table = narrowed.ask("tracked_time")
    return _within(table, "week", narrowed)


def cumulative_flow(narrowed: Narrowed) -> pd.DataFrame:
    """Return the cumulative flow at each day of the period, or each week of a long one."""
    first = narrowed.since or _first_task(narrowed)
    days = (narrowed.now - first) // timedelta(days=1) + 1
    weekly = days > _MOST_DAYS
    last = min(days // 7 + 1, 52 * _YEARS) if weekly else max(days, 2)
    table = narrowed.ask("cumulative_flow", last=int(last), unit="week" if weekly else "day")
    if narrowed.until is None:
        return table
    return _like(table, table["at"] <= pd.Timestamp(narrowed.until))


def _first_task(narrowed: Narrowed) -> pd.Timestamp:
    made = narrowed.table("tasks", ("date_created",))["date_created"].min()
    return pd.Timestamp(narrowed.now) if pd.isna(made) else min(made, pd.Timestamp(narrowed.now))


def _within(table: pd.DataFrame, column: str, narrowed: Narrowed) -> pd.DataFrame:
    """Leave out the periods that ended before the page's, or begin after it."""
    keep = pd.Series(True, index=table.index)
    if narrowed.since:
        keep &= ~(table[column] + pd.Timedelta(days=7) <= pd.Timestamp(narrowed.since))
    if narrowed.until:
        keep &= ~(table[column] > pd.Timestamp(narrowed.until))
    return _like(table, keep)


def _like(table: pd.DataFrame, keep: pd.Series) -> pd.DataFrame:
    kept = table[keep].reset_index(drop=True)
    kept.attrs |= table.attrs
    return kept
