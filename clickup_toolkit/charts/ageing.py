"""Unfinished work by its age: beside the pace of finished work, one by one, and against what to expect."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.analyse.words import DAY
from clickup_toolkit.charts.colors import ACCENT, ALARM, INK, WARNING
from clickup_toolkit.charts.look import empty, escaped, figure, in_unit, label, ticks, unit_for
from clickup_toolkit.charts.rows import group_ids, group_names, has_groups, label_rows, rows_of, task_bars

__all__ = ["ageing_work", "service_level_expectation", "work_item_age"]

_BANDS = {95: "#8fb6d3", 85: "#b1cde1", 70: "#cfe0ed", 50: "#e6eff6"}
_ALARMS = {
    "within the pace": (INK, "circle", 7),
    "older than 85%": (WARNING, "diamond", 10),
    "older than 95%": (ALARM, "x", 9),
}
_POINTS = 1200
_MINUTE = 1 / 1440
_NOTHING = "No started, unfinished task has a known start."


def ageing_work(
    table: pd.DataFrame,
    pace: pd.DataFrame | None = None,
    *,
    as_of: datetime | None = None,
    place: str = "",
    top: int = 10,
) -> go.Figure:
    """Draw started tasks by their age, a column for each status in the order of the workflow.

    ``table`` is what :func:`clickup_toolkit.analyse.ageing_work` returns, ``pace`` what
    ``pace_percentiles`` does: columns of statuses that nobody is in. The bands tell how old 50, 70, 85 and
    95 in 100 finished tasks were when they left the status. One workflow is drawn: that of ``place`` (a
    list, or the space of lists that share theirs), by default the one with most started tasks; at most
    ``top`` statuses of it, and of very many tasks the latest.
    """
    question = "Which unfinished work is getting old?"
    place = place or _largest_place(table)
    here = table[table["place"] == place]
    if here.empty:
        return empty(question, _NOTHING)
    columns = _columns(here, pace, place, top)
    shown = here[here["status_key"].isin(columns.index)]
    shown = shown.sort_values(["pace", "age_ms"], ascending=False).head(_POINTS)
    counted = (
        f"{len(here):,} of {len(table):,} started tasks" if len(here) < len(table) else "each mark a task"
    )
    answer = f"{escaped(place)}: {counted}; age, logarithmic, by status; bands: finished work when it left"
    drawn = figure(question, answer, height=360, legend=True, as_of=as_of, table=table)
    for level, color in _BANDS.items():
        drawn.add_bar(**_band(columns, level, color))
    for trace in _marks(shown, columns):
        drawn.add_scatter(**trace)
    _scaled(drawn, here["age_ms"], columns)
    foot = drawn.layout.margin.b + 66
    return drawn.update_layout(barmode="overlay", bargap=0.08, margin_b=foot, height=drawn.layout.height + 66)


def _largest_place(table: pd.DataFrame) -> str:
    return str(table["place"].value_counts(sort=True).index[0]) if len(table) else ""


def _scaled(drawn: go.Figure, ages: pd.Series, columns: pd.DataFrame) -> None:
    """Name the columns, and let the logarithmic axis reach from the youngest task to the oldest."""
    named = zip(columns["status"], columns["tasks"], strict=True)
    drawn.update_xaxes(
        tickvals=list(range(len(columns))),
        ticktext=[f"{label(str(name), 16)} ({count:,})" for name, count in named],
        tickangle=-40,
        showgrid=False,
        range=[-0.5, len(columns) - 0.5],
    )
    paces = columns["pace_95_ms"].max()
    oldest = max(float(ages.max()), 0.0 if np.isnan(paces) else float(paces), 60_000.0)
    least = max(min(float(ages.quantile(0.01)), float(columns["pace_50_ms"].min())) / DAY * 0.5, _MINUTE)
    low = least if least == least else _MINUTE  # nan where there is no pace
    top = np.log10(max(oldest / DAY, low) * 1.4)
    drawn.update_yaxes(type="log", title="age", range=[float(np.log10(low)), float(top)], **ticks(oldest))


def work_item_age(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 25) -> go.Figure:
    """Draw the ``top`` oldest started tasks; ``table`` is what ``analyse.work_item_age`` returns."""
    question = "Which started work is oldest?"
    if table.empty:
        return empty(question, _NOTHING)
    shown = table.head(top)
    unit, name = unit_for(shown["age_ms"])
    among = f"the oldest {len(shown):,} of {len(table):,}" if len(table) > top else f"all {len(table):,}"
    answer = f"{name.capitalize()} since work on the task began; {among} in progress"
    drawn = figure(question, answer, rows=len(shown) * 0.85, as_of=as_of, table=table)
    task_bars(drawn, shown, "age_ms", unit, ACCENT, [str(status) for status in shown["status"]])
    return drawn.update_xaxes(title=name, rangemode="tozero")


def service_level_expectation(
    table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15
) -> go.Figure:
    """Draw within which time a started task is expected to be done, and how many are older already.

    ``table`` is what :func:`clickup_toolkit.analyse.service_level_expectation` returns.
    """
    question = "What may we promise?"
    shown = table[table["within_ms"].notna()].head(top)
    if shown.empty:
        return empty(question, "Nothing that was started has been finished yet.")
    unit, name = unit_for(shown["within_ms"])
    part = float(shown["probability"].iloc[0])
    answer = (
        f"{name.capitalize()} from start to done that {part:.0%} of finished tasks took at most; (how many)"
    )
    drawn = figure(question, answer, rows=len(shown), as_of=as_of, table=table)
    told = zip(
        *(shown[column] for column in ("within_ms", "done", "in_progress", "beyond", "near")),
        group_ids(shown),
        strict=True,
    )
    drawn.add_bar(
        y=rows_of(shown),
        x=in_unit(shown["within_ms"], unit),
        orientation="h",
        marker={"color": ACCENT},
        text=[_late(int(late), ms) for late, ms in zip(shown["beyond"], shown["within_ms"], strict=True)],
        textposition="outside",
        constraintext="none",
        cliponaxis=False,
        customdata=[[duration(ms), *(f"{count:,}" for count in counts), key] for ms, *counts, key in told],
        meta={"id": str(table.columns[1]) if has_groups(table) else ""},
        hovertemplate=f"{part:.0%} within %{{customdata[0]}}, of %{{customdata[1]}} finished tasks"
        "<br>%{customdata[2]} in progress: %{customdata[3]} beyond it, %{customdata[4]} past half of it"
        "<extra></extra>",
    )
    names = group_names(shown) if has_groups(table) else ["all tasks"]
    label_rows(drawn, [f"{each} ({count:,})" for each, count in zip(names, shown["done"], strict=True)])
    late = shown["beyond"].any()
    room = float(shown["within_ms"].max()) / unit * (2.15 if late else 1.5)  # for the text beside the bars
    drawn.update_xaxes(title=name, range=[0, max(room, 0.1)])
    return drawn.update_layout(bargap=0.3, uniformtext_mode=False)


def _late(late: int, within: float) -> str:
    return f"{duration(within)}; {late:,} beyond" if late else duration(within)


def _columns(table: pd.DataFrame, pace: pd.DataFrame | None, place: str, top: int) -> pd.DataFrame:
    """Return the statuses with most tasks, and those that nobody is in, in the workflow's order."""
    about = ["status", "place", "orderindex", "pace_50_ms", "pace_70_ms", "pace_85_ms", "pace_95_ms"]
    counts = table.groupby("status_key").size()
    first = table.drop_duplicates("status_key").set_index("status_key")[about]
    if pace is not None:
        idle = pace[~pace["status_key"].isin(first.index) & (pace["place"] == place)]
        first = pd.concat([first, idle.set_index("status_key")[about]]) if len(idle) else first
    first = first.assign(tasks=counts.reindex(first.index).fillna(0).astype("int64"))
    chosen = first.sort_values("tasks", ascending=False, kind="stable").head(top)
    return chosen.sort_values("orderindex", kind="stable")


def _band(columns: pd.DataFrame, level: int, color: str) -> dict[str, object]:
    ages = columns[f"pace_{level}_ms"]
    told = zip(columns["status"], columns["place"], ages, columns.index, strict=True)
    return {
        "x": list(range(len(columns))),
        "y": [None if np.isnan(age) else max(age / DAY, _MINUTE) for age in ages],
        "name": f"{level}% of finished",
        "marker": {"color": color},
        "customdata": [
            [escaped(str(name)), escaped(str(place)), duration(age), key] for name, place, age, key in told
        ],
        "meta": {"id": "status"},
        "hovertemplate": f"{level}% of finished tasks had left <b>%{{customdata[0]}}</b> "
        "at %{customdata[2]}"
        "<br>%{customdata[1]}<extra></extra>",
    }


def _marks(shown: pd.DataFrame, columns: pd.DataFrame) -> list[dict[str, object]]:
    place = dict(zip(columns.index, range(len(columns)), strict=True))
    off = (shown.groupby("status_key").cumcount() * 0.618) % 1 * 0.7 - 0.35
    at = shown["status_key"].map(place) + off
    kinds = np.select(
        [shown["pace"] >= 95, shown["pace"] >= 85], ["older than 95%", "older than 85%"], "within the pace"
    )
    traces: list[dict[str, object]] = []
    for kind, (color, symbol, size) in _ALARMS.items():
        rows = shown[kinds == kind]
        told = zip(rows["name"], rows["age_ms"], rows["status"], rows["list"], rows["task_id"], strict=True)
        traces.append(
            {
                "x": [round(float(x), 3) for x in at[kinds == kind]],
                "y": [max(age, _MINUTE) for age in in_unit(rows["age_ms"], DAY)],
                "mode": "markers",
                "name": kind,
                "marker": {
                    "color": color,
                    "symbol": symbol,
                    "size": size,
                    "line": {"color": "white", "width": 1},
                },
                "customdata": [
                    [
                        label(str(name), 60),
                        duration(age),
                        f"{escaped(str(status))} · {escaped(str(home))}",
                        task,
                    ]
                    for name, age, status, home, task in told
                ],
                "meta": {"id": "task"},
                "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]} old, %{customdata[2]}"
                "<extra></extra>",
            }
        )
    return traces
