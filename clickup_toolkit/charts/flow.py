"""How much gets finished, and how long it takes."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.charts.look import ACCENT, empty, figure, in_unit, unit_for
from clickup_toolkit.charts.rows import group_names, has_groups, label_rows, rows_of

__all__ = ["lead_and_cycle_time", "throughput"]

_RUNNING = "#a9cbe3"


def throughput(table: pd.DataFrame, *, as_of: datetime | None = None) -> go.Figure:
    """Draw how many tasks were finished each week; the week that still runs is pale.

    ``table`` is what :func:`clickup_toolkit.analyse.throughput` returns; groups are added up.
    """
    question = "How much gets finished each week?"
    weeks = table.groupby("week", as_index=False).agg(done=("done", "sum"), complete=("complete", "all"))
    if not weeks["done"].sum():
        return empty(question, "Nothing has been finished yet.")
    over = weeks.loc[weeks["complete"], "done"]
    usual = f"; in half of the weeks {over.median():g} or more" if len(over) > 1 else ""
    drawn = figure(question, f"Tasks finished per week from Monday{usual}", height=200, as_of=as_of)
    drawn.add_bar(
        x=weeks["week"].dt.strftime("%Y-%m-%d").tolist(),
        y=weeks["done"].tolist(),
        marker={"color": [ACCENT if complete else _RUNNING for complete in weeks["complete"]]},
        hovertemplate="%{y} finished in the week from %{x|%d %b %Y}<extra></extra>",
    )
    drawn.update_yaxes(title="tasks", rangemode="tozero")
    return drawn.update_xaxes(tickformat="%d %b<br>%Y")


def lead_and_cycle_time(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15) -> go.Figure:
    """Draw median and p85 of lead and cycle time for the ``top`` groups that finished most.

    ``table`` is what :func:`clickup_toolkit.analyse.lead_and_cycle_time` returns.
    """
    question = "How long until a task is done?"
    shown = table.head(top)
    if shown.empty:
        return empty(question, "Nothing has been finished yet.")
    unit, name = unit_for(shown["lead_p85_ms"])
    answer = f"{name.capitalize()}: half of the tasks within the bar, 85% within its line"
    drawn = figure(question, answer, rows=1.2 * len(shown), legend=True, as_of=as_of)
    drawn.add_bar(**_times(shown, "lead", "lead time, from creation", "#b9c2cc", unit))
    drawn.add_bar(**_times(shown, "cycle", "cycle time, from start", ACCENT, unit))
    label_rows(drawn, group_names(shown) if has_groups(table) else ["all tasks"])
    drawn.update_xaxes(title=name, rangemode="tozero")
    return drawn.update_layout(barmode="group", bargap=0.3)


def _times(shown: pd.DataFrame, measure: str, name: str, color: str, unit: float) -> dict[str, object]:
    middle, late = shown[f"{measure}_median_ms"], shown[f"{measure}_p85_ms"]
    line = {"array": in_unit(late - middle, unit), "arrayminus": [0] * len(shown), "color": "#57606a"}
    return {
        "y": rows_of(shown),
        "x": in_unit(middle, unit),
        "error_x": {"type": "data", "thickness": 1.5, "width": 4, **line},
        "orientation": "h",
        "name": name,
        "marker": {"color": color},
        "customdata": [[duration(half), duration(most)] for half, most in zip(middle, late, strict=True)],
        "hovertemplate": "half within %{customdata[0]}, 85% within %{customdata[1]}<extra>"
        + name
        + "</extra>",
    }
