"""Work in progress over time: how much there was, what came and went, the cumulative flow."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse.source import APPROXIMATED, OBSERVED
from clickup_toolkit.charts.colors import ACCENT, ALARM, FAINT, INK, MUTED, PALETTE, WARNING, written_on
from clickup_toolkit.charts.look import DATES, empty, figure, instants, label
from clickup_toolkit.charts.rows import has_groups

__all__ = ["cumulative_flow", "net_flow", "work_in_progress"]

_STAGES = {"done": MUTED, "in progress": ACCENT, "to do": WARNING}
_THICK = 0.07  # of the height: a band that bears its name
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def work_in_progress(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 6) -> go.Figure:
    """Draw how many tasks were in progress; with groups a line for each of the ``top`` with most.

    ``table`` is what :func:`clickup_toolkit.analyse.work_in_progress` returns.
    """
    question = "Does work in progress grow?"
    if table.empty or not table["in_progress"].sum():
        return empty(question, "Nothing has been in progress in this time.")
    grouped = has_groups(table)
    drawn = figure(
        question, "Tasks started and not finished", height=260, legend=grouped, as_of=as_of, table=table
    )
    if not grouped:
        drawn.add_scatter(
            **_line(table, "in progress", ACCENT, "solid"), fill="tozeroy", fillcolor="rgba(0,114,178,0.12)"
        )
    for number, key in enumerate(_largest(table, top) if grouped else ()):
        rows = table[table.iloc[:, 0] == key]
        trace = _line(rows, label(str(rows.iloc[0, 1])), PALETTE[number % len(PALETTE)], _DASHES[number % 6])
        drawn.add_scatter(**trace, customdata=[[key]] * len(rows), meta={"id": str(table.columns[1])})
    _mark_observed(drawn, table, "at")
    drawn.update_yaxes(title="tasks", rangemode="tozero")
    return drawn.update_xaxes(tickformat=DATES, nticks=5, tickangle=0)


def net_flow(table: pd.DataFrame, *, as_of: datetime | None = None) -> go.Figure:
    """Draw what came into progress (up) and was done (down) in each period, and the difference as a line.

    ``table`` is what :func:`clickup_toolkit.analyse.net_flow` returns; groups are added up.
    """
    question = "More begun than finished?"
    unit = "week" if "week" in table.columns else "day"
    sums = table.groupby(unit, as_index=False)[["started", "done", "net"]].sum()
    if table.empty or not sums[["started", "done"]].to_numpy().any():
        return empty(question, "Nothing was started or finished in this time.")
    answer = f"Tasks per {unit}: started above the line, done below; net above 0 makes work pile up"
    drawn = figure(question, answer, height=280, legend=True, as_of=as_of, table=table)
    x = instants(sums[unit])
    for name, sign, color, shape in (("started", 1, ACCENT, ""), ("done", -1, MUTED, "/")):
        drawn.add_bar(
            x=x,
            y=(sign * sums[name]).tolist(),
            name=name,
            marker={
                "color": color,
                "pattern": {"shape": shape, "fgcolor": "white", "size": 6, "fillmode": "overlay"},
            },
            customdata=[[int(count)] for count in sums[name]],
            hovertemplate=f"%{{customdata[0]}} {name}, {unit} of %{{x|%d %b %Y}}<extra></extra>",
        )
    drawn.add_scatter(
        x=x,
        y=sums["net"].tolist(),
        name="net",
        mode="lines+markers",
        line={"color": ALARM, "width": 2},
        marker={"symbol": "diamond", "size": 8},
        hovertemplate=f"net %{{y:+d}}, {unit} of %{{x|%d %b %Y}}<extra></extra>",
    )
    _mark_observed(drawn, table, unit)
    drawn.update_yaxes(title=f"tasks per {unit}", zeroline=True, zerolinecolor=INK)
    return drawn.update_xaxes(tickformat=DATES, nticks=5, tickangle=0).update_layout(
        barmode="relative", bargap=0.25
    )


def cumulative_flow(table: pd.DataFrame, *, as_of: datetime | None = None) -> go.Figure:
    """Draw the cumulative flow diagram: bands of what was to do, in progress and done.

    ``table`` is what :func:`clickup_toolkit.analyse.cumulative_flow` returns; groups are added up. What was
    done before the first instant is left out, so that the bands in which work lies can be seen.
    """
    question = "Do the bands keep their width?"
    if table.empty or not table["tasks"].sum():
        return empty(question, "There are no tasks yet.")
    counts = table.pivot_table(index="at", columns="stage", values="tasks", aggfunc="sum", observed=True)
    before = int(counts["done"].iloc[0])
    left_out = f"; {before:,} done before are left out" if before else ""
    answer = f"Tasks in each stage, one upon the other{left_out}"
    drawn = figure(question, answer, height=300, legend=True, as_of=as_of, table=table)
    counts["done"] -= before
    x = instants(pd.Series(counts.index))
    for stage, color in _STAGES.items():
        drawn.add_scatter(
            x=x,
            y=counts[stage].tolist(),
            name=stage,
            stackgroup="flow",
            mode="lines",
            line={"width": 1, "color": "white"},
            fillcolor=color,
            hovertemplate=f"%{{y}} {stage}, %{{x|%d %b %Y}}<extra></extra>",
        )
    _name_bands(drawn, counts, x[-1])
    _mark_observed(drawn, table, "at")
    drawn.update_yaxes(title="tasks", rangemode="tozero")
    drawn.update_xaxes(tickformat=DATES, nticks=5, tickangle=0)
    return drawn.update_layout(legend_traceorder="reversed")


def _name_bands(drawn: go.Figure, counts: pd.DataFrame, at: str) -> None:
    """Write the names of the stages into those bands that are thick enough at their end."""
    below, whole = 0, max(float(counts.sum(axis=1).max()), 1.0)
    for stage, color in _STAGES.items():
        thick = int(counts[stage].iloc[-1])
        if thick > _THICK * whole:
            font = {"size": 12, "color": written_on(color)}
            place = {"x": at, "xanchor": "right", "xshift": -4, "y": below + thick / 2}
            drawn.add_annotation(text=stage, font=font, showarrow=False, **place)
        below += thick


def _largest(table: pd.DataFrame, top: int) -> list[str]:
    """Return the groups with most in progress at the end."""
    last = table[table["at"] == table["at"].max()].sort_values("in_progress", ascending=False, kind="stable")
    return [str(key) for key in last.iloc[:top, 0]]


def _line(rows: pd.DataFrame, name: str, color: str, dash: str) -> dict[str, object]:
    return {
        "x": instants(rows["at"]),
        "y": rows["in_progress"].tolist(),
        "name": name,
        "mode": "lines",
        "line": {"color": color, "width": 2.5, "dash": dash, "shape": "hv"},
        "hovertemplate": "%{y} in progress, %{x|%d %b %Y}<extra>%{fullData.name}</extra>",
    }


def _mark_observed(drawn: go.Figure, table: pd.DataFrame, column: str) -> None:
    """Draw where the observed part begins, where the table has both."""
    seen = table.loc[table["source"] == OBSERVED, column]
    if seen.empty or not (table["source"] == APPROXIMATED).any():
        return
    begun = instants(pd.Series([seen.min()]))[0]
    drawn.add_vline(x=begun, line={"color": FAINT, "width": 1, "dash": "dash"})
    drawn.add_annotation(
        text="observed from here",
        font={"size": 11, "color": FAINT},
        showarrow=False,
        x=begun,
        xanchor="right",
        y=1,
        yref="paper",
        yanchor="bottom",
    )
