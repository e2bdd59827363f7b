"""A method for each chart: the measure of the same name, drawn by :mod:`clickup_toolkit.charts`."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go

from clickup_toolkit import charts
from clickup_toolkit.analyse.calendar import Unit
from clickup_toolkit.charts import Measured
from clickup_toolkit.workspace.asking import By, When
from clickup_toolkit.workspace.measures import Measures

__all__ = ["Drawing"]


class Drawing(Measures):
    """The charts of a workspace."""

    # How long things take

    def chart_time_in_status(self, by: By = "list", *, top: int = 15, not_started: bool = False) -> go.Figure:
        """Draw how long a task spends in each status."""
        table = self.time_in_status(by)
        return charts.time_in_status(table, as_of=self.now, top=top, not_started=not_started)

    def chart_median_and_p85(self, by: By = "status", *, top: int = 15) -> go.Figure:
        """Draw what half and what 85 in 100 of the tasks spend in each status at most."""
        return charts.median_and_p85(self.time_in_status(by), as_of=self.now, top=top)

    def chart_lead_and_cycle_time(
        self, by: By = "list", *, since: When | None = None, top: int = 15
    ) -> go.Figure:
        """Draw how long finished work took, by group."""
        return charts.lead_and_cycle_time(self.lead_and_cycle_time(by, since=since), as_of=self.now, top=top)

    def chart_finished_work(self, *, measure: Measured = "cycle", since: When | None = None) -> go.Figure:
        """Draw each finished task by when it was done and what it took: the cycle time scatterplot."""
        return charts.finished_work(self.finished_work(since=since), as_of=self.now, measure=measure)

    def chart_time_histogram(self, *, measure: Measured = "cycle", since: When | None = None) -> go.Figure:
        """Draw how cycle (or lead) times are spread."""
        return charts.time_histogram(self.finished_work(since=since), as_of=self.now, measure=measure)

    def chart_ageing_work(self, place: str = "", *, since: When | None = None, top: int = 10) -> go.Figure:
        """Draw unfinished work by its age in the columns of a workflow, over the pace of finished work.

        ``place`` is the list whose workflow it is, or the space of lists that share theirs; by default the
        one with most started tasks.
        """
        table, pace = self.ageing_work(since=since), self.pace_percentiles(since=since)
        return charts.ageing_work(table, pace, as_of=self.now, place=place, top=top)

    def chart_work_item_age(self, *, top: int = 25) -> go.Figure:
        """Draw the oldest started tasks."""
        return charts.work_item_age(self.work_item_age(), as_of=self.now, top=top)

    def chart_service_level_expectation(
        self, by: By = "list", *, probability: float = 0.85, since: When | None = None, top: int = 15
    ) -> go.Figure:
        """Draw within which time a started task is expected to be finished."""
        table = self.service_level_expectation(by, probability=probability, since=since)
        return charts.service_level_expectation(table, as_of=self.now, top=top)

    # How much flows

    def chart_throughput(
        self,
        by: By = "status",
        *,
        weeks: int | None = 26,
        days: int | None = None,
        unit: Unit = "week",
        tz: str | None = None,
    ) -> go.Figure:
        """Draw how much gets finished each week or day, also where that was nothing."""
        table = self.throughput(by, weeks=weeks, days=days, unit=unit, tz=tz)
        return charts.throughput(table, as_of=self.now)

    def chart_work_in_progress(
        self, by: By = "status", *, last: int = 90, unit: Unit = "day", top: int = 6
    ) -> go.Figure:
        """Draw how much was in progress over time."""
        return charts.work_in_progress(
            self.work_in_progress(by, last=last, unit=unit), as_of=self.now, top=top
        )

    def chart_net_flow(self, *, last: int = 13, unit: Unit = "week") -> go.Figure:
        """Draw what came into progress less what left it."""
        return charts.net_flow(self.net_flow(last=last, unit=unit), as_of=self.now)

    def chart_cumulative_flow(self, *, last: int = 90, unit: Unit = "day") -> go.Figure:
        """Draw how many tasks were to do, in progress and done over time."""
        return charts.cumulative_flow(self.cumulative_flow(last=last, unit=unit), as_of=self.now)

    def chart_queues(self, weeks: int = 13, by: By = "status", *, top: int = 6) -> go.Figure:
        """Draw how long the longest queues were, week by week."""
        return charts.queues(self.queues(weeks, by), as_of=self.now, top=top)

    # Where it is held up

    def chart_where_work_waits(self, by: By = "status", *, top: int = 12) -> go.Figure:
        """Draw the statuses by their share of unfinished work's time."""
        return charts.where_work_waits(self.where_work_waits(by), as_of=self.now, top=top)

    def chart_waiting_now(self, *, top: int = 12) -> go.Figure:
        """Draw the age of all unfinished tasks in their current status."""
        return charts.waiting_now(self.waiting_now(), as_of=self.now, top=top)

    def chart_bottleneck(self, by: By = "status", *, weeks: int = 4, top: int = 12) -> go.Figure:
        """Draw the statuses by the signs of a bottleneck."""
        return charts.bottleneck(self.bottleneck(by, weeks=weeks), as_of=self.now, top=top)

    def chart_flow_efficiency(
        self, by: By = "list", *, since: When | None = None, top: int = 15
    ) -> go.Figure:
        """Draw which part of the time of finished work was worked in."""
        return charts.flow_efficiency(self.flow_efficiency(by, since=since), as_of=self.now, top=top)

    def chart_rework(self, by: By = "list", *, top: int = 15) -> go.Figure:
        """Draw which part of the tasks went back."""
        return charts.rework(self.rework(by), as_of=self.now, top=top)

    def chart_blocked_and_stale(self, *, top: int = 25) -> go.Figure:
        """Draw the blocked, stale and overdue tasks by how long nobody has touched them."""
        return charts.blocked_and_stale(self.blocked_and_stale(), as_of=self.now, top=top)

    # What to expect

    def chart_forecast_how_many(
        self, until: date | str | None = None, *, history: int = 90, trials: int = 10_000, seed: int = 0
    ) -> go.Figure:
        """Draw how many tasks may be finished by ``until``, with the likelihoods."""
        many = charts.MANY_LIKELIHOODS
        table = self.forecast_how_many(until, history=history, trials=trials, seed=seed, likelihoods=many)
        return charts.forecast_how_many(table, as_of=self.now, until=self._until(until))

    def chart_forecast_when(
        self, items: int | None = None, *, history: int = 90, trials: int = 10_000, seed: int = 0
    ) -> go.Figure:
        """Draw when ``items`` more tasks may be done, with the likelihoods."""
        items, many = self._items(items), charts.MANY_LIKELIHOODS
        table = self.forecast_when(items, history=history, trials=trials, seed=seed, likelihoods=many)
        return charts.forecast_when(table, as_of=self.now, items=items)

    # Effort and data

    def chart_estimate_against_tracked(
        self, by: By = "list", *, since: When | None = None, top: int = 15
    ) -> go.Figure:
        """Draw tracked time beside estimates."""
        table = self.estimate_against_tracked(by, since=since)
        return charts.estimate_against_tracked(table, as_of=self.now, top=top)

    def chart_tracked_time(self, *, weeks: int = 12, top: int = 20) -> go.Figure:
        """Draw the tracked time of each member in each week."""
        return charts.tracked_time(self.tracked_time(weeks=weeks), as_of=self.now, top=top)

    def chart_data_quality(self) -> go.Figure:
        """Draw which checks of the data fail, and how often."""
        return charts.data_quality(self.data_quality(), as_of=self.now)
