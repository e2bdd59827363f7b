"""The page on tracked time: by member and week, and against the estimates."""

from __future__ import annotations

import pandas as pd

from clickup_toolkit import charts
from clickup_toolkit.analyse import percent
from clickup_toolkit.serve.dashboards.drawing import cut, panel
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Cell, Fact, Panel, Table, Told
from clickup_toolkit.serve.dashboards.parts import panels, tried
from clickup_toolkit.serve.dashboards.summaries import hours, of_estimates, of_tracked
from clickup_toolkit.serve.dashboards.weeks import tracked_time

__all__ = ["make"]

_INSTANT = pd.Timedelta(milliseconds=1)
_WEEKS = 8  # in the table beside the chart


def make(narrowed: Narrowed, links: Links) -> Told:
    """Return facts, who tracked how much when, and how estimates compare with it."""
    return Told(
        facts=tried("facts", lambda: _facts(narrowed), ()),
        panels=panels(narrowed, links, {"tracked_time": _tracked, "estimate_against_tracked": _estimates}),
    )


def _tracked(narrowed: Narrowed, links: Links) -> Panel:
    table = tracked_time(narrowed)
    return panel(
        "tracked_time",
        table,
        charts.tracked_time(table),
        links,
        summary=of_tracked(table),
        rows=_by_member(table, links),
        wide=True,
        lead=lambda _kind, who: links.entries(who, narrowed.since, narrowed.until),
    )


def _estimates(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask(
        "estimate_against_tracked", by=narrowed.filters.by, of_period=True, since=narrowed.since
    )
    figure = charts.estimate_against_tracked(table)
    done = links.done(narrowed.since, narrowed.until)
    return panel(
        "estimate_against_tracked",
        table,
        figure,
        links,
        summary=of_estimates(table),
        wide=True,
        lead=lambda kind, key: links.of(kind, key, done),
    )


def _facts(narrowed: Narrowed) -> tuple[Fact, ...]:
    table = tracked_time(narrowed)
    whole, billable = float(table["tracked_ms"].sum()), float(table["billable_ms"].sum())
    people = table.loc[table["tracked_ms"] > 0, "member_id"].nunique()
    share = billable / whole if whole else float("nan")
    return (
        Fact("Tracked", hours(whole), narrowed.filters.period_words()),
        Fact("Billable", percent(share), hours(billable)),
        Fact("People who tracked", f"{people:,}", ""),
        Fact("Entries", f"{int(table['entries'].sum()):,}", ""),
    )


def _by_member(table: pd.DataFrame, links: Links) -> Table:
    """Return a row for each member, most time first, and a column for each of the last weeks."""
    week = pd.Timedelta(days=7)
    dated = table[table["week"].notna()]
    last = sorted(dated["week"].unique())[-_WEEKS:]
    sums = table.groupby(["member_id", "member"], as_index=False).agg(tracked_ms=("tracked_ms", "sum"))
    sums = sums.sort_values(["tracked_ms", "member"], ascending=[False, True])
    cells = dated.set_index(["member_id", "week"])["tracked_ms"]
    rows = []
    for who, name, whole in zip(sums["member_id"], sums["member"], sums["tracked_ms"], strict=True):
        spent = [(at, float(cells.get((who, at), 0))) for at in last]
        hrefs = [
            links.entries(str(who), at.to_pydatetime(), (at + week - _INSTANT).to_pydatetime())
            for at, _ in spent
        ]
        weeks = [
            Cell(hours(ms) if ms else "–", href if ms else "", number=True)
            for (_, ms), href in zip(spent, hrefs, strict=True)
        ]
        rows.append((Cell(cut(name)), Cell(hours(float(whole)), number=True), *weeks))
    heads = [f"Week of {at:%d %b}" for at in last]
    return Table(("Member", "In all", *heads), tuple(rows), len(rows))
