"""What a database holds for those who browse it, beside the tables: indexes, search, reports, views."""

from __future__ import annotations

import sqlite3

from clickup_toolkit.store.counts import count_values
from clickup_toolkit.store.field_views import create_field_views
from clickup_toolkit.store.reports import STALE_DAYS, create_views, fill_reports
from clickup_toolkit.store.schema import create_indexes
from clickup_toolkit.store.search import fill_search, update_search

__all__ = ["finish_for_readers"]


def finish_for_readers(db: sqlite3.Connection, *, whole: bool, stale_days: float = STALE_DAYS) -> None:
    """Make everything that follows from the tables, once their rows are in.

    ``whole``: the tables of words are empty; else they hold those of the database ``previous``, and
    ``changes`` names the rows that were written since. ``stale_days`` without a change make started work
    stale.
    """
    create_indexes(db)
    if whole:
        fill_search(db)
    else:
        update_search(db)
    fill_reports(db)
    create_views(db, stale_days)
    create_field_views(db)
    count_values(db)
