"""Effort: tracked time beside estimates, and by member and week."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import duration
from clickup_toolkit.analyse.words import HOUR
from clickup_toolkit.charts.colors import ACCENT, MUTED
from clickup_toolkit.charts.look import empty, figure, label
from clickup_toolkit.charts.rows import group_ids, group_names, has_groups, label_rows, rows_of

__all__ = ["estimate_against_tracked", "tracked_time"]

_WRITTEN = 14  # columns up to which cells bear their hours


def estimate_against_tracked(
    table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 15
) -> go.Figure:
    """Draw estimated and tracked time of the finished tasks that have both, and their ratio.

    ``table`` is what :func:`clickup_toolkit.analyse.estimate_against_tracked` returns.
    """
    question = "Do estimates hold?"
    shown = table[table["compared"] > 0].head(top)
    if shown.empty:
        return empty(question, "No finished task has both an estimate and tracked time.")
    counted, done = int(table["compared"].sum()), int(table["done"].sum())
    answer = f"Hours, finished tasks with both ({counted:,} of {done:,}); × is tracked by estimated"
    drawn = figure(question, answer, rows=1.2 * len(shown), legend=True, as_of=as_of, table=table)
    ratios = [f" × {ratio:.2g}" for ratio in shown["ratio"]]
    for name, column, color, text in (
        ("estimated", "estimated_ms", MUTED, [""] * len(shown)),
        ("tracked", "tracked_ms", ACCENT, ratios),
    ):
        told = zip(shown[column], shown["compared"], shown["over"], group_ids(shown), strict=True)
        drawn.add_bar(
            y=rows_of(shown),
            x=[round(ms / HOUR, 2) for ms in shown[column]],
            orientation="h",
            name=name,
            marker={"color": color},
            text=text,
            textposition="outside",
            cliponaxis=False,
            customdata=[[duration(ms), f"{many:,}", f"{over:,}", key] for ms, many, over, key in told],
            meta={"id": str(table.columns[1]) if has_groups(table) else ""},
            hovertemplate=f"%{{customdata[0]}} {name}, %{{customdata[1]}} tasks, "
            "%{customdata[2]} took more than estimated<extra></extra>",
        )
    label_rows(drawn, group_names(shown) if has_groups(table) else ["all tasks"])
    room = float(shown[["estimated_ms", "tracked_ms"]].to_numpy().max()) / HOUR * 1.18
    drawn.update_xaxes(title="hours", range=[0, room])
    return drawn.update_layout(barmode="group", bargap=0.3, uniformtext_mode=False)


def tracked_time(table: pd.DataFrame, *, as_of: datetime | None = None, top: int = 20) -> go.Figure:
    """Draw the tracked hours of each member in each week (or day) as a heat map.

    ``table`` is what :func:`clickup_toolkit.analyse.tracked_time` returns; the ``top`` members with most time
    are drawn. Entries without times are in no week and not drawn.
    """
    question = "Who tracked how much, when?"
    unit = "week" if "week" in table.columns else "day"
    dated = table[table[unit].notna()]
    if dated.empty or not dated["tracked_ms"].sum():
        return empty(question, "No time was tracked, or the export's token may not see it (see the gaps).")
    sums = dated.groupby("member_id")["tracked_ms"].sum().sort_values(ascending=False, kind="stable")
    chosen = [str(key) for key in sums.head(top).index]
    names = dated.drop_duplicates("member_id").set_index("member_id")["member"]
    hours = dated.pivot_table(
        index="member_id", columns=unit, values="tracked_ms", aggfunc="sum", observed=True
    )
    hours = hours.loc[chosen] / HOUR
    more = f"; {len(sums) - top} more not shown" if len(sums) > top else ""
    answer = f"Hours tracked per {unit}, most in all on top; the last {unit} is not over{more}"
    drawn = figure(question, answer, rows=len(chosen) * 0.9 + 1, as_of=as_of, table=table)
    drawn.add_trace(_heat(hours, [str(names[key]) for key in chosen], unit))
    label_rows(drawn, [label(str(names[key]), 20) for key in chosen])
    return drawn.update_xaxes(
        tickformat="%d %b", title=f"{unit} from Monday" if unit == "week" else unit, nticks=5, tickangle=0
    )


def _hours(hours: float) -> str:
    return "" if not hours > 0 else "<1" if hours < 0.95 else f"{hours:.0f}"


def _heat(hours: pd.DataFrame, names: list[str], unit: str) -> go.Heatmap:
    columns = [f"{at:%Y-%m-%d}" for at in pd.DatetimeIndex(hours.columns)]
    written = len(columns) <= _WRITTEN
    told = zip(names, hours.index, strict=True)
    return go.Heatmap(
        x=columns,
        y=list(range(len(hours))),
        z=[[round(float(each), 2) or None for each in row] for row in hours.to_numpy()],
        zmin=0,
        colorscale=[[0, "#eef4f9"], [0.5, "#6aa7d0"], [1, "#004b79"]],
        xgap=2,
        ygap=2,
        text=[[_hours(each) for each in row] for row in hours.to_numpy()] if written else None,
        texttemplate="%{text}" if written else None,
        textfont={"size": 11},
        customdata=[[[label(name, 40), str(key)]] * len(columns) for name, key in told],
        meta={"id": "member"},
        colorbar={"title": {"text": "hours"}, "thickness": 12},
        showscale=not written,
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>%{{z:.1f}} h, {unit} of %{{x|%d %b %Y}}<extra></extra>",
    )
