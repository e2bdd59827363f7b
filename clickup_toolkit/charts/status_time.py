"""Time in status: where a task's time goes, and how long a status may take."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration, percent
from clickup_toolkit.analyse.basis import NOT_STARTED
from clickup_toolkit.charts.colors import ACCENT, INK, distinct_colors, written_on
from clickup_toolkit.charts.look import empty, figure, in_unit, label, unit_for
from clickup_toolkit.charts.rows import (
    colors_of,
    group_names,
    has_groups,
    hover,
    label_rows,
    names_of,
    rows_of,
)

__all__ = ["NO_TIMES", "median_and_p85", "time_in_status"]

NO_TIMES = "No time in status to show: there are no such tasks, or ClickUp does not tell it (see the gaps)."
_ROOM_FOR_TOTALS = 64


def time_in_status(
    table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15, not_started: bool = False
) -> go.Figure:
    """Draw how long a task of each group spends in each status: stacked bars, in the workflow's order.

    ``table`` is what :func:`clickup_toolkit.analyse.time_in_status` returns. Its ``per_task_ms`` add up, so
    a bar is as long as a task takes; without groups each status has a bar, its ``mean_ms``. The ``top`` bars
    with most time in all are drawn; statuses before the start are left out unless ``not_started``.
    """
    question = "How long in each status?"
    shown = table if not_started else table[~table["status_type"].isin(NOT_STARTED)]
    if shown.empty:
        return empty(question, NO_TIMES)
    bars, left_out = _bars(shown, top)
    unit, name = unit_for(bars.groupby("bar")["length"].sum())
    first, grouped = bars.drop_duplicates("bar"), has_groups(table)
    answer = _answer(table, name, left_out, not_started)
    rows = len(first) * (1.25 if grouped else 1)  # segments bear their name and length, on two lines
    drawn = figure(question, answer, rows=rows, as_of=as_of, table=table)
    for _, segments in bars.groupby(bars.groupby("bar").cumcount()):
        drawn.add_bar(**_segments(segments, unit), textposition="inside" if grouped else "none")
    drawn.add_scatter(**_totals(bars, unit))
    label_rows(drawn, group_names(first) if grouped else names_of(first))
    drawn.update_xaxes(title=name, rangemode="tozero")
    return drawn.update_layout(barmode="stack", bargap=0.2 if grouped else 0.3, margin_r=_ROOM_FOR_TOTALS)


def median_and_p85(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15) -> go.Figure:
    """Draw, for each status, what half and what 85 in 100 of the tasks spend in it at most.

    ``table`` is what :func:`clickup_toolkit.analyse.time_in_status` or ``where_work_waits`` returns; the
    ``top`` statuses with the largest p85 are drawn, those before the start left out.
    """
    question = "How long may a status take?"
    shown = table[~table["status_type"].isin(NOT_STARTED)]
    shown = shown.sort_values(["p85_ms", "status_key"], ascending=[False, True]).head(top)
    if shown.empty:
        return empty(question, NO_TIMES)
    unit, name = unit_for(shown["p85_ms"])
    answer = f"{name.capitalize()} that a task spends in the status, the longest first"
    drawn = figure(question, answer, rows=len(shown), legend=True, as_of=as_of, table=table)
    middle, late = in_unit(shown["median_ms"], unit), in_unit(shown["p85_ms"], unit)
    drawn.add_scatter(
        x=[at for pair in zip(middle, late, strict=True) for at in (*pair, None)],
        y=[at for row in rows_of(shown) for at in (row, row, None)],
        mode="lines",
        line={"color": "#c3c9d1", "width": 3},
        hoverinfo="skip",
        showlegend=False,
    )
    told = hover(shown, "median_ms", "p85_ms")
    drawn.add_scatter(**_dots("half within", "circle-open", middle, told))
    drawn.add_scatter(**_dots("85% within", "circle", late, told))
    label_rows(drawn, names_of(shown))
    return drawn.update_xaxes(title=name, rangemode="tozero")


def _answer(table: pd.DataFrame, unit: str, left_out: int, not_started: bool) -> str:
    whom = (
        f"task, by {str(table.columns[1]).replace('_', ' ')}" if has_groups(table) else "task that was in it"
    )
    part = "" if not_started else ", from start of work to done"
    more = f"; {left_out} more not shown" if left_out else ""
    return f"Mean {unit} per {whom}{part}{more}"


def _bars(table: pd.DataFrame, top: int) -> tuple[pd.DataFrame, int]:
    """Give the bars with most time their place (``bar``), length and shades; count those left out."""
    grouped = has_groups(table)
    table = table.assign(
        group=table[table.columns[0] if grouped else "status_key"].astype("str"),
        length=table["per_task_ms" if grouped else "mean_ms"],
    )
    sums = table.groupby("group", sort=False).agg(time=("sum_ms", "sum"), length=("length", "sum"))
    chosen = sums.sort_values("time", ascending=False).head(top).sort_values("length", ascending=False)
    places = pd.Series(range(len(chosen)), index=chosen.index)
    bars = table[table["group"].isin(chosen.index)]
    bars = bars.assign(bar=bars["group"].map(places)).sort_values("bar", kind="stable").reset_index(drop=True)
    if grouped:
        bars["shade"] = [color for _, rows in bars.groupby("bar") for color in distinct_colors(rows)]
    else:
        bars["shade"] = colors_of(bars)
    return bars, len(sums) - len(chosen)


def _segments(rows: pd.DataFrame, unit: float) -> dict[str, object]:
    shades = rows["shade"].tolist()
    counts = zip(rows["tasks"], rows["waiting"], rows["share"], strict=True)
    told = hover(rows, "length", "median_ms", "p85_ms")
    for words, (tasks, waiting, share) in zip(told, counts, strict=True):
        words[-1:] = [f"{tasks:,}", f"{waiting:,}", percent(share), words[-1]]
    names = zip(rows["status"], rows["length"], strict=True)
    return {
        "y": rows["bar"].tolist(),
        "x": in_unit(rows["length"], unit),
        "orientation": "h",
        "marker": {"color": shades, "line": {"color": "white", "width": 1.5}},
        "text": [f"{label(str(name))}<br>{duration(length)}" for name, length in names],
        "insidetextanchor": "middle",
        "insidetextfont": {"size": 12, "color": [written_on(shade) for shade in shades]},
        "textangle": 0,
        "customdata": told,
        "meta": {"id": "status"},
        "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]} per task, %{customdata[6]} of the time"
        "<br>%{customdata[4]} tasks have been in it, %{customdata[5]} wait in it now"
        "<br>half of them within %{customdata[2]}, 85% within %{customdata[3]}<extra></extra>",
    }


def _totals(bars: pd.DataFrame, unit: float) -> dict[str, object]:
    totals = bars.groupby("bar")["length"].sum()
    return {
        "y": totals.index.tolist(),
        "x": in_unit(totals, unit),
        "mode": "text",
        "text": [f" {duration(total)}" for total in totals],
        "textposition": "middle right",
        "textfont": {"color": INK},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _dots(name: str, symbol: str, values: list[float], told: list[list[str]]) -> dict[str, object]:
    return {
        "x": values,
        "y": list(range(len(values))),
        "mode": "markers",
        "name": name,
        "marker": {"color": ACCENT, "size": 11, "symbol": symbol, "line": {"width": 2.5, "color": ACCENT}},
        "customdata": told,
        "meta": {"id": "status"},
        "hovertemplate": "<b>%{customdata[0]}</b><br>half of the tasks within %{customdata[1]}"
        "<br>85% within %{customdata[2]}<extra></extra>",
    }
