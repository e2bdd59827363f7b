"""A figure on a dark ground: the template and every colour that a figure bears of its own."""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go

from clickup_toolkit.charts.colors import DARK, Theme, legible, written_on
from clickup_toolkit.charts.look import template_of

__all__ = ["themed"]

_HEX = re.compile("#[0-9a-fA-F]{6}")
_GROUND = DARK["white"]
_TINTS = {
    "#e6eff6": "#1c3044",
    "#cfe0ed": "#25435d",
    "#b1cde1": "#315878",
    "#8fb6d3": "#3f6f94",
    "#d6e6f2": "#1f3a52",
    "#7fb3d8": "#3f86b8",
    "#003f66": "#9fd3f5",
    "#eef4f9": "#1b2733",
    "#6aa7d0": "#33739f",
    "#004b79": "#8cc7ef",
}
"""Bands and heat maps, of which the palest is nearly nothing, from the ground upwards."""


def themed(figure: go.Figure, theme: Theme) -> go.Figure:
    """Return the figure, which a function of this package drew, in a theme; the figure itself stays."""
    if theme == "light":
        return go.Figure(figure)
    told = figure.to_dict()
    told["layout"].pop("template", None)
    drawn = go.Figure(data=[_trace(trace) for trace in told["data"]], layout=_darkened(told["layout"]))
    return drawn.update_layout(template=template_of(theme))


def _trace(trace: dict[str, Any]) -> dict[str, Any]:
    """Darken a trace; what is written in its bars is in the colour that can be read on them."""
    dark: dict[str, Any] = _darkened(trace)
    marks = dark.get("marker", {}).get("color")
    if "insidetextfont" in dark and marks is not None:
        written = [written_on(color) for color in marks] if isinstance(marks, list) else written_on(marks)
        dark["insidetextfont"] = {**dark["insidetextfont"], "color": written}
    return dark


def _darkened(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: value if key in ("customdata", "ids", "meta") else _darkened(value)
            for key, value in part.items()
        }
    if isinstance(part, list | tuple):
        return [_darkened(each) for each in part]
    if not isinstance(part, str):
        return part
    return DARK[part] if part in DARK else _HEX.sub(lambda found: _color(found[0]), part)


def _color(color: str) -> str:
    return DARK.get(color) or _TINTS.get(color) or legible(color, _GROUND)
