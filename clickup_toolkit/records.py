"""The tables, declared once: columns, types, keys, descriptions.

SQLite, Parquet, datasette's descriptions and the docs are made from this module. A row is an instance of
one of the classes below: a plain tuple whose fields stand in column order.

Times are whole milliseconds since 1970 UTC in a row; they become ISO 8601 text in UTC in SQLite
(``2026-11-23T10:15:00.000Z``) and ``timestamp[ms, UTC]`` in Parquet. Durations are whole milliseconds and
end in ``_ms``. Booleans are 0 and 1 in SQLite. ``JSON`` columns hold JSON text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

__all__ = ["RAW", "ROW_TYPES", "TABLES", "Column", "Table"]


@dataclass(frozen=True)
class Is:
    """What a column is: a sentence, its unit, and the column of another table that it points at."""

    description: str
    unit: str = ""
    references: str = ""


@dataclass(frozen=True)
class Column:
    """A column: ``type`` is one of TEXT, INTEGER, REAL, BOOLEAN, TIMESTAMP, DURATION, JSON."""

    name: str
    type: str
    nullable: bool
    description: str
    unit: str
    references: str


@dataclass(frozen=True)
class Table:
    """A table: its row class, key columns, the column that names a row, and its description."""

    name: str
    row: type[Any]
    key: tuple[str, ...]
    label: str | None
    description: str
    columns: tuple[Column, ...]
    indexes: tuple[tuple[str, ...], ...] = ()


class _Type:
    def __init__(self, name: str) -> None:
        self.name = name


Text = Annotated[str, _Type("TEXT")]
Integer = Annotated[int, _Type("INTEGER")]
Real = Annotated[float, _Type("REAL")]
Boolean = Annotated[bool, _Type("BOOLEAN")]
Timestamp = Annotated[int, _Type("TIMESTAMP")]
Duration = Annotated[int, _Type("DURATION")]
Json = Annotated[str, _Type("JSON")]


class Workspace(NamedTuple):
    """The workspace itself; one row."""

    id: Annotated[Text, Is("ClickUp's id of the workspace (the API says team)")]
    name: Annotated[Text | None, Is("Name of the workspace")] = None
    color: Annotated[Text | None, Is("Colour of the workspace, #rrggbb")] = None
    plan: Annotated[Text | None, Is("ClickUp plan, as the API names it")] = None


class Space(NamedTuple):
    """Spaces, the workspace's first level."""

    id: Annotated[Text, Is("ClickUp's id of the space")]
    name: Annotated[Text | None, Is("Name of the space")] = None
    color: Annotated[Text | None, Is("Colour of the space, #rrggbb")] = None
    private: Annotated[Boolean | None, Is("1 when only its members see it")] = None
    archived: Annotated[Boolean | None, Is("1 when the space is archived")] = None
    multiple_assignees: Annotated[Boolean | None, Is("1 when tasks may have several assignees")] = None


class Folder(NamedTuple):
    """Folders and subfolders. ClickUp's hidden placeholder folders of folderless lists are left out."""

    id: Annotated[Text, Is("ClickUp's id of the folder")]
    name: Annotated[Text | None, Is("Name of the folder")] = None
    space_id: Annotated[
        Text | None,
        Is("Space it belongs to; empty for one shared from an unseen space", references="spaces.id"),
    ] = None
    parent_folder_id: Annotated[
        Text | None, Is("Folder it lies in, for a subfolder", references="folders.id")
    ] = None
    orderindex: Annotated[Real | None, Is("Position among its siblings")] = None
    archived: Annotated[Boolean | None, Is("1 when the folder itself is archived")] = None
    in_archived: Annotated[Boolean, Is("1 when a folder or space above it is archived")] = False
    shared: Annotated[Boolean, Is("1 when reached through 'shared with me' only")] = False
    override_statuses: Annotated[Boolean | None, Is("1 when it has statuses of its own")] = None
    task_count: Annotated[
        Integer | None, Is("Number of tasks as ClickUp tells it; a hint, not a measure")
    ] = None


class List(NamedTuple):
    """Lists, in folders and folderless, shared and archived ones too."""

    id: Annotated[Text, Is("ClickUp's id of the list")]
    name: Annotated[Text | None, Is("Name of the list")] = None
    space_id: Annotated[
        Text | None,
        Is("Space it belongs to; empty for one shared from an unseen space", references="spaces.id"),
    ] = None
    folder_id: Annotated[
        Text | None, Is("Folder it lies in; empty for a folderless list", references="folders.id")
    ] = None
    orderindex: Annotated[Real | None, Is("Position among its siblings")] = None
    archived: Annotated[Boolean | None, Is("1 when the list itself is archived")] = None
    in_archived: Annotated[Boolean, Is("1 when a folder or space above it is archived")] = False
    shared: Annotated[Boolean, Is("1 when reached through 'shared with me' only")] = False
    override_statuses: Annotated[Boolean | None, Is("1 when it has statuses of its own")] = None
    task_count: Annotated[
        Integer | None, Is("Number of tasks as ClickUp tells it; a hint, not a measure")
    ] = None
    start_date: Annotated[Timestamp | None, Is("Start date of the list")] = None
    due_date: Annotated[Timestamp | None, Is("Due date of the list")] = None
    permission_level: Annotated[Text | None, Is("What the token's user may do in it")] = None


class Status(NamedTuple):
    """The statuses that each list offers, in their order."""

    list_id: Annotated[Text, Is("List that offers the status", references="lists.id")]
    status: Annotated[Text, Is("Name of the status, as ClickUp writes it")]
    type: Annotated[Text | None, Is("ClickUp's type: open, custom (active), done or closed")] = None
    orderindex: Annotated[Integer | None, Is("Position in the workflow, from 0")] = None
    color: Annotated[Text | None, Is("Colour of the status, #rrggbb")] = None
    status_id: Annotated[Text | None, Is("ClickUp's id of the status, where it tells one")] = None


class Member(NamedTuple):
    """People: members, guests, invited ones, and those who left but still appear on tasks."""

    id: Annotated[Text, Is("ClickUp's id of the person")]
    username: Annotated[Text | None, Is("Name; empty for an invited person who never joined")] = None
    email: Annotated[Text | None, Is("Mail address")] = None
    initials: Annotated[Text | None, Is("Initials as ClickUp shows them")] = None
    color: Annotated[Text | None, Is("Colour of the person, #rrggbb")] = None
    role: Annotated[Text | None, Is("owner, admin, member or guest; empty for those who left")] = None
    state: Annotated[Text, Is("active, invited, or left (found on tasks, not in the workspace)")] = "active"
    date_joined: Annotated[Timestamp | None, Is("When the person joined")] = None
    date_invited: Annotated[Timestamp | None, Is("When the person was invited")] = None
    last_active: Annotated[Timestamp | None, Is("When the person was last active")] = None


class Tag(NamedTuple):
    """Tags that each space offers."""

    space_id: Annotated[Text, Is("Space that offers the tag", references="spaces.id")]
    name: Annotated[Text, Is("Name of the tag")]
    foreground: Annotated[Text | None, Is("Text colour, #rrggbb")] = None
    background: Annotated[Text | None, Is("Background colour, #rrggbb")] = None
    creator_id: Annotated[Text | None, Is("Person who made the tag", references="members.id")] = None


class TaskType(NamedTuple):
    """Task types (ClickUp's custom items); 0 is the plain task, 1 the milestone."""

    id: Annotated[Integer, Is("ClickUp's custom_item_id")]
    name: Annotated[Text | None, Is("Name of the type")] = None
    name_plural: Annotated[Text | None, Is("Its plural")] = None
    description: Annotated[Text | None, Is("What the type is for")] = None


class Task(NamedTuple):
    """Tasks and subtasks: open, closed, archived, each once."""

    id: Annotated[Text, Is("ClickUp's id of the task")]
    name: Annotated[Text | None, Is("Name of the task")] = None
    status: Annotated[Text | None, Is("Current status")] = None
    status_type: Annotated[
        Text | None, Is("ClickUp's type of the status: open, custom (active), done or closed")
    ] = None
    status_color: Annotated[Text | None, Is("Colour of the status, #rrggbb")] = None
    space_id: Annotated[Text | None, Is("Space of the task", references="spaces.id")] = None
    space_name: Annotated[Text | None, Is("Name of the space")] = None
    folder_id: Annotated[
        Text | None, Is("Folder of the task; empty in a folderless list", references="folders.id")
    ] = None
    folder_name: Annotated[Text | None, Is("Name of the folder")] = None
    list_id: Annotated[Text | None, Is("Home list of the task", references="lists.id")] = None
    list_name: Annotated[Text | None, Is("Name of the home list")] = None
    parent_id: Annotated[Text | None, Is("Task it is a subtask of", references="tasks.id")] = None
    top_level_parent_id: Annotated[Text | None, Is("Topmost task above it", references="tasks.id")] = None
    custom_id: Annotated[Text | None, Is("Custom task id, where the workspace uses them")] = None
    task_type_id: Annotated[
        Integer | None, Is("Task type; 0 or empty is the plain task", references="task_types.id")
    ] = None
    creator_id: Annotated[Text | None, Is("Person who made the task", references="members.id")] = None
    priority: Annotated[Text | None, Is("urgent, high, normal, low, or empty")] = None
    points: Annotated[Real | None, Is("Sprint points", unit="points")] = None
    archived: Annotated[Boolean, Is("1 when the task itself is archived")] = False
    in_archived: Annotated[Boolean, Is("1 when its list, folder or space is archived")] = False
    date_created: Annotated[Timestamp | None, Is("When the task was made")] = None
    date_updated: Annotated[Timestamp | None, Is("When the task was last changed")] = None
    date_done: Annotated[Timestamp | None, Is("When it reached a done or closed status")] = None
    date_closed: Annotated[Timestamp | None, Is("When it was closed")] = None
    start_date: Annotated[Timestamp | None, Is("Planned start")] = None
    due_date: Annotated[Timestamp | None, Is("Planned end")] = None
    time_estimate_ms: Annotated[Duration | None, Is("Estimate", unit="ms")] = None
    time_spent_ms: Annotated[Duration | None, Is("Tracked time as ClickUp sums it", unit="ms")] = None
    tracked_ms: Annotated[
        Duration, Is("Tracked time, summed over the exported entries; running timers count 0", unit="ms")
    ] = 0
    tracked_billable_ms: Annotated[Duration, Is("Its billable part", unit="ms")] = 0
    tracked_entries: Annotated[Integer, Is("Number of exported time entries")] = 0
    status_since: Annotated[Timestamp | None, Is("Since when it has been in its current status")] = None
    status_ms: Annotated[
        Duration | None, Is("Time in the current status up to as_of; goes on growing", unit="ms")
    ] = None
    lead_time_ms: Annotated[Duration | None, Is("From creation to done; empty while not done", unit="ms")] = (
        None
    )
    cycle_started: Annotated[
        Timestamp | None, Is("When it first left the open statuses, as far as ClickUp's sums tell")
    ] = None
    cycle_time_ms: Annotated[
        Duration | None, Is("From cycle_started to done; empty while not done", unit="ms")
    ] = None
    age_ms: Annotated[Duration | None, Is("Age of an unfinished task: from creation to as_of", unit="ms")] = (
        None
    )
    as_of: Annotated[
        Timestamp | None, Is("Instant from which status_ms and age_ms count: when ClickUp answered")
    ] = None
    url: Annotated[Text | None, Is("Address of the task in ClickUp")] = None


class TaskText(NamedTuple):
    """The long texts of tasks, apart so that the task table stays quick."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    text: Annotated[Text, Is("Description as plain text")]


class TaskAssignee(NamedTuple):
    """Who is assigned to which task."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    member_id: Annotated[Text, Is("Assigned person", references="members.id")]


class TaskWatcher(NamedTuple):
    """Who watches which task."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    member_id: Annotated[Text, Is("Watching person", references="members.id")]


class TaskTag(NamedTuple):
    """Which task bears which tag."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    tag: Annotated[Text, Is("Name of the tag")]


class TaskList(NamedTuple):
    """Which task stands in which list: its home and the lists it was added to."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    list_id: Annotated[Text, Is("List", references="lists.id")]
    home: Annotated[Boolean, Is("1 for the home list")] = False


class TaskLink(NamedTuple):
    """Dependencies and links between tasks."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    other_id: Annotated[Text, Is("The other task", references="tasks.id")]
    kind: Annotated[Text, Is("waiting_on (task waits for other), blocking (other waits for task) or linked")]
    date_created: Annotated[Timestamp | None, Is("When it was linked")] = None


class CustomField(NamedTuple):
    """Definitions of custom fields."""

    id: Annotated[Text, Is("ClickUp's id of the field")]
    name: Annotated[Text | None, Is("Name of the field")] = None
    type: Annotated[Text | None, Is("ClickUp's type: drop_down, labels, number, users, formula, …")] = None
    scope: Annotated[
        Text | None, Is("Where it is defined: workspace, space, folder, list, or task (seen on tasks only)")
    ] = None
    scope_id: Annotated[Text | None, Is("Id of the place where it is defined")] = None
    required: Annotated[Boolean | None, Is("1 when it must be filled in")] = None
    hide_from_guests: Annotated[Boolean | None, Is("1 when guests do not see it")] = None
    date_created: Annotated[Timestamp | None, Is("When the field was made")] = None
    type_config: Annotated[Json | None, Is("Options and formats, as ClickUp tells them")] = None


class TaskCustomField(NamedTuple):
    """Values of custom fields; a field that is not set has no row."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    field_id: Annotated[Text, Is("Field", references="custom_fields.id")]
    name: Annotated[Text | None, Is("Name of the field")] = None
    type: Annotated[Text | None, Is("ClickUp's type of the field")] = None
    value: Annotated[
        Text | None, Is("The value as people read it: option names, people's names, numbers, dates")
    ] = None
    number: Annotated[Real | None, Is("The value as a number, where it is one")] = None
    time: Annotated[Timestamp | None, Is("The value as a time, where it is one")] = None
    raw: Annotated[Json | None, Is("The value as ClickUp sent it")] = None


class TimeEntry(NamedTuple):
    """Tracked time of all members, since the beginning."""

    id: Annotated[Text, Is("ClickUp's id of the entry")]
    task_id: Annotated[
        Text | None, Is("Task it was tracked on; empty for time without a task", references="tasks.id")
    ] = None
    member_id: Annotated[Text | None, Is("Person who tracked it", references="members.id")] = None
    start: Annotated[Timestamp | None, Is("Start; empty for an amount entered without times")] = None
    end: Annotated[Timestamp | None, Is("End; empty while the timer runs")] = None
    duration_ms: Annotated[Duration | None, Is("Duration; empty while the timer runs", unit="ms")] = None
    running: Annotated[Boolean, Is("1 while the timer runs")] = False
    billable: Annotated[Boolean | None, Is("1 when billable; empty when ClickUp does not tell")] = None
    description: Annotated[Text | None, Is("What was done")] = None
    tags: Annotated[Json | None, Is("Names of its tags, as a JSON array")] = None
    source: Annotated[Text | None, Is("Where it was tracked from")] = None
    list_id: Annotated[Text | None, Is("List of the task", references="lists.id")] = None
    folder_id: Annotated[Text | None, Is("Folder of the task", references="folders.id")] = None
    space_id: Annotated[Text | None, Is("Space of the task", references="spaces.id")] = None
    updated: Annotated[Timestamp | None, Is("When the entry was last changed (ClickUp's `at`)")] = None
    route: Annotated[Text, Is("How it was read: member, or task (the legacy route, for people who left)")] = (
        "member"
    )


class TimeInStatus(NamedTuple):
    """How long each task has been in each status, as ClickUp sums it; one row a status, ordered by since."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    position: Annotated[Integer, Is("Order by since, from 0")]
    status: Annotated[Text, Is("Status, as ClickUp writes it; may have been deleted since")]
    status_type: Annotated[Text | None, Is("ClickUp's type: open, custom (active), done or closed")] = None
    orderindex: Annotated[
        Integer | None, Is("Position in the workflow; empty for a deleted or foreign status")
    ] = None
    color: Annotated[Text | None, Is("Colour of the status, #rrggbb")] = None
    total_ms: Annotated[Duration, Is("Time in the status, up to as_of for the current one", unit="ms")] = 0
    since: Annotated[Timestamp | None, Is("Since when, as ClickUp tells it")] = None
    current: Annotated[Boolean, Is("1 for the status the task is in; its time goes on growing")] = False
    share: Annotated[Real | None, Is("Part of the task's whole time in statuses, 0 to 1", unit="ratio")] = (
        None
    )
    as_of: Annotated[Timestamp | None, Is("Instant from which total_ms counts: when ClickUp answered")] = None


class Comment(NamedTuple):
    """Comments on tasks and the replies to them, where EXPORT_COMMENTS is on."""

    id: Annotated[Text, Is("ClickUp's id of the comment")]
    task_id: Annotated[Text | None, Is("Task it stands on", references="tasks.id")] = None
    parent_id: Annotated[
        Text | None, Is("Comment it replies to; empty where it is no reply", references="comments.id")
    ] = None
    member_id: Annotated[Text | None, Is("Person who wrote it", references="members.id")] = None
    date: Annotated[Timestamp | None, Is("When it was written")] = None
    text: Annotated[Text | None, Is("What was written, as plain text")] = None
    resolved: Annotated[Boolean | None, Is("1 when it was resolved")] = None
    assignee_id: Annotated[Text | None, Is("Person it is assigned to", references="members.id")] = None
    assigned_by_id: Annotated[Text | None, Is("Person who assigned it", references="members.id")] = None
    replies: Annotated[Integer | None, Is("Number of replies, as ClickUp counts them")] = None


class Checklist(NamedTuple):
    """Checklists of tasks, where EXPORT_TASK_DETAILS is on."""

    id: Annotated[Text, Is("ClickUp's id of the checklist")]
    task_id: Annotated[Text | None, Is("Task it stands on", references="tasks.id")] = None
    name: Annotated[Text | None, Is("Name of the checklist")] = None
    orderindex: Annotated[Real | None, Is("Position among the task's checklists")] = None
    creator_id: Annotated[Text | None, Is("Person who made it", references="members.id")] = None
    date_created: Annotated[Timestamp | None, Is("When it was made")] = None
    resolved: Annotated[Integer | None, Is("Number of resolved items, as ClickUp counts them")] = None
    unresolved: Annotated[Integer | None, Is("Number of the other items, as ClickUp counts them")] = None


class ChecklistItem(NamedTuple):
    """What stands on the checklists, where EXPORT_TASK_DETAILS is on."""

    id: Annotated[Text, Is("ClickUp's id of the item")]
    checklist_id: Annotated[Text | None, Is("Checklist it stands on", references="checklists.id")] = None
    task_id: Annotated[Text | None, Is("Task of the checklist", references="tasks.id")] = None
    parent_id: Annotated[
        Text | None, Is("Item it stands below, for a nested one", references="checklist_items.id")
    ] = None
    name: Annotated[Text | None, Is("What is to be done")] = None
    orderindex: Annotated[Real | None, Is("Position among its siblings")] = None
    resolved: Annotated[Boolean | None, Is("1 when it is done")] = None
    assignee_id: Annotated[Text | None, Is("Person it is assigned to", references="members.id")] = None
    date_created: Annotated[Timestamp | None, Is("When it was made")] = None
    start_date: Annotated[Timestamp | None, Is("Planned start")] = None
    due_date: Annotated[Timestamp | None, Is("Planned end")] = None


class Attachment(NamedTuple):
    """What is known of files on tasks, where EXPORT_TASK_DETAILS is on; the files themselves are not read."""

    id: Annotated[Text, Is("ClickUp's id of the file")]
    task_id: Annotated[Text | None, Is("Task it hangs on", references="tasks.id")] = None
    title: Annotated[Text | None, Is("Name of the file")] = None
    extension: Annotated[Text | None, Is("Ending of the name")] = None
    mimetype: Annotated[Text | None, Is("Type of the content")] = None
    size: Annotated[Integer | None, Is("Size of the file", unit="bytes")] = None
    version: Annotated[Text | None, Is("Version of the file, as ClickUp tells it")] = None
    date: Annotated[Timestamp | None, Is("When it was attached")] = None
    member_id: Annotated[Text | None, Is("Person who attached it", references="members.id")] = None
    deleted: Annotated[Boolean | None, Is("1 when it was taken off the task")] = None
    url: Annotated[Text | None, Is("Address of the file; may expire, or be open to whoever knows it")] = None


class Goal(NamedTuple):
    """Goals, where EXPORT_GOALS is on."""

    id: Annotated[Text, Is("ClickUp's id of the goal")]
    name: Annotated[Text | None, Is("Name of the goal")] = None
    number: Annotated[Text | None, Is("Its number in the workspace (ClickUp's `pretty_id`)")] = None
    folder_id: Annotated[Text | None, Is("ClickUp's id of the folder of goals; empty outside of one")] = None
    folder_name: Annotated[Text | None, Is("Name of that folder")] = None
    description: Annotated[Text | None, Is("What the goal is")] = None
    color: Annotated[Text | None, Is("Colour of the goal, #rrggbb")] = None
    private: Annotated[Boolean | None, Is("1 when only its people see it")] = None
    archived: Annotated[Boolean | None, Is("1 when the goal is archived")] = None
    creator_id: Annotated[Text | None, Is("Person who made it", references="members.id")] = None
    owners: Annotated[Json | None, Is("Ids of the people who own it, as a JSON array")] = None
    percent_completed: Annotated[Real | None, Is("Part that is reached, as ClickUp tells it")] = None
    key_results: Annotated[Integer | None, Is("Number of its key results, as ClickUp counts them")] = None
    date_created: Annotated[Timestamp | None, Is("When it was made")] = None
    date_updated: Annotated[Timestamp | None, Is("When it was last changed")] = None
    start_date: Annotated[Timestamp | None, Is("Planned start")] = None
    due_date: Annotated[Timestamp | None, Is("Planned end")] = None


class KeyResult(NamedTuple):
    """The measured targets of goals, where EXPORT_GOALS is on."""

    id: Annotated[Text, Is("ClickUp's id of the key result")]
    goal_id: Annotated[Text | None, Is("Goal it belongs to", references="goals.id")] = None
    name: Annotated[Text | None, Is("Name of the key result")] = None
    type: Annotated[Text | None, Is("ClickUp's type: number, currency, boolean, percentage, automatic")] = (
        None
    )
    unit: Annotated[Text | None, Is("Unit of its steps")] = None
    steps_start: Annotated[Real | None, Is("Where it began")] = None
    steps_current: Annotated[Real | None, Is("Where it stands")] = None
    steps_end: Annotated[Real | None, Is("Where it is reached")] = None
    percent_completed: Annotated[Real | None, Is("Part that is reached, as ClickUp tells it")] = None
    completed: Annotated[Boolean | None, Is("1 when it is reached")] = None
    creator_id: Annotated[Text | None, Is("Person who made it", references="members.id")] = None
    owners: Annotated[Json | None, Is("Ids of the people who own it, as a JSON array")] = None
    task_ids: Annotated[Json | None, Is("Ids of the tasks it counts, as a JSON array")] = None
    list_ids: Annotated[Json | None, Is("Ids of the lists it counts, as a JSON array")] = None
    date_created: Annotated[Timestamp | None, Is("When it was made")] = None


class Doc(NamedTuple):
    """Docs, archived and deleted ones too, where EXPORT_DOCS is on."""

    id: Annotated[Text, Is("ClickUp's id of the doc")]
    name: Annotated[Text | None, Is("Name of the doc")] = None
    parent_id: Annotated[Text | None, Is("Id of the space, folder, list or other place it lies in")] = None
    parent_type: Annotated[
        Integer | None, Is("ClickUp's number for what that is: 4 space, 5 folder, 6 list, 12 workspace")
    ] = None
    creator_id: Annotated[Text | None, Is("Person who made it", references="members.id")] = None
    public: Annotated[Boolean | None, Is("1 when everybody who knows its address may read it")] = None
    archived: Annotated[Boolean | None, Is("1 when the doc is archived")] = None
    deleted: Annotated[Boolean | None, Is("1 when the doc was deleted and can still be brought back")] = None
    date_created: Annotated[Timestamp | None, Is("When it was made")] = None
    date_updated: Annotated[Timestamp | None, Is("When it was last changed")] = None


class DocPage(NamedTuple):
    """Pages of docs with what they say, where EXPORT_DOCS is on."""

    id: Annotated[Text, Is("ClickUp's id of the page")]
    doc_id: Annotated[Text | None, Is("Doc it stands in", references="docs.id")] = None
    parent_page_id: Annotated[
        Text | None, Is("Page it stands below; empty for one at the top", references="doc_pages.id")
    ] = None
    position: Annotated[Integer, Is("Place in reading order among all pages of the doc, from 0")] = 0
    name: Annotated[Text | None, Is("Title of the page")] = None
    content: Annotated[Text | None, Is("What it says, as Markdown")] = None
    creator_id: Annotated[Text | None, Is("Person who made it", references="members.id")] = None
    archived: Annotated[Boolean | None, Is("1 when the page is archived")] = None
    date_created: Annotated[Timestamp | None, Is("When it was made")] = None
    date_updated: Annotated[Timestamp | None, Is("When it was last changed")] = None


class Reading(NamedTuple):
    """When what is read thing by thing was last read: comments and details of tasks, pages of docs."""

    what: Annotated[Text, Is("comments, task_details or doc_pages")]
    id: Annotated[Text, Is("Id of the task or doc they belong to")]
    received: Annotated[Timestamp | None, Is("When ClickUp answered")] = None
    updated: Annotated[
        Timestamp | None,
        Is("Its date_updated at that time; while that stays, they are not read again before REREAD_DAYS"),
    ] = None


class StatusChange(NamedTuple):
    """Status changes seen between exports; ClickUp keeps no such history."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    changed_by: Annotated[Timestamp, Is("The change was seen by this instant")]
    from_status: Annotated[Text | None, Is("Status at the export before; empty for a new task")] = None
    from_type: Annotated[Text | None, Is("Its type")] = None
    to_status: Annotated[Text | None, Is("Status now")] = None
    to_type: Annotated[Text | None, Is("Its type")] = None
    changed_after: Annotated[
        Timestamp | None, Is("The change happened after this instant: the export before")
    ] = None
    changed_at: Annotated[Timestamp | None, Is("When the current status began, as ClickUp tells it")] = None
    list_id: Annotated[Text | None, Is("Home list at the time", references="lists.id")] = None


class DeletedTask(NamedTuple):
    """Tombstones: tasks that earlier exports held and a later complete one no longer found."""

    id: Annotated[Text, Is("ClickUp's id of the task")]
    name: Annotated[Text | None, Is("Name it had")] = None
    status: Annotated[Text | None, Is("Status it had")] = None
    list_id: Annotated[Text | None, Is("List it stood in", references="lists.id")] = None
    space_id: Annotated[Text | None, Is("Space it stood in", references="spaces.id")] = None
    last_seen: Annotated[Timestamp | None, Is("Start of the last export that held it")] = None
    missed_by: Annotated[Timestamp | None, Is("Start of the complete export that no longer found it")] = None


class MissingTask(NamedTuple):
    """Tasks that a crawl with gaps did not find; the next complete crawl finds them or calls them deleted."""

    id: Annotated[Text, Is("ClickUp's id of the task")]
    name: Annotated[Text | None, Is("Name it had")] = None
    status: Annotated[Text | None, Is("Status it had")] = None
    list_id: Annotated[Text | None, Is("List it stood in", references="lists.id")] = None
    space_id: Annotated[Text | None, Is("Space it stood in", references="spaces.id")] = None
    last_seen: Annotated[Timestamp | None, Is("Start of the last export that held it")] = None
    missed_by: Annotated[Timestamp | None, Is("Start of the first export that did not find it")] = None


class Gap(NamedTuple):
    """What could not be read, and why."""

    what: Annotated[Text, Is("What is missing: time_entries, time_in_status, tasks, lists, …")]
    id: Annotated[Text, Is("Whose: the id of the member, list, task, …; empty for all of it")]
    code: Annotated[Text, Is("ClickUp's error code, HTTP_<status>, or our own word")]
    message: Annotated[Text, Is("What happened")]
    remedy: Annotated[Text, Is("What the reader can do")]


class Export(NamedTuple):
    """Exports, this and earlier ones."""

    version: Annotated[Text, Is("Version: UTC time of the start, 20261123T101500Z")]
    started: Annotated[Timestamp, Is("When the crawl began")]
    finished: Annotated[Timestamp | None, Is("When the database was built")] = None
    mode: Annotated[Text, Is("full or incremental")] = "full"
    complete: Annotated[Boolean, Is("1 when there was no gap")] = False
    tasks: Annotated[Integer, Is("Tasks held")] = 0
    changed: Annotated[Integer, Is("Tasks new or changed since the export before")] = 0
    deleted: Annotated[Integer, Is("Tasks found deleted")] = 0
    time_entries: Annotated[Integer, Is("Time entries held")] = 0
    time_in_status: Annotated[Integer, Is("Tasks with time in status")] = 0
    requests: Annotated[Integer, Is("Requests sent to ClickUp")] = 0
    throttled: Annotated[Integer, Is("429 answers met")] = 0
    retries: Annotated[Integer, Is("Requests sent again")] = 0
    resumed: Annotated[Integer, Is("Answers taken from an interrupted crawl's journal")] = 0
    gaps: Annotated[Integer, Is("Gaps")] = 0
    streams: Annotated[
        Text | None, Is("Optional streams it read, apart by blanks: comments, task_details, goals, docs")
    ] = None
    watermark: Annotated[
        Timestamp | None, Is("Start by ClickUp's clock: the next export reads changes from here on")
    ] = None
    written: Annotated[
        Text | None, Is("Tables of which it wrote rows, apart by blanks; empty when it made all of them anew")
    ] = None


class Raw(NamedTuple):
    """Everything as ClickUp sent it, but for secrets: one object a row, apart so that other tables stay quick."""

    kind: Annotated[
        Text, Is("task, time_in_status, time_entry, legacy_time, workspace, space, folder, list, member, …")
    ]
    id: Annotated[
        Text,
        Is(
            "ClickUp's id of the object; for time_in_status, comments, task_details and doc_pages of its owner"
        ),
    ]
    received: Annotated[Timestamp | None, Is("When ClickUp answered")]
    body: Annotated[Json, Is("The object, byte for byte; secrets are replaced by a marker")]


def declare(
    name: str,
    row: type[Any],
    key: str,
    label: str | None = None,
    indexes: tuple[str, ...] = (),
) -> Table:
    columns = tuple(_column(field, hint) for field, hint in get_type_hints(row, include_extras=True).items())
    description = (row.__doc__ or "").strip()
    split = tuple(tuple(index.split()) for index in indexes)
    return Table(name, row, tuple(key.split()), label, description, columns, split)


def _column(name: str, hint: Any) -> Column:
    about = next(note for note in hint.__metadata__ if isinstance(note, Is))
    kinds = [note.name for note in hint.__metadata__ if isinstance(note, _Type)]
    options = get_args(hint.__origin__)
    kinds += [
        note.name
        for option in options
        for note in getattr(option, "__metadata__", ())
        if isinstance(note, _Type)
    ]
    return Column(name, kinds[0], type(None) in options, about.description, about.unit, about.references)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        declare("workspaces", Workspace, "id", "name"),
        declare("spaces", Space, "id", "name"),
        declare("folders", Folder, "id", "name", ("space_id",)),
        declare("lists", List, "id", "name", ("space_id", "folder_id")),
        declare("statuses", Status, "list_id status"),
        declare("members", Member, "id", "username"),
        declare("tags", Tag, "space_id name"),
        declare("task_types", TaskType, "id", "name"),
        declare(
            "tasks",
            Task,
            "id",
            "name",
            (
                "list_id",
                "folder_id",
                "space_id",
                "status",
                "status_type space_id status priority",
                "parent_id",
                "date_created id",
                "date_updated",
                "date_done",
                "status_ms",
                "tracked_ms",
                "list_id lead_time_ms date_done date_closed",
                "list_id cycle_time_ms date_done date_closed",
            ),
        ),
        declare("task_texts", TaskText, "task_id"),
        declare("task_assignees", TaskAssignee, "task_id member_id", None, ("member_id",)),
        declare("task_watchers", TaskWatcher, "task_id member_id", None, ("member_id",)),
        declare("task_tags", TaskTag, "task_id tag", None, ("tag",)),
        declare("task_lists", TaskList, "task_id list_id", None, ("list_id",)),
        declare("task_links", TaskLink, "task_id other_id kind"),
        declare("custom_fields", CustomField, "id", "name"),
        declare("task_custom_fields", TaskCustomField, "task_id field_id", None, ("field_id",)),
        declare(
            "time_entries",
            TimeEntry,
            "id",
            None,
            ("task_id", "member_id billable", "start member_id task_id duration_ms billable"),
        ),
        declare("time_in_status", TimeInStatus, "task_id position", None, ("status status_type", "total_ms")),
        declare("comments", Comment, "id", None, ("task_id", "member_id", "date")),
        declare("checklists", Checklist, "id", "name", ("task_id",)),
        declare("checklist_items", ChecklistItem, "id", "name", ("checklist_id", "task_id")),
        declare("attachments", Attachment, "id", "title", ("task_id",)),
        declare("goals", Goal, "id", "name"),
        declare("key_results", KeyResult, "id", "name", ("goal_id",)),
        declare("docs", Doc, "id", "name"),
        declare("doc_pages", DocPage, "id", "name", ("doc_id",)),
        declare("readings", Reading, "what id"),
        declare("status_changes", StatusChange, "task_id changed_by", None, ("to_status", "changed_by")),
        declare("deleted_tasks", DeletedTask, "id", "name"),
        declare("missing_tasks", MissingTask, "id", "name"),
        declare("gaps", Gap, "what id code"),
        declare("exports", Export, "version"),
    )
}
"""Every table by name, in an order in which references point backwards where they can."""

RAW: Table = declare("raw", Raw, "kind id")
"""The raw JSON, in the database only: neither Parquet nor the JSON document is made of its rows."""

ROW_TYPES: dict[type[Any], Table] = {table.row: table for table in TABLES.values()}
"""The table of each row class."""
