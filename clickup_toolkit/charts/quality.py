"""How far the data can be trusted: the checks that fail."""

from __future__ import annotations

import textwrap
from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit.analyse import percent
from clickup_toolkit.charts.colors import ACCENT
from clickup_toolkit.charts.look import empty, escaped, figure
from clickup_toolkit.charts.rows import label_rows, rows_of

__all__ = ["data_quality"]


def data_quality(table: pd.DataFrame, *, as_of: datetime | None = None) -> go.Figure:
    """Draw the part of the rows that fails each check, the largest first.

    ``table`` is what :func:`clickup_toolkit.analyse.data_quality` returns; checks that pass are counted.
    """
    question = "How far can the data be trusted?"
    gaps = int(table.loc[table["check"] == "gaps", "count"].sum())
    table, whole = table[table["check"] != "gaps"], table
    failing = table[(table["count"] > 0) & table["share"].notna()]
    passed = int(((table["count"] == 0) & (table["of"] > 0)).sum())
    if failing.empty:
        why = "There is nothing to check yet." if not passed else f"All {passed} checks pass."
        return empty(question, why)
    shown = failing.sort_values(["share", "count"], ascending=False, kind="stable")
    answer = f"Part of what was looked at that fails the check; {passed} other checks pass" + (
        f"; {gaps:,} thing{'s' if gaps > 1 else ''} could not be read (see the gaps)" if gaps else ""
    )
    drawn = figure(question, answer, rows=len(shown), as_of=as_of, table=whole)
    told = zip(shown["count"], shown["of"], shown["meaning"], shown["check"], strict=True)
    drawn.add_bar(
        y=rows_of(shown),
        x=[round(float(share), 4) for share in shown["share"]],
        orientation="h",
        marker={"color": ACCENT},
        text=[
            f"{percent(share)} ({count:,})"
            for share, count in zip(shown["share"], shown["count"], strict=True)
        ],
        textposition="outside",
        cliponaxis=False,
        customdata=[
            [f"{count:,}", f"{of:,}", escaped(str(what)), str(check)] for count, of, what, check in told
        ],
        meta={"id": "check"},
        hovertemplate="%{customdata[0]} of %{customdata[1]}: %{customdata[2]}<extra></extra>",
    )
    label_rows(drawn, ["<br>".join(textwrap.wrap(escaped(str(what)), 26)) for what in shown["meaning"]])
    drawn.update_xaxes(
        tickformat=".0%", title="part that fails", range=[0, 1.35], tickvals=[0, 0.5, 1], tickangle=0
    )
    return drawn.update_layout(bargap=0.3, uniformtext_mode=False)
