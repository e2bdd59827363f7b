"""What a chart shows, in a sentence or two: for those who cannot see it, and for everybody in a hurry."""

from __future__ import annotations

import pandas as pd

from clickup_toolkit import analyse
from clickup_toolkit.analyse import duration, percent
from clickup_toolkit.analyse.basis import NOT_STARTED
from clickup_toolkit.serve.dashboards.drawing import cut
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Fact

__all__ = [
    "facts_of_flow",
    "hours",
    "of_ages",
    "of_estimates",
    "of_finished",
    "of_flow",
    "of_groups",
    "of_queues",
    "of_throughput",
    "of_times",
    "of_tracked",
    "of_waiting",
    "of_waits",
]

_GROUPS = 15  # that the chart shows
_NONE = "There is nothing to show."


def facts_of_flow(narrowed: Narrowed, links: Links) -> tuple[Fact, ...]:
    """Return what was done in the period and how long it took, and what is in progress now."""
    took = narrowed.ask("lead_and_cycle_time", by="status", of_period=True, since=narrowed.since)
    ages = narrowed.ask("work_item_age")
    row = took.iloc[0] if len(took) else None
    period, done_at = narrowed.filters.period_words(), links.done_between(narrowed.since, narrowed.until)
    late = "" if row is None else f"85% within {duration(row['cycle_p85_ms'])}"
    oldest = ages.iloc[0] if len(ages) else None
    return (
        Fact("Done", f"{0 if row is None else int(row['done']):,}", period, done_at),
        Fact("Cycle time, median", "–" if row is None else duration(row["cycle_median_ms"]), late),
        Fact("In progress", f"{len(ages):,}", "started, not finished", _in_progress(links)),
        Fact(
            "Oldest in progress",
            "–" if oldest is None else duration(oldest["age_ms"]),
            "" if oldest is None else cut(oldest["name"]),
            "" if oldest is None else links.task(str(oldest["task_id"])),
        ),
    )


def _in_progress(links: Links) -> str:
    known = {"status_type": "custom", "archived": "0", "in_archived": "0", "cycle_started__notblank": "1"}
    return links.tasks(known, _sort="cycle_started")


def of_waits(table: pd.DataFrame) -> str:
    """Say where unfinished work has spent its time."""
    return str(analyse.headline(table)).replace("**", "")


def of_throughput(table: pd.DataFrame) -> str:
    """Say how much gets finished in a week that is over."""
    weeks = table.groupby("week", as_index=False).agg(done=("done", "sum"), complete=("complete", "all"))
    over = weeks.loc[weeks["complete"], "done"]
    if over.empty:
        return f"{_tasks(int(weeks['done'].sum()))} finished so far in the week that still runs."
    if len(over) == 1:
        return f"In the one week that is over, {_tasks(int(over.iloc[0]))} were finished."
    return (
        f"In {len(over):,} weeks that are over, {int(over.min()):,} to {_tasks(int(over.max()))} "
        f"were finished each, in half of them {over.median():g} or more; {int(over.iloc[-1]):,} in the last."
    )


def of_finished(table: pd.DataFrame) -> str:
    """Say how long finished tasks took."""
    known = table[table["cycle_ms"].notna()]
    took = known["cycle_ms"]
    if took.empty:
        return f"{_tasks(len(table))} finished; of none is the start known." if len(table) else _NONE
    slowest = known.iloc[int(took.to_numpy().argmax())]
    return (
        f"{_tasks(len(took))} finished: half of them within {duration(float(took.median()))} from their "
        f"start, 85% within {duration(float(took.quantile(0.85)))}. The slowest, {_quoted(slowest['name'])}, "
        f"took {duration(slowest['cycle_ms'])}."
    )


def of_ages(table: pd.DataFrame) -> str:
    """Say how old started work is beside finished work."""
    if table.empty:
        return "Nothing that was started is unfinished."
    late = int((table["pace"] >= 85).sum())
    oldest = table.iloc[int(table["age_ms"].to_numpy().argmax())]
    return (
        f"{_tasks(len(table))} in progress; {late:,} of them older than 85% of the finished tasks were when "
        f"they left the same status. The oldest, {_quoted(oldest['name'])}, was started "
        f"{duration(oldest['age_ms'])} ago."
    )


def of_flow(table: pd.DataFrame) -> str:
    """Say how the stages have grown."""
    if table.empty:
        return _NONE
    wide = table.pivot_table(index="at", columns="stage", values="tasks", aggfunc="sum", observed=True)
    first, last = wide.iloc[0], wide.iloc[-1]
    words = [
        f"{stage} from {int(first[stage]):,} to {int(last[stage]):,}" for stage in table["stage"].unique()
    ]
    return f"Since {wide.index[0]:%d %b %Y}: {', '.join(words)} tasks."


def of_groups(table: pd.DataFrame) -> str:
    """Say which group's tasks take longest from start to done, and where."""
    table = table[~table["status_type"].isin(NOT_STARTED)]
    if table.empty:
        return _NONE
    group = str(table.columns[1])
    sums = table.groupby(table.columns[0]).agg(whole=("sum_ms", "sum"), each=("per_task_ms", "sum"))
    longest = sums.nlargest(_GROUPS, "whole")["each"].idxmax()
    rows = table[table[table.columns[0]] == longest]
    top = rows.iloc[int(rows["per_task_ms"].to_numpy().argmax())]
    return (
        f"Of those with most time, a task of {_quoted(top[group])} takes longest: "
        f"{duration(float(rows['per_task_ms'].sum()))} on average from its start, "
        f"{duration(top['per_task_ms'])} of it in {_quoted(top['status'])}."
    )


def of_times(table: pd.DataFrame) -> str:
    """Say in which status tasks stay longest."""
    table = table[~table["status_type"].isin(NOT_STARTED)]
    if table.empty:
        return _NONE
    top = table.iloc[int(table["sum_ms"].to_numpy().argmax())]
    return (
        f"Most time goes by in {_status(top)}: half of the tasks that were in it stayed "
        f"at most {duration(top['median_ms'])}, 85% at most {duration(top['p85_ms'])}."
    )


def of_waiting(table: pd.DataFrame) -> str:
    """Say how long unfinished tasks have been in their status."""
    if table.empty:
        return _NONE
    top = table.iloc[0]
    return (
        f"{_tasks(len(table))} started and unfinished, half of them for {duration(table['age_ms'].median())} "
        f"or more in their status. {_quoted(top['name'])} has waited longest: {duration(top['age_ms'])} in "
        f"{_quoted(top['status'])}."
    )


def of_queues(table: pd.DataFrame) -> str:
    """Say which queue is longest."""
    if table.empty:
        return _NONE
    last = table[table["at"] == table["at"].max()]
    top = last.iloc[int(last["queue"].to_numpy().argmax())]
    return f"The longest queue is {_status(top)}: {_tasks(int(top['queue']))} now."


def of_tracked(table: pd.DataFrame) -> str:
    """Say who tracked how much."""
    sums = table.groupby("member")["tracked_ms"].sum().sort_values(ascending=False)
    whole = float(sums.sum())
    if not whole:
        return "No time was tracked."
    return (
        f"{hours(whole)} tracked by {_counted(int((sums > 0).sum()), 'member')}, "
        f"{percent(float(table['billable_ms'].sum()) / whole)} of it billable; most by {cut(sums.index[0])}: "
        f"{hours(float(sums.iloc[0]))}."
    )


def of_estimates(table: pd.DataFrame) -> str:
    """Say how estimates compare with tracked time."""
    compared, estimated = int(table["compared"].sum()), float(table["estimated_ms"].sum())
    if not compared or not estimated:
        return "No finished task has both an estimate and tracked time."
    ratio, over = float(table["tracked_ms"].sum()) / estimated, int(table["over"].sum())
    return (
        f"{_tasks(compared)} with an estimate and tracked time took {ratio:.2g} times what was estimated; "
        f"{over:,} of them took more than estimated."
    )


def hours(ms: float) -> str:
    """Say an amount of work: in hours, since a day of work is none of 24."""
    return f"{ms / 3_600_000:,.{0 if ms >= 36_000_000 else 1}f}\u00a0h"


def _quoted(name: object) -> str:
    return f"“{cut(name)}”"


def _status(row: pd.Series) -> str:
    return f"{_quoted(row['status'])} ({cut(row['place'])})"


def _tasks(count: int) -> str:
    return _counted(count, "task")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
