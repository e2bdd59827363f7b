"""Monte Carlo forecasts: how the trials came out, with lines for the likelihoods."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import LIKELIHOODS
from clickup_toolkit.charts.colors import ACCENT
from clickup_toolkit.charts.look import DATES, empty, figure, upright

__all__ = ["MANY_LIKELIHOODS", "forecast_how_many", "forecast_when"]

MANY_LIKELIHOODS = tuple(sorted({*(round(part, 3) for part in np.arange(0.005, 1, 0.005)), *LIKELIHOODS}))
"""For the argument ``likelihoods`` of a forecast that is to be drawn: each stands for half a percent of the
trials, so that together they show how the trials are spread."""

_BARS = 40
_TOO_LITTLE = "Too little was finished in the days that the forecast draws from."


def forecast_how_many(
    table: pd.DataFrame, *, as_of: datetime | None = None, until: date | None = None
) -> go.Figure:
    """Draw how many tasks the trials finished, and how many are 50, 70, 85 and 95% likely at least.

    ``table`` is what :func:`clickup_toolkit.analyse.forecast_how_many` returns, best with
    :data:`MANY_LIKELIHOODS`; with few likelihoods their lines alone are drawn.
    """
    day = f" by {until:%d %b}" if until else ""
    question = f"How many will be done{day}?"
    if table.empty or not table["items"].max():
        return empty(question, _TOO_LITTLE)
    likely = _at(table, "items", 0.85)
    answer = f"Part of the simulated futures by tasks finished; 85% finished {likely:,.0f} or more"
    drawn = figure(question, answer, height=280, as_of=as_of, table=table)
    marks = {
        part: (float(at), f"{part:.0%}: {at:,.0f} or more") for part, at in _lines(table, "items").items()
    }
    _draw(drawn, table["items"].to_numpy("float64"), marks, "%{x:.0f} tasks")
    return drawn.update_xaxes(title="tasks finished")


def forecast_when(
    table: pd.DataFrame, *, as_of: datetime | None = None, items: int | None = None
) -> go.Figure:
    """Draw when the trials had finished the items, and by which dates that is 50, 70, 85 and 95% likely.

    ``table`` is what :func:`clickup_toolkit.analyse.forecast_when` returns, as for :func:`forecast_how_many`.
    """
    what = f"{items:,} more tasks" if items and items > 1 else "the next task" if items else "they"
    question = f"When will {what} be done?"
    known = table[table["date"].notna()]
    if known.empty:
        return empty(question, _TOO_LITTLE)
    lines = _lines(known, "date")
    sure = f"85% by {lines[0.85]:%d %b %Y}" if 0.85 in lines else "most of them later than can be told"
    answer = f"Part of the simulated futures by the day on which the last task was done; {sure}"
    drawn = figure(question, answer, height=280, as_of=as_of, table=table)
    days = known["date"].to_numpy("datetime64[D]").astype("float64")
    marks = {
        part: (pd.Timestamp(at).timestamp() / 86_400, f"{part:.0%}: by {at:%d %b %Y}")
        for part, at in lines.items()
    }
    _draw(drawn, days, marks, "%{x|%d %b %Y}", dates=True)
    return drawn.update_xaxes(title="done by", tickformat=DATES, nticks=6, tickangle=0)


def _at(table: pd.DataFrame, column: str, likelihood: float) -> float:
    """Return the figure of the likelihood, or of the nearest one that is told."""
    nearest = int((table["likelihood"] - likelihood).abs().to_numpy().argmin())
    return float(table[column].iloc[nearest])


def _lines(table: pd.DataFrame, column: str) -> dict[float, Any]:
    """Return what the usual likelihoods say, those that the table tells."""
    told = dict(zip(table["likelihood"].round(3), table[column], strict=True))
    return {part: told[part] for part in LIKELIHOODS if part in told}


def _draw(
    drawn: go.Figure,
    values: npt.NDArray[np.float64],
    marks: dict[float, tuple[float, str]],
    hover: str,
    *,
    dates: bool = False,
) -> None:
    """Draw the histogram, where there are values enough for one, and a labelled line for each mark."""
    low, high = values.min(), values.max()
    bars = int(min(_BARS, high - low + 1))
    width = max(float(np.ceil((high - low + 1) / bars)), 1.0)
    edges = np.arange(low - 0.5, high + width, width)
    counts, _ = np.histogram(values, edges)
    share = counts / len(values) if len(values) > 10 else np.zeros(len(counts))
    top = max(float(share.max()), 0.01)
    if share.any():
        drawn.add_bar(
            x=[_told(at, dates) for at in (edges[1:] + edges[:-1]) / 2],
            y=[round(float(part), 4) for part in share],
            width=width * (86_400_000 if dates else 1),
            marker={"color": ACCENT, "line": {"color": "white", "width": 1}},
            hovertemplate=f"%{{y:.1%}} of the futures: {hover}<extra></extra>",
        )
    middle = (low + high) / 2
    for place, (part, (at, words)) in enumerate(sorted(marks.items())):
        height = top * (1.5 - 0.11 * place)
        upright(drawn, _told(at, dates), height, words, left=at > middle, strong=part == 0.85)
    drawn.update_yaxes(title="part of the futures", tickformat=".0%", range=[0, top * 1.6])
    drawn.update_layout(showlegend=False)


def _told(at: float, dates: bool) -> float | str:
    return str(np.datetime64(round(at * 24), "h")) if dates else float(at)
