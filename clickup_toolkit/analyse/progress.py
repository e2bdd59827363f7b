"""Work in progress over time: how much there was, what came and went, the cumulative flow."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Floats, instant, times
from clickup_toolkit.analyse.calendar import Unit, edges
from clickup_toolkit.analyse.columns import CHANGES, CYCLE, STAYS
from clickup_toolkit.analyse.cycle import CLICKUP_RULE, Cycle, spans, spans_seen
from clickup_toolkit.analyse.groups import Grouped, Grouping, grouped, told
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.source import APPROXIMATED, OBSERVED, Observation, sourced
from clickup_toolkit.analyse.stages import STAGES, Staged, staged

__all__ = ["cumulative_flow", "littles_law", "net_flow", "work_in_progress"]


@measure(tasks=CYCLE, time_in_status=STAYS, status_changes=CHANGES, exports=("started",))
def work_in_progress(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    last: int = 90,
    unit: Unit = "day",
    tz: str = "UTC",
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the tasks that were started and not finished, at the end of each of the ``last`` days or weeks.

    Work in progress after *The Kanban Guide*, 2020: at an instant, the tasks that have started by then and
    have not finished. The last instant is ``now``. Ends of days are those of time zone ``tz``.

    Columns: ``<by>_id``, ``<by>`` (absent with ``by="status"``: all together), ``at``, ``in_progress``,
    ``arrived`` and ``left`` (since the instant before) and ``source``: observed from the first export on
    where ``status_changes`` are given, before that approximated from the instants of start and finish.
    """
    seen, at, groups, counts = _counted(
        tasks, now, by, last, unit, tz, cycle, time_in_status, status_changes, exports
    )
    arrived, left = counts.between(1)
    table = _grid(groups, at[1:], _words(counts))
    table["in_progress"] = counts.there[1][:, 1:].reshape(-1)
    table["arrived"], table["left"] = arrived.reshape(-1), left.reshape(-1)
    columns = ["at", "in_progress", "arrived", "left", "source"]
    return sourced(told(table, groups, columns), APPROXIMATED, seen.at)


@measure(tasks=CYCLE, time_in_status=STAYS, status_changes=CHANGES, exports=("started",))
def net_flow(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    last: int = 13,
    unit: Unit = "week",
    tz: str = "UTC",
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell, period by period, whether more was started than finished.

    Net flow = arrivals less departures: work started less work done, as in D. Vacanti's *Actionable Agile
    Metrics for Predictability*, 2015. Above 0 work in progress grows, and by Little's law so will cycle
    time. The last period is not over.

    Columns: ``<by>_id``, ``<by>``, ``week`` or ``day`` (its first instant), ``created``, ``started``,
    ``done``, ``net`` (started less what left progress, done or back to do), ``complete`` and ``source``.
    """
    seen, at, groups, counts = _counted(
        tasks, now, by, last, unit, tz, cycle, time_in_status, status_changes, exports
    )
    arrived, left = counts.between(1)
    table = _grid(groups, at[:-1], _words(counts)).rename(columns={"at": unit})
    whole = counts.there.sum(axis=0)
    table["created"] = np.diff(whole).clip(min=0).reshape(-1)
    table["started"], table["done"] = arrived.reshape(-1), counts.between(2)[0].reshape(-1)
    table["net"] = (arrived - left).reshape(-1)
    table["complete"] = np.tile(np.arange(len(at) - 1) < len(at) - 2, len(groups.ids))
    columns = [unit, "created", "started", "done", "net", "complete", "source"]
    return sourced(told(table, groups, columns), APPROXIMATED, seen.at)


@measure(tasks=CYCLE, time_in_status=STAYS, status_changes=CHANGES, exports=("started",))
def cumulative_flow(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    last: int = 90,
    unit: Unit = "day",
    tz: str = "UTC",
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tell how many tasks were to do, in progress and done at each instant: the cumulative flow diagram.

    After D. Vacanti, *Actionable Agile Metrics for Predictability*, 2015: the line of a stage is how many
    tasks have come to it or beyond; the band between two lines is how many are in the stage. The bands of
    each status by itself are what :func:`queues` tells.

    Columns: ``<by>_id``, ``<by>``, ``at``, ``stage`` (to do, in progress, done), ``tasks`` (in the stage),
    ``cumulative`` (in the stage or a later one) and ``source``. Where observed changes lead tasks back, a
    line may fall.
    """
    seen, at, groups, counts = _counted(
        tasks, now, by, last, unit, tz, cycle, time_in_status, status_changes, exports
    )
    beyond = counts.there[::-1].cumsum(axis=0)[::-1]
    parts = []
    for number, stage in enumerate(STAGES):
        table = _grid(groups, at[1:], _words(counts)).assign(stage=stage, order=number)
        table["tasks"] = counts.there[number][:, 1:].reshape(-1)
        table["cumulative"] = beyond[number][:, 1:].reshape(-1)
        parts.append(table)
    table = pd.concat(parts).sort_values(["label", "id", "at", "order"], kind="stable")
    return sourced(
        told(table, groups, ["at", "stage", "tasks", "cumulative", "source"]), APPROXIMATED, seen.at
    )


@measure(tasks=CYCLE, time_in_status=STAYS, status_changes=CHANGES, exports=("started",))
def littles_law(
    tasks: pd.DataFrame,
    *,
    now: datetime,
    last: int = 90,
    tz: str = "UTC",
    cycle: Cycle = CLICKUP_RULE,
    time_in_status: pd.DataFrame | None = None,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare the mean cycle time with what Little's law makes of work in progress and throughput.

    J. Little, *A Proof for the Queuing Formula L = λW*, 1961: over a time in which the system is stable,
    mean cycle time = mean work in progress / mean throughput. Where the two differ much, the system is not
    stable: work in progress grows or shrinks, or old work is left lying.

    One row, over the ``last`` whole days: ``in_progress`` (mean), ``per_day`` (throughput), ``cycle_mean_ms``
    (measured, of what was finished), ``expected_ms`` (in_progress / per_day) and ``ratio`` (measured by
    expected; 1 is stable); empty where nothing was finished.
    """
    seen, at, _, counts = _counted(
        tasks, now, "status", last + 1, "day", tz, cycle, time_in_status, status_changes, exports
    )
    found = spans(tasks, cycle, time_in_status, seen)
    done = (found.finish > at[0]) & (found.finish <= at[-2]) & ~np.isnan(found.start)
    took = (found.finish - found.start)[done]
    there, days = counts.there[1].sum(axis=0)[1:-1], (at[-2] - at[0]) / 86_400_000
    rate = len(took) / days
    expected = there.mean() / rate * 86_400_000 if len(took) else np.nan
    mean = took.mean() if len(took) else np.nan
    row = {"in_progress": there.mean(), "per_day": rate, "cycle_mean_ms": mean, "expected_ms": expected}
    return sourced(pd.DataFrame([row | {"ratio": mean / expected}]), _words(counts)[0], seen.at)


def _counted(
    tasks: pd.DataFrame,
    now: datetime,
    by: str | Grouping,
    last: int,
    unit: Unit,
    tz: str,
    cycle: Cycle,
    time_in_status: pd.DataFrame | None,
    status_changes: pd.DataFrame | None,
    exports: pd.DataFrame | None,
) -> tuple[Observation, Floats, Grouped, Staged]:
    instant(now)
    at, groups = edges(now, unit, last, tz), grouped(tasks, by)
    seen, found = spans_seen(tasks, cycle, time_in_status, status_changes, exports)
    return seen, at, groups, staged(tasks, found, groups, at, seen, cycle)


def _words(counts: Staged) -> list[str]:
    """Return where the figures of each period come from: those of its two ends, whichever is weaker."""
    both = counts.observed[1:] & counts.observed[:-1]
    return [OBSERVED if each else APPROXIMATED for each in both]


def _grid(groups: Grouped, at: Floats, words: list[str]) -> pd.DataFrame:
    """Return a row for each group and instant, in the order of the counts."""
    many = len(groups.ids)
    return pd.DataFrame(
        {
            "group": np.repeat(np.arange(many), len(at)),
            "id": np.repeat(np.array(groups.ids, dtype=object), len(at)),
            "label": np.repeat(np.array(groups.labels, dtype=object), len(at)),
            "at": np.tile(np.asarray(times(at)), many),
            "source": np.tile(np.array(words, dtype=object), many),
        }
    ).assign(at=lambda table: pd.to_datetime(table["at"], utc=True).astype("datetime64[ms, UTC]"))
