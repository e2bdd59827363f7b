"""A database of 200,000 tasks, made by SQL in seconds through the store's own schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from clickup_toolkit.records import Export
from clickup_toolkit.store.formats import stamp
from clickup_toolkit.store.rows import insert
from clickup_toolkit.store.schema import create_tables, run
from clickup_toolkit.store.views import finish_for_readers

__all__ = ["TASKS", "build_large"]

TASKS = 200_000

_INSTANT = 1_795_000_000_000
_AT = "strftime('%Y-%m-%dT%H:%M:%fZ', 1795000000 - {}, 'unixepoch')"
_NUMBERS = """
CREATE TEMP TABLE n AS WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < {last})
    SELECT i, h, CASE WHEN h / 64 % 12 < 4 THEN h / 64 % 12 ELSE 4 + h % 2 END AS k
    FROM (SELECT i, (i * 2654435761) % 4294967296 AS h FROM c)
"""
# A third of the tasks is unfinished.
_WORDS = (
    "('deploy'), ('checkout'), ('login'), ('Größe'), ('réunion'), ('Müller'), ('invoice'), ('mobile'), "
    "('search'), ('wait'), ('東京の会議'), ('تقرير'), ('migration'), ('report'), ('cache'), ('onboarding')"
)
_ROWS = f"""
CREATE TEMP TABLE w (word); INSERT INTO w VALUES {_WORDS};
INSERT INTO workspaces (id, name) VALUES ('9001', 'Large');
INSERT INTO spaces (id, name) SELECT 's' || i, 'Space ' || i FROM n WHERE i < 40;
INSERT INTO folders (id, name, space_id, in_archived, shared)
    SELECT 'f' || i, 'Folder ' || i, 's' || (i % 40), 0, 0
    FROM n WHERE i < 300;
INSERT INTO lists (id, name, space_id, folder_id, in_archived, shared)
    SELECT 'l' || i, 'List ' || i, 's' || (i % 40), 'f' || (i % 300), 0, 0
    FROM n WHERE i < 1000;
INSERT INTO members (id, username, state) SELECT 'm' || i, 'Member ' || i, 'active' FROM n WHERE i < 200;
CREATE TEMP TABLE st (k, status, type, color);
INSERT INTO st VALUES (0, 'backlog', 'open', '#111111'), (1, 'doing', 'custom', '#222222'),
    (2, 'in review', 'custom', '#333333'), (3, 'blocked', 'custom', '#444444'),
    (4, 'done', 'done', '#555555'), (5, 'Closed', 'closed', '#666666');
INSERT INTO statuses (list_id, status, type, orderindex, color)
    SELECT l.id, st.status, st.type, st.k, st.color FROM lists AS l CROSS JOIN st;
INSERT INTO custom_fields (id, name, type, scope)
    SELECT 'c' || i, 'Field ' || i, 'number', 'workspace' FROM n WHERE i < 30;
INSERT INTO tasks (id, name, status, status_type, status_color, space_id, space_name, folder_id, folder_name,
    list_id, list_name, parent_id, custom_id, creator_id, priority, date_created, date_updated, date_done,
    due_date, time_estimate_ms, tracked_ms, tracked_entries, status_since, status_ms, lead_time_ms,
    cycle_started, cycle_time_ms, age_ms, as_of, url, archived, in_archived, tracked_billable_ms)
SELECT 't' || i, (SELECT word FROM w WHERE rowid = 1 + h % 16) || ' of the part ' || i || ' for the release',
    st.status, st.type, st.color, 's' || (i % 40), 'Space ' || (i % 40), 'f' || (i % 300),
    'Folder ' || (i % 300), 'l' || (i % 1000), 'List ' || (i % 1000),
    CASE WHEN i % 5 = 0 AND i > 1000 THEN 't' || (i - 1000) END, 'ABC-' || i, 'm' || (h % 200),
    CASE h % 7 WHEN 0 THEN 'urgent' WHEN 1 THEN 'high' WHEN 2 THEN 'low' WHEN 3 THEN 'normal' END,
    {_AT.format("(h % 90000000) - 9000000")}, {_AT.format("(h % 9000000)")},
    CASE WHEN st.k > 3 THEN {_AT.format("(h % 9000000)")} END,
    CASE WHEN h % 3 = 0 THEN {_AT.format("(h % 9000000) + 4000000")} END,
    CASE WHEN h % 2 THEN h % 90000000 END, (h / 7) % 90000000, 2, {_AT.format("(h % 9000000)")},
    (h % 9000000) * 1000, CASE WHEN st.k > 3 THEN (h % 81000000) * 1000 END,
    {_AT.format("(h % 20000000)")}, CASE WHEN st.k > 3 THEN (h % 11000000) * 1000 END,
    CASE WHEN st.k < 4 THEN (h % 90000000) * 1000 END, '2026-11-18T02:13:20.000Z',
    'https://app.clickup.com/t/t' || i, 0, 0, 0
FROM n JOIN st ON st.k = n.k ORDER BY 't' || i;
INSERT INTO task_texts (task_id, text) SELECT 't' || i,
    'A description with ' || (SELECT word FROM w WHERE rowid = 1 + (h / 16) % 16) || ', number '
    || (h % 5000) || ', and what has to be done about it before the '
    || (SELECT word FROM w WHERE rowid = 1 + (h / 256) % 16)
    FROM n WHERE i % 2 ORDER BY 1;
INSERT INTO task_assignees (task_id, member_id)
    SELECT 't' || i, 'm' || (h % 200) FROM n WHERE i % 8 ORDER BY 1;
INSERT INTO task_tags (task_id, tag) SELECT 't' || i, 'tag ' || (h % 60) FROM n WHERE i % 2 ORDER BY 1;
INSERT INTO task_lists (task_id, list_id, home) SELECT 't' || i, 'l' || (i % 1000), 1 FROM n ORDER BY 1;
INSERT INTO task_custom_fields (task_id, field_id, name, type, value, number, raw)
    SELECT 't' || i, 'c' || c.k, 'Field ' || c.k, 'number', h % 100, h % 100, h % 100
    FROM n, (SELECT i % 2 AS k FROM n WHERE i < 1) AS c ORDER BY 1, 2;
INSERT INTO time_entries (id, task_id, member_id, start, "end", duration_ms, billable, list_id,
    space_id, folder_id, running, route)
    SELECT 'e' || i, 't' || (h % {TASKS}), 'm' || (h % 200), {_AT.format("(h % 60000000)")},
    {_AT.format("(h % 60000000) - 3600")}, 3600000, h % 2, 'l' || (h % 1000), 's' || (h % 40),
    'f' || (h % 300), 0, 'member'
    FROM n ORDER BY 1;
INSERT INTO time_in_status (task_id, position, status, status_type, orderindex, color, total_ms, since,
    current, share, as_of)
    SELECT 't' || i, st.k, st.status, st.type, st.k, st.color, (h / (st.k + 1)) % 900000000,
    {_AT.format("(h % 9000000)")}, st.k = n.k, 0.2, '2026-11-18T02:13:20.000Z'
    FROM n JOIN st ON st.k IN (0, n.k) ORDER BY 't' || i, st.k;
INSERT INTO comments (id, task_id, member_id, date, text)
    SELECT 'k' || i, 't' || (h % {TASKS}), 'm' || (h % 200),
    {_AT.format("(h % 9000000)")}, 'Please look at '
    || (SELECT word FROM w WHERE rowid = 1 + i % 16) || ' again, ' || i
    FROM n WHERE i % 2 ORDER BY 1;
INSERT INTO status_changes (task_id, changed_by, from_status, to_status, list_id)
    SELECT 't' || i, {_AT.format("(h % 9000000)")}, 'backlog', 'doing', 'l' || (i % 1000)
    FROM n WHERE i % 2
"""


def build_large(path: Path, tasks: int = TASKS) -> Path:
    """Build the database; the same one every time."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -200000")
        db.execute("BEGIN")
        create_tables(db)
        stamp(db)
        db.execute(_NUMBERS.format(last=tasks - 1))
        run(db, _ROWS)
        insert(db, [Export("20261118T021320Z", _INSTANT, _INSTANT, complete=True, tasks=tasks)])
        finish_for_readers(db, whole=True)
        db.execute("PRAGMA analysis_limit = 1000")
        db.execute("ANALYZE main")
        db.execute("COMMIT")
    return path
