"""Where a figure comes from: ClickUp's own sums and dates, changes seen between exports, or an approximation.

ClickUp keeps one sum for each status and no history of changes. Sums, dates and the current age are
**exact**. What happened when is **observed** from the first export on, by the changes between one export
and the next (the table ``status_changes``); what lies before is **approximated** from the sums. What may come
is **simulated**.

A measure's table says so itself: ``table.attrs["source"]`` is one of the four words, and
``table.attrs["observed_from"]`` the instant from which on changes were observed, or None. Where the rows of a
table differ, it has a column ``source``, too, and the attribute is that of its weakest row.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from clickup_toolkit.analyse.basis import milliseconds, times

__all__ = [
    "APPROXIMATED",
    "EXACT",
    "OBSERVED",
    "SIMULATED",
    "Observation",
    "Provenance",
    "provenance",
    "sourced",
]

EXACT = "exact"
OBSERVED = "observed"
APPROXIMATED = "approximated"
SIMULATED = "simulated"
_WEAKEST_LAST = (EXACT, OBSERVED, APPROXIMATED)


class Observation(NamedTuple):
    """From when on (ms since 1970 UTC; infinite for never) changes were observed, and those changes."""

    since: float
    changes: pd.DataFrame | None

    @classmethod
    def of(cls, status_changes: pd.DataFrame | None, exports: pd.DataFrame | None) -> Observation:
        """Take the start of the first export; where exports are not given, the first change's export before.

        Without ``status_changes`` nothing was observed.
        """
        if status_changes is None:
            return cls(np.inf, None)
        begun = exports["started"] if exports is not None else status_changes["changed_after"]
        first = milliseconds(begun).min() if len(begun) else np.nan
        return cls(np.inf if np.isnan(first) else float(first), status_changes)

    @property
    def at(self) -> datetime | None:
        """The instant as a time; None for never."""
        return None if np.isinf(self.since) else times(np.array([self.since]))[0].to_pydatetime()


class Provenance(NamedTuple):
    """Where a table's figures come from; as text it is a sentence for a chart or a page."""

    source: str
    observed_from: datetime | None = None

    def __str__(self) -> str:
        if self.source == EXACT:
            return "Exact: ClickUp's own sums and dates."
        if self.source == SIMULATED:
            return "Simulated: futures drawn from the throughput of past days."
        if self.observed_from is None:
            return "Approximated from ClickUp's sums; no changes were observed yet."
        day = f"{self.observed_from:%Y-%m-%d %H:%M} UTC"
        if self.source == OBSERVED:
            return f"Observed between exports since {day}."
        return f"Observed between exports since {day}; approximated from ClickUp's sums before."


def provenance(table: pd.DataFrame) -> Provenance:
    """Return where a measure's figures come from."""
    return Provenance(table.attrs.get("source", EXACT), table.attrs.get("observed_from"))


def sourced(table: pd.DataFrame, source: str = EXACT, observed_from: datetime | None = None) -> pd.DataFrame:
    """Write down where a table's figures come from; of a column ``source``, the weakest word."""
    if "source" in table.columns and len(table):
        words = set(table["source"])
        source = next(word for word in reversed(_WEAKEST_LAST) if word in words)
    table.attrs |= {"source": source, "observed_from": observed_from}
    return table
