"""What finished tasks took, one by one: the scatterplot and the histogram."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.analyse.words import DAY
from clickup_toolkit.charts.colors import ACCENT, ALARM, INK
from clickup_toolkit.charts.look import empty, figure, in_unit, instants, label, ticks, unit_for

__all__ = ["Measured", "finished_work", "time_histogram"]

Measured: TypeAlias = Literal["cycle", "lead"]

_NAMES = {"cycle": "cycle time", "lead": "lead time"}
_QUESTIONS = {"cycle": "How long from start to done?", "lead": "How long from wish to done?"}
_PARTS = (0.85, 0.5, 0.95, 0.7)  # in the order in which they get a label where there is little room
_SLE = 0.85
_POINTS = 1500  # tasks drawn one by one; with more, cells tell how many, and the longest stay points
_LONGEST = 250
_COLUMNS, _ROWS = 48, 32
_BARS = 30
_NOTHING = "No finished task has a known {name}."
_LINE = {"color": INK, "width": 1}


def finished_work(
    table: pd.DataFrame, *, as_of: datetime | None = None, measure: Measured = "cycle"
) -> go.Figure:
    """Draw each finished task by when it was done and what it took, with percentile lines.

    ``table`` is what :func:`clickup_toolkit.analyse.finished_work` returns. The line of 85 in 100 is the
    service level expectation. Of many tasks the longest are points, and all are counted in cells.
    """
    known, question = _known(table, measure), _QUESTIONS[measure]
    if known.empty:
        return empty(question, _NOTHING.format(name=_NAMES[measure]))
    within = float(known["ms"].quantile(_SLE))
    many = len(known) > _POINTS
    how = "darker cells hold more tasks" if many else "each dot a task"
    answer = f"{_NAMES[measure].capitalize()}, logarithmic; {how}. Expect 85% within {duration(within)}"
    drawn = figure(question, answer, height=330, as_of=as_of, table=table)
    if many:
        drawn.add_trace(_cells(known))
    drawn.add_trace(_points(known.nlargest(_LONGEST, "ms") if many else known, many))
    for part, label_it in _labelled(known["ms"]):
        _percentile_line(drawn, part, float(known["ms"].quantile(part)), label_it)
    drawn.update_yaxes(type="log", title=_NAMES[measure], **ticks(float(known["ms"].max())))
    return drawn.update_xaxes(type="date", title="done on", tickformat="%d %b<br>%Y", nticks=7)


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
    drawn.add_scatter(**_marks(known["ms"], unit, int(counts.max()), end))
    drawn.update_yaxes(title="tasks", range=[0, int(counts.max()) * 1.32])
    return drawn.update_xaxes(title=name, rangemode="tozero").update_layout(showlegend=False)


def _known(table: pd.DataFrame, measure: Measured) -> pd.DataFrame:
    """Return the tasks for which the measure is known, one minute at least: a logarithm needs something."""
    known = table[table[f"{measure}_ms"].notna()]
    return known.assign(ms=known[f"{measure}_ms"].clip(lower=60_000))


def _points(shown: pd.DataFrame, small: bool) -> go.Scatter:
    told = zip(shown["name"], shown["ms"], shown["list"], shown["task_id"], strict=True)
    return go.Scatter(
        x=instants(shown["finished"]),
        y=in_unit(shown["ms"], DAY),
        mode="markers",
        marker={
            "size": 5 if small else 8,
            "opacity": 0.75,
            "color": ACCENT,
            "line": {"color": "white", "width": 0.5},
        },
        customdata=[
            [label(str(name), 60), duration(took), label(str(home), 40), task]
            for name, took, home, task in told
        ],
        meta={"id": "task"},
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}, done %{x|%d %b %Y}"
        "<br>%{customdata[2]}<extra></extra>",
        showlegend=False,
    )


def _cells(known: pd.DataFrame) -> go.Heatmap:
    """Return how many tasks lie in each cell of time and duration."""
    days = np.log10(known["ms"].to_numpy("float64") / DAY)
    at = known["finished"].dt.tz_localize(None).to_numpy("datetime64[m]").astype("float64")
    counts, across, up = np.histogram2d(at, days, bins=(_COLUMNS, _ROWS))
    return go.Heatmap(
        x=[str(np.datetime64(int(edge), "m")) for edge in across],
        y=[round(float(10**edge), 5) for edge in up],
        z=[[int(count) or None for count in row] for row in counts.T],
        colorscale=[[0, "#d6e6f2"], [0.35, "#7fb3d8"], [1, "#003f66"]],
        hovertemplate="%{z} tasks<extra></extra>",
        colorbar={"title": {"text": "tasks"}, "thickness": 12, "len": 0.8},
        showscale=True,
    )


def _labelled(values: pd.Series) -> list[tuple[float, bool]]:
    """Return the percentiles, and whether there is room for the label of each on a logarithmic axis."""
    whole = max(float(np.log10(values.max() / values.min())), 0.3) * 1.1
    taken: list[float] = []
    told = []
    for part in _PARTS:
        at = float(np.log10(values.quantile(part)))
        free = all(abs(at - other) / whole > 0.055 for other in taken)
        taken += [at] if free else []
        told.append((part, free))
    return told


def _percentile_line(drawn: go.Figure, part: float, ms: float, label_it: bool) -> None:
    is_sle = part == _SLE
    drawn.add_hline(
        y=ms / DAY,
        line={
            "color": ALARM if is_sle else INK,
            "width": 2 if is_sle else 1,
            "dash": "solid" if is_sle else "dot",
        },
    )
    if label_it:
        drawn.add_annotation(
            text=f"{part:.0%} within {duration(ms)}",
            font={"size": 11, "color": ALARM if is_sle else INK},
            bgcolor="rgba(255,255,255,0.8)",
            borderpad=1,
            showarrow=False,
            x=1,
            xref="paper",
            xanchor="right",
            y=float(np.log10(ms / DAY)),
            yanchor="bottom",
        )


def _marks(values: pd.Series, unit: float, highest: int, end: float) -> dict[str, object]:
    """Return the percentiles as lines with labels, each on a height of its own so that none hides another."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for place, part in enumerate((0.5, 0.85, 0.95)):
        ms = min(float(values.quantile(part)), end)
        top = highest * (1.26 - 0.09 * place)
        right = ms / end > 0.6
        x += [ms / unit, ms / unit, None]
        y += [0, top, None]
        words = f"{part:.0%} within {duration(float(values.quantile(part)))}"
        text += ["", f"{words} " if right else f" {words}", ""]
    places = ["middle left" if at is not None and at * unit / end > 0.6 else "middle right" for at in x]
    return {
        "x": x,
        "y": y,
        "text": text,
        "mode": "lines+text",
        "textposition": places,
        "textfont": {"size": 11},
        "line": {**_LINE, "dash": "dot"},
        "hoverinfo": "skip",
    }
