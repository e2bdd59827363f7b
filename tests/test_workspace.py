"""What a notebook asks: tables, freshness, measures, charts; and what it is told where there is nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

import clickup_toolkit
from clickup_toolkit import Workspace, analyse
from clickup_toolkit.errors import StorageError
from clickup_toolkit.records import TABLES, TaskCustomField
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
    """In a notebook the gaps stand below, as text and not as markup, with where to find the others."""
    for number in range(6):
        story.gap(f"lists <{number}>", "Not on this plan.")
    html = Workspace(story.write(tmp_path))._repr_html_()
    assert "6 gaps" in html
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
    assert len(calls) == 7
    for call in calls:
        figure = call()
        assert isinstance(figure, go.Figure)
        assert len(figure.data) > 0


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


def test_without_an_export_anywhere_the_data_folder_is_that_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is nothing yet, an export from here will put it here."""
    monkeypatch.delenv("CLICKUP_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Workspace().data_dir == tmp_path / "data"
