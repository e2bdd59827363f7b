"""What finished tasks took, one by one: the scatterplot and the histogram."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.charts.colors import ACCENT, ALARM, INK, VEIL
from clickup_toolkit.charts.look import DATES, empty, figure, in_unit, instants, label, unit_for, upright

__all__ = ["Measured", "finished_work", "time_histogram"]

Measured: TypeAlias = Literal["cycle", "lead"]

_NAMES = {"cycle": "cycle time", "lead": "lead time"}
_QUESTIONS = {"cycle": "How long from start to done?", "lead": "How long from wish to done?"}
_PARTS = (0.85, 0.5, 0.95, 0.7)  # in the order in which they get a label where there is little room
_SLE = 0.85
_POINTS = 1500  # tasks drawn one by one; with more, cells tell how many, and the longest stay points
_LONGEST = 250
_FAR = 3  # times the 95th percentile: what took longer lies on the edge
_COLUMNS, _ROWS = 48, 32
_BARS = 30
_ROOM = 0.05  # of the height, for the label of a line
_NOTHING = "No finished task has a known {name}."


def finished_work(
    table: pd.DataFrame, *, as_of: datetime | None = None, measure: Measured = "cycle"
) -> go.Figure:
    """Draw each finished task by when it was done and what it took, with percentile lines.

    ``table`` is what :func:`clickup_toolkit.analyse.finished_work` returns. The line of 85 in 100 is the
    service level expectation. Of many tasks the longest are points, and all are counted in cells; what took
    more than three times the 95th percentile lies on the upper edge, as a triangle.
    """
    known, question = _known(table, measure), _QUESTIONS[measure]
    if known.empty:
        return empty(question, _NOTHING.format(name=_NAMES[measure]))
    edge = min(float(known["ms"].max()), max(float(known["ms"].quantile(0.95)) * _FAR, 60_000.0))
    unit, name = unit_for([edge])
    drawn = figure(question, _said(known, measure, name, edge), height=330, as_of=as_of, table=table)
    many = len(known) > _POINTS
    if many:
        drawn.add_trace(_cells(known, unit, edge))
    drawn.add_trace(_points(known.nlargest(_LONGEST, "ms") if many else known, unit, edge, many))
    for part, label_it in _labelled(known["ms"], edge):
        _percentile_line(drawn, part, float(known["ms"].quantile(part)), unit, label_it)
    drawn.update_yaxes(title=f"{_NAMES[measure]}, {name}", range=[0, edge / unit * 1.04])
    return drawn.update_xaxes(type="date", title="done on", tickformat=DATES, nticks=6, tickangle=0)


def _said(known: pd.DataFrame, measure: Measured, unit: str, edge: float) -> str:
    how = "darker cells hold more tasks" if len(known) > _POINTS else "each dot a task"
    late = int((known["ms"] > edge).sum())
    beyond = f"; {late:,} that took longer on the upper edge" if late else ""
    within = duration(float(known["ms"].quantile(_SLE)))
    return f"{_NAMES[measure].capitalize()} in {unit}, {how}{beyond}. Expect 85% within {within}"


def time_histogram(
    table: pd.DataFrame, *, as_of: datetime | None = None, measure: Measured = "cycle"
) -> go.Figure:
    """Draw how many finished tasks took how long, with percentile lines.

    ``table`` is what :func:`clickup_toolkit.analyse.finished_work` returns. The slowest 2 in 100 are counted
    in the last bar, so that they do not press the others together.
    """
    known, question = _known(table, measure), f"How is {_NAMES[measure]} spread?"
    if known.empty:
        return empty(question, _NOTHING.format(name=_NAMES[measure]))
    end = max(float(known["ms"].quantile(0.98)), 60_000.0)
    unit, name = unit_for([end])
    counts, edges = np.histogram(
        np.minimum(known["ms"], end), bins=min(_BARS, max(len(known), 5)), range=(0, end)
    )
    late = int((known["ms"] > end).sum())
    slow = f"; the last bar holds {late:,} that took longer" if late else ""
    answer = f"Finished tasks by their {_NAMES[measure]} in {name}{slow}"
    drawn = figure(question, answer, height=260, as_of=as_of, table=table)
    drawn.add_bar(
        x=[round(float(at) / unit, 4) for at in (edges[1:] + edges[:-1]) / 2],
        y=counts.tolist(),
        width=float(edges[1] / unit),
        marker={"color": ACCENT, "line": {"color": "white", "width": 1}},
        customdata=[[duration(low), duration(high)] for low, high in pairwise(edges)],
        hovertemplate="%{y} tasks took %{customdata[0]} to %{customdata[1]}<extra></extra>",
    )
    _percentile_marks(drawn, known["ms"], unit, int(counts.max()), end)
    drawn.update_yaxes(title="tasks", range=[0, int(counts.max()) * 1.32])
    return drawn.update_xaxes(title=name, rangemode="tozero").update_layout(showlegend=False)


def _known(table: pd.DataFrame, measure: Measured) -> pd.DataFrame:
    """Return the tasks for which the measure is known, one minute at least: a logarithm needs something."""
    known = table[table[f"{measure}_ms"].notna()]
    return known.assign(ms=known[f"{measure}_ms"].clip(lower=60_000))


def _points(shown: pd.DataFrame, unit: float, edge: float, small: bool) -> go.Scatter:
    told = zip(shown["name"], shown["ms"], shown["list"], shown["task_id"], strict=True)
    beyond = (shown["ms"] > edge).tolist()
    return go.Scatter(
        x=instants(shown["finished"]),
        y=in_unit(shown["ms"].clip(upper=edge), unit),
        mode="markers",
        marker={
            "size": 5 if small else 8,
            "symbol": ["triangle-up" if far else "circle" for far in beyond] if any(beyond) else "circle",
            "opacity": 0.75,
            "color": ACCENT,
            "line": {"color": "white", "width": 0.5},
        },
        cliponaxis=False,
        customdata=[
            [label(str(name), 60), duration(took), label(str(home), 40), task]
            for name, took, home, task in told
        ],
        meta={"id": "task"},
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}, done %{x|%d %b %Y}"
        "<br>%{customdata[2]}<extra></extra>",
        showlegend=False,
    )


def _cells(known: pd.DataFrame, unit: float, edge: float) -> go.Heatmap:
    """Return how many tasks lie in each cell of time and duration."""
    took = known["ms"].clip(upper=edge).to_numpy("float64") / unit
    at = known["finished"].dt.tz_localize(None).to_numpy("datetime64[m]").astype("float64")
    counts, across, up = np.histogram2d(at, took, bins=(_COLUMNS, _ROWS))
    return go.Heatmap(
        x=[str(np.datetime64(int(end), "m")) for end in across],
        y=[round(float(end), 4) for end in up],
        z=[[int(count) or None for count in row] for row in counts.T],
        colorscale=[[0, "#d6e6f2"], [0.35, "#7fb3d8"], [1, "#003f66"]],
        hovertemplate="%{z} tasks, around %{y:.3g} on %{x|%d %b %Y}<extra></extra>",
        showscale=False,
    )


def _labelled(values: pd.Series, edge: float) -> list[tuple[float, bool]]:
    """Return the percentiles, and whether there is room for the label of each."""
    taken: list[float] = []
    told = []
    for part in _PARTS:
        at = float(values.quantile(part)) / edge
        free = all(abs(at - other) > _ROOM for other in taken)
        taken += [at] if free else []
        told.append((part, free))
    return told


def _percentile_line(drawn: go.Figure, part: float, ms: float, unit: float, label_it: bool) -> None:
    is_sle = part == _SLE
    color = ALARM if is_sle else INK
    drawn.add_hline(
        y=ms / unit,
        line={"color": color, "width": 2 if is_sle else 1, "dash": "solid" if is_sle else "dot"},
    )
    if label_it:
        drawn.add_annotation(
            text=f"{part:.0%} within {duration(ms)}",
            font={"size": 11, "color": color},
            bgcolor=VEIL,
            borderpad=0,
            showarrow=False,
            x=1,
            xref="paper",
            xanchor="right",
            y=ms / unit,
            yanchor="bottom",
        )


def _percentile_marks(drawn: go.Figure, values: pd.Series, unit: float, highest: int, end: float) -> None:
    """Draw the percentiles as lines with labels, each on a height of its own so that none hides another."""
    for place, part in enumerate((0.5, 0.85, 0.95)):
        ms = float(values.quantile(part))
        at, height = min(ms, end), highest * (1.26 - 0.1 * place)
        words = f"{part:.0%} within {duration(ms)}"
        upright(drawn, at / unit, height, words, left=at / end > 0.5, strong=part == _SLE)
