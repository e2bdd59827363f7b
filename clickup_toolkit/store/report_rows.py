"""The columns of the reports, declared as those of the tables are: types, units, descriptions, references.

What the reports hold is said in :mod:`clickup_toolkit.store.reports`.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from clickup_toolkit.records import Boolean, Duration, Integer, Is, Real, Text, Timestamp

__all__ = ["EstimateAgainstTracked", "OpenTask", "TimeInStatusByList", "TrackedByWeek"]

_UNTIL = "up to as_of"


class OpenTask(NamedTuple):
    """Unfinished tasks with their age and their time in the current status; none that lies in the archive."""

    task_id: Annotated[Text, Is("Task", references="tasks.id")]
    name: Annotated[Text | None, Is("Name of the task")] = None
    list_id: Annotated[Text | None, Is("Home list of the task", references="lists.id")] = None
    status: Annotated[Text | None, Is("Current status")] = None
    status_type: Annotated[Text | None, Is("ClickUp's type of the status: open, unstarted or custom")] = None
    in_status_ms: Annotated[
        Duration | None, Is(f"Time in the current status, {_UNTIL}: this visit alone", unit="ms")
    ] = None
    age_ms: Annotated[Duration | None, Is(f"Age: from creation, {_UNTIL}", unit="ms")] = None
    untouched_ms: Annotated[Duration | None, Is(f"Time since the last change, {_UNTIL}", unit="ms")] = None
    assignees: Annotated[Text | None, Is("Names of those who are assigned; empty: nobody")] = None
    owners: Annotated[Integer, Is("How many are assigned", unit="members")] = 0
    priority: Annotated[Text | None, Is("urgent, high, normal, low, or empty")] = None
    due_date: Annotated[Timestamp | None, Is("Planned end")] = None
    overdue_ms: Annotated[
        Duration | None, Is("Time since the planned end, where that has passed by as_of", unit="ms")
    ] = None
    time_estimate_ms: Annotated[Duration | None, Is("Estimate", unit="ms")] = None
    tracked_ms: Annotated[Duration | None, Is("Tracked time", unit="ms")] = None
    started: Annotated[Boolean, Is("1 when it has left the statuses before the start")] = False
    space_id: Annotated[Text | None, Is("Space of the task", references="spaces.id")] = None
    folder_id: Annotated[Text | None, Is("Folder of the task", references="folders.id")] = None
    date_created: Annotated[Timestamp | None, Is("When the task was made")] = None
    date_updated: Annotated[Timestamp | None, Is("When the task was last changed")] = None
    status_since: Annotated[Timestamp | None, Is("Since when it has been in its current status")] = None
    as_of: Annotated[Timestamp | None, Is("Instant up to which the durations count: that of the export")] = (
        None
    )
    url: Annotated[Text | None, Is("Address of the task in ClickUp")] = None


class TimeInStatusByList(NamedTuple):
    """How long the tasks of each list stay in each status that is not done or closed, up to the export."""

    list_id: Annotated[Text, Is("Home list of the tasks; empty: tasks of no list", references="lists.id")]
    status: Annotated[Text, Is("Status")]
    status_type: Annotated[Text | None, Is("ClickUp's type of the status: open, unstarted or custom")] = None
    orderindex: Annotated[Integer | None, Is("Position in the workflow")] = None
    tasks: Annotated[Integer, Is("Tasks that have been in it", unit="tasks")] = 0
    waiting: Annotated[Integer, Is("Unfinished tasks that are in it now", unit="tasks")] = 0
    median_ms: Annotated[
        Duration | None, Is("Half of the tasks that have been in it spent at most this", unit="ms")
    ] = None
    p85_ms: Annotated[Duration | None, Is("85 in 100 spent at most this", unit="ms")] = None
    mean_ms: Annotated[Duration | None, Is("Per task that has been in it", unit="ms")] = None
    per_task_ms: Annotated[
        Duration | None,
        Is("Per task of the list, in it or not: these add up to the time a task takes", unit="ms"),
    ] = None
    sum_ms: Annotated[Duration, Is("Time that tasks spent in it, all told", unit="ms")] = 0
    unfinished_ms: Annotated[Duration, Is("Of that, the time of tasks that are not finished", unit="ms")] = 0
    oldest_ms: Annotated[
        Duration | None, Is("Longest that a task has been in it now; empty where none is", unit="ms")
    ] = None
    share: Annotated[Real | None, Is("Part of the whole time of the list's tasks, 0 to 1", unit="ratio")] = (
        None
    )
    space_id: Annotated[Text | None, Is("Space of the list", references="spaces.id")] = None
    color: Annotated[Text | None, Is("Colour of the status, #rrggbb")] = None


class TrackedByWeek(NamedTuple):
    """Tracked time of each member in each week; timers that run and entries of the future do not count."""

    member_id: Annotated[Text, Is("Person who tracked; empty: nobody is named", references="members.id")]
    week: Annotated[
        Text, Is("Monday (UTC) of the week in which entries began; empty for amounts without times")
    ]
    tracked_ms: Annotated[Duration, Is("Tracked time", unit="ms")] = 0
    billable_ms: Annotated[Duration, Is("Its billable part", unit="ms")] = 0
    entries: Annotated[Integer, Is("Number of time entries", unit="entries")] = 0
    tasks: Annotated[Integer, Is("Number of tasks they are about", unit="tasks")] = 0


class EstimateAgainstTracked(NamedTuple):
    """Estimates against tracked time of the finished tasks of each list that have both."""

    list_id: Annotated[Text, Is("Home list of the tasks; empty: tasks of no list", references="lists.id")]
    done: Annotated[Integer, Is("Finished tasks", unit="tasks")] = 0
    compared: Annotated[Integer, Is("Of these, with an estimate and tracked time", unit="tasks")] = 0
    estimated_ms: Annotated[Duration, Is("Estimates of the compared tasks", unit="ms")] = 0
    tracked_ms: Annotated[Duration, Is("Tracked time of the compared tasks", unit="ms")] = 0
    ratio: Annotated[
        Real | None,
        Is("Tracked by estimated, sum over sum: 1.2 is a fifth more than estimated", unit="ratio"),
    ] = None
    ratio_median: Annotated[Real | None, Is("Median of the tasks' own ratios", unit="ratio")] = None
    ratio_p85: Annotated[Real | None, Is("85 in 100 tasks have at most this ratio", unit="ratio")] = None
    over: Annotated[Integer, Is("Compared tasks that took more than estimated", unit="tasks")] = 0
    without_estimate: Annotated[Integer, Is("Finished tasks without an estimate", unit="tasks")] = 0
    without_time: Annotated[Integer, Is("Finished tasks without tracked time", unit="tasks")] = 0
    space_id: Annotated[Text | None, Is("Space of the list", references="spaces.id")] = None
