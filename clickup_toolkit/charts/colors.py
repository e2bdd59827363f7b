"""Colours: a palette that colour-blind people can tell apart, ClickUp's own where they show, two themes.

Marks have a contrast of at least 3 to 1 with what is behind them (WCAG 2.1, success criterion 1.4.11): a
colour that has less is made darker, on a dark ground lighter, and keeps its hue.
"""

from __future__ import annotations

import colorsys
import math
import re
from functools import cache
from typing import Literal, TypeAlias

import pandas as pd

__all__ = [
    "ACCENT",
    "ALARM",
    "DARK",
    "FAINT",
    "GRID",
    "INK",
    "MUTED",
    "PALE",
    "PALETTE",
    "VEIL",
    "WARNING",
    "Theme",
    "contrast",
    "distinct_colors",
    "legible",
    "written_on",
]

Theme: TypeAlias = Literal["light", "dark"]

INK, FAINT, GRID = "#22272e", "#6b7480", "#e6e9ed"
MUTED, PALE, VEIL = "#818b98", "#a9cbe3", "rgba(255,255,255,0.8)"
"""Grey beside a colour; a pale bar for what is not over; what lies behind words on a plot."""
DARK = {INK: "#e6edf3", FAINT: "#9aa5b1", GRID: "#30363d", PALE: "#33556e", "white": "#161b22"}
DARK[VEIL] = "rgba(22,27,34,0.8)"
"""What the dark theme has in place of the light one's own colours."""

_ENOUGH = 3.0
_NOTICEABLE = 1.3  # below, ClickUp's colour is nearly that of the ground, and another one is taken
_FAR = 0.25  # between two colours, of the 1.73 between black and white
_OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#B24000", "#3B3B3B", "#7F7F7F")


def _luminance(color: str) -> float:
    """Return the relative luminance, after WCAG 2.1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, after WCAG 2.1."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@cache
def legible(color: str, ground: str = "#ffffff") -> str:
    """Return the colour, made darker or lighter until it stands out from the ground by 3 to 1."""
    if contrast(color, ground) >= _ENOUGH:
        return color
    hue, light, rich = colorsys.rgb_to_hls(*_parts(color))
    step = -0.01 if _luminance(ground) > 0.5 else 0.01
    while contrast(color, ground) < _ENOUGH and 0 <= light + step <= 1:
        light += step
        color = "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, light, rich))
    return color


PALETTE = tuple(legible(color) for color in _OKABE_ITO)
"""Colour-blind-safe, after M. Okabe and K. Ito, *Color Universal Design*, 2008: the pale ones as dark as
white asks for, vermilion darker, so that it stays unlike orange then, and grey in place of yellow."""
ACCENT, WARNING, ALARM = PALETTE[0], PALETTE[1], PALETTE[5]


def distinct_colors(statuses: pd.DataFrame) -> list[str]:
    """Colour the statuses of one workflow as ClickUp does, where that can be told apart.

    A status without a colour, with one that another has, or with one that hardly shows on white gets one of
    the colour-blind-safe palette that is unlike the others.
    """
    own = [legible(color) if _is_noticeable(color) else None for color in statuses["color"]]
    own = [None if color in own[:place] else color for place, color in enumerate(own)]
    used = [color for color in own if color]
    for place, color in enumerate(own):
        if color is None:
            own[place] = _unlike(used)
            used.append(str(own[place]))
    return [str(color) for color in own]


def written_on(color: str) -> str:
    """Return the colour of text that can be read on ``color``: the one with the higher contrast."""
    return INK if contrast(color, INK) > contrast(color, "#ffffff") else "#ffffff"


def _unlike(used: list[str]) -> str:
    """Return the first colour of the palette that is far from those in use, else the farthest."""
    if not used:
        return PALETTE[0]
    nearest = {color: min(_distance(color, other) for other in used) for color in PALETTE}
    return next((color for color in PALETTE if nearest[color] > _FAR), max(nearest, key=lambda c: nearest[c]))


def _distance(one: str, other: str) -> float:
    return math.dist(_parts(one), _parts(other))


def _is_noticeable(color: object) -> bool:
    if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
        return False
    return contrast(color, "#ffffff") >= _NOTICEABLE
