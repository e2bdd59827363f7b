"""Charts: a measure's DataFrame in, a Plotly figure out.

Every function takes what the function of the same name in :mod:`clickup_toolkit.analyse` returns, and
``as_of``, the instant to print. Nothing is read or written. :func:`to_html` makes a page of a figure;
:func:`show_offline` lets notebooks show figures without asking a foreign host.
"""

from __future__ import annotations

from clickup_toolkit.charts.flow import lead_and_cycle_time, throughput
from clickup_toolkit.charts.offline import show_offline, to_html
from clickup_toolkit.charts.status_time import median_and_p85, time_in_status
from clickup_toolkit.charts.waiting import queues, waiting_now, where_work_waits

__all__ = [
    "lead_and_cycle_time",
    "median_and_p85",
    "queues",
    "show_offline",
    "throughput",
    "time_in_status",
    "to_html",
    "waiting_now",
    "where_work_waits",
]
