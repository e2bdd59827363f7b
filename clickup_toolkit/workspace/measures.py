"""A method for each measure; what they mean, and their columns, stands in :mod:`clickup_toolkit.analyse`.

``by`` is list, folder, space, status (all together), priority, task_type, member, tag, done_week, done_month,
done_quarter, or a custom field's name. ``working=True`` counts working time, as WORKING_DAYS, WORKING_HOURS,
HOLIDAYS and TIME_ZONE say; where cycle time starts and ends is what CYCLE_START and CYCLE_END say.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from clickup_toolkit import analyse
from clickup_toolkit.analyse.calendar import Unit
from clickup_toolkit.workspace.asking import Asking, By, When, instant

__all__ = ["Measures", "day"]


class Measures(Asking):
    """The measures of a workspace."""

    # How long things take

    def time_in_status(
        self,
        by: By = "list",
        *,
        merge_statuses: bool = False,
        finished: bool = False,
        working: bool | None = None,
    ) -> pd.DataFrame:
        """Tell how long tasks stay in each status; see :func:`clickup_toolkit.analyse.time_in_status`."""
        return self._ask(
            "time_in_status", by, working=working, merge_statuses=merge_statuses, finished=finished
        )

    def lead_and_cycle_time(
        self, by: By = "list", *, since: When | None = None, working: bool | None = None
    ) -> pd.DataFrame:
        """Tell how long finished work took; see :func:`clickup_toolkit.analyse.lead_and_cycle_time`."""
        return self._ask("lead_and_cycle_time", by, working=working, since=_since(since))

    def finished_work(self, *, since: When | None = None, working: bool | None = None) -> pd.DataFrame:
        """List finished tasks with what they took; see :func:`clickup_toolkit.analyse.finished_work`."""
        return self._ask("finished_work", working=working, since=_since(since))

    def work_item_age(self, *, working: bool | None = None) -> pd.DataFrame:
        """List started tasks, the oldest first; see :func:`clickup_toolkit.analyse.work_item_age`."""
        return self._ask("work_item_age", working=working)

    def pace_percentiles(self, *, since: When | None = None, merge_statuses: bool = False) -> pd.DataFrame:
        """Tell how old finished tasks were in each status; see :func:`analyse.pace_percentiles`."""
        return self._ask("pace_percentiles", since=_since(since), merge_statuses=merge_statuses)

    def ageing_work(self, *, since: When | None = None, merge_statuses: bool = False) -> pd.DataFrame:
        """List started tasks with their age beside the pace; see :func:`analyse.ageing_work`."""
        return self._ask("ageing_work", since=_since(since), merge_statuses=merge_statuses)

    def service_level_expectation(
        self,
        by: By = "list",
        *,
        probability: float = 0.85,
        since: When | None = None,
        working: bool | None = None,
    ) -> pd.DataFrame:
        """Tell within which time a task is expected; see :func:`analyse.service_level_expectation`."""
        return self._ask(
            "service_level_expectation", by, working=working, probability=probability, since=_since(since)
        )

    # How much flows

    def throughput(
        self,
        by: By = "status",
        *,
        weeks: int | None = None,
        days: int | None = None,
        unit: Unit = "week",
        tz: str | None = None,
    ) -> pd.DataFrame:
        """Count the tasks finished each week or day; see :func:`clickup_toolkit.analyse.throughput`."""
        return self._ask("throughput", by, weeks=weeks, days=days, unit=unit, tz=tz)

    def work_in_progress(
        self, by: By = "status", *, last: int = 90, unit: Unit = "day", tz: str | None = None
    ) -> pd.DataFrame:
        """Count started, unfinished tasks over time; see :func:`analyse.work_in_progress`."""
        return self._ask("work_in_progress", by, last=last, unit=unit, tz=tz)

    def net_flow(
        self, by: By = "status", *, last: int = 13, unit: Unit = "week", tz: str | None = None
    ) -> pd.DataFrame:
        """Tell what came into progress less what left it; see :func:`analyse.net_flow`."""
        return self._ask("net_flow", by, last=last, unit=unit, tz=tz)

    def cumulative_flow(
        self, by: By = "status", *, last: int = 90, unit: Unit = "day", tz: str | None = None
    ) -> pd.DataFrame:
        """Tell how many tasks were to do, in progress and done; see :func:`analyse.cumulative_flow`."""
        return self._ask("cumulative_flow", by, last=last, unit=unit, tz=tz)

    def littles_law(self, *, last: int = 90, tz: str | None = None) -> pd.DataFrame:
        """Compare cycle time with what Little's law makes of the flow; see :func:`analyse.littles_law`."""
        return self._ask("littles_law", last=last, tz=tz)

    def queues(
        self, weeks: int = 13, by: By = "status", *, merge_statuses: bool = False, not_started: bool = False
    ) -> pd.DataFrame:
        """Tell how long each queue was, week by week; see :func:`clickup_toolkit.analyse.queues`."""
        return self._ask("queues", by, weeks=weeks, merge_statuses=merge_statuses, not_started=not_started)

    # Where it is held up

    def where_work_waits(
        self, by: By = "status", *, merge_statuses: bool = False, not_started: bool = False
    ) -> pd.DataFrame:
        """Rank where unfinished work waits; see :func:`clickup_toolkit.analyse.where_work_waits`."""
        return self._ask("where_work_waits", by, merge_statuses=merge_statuses, not_started=not_started)

    def waiting_now(self, *, merge_statuses: bool = False, not_started: bool = False) -> pd.DataFrame:
        """List unfinished tasks, the longest waiting first; see :func:`analyse.waiting_now`."""
        return self._ask("waiting_now", merge_statuses=merge_statuses, not_started=not_started)

    def bottleneck(self, by: By = "status", *, weeks: int = 4, merge_statuses: bool = False) -> pd.DataFrame:
        """Rank statuses by the signs of a bottleneck; see :func:`clickup_toolkit.analyse.bottleneck`."""
        return self._ask("bottleneck", by, weeks=weeks, merge_statuses=merge_statuses)

    def flow_efficiency(
        self,
        by: By = "list",
        *,
        since: When | None = None,
        waiting: tuple[str, ...] | None = None,
        working: bool | None = None,
    ) -> pd.DataFrame:
        """Tell which part of work's time was worked in; see :func:`analyse.flow_efficiency`."""
        return self._ask("flow_efficiency", by, working=working, since=_since(since), waiting=waiting)

    def status_roles(self, *, waiting: tuple[str, ...] | None = None) -> pd.DataFrame:
        """Tell what each status counts as; see :func:`clickup_toolkit.analyse.status_roles`."""
        return self._ask("status_roles", waiting=waiting)

    def rework(self, by: By = "list") -> pd.DataFrame:
        """Count the tasks that went back; see :func:`clickup_toolkit.analyse.rework`."""
        return self._ask("rework", by)

    def blocked_and_stale(
        self, *, blocked: tuple[str, ...] | None = None, stale_days: float | None = None
    ) -> pd.DataFrame:
        """List blocked, stale and overdue tasks; see :func:`analyse.blocked_and_stale`."""
        return self._ask("blocked_and_stale", blocked=blocked, stale_days=stale_days)

    # What to expect

    def throughput_samples(
        self, *, history: int = 90, working: bool | None = None, tz: str | None = None
    ) -> pd.DataFrame:
        """Count what was finished on each past day; see :func:`analyse.throughput_samples`."""
        return self._ask("throughput_samples", working=working, history=history, tz=tz)

    def forecast_how_many(
        self,
        until: date | str | None = None,
        *,
        history: int = 90,
        trials: int = 10_000,
        seed: int = 0,
        likelihoods: tuple[float, ...] | None = None,
        working: bool | None = None,
        tz: str | None = None,
    ) -> pd.DataFrame:
        """Forecast how many tasks will be finished by ``until`` (a date, or ISO 8601; by default in four
        weeks); see :func:`clickup_toolkit.analyse.forecast_how_many`.
        """
        how: dict[str, Any] = {
            "history": history,
            "trials": trials,
            "seed": seed,
            "likelihoods": likelihoods,
            "tz": tz,
        }
        return self._ask("forecast_how_many", working=working, until=self._until(until), **how)

    def forecast_when(
        self,
        items: int | None = None,
        *,
        history: int = 90,
        trials: int = 10_000,
        seed: int = 0,
        likelihoods: tuple[float, ...] | None = None,
        working: bool | None = None,
        tz: str | None = None,
    ) -> pd.DataFrame:
        """Forecast when ``items`` more tasks will be done (by default as many as are in progress); see
        :func:`clickup_toolkit.analyse.forecast_when`.
        """
        how: dict[str, Any] = {
            "history": history,
            "trials": trials,
            "seed": seed,
            "likelihoods": likelihoods,
            "tz": tz,
        }
        return self._ask("forecast_when", working=working, items=self._items(items), **how)

    # Effort and data

    def estimate_against_tracked(self, by: By = "list", *, since: When | None = None) -> pd.DataFrame:
        """Compare estimates with tracked time; see :func:`analyse.estimate_against_tracked`."""
        return self._ask("estimate_against_tracked", by, since=_since(since))

    def tracked_time(
        self, *, weeks: int | None = None, unit: Unit = "week", tz: str | None = None
    ) -> pd.DataFrame:
        """Add up tracked time by member and week; see :func:`clickup_toolkit.analyse.tracked_time`."""
        return self._ask("tracked_time", weeks=weeks, unit=unit, tz=tz)

    def data_quality(self) -> pd.DataFrame:
        """Report what is missing or contradicts itself; see :func:`analyse.data_quality`."""
        return self._ask("data_quality")

    # In words

    def headline(self) -> analyse.Sentence:
        """Say in a sentence where work waits."""
        return analyse.headline(self.where_work_waits())

    readable = staticmethod(analyse.readable)
    provenance = staticmethod(analyse.provenance)

    def _until(self, until: date | str | None) -> date:
        return (self.now + timedelta(days=28)).date() if until is None else day(until)

    def _items(self, items: int | None) -> int:
        """Return the tasks in progress where no number is given; one at least, so that there is an answer."""
        return max(len(self.work_item_age()), 1) if items is None else items


def day(text: date | str) -> date:
    """Return a date; text is ISO 8601."""
    return date.fromisoformat(text[:10]) if isinstance(text, str) else text


def _since(at: When | None) -> object:
    return instant(at) if at else None
