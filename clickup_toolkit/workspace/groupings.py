"""What ``by=`` names in a notebook: a grouping of the task table, or one that needs a second table."""

from __future__ import annotations

from clickup_toolkit import analyse
from clickup_toolkit.workspace.tables import Tables

__all__ = ["grouping"]


def grouping(tables: Tables, by: str) -> str | analyse.Grouping:
    """Return the grouping that ``by`` names: a word of the measures, member, tag, or a custom field.

    Raises ValueError, with the choice, for a word that names none.
    """
    tasks = tables.read("tasks", analyse.TASK_COLUMNS)
    if by == "member":
        return analyse.by_member(tasks, tables.read("task_assignees"), tables.read("members"))
    if by == "tag":
        return analyse.by_tag(tasks, tables.read("task_tags"))
    if by == "task_type":
        return analyse.by_task_type(tasks, tables.read("task_types"))
    if by in analyse.OF_TASKS:
        return by
    fields = tables.read("task_custom_fields", ("task_id", "field_id", "name", "value"))
    if not ((fields["name"] == by) | (fields["field_id"] == by)).any():
        words = ", ".join((*analyse.OF_TASKS, "member", "tag"))
        raise ValueError(f"by={by!r} names no grouping: choose one of {words}, or a custom field's name")
    return analyse.by_custom_field(tasks, fields, by)
