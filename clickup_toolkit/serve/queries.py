"""Questions with parameters: datasette's canned queries. Every parameter may stay empty.

``from`` and ``to`` are days in UTC, both counted in; ``space``, ``list`` and ``member`` are ids or names,
whatever the case, a member's mail address too. Percentiles are those of :mod:`clickup_toolkit.analyse`.
"""

from __future__ import annotations

from typing import Any

from clickup_toolkit.store.reports import percentile

__all__ = ["QUERIES"]

_MOST = 500

# What has been read up to the export counts; what is no day counts as empty. Versions grow, clocks may not.
_PERIOD = """
WITH export AS (SELECT started FROM exports ORDER BY version DESC LIMIT 1),
period AS (
    SELECT coalesce(date(trim(:from)), date(started, '-{days} days')) AS since,
        coalesce(date(trim(:to), '+1 day'), '9999-12-31') AS until, started AS upto FROM export
)"""
_SPACE = (
    "(:space = '' OR {0}.space_id IN "
    "(SELECT id FROM spaces WHERE id = trim(:space) OR folded(name) = folded(:space)))"
)
_LIST = (
    "(:list = '' OR {0}.list_id IN "
    "(SELECT id FROM lists WHERE id = trim(:list) OR folded(name) = folded(:list)))"
)
_PERSON = (
    "(SELECT id FROM members WHERE id = trim(:member) OR folded(username) = folded(:member) "
    "OR folded(email) = folded(:member))"
)
_MEMBER = f"(:member = '' OR {{0}} IN (SELECT task_id FROM task_assignees WHERE member_id IN {_PERSON}))"  # noqa: S608
# The plus keeps SQLite from going through most of a table in the order of an index.
_FINISHED = "(+t.status_type IN ('done', 'closed') OR +t.status_type IS NULL AND t.date_done IS NOT NULL)"
_WITHIN = (
    f"{_FINISHED} AND coalesce(t.date_done, t.date_closed) >= p.since "
    "AND coalesce(t.date_done, t.date_closed) < p.until"
)
_OF_TASK = "\n    AND ".join((_SPACE.format("t"), _LIST.format("t"), _MEMBER.format("t.id")))


def _late(part: float, name: str) -> str:
    """Return a percentile of a duration among the rows that have one, in whole ms."""
    return f"CAST(round({percentile(part, name, f'{name}_place', f'{name}_many')}) AS INTEGER)"


def _placed(name: str, value: str, group: str) -> str:
    within = f"PARTITION BY {group}"
    return (
        f"{value} AS {name}, row_number() OVER ({within} ORDER BY {value}) - 1 AS {name}_place,\n"
        f"        count(*) OVER ({within}) AS {name}_many"
    )


_SLOWEST = f"""{_PERIOD.format(days=90)}
SELECT t.name AS task, t.cycle_time_ms, t.lead_time_ms, t.tracked_ms, l.name AS list, t.status,
    coalesce(t.date_done, t.date_closed) AS finished, t.id AS task_id, t.list_id, t.url
FROM period AS p CROSS JOIN tasks AS t LEFT JOIN lists AS l ON l.id = t.list_id
WHERE {_WITHIN}
    AND {_OF_TASK}
ORDER BY t.cycle_time_ms DESC, t.lead_time_ms DESC LIMIT 200
"""  # noqa: S608  # our own text, parameters are bound

_WAITING = f"""
WITH waiting AS (
    SELECT t.status, {_placed("waits", "t.in_status_ms", "t.status")}
    FROM open_tasks AS t
    WHERE t.started AND t.in_status_ms IS NOT NULL
    AND {_SPACE.format("t")}
    AND {_LIST.format("t")}
    AND {_MEMBER.format("t.task_id")}
)
SELECT status, count(*) AS waiting, {_late(0.5, "waits")} AS median_ms, {_late(0.85, "waits")} AS p85_ms,
    max(waits) AS oldest_ms, sum(waits) AS sum_ms,
    round(sum(waits) * 1.0 / nullif((SELECT sum(waits) FROM waiting), 0), 4) AS share
FROM waiting GROUP BY status ORDER BY sum_ms DESC, status
"""  # noqa: S608


def _ordered(column: str) -> str:
    """Return a subquery: a duration of the finished tasks of list ``g`` as a JSON array, in order.

    An index has them in that order, so nothing is sorted: window functions take four times as long.
    """
    return f"""(SELECT json_group_array(ms) FROM (
        SELECT t.{column} AS ms FROM tasks AS t
        WHERE t.list_id IS g.list_id AND t.{column} IS NOT NULL
            AND coalesce(t.date_done, t.date_closed) >= p.since
            AND coalesce(t.date_done, t.date_closed) < p.until
            AND {_OF_TASK}
        ORDER BY t.{column}))"""  # noqa: S608


def _of(array: str, part: float) -> str:
    """Return a percentile of an ordered JSON array, in whole ms, interpolated as the measures do."""
    last = f"(json_array_length({array}) - 1)"
    rank = f"{last} * {part}"
    low = f"json_extract({array}, '$[' || CAST({rank} AS INTEGER) || ']')"
    high = f"json_extract({array}, '$[' || min(CAST({rank} AS INTEGER) + 1, {last}) || ']')"
    return f"CAST(round({low} + ({high} - {low}) * ({rank} - CAST({rank} AS INTEGER))) AS INTEGER)"


_CYCLE = f"""{_PERIOD.format(days=90)},
finished AS MATERIALIZED (
    SELECT g.list_id, {_ordered("lead_time_ms")} AS leads, {_ordered("cycle_time_ms")} AS cycles
    FROM period AS p CROSS JOIN (SELECT DISTINCT list_id FROM tasks) AS g
)
SELECT l.name AS list, json_array_length(leads) AS done, {_of("leads", 0.5)} AS lead_median_ms,
    {_of("leads", 0.85)} AS lead_p85_ms, json_array_length(cycles) AS started,
    {_of("cycles", 0.5)} AS cycle_median_ms, {_of("cycles", 0.85)} AS cycle_p85_ms,
    {_of("cycles", 0.95)} AS cycle_p95_ms, f.list_id
FROM finished AS f LEFT JOIN lists AS l ON l.id = f.list_id
WHERE json_array_length(leads) > 0 ORDER BY done DESC, list
"""  # noqa: S608

_THROUGHPUT = f"""{_PERIOD.format(days=182)},
weeks (week) AS (
    SELECT date(since, 'weekday 0', '-6 days') FROM period
    UNION ALL SELECT date(week, '+7 days') FROM weeks, period
    WHERE date(week, '+7 days') < until AND date(week, '+7 days') <= upto
),
finished AS (
    SELECT date(coalesce(t.date_done, t.date_closed), 'weekday 0', '-6 days') AS week, count(*) AS done
    FROM period AS p CROSS JOIN tasks AS t
    WHERE {_WITHIN}
    AND {_OF_TASK}
    GROUP BY 1
)
SELECT weeks.week, coalesce(done, 0) AS done,
    round(avg(coalesce(done, 0)) OVER (ORDER BY weeks.week ROWS 3 PRECEDING), 1) AS mean_of_4_weeks
FROM weeks LEFT JOIN finished ON finished.week = weeks.week ORDER BY weeks.week DESC LIMIT {_MOST}
""".replace("WITH export", "WITH RECURSIVE export")  # noqa: S608

_WHO = f"""{_PERIOD.format(days=30)},
summed AS (
    SELECT e.member_id, e.task_id, sum(e.duration_ms) AS tracked_ms,
        sum(CASE WHEN e.billable THEN e.duration_ms ELSE 0 END) AS billable_ms, count(*) AS entries
    FROM period AS p CROSS JOIN time_entries AS e
    WHERE e.duration_ms IS NOT NULL AND e.start >= p.since AND e.start < p.until
        AND {_SPACE.format("e")}
        AND {_LIST.format("e")}
        AND (:member = '' OR e.member_id IN {_PERSON})
    GROUP BY e.member_id, e.task_id ORDER BY tracked_ms DESC LIMIT {_MOST}
)
SELECT coalesce(m.username, m.email, s.member_id) AS member, t.name AS task, l.name AS list, s.tracked_ms,
    s.billable_ms, s.entries, s.member_id, s.task_id, t.list_id, t.url
FROM summed AS s LEFT JOIN members AS m ON m.id = s.member_id LEFT JOIN tasks AS t ON t.id = s.task_id
LEFT JOIN lists AS l ON l.id = t.list_id ORDER BY s.tracked_ms DESC, member, s.task_id
"""  # noqa: S608

_FIELDS = f"""
SELECT t.name AS task, f.name AS field, f.value, l.name AS list, t.status, t.id AS task_id, t.list_id, t.url
FROM tasks AS t CROSS JOIN task_custom_fields AS f ON f.task_id = t.id
LEFT JOIN lists AS l ON l.id = t.list_id
WHERE {_SPACE.format("t")}
    AND {_LIST.format("t")}
LIMIT {_MOST}
"""  # noqa: S608


def _query(title: str, description: str, sql: str, *params: str) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "sql": sql.strip(),
        "params": [*params, "space", "list", *(["member"] if ":member" in sql else [])],
        "hide_sql": True,
    }


QUERIES: dict[str, dict[str, Any]] = {
    "slowest_tasks": _query(
        "Slowest tasks",
        "The 200 tasks that took longest from start to done, of those finished in the period. "
        "Without from: in the 90 days before the export.",
        _SLOWEST,
        "from",
        "to",
    ),
    "where_tasks_wait": _query(
        "Where tasks wait",
        "The statuses in which started, unfinished tasks wait, by the time they have waited there: how many "
        "wait now, half of them at most the median, 85 in 100 at most p85, up to the export.",
        _WAITING,
    ),
    "cycle_time_percentiles": _query(
        "Cycle time percentiles",
        "Lead time (creation to done) and cycle time (start to done) of the tasks finished in the period, by "
        "list. Without from: in the 90 days before the export.",
        _CYCLE,
        "from",
        "to",
    ),
    "throughput_by_week": _query(
        "Throughput by week",
        "Tasks finished in each week, Monday to Sunday in UTC; the first and the last week may be in part. "
        "Without from: the 26 weeks before the export.",
        _THROUGHPUT,
        "from",
        "to",
    ),
    "who_tracked_what": _query(
        "Who tracked what",
        "Tracked time by person and task, of entries that began in the period; the 500 largest sums. "
        "Without from: in the 30 days before the export.",
        _WHO,
        "from",
        "to",
    ),
    "custom_field_values": _query(
        "Custom fields of any list",
        "Values of custom fields, one a row: the first 500 of a list or space. The lists with most values "
        "also have a view with a column for each field.",
        _FIELDS,
    ),
}
"""The canned queries by name, as datasette's metadata has them."""
