"""Definitions of custom fields that no workspace and no space lists: of single lists, and seen on tasks.

A list is asked for its definitions only as long as it shows no task. From then on its tasks tell them: each
comes with all fields that its list has for its type, set or not. So what a list was asked for lasts until
its first task.
"""

from __future__ import annotations

import sqlite3

from clickup_toolkit.normalise.fields import Definitions
from clickup_toolkit.normalise.shapes import items
from clickup_toolkit.store.opening import Build
from clickup_toolkit.store.rows import insert
from clickup_toolkit.store.schema import run

__all__ = ["define_fields"]

_OF_LISTS_WITH_TASKS = """
DELETE FROM main.custom_fields
WHERE scope = 'list' AND scope_id IN (SELECT list_id FROM main.tasks WHERE list_id IS NOT NULL);
"""
# Of the lists that define a field, the first stands for all of them, whichever was asked last.
_OF_LISTS_BEFORE = """
INSERT OR REPLACE INTO main.custom_fields SELECT * FROM before_custom_fields AS before
WHERE scope = 'list' AND scope_id NOT IN (SELECT list_id FROM main.tasks WHERE list_id IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM main.custom_fields AS now WHERE now.id = before.id
    AND (now.scope <> 'list' OR now.scope_id <= before.scope_id));
"""
_ONE_OF_EACH_TYPE = """
SELECT max(id) FROM main.tasks WHERE list_id IS NOT NULL
GROUP BY list_id, coalesce(task_type_id, 0) ORDER BY 1
"""
_WITH_UNDEFINED = """
SELECT DISTINCT max(task_id) FROM main.task_custom_fields
WHERE field_id NOT IN (SELECT id FROM main.custom_fields) GROUP BY field_id ORDER BY 1
"""


def define_fields(build: Build) -> None:
    """Define the fields of lists without tasks, and what else tasks show, as it stands on them."""
    db = build.db
    run(db, _OF_LISTS_WITH_TASKS + (_OF_LISTS_BEFORE if build.incremental else ""))
    for chosen in (_ONE_OF_EACH_TYPE, _WITH_UNDEFINED):
        for (task_id,) in db.execute(chosen).fetchall():
            _define_from(db, task_id)


def _define_from(db: sqlite3.Connection, task_id: str) -> None:
    found = db.execute("SELECT CAST(body AS BLOB) FROM main.raw WHERE kind = 'task' AND id = ?", (task_id,))
    definitions = Definitions()
    for (body,) in found:
        for item in items(body, "custom_fields") or ():
            definitions.add(item, "task", None)
    insert(db, definitions.rows(), "INSERT OR IGNORE")
