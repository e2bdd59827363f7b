"""What ``by=`` names in a notebook: a grouping of the task table, or one that needs a second table."""

from __future__ import annotations

from clickup_toolkit import analyse
from clickup_toolkit.workspace.choices import unknown
from clickup_toolkit.workspace.part import Read

__all__ = ["grouping"]

_FIELDS = ("task_id", "field_id", "name", "value")
_PERIODS = ("done_week", "done_month", "done_quarter")


def grouping(read: Read, by: str | analyse.Grouping, tz: str = "UTC") -> str | analyse.Grouping:
    """Return the grouping that ``by`` names: a word of the measures, member, tag, or a custom field.

    Periods are those of time zone ``tz``. Raises :class:`UnknownName`, with the choice, for a word that names
    none.
    """
    if isinstance(by, analyse.Grouping):
        return by
    if by == "member":
        members = read("members", ("id", "username", "email"))
        return analyse.by_member(
            read("tasks", ("id",)), read("task_assignees", ("task_id", "member_id")), members
        )
    if by == "tag":
        return analyse.by_tag(read("tasks", ("id",)), read("task_tags", ("task_id", "tag")))
    if by == "task_type":
        return analyse.by_task_type(read("tasks", ("id", "task_type_id")), read("task_types", ("id", "name")))
    if by in _PERIODS:
        columns = ("id", "status_type", "date_done", "date_closed")
        return analyse.by_period(read("tasks", columns), by, tz)
    if by in analyse.OF_TASKS:
        return by
    return _by_field(read, by)


def _by_field(read: Read, by: str) -> analyse.Grouping:
    fields = read("task_custom_fields", _FIELDS)
    if not ((fields["name"] == by) | (fields["field_id"] == by)).any():
        words = (*analyse.OF_TASKS, "member", "tag")
        raise unknown(f"by={by!r} names no grouping", by, words, ", or a custom field's name")
    return analyse.by_custom_field(read("tasks", ("id",)), fields, by)
