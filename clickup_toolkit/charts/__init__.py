"""Charts: a measure's DataFrame in, a Plotly figure out.

Every function takes what the function of the same name in :mod:`clickup_toolkit.analyse` returns, and
``as_of``, the instant to print. Its title is the question that it answers; below it stand what is drawn, in
which unit, and whether the figures are exact, observed or approximated. Nothing is read or written, but for
:func:`to_png`. :func:`to_html` makes a page of a figure, :func:`themed` puts it on a dark ground;
:func:`show_offline` lets notebooks show figures without asking a foreign host.

Where a mark stands for something, the trace's ``meta`` says for what (``{"id": "task"}``, ``status``, or the
name of a grouping such as ``list``), and the last element of the mark's ``customdata`` is its id.
"""

from __future__ import annotations

from clickup_toolkit.charts.ageing import ageing_work, service_level_expectation, work_item_age
from clickup_toolkit.charts.colors import PALETTE, Theme
from clickup_toolkit.charts.effort import estimate_against_tracked, tracked_time
from clickup_toolkit.charts.finished import Measured, finished_work, time_histogram
from clickup_toolkit.charts.flow import lead_and_cycle_time, throughput
from clickup_toolkit.charts.forecast import MANY_LIKELIHOODS, forecast_how_many, forecast_when
from clickup_toolkit.charts.held_up import blocked_and_stale, bottleneck, flow_efficiency, rework
from clickup_toolkit.charts.offline import show_offline, to_html
from clickup_toolkit.charts.over_time import cumulative_flow, net_flow, work_in_progress
from clickup_toolkit.charts.pictures import to_png, to_pngs
from clickup_toolkit.charts.quality import data_quality
from clickup_toolkit.charts.status_time import median_and_p85, time_in_status
from clickup_toolkit.charts.themes import themed
from clickup_toolkit.charts.waiting import queues, waiting_now, where_work_waits

__all__ = [
    "MANY_LIKELIHOODS",
    "PALETTE",
    "Measured",
    "Theme",
    "ageing_work",
    "blocked_and_stale",
    "bottleneck",
    "cumulative_flow",
    "data_quality",
    "estimate_against_tracked",
    "finished_work",
    "flow_efficiency",
    "forecast_how_many",
    "forecast_when",
    "lead_and_cycle_time",
    "median_and_p85",
    "net_flow",
    "queues",
    "rework",
    "service_level_expectation",
    "show_offline",
    "themed",
    "throughput",
    "time_histogram",
    "time_in_status",
    "to_html",
    "to_png",
    "to_pngs",
    "tracked_time",
    "waiting_now",
    "where_work_waits",
    "work_in_progress",
    "work_item_age",
]
