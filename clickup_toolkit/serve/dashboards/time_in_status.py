"""The page on time in status: where work waits, for how long, and how long each status takes."""

from __future__ import annotations

from clickup_toolkit import analyse, charts
from clickup_toolkit.serve.dashboards.drawing import panel
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Panel, Told
from clickup_toolkit.serve.dashboards.parts import panels, tried
from clickup_toolkit.serve.dashboards.summaries import of_groups, of_queues, of_times, of_waiting, of_waits

__all__ = ["make", "told_waits", "waits"]


def make(narrowed: Narrowed, links: Links) -> Told:
    """Return what waits now, and how long finished and unfinished work stayed in each status."""
    return Told(
        sentence=tried("sentence", lambda: told_waits(narrowed), ""),
        panels=panels(
            narrowed,
            links,
            {
                "time_in_status": _by_group,
                "where_work_waits": waits,
                "waiting_now": _waiting,
                "median_and_p85": _how_long,
                "queues": _queues,
            },
        ),
    )


def told_waits(narrowed: Narrowed) -> str:
    """Say where unfinished work waits."""
    return analyse.headline(narrowed.ask("where_work_waits", by="status"))


def waits(narrowed: Narrowed, links: Links, top: int = 12) -> Panel:
    """Return the panel of the ``top`` statuses in which unfinished work waits."""
    table = narrowed.ask("where_work_waits", by="status")
    figure = charts.where_work_waits(table, top=top)
    return panel("where_work_waits", table, figure, links, summary=of_waits(table), of_period=False)


def _by_group(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask("time_in_status", by=narrowed.filters.by, of_period=True)
    return panel(
        "time_in_status", table, charts.time_in_status(table), links, summary=of_groups(table), wide=True
    )


def _how_long(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask("time_in_status", by="status", of_period=True)
    figure = charts.median_and_p85(table, top=12)
    return panel("median_and_p85", table, figure, links, summary=of_times(table))


def _waiting(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask("waiting_now")
    figure = charts.waiting_now(table)
    return panel("waiting_now", table, figure, links, summary=of_waiting(table), of_period=False)


def _queues(narrowed: Narrowed, links: Links) -> Panel:
    table = narrowed.ask("queues", by="status")
    return panel("queues", table, charts.queues(table), links, summary=of_queues(table), of_period=False)
