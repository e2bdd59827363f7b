"""Which status holds the flow up."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from clickup_toolkit.analyse.columns import CHANGES, OF_TASK, STATUS, STATUSES, STAYS
from clickup_toolkit.analyse.groups import Grouping, name_of
from clickup_toolkit.analyse.measure import measure
from clickup_toolkit.analyse.queues import queues_of
from clickup_toolkit.analyse.source import Observation, sourced
from clickup_toolkit.analyse.status_time import QUEUE_WEEKS, waits_of
from clickup_toolkit.analyse.stays import grouped_visits

__all__ = ["bottleneck"]


@measure(
    tasks=(*OF_TASK, "date_created"),
    time_in_status=STAYS,
    statuses=STATUSES,
    status_changes=CHANGES,
    exports=("started",),
)
def bottleneck(
    tasks: pd.DataFrame,
    time_in_status: pd.DataFrame,
    *,
    now: datetime,
    by: str | Grouping = "status",
    weeks: int = QUEUE_WEEKS,
    statuses: pd.DataFrame | None = None,
    merge_statuses: bool = False,
    status_changes: pd.DataFrame | None = None,
    exports: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rank the active statuses by the signs of a bottleneck; with groups, within each of them.

    A constraint is where work piles up before it goes on (E. Goldratt, *The Goal*, 1984). Three signs are
    looked for: the **largest share** of unfinished work's time, the **largest p85** of the time that tasks
    spend in it, and the **largest growth**: arrivals less departures over the last ``weeks``, where above 0.
    What no unfinished task has been in holds nothing up, and has none of them. One status with all three is
    the bottleneck; signs that point to different statuses are a hint to look.

    Columns: ``<by>_id``, ``<by>`` (absent with ``by="status"``), the status as in :func:`time_in_status`,
    ``waiting``, ``share``, ``p85_ms``, ``growth`` (tasks), ``largest_share``, ``largest_p85``,
    ``largest_growth`` (booleans; ties are all marked), ``signs`` (how many) and ``source`` (of the growth).
    """
    found = grouped_visits(
        tasks, time_in_status, by, now=now, statuses=statuses, merge_statuses=merge_statuses
    )
    waits = waits_of(found, now)
    lines = queues_of(found, now, weeks, Observation.of(status_changes, exports))
    group = [] if name_of(by) == "status" else [f"{name_of(by)}_id", name_of(by)]
    keys = [*group[:1], "status_key"]
    grown = lines.groupby(keys, sort=False)[["arrived", "left"]].sum()
    source = lines.groupby(keys, sort=False)["source"].min()  # 'approximated' comes first
    told = pd.DataFrame({"growth": grown["arrived"] - grown["left"], "source": source})
    # pandas cannot join on texts of which there are none.
    table = waits.assign(growth=0, source="") if waits.empty else waits.join(told, on=keys)
    for name, column in (("share", "share"), ("p85", "p85_ms"), ("growth", "growth")):
        values = table[column].where(table["share"] > 0, 0)
        most = values.groupby(table[group[0]]).transform("max") if group else values.max()
        table[f"largest_{name}"] = (values == most) & (values > 0)
    table["signs"] = table[["largest_share", "largest_p85", "largest_growth"]].sum(axis=1)
    order = [*group[:1], "signs", "share", "p85_ms", "status_key"]
    rising = [*[True for _ in group[:1]], False, False, False, True]
    table = table.sort_values(order, ascending=rising).reset_index(drop=True)
    measures = ["waiting", "share", "p85_ms", "growth", "largest_share", "largest_p85", "largest_growth"]
    return sourced(
        table[[*group, *STATUS, *measures, "signs", "source"]], observed_from=lines.attrs["observed_from"]
    )
