"""What a notebook asks: tables, freshness, measures, charts; and what it is told where there is nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

import clickup_toolkit
from clickup_toolkit import Workspace, analyse, charts
from clickup_toolkit.errors import StorageError, UnknownName
from clickup_toolkit.records import TABLES, TaskCustomField
from clickup_toolkit.workspace.names import TableNames
from clickup_toolkit.workspace.tables import Tables
from tests.histories import Story

WORKFLOW = "to do (open) > doing > review > shipped (closed)"


@pytest.fixture
def story() -> Story:
    """Return a small workspace."""
    made = Story().list("App", WORKFLOW).list("Web", WORKFLOW, space="Site")
    made.task("Login", "App", "to do 1d > doing 2d > review 9d", assignees=("Ada",), tags=("ios",), told="2h")
    made.task("Logout", "App", "to do 1d > doing 3d > shipped 9d", assignees=("Ada", "Bob"))
    made.task("Menu", "Web", "doing 5d")
    made.rows["task_custom_fields"].append(TaskCustomField("menu", "f1", "Severity", "drop_down", "High"))
    return made


@pytest.fixture
def ws(story: Story, tmp_path: Path) -> Workspace:
    """Return the workspace as a notebook opens it, two days after the export."""
    return Workspace(story.write(tmp_path), clock=lambda: story.now + timedelta(days=2))


def test_importing_the_package_is_cheap() -> None:
    """pandas and plotly are imported when a Workspace is asked for, not before."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, clickup_toolkit as t; print('pandas' in sys.modules, 'Workspace' in dir(t))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False True\n"
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        clickup_toolkit.Nothing  # noqa: B018  # what is tried


def test_every_table_is_an_attribute(ws: Workspace, story: Story) -> None:
    """ws.<table> is the table as the export wrote it, and tab completion offers it."""
    assert set(TABLES) <= set(dir(ws))
    for name in set(TABLES) - {"time_in_status"}:
        if story.rows[name]:
            pd.testing.assert_frame_equal(getattr(ws, name), story.table(name))


def test_time_in_status_is_the_measure_and_the_table_is_asked_for_by_name(
    ws: Workspace, story: Story
) -> None:
    """The one name that both have belongs to the method."""
    pd.testing.assert_frame_equal(ws.table("time_in_status"), story.table("time_in_status"))
    assert "p85_ms" in ws.time_in_status(by="space").columns


def test_some_columns_of_a_table(ws: Workspace) -> None:
    """Only what is asked for is read."""
    assert ws.table("tasks", ["id", "name"]).to_dict("list") == {
        "id": ["login", "logout", "menu"],
        "name": ["Login", "Logout", "Menu"],
    }


def test_a_name_that_no_table_has_is_refused_with_the_choice(ws: Workspace) -> None:
    """A misspelled table names those there are."""
    with pytest.raises(AttributeError, match=r"a workspace has no 'taks'; its tables are .*tasks"):
        ws.taks  # noqa: B018  # what is tried
    with pytest.raises(ValueError, match=r"There is no table 'taks': choose one of .*tasks"):
        ws.table("taks")


def test_what_a_notebook_does_to_a_table_stays_its_own(ws: Workspace, story: Story) -> None:
    """A column added to ws.tasks is not there when it is asked for again."""
    tasks = ws.tasks
    tasks["name"] = "changed"
    pd.testing.assert_frame_equal(ws.tasks, story.table("tasks"))


def test_measures_look_from_when_the_export_was_made(ws: Workspace, story: Story) -> None:
    """By default figures come out the same whenever they are made; another instant can be given."""
    assert ws.now == story.now
    assert ws.waiting_now()["age_ms"].iloc[0] == 9 * 86_400_000 + 2 * 3_600_000
    ws.now = story.now + timedelta(days=1)
    assert ws.waiting_now()["age_ms"].iloc[0] == 10 * 86_400_000 + 2 * 3_600_000
    assert Workspace(ws.data_dir, now="2026-11-30T10:00").now == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert Workspace(ws.data_dir, now="2026-11-30T10:00+02:00").now == datetime(2026, 11, 30, 8, tzinfo=UTC)


def test_it_says_what_it_is(ws: Workspace) -> None:
    """Name, age of the export and counts, in one line."""
    assert repr(ws).replace("\u00a0", " ") == (
        "<Acme · exported 2026-11-23 10:00 UTC, 2 days ago · 3 tasks · 0 time entries · 2 members · 2 lists"
        " · no gaps>"
    )


def test_its_page_names_the_gaps_and_their_remedies(story: Story, tmp_path: Path) -> None:
    """In a notebook the gaps stand below, folded, as text and not as markup; where to find the others."""
    for number in range(6):
        story.gap(f"lists <{number}>", "Not on this plan.")
    html = Workspace(story.write(tmp_path))._repr_html_()
    assert "6 gaps" in html
    assert html.count("<details><summary>6 things could not be read</summary>") == 1  # folded
    assert "<li>lists &lt;0&gt;: Not on this plan. Ask for another plan.</li>" in html
    assert "<li>and 1 more: <code>ws.gaps</code></li>" in html


def test_without_an_export_it_says_what_to_do(tmp_path: Path) -> None:
    """The message names the folder and the remedies; showing the workspace does not fail."""
    ws = Workspace(tmp_path / "none")
    with pytest.raises(StorageError) as caught:
        ws.tasks  # noqa: B018  # what is tried
    assert str(caught.value) == (
        f"There is no export in {tmp_path / 'none'} yet. Run `clickup-toolkit export` (or `make demo`, which "
        "needs no token); or name the folder of an export with CLICKUP_DATA_DIR or Workspace(data_dir)."
    )
    assert repr(ws) == f"<Workspace without an export: {caught.value}>"
    assert "make demo" in ws._repr_html_()


def test_a_damaged_file_and_an_older_export_are_named(ws: Workspace) -> None:
    """What cannot be read is said in a sentence, not in pyarrow's words alone."""
    (ws.data_dir / "parquet" / "tags" / "part-0.parquet").write_bytes(b"half a file")
    with pytest.raises(StorageError, match=r"tags.part-0\.parquet cannot be read: .* Run the export again\."):
        ws.tags  # noqa: B018  # what is tried
    (ws.data_dir / "parquet" / "tags" / "part-0.parquet").unlink()
    with pytest.raises(
        StorageError, match=r"has no table tags: an older toolkit made it\. Run the export again\."
    ):
        ws.tags  # noqa: B018  # what is tried


def test_a_newer_export_is_noticed(ws: Workspace, story: Story) -> None:
    """Once another export has taken the place, the next question is answered from it."""
    assert len(ws.tasks) == 3
    story.task("Search", "App", "doing 1d").write(ws.data_dir)
    assert len(ws.tasks) == 4
    assert ws.where_work_waits()["waiting"].sum() == 3


def test_one_answer_never_mixes_two_exports(story: Story, tmp_path: Path) -> None:
    """When an export takes the place of the other between two tables, both are read again."""
    tables = Tables(story.write(tmp_path))
    between = iter([lambda: story.task("Search", "App", "doing 1d").write(tmp_path)])

    def read() -> tuple[int, int]:
        tasks = len(tables.read("tasks"))
        next(between, lambda: None)()
        return tasks, len(tables.read("time_in_status"))

    assert tables.of_one_export(read) == (4, 8)


@pytest.mark.parametrize(
    "by", ["list", "folder", "space", "status", "priority", "task_type", "member", "tag", "Severity"]
)
def test_measures_and_charts_take_every_grouping(ws: Workspace, by: str) -> None:
    """by= is a word of the measures, member, tag, or a custom field's name."""
    assert len(ws.time_in_status(by)) > 0
    assert len(ws.where_work_waits(by)) > 0
    assert len(ws.queues(2, by)) > 0
    assert ws.throughput(by)["done"].max() == 1
    assert ws.lead_and_cycle_time(by)["done"].max() == 1
    assert len(ws.chart_time_in_status(by).data) > 0
    assert len(ws.chart_where_work_waits(by).data) > 0
    assert by == "status" or ws.time_in_status(by).columns[:2].tolist() == [f"{by}_id", by]


def test_an_unknown_grouping_is_refused_with_the_choice(ws: Workspace) -> None:
    """A word that names no grouping and no custom field says what there is."""
    with pytest.raises(ValueError, match=r"by='lists' names no grouping: choose one of list, .*member, tag"):
        ws.time_in_status("lists")


def test_measures_are_those_of_analyse(ws: Workspace, story: Story) -> None:
    """The workspace adds the tables and the instant, nothing else."""
    tasks, times, statuses = (story.table(name) for name in ("tasks", "time_in_status", "statuses"))
    pd.testing.assert_frame_equal(
        ws.where_work_waits(), analyse.where_work_waits(tasks, times, now=story.now, statuses=statuses)
    )
    pd.testing.assert_frame_equal(ws.work_item_age(), analyse.work_item_age(tasks, now=story.now))
    assert ws.headline() == analyse.headline(ws.where_work_waits())
    assert ws.headline()._repr_markdown_().startswith("Unfinished work has spent more time in **review**")


def test_every_chart_is_one_call(ws: Workspace) -> None:
    """Every chart method draws with its defaults."""
    calls = [getattr(ws, name) for name in dir(ws) if name.startswith("chart_")]
    drawn = {name for name in charts.__all__ if hasattr(Workspace, f"chart_{name}")}
    assert len(calls) == len(drawn) == 24
    empty = []
    for call in calls:
        figure = call()
        assert isinstance(figure, go.Figure)
        if not figure.data:
            empty.append(call.__name__)
    nothing = ["chart_blocked_and_stale", "chart_estimate_against_tracked", "chart_tracked_time"]
    assert empty == nothing  # nothing is stale, and nobody tracked time


def test_every_measure_is_a_method_that_says_what_the_function_does(ws: Workspace, story: Story) -> None:
    """What a workspace answers is what the measure makes of its tables, for every one of them."""
    how: dict[str, dict[str, object]] = {
        "forecast_how_many": {"until": date(2026, 12, 21)},
        "forecast_when": {"items": 2},
    }
    for name, tables in analyse.COLUMNS.items():
        given = {table: story.table(table) for table in tables}
        expected = getattr(analyse, name)(**given, now=story.now, **how.get(name, {}))
        pd.testing.assert_frame_equal(getattr(ws, name)(), expected, obj=name)


def test_settings_say_what_measures_take(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cycle time, waiting, blocked and stale work, working hours and time zone are those of the settings."""
    story.write(tmp_path)
    monkeypatch.setenv("CYCLE_START", "status:review")
    monkeypatch.setenv("STALE_DAYS", "5")
    monkeypatch.setenv("WAITING_STATUSES", "doing")
    monkeypatch.setenv("WORKING_HOURS", "08:00-12:00")
    ws = Workspace(tmp_path)
    assert ws.work_item_age()["task_id"].tolist() == ["login"]
    assert ws.flow_efficiency()["efficiency"].tolist() == [0.0]
    assert ws.settings.stale_days == 5
    calendar, working = ws.lead_and_cycle_time(), ws.lead_and_cycle_time(working=True)
    assert calendar["lead_median_ms"].tolist() == [4 * 86_400_000]
    assert working["lead_median_ms"].tolist() == [(2 + 4 + 4 + 4) * 3_600_000]
    assert Workspace(tmp_path, working=True).lead_and_cycle_time().equals(working)


@pytest.mark.parametrize(
    ("part", "tasks"),
    [
        ({"list": "App"}, ["login", "logout"]),
        ({"list": "app"}, ["login", "logout"]),
        ({"list": ["App", "Web"]}, ["login", "logout", "menu"]),
        ({"space": "site"}, ["menu"]),
        ({"member": "Bob"}, ["logout"]),
        ({"tag": "IOS"}, ["login"]),
        ({"task_type": "Task", "space": "Product"}, ["login", "logout"]),
        ({"since": "2026-11-20"}, ["login", "menu"]),
        ({"until": "2026-11-17"}, ["login", "logout"]),
        ({"list": "App", "member": "Bob", "since": "2026-01-01"}, ["logout"]),
        ({"list": "", "member": ()}, ["login", "logout", "menu"]),
    ],
)
def test_a_part_is_what_its_filters_say(ws: Workspace, part: dict[str, str], tasks: list[str]) -> None:
    """Names in any case, ids, several of them, and a period narrow tables and measures alike."""
    narrowed = ws.filter(**part)  # type: ignore[arg-type]
    assert narrowed.tasks["id"].tolist() == tasks
    assert set(narrowed.table("time_in_status")["task_id"]) == set(tasks)
    finished = narrowed.finished_work()["task_id"].tolist()
    assert finished == [task for task in tasks if task == "logout"]
    assert narrowed.waiting_now()["task_id"].tolist() == [task for task in tasks if task != "logout"]
    assert ws.tasks["id"].tolist() == ["login", "logout", "menu"]


def test_forecasts_of_a_part_draw_from_its_days_alone(ws: Workspace) -> None:
    """What was left out by ``since`` is not taken for days on which nothing was done."""
    since = ws.filter(since=(ws.now - timedelta(days=5)).isoformat())
    assert len(since.throughput_samples()) <= 5
    assert len(since.throughput_samples(history=2)) == 2


def test_a_part_says_what_it_is_and_can_be_narrowed_again(ws: Workspace) -> None:
    """Filters add up, and stand in the workspace's line."""
    part = ws.filter(space="Product").filter(member="Ada", since="2026-11-01")
    assert "part: space Product, member Ada, since 2026-11-01" in repr(part)
    assert "part: space Product, member Ada, since 2026-11-01" in part._repr_html_()
    assert "part" not in repr(ws)
    assert part.tasks["id"].tolist() == ["login", "logout"]


def test_an_unknown_filter_is_refused_with_the_one_that_was_meant(ws: Workspace) -> None:
    """A misspelled filter or name is one sentence in a notebook, with the choice and no page of traceback."""
    with pytest.raises(UnknownName) as caught:
        ws.filter(spcae="Product")
    assert caught.value._render_traceback_() == [
        "UnknownName: spcae is no filter: choose one of space, folder, list, member, tag, task_type, since, "
        "until. Did you mean 'space'?"
    ]
    with pytest.raises(UnknownName, match=r"or an id\. Did you mean 'Product'\?$"):
        ws.filter(space="prodct")
    with pytest.raises(UnknownName, match=r"or a custom field's name\. Did you mean 'member'\?$"):
        ws.time_in_status(by="membr")


def test_an_unknown_part_is_refused_with_the_choice(ws: Workspace) -> None:
    """A misspelled space says which there are, at once and not at the first measure."""
    with pytest.raises(ValueError, match=r"space='Prodct' names no space: choose one of Product, Site, or"):
        ws.filter(space="Prodct")
    with pytest.raises(ValueError, match=r"tag='x' names no tag: choose one of ios\."):
        ws.filter(tag="x")
    with pytest.raises(ValueError, match="task_type='Bug' names no task type"):
        ws.filter(task_type="Bug")


def test_time_entries_of_a_part_are_those_of_its_tasks_and_members(story: Story, tmp_path: Path) -> None:
    """Time belongs to a part by its task's place, by who tracked it, and by when it began."""
    story.tracked("Login", "Ada", "2d", "1h").tracked("Menu", "Ada", "9d", "2h")
    story.tracked("Login", "Bob", "2d", "3h").tracked(None, "Ada", "1d", "4h")
    ws = Workspace(story.write(tmp_path))

    def hours(**part: str) -> int:
        return int(ws.filter(**part).tracked_time()["tracked_ms"].sum() / 3_600_000)  # type: ignore[arg-type]

    assert (hours(), hours(list="App"), hours(member="Ada"), hours(since="2026-11-20")) == (10, 4, 7, 8)
    assert (hours(list="App", member="Ada"), hours(until="2026-11-15")) == (1, 2)


def test_the_quality_of_a_part_is_not_blamed_for_what_lies_outside(story: Story, tmp_path: Path) -> None:
    """A parent in another list is no lost parent, and gaps are those of the whole workspace."""
    story.task("Sub", "Web", "doing 1d", parent_id="login").gap("lists", "Not on this plan.")
    ws = Workspace(story.write(tmp_path))
    assert {"lost_parent", "gaps"} <= set(ws.data_quality()["check"])
    assert not {"lost_parent", "gaps"} & set(ws.filter(list="Web").data_quality()["check"])


def test_a_measure_reads_the_columns_that_it_needs_and_no_other(ws: Workspace) -> None:
    """Nothing else of a table is kept in memory; and each column is read once."""
    ws.throughput()
    kept = ws._tables._columns
    assert set(kept) == {"tasks"}
    assert set(kept["tasks"]) == set(analyse.COLUMNS["throughput"]["tasks"]) - {"priority", "task_type_id"}
    before = kept["tasks"]["id"]
    ws.lead_and_cycle_time()
    assert kept["tasks"]["id"] is before
    assert "time_in_status" not in kept


def test_editors_know_the_tables_and_the_methods(ws: Workspace) -> None:
    """The declared names are those of the tables; measures and charts are offered by the tab key."""
    assert set(TableNames.__annotations__) == set(TABLES) - {"time_in_status"}
    assert {"net_flow", "chart_net_flow", "filter", "export_now", "tasks"} <= set(dir(ws))


def test_the_data_folder_is_found_from_a_folder_below(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook in notebooks/ finds data/ beside it, and the folder that a .env file there names."""
    monkeypatch.delenv("CLICKUP_DATA_DIR", raising=False)
    story.write(tmp_path / "data")
    story.write(tmp_path / "elsewhere")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert Workspace().data_dir == tmp_path / "data"
    assert Workspace("").data_dir == tmp_path / "data"
    (tmp_path / ".env").write_text("CLICKUP_DATA_DIR=elsewhere\n")
    assert Workspace().data_dir == tmp_path / "elsewhere"
    monkeypatch.setenv("CLICKUP_DATA_DIR", "/srv/clickup")
    assert Workspace().data_dir == Path("/srv/clickup")


def test_what_the_demo_exported_is_found_where_nothing_else_is(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook opens on data/demo with no setting; an export of one's own comes before it."""
    monkeypatch.delenv("CLICKUP_DATA_DIR", raising=False)
    story.write(tmp_path / "data" / "demo")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert Workspace().data_dir == tmp_path / "data" / "demo"
    story.write(tmp_path / "data")
    assert Workspace().data_dir == tmp_path / "data"


def test_without_an_export_anywhere_the_data_folder_is_that_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is nothing yet, an export from here will put it here."""
    monkeypatch.delenv("CLICKUP_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Workspace().data_dir == tmp_path / "data"
