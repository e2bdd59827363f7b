"""Measures of flow: tables in, tidy DataFrames out.

Every function takes the tables as the toolkit's Parquet files hold them (columns of
:mod:`clickup_toolkit.records`, times as timezone-aware UTC) and ``now``, the instant at which to look; none
reads a file, a clock or the environment. Durations are in milliseconds and end in ``_ms``;
:func:`readable` puts a result into words.
"""

from __future__ import annotations

from clickup_toolkit.analyse.columns import TASK_COLUMNS, TIME_IN_STATUS_COLUMNS
from clickup_toolkit.analyse.flow import finished_work, lead_and_cycle_time, throughput, work_item_age
from clickup_toolkit.analyse.groups import (
    OF_TASKS,
    Grouping,
    by_custom_field,
    by_member,
    by_tag,
    by_task_type,
)
from clickup_toolkit.analyse.queues import queues
from clickup_toolkit.analyse.status_time import time_in_status, waiting_now, where_work_waits
from clickup_toolkit.analyse.words import Sentence, duration, headline, percent, readable

__all__ = [
    "OF_TASKS",
    "TASK_COLUMNS",
    "TIME_IN_STATUS_COLUMNS",
    "Grouping",
    "Sentence",
    "by_custom_field",
    "by_member",
    "by_tag",
    "by_task_type",
    "duration",
    "finished_work",
    "headline",
    "lead_and_cycle_time",
    "percent",
    "queues",
    "readable",
    "throughput",
    "time_in_status",
    "waiting_now",
    "where_work_waits",
    "work_item_age",
]
