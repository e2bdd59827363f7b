"""The common look: template, titles, labels, units."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pandas as pd
import plotly.graph_objects as go
from plotly.io import templates

from clickup_toolkit.analyse.source import APPROXIMATED, EXACT, SIMULATED, provenance
from clickup_toolkit.analyse.words import DAY, HOUR, MINUTE
from clickup_toolkit.charts.colors import ACCENT, DARK, FAINT, GRID, INK, PALETTE, VEIL, Theme

__all__ = [
    "ACCENT",
    "DATES",
    "FAINT",
    "INK",
    "PALETTE",
    "empty",
    "escaped",
    "figure",
    "in_unit",
    "instants",
    "label",
    "source_of",
    "template_of",
    "ticks",
    "unit_for",
    "upright",
    "wrapped",
]

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
DATES = "%d %b\n%Y"
"""How an axis tells days: the year below, where it changes."""
_NARROW = 50  # characters of a subtitle that fit a telephone
_HEAD, _LINE, _LEGEND, _FOOT, _ROW = 52, 16, 42, 62, 36
_MIDDLE = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}


def _template(ink: str, grid: str, paper: str) -> go.layout.Template:
    title = {"font": {"size": 13}}
    axis = {"gridcolor": grid, "zerolinecolor": grid, "automargin": True, "title": title}
    return go.layout.Template(
        layout=go.Layout(
            font={"family": _FONT, "size": 13, "color": ink},
            title={"x": 0, "xref": "container", "xanchor": "left", "y": 1, "yanchor": "top"},
            paper_bgcolor=paper,
            plot_bgcolor=paper,
            colorway=PALETTE,
            margin={"l": 12, "r": 20, "t": _HEAD, "b": _FOOT},
            hoverlabel={"align": "left", "font": {"family": _FONT, "size": 13}},
            hovermode="closest",
            legend={
                "orientation": "h",
                "x": 0.01,
                "xref": "container",
                "xanchor": "left",
                "y": 0.01,
                "yref": "container",
                "yanchor": "bottom",
            },
            # No standoff below: where no tick label has room (JupyterLab's sidebar leaves a chart 22 px of a
            # telephone's 390), Plotly reckons it from nothing, and puts the title at -Infinity.
            xaxis=axis,
            yaxis={**axis, "title": {**title, "standoff": 8}, "ticklabelstandoff": 6},
            uniformtext={"minsize": 10, "mode": "hide"},
        )
    )


_TEMPLATES = {"light": "clickup_toolkit", "dark": "clickup_toolkit_dark"}
templates[_TEMPLATES["light"]] = _template(INK, GRID, "white")
templates[_TEMPLATES["dark"]] = _template(DARK[INK], DARK[GRID], DARK["white"])


def template_of(theme: Theme) -> str:
    """Return the name of the template of a theme."""
    return _TEMPLATES[theme]


def figure(
    question: str,
    answer: str,
    *,
    rows: float = 0,
    height: int = 0,
    legend: bool = False,
    as_of: datetime | None = None,
    table: pd.DataFrame | None = None,
) -> go.Figure:
    """Return an empty figure whose title asks ``question``, and says below it what is drawn.

    The plot is as high as ``height``, or as so many rows; there is room for a legend below it when asked for.
    Of ``table``, which is drawn, it says whether its figures are exact, observed or approximated.
    """
    lines = _lines(answer, "" if table is None else source_of(table), as_of)
    head = _HEAD + _LINE * len(lines)
    title = {
        "text": f"<b>{question}</b>",
        "font": {"size": 16},
        "subtitle": {"text": "<br>".join(lines), "font": {"size": 12, "color": FAINT}},
        "pad": {"t": 14, "l": 12},
    }
    drawn = go.Figure(layout={"template": "clickup_toolkit", "title": title, "showlegend": legend})
    plot = height or _ROW * max(rows, 2)
    foot = _FOOT + (_LEGEND if legend else 0)
    return drawn.update_layout(height=round(head + plot + foot), margin={"t": head, "b": foot})


def upright(
    drawn: go.Figure, at: float | str, height: float, words: str, *, left: bool, strong: bool
) -> None:
    """Draw an upright line from the axis to ``height``, with words at its top, on its left or its right."""
    line = {"color": INK, "width": 2 if strong else 1, "dash": "solid" if strong else "dot"}
    drawn.add_shape(type="line", x0=at, x1=at, y0=0, y1=height, line=line)
    drawn.add_annotation(
        text=words,
        x=at,
        y=height,
        xanchor="right" if left else "left",
        yanchor="middle",
        showarrow=False,
        borderpad=1,
        bgcolor=VEIL,
        font={"size": 12, "color": INK},
    )


def source_of(table: pd.DataFrame) -> str:
    """Say in a few words whether a measure's figures are exact, observed or approximated."""
    word, since = provenance(table)
    if word == EXACT:
        return "exact figures"
    if word == SIMULATED:
        return "simulated from the throughput of past days"
    if since is None:
        return "approximated from ClickUp's sums"
    day = f"{since:%d %b %Y}"
    return (
        f"observed since {day}, before that approximated" if word == APPROXIMATED else f"observed since {day}"
    )


def empty(question: str, why: str) -> go.Figure:
    """Return a figure that says why there is nothing to draw."""
    drawn = figure(question, "", height=70)
    drawn.update_xaxes(visible=False).update_yaxes(visible=False)
    words = "<br>".join(textwrap.wrap(why, 46))
    return drawn.add_annotation(**_MIDDLE, text=words, font={"color": FAINT, "size": 14})


def label(text: str, width: int = 24) -> str:
    """Return a name that is safe in a figure and not longer than ``width``."""
    return escaped(text if len(text) <= width else text[: width - 1].rstrip() + "…")


def wrapped(text: str, width: int = 18) -> str:
    """Return a name on at most two lines of ``width``."""
    lines = textwrap.wrap(text, width, break_long_words=True, max_lines=2, placeholder="…")
    return "<br>".join(escaped(line) for line in lines)


def escaped(text: str) -> str:
    """Return a text that Plotly does not read as markup."""
    return html.escape(text, quote=False)


def unit_for(values: Iterable[float]) -> tuple[float, str]:
    """Return the unit that fits the largest duration: its length in ms and its name."""
    largest = max((value for value in values if not math.isnan(value)), default=0.0)
    if largest < 2 * HOUR:
        return MINUTE, "minutes"
    return (HOUR, "hours") if largest < 2 * DAY else (DAY, "days")


def in_unit(values: pd.Series, unit: float) -> list[float]:
    """Return durations in ``unit``, for an axis."""
    return [round(float(value) / unit, 4) for value in values]


def ticks(largest: float) -> dict[str, Sequence[object]]:
    """Return the ticks of a logarithmic axis of durations in days, in words: 1 h, 1 d, 7 d, …"""
    marks = {
        MINUTE: "1 min",
        HOUR: "1 h",
        DAY: "1 d",
        7 * DAY: "7 d",
        30 * DAY: "30 d",
        180 * DAY: "180 d",
        1096 * DAY: "3 y",
    }
    shown = [mark for mark in marks if mark <= largest * 1.5] or [MINUTE]
    return {"tickvals": [mark / DAY for mark in shown], "ticktext": [marks[mark] for mark in shown]}


def instants(times: pd.Series) -> list[str]:
    """Return times for an axis: to the minute, in UTC."""
    return [str(text) for text in times.dt.strftime("%Y-%m-%dT%H:%M")]


def _lines(answer: str, source: str, as_of: datetime | None) -> list[str]:
    """Break what is drawn, where it comes from, and the instant, into lines that fit a telephone."""
    lines = textwrap.wrap(answer, _NARROW)
    instant = f"{as_of.astimezone(UTC):%d %b %Y %H:%M} UTC" if as_of else ""
    for words in (source, instant):
        if not words:
            continue
        if lines and len(lines[-1]) + len(words) + 3 <= _NARROW:
            lines[-1] += f" · {words}"
        else:
            lines.append(words)
    return lines
