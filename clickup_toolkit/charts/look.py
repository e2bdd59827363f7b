"""The common look: template, colours, labels, units."""

from __future__ import annotations

import html
import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pandas as pd
import plotly.graph_objects as go
from plotly.io import templates

from clickup_toolkit.analyse.words import DAY, HOUR, MINUTE

__all__ = [
    "ACCENT",
    "FAINT",
    "INK",
    "PALETTE",
    "distinct_colors",
    "empty",
    "escaped",
    "figure",
    "in_unit",
    "label",
    "ticks",
    "unit_for",
    "wrapped",
    "written_on",
]

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")
"""Colour-blind-safe (M. Okabe and K. Ito, *Color Universal Design*, 2008), black replaced by grey."""
INK, FAINT, ACCENT = "#22272e", "#6b7480", "#0072B2"
_GRID = "#e6e9ed"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MINIMUM_CONTRAST = 1.3  # below, a bar cannot be told from the white behind it
_FAR = 0.25  # between two colours, of the 1.73 between black and white
_NARROW = 50  # characters of a subtitle that fit a telephone
_HEAD, _LINE, _LEGEND, _FOOT, _ROW = 52, 16, 42, 62, 36
_MIDDLE = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
_AXIS = {
    "gridcolor": _GRID,
    "zerolinecolor": _GRID,
    "automargin": True,
    "title": {"standoff": 8, "font": {"size": 13}},
}

templates["clickup_toolkit"] = go.layout.Template(
    layout=go.Layout(
        font={"family": _FONT, "size": 13, "color": INK},
        title={"x": 0, "xref": "container", "xanchor": "left", "y": 1, "yanchor": "top"},
        paper_bgcolor="white",
        plot_bgcolor="white",
        colorway=PALETTE,
        margin={"l": 12, "r": 20, "t": _HEAD, "b": _FOOT},
        hoverlabel={"align": "left", "font": {"family": _FONT, "size": 13}},
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        xaxis=_AXIS,
        yaxis={**_AXIS, "ticklabelstandoff": 6},
        uniformtext={"minsize": 10, "mode": "hide"},
    )
)


def figure(
    question: str,
    answer: str,
    *,
    rows: float = 0,
    height: int = 0,
    legend: bool = False,
    as_of: datetime | None = None,
) -> go.Figure:
    """Return an empty figure whose title asks ``question``, and says below it what is drawn.

    The plot is as high as ``height``, or as so many rows; there is room for a legend above it when asked for.
    """
    lines = _lines(answer, as_of)
    head = _HEAD + _LINE * len(lines) + (_LEGEND if legend else 0)
    title = {
        "text": f"<b>{question}</b>",
        "font": {"size": 16},
        "subtitle": {"text": "<br>".join(lines), "font": {"size": 12, "color": FAINT}},
        "pad": {"t": 14, "l": 12},
    }
    drawn = go.Figure(layout={"template": "clickup_toolkit", "title": title, "showlegend": legend})
    plot = height or _ROW * max(rows, 2)
    return drawn.update_layout(height=round(head + plot + _FOOT), margin_t=head)


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


def distinct_colors(statuses: pd.DataFrame) -> list[str]:
    """Colour the statuses of one workflow as ClickUp does, where that can be told apart.

    A status without a colour, with one that another has, or with one that hardly shows on white gets one of
    the colour-blind-safe palette that is unlike the others.
    """
    own = [color if _is_legible(color) else None for color in statuses["color"]]
    own = [None if color in own[:place] else color for place, color in enumerate(own)]
    used = [color for color in own if color]
    for place, color in enumerate(own):
        if color is None:
            own[place] = _unlike(used)
            used.append(str(own[place]))
    return [str(color) for color in own]


def written_on(color: str) -> str:
    """Return the colour of text that can be read on ``color``: the one with the higher contrast."""
    light = _luminance(color) + 0.05
    return INK if light / (_luminance(INK) + 0.05) > 1.05 / light else "#ffffff"


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


def _lines(answer: str, as_of: datetime | None) -> list[str]:
    """Break what is drawn, and the instant, into lines that fit a telephone."""
    lines = textwrap.wrap(answer, _NARROW)
    if as_of is None:
        return lines
    instant = f"{as_of.astimezone(UTC):%d %b %Y %H:%M} UTC"
    if lines and len(lines[-1]) + len(instant) + 3 <= _NARROW:
        return [*lines[:-1], f"{lines[-1]} · {instant}"]
    return [*lines, instant]


def _unlike(used: list[str]) -> str:
    """Return the first colour of the palette that is far from those in use, else the farthest."""
    if not used:
        return PALETTE[0]
    nearest = {color: min(_distance(color, other) for other in used) for color in PALETTE}
    return next((color for color in PALETTE if nearest[color] > _FAR), max(nearest, key=lambda c: nearest[c]))


def _distance(one: str, other: str) -> float:
    return math.dist(_parts(one), _parts(other))


def _parts(color: str) -> list[float]:
    return [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def _is_legible(color: object) -> bool:
    if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
        return False
    return 1.05 / (_luminance(color) + 0.05) >= _MINIMUM_CONTRAST


def _luminance(color: str) -> float:
    """Return the relative luminance, after WCAG 2.1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
