"""Measures of flow: tables in, tidy DataFrames out.

Every measure takes the tables as the toolkit's Parquet files hold them (columns of
:mod:`clickup_toolkit.records`, times as timezone-aware UTC) and ``now``, the instant at which to look; none
reads a file, a clock or the environment. A table may be a pandas or a Dask DataFrame. Durations are in
milliseconds and end in ``_ms``; :func:`provenance` says whether figures are exact, observed or approximated,
:func:`readable` puts a result into words.

:data:`COLUMNS` names the columns that each measure reads; :func:`tables_for` reads those, and no other, from
Parquet files.
"""

from __future__ import annotations

from clickup_toolkit.analyse.ageing import PACE, ageing_work, pace_percentiles, service_level_expectation
from clickup_toolkit.analyse.attention import BLOCKED, STALE_DAYS, blocked_and_stale
from clickup_toolkit.analyse.bottleneck import bottleneck
from clickup_toolkit.analyse.columns import TASK_COLUMNS, TIME_IN_STATUS_COLUMNS
from clickup_toolkit.analyse.configuration import Configuration, configuration
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Boundary, Cycle
from clickup_toolkit.analyse.efficiency import WAITING, flow_efficiency, status_roles
from clickup_toolkit.analyse.effort import estimate_against_tracked, tracked_time
from clickup_toolkit.analyse.flow import finished_work, lead_and_cycle_time, throughput, work_item_age
from clickup_toolkit.analyse.forecast import (
    LIKELIHOODS,
    forecast_how_many,
    forecast_when,
    throughput_samples,
)
from clickup_toolkit.analyse.groups import (
    OF_TASKS,
    Grouping,
    by_custom_field,
    by_member,
    by_period,
    by_tag,
    by_task_type,
)
from clickup_toolkit.analyse.measure import COLUMNS, ROWS
from clickup_toolkit.analyse.progress import cumulative_flow, littles_law, net_flow, work_in_progress
from clickup_toolkit.analyse.quality import data_quality
from clickup_toolkit.analyse.queues import queues
from clickup_toolkit.analyse.reading import read, tables_for
from clickup_toolkit.analyse.rework import rework
from clickup_toolkit.analyse.source import APPROXIMATED, EXACT, OBSERVED, SIMULATED, Provenance, provenance
from clickup_toolkit.analyse.status_time import time_in_status, waiting_now, where_work_waits
from clickup_toolkit.analyse.words import Sentence, duration, headline, percent, readable
from clickup_toolkit.analyse.working import WorkingTime

__all__ = [
    "APPROXIMATED",
    "BLOCKED",
    "CLICKUP_RULE",
    "COLUMNS",
    "EXACT",
    "LIKELIHOODS",
    "OBSERVED",
    "OF_TASKS",
    "PACE",
    "ROWS",
    "SIMULATED",
    "STALE_DAYS",
    "TASK_COLUMNS",
    "TIME_IN_STATUS_COLUMNS",
    "WAITING",
    "Boundary",
    "Configuration",
    "Cycle",
    "Grouping",
    "Provenance",
    "Sentence",
    "WorkingTime",
    "ageing_work",
    "blocked_and_stale",
    "bottleneck",
    "by_custom_field",
    "by_member",
    "by_period",
    "by_tag",
    "by_task_type",
    "configuration",
    "cumulative_flow",
    "data_quality",
    "duration",
    "estimate_against_tracked",
    "finished_work",
    "flow_efficiency",
    "forecast_how_many",
    "forecast_when",
    "headline",
    "lead_and_cycle_time",
    "littles_law",
    "net_flow",
    "pace_percentiles",
    "percent",
    "provenance",
    "queues",
    "read",
    "readable",
    "rework",
    "service_level_expectation",
    "status_roles",
    "tables_for",
    "throughput",
    "throughput_samples",
    "time_in_status",
    "tracked_time",
    "waiting_now",
    "where_work_waits",
    "work_in_progress",
    "work_item_age",
]
