"""When an export happens: the scheduled notebook, run by papermill, every so many hours.

:func:`run_notebook` executes ``scheduled/export.ipynb`` once, in a process of its own, and keeps the executed
notebook under ``runs/``; :func:`read_report` takes the export's report out of it. :func:`run_forever` runs it
every ``EXPORT_INTERVAL_HOURS``, truly so, tries a failed one again and tells whom it concerns;
:func:`run_if_due` is for cron.
"""

from __future__ import annotations

from clickup_toolkit.schedule.keeper import LOCK, SchedulerRunning, run_forever, run_if_due
from clickup_toolkit.schedule.notebook import check_parameters, environment, find_notebook, run_notebook
from clickup_toolkit.schedule.notify import Notice, Notifier, send_mail, send_webhook
from clickup_toolkit.schedule.progress import ProgressBar
from clickup_toolkit.schedule.report import (
    as_json,
    describe,
    gaps_table,
    note_report,
    notebook_settings,
    read_report,
)
from clickup_toolkit.schedule.timetable import (
    PLAN,
    Clock,
    Plan,
    SteadyClock,
    Timetable,
    read_anchor,
    read_plan,
)

__all__ = [
    "LOCK",
    "PLAN",
    "Clock",
    "Notice",
    "Notifier",
    "Plan",
    "ProgressBar",
    "SchedulerRunning",
    "SteadyClock",
    "Timetable",
    "as_json",
    "check_parameters",
    "describe",
    "environment",
    "find_notebook",
    "gaps_table",
    "note_report",
    "notebook_settings",
    "read_anchor",
    "read_plan",
    "read_report",
    "run_forever",
    "run_if_due",
    "run_notebook",
    "send_mail",
    "send_webhook",
]
