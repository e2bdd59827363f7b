"""Work in progress, net and cumulative flow, rework and bottlenecks, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit import analyse
from tests.histories import Story
from tests.pictures import drawn, picture

WORKFLOW = "to do (open) > doing > review > shipped (closed)"


def shows(table: pd.DataFrame, expected: str) -> None:
    """Compare a table with its picture."""
    assert drawn(table, expected) == picture(expected)


def observed(story: Story) -> dict[str, pd.DataFrame]:
    """Return the tables of what was observed, as measures take them."""
    return {"status_changes": story.table("status_changes"), "exports": story.table("exports")}


def test_work_in_progress_counts_what_has_started_and_not_finished() -> None:
    """At each midnight, and now; without observed changes, from the instants of start and finish."""
    story = Story().list("App", WORKFLOW)  # now is a Monday, 10:00
    story.task("Login", "App", "to do 1d > doing 40h > shipped 8h")  # in progress from Sat 10:00 to Mon 02:00
    story.task("Logout", "App", "to do 1d > doing 20h")  # since Sun 14:00
    story.task("Search", "App", "to do 5d")
    story.task("Given up", "App", "doing 9d", archived=True)
    table = analyse.work_in_progress(story.table("tasks"), now=story.now, last=4)
    shows(
        table,
        """
        at               | in_progress | arrived | left | source
        2026-11-21 00:00 | 0           | 0       | 0    | approximated
        2026-11-22 00:00 | 1           | 1       | 0    | approximated
        2026-11-23 00:00 | 2           | 1       | 0    | approximated
        2026-11-23 10:00 | 1           | 0       | 1    | approximated
        """,
    )
    assert str(analyse.provenance(table)).startswith("Approximated from ClickUp's sums; no changes")


def test_what_was_observed_shows_that_a_task_went_back_to_do() -> None:
    """A task that was taken back was not in progress then; the sums do not tell, the exports do."""
    story = Story().list("App", WORKFLOW)
    story.task(
        "Login", "App", "doing 33h > to do 24h > doing 24h"
    )  # taken back from Saturday to Sunday, 10:00
    story.watched("3d")
    tasks = story.table("tasks")
    shows(analyse.work_in_progress(tasks, now=story.now, last=3), "in_progress\n1\n1\n1")
    table = analyse.work_in_progress(tasks, now=story.now, last=6, **observed(story))
    shows(
        table,
        """
        at               | in_progress | arrived | left | source
        2026-11-19 00:00 | 0           | 0       | 0    | approximated
        2026-11-20 00:00 | 0           | 0       | 0    | approximated
        2026-11-21 00:00 | 1           | 1       | 0    | approximated
        2026-11-22 00:00 | 0           | 0       | 1    | observed
        2026-11-23 00:00 | 1           | 1       | 0    | observed
        2026-11-23 10:00 | 1           | 0       | 0    | observed
        """,
    )
    assert analyse.provenance(table) == analyse.Provenance(
        analyse.APPROXIMATED, datetime(2026, 11, 20, 10, tzinfo=UTC)
    )
    assert str(analyse.provenance(table)) == (
        "Observed between exports since 2026-11-20 10:00 UTC; approximated from ClickUp's sums before."
    )


def test_a_task_whose_start_is_not_known_is_in_progress_as_its_status_says() -> None:
    """Both with observed changes and without; it has no age, and is in progress from its creation on."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "to do 20h > doing 30h")
    story.task("Logout", "App", "to do 50h").watched("300h")
    tasks = story.table("tasks").assign(cycle_started=pd.NaT)
    for seen in ({}, observed(story)):
        flow = analyse.cumulative_flow(tasks, now=story.now, last=1, **seen)
        work = analyse.work_in_progress(tasks, now=story.now, last=1, **seen)
        assert flow["tasks"].tolist() == [1, 1, 0]
        assert work["in_progress"].tolist() == [1]
    approximated = analyse.work_in_progress(tasks, now=story.now, last=4)
    assert approximated["in_progress"].tolist() == [0, 1, 1, 1]  # made on Saturday at 8:00
    assert analyse.work_item_age(tasks, now=story.now).empty


def test_net_flow_is_what_was_started_less_what_was_done() -> None:
    """Each week of each list: created, started, done, and whether work in progress grew."""
    story = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    story.task("Login", "App", "to do 1d > doing 1d > shipped 2d")  # created Thu, started Fri, done Sat
    story.task("Logout", "App", "doing 30h")  # Sunday
    story.task("Search", "App", "to do 1h")
    story.task("Menu", "Web", "doing 9d > shipped 1h")
    shows(
        analyse.net_flow(story.table("tasks"), now=story.now, by="list", last=2),
        """
        list | week             | created | started | done | net | complete
        App  | 2026-11-16 00:00 | 2       | 2       | 1    | 1   | True
        App  | 2026-11-23 00:00 | 1       | 0       | 0    | 0   | False
        Web  | 2026-11-16 00:00 | 0       | 0       | 0    | 0   | True
        Web  | 2026-11-23 00:00 | 0       | 0       | 1    | -1  | False
        """,
    )


def test_cumulative_flow_counts_what_has_come_to_a_stage_or_beyond() -> None:
    """The lines lie above each other; between them lies what is in the stage."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 1d > doing 1d > shipped 1d").task(
        "Logout", "App", "to do 1d > doing 1d"
    )
    shows(
        analyse.cumulative_flow(story.table("tasks"), now=story.now, last=3),
        """
        at               | stage       | tasks | cumulative
        2026-11-22 00:00 | to do       | 1     | 2
        2026-11-22 00:00 | in progress | 1     | 1
        2026-11-22 00:00 | done        | 0     | 0
        2026-11-23 00:00 | to do       | 0     | 2
        2026-11-23 00:00 | in progress | 1     | 2
        2026-11-23 00:00 | done        | 1     | 1
        2026-11-23 10:00 | to do       | 0     | 2
        2026-11-23 10:00 | in progress | 1     | 2
        2026-11-23 10:00 | done        | 1     | 1
        """,
    )


visit = st.tuples(st.sampled_from(["to do", "doing", "review", "shipped"]), st.integers(1, 40))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(visit, min_size=1, max_size=5), max_size=8))
def test_what_was_observed_is_what_happened(histories: list[list[tuple[str, int]]]) -> None:
    """However tasks go to and fro, walking back from now finds the stage that each was in."""
    story = Story().list("App", WORKFLOW)
    for number, visits in enumerate(histories):
        story.task(f"T{number}", "App", " > ".join(f"{status} {hours}h" for status, hours in visits))
    story.watched("300h")
    table = analyse.cumulative_flow(story.table("tasks"), now=story.now, last=10, **observed(story))
    for row in table.itertuples():
        assert row.source == "observed"
        hours_ago = (pd.Timestamp(story.now) - row.at).total_seconds() / 3600
        assert row.tasks == sum(_stage(visits, hours_ago) == row.stage for visits in histories)


def _stage(visits: list[tuple[str, int]], hours_ago: float) -> str | None:
    names = {"to do": "to do", "doing": "in progress", "review": "in progress", "shipped": "done"}
    began = 0.0
    for status, hours in reversed(visits):
        began += hours
        if hours_ago <= began:
            return names[status]
    return None


def test_queues_are_observed_from_the_first_export_on() -> None:
    """What came back in between is seen; weeks before are approximated, and say so."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 7d > review 7d > doing 7d > review 3d")
    story.watched("15d")
    table = analyse.queues(
        story.table("tasks"), story.table("time_in_status"), now=story.now, weeks=3, **observed(story)
    )
    shows(
        table[table["status"] == "review"],
        """
        status | at               | queue | arrived | left | source
        review | 2026-11-09 10:00 | 1     | 0       | 0    | approximated
        review | 2026-11-16 10:00 | 0     | 0       | 1    | observed
        review | 2026-11-23 10:00 | 1     | 1       | 0    | observed
        """,
    )


def test_littles_law_compares_cycle_time_with_what_it_should_be() -> None:
    """One task a day, each two days in progress: two in progress, and the law holds."""
    story = Story("2026-11-23 00:00").list("App", WORKFLOW)
    for day in range(1, 40):
        story.task(f"T{day}", "App", f"doing 2d > shipped {24 * day - 12}h")
    story.task("Next", "App", "doing 36h").task("Last", "App", "doing 12h")
    (row,) = analyse.littles_law(story.table("tasks"), now=story.now, last=10).to_dict("records")
    assert row == pytest.approx(
        {"in_progress": 2, "per_day": 1, "cycle_mean_ms": 172_800_000, "expected_ms": 172_800_000, "ratio": 1}
    )


def test_rework_counts_moves_back_and_tasks_opened_again() -> None:
    """Observed for tasks made since the first export; for older ones what the sums betray, at least."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "to do 1d > doing 1d > review 1d > doing 1d > review 1d > shipped 1d")
    story.task("Logout", "App", "doing 1d > shipped 1d > doing 1d")
    story.task("Search", "App", "doing 1d > review 1d")
    story.task("Untouched", "App", "to do 1d")
    story.task("Old", "App", "review 90d > doing 5d").task("Older", "App", "doing 90d > review 5d")
    story.watched("30d")
    table = analyse.rework(
        story.table("tasks"),
        now=story.now,
        statuses=story.table("statuses"),
        time_in_status=story.table("time_in_status"),
        **observed(story),
    )
    shows(
        table,
        """
        list | tasks | moves | backward | reopened | reworked | share  | source
        App  | 3     | 8     | 2        | 1        | 2        | 0.6667 | observed
        App  | 2     | 0     | 1        | 0        | 1        | 0.5    | approximated
        """,
    )
    assert analyse.rework(story.table("tasks"), now=story.now).empty


def test_a_move_back_is_told_by_the_lists_own_workflow() -> None:
    """The same names in another order: what goes forward in one list goes back in the other."""
    story = (
        Story().list("App", "doing > review > shipped (closed)").list("Lab", "review > doing > done (done)")
    )
    story.task("Login", "App", "doing 1d > review 1d").task("Cell", "Lab", "doing 1d > review 1d")
    story.watched("9d")
    shows(
        analyse.rework(
            story.table("tasks"), now=story.now, statuses=story.table("statuses"), **observed(story)
        ),
        "list | tasks | backward\n Lab | 1 | 1\n App | 1 | 0",
    )


def test_the_changes_of_deleted_tasks_do_not_count() -> None:
    """What is no longer in the export is in no figure."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 1d > review 1d").task("Gone", "App", "review 1d > doing 1d")
    story.watched("9d")
    tasks = story.table("tasks")
    tasks = tasks[tasks["id"] == "login"]
    shows(analyse.rework(tasks, now=story.now, **observed(story)), "tasks | backward\n 1 | 0")
    table = analyse.work_in_progress(tasks, now=story.now, last=3, **observed(story))
    assert table["in_progress"].tolist() == [1, 1, 1]


def test_the_bottleneck_has_the_signs() -> None:
    """Review has most of the time, the largest p85, and grows; ties are marked on both."""
    story = Story().list("App", WORKFLOW)
    story.task("Login", "App", "doing 2d > review 9d").task("Logout", "App", "doing 2d > review 5d")
    story.task("Search", "App", "doing 40d > shipped 60d")
    table = analyse.bottleneck(story.table("tasks"), story.table("time_in_status"), now=story.now)
    shows(
        table,
        """
        status | waiting | share  | p85   | growth | largest_share | largest_p85 | largest_growth | signs
        review | 2       | 0.7778 | 201.6 | 2      | True          | False       | True           | 2
        doing  | 0       | 0.2222 | 686.4 | 0      | False         | True        | False          | 1
        """,
    )
    twins = Story().list("App", WORKFLOW).list("Web", WORKFLOW)
    twins.task("Login", "App", "review 9d").task("Menu", "Web", "review 9d")
    shows(
        analyse.bottleneck(twins.table("tasks"), twins.table("time_in_status"), now=twins.now),
        "status | place | growth | signs\n review | App | 1 | 3\n review | Web | 1 | 3",
    )


def test_flow_efficiency_is_sum_over_sum() -> None:
    """Of finished work's time between start and end, the part in which nothing waited."""
    story = Story().list("App", "to do (open) > doing > waiting for review > shipped (closed)")
    story.task("Long", "App", "to do 50h > doing 10h > waiting for review 90h > shipped 1d")
    story.task("Short", "App", "doing 10h > shipped 1d").task("Going", "App", "doing 900h")
    shows(
        analyse.flow_efficiency(story.table("tasks"), story.table("time_in_status"), now=story.now),
        "list | tasks | active | waiting | efficiency\n App | 2 | 20 | 90 | 0.1818",
    )
    shows(
        analyse.flow_efficiency(
            story.table("tasks"), story.table("time_in_status"), now=story.now, waiting=("doing",)
        ),
        "active | waiting | efficiency\n 90 | 20 | 0.8182",
    )


def test_what_a_status_counts_as_can_be_looked_up() -> None:
    """By type before and after, by name waiting, else active; 'threshold' does not hold."""
    story = Story().list("App", "to do (open) > On Hold > threshold > shipped (closed)")
    story.task("Login", "App", "to do 1h > On Hold 1h > threshold 1h > shipped 1h")
    shows(
        analyse.status_roles(story.table("tasks"), story.table("time_in_status"), now=story.now),
        "status | role\n to do | before\n On Hold | waiting\n threshold | active\n shipped | after",
    )


def test_without_a_task_there_are_no_rows_and_all_columns() -> None:
    """An empty workspace has the columns of a full one, and instants with nothing in them."""
    story = Story().watched("9d")
    tasks, times = story.table("tasks"), story.table("time_in_status")
    table = analyse.work_in_progress(tasks, now=story.now, last=2, **observed(story))
    assert table["in_progress"].tolist() == [0, 0]
    assert analyse.net_flow(tasks, now=story.now, last=2, by="list").empty
    assert analyse.rework(tasks, now=story.now, time_in_status=times, **observed(story)).empty
    assert analyse.bottleneck(tasks, times, now=story.now).empty
    assert analyse.flow_efficiency(tasks, times, now=story.now).empty
    assert analyse.littles_law(tasks, now=story.now)["ratio"].isna().all()
