"""Charts whose rows are statuses or groups: labels, colours, what the pointer shows."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.charts.colors import ACCENT, FAINT, distinct_colors, written_on
from clickup_toolkit.charts.look import escaped, in_unit, label, wrapped

__all__ = [
    "colors_of",
    "group_ids",
    "group_names",
    "has_groups",
    "hover",
    "label_rows",
    "line_names",
    "names_of",
    "of_same_row",
    "rows_of",
    "task_bars",
]


def has_groups(table: pd.DataFrame) -> bool:
    """Tell whether a measure's table has groups: its first column is ``<by>_id`` then."""
    return str(table.columns[0]).endswith("_id")


def rows_of(table: pd.DataFrame) -> list[int]:
    """Return the places of the rows on the axis: numbers, so that two rows of one name stay two."""
    return list(range(len(table)))


def group_names(table: pd.DataFrame) -> list[str]:
    """Name each row by its group."""
    return [wrapped(str(name)) for name in table.iloc[:, 1]]


def group_ids(table: pd.DataFrame) -> list[str]:
    """Return the id of each row's group, for clicks; empty where there are no groups."""
    return [str(key) for key in table.iloc[:, 0]] if has_groups(table) else [""] * len(table)


def names_of(table: pd.DataFrame, counts: pd.Series | None = None) -> list[str]:
    """Name each row by its status, with the count of its tasks in brackets, and by its place below."""
    counted = [""] * len(table) if counts is None else [f" ({count:,})" for count in counts]
    small = f"<span style='color:{FAINT};font-size:11px'>"
    return [
        f"{label(str(status))}{count}<br>{small}{label(str(place))}</span>"
        for status, count, place in zip(table["status"], counted, _places(table), strict=True)
    ]


def line_names(table: pd.DataFrame) -> list[str]:
    """Name each row by its status and where that is, on one line."""
    names = zip(table["status"], _places(table), strict=True)
    return [f"{label(str(status))} · {label(str(place))}" for status, place in names]


def label_rows(drawn: go.Figure, names: list[str]) -> None:
    """Write the names beside the rows, the first one on top."""
    places = list(range(len(names)))
    span = [len(names) - 0.5, -0.5]
    drawn.update_yaxes(tickvals=places, ticktext=names, range=span, showgrid=False, zeroline=False)


def colors_of(table: pd.DataFrame) -> list[str]:
    """Colour each status by itself, its row telling it apart: ClickUp's colour, else the accent."""
    return [
        distinct_colors(pd.DataFrame({"color": [color]}))[0] if isinstance(color, str) else ACCENT
        for color in table["color"]
    ]


def hover(table: pd.DataFrame, *columns: str) -> list[list[str]]:
    """Return for each row the status with its place, the durations of ``columns`` in words, and its key."""
    words = [[duration(value) for value in table[column]] for column in columns]
    names = zip(table["status"], _places(table), strict=True)
    heads = [f"{escaped(str(status))} · {escaped(str(place))}" for status, place in names]
    return [list(told) for told in zip(heads, *words, table["status_key"].astype("str"), strict=True)]


def of_same_row(table: pd.DataFrame, row: pd.Series) -> pd.Series:
    """Tell which rows of ``table`` are about the status, and the group, of ``row``."""
    same: pd.Series = table["status_key"] == row["status_key"]
    first = str(table.columns[0])
    return same & (table[first] == row[first]) if has_groups(table) else same


def _places(table: pd.DataFrame) -> pd.Series:
    """Return where each status is: in its group, where there are groups, else in the place it lives in."""
    return table.iloc[:, 1] if has_groups(table) and table.columns[1] != "name" else table["place"]


def task_bars(
    drawn: go.Figure, shown: pd.DataFrame, column: str, unit: float, color: str | list[str], words: list[str]
) -> None:
    """Draw a bar for each task, as long as its duration, with a word or two in it."""
    told = zip(shown["name"], shown[column], shown["list"], words, shown["task_id"], strict=True)
    each = color if isinstance(color, str) else list(color)
    drawn.add_bar(
        y=rows_of(shown),
        x=in_unit(shown[column], unit),
        orientation="h",
        marker={"color": each},
        text=[label(word, 22) for word in words],
        textposition="auto",
        insidetextanchor="start",
        constraintext="none",
        textangle=0,
        cliponaxis=False,
        insidetextfont={"size": 11, "color": _written(each)},
        outsidetextfont={"size": 11},
        customdata=[
            [label(str(name), 60), duration(ms), f"{escaped(word)} · {escaped(str(home))}", task]
            for name, ms, home, word, task in told
        ],
        meta={"id": "task"},
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )
    label_rows(drawn, [label(str(name), 22) for name in shown["name"]])
    drawn.update_layout(bargap=0.25, uniformtext_mode=False)


def _written(color: str | list[str]) -> str | list[str]:
    return written_on(color) if isinstance(color, str) else [written_on(each) for each in color]
