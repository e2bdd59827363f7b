"""Answers to the usual questions, for those who browse: tables that are made anew at the end of each build.

They are made from the other tables alone, up to the instant of the export, and small, so that a page of them
is as quick in a workspace of 200,000 tasks as in one of 200. Their figures are those of the measures in
:mod:`clickup_toolkit.analyse` at that instant, which the tests compare.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from clickup_toolkit.records import Table, declare
from clickup_toolkit.store.report_rows import (
    EstimateAgainstTracked,
    OpenTask,
    TimeInStatusByList,
    TrackedByWeek,
)
from clickup_toolkit.store.report_stays import time_in_status_by_list

__all__ = [
    "REPORTS",
    "STALE_DAYS",
    "VIEWS",
    "View",
    "create_views",
    "fill_reports",
    "percentile",
    "stale_days_of",
]

STALE_DAYS = 14.0
"""Days without a change after which started work is stale, unless told otherwise."""

REPORTS: dict[str, Table] = {
    table.name: table
    for table in (
        declare(
            "open_tasks",
            OpenTask,
            "task_id",
            "name",
            ("list_id", "space_id", "folder_id", "status", "in_status_ms", "age_ms", "untouched_ms"),
        ),
        declare("time_in_status_by_list", TimeInStatusByList, "list_id status", None, ("space_id", "sum_ms")),
        declare("tracked_by_week", TrackedByWeek, "member_id week", None, ("week",)),
        declare("estimate_against_tracked", EstimateAgainstTracked, "list_id", None, ("space_id",)),
    )
}
"""Every report that is a table, by name."""


@dataclass(frozen=True)
class View:
    """A report that is a part of another: a view over ``report``, with its columns, where ``where`` holds.

    ``{stale_ms}`` in ``where`` and ``{stale_days}`` in ``description`` stand for the time after which work is
    stale.
    """

    name: str
    report: str
    where: str
    description: str


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "stale_tasks",
            "open_tasks",
            "started AND untouched_ms > {stale_ms}",
            "Started, unfinished tasks that nobody has changed for more than {stale_days:g} days.",
        ),
        View(
            "tasks_without_owner",
            "open_tasks",
            "owners = 0",
            "Unfinished tasks to which nobody is assigned.",
        ),
        View(
            "overdue_tasks",
            "open_tasks",
            "overdue_ms > 0",
            "Unfinished tasks whose planned end has passed.",
        ),
    )
}
"""Every report that is a view, by name."""

_DAY = 86_400_000
_STALE = re.compile(r"untouched_ms > (\d+)( \* 86400000)?")  # earlier releases multiply
_MS = "CAST(round((julianday({}) - 2440587.5) * 86400000) AS INTEGER)"
_PASSED = "max(0, (SELECT ms FROM temp.upto) - " + _MS + ")"  # noqa: S608  # our own text
_FINISHED = "(t.status_type IN ('done', 'closed') OR t.status_type IS NULL AND t.date_done IS NOT NULL)"
_GOES_ON = f"NOT {_FINISHED} AND NOT coalesce(t.archived, 0) AND NOT t.in_archived"


def percentile(part: float, value: str, rank: str = "place", count: str = "many") -> str:
    """Return the SQL aggregate of a percentile; ``rank`` (from 0) and ``count`` number the group's values.

    Interpolated linearly between the closest ranks, as the measures do: the value at rank r of n counts with
    1 − abs(r − (n − 1) · part), where that is above 0.
    """
    return f"sum({value} * max(0.0, 1.0 - abs({rank} - ({count} - 1) * {part})))"


# The instant of the export: when the last answer came in, or when it began where nothing was read.
_UPTO = f"""
CREATE TEMP TABLE upto AS SELECT text, {_MS.format("text")} AS ms
    FROM (SELECT max(coalesce((SELECT max(as_of) FROM main.tasks), ''),
        coalesce((SELECT started FROM main.exports ORDER BY version DESC LIMIT 1), '')) AS text)
"""  # noqa: S608

_OPEN_TASKS = f"""
INSERT INTO main.open_tasks (rowid, task_id, name, list_id, status, status_type, in_status_ms, age_ms,
    untouched_ms, assignees, owners, priority, due_date, overdue_ms, time_estimate_ms, tracked_ms, started,
    space_id, folder_id, date_created, date_updated, status_since, as_of, url)
SELECT t.rowid, t.id, t.name, t.list_id, t.status, t.status_type, {_PASSED.format("t.status_since")},
    {_PASSED.format("t.date_created")}, {_PASSED.format("t.date_updated")}, a.names, coalesce(a.many, 0),
    t.priority, t.due_date,
    CASE WHEN t.due_date < (SELECT text FROM temp.upto) THEN {_PASSED.format("t.due_date")} END,
    t.time_estimate_ms, t.tracked_ms, coalesce(t.status_type NOT IN ('open', 'unstarted'), 1),
    t.space_id, t.folder_id, t.date_created, t.date_updated, t.status_since,
    (SELECT text FROM temp.upto), t.url
FROM main.tasks AS t LEFT JOIN (
    SELECT task_id, group_concat(coalesce(m.username, m.email, member_id), ', ') AS names, count(*) AS many
    FROM main.task_assignees LEFT JOIN main.members AS m ON m.id = member_id GROUP BY task_id
) AS a ON a.task_id = t.id
WHERE {_GOES_ON} ORDER BY t.rowid
"""  # noqa: S608  # our own text

# What a list offers comes before what a task's past tells of a status.
_STAYS = f"""
SELECT t.rowid, coalesce(t.list_id, ''), t.space_id, s.status, coalesce(o.type, s.status_type),
    coalesce(o.orderindex, s.orderindex), coalesce(o.color, s.color),
    s.total_ms + CASE WHEN s.current AND NOT {_FINISHED} THEN {_PASSED.format("s.as_of")} ELSE 0 END,
    NOT {_FINISHED}, CASE WHEN s.current AND NOT {_FINISHED} THEN coalesce({_PASSED.format("s.since")}, 0) END
FROM main.tasks AS t CROSS JOIN main.time_in_status AS s ON s.task_id = t.id
LEFT JOIN main.statuses AS o ON o.list_id = t.list_id AND o.status = s.status
WHERE coalesce(s.status_type, '') NOT IN ('done', 'closed')
    AND ({_FINISHED} OR NOT coalesce(t.archived, 0) AND NOT t.in_archived)
ORDER BY t.rowid
"""  # noqa: S608

_TRACKED = f"""
INSERT INTO main.tracked_by_week (member_id, week, tracked_ms, billable_ms, entries, tasks)
SELECT coalesce(member_id, ''), coalesce(date(start, 'weekday 0', '-6 days'), ''), sum(duration_ms),
    sum(CASE WHEN billable THEN duration_ms ELSE 0 END), count(*), count(DISTINCT task_id)
FROM main.time_entries
WHERE duration_ms IS NOT NULL AND (start IS NULL OR {_MS.format("start")} <= (SELECT ms FROM temp.upto))
GROUP BY 1, 2
"""  # noqa: S608

_ESTIMATES = f"""
INSERT INTO main.estimate_against_tracked (list_id, done, compared, estimated_ms, tracked_ms, ratio,
    ratio_median, ratio_p85, over, without_estimate, without_time, space_id)
WITH finished AS (
    SELECT coalesce(t.list_id, '') AS list_id, t.space_id, coalesce(t.time_estimate_ms, 0) AS estimate,
        t.tracked_ms AS tracked, coalesce(t.time_estimate_ms, 0) > 0 AND t.tracked_ms > 0 AS compared
    FROM main.tasks AS t
    WHERE {_FINISHED} AND coalesce(t.date_done, t.date_closed) <= (SELECT text FROM temp.upto)
), placed AS (
    SELECT *, tracked * 1.0 / estimate AS ratio,
        row_number() OVER (PARTITION BY list_id, compared ORDER BY tracked * 1.0 / estimate) - 1 AS place,
        count(*) OVER (PARTITION BY list_id, compared) AS many FROM finished
)
SELECT list_id, count(*), sum(compared), sum(CASE WHEN compared THEN estimate ELSE 0 END),
    sum(CASE WHEN compared THEN tracked ELSE 0 END),
    sum(CASE WHEN compared THEN tracked END) * 1.0 / sum(CASE WHEN compared THEN estimate END),
    {percentile(0.5, "CASE WHEN compared THEN ratio END")},
    {percentile(0.85, "CASE WHEN compared THEN ratio END")},
    sum(compared AND tracked > estimate), sum(estimate <= 0), sum(tracked <= 0), max(space_id)
FROM placed GROUP BY list_id
"""  # noqa: S608


def fill_reports(db: sqlite3.Connection) -> None:
    """Make every report anew from the other tables."""
    for name in REPORTS:
        db.execute(f'DELETE FROM main."{name}"')  # noqa: S608  # our own names
    for statement in (_UPTO, _OPEN_TASKS, _TRACKED, _ESTIMATES):
        db.execute(statement)
    table = REPORTS["time_in_status_by_list"]
    values = ", ".join("?" * len(table.columns))
    rows = time_in_status_by_list(db, _STAYS)
    db.executemany(f'INSERT INTO main."{table.name}" VALUES ({values})', rows)  # noqa: S608
    db.execute("DROP TABLE temp.upto")


def create_views(db: sqlite3.Connection, stale_days: float = STALE_DAYS) -> None:
    """Create the reports that are views, and drop all other views."""
    for (name,) in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'view'").fetchall():
        db.execute('DROP VIEW main."{}"'.format(name.replace('"', '""')))
    for view in VIEWS.values():
        columns = ", ".join(column.name for column in REPORTS[view.report].columns)
        where = view.where.format(stale_ms=round(stale_days * _DAY))
        db.execute(f"CREATE VIEW {view.name} AS SELECT {columns} FROM {view.report} WHERE {where}")  # noqa: S608


def stale_days_of(db: sqlite3.Connection) -> float:
    """Return after how many days a database calls started work stale."""
    for (sql,) in map(tuple, db.execute("SELECT sql FROM sqlite_master WHERE name = 'stale_tasks'")):
        if found := _STALE.search(sql):
            return int(found[1]) / (1 if found[2] else _DAY)
    return STALE_DAYS
