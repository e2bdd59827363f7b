"""Which status is which: the few statuses that millions of stays are about.

A status is identified by where it is defined and by its name there. Where ClickUp tells an id (``statuses``,
which lists share that inherit their statuses), that is its key; else its key is the list's id and the name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import Places, coded, dense, text
from clickup_toolkit.analyse.groups import place_labels

__all__ = ["Legend", "legend_of"]

_TOLD = ("status_type", "color", "orderindex")


class Legend(NamedTuple):
    """``code`` is the row of ``table`` that each stay is about.

    ``table`` has ``status_key``, ``status``, ``status_type``, ``color``, ``orderindex``, ``place`` and
    ``list_id`` (of the first list that has the status).
    """

    code: Places
    table: pd.DataFrame


def legend_of(
    tasks: pd.DataFrame,
    task: Places,
    raw: pd.DataFrame,
    statuses: pd.DataFrame | None = None,
    merge: bool = False,
) -> Legend:
    """Tell the statuses of ``raw`` apart (``status``, ``status_type``, ``color``, ``orderindex``).

    ``task`` is the position in ``tasks`` of each row's task. Worked out on the few pairs of list and name,
    not on every stay. ``statuses`` (the table) tells ids, types and order; ``merge`` makes a name a status.
    """
    lists, names = coded(tasks["list_id"]), coded(raw["status"])
    width = max(len(names.values), 1)
    pair, ids = dense(lists.codes[task] * width + names.codes, len(lists.values) * width)
    pairs = pd.DataFrame({"list_id": lists.values[ids // width], "status": names.values[ids % width]})
    pairs = pairs.astype("str")
    for column in _TOLD:
        pairs[column] = _first_known(raw[column], pair, len(ids))
    pairs = _described(pairs, statuses)
    own = pairs["list_id"] + ":" + pairs["status"]
    pairs["status_key"] = pairs["status"] if merge else pairs["status_id"].fillna(own)
    keys, _ = pd.factorize(pairs["status_key"])
    return Legend(keys[pair], _table(pairs, tasks, _shared(statuses)))


def _first_known(column: pd.Series, pair: Places, pairs: int) -> pd.Series:
    """Return the first value that a pair's rows have."""
    rows = np.flatnonzero(column.notna().to_numpy())
    first = np.full(pairs, -1)
    first[pair[rows][::-1]] = rows[::-1]
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    found = column.iloc[first[first >= 0]]
    values = found.to_numpy("float64") if numeric else text(found).to_numpy()
    return pd.Series(values, index=np.flatnonzero(first >= 0), dtype=None if numeric else "str").reindex(
        range(pairs)
    )


def _shared(statuses: pd.DataFrame | None) -> pd.Series:
    """Return the ids of the statuses that several lists offer."""
    if statuses is None:
        return pd.Series(dtype="str")
    ids = statuses["status_id"].dropna()
    return ids[ids.duplicated()]


def _described(pairs: pd.DataFrame, statuses: pd.DataFrame | None) -> pd.DataFrame:
    """Take type, colour and position from what the list offers; else from what the stays tell."""
    if statuses is None:
        return pairs.assign(status_id=pd.Series(None, index=pairs.index, dtype="str"))
    texts = ("list_id", "status", "type", "color", "status_id")
    offers = statuses.assign(**{name: text(statuses[name]) for name in texts})
    offered = pairs[["list_id", "status"]].merge(
        offers.drop_duplicates(["list_id", "status"]).rename(columns={"type": "status_type"}),
        on=["list_id", "status"],
        how="left",
    )
    for column in _TOLD:
        pairs[column] = offered[column].fillna(pairs[column])
    return pairs.assign(status_id=offered["status_id"])


def _table(pairs: pd.DataFrame, tasks: pd.DataFrame, shared: pd.Series) -> pd.DataFrame:
    """Describe each status once; ``place`` is its list, or the space of the lists that share it."""
    lists = coded(tasks["list_id"])
    first = np.zeros(len(lists.values), dtype="int64")
    first[lists.codes[::-1]] = np.arange(len(tasks))[::-1]
    spaces = text(tasks["space_name"].iloc[first]).set_axis(lists.values.astype("str"))
    placed = pairs.assign(
        place=pairs["list_id"].map(place_labels(tasks, "list")), space=pairs["list_id"].map(spaces)
    )
    by_key = placed.groupby("status_key", sort=False)
    told = by_key[["status", "status_type", "color", "orderindex", "place", "list_id"]].first()
    homes = by_key["list_id"].nunique()
    counted = (homes.astype("str") + " lists").where(homes != 1, "1 list")
    of_space = by_key["space"].first().where(by_key["space"].nunique() == 1, counted)
    alone = (homes == 1) & ~told.index.isin(shared)
    return told.assign(place=told["place"].where(alone, of_space)).reset_index()
