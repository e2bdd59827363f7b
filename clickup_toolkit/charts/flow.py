"""How much gets finished, and how long it takes."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.charts.colors import ACCENT, INK, MUTED, PALE, VEIL
from clickup_toolkit.charts.look import DATES, empty, figure, in_unit, unit_for
from clickup_toolkit.charts.rows import group_ids, group_names, has_groups, label_rows, rows_of

__all__ = ["lead_and_cycle_time", "throughput"]

_SHAPES = {"week": "week from Monday", "day": "day"}


def throughput(table: pd.DataFrame, *, as_of: datetime | None = None) -> go.Figure:
    """Draw how many tasks were finished each week or day; the one that still runs is pale.

    ``table`` is what :func:`clickup_toolkit.analyse.throughput` returns; groups are added up. Weeks and days
    that had none bear a ring on the axis, and the median a line.
    """
    unit = "week" if "week" in table.columns else "day"
    question = f"How much gets finished each {unit}?"
    shown = table.groupby(unit, as_index=False).agg(done=("done", "sum"), complete=("complete", "all"))
    if not shown["done"].sum():
        return empty(question, "Nothing has been finished yet.")
    none = shown[(shown["done"] == 0) & shown["complete"]]
    without = f"; {len(none):,} of {len(shown):,} had none" if len(none) else ""
    answer = f"Tasks finished per {_SHAPES[unit]}{without}; pale: not over"
    drawn = figure(question, answer, height=230, as_of=as_of, table=table)
    over = shown["complete"].tolist()
    drawn.add_bar(
        x=_dates(shown[unit]),
        y=shown["done"].tolist(),
        marker={
            "color": [ACCENT if complete else PALE for complete in over],
            "line": {"color": ACCENT, "width": [0 if complete else 1 for complete in over]},
        },
        hovertemplate=f"%{{y}} finished in the {unit} of %{{x|%d %b %Y}}<extra></extra>",
        showlegend=False,
    )
    drawn.add_scatter(**_rings(none, unit))
    _median_line(drawn, shown.loc[shown["complete"], "done"], unit)
    drawn.update_yaxes(title=f"tasks per {unit}", rangemode="tozero")
    return drawn.update_xaxes(tickformat=DATES, nticks=6, tickangle=0)


def lead_and_cycle_time(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15) -> go.Figure:
    """Draw median and p85 of lead and cycle time for the ``top`` groups that finished most.

    ``table`` is what :func:`clickup_toolkit.analyse.lead_and_cycle_time` returns.
    """
    question = "How long until a task is done?"
    shown = table.head(top)
    if shown.empty:
        return empty(question, "Nothing has been finished yet.")
    unit, name = unit_for(shown["lead_p85_ms"])
    more = f"; {len(table) - top} more not shown" if len(table) > top else ""
    answer = f"{name.capitalize()}: half of the tasks within the bar, 85% within its line{more}"
    drawn = figure(question, answer, rows=1.2 * len(shown), legend=True, as_of=as_of, table=table)
    drawn.add_bar(**_times(shown, "lead", "lead time, from creation", MUTED, unit))
    drawn.add_bar(**_times(shown, "cycle", "cycle time, from start", ACCENT, unit))
    label_rows(drawn, group_names(shown) if has_groups(table) else ["all tasks"])
    drawn.update_xaxes(title=name, rangemode="tozero")
    return drawn.update_layout(barmode="group", bargap=0.3)


def _dates(days: pd.Series) -> list[str]:
    return [str(text) for text in days.dt.strftime("%Y-%m-%d")]


def _rings(none: pd.DataFrame, unit: str) -> dict[str, object]:
    return {
        "x": _dates(none[unit]),
        "y": [0] * len(none),
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 6, "color": ACCENT, "line": {"width": 1.5}},
        "cliponaxis": False,
        "hovertemplate": f"none in the {unit} of %{{x|%d %b %Y}}<extra></extra>",
        "showlegend": False,
    }


def _median_line(drawn: go.Figure, over: pd.Series, unit: str) -> None:
    """Draw the median of the periods that are over, where there are a few."""
    if len(over) < 4:
        return
    drawn.add_hline(
        y=float(over.median()),
        line={"color": INK, "width": 1, "dash": "dot"},
        annotation={
            "text": f"median {over.median():g}",
            "font": {"size": 11},
            "bgcolor": VEIL,
            "x": 1,
            "xanchor": "right",
            "yanchor": "bottom",
            "showarrow": False,
        },
    )


def _times(shown: pd.DataFrame, measure: str, name: str, color: str, unit: float) -> dict[str, object]:
    middle, late = shown[f"{measure}_median_ms"], shown[f"{measure}_p85_ms"]
    line = {"array": in_unit(late - middle, unit), "arrayminus": [0] * len(shown), "color": INK}
    told = zip(middle, late, group_ids(shown), strict=True)
    return {
        "y": rows_of(shown),
        "x": in_unit(middle, unit),
        "error_x": {"type": "data", "thickness": 1.5, "width": 4, **line},
        "orientation": "h",
        "name": name,
        "marker": {"color": color},
        "customdata": [[duration(half), duration(most), key] for half, most, key in told],
        "meta": {"id": str(shown.columns[1]) if has_groups(shown) else ""},
        "hovertemplate": "half within %{customdata[0]}, 85% within %{customdata[1]}<extra>"
        + name
        + "</extra>",
    }
