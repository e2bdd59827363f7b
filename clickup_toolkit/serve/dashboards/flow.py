"""The page on flow: how long finished work took, how old started work is, how much comes and goes."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from clickup_toolkit import charts
from clickup_toolkit.serve.dashboards.drawing import panel
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Cell, Panel, Table, Told
from clickup_toolkit.serve.dashboards.parts import panels, tried
from clickup_toolkit.serve.dashboards.summaries import (
    facts_of_flow,
    of_ages,
    of_finished,
    of_flow,
)
from clickup_toolkit.serve.dashboards.weeks import cumulative_flow, weekly

__all__ = ["make"]

_ROWS = 60
_SLANTED = 60  # pixels below a chart


def make(narrowed: Narrowed, links: Links) -> Told:
    """Return facts and the four charts of flow."""
    return Told(
        facts=tried("facts", lambda: facts_of_flow(narrowed, links), ()),
        panels=panels(
            narrowed,
            links,
            {
                "finished_work": _finished,
                "ageing_work": _ageing,
                "cumulative_flow": _cumulative,
                "throughput": weekly,
            },
        ),
    )


def _finished(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask("finished_work", of_period=True, since=narrowed.since)
    figure = charts.finished_work(table)
    return panel("finished_work", table, figure, links, summary=of_finished(table), wide=True)


def _ageing(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask("ageing_work")
    figure = _level(charts.ageing_work(table))
    return panel("ageing_work", table, figure, links, summary=of_ages(table), of_period=False, wide=True)


def _level(figure: go.Figure) -> go.Figure:
    """Let the names below the columns lie level where there is room, and take back what slanted ones need."""
    if not figure.data:
        return figure
    layout = figure.layout
    figure.update_xaxes(tickangle=None, automargin=True)
    return figure.update_layout(height=layout.height - _SLANTED, margin_b=layout.margin.b - _SLANTED)


def _cumulative(narrowed: Narrowed, links: Links) -> Panel:
    table = cumulative_flow(narrowed)
    return panel(
        "cumulative_flow",
        table,
        charts.cumulative_flow(table),
        links,
        summary=of_flow(table),
        rows=_by_instant(table),
    )


def _by_instant(table: pd.DataFrame) -> Table:
    """Return the flow with a row for each instant, the last first, and a column for each stage."""
    stages = list(dict.fromkeys(table["stage"]))
    wide = table.pivot_table(index="at", columns="stage", values="tasks", aggfunc="sum", observed=True)
    rows = tuple(
        (Cell(f"{at:%Y-%m-%d}"), *(Cell(f"{int(row[stage]):,}", number=True) for stage in stages))
        for at, row in wide.iloc[::-1].head(_ROWS).iterrows()
    )
    return Table(("Day", *(stage.capitalize() for stage in stages)), rows, len(wide))
