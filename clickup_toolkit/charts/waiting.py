"""Where unfinished work waits: the ranking, the ages, the queues over time."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration, percent
from clickup_toolkit.analyse.words import DAY
from clickup_toolkit.charts.colors import PALETTE, written_on
from clickup_toolkit.charts.look import empty, escaped, figure, in_unit, instants, label, ticks
from clickup_toolkit.charts.rows import (
    colors_of,
    hover,
    label_rows,
    line_names,
    names_of,
    of_same_row,
    rows_of,
)
from clickup_toolkit.charts.status_time import NO_TIMES

__all__ = ["queues", "waiting_now", "where_work_waits"]

_POINTS = 40  # tasks drawn one by one in each status; the box tells of the others
_MINUTE = 1 / 1440


def where_work_waits(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 12) -> go.Figure:
    """Draw the ranking of the statuses by their share of unfinished work's time.

    ``table`` is what :func:`clickup_toolkit.analyse.where_work_waits` returns.
    """
    question = "Where does unfinished work wait?"
    shown = table[table["time_ms"] > 0].head(top)
    if shown.empty:
        return empty(question, NO_TIMES)
    answer = "Part of the time that unfinished tasks have spent since they were started; (tasks there now)"
    drawn = figure(question, answer, rows=len(shown), as_of=as_of, table=table)
    drawn.add_bar(
        y=rows_of(shown),
        x=[round(share, 4) for share in shown["share"]],
        orientation="h",
        marker={"color": colors_of(shown)},
        text=[percent(share) for share in shown["share"]],
        textposition="auto",
        constraintext="none",
        cliponaxis=False,
        insidetextfont={"color": [written_on(color) for color in colors_of(shown)]},
        customdata=hover(shown, "time_ms", "median_ms", "p85_ms", "oldest_ms"),
        meta={"id": "status"},
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} spent by unfinished tasks, %{text}"
        "<br>all tasks: half within %{customdata[2]}, 85% within %{customdata[3]}"
        "<br>oldest waiting now: %{customdata[4]}<extra></extra>",
    )
    label_rows(drawn, names_of(shown, shown["waiting"]))
    room = float(shown["share"].max()) * 1.15  # for the text beside the bars
    drawn.update_xaxes(range=[0, room], showticklabels=False, showgrid=False)
    return drawn.update_layout(
        bargap=0.3, uniformtext_mode=False, margin_b=20, height=drawn.layout.height - 42
    )


def waiting_now(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 12) -> go.Figure:
    """Draw the age in the current status of all unfinished tasks: a box for each status, a dot for a task.

    ``table`` is what :func:`clickup_toolkit.analyse.waiting_now` returns. The ``top`` statuses by the sum of
    the ages are drawn, and the oldest tasks of each one by one, so the figure stays small with any number.
    """
    question = "How long has work been waiting?"
    if table.empty:
        return empty(question, "No started, unfinished task has a known time in its status.")
    shown = _ages(table).head(top)
    answer = "Age of unfinished tasks in their status, logarithmic; the box holds half of them; (tasks)"
    drawn = figure(question, answer, rows=len(shown), as_of=as_of, table=table)
    drawn.add_trace(_boxes(shown))
    drawn.add_trace(_oldest(table, shown))
    label_rows(drawn, names_of(shown, shown["waiting"]))
    return drawn.update_xaxes(type="log", tickangle=0, **ticks(float(shown["most"].max())))


def queues(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 6) -> go.Figure:
    """Draw how many tasks stood in each status, week by week: the ``top`` statuses with the longest queue.

    ``table`` is what :func:`clickup_toolkit.analyse.queues` returns.
    """
    question = "Which queue grows?"
    if table.empty:
        return empty(question, NO_TIMES)
    answer = "Tasks in the status at each week's end; the last point is exact"
    drawn = figure(question, answer, height=260, as_of=as_of, table=table)
    last = table[table["at"] == table["at"].max()].sort_values("queue", ascending=False).head(top)
    for number, name in enumerate(line_names(last)):
        line = table[of_same_row(table, last.iloc[number])]
        drawn.add_scatter(
            x=instants(line["at"]),
            y=line["queue"].tolist(),
            name=name,
            mode="lines+markers",
            line={"color": PALETTE[number % len(PALETTE)], "width": 2.5},
            marker={"size": 6, "symbol": number},
            customdata=[[str(last["status_key"].iloc[number])]] * len(line),
            meta={"id": "status"},
            hovertemplate="%{y} tasks on %{x|%d %b %Y}<extra>%{fullData.name}</extra>",
        )
    drawn.update_yaxes(title="tasks", rangemode="tozero")
    drawn.update_xaxes(tickformat="%d %b")
    below = 19 * len(last)
    drawn.update_layout(showlegend=True, margin_b=drawn.layout.margin.b + below)
    return drawn.update_layout(height=drawn.layout.height + below)


def _ages(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up the ages in each status, the largest sum first."""
    ages = table.groupby("status_key").agg(
        status=("status", "first"),
        place=("place", "first"),
        color=("color", "first"),
        waiting=("age_ms", "size"),
        total=("age_ms", "sum"),
        least=("age_ms", "min"),
        most=("age_ms", "max"),
    )
    for name, part in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
        ages[name] = table.groupby("status_key")["age_ms"].quantile(part)
    return ages.sort_values("total", ascending=False).reset_index()[[*ages.columns, "status_key"]]


def _boxes(shown: pd.DataFrame) -> go.Box:
    days = {column: _days(shown[column]) for column in ("q1", "median", "q3", "least", "most")}
    return go.Box(
        y=rows_of(shown),
        q1=days["q1"],
        median=days["median"],
        q3=days["q3"],
        lowerfence=days["least"],
        upperfence=days["most"],
        orientation="h",
        fillcolor="rgba(0,114,178,0.10)",
        line={"color": "#8aa4b8", "width": 1.5},
        hoverinfo="skip",
    )


def _oldest(table: pd.DataFrame, shown: pd.DataFrame) -> go.Scatter:
    """Return the oldest tasks of each status as dots, spread a little so that none hides another."""
    points = table[table["status_key"].isin(shown["status_key"])].groupby("status_key").head(_POINTS)
    rows = points["status_key"].map(dict(zip(shown["status_key"], rows_of(shown), strict=True)))
    spread = (points.groupby("status_key").cumcount() * 0.618) % 1 * 0.5 - 0.25
    colors = dict(zip(shown["status_key"], colors_of(shown), strict=True))
    told = zip(
        points["name"], points["age_ms"], points["status"], points["list"], points["task_id"], strict=True
    )
    return go.Scatter(
        x=_days(points["age_ms"]),
        y=[round(row + off, 3) for row, off in zip(rows, spread, strict=True)],
        mode="markers",
        marker={
            "size": 7,
            "opacity": 0.8,
            "color": points["status_key"].map(colors).tolist(),
            "line": {"color": "white", "width": 0.5},
        },
        customdata=[
            [label(str(name), 60), duration(age), f"{escaped(str(status))} · {escaped(str(home))}", task]
            for name, age, status, home, task in told
        ],
        meta={"id": "task"},
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} in %{customdata[2]}<extra></extra>",
    )


def _days(ages: pd.Series) -> list[float]:
    """Return ages in days, a minute at least: a logarithm needs something."""
    return [max(days, _MINUTE) for days in in_unit(ages, DAY)]
