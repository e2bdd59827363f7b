"""The dashboards: the notebooks' figures, narrowed by the address, of one version, whatever there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit import Workspace, analyse, parquet, serve
from clickup_toolkit.errors import StorageError
from clickup_toolkit.serve.dashboards.boards import make_board
from clickup_toolkit.serve.dashboards.drawing import in_words
from clickup_toolkit.serve.dashboards.filters import GROUPS, PRESETS, Filters, read_filters
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.panels import Board
from clickup_toolkit.serve.dashboards.source import Source, of_one_version
from clickup_toolkit.settings import Secret, Settings
from tests.dashboards import HOSTILE, PAGES, WORKFLOW, company, odd, publish_story
from tests.histories import Story
from tests.serving import publish_file, settings_for
from tests.test_serve_access import HASH

CONFIGURATION = analyse.configuration(Settings.read({}))
NARROW = Filters(
    list=("mobile app", "website"),
    member=("ada lovelace", "李雷"),
    type=("0",),
    first=date(2026, 6, 1),
    last=date(2026, 11, 15),
)
PERIOD = Filters(first=date(2026, 7, 1), last=date(2026, 10, 31))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish a company of 240 tasks."""
    folder = tmp_path_factory.mktemp("company")
    publish_story(folder, company())
    return folder


@pytest.fixture(scope="module")
def client(data_dir: Path) -> Iterator[httpx.Client]:
    """Serve the company."""
    with serve.background(settings_for(data_dir)) as address, httpx.Client(base_url=address) as asking:
        asking.timeout = httpx.Timeout(120)
        yield asking


def board_of(folder: Path, page: str, filters: Filters) -> Board:
    """Compute a page."""
    return make_board(folder / "parquet", page, filters, CONFIGURATION)


def words_of(answer: httpx.Response) -> str:
    """Return the text of a page as people read it, scripts left out."""
    content = answer.text.partition("<main")[2].partition("</main>")[0]
    content = re.sub(r"(?s)<script.*?</script>", " ", content)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


@pytest.mark.parametrize("filters", [Filters(period="all"), NARROW], ids=["all", "narrow"])
def test_figures_are_those_of_the_notebooks(data_dir: Path, filters: Filters) -> None:
    """What a page says is what a workspace says that is narrowed to the same."""
    whole = Workspace(data_dir)
    places = {
        "list": list(filters.list),
        "member": list(filters.member),
        "task_type": ["Task"] if filters.type else [],
    }
    chosen = whole.filter(**places)
    since, until = filters.since(whole.now, "UTC"), filters.until(whole.now, "UTC")
    narrow = chosen.filter(since=since, until=until) if since or until else chosen
    boards = {name: board_of(data_dir, name, filters) for name in ("overview", "time-in-status", "flow")}
    boards["time-tracking"] = board_of(data_dir, "time-tracking", filters)
    links = Links(Source(data_dir / "parquet"), filters)
    asked = {
        "where_work_waits": chosen.where_work_waits(),
        "waiting_now": chosen.waiting_now(),
        "queues": chosen.queues(),
        "ageing_work": chosen.ageing_work(),
        "time_in_status": narrow.time_in_status("list"),
        "median_and_p85": narrow.time_in_status("status"),
        "finished_work": narrow.finished_work(),
        "estimate_against_tracked": narrow.estimate_against_tracked("list"),
    }
    shown = {panel.key: panel.table for board in boards.values() for panel in board.told.panels}
    assert {key: shown[key] for key in asked} == {key: in_words(table, links) for key, table in asked.items()}
    tracked = narrow.tracked_time()
    assert (
        boards["time-tracking"].told.facts[0].value
        == f"{tracked['tracked_ms'].sum() / 3_600_000:,.0f}\u00a0h"
    )
    took = narrow.lead_and_cycle_time("status").iloc[0]
    facts = {fact.name: fact.value for fact in boards["flow"].told.facts}
    assert (facts["Done"], facts["Cycle time, median"], facts["In progress"]) == (
        f"{took['done']:,}",
        analyse.duration(took["cycle_median_ms"]),
        f"{len(chosen.work_item_age())}",
    )


def test_weeks_are_cut_to_the_period_and_keep_their_figures(data_dir: Path) -> None:
    """Throughput shows the weeks that the period touches, each with all that was done in it."""
    weeks = Workspace(data_dir).throughput()
    kept = weeks[(weeks["week"] > "2026-06-24") & (weeks["week"] <= "2026-10-31")]
    panel = board_of(data_dir, "flow", PERIOD).told.panels[-1]
    assert [(row[0].text[:10], row[1].text) for row in panel.table.rows] == [
        (f"{week:%Y-%m-%d}", f"{done}") for week, done in zip(kept["week"], kept["done"], strict=True)
    ]


@given(
    st.builds(
        Filters,
        space=st.lists(st.text(min_size=1), unique=True, max_size=3).map(tuple),
        list=st.lists(st.text(min_size=1), unique=True, max_size=3).map(tuple),
        period=st.sampled_from(list(PRESETS)),
        by=st.sampled_from(list(GROUPS)),
    )
    | st.builds(Filters, first=st.dates(date(2000, 1, 1), date(2020, 1, 1)), last=st.just(date(2021, 1, 1)))
)
def test_an_address_says_all_of_the_filters(filters: Filters) -> None:
    """Whatever is chosen comes back from the address that says it, without a complaint."""
    said = parse_qs(filters.query().removeprefix("?"), keep_blank_values=True, errors="surrogatepass")
    assert read_filters(lambda name: said.get(name, [])) == (filters, ())


def test_what_is_wrong_in_an_address_is_said_and_left_out(client: httpx.Client) -> None:
    """A filter that cannot be is told in a sentence, and the page shows what remains."""
    wrong = client.get(
        "/-/dashboards/flow?list=nowhere&list=website&period=soon&from=yesterday&to=2026-13-01&by=luck&space="
    )
    text = words_of(wrong)
    assert wrong.status_code == 200
    for told in (
        "List “nowhere” is not in this export, and was left out.",
        "“soon” is none of the choices for “period”: 30d, 90d, 180d, 365d, all.",
        "“yesterday” is no date for “from”: write it as 2026-01-31. It was left out.",
        "“2026-13-01” is no date for “to”: write it as 2026-01-31. It was left out.",
        "“luck” is none of the choices for “by”",
    ):
        assert told in text
    right = words_of(client.get("/-/dashboards/flow?list=website"))
    assert text.partition("Cycle time, median")[2] == right.partition("Cycle time, median")[2]
    swapped = words_of(client.get("/-/dashboards?from=2026-10-01&to=2026-09-01"))
    assert "The period ends (2026-09-01) before it begins (2026-10-01): its days were swapped." in swapped


def test_filters_to_which_nothing_applies(client: httpx.Client) -> None:
    """Where no task is left the page says so, and leads back to all of them."""
    answer = client.get("/-/dashboards/flow?list=website&space=design")
    assert "The export has no task to which all of these filters apply. Show all tasks" in words_of(answer)


def test_there_is_no_other_dashboard(client: httpx.Client) -> None:
    """An address of no dashboard is not found."""
    assert client.get("/-/dashboards/secrets").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_has_a_sentence_and_a_table(client: httpx.Client, page: str) -> None:
    """Who cannot see a chart hears what it shows, and reads its figures with their headings."""
    text = client.get(f"/-/dashboards{page}").text
    charts = re.findall(r'data-chart="(\w+)" role="img" aria-label="([^"]{20,})"', text)
    assert len(charts) == text.count("data-chart=") >= 2
    for key, _ in charts:
        told = text.partition(f'id="{key}-figure"')[2].partition("</section>")[0]
        assert "<details" in told
        assert "<caption>" in told
        assert '<th scope="col">' in told


def test_marks_lead_to_rows_that_are_there(client: httpx.Client, data_dir: Path) -> None:
    """Every address behind a mark, a figure or a cell answers, and tells as many tasks as the page does."""
    for page in PAGES:
        text = client.get(f"/-/dashboards{page}?period=all").text
        figures = [json.loads(found) for found in re.findall(r"(?s)-figure\">(.*?)</script>", text)]
        addresses = {
            address
            for figure in figures
            for kind, known in figure["links"].items()
            if kind != "task"
            for address in known.values()
        }
        addresses |= {unescape(found) for found in re.findall(r'href="(/clickup/[^"]+)"', text)}
        for address in sorted(addresses)[::20]:
            assert client.get(address).status_code == 200, address
    weeks = Workspace(data_dir).throughput()
    flow = client.get("/-/dashboards/flow?period=all").text
    figures = dict(re.findall(r'(?s)id="(\w+)-figure">(.*?)</script>', flow))
    links = json.loads(figures["throughput"])["links"]["week"]
    for week, done in list(zip(weeks["week"], weeks["done"], strict=True))[-4:]:
        rows = client.get(links[f"{week:%Y-%m-%d}"].replace("/tasks?", "/tasks.json?")).json()
        assert rows["filtered_table_rows_count"] == done


@pytest.mark.parametrize("kind", ["empty", "one task", "without time in status", "names"])
def test_odd_workspaces_have_pages(tmp_path: Path, kind: str) -> None:
    """Nothing, little, no time in status, names in every script and of 2,000 letters: every page holds."""
    publish_story(tmp_path, odd(kind))
    with (
        serve.background(settings_for(tmp_path)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        for page in PAGES:
            answer = client.get(f"/-/dashboards{page}?period=all&by=member")
            assert answer.status_code == 200, page
            assert "<img src=x" not in answer.text
            for figure in re.findall(r"(?s)-figure\">(.*?)</script>", answer.text):
                json.loads(figure)
            text = words_of(answer)
            assert max(map(len, text.split(" "))) < 200
            assert ("The workspace has no task that the token may see." in text) == (kind == "empty")
            assert (HOSTILE in text) == (kind == "names")


def test_before_the_first_export(tmp_path: Path) -> None:
    """Where there are no tables the page says how to get them, and programs are told to wait."""
    with (
        serve.background(settings_for(tmp_path)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        answer = client.get("/-/dashboards/flow")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "There are no Parquet files" in words_of(answer)
        publish_file(tmp_path)  # a database alone
        assert client.get("/-/dashboards/flow").status_code == 503
        publish_story(tmp_path, odd("one task"))
        assert client.get("/-/dashboards/flow").status_code == 200


def test_strangers_see_no_dashboard(data_dir: Path) -> None:
    """Behind a password a dashboard is as closed as every other page."""
    with serve.background(settings_for(data_dir, password_hash=Secret(HASH))) as address:
        answer = httpx.get(f"{address}-/dashboards/flow")
        assert (answer.status_code, answer.headers["location"]) == (
            302,
            "/-/login?next=%2F-%2Fdashboards%2Fflow",
        )


def test_the_page_follows_the_export(tmp_path: Path) -> None:
    """What was computed before an export is not shown after it; the page names its version."""
    first = Story("2026-11-23 10:00").list("App", WORKFLOW).task("Login", "App", "doing 2d")
    second = Story("2026-11-23 15:00").list("App", WORKFLOW).task("Login", "App", "doing 2d")
    publish_story(tmp_path, first)
    with (
        serve.background(settings_for(tmp_path)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        before = words_of(client.get("/-/dashboards"))
        publish_story(tmp_path, second.task("Logout", "App", "doing 1d"))
        after = words_of(client.get("/-/dashboards"))
    assert "20261123T100000Z" in before
    assert "Tasks 1 0 done, 1 open" in before
    assert "20261123T150000Z" in after
    assert "Tasks 2 0 done, 2 open" in after


def test_what_changed_since_the_export_before(tmp_path: Path) -> None:
    """New, done, otherwise changed and deleted tasks are told apart, counted and led to."""
    story = Story().list("App", WORKFLOW)
    story.task("Old", "App", "doing 40d", date_updated=0).task("Fresh", "App", "doing 2d")
    story.task("Ready", "App", "doing 30d > shipped 1d").task("Touched", "App", "doing 30d")
    now = int(story.now.timestamp() * 1000)
    story.rows["tasks"] = [
        task._replace(date_updated=0 if task.id == "old" else now - 3_600_000) for task in story.rows["tasks"]
    ]
    story.watched("10d")
    story.rows["deleted_tasks"].append(_tombstone("gone", now))
    story.rows["deleted_tasks"].append(_tombstone("gone-long-ago", now - 86_400_000))
    publish_story(tmp_path, story)
    told = board_of(tmp_path, "overview", Filters()).told
    assert [(each.name, each.count, [row[0].text for row in each.tasks.rows]) for each in told.changes] == [
        ("New", 1, ["Fresh"]),
        ("Done", 1, ["Ready"]),
        ("Changed otherwise", 1, ["Touched"]),
        ("Deleted", 1, ["Name of gone"]),
    ]


def test_the_newest_export_is_that_of_the_greatest_version(tmp_path: Path) -> None:
    """A clock that was ahead, and was set right, changes nothing in which export a page is of."""
    story = Story().list("App", WORKFLOW).task("Login", "App", "doing 2d").watched("10d")
    ahead = int(story.now.timestamp() * 1000) + 86_400_000
    (early,) = story.rows["exports"]
    story.rows["exports"] = [early._replace(started=ahead, finished=ahead)]
    publish_story(tmp_path, story)
    board = board_of(tmp_path, "overview", Filters())
    assert (board.version, board.as_of) == (f"{story.now:%Y%m%dT%H%M%SZ}", story.now)
    assert board.told.since == story.now + timedelta(days=1)  # when the export before says that it began


def _tombstone(task_id: str, missed_by: int) -> object:
    from clickup_toolkit.records import DeletedTask

    return DeletedTask(task_id, f"Name of {task_id}", "doing", "app", "product", missed_by - 1, missed_by)


def test_tables_of_two_exports_are_never_mixed(tmp_path: Path) -> None:
    """While an export swaps its files in, a page waits and is made again of the new ones alone."""
    folder, later = tmp_path / "parquet", tmp_path / "later"
    publish_story(tmp_path, Story("2026-11-23 10:00").list("App", WORKFLOW).task("Login", "App", "doing 2d"))
    newer = Story("2026-11-23 15:00").list("App", WORKFLOW).task("Login", "App", "doing 2d")
    later.mkdir()
    publish_story(later, newer.task("Logout", "App", "doing 1d"))
    shutil.copy(later / "parquet/tasks/part-0.parquet", folder / "tasks/part-0.parquet")
    seen = []

    def make(source: Source) -> tuple[int, str]:
        told = len(source.columns("tasks", ["id"])), str(source.columns("exports", ["version"]).iloc[-1, 0])
        seen.append(told)
        if len(seen) == 2:  # the rest of the files is swapped in
            parquet.write(next(later.glob("clickup-*.db")), folder)
        return told

    assert of_one_version(folder, make) == (2, "20261123T150000Z")
    assert seen == [(2, "20261123T100000Z")] * 2 + [(2, "20261123T150000Z")]


def test_figures_lead_to_as_many_tasks(tmp_path: Path) -> None:
    """Behind the figure of work in progress are as many rows; a task of unknown start is in neither."""
    story = Story().list("App", WORKFLOW)
    for name in ("Known", "Unknown", "Put away"):
        story.task(name, "App", "to do 1d > doing 2d")
    bare = {"unknown": {"cycle_started": None}, "put away": {"archived": True}}
    story.rows["tasks"] = [task._replace(**bare.get(task.id, {})) for task in story.rows["tasks"]]
    publish_story(tmp_path, story)
    facts = {fact.name: fact for fact in board_of(tmp_path, "overview", Filters()).told.facts}
    assert (facts["Tasks"].value, facts["Tasks"].remark) == ("3", "0 done, 2 open, 1 archived")
    assert facts["In progress"].value == "1"
    with serve.background(settings_for(tmp_path)) as address:
        behind = httpx.get(address.rstrip("/") + facts["In progress"].href, timeout=60)
    assert re.findall(r'data-label="Id"><a href="/clickup/tasks/([^"]+)"', behind.text) == ["known"]


def test_a_failure_over_mixed_tables_is_none(tmp_path: Path) -> None:
    """What fails over tables of two exports is tried again over those of one; a failure over one is told."""
    folder, later = tmp_path / "parquet", tmp_path / "later"
    publish_story(tmp_path, Story("2026-11-23 10:00").list("App", WORKFLOW).task("Login", "App", "doing 2d"))
    later.mkdir()
    publish_story(later, Story("2026-11-23 15:00").list("App", WORKFLOW).task("Login", "App", "doing 2d"))
    tries = []

    def make(source: Source) -> int:
        source.columns("tasks", ["id"])
        if not tries:  # a file of the next export comes, then the others
            shutil.copy(later / "parquet/lists/part-0.parquet", folder / "lists/part-0.parquet")
        elif len(tries) == 2:
            parquet.write(next(later.glob("clickup-*.db")), folder)
        source.columns("lists", ["id"])
        tries.append(source.is_whole())
        if not tries[-1]:
            raise ValueError("columns of unlike lengths")
        return len(tries)

    assert of_one_version(folder, make) == 4
    assert tries == [False, False, False, True]
    with pytest.raises(ZeroDivisionError):
        of_one_version(folder, lambda _source: 1 // 0)


def test_damaged_tables_are_told(tmp_path: Path) -> None:
    """A file that cannot be read is named, with what to do."""
    publish_story(tmp_path, odd("one task"))
    (tmp_path / "parquet/tasks/part-0.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(StorageError, match="cannot be read") as told:
        board_of(tmp_path, "flow", Filters())
    assert "clickup-toolkit export" in told.value.remedy


def test_a_chart_that_fails_leaves_the_page_standing(tmp_path: Path) -> None:
    """In place of a chart that cannot be computed stands a sentence, and all else is there."""
    publish_story(tmp_path, company(40))
    _spoil(tmp_path / "parquet/time_in_status/part-0.parquet", "total_ms")
    board = board_of(tmp_path, "time-in-status", Filters())
    assert {panel.key: panel.failed for panel in board.told.panels} == {
        "time_in_status": True,
        "where_work_waits": True,
        "waiting_now": False,
        "median_and_p85": True,
        "queues": True,
    }
    with (
        serve.background(settings_for(tmp_path)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        pages = [client.get(f"/-/dashboards{path}") for path in PAGES]
    assert [page.status_code for page in pages] == [200] * len(PAGES)
    assert "Median and p85 This chart could not be drawn." in words_of(pages[1])
    assert "How long has work been waiting?" in words_of(pages[1])


def _spoil(path: Path, column: str) -> None:
    """Make text of the numbers of a column, which no measure can add up."""
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    words = pa.array(["many"] * len(table))
    pq.write_table(table.set_column(place, column, words), path)


def test_serving_starts_without_pandas_and_says_what_to_install(data_dir: Path) -> None:
    """pandas is imported for the first dashboard; where it is not installed, the page names the extra."""
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS, str(data_dir)], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "False 503 True"


WITHOUT_PANDAS = """
import sys
from pathlib import Path
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from clickup_toolkit import serve
from tests.serving import settings_for
loaded = "pandas" in sys.modules or "plotly" in sys.modules
sys.modules["pandas"] = None
with serve.background(settings_for(Path(sys.argv[1]))) as address:
    answer = httpx.get(f"{address}-/dashboards", timeout=120)
print(loaded, answer.status_code, "pip install &#39;clickup-workspace-toolkit[serve]&#39;" in answer.text)
"""


def test_an_address_that_is_quoted_stays_one(client: httpx.Client) -> None:
    """A member's id with a quote in it cannot leave the condition that it stands in."""
    text = client.get("/-/dashboards?member=ada+lovelace").text
    where = re.search(r"_where=([^&\"]+)", text)
    assert where is not None
    assert unquote(where[1].replace("+", " ")) == (
        "id in (select task_id from task_assignees where member_id in ('ada lovelace'))"
    )
