"""What holds work up: bottleneck, flow efficiency, rework, blocked and stale tasks."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration, percent
from clickup_toolkit.charts.colors import ACCENT, ALARM, MUTED, WARNING, written_on
from clickup_toolkit.charts.look import empty, figure, unit_for
from clickup_toolkit.charts.rows import (
    group_ids,
    group_names,
    has_groups,
    hover,
    label_rows,
    names_of,
    rows_of,
    task_bars,
)
from clickup_toolkit.charts.status_time import NO_TIMES

__all__ = ["blocked_and_stale", "bottleneck", "flow_efficiency", "rework"]

_SIGNS = {"largest_share": "largest share", "largest_p85": "slowest", "largest_growth": "grows most"}
_ENOUGH = 10
"""Tasks that a group must have for its part to be ranked: of three tasks one is a third."""
_KINDS = {"blocked": ALARM, "stale": WARNING, "overdue": ACCENT}


def bottleneck(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 12) -> go.Figure:
    """Draw the active statuses by their share of unfinished work's time, and beside each its signs.

    ``table`` is what :func:`clickup_toolkit.analyse.bottleneck` returns: those with most signs stand on top.
    """
    question = "Where is the bottleneck?"
    shown = table[table["share"] > 0].head(top)
    if shown.empty:
        return empty(question, NO_TIMES)
    answer = (
        "Share of unfinished work's time; signs: largest share, slowest (85%), grows most; (tasks there now)"
    )
    drawn = figure(question, answer, rows=len(shown), as_of=as_of, table=table)
    told = hover(shown, "p85_ms")
    for words, grown in zip(told, shown["growth"], strict=True):
        words[-1:] = [f"{int(grown):+,}", words[-1]]
    drawn.add_bar(
        y=rows_of(shown),
        x=[round(float(share), 4) for share in shown["share"]],
        orientation="h",
        marker={"color": [ALARM if signs == 3 else ACCENT if signs else MUTED for signs in shown["signs"]]},
        text=[_signs(row) for _, row in shown.iterrows()],
        textposition="outside",
        constraintext="none",
        cliponaxis=False,
        customdata=told,
        meta={"id": "status"},
        hovertemplate="<b>%{customdata[0]}</b><br>%{x:.0%} of unfinished work's time"
        "<br>85% within %{customdata[1]}<br>arrivals less departures: %{customdata[2]}<extra></extra>",
    )
    label_rows(drawn, names_of(shown, shown["waiting"]))
    drawn.update_xaxes(range=[0, float(shown["share"].max()) * 2], showticklabels=False, showgrid=False)
    return drawn.update_layout(bargap=0.3, uniformtext_mode=False)


def flow_efficiency(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15) -> go.Figure:
    """Draw which part of the time of finished work was worked in, and in which part it waited.

    ``table`` is what :func:`clickup_toolkit.analyse.flow_efficiency` returns.
    """
    question = "How much of the time is work?"
    shown = table[table["efficiency"].notna()].head(top)
    if shown.empty:
        return empty(question, "No finished task has spent a known time in a started status.")
    answer = "Part of the time between start and done: worked in, and waiting; (finished tasks)"
    drawn = figure(question, answer, rows=len(shown), legend=True, as_of=as_of, table=table)
    for name, share, column, color, shape in (
        ("active", shown["efficiency"], "active_ms", ACCENT, ""),
        ("waiting", 1 - shown["efficiency"], "waiting_ms", MUTED, "/"),
    ):
        told = zip(shown[column], group_ids(shown), strict=True)
        drawn.add_bar(
            y=rows_of(shown),
            x=[round(float(part), 4) for part in share],
            orientation="h",
            name=name,
            marker={
                "color": color,
                "pattern": {"shape": shape, "fgcolor": "white", "size": 6, "fillmode": "overlay"},
            },
            text=[percent(part) if name == "active" else "" for part in share],
            textposition="inside",
            insidetextanchor="start",
            insidetextfont={"color": written_on(color)},
            customdata=[[duration(ms), key] for ms, key in told],
            meta={"id": str(table.columns[1]) if has_groups(table) else ""},
            hovertemplate=f"%{{x:.0%}} {name}: %{{customdata[0]}} in all<extra></extra>",
        )
    names = group_names(shown) if has_groups(table) else ["all tasks"]
    label_rows(drawn, [f"{name} ({count:,})" for name, count in zip(names, shown["tasks"], strict=True)])
    drawn.update_xaxes(tickformat=".0%", range=[0, 1], title="part of the time")
    return drawn.update_layout(barmode="stack", bargap=0.3)


def rework(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15) -> go.Figure:
    """Draw which part of the tasks that moved went back or were opened again.

    ``table`` is what :func:`clickup_toolkit.analyse.rework` returns; observed and approximated counts of a
    group are added up, and the pointer tells both. Groups of fewer than ten tasks stand last, in grey.
    """
    question = "How much work goes back?"
    if table.empty or not table["tasks"].sum():
        return empty(question, "No task has been seen to move yet.")
    sums = _both_sources(table)
    sums["few"] = (sums["tasks"] < _ENOUGH) & (sums["tasks"].max() >= _ENOUGH)
    order = {"few": True, "share": False, "tasks": False}
    shown = sums.sort_values([*order], ascending=[*order.values()], kind="stable").head(top)
    more = f"; {len(sums) - top} more not shown" if len(sums) > top else ""
    grey = f"; grey: fewer than {_ENOUGH} tasks" if shown["few"].any() else ""
    what = "Part of the tasks that moved which went back in the workflow or were opened again"
    answer = f"{what}; (tasks){grey}{more}"
    drawn = figure(question, answer, rows=len(shown), as_of=as_of, table=table)
    told = zip(shown["reworked"], shown["seen"], shown.index, strict=True)
    drawn.add_bar(
        y=rows_of(shown),
        x=[round(float(share), 4) for share in shown["share"]],
        orientation="h",
        marker={"color": [MUTED if few else ACCENT for few in shown["few"]]},
        text=[percent(share) for share in shown["share"]],
        textposition="outside",
        cliponaxis=False,
        customdata=[[f"{back:,}", f"{seen:,}", str(key)] for back, seen, key in told],
        meta={"id": str(table.columns[1]) if has_groups(table) else ""},
        hovertemplate="%{x:.1%}: %{customdata[0]} tasks went back<br>%{customdata[1]} of the tasks were "
        "observed<extra></extra>",
    )
    names = zip(shown["name"], shown["tasks"], strict=True)
    label_rows(drawn, [f"{name} ({count:,})" for name, count in names])
    drawn.update_xaxes(
        tickformat=".0%", title="part of the tasks", range=[0, max(shown["share"].max() * 1.2, 0.05)]
    )
    return drawn.update_layout(bargap=0.3, uniformtext_mode=False)


def blocked_and_stale(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 25) -> go.Figure:
    """Draw the tasks that need attention by how long nobody has changed them.

    ``table`` is what :func:`clickup_toolkit.analyse.blocked_and_stale` returns.
    """
    question = "What needs attention?"
    if table.empty:
        return empty(question, "Nothing is blocked, stale or overdue.")
    shown = table[table["untouched_ms"].notna()].head(top)
    unit, name = unit_for(shown["untouched_ms"])
    counts = ", ".join(f"{int(table[kind].sum()):,} {kind}" for kind in _KINDS)
    among = f"; the {len(shown)} longest untouched" if len(table) > len(shown) else ""
    answer = f"{name.capitalize()} since the last change; {counts}{among}"
    drawn = figure(question, answer, rows=len(shown) * 0.85, as_of=as_of, table=table)
    words = [", ".join(kind for kind in _KINDS if row[kind]) for _, row in shown.iterrows()]
    colors = [_KINDS[word.split(",", 1)[0]] for word in words]
    task_bars(drawn, shown, "untouched_ms", unit, colors, words)
    return drawn.update_xaxes(title=f"{name} untouched", rangemode="tozero")


def _signs(row: pd.Series) -> str:
    told = [words for column, words in _SIGNS.items() if row[column]]
    return f"{percent(row['share'])} " + "<br> ".join(told) if told else percent(row["share"])


def _both_sources(table: pd.DataFrame) -> pd.DataFrame:
    """Add up a group's observed and approximated tasks; ``seen`` are the observed ones."""
    names = group_names(table) if has_groups(table) else ["all tasks"] * len(table)
    rows = table.assign(
        key=group_ids(table), label=names, seen=table["tasks"].where(table["source"] == "observed", 0)
    )
    sums = rows.groupby("key", sort=False).agg(
        name=("label", "first"), tasks=("tasks", "sum"), reworked=("reworked", "sum"), seen=("seen", "sum")
    )
    return sums.assign(share=sums["reworked"] / sums["tasks"])
