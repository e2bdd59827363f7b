"""Time in status and where work waits, on histories small enough to work out by hand.

Durations in the pictures are in hours.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit import analyse
from tests.histories import Story
from tests.pictures import drawn, picture

WORKFLOW = "to do (open) > doing > review > shipped (closed)"


def measured(story: Story, **how: object) -> pd.DataFrame:
    """Return the time in status of the story at its now."""
    how = {"now": story.now, "statuses": story.table("statuses"), **how}
    return analyse.time_in_status(story.table("tasks"), story.table("time_in_status"), **how)  # type: ignore[arg-type]


def waits(story: Story, **how: object) -> pd.DataFrame:
    """Return where the story's work waits at its now."""
    how = {"now": story.now, "statuses": story.table("statuses"), **how}
    return analyse.where_work_waits(story.table("tasks"), story.table("time_in_status"), **how)  # type: ignore[arg-type]


def shows(table: pd.DataFrame, expected: str) -> None:
    """Compare a table with its picture."""
    assert drawn(table, expected) == picture(expected)


def test_sums_means_medians_percentiles_and_shares_are_those_of_the_tasks_that_were_in_the_status() -> None:
    """Sum, mean, median and p85 are over the tasks that were in the status; shares are of the list's time."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 10h > doing 20h > review 40h > shipped 9d")
    story.task("Logout", "App", "to do 30h > doing 10h > shipped 7d")
    story.task("Search", "App", "to do 20h > doing 30h > review 40h")
    shows(
        measured(story),
        """
        list | status | tasks | waiting | sum | per_task | mean | median | p85  | share
        App  | to do  | 3     | 0       | 60  | 20       | 20   | 20     | 27   | 0.3
        App  | doing  | 3     | 0       | 60  | 20       | 20   | 20     | 27   | 0.3
        App  | review | 2     | 1       | 80  | 26.67    | 40   | 40     | 40   | 0.4
        """,
    )


def test_the_current_status_grows_from_as_of_to_now() -> None:
    """What ClickUp told 6 hours ago has grown by 6 hours for an unfinished task, and for that one alone."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 10h > doing 20h", told="6h")
    story.task("Logout", "App", "to do 10h > doing 20h > shipped 1d", told="6h")
    shows(
        measured(story, finished=True),
        """
        list | status  | tasks | waiting | sum
        App  | to do   | 2     | 0       | 20
        App  | doing   | 2     | 1       | 46
        App  | shipped | 1     | 0       | 24
        """,
    )


def test_a_later_now_adds_exactly_the_time_between() -> None:
    """Looking a day later, each unfinished task has spent a day more in its current status."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 20h").task("Logout", "App", "doing 1h")
    shows(
        measured(story, now=story.now + timedelta(days=1)),
        """
        status | tasks | sum | median | p85
        doing  | 2     | 69  | 34.5   | 41.15
        """,
    )


def test_an_instant_before_the_answer_takes_nothing_away() -> None:
    """ClickUp's sums cannot be turned back: an earlier now shows them as they were told."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 20h")
    shows(measured(story, now=story.now - timedelta(days=1)), "status | sum\n doing | 20")


def test_statuses_of_different_lists_are_not_merged_by_name() -> None:
    """Two lists' 'review' are two statuses, also in one space, unless ClickUp gives both one id."""
    story = Story().list("App", WORKFLOW, ids="p1").list("Web", WORKFLOW, ids="p1").list("Ops", WORKFLOW)
    story.task("Login", "App", "review 10h").task("Logout", "Web", "review 20h").task(
        "Deploy", "Ops", "review 60h"
    )
    shows(
        measured(story, by="space"),
        """
        space   | status | place   | status_key | tasks | sum
        Product | review | Ops     | ops:review | 1     | 60
        Product | review | Product | p1_review  | 2     | 30
        """,
    )


def test_a_shared_status_in_a_space_that_is_not_seen_tells_in_how_many_lists_it_is() -> None:
    """Where the space has no name, the place of a status that lists share is their number."""
    story = Story().list("App", WORKFLOW, ids="p1").list("Web", WORKFLOW, ids="p1")
    story.task("Login", "App", "review 10h")
    story.rows["tasks"] = [row._replace(space_id=None, space_name=None) for row in story.rows["tasks"]]
    shows(measured(story, by="status"), "status | place | tasks\n review | 1 list | 1")
    story.task("Logout", "Web", "review 20h")
    story.rows["tasks"] = [row._replace(space_id=None, space_name=None) for row in story.rows["tasks"]]
    shows(measured(story, by="status"), "status | place | tasks\n review | 2 lists | 2")


def test_statuses_are_merged_by_name_when_asked() -> None:
    """With merge_statuses a name is a status, wherever it is."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    story.task("Login", "App", "review 10h").task("Logout", "Web", "review 20h")
    shows(
        measured(story, by="status", merge_statuses=True),
        "status | place | tasks | sum | share\n review | Product | 2 | 30 | 1",
    )


def test_lists_of_the_same_name_are_told_apart() -> None:
    """Two lists called Bugs are two groups, and their labels say where they lie."""
    story = Story().list("Bugs", WORKFLOW).list("Site/Bugs", WORKFLOW, space="Design").list("Ideas", WORKFLOW)
    for home in ("Bugs", "Site/Bugs", "Ideas"):
        story.task(f"Task in {home}", home, "doing 1h")
    assert sorted(measured(story)["list"]) == ["Ideas", "Product / Bugs", "Site / Bugs"]


def test_groups_of_assignees_count_a_task_for_each_of_them() -> None:
    """A task of two people counts for both, and what nobody has is 'Unassigned'."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 10h", assignees=("Ada", "Bob"))
    story.task("Logout", "App", "doing 20h", assignees=("Bob",))
    story.task("Search", "App", "doing 5h")
    by = analyse.by_member(story.table("tasks"), story.table("task_assignees"), story.table("members"))
    shows(
        measured(story, by=by),
        """
        member_id | member     | status | tasks | sum
        bob       | Bob        | doing  | 2     | 30
        ada       | Ada        | doing  | 1     | 10
                  | Unassigned | doing  | 1     | 5
        """,
    )


def test_groups_of_tags_task_types_and_priorities() -> None:
    """Tags, task types and priorities group in the same way."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 10h", tags=("ios",), task_type_id=1, priority="high")
    story.task("Logout", "App", "doing 20h")
    tags = analyse.by_tag(story.table("tasks"), story.table("task_tags"))
    shows(measured(story, by=tags), "tag_id | tag | sum\n | No tag | 20\n ios | ios | 10")
    shows(measured(story, by="task_type"), "task_type | sum\n Task | 20\n Milestone | 10")
    shows(measured(story, by="priority"), "priority | sum\n No priority | 20\n high | 10")


def test_an_unknown_grouping_is_refused_with_the_choice() -> None:
    """A misspelled grouping names what there is."""
    story = Story().list("App", WORKFLOW)
    with pytest.raises(ValueError, match="by='lists' names no grouping: choose one of list, folder"):
        measured(story, by="lists")


def test_a_now_without_time_zone_is_refused() -> None:
    """An instant without a time zone is no instant."""
    story = Story().list("App", WORKFLOW)
    with pytest.raises(ValueError, match="must have a time zone"):
        measured(story, now=datetime(2026, 11, 23))  # noqa: DTZ001  # that is what is tried


def test_unfinished_work_in_the_archive_does_not_count_finished_work_does() -> None:
    """What was archived unfinished waits for nobody; what was finished before keeps its history."""
    story = Story().list("App", WORKFLOW)
    story.task("Given up", "App", "doing 100h", archived=True)
    story.task("Given up with its list", "App", "doing 100h", in_archived=True)
    story.task("Login", "App", "doing 10h > shipped 1d", archived=True)
    shows(measured(story), "status | tasks | waiting | sum\n doing | 1 | 0 | 10")
    assert waits(story)["waiting"].sum() == 0
    assert analyse.waiting_now(story.table("tasks"), now=story.now).empty


def test_where_work_waits_ranks_by_the_share_of_unfinished_work() -> None:
    """Finished tasks count for the percentiles, not for the ranking; backlogs only when asked for."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 900h > doing 10h > review 70h > shipped 9d")
    story.task("Logout", "App", "to do 900h > doing 20h > review 30h")
    story.task("Search", "App", "to do 900h > doing 10h")
    story.task("Later", "App", "to do 900h")
    shows(
        waits(story),
        """
        status | place | waiting | time | share  | median | p85 | oldest
        review | App   | 1       | 30   | 0.5    | 50     | 64  | 30
        doing  | App   | 1       | 30   | 0.5    | 10     | 17  | 10
        """,
    )
    assert waits(story, not_started=True)["status"].tolist() == ["to do", "review", "doing"]


def test_waiting_before_tells_how_many_stood_there_four_weeks_ago() -> None:
    """Of two in review now, one was there four weeks ago, with one that has been shipped since."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "review 40d")
    story.task("Logout", "App", "review 20d")
    story.task("Search", "App", "review 20d > shipped 20d")
    shows(waits(story), "status | waiting | waiting_before\n review | 2 | 2")


def test_queues_follow_arrivals_and_departures() -> None:
    """The queue of each week is what it was, more what came, less what went."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "review 20d")
    story.task("Logout", "App", "review 9d")
    story.task("Search", "App", "review 12d > shipped 3d")
    shows(
        analyse.queues(
            story.table("tasks"), story.table("time_in_status"), now=story.now, by="list", weeks=3
        ),
        """
        list | status | at               | queue | arrived | left
        App  | review | 2026-11-09 10:00 | 2     | 2       | 0
        App  | review | 2026-11-16 10:00 | 3     | 1       | 0
        App  | review | 2026-11-23 10:00 | 2     | 0       | 1
        """,
    )


def test_a_task_is_in_one_queue_at_a_time_however_often_it_came_back() -> None:
    """Visits count with their whole time, the last one where it was; what is left is not counted again."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 7d > review 7d > doing 7d > review 7d")
    story.task("Logout", "App", "doing 7d > review 7d > doing 7d > shipped 7d")
    shows(
        analyse.queues(story.table("tasks"), story.table("time_in_status"), now=story.now, weeks=4),
        """
        status | at               | queue | arrived | left
        doing  | 2026-11-02 10:00 | 2     | 2       | 0
        doing  | 2026-11-09 10:00 | 2     | 0       | 0
        doing  | 2026-11-16 10:00 | 0     | 0       | 2
        doing  | 2026-11-23 10:00 | 0     | 0       | 0
        review | 2026-11-02 10:00 | 1     | 1       | 0
        review | 2026-11-09 10:00 | 1     | 1       | 1
        review | 2026-11-16 10:00 | 1     | 0       | 0
        review | 2026-11-23 10:00 | 1     | 0       | 0
        """,
    )


def test_waiting_now_lists_the_longest_waiting_first() -> None:
    """Every started, unfinished task with its age in the current status, the last visit alone."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d > review 2d > doing 30h", told="2h")
    story.task("Logout", "App", "doing 50h")
    story.task("Later", "App", "to do 900h")
    story.task("Search", "App", "doing 1d > shipped 1d")
    shows(
        analyse.waiting_now(story.table("tasks"), now=story.now),
        """
        task_id | name   | list | status | since            | age
        logout  | Logout | App  | doing  | 2026-11-21 08:00 | 50
        login   | Login  | App  | doing  | 2026-11-22 02:00 | 32
        """,
    )


def test_no_task_at_all_gives_empty_tables_with_their_columns() -> None:
    """An empty workspace has every column and no row."""
    story, full = Story(), Story().list("App", WORKFLOW).task("Login", "App", "doing 1h")
    assert measured(story).empty
    assert measured(story).columns.tolist() == measured(full).columns.tolist()
    assert waits(story).empty
    assert waits(story).columns.tolist() == waits(full).columns.tolist()
    assert analyse.headline(waits(story)).startswith("No time in status of started work is known")


stay = st.tuples(st.sampled_from(["to do", "doing", "review"]), st.integers(1, 500))


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from(["App", "Web"]), st.lists(stay, min_size=1, max_size=6)), max_size=12)
)
def test_no_time_is_lost_or_invented(tasks: list[tuple[str, list[tuple[str, int]]]]) -> None:
    """However the histories run, the groups' sums are the visits' sums, and their shares add up to one."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    for number, (home, visits) in enumerate(tasks):
        story.task(f"T{number}", home, " > ".join(f"{status} {hours}h" for status, hours in visits))
    spent = sum(hours for _, visits in tasks for _, hours in visits) * 3_600_000
    for by in ("list", "space", "status"):
        table = measured(story, by=by)
        assert table["sum_ms"].sum() == spent
        assert table["waiting"].sum() == len(tasks)
        groups = table[by].nunique() if by != "status" else min(len(tasks), 1)
        assert table["share"].sum() == pytest.approx(groups)
