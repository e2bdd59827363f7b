"""What the pages say: home, tables, executed notebooks; before an export, with gaps, grown old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from clickup_toolkit import serve
from clickup_toolkit.records import TABLES, Export, Folder, Gap, List, Task, TaskCustomField
from clickup_toolkit.serve import words
from tests.serving import GAP, VERSION, code, markdown, publish_file, settings_for, shown, write_run

PLOTLY = "application/vnd.plotly.v1+json"
HOSTILE = "</script><img src=x onerror=alert(1)><b>'\"{{ 7*7 }}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[httpx.Client]:
    """Serve an empty data folder."""
    with serve.background(settings_for(tmp_path)) as address, httpx.Client(base_url=address) as client:
        yield client


def words_of(page: httpx.Response) -> str:
    """Return the text of a page as people read it."""
    assert page.status_code == 200
    text = re.sub(r"<[^>]+>", " ", page.text.partition("<section")[2])
    return " ".join(text.replace("&middot;", "·").split())


def iso(then: datetime) -> str:
    """Return an instant as text."""
    return then.isoformat(timespec="milliseconds")


def test_the_first_export_is_compared_with_none(site: httpx.Client, tmp_path: Path) -> None:
    """The home page of a first export tells of no changes, and leads to dashboards, tables and a search."""
    publish_file(tmp_path, tasks=3, gaps=[GAP])
    page = site.get("/")
    text = words_of(page)
    assert "3 tasks; this is the first export." in text
    assert "Time entries of Ada Lovelace (183034) TIMEENTRY_059" in text
    assert 'href="/-/dashboards/flow"' in page.text
    assert 'name="_search"' in page.text


def test_what_is_not_there_is_told_in_words(site: httpx.Client, tmp_path: Path) -> None:
    """An address of nothing says so, why that may be, and helps to find what was meant."""
    publish_file(tmp_path)
    for path in ("/nothing", "/clickup/nothing", "/clickup/tasks/nothing", "/-/runs/nothing"):
        page = site.get(path)
        assert page.status_code == 404
        assert "<h1>There is no such page</h1>" in page.text
        assert 'name="_search"' in page.text


def test_lists_of_one_name_are_told_apart(site: httpx.Client, tmp_path: Path) -> None:
    """The list of tables names folder or space of a list with custom fields, and empty tables come last."""
    rows = [
        Folder("f1", "Web", space_id="s1"),
        List("l2", "Backlog", space_id="s1", folder_id="f1"),
        Task("other", "Other", list_id="l2"),
        *(TaskCustomField(task, "x", "Effort", "number", "8", 8.0) for task in ("t0", "other")),
    ]
    publish_file(tmp_path, rows=rows)
    text = words_of(site.get("/clickup"))
    assert "Custom fields as columns Backlog Product Backlog Web" in text
    assert text.index("workspaces 1") < text.index("Without any row") < text.index("goals 0")


@pytest.mark.parametrize("path", ["/", "/clickup", "/clickup/tasks", "/clickup/tasks/t1"])
def test_before_the_first_export_pages_say_what_to_do(site: httpx.Client, path: str) -> None:
    """Where there are no tables yet, every address of theirs tells how to get them."""
    text = words_of(site.get(path))
    assert "Nothing was exported yet" in text
    assert "clickup-toolkit export" in text
    assert "make demo" in text


@pytest.mark.parametrize(
    "path", ["/clickup.json", "/clickup/tasks.json", "/clickup/tasks.csv", "/clickup.db"]
)
def test_before_the_first_export_programs_are_told_to_wait(site: httpx.Client, path: str) -> None:
    """Programs get a status they can act on, and the same advice."""
    answer = site.get(path)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (
        503,
        "60",
        {"status": "error", "error": "Nothing was exported yet.", "remedy": "Run: clickup-toolkit export"},
    )


def test_home_tells_how_fresh_and_how_complete(site: httpx.Client, tmp_path: Path) -> None:
    """A recent, complete export is told by its age, its size and its changes, without any warning."""
    finished = datetime.now(UTC) - timedelta(hours=2, minutes=7, seconds=5)
    before = Export("20261122T101500Z", 0, 0, complete=True)
    publish_file(tmp_path, tasks=1234, finished=iso(finished), rows=[before])
    text = words_of(site.get("/"))
    stamp = words.moment(finished)
    assert f"Exported 2 h 7 min ago {stamp} · full · complete · version {VERSION}" in text
    assert "1,234 tasks, 2 new or changed and 1 deleted since the export before." in text
    assert "tasks 1,234 Tasks and subtasks: open, closed, archived, each once." in text
    assert "could not read" not in text
    assert "older than two intervals" not in text


def test_home_shows_the_gaps(site: httpx.Client, tmp_path: Path) -> None:
    """What the last export could not read stands on the home page, with what to do about it."""
    publish_file(tmp_path, gaps=[GAP], finished=iso(datetime.now(UTC)))
    text = words_of(site.get("/"))
    assert "full · with gaps · version" in text
    assert (
        "What this export could not read Time entries of Ada Lovelace (183034) TIMEENTRY_059 "
        "Time entries of Ada Lovelace were refused. Use the token of an owner or admin."
    ) in text


def test_home_counts_many_gaps(site: httpx.Client, tmp_path: Path) -> None:
    """Of many gaps some are shown, and how many there are in all."""
    publish_file(tmp_path, gaps=[GAP._replace(id=str(number)) for number in range(1500)])
    page = site.get("/")
    assert page.text.count("TIMEENTRY_059") == 12
    assert "All 1,500 gaps" in page.text


def test_home_warns_of_an_old_export(site: httpx.Client, tmp_path: Path) -> None:
    """An export older than two intervals of the schedule is called so."""
    publish_file(tmp_path, finished=iso(datetime.now(UTC) - timedelta(hours=10, minutes=1)))
    assert "That is older than two intervals of the schedule." in words_of(site.get("/"))


def test_home_gives_a_command_that_works(site: httpx.Client, tmp_path: Path) -> None:
    """The curl example names the address under which the reader sees the page."""
    text = words_of(site.get("/", headers={"Host": "localhost:8123"}))
    assert (
        'curl --compressed -H "Authorization: Bearer $API_AUTH_TOKEN" \\ '
        "http://localhost:8123/api/v1/export/ -o clickup.json"
    ) in text


def test_home_reads_nothing_but_ours(site: httpx.Client, tmp_path: Path) -> None:
    """No page loads anything from another host."""
    publish_file(tmp_path, gaps=[GAP])
    write_run(tmp_path, VERSION, [code("fig", shown({PLOTLY: {"data": [], "layout": {}}}))])
    for path in (
        "/",
        "/clickup",
        "/clickup/tasks",
        "/clickup/tasks/t1",
        "/-/runs",
        f"/-/runs/{VERSION}",
        "/nope",
    ):
        page = site.get(path).text
        loaded = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"?([^\" >]+)", page)
        foreign = [url for url in loaded if not url.startswith(("/", site.base_url.scheme + "://127.0.0.1"))]
        assert loaded
        assert foreign == []


def test_names_do_no_harm(site: httpx.Client, tmp_path: Path) -> None:
    """Names and messages that hold HTML are shown as the text they are."""
    publish_file(
        tmp_path,
        gaps=[Gap(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        rows=[Task(id="hostile", name=HOSTILE, status_ms=1)],
    )
    write_run(tmp_path, VERSION, [code("1", shown({PLOTLY: {"data": [], "layout": {"title": HOSTILE}}}))])
    for path in ("/", "/clickup/tasks", "/clickup/tasks/hostile", "/clickup/gaps", f"/-/runs/{VERSION}"):
        assert "<img src=x" not in site.get(path).text


def test_every_table_is_described(site: httpx.Client, tmp_path: Path) -> None:
    """datasette knows each table's and column's meaning, with units in words; the raw JSON is hidden."""
    publish_file(tmp_path)
    told = site.get("/-/metadata.json").json()["databases"]["clickup"]["tables"]
    for table in TABLES.values():
        assert told[table.name]["description"] == table.description
        assert list(told[table.name]["columns"]) == [column.name for column in table.columns]
    assert told["raw"]["hidden"] is True
    assert told["tasks"]["columns"]["status_ms"] == (
        "Time in the current status up to as_of; goes on growing (milliseconds)"
    )
    assert told["tasks"]["label_column"] == "name"
    listed = site.get("/clickup.json").json()["tables"]
    hidden = {table["name"] for table in listed if table["hidden"]}
    assert "raw" in hidden
    assert not hidden & set(TABLES)


def test_tables_show_names_times_and_durations(site: httpx.Client, tmp_path: Path) -> None:
    """A row names what its ids point at, and shows times and durations as people read them."""
    publish_file(tmp_path, tasks=1)
    page = site.get("/clickup/tasks").text
    assert '<a href="/clickup/spaces/s1">Product</a>' in page
    assert '<a href="/clickup/members/183034">Ada Lovelace</a>' in page
    assert '<span title="90000000 ms">1 d 1 h</span>' in page
    assert (
        '<time title="2026-11-22T08:00:00.000Z" datetime="2026-11-22T08:00:00.000Z">2026-11-22 08:00</time>'
    ) in page
    assert site.get("/clickup/tasks.json?_shape=array").json()[0]["status_ms"] == 90_000_000


def test_tasks_come_with_their_facets_newest_first(site: httpx.Client, tmp_path: Path) -> None:
    """The task table begins with what changed last, and counts by status, space and priority."""
    publish_file(tmp_path, tasks=4)
    told = site.get("/clickup/tasks.json").json()
    assert [row[0] for row in told["rows"]] == ["t3", "t2", "t1", "t0"]
    assert list(told["facet_results"]) == ["status_type", "space_id", "status", "priority"]
    assert [one["label"] for one in told["facet_results"]["space_id"]["results"]] == ["Product"]


def test_a_run_is_a_page_to_read(site: httpx.Client, tmp_path: Path) -> None:
    """Text, outputs and the data of charts stand in the page; scripts of the notebook may not run."""
    figure = {"data": [{"type": "bar", "x": ["review"], "y": [3]}], "layout": {"title": {"text": "Waits"}}}
    chart = shown({PLOTLY: figure, "text/html": "<script>draw()</script>", "text/plain": "Figure"})
    write_run(tmp_path, VERSION, [markdown("# Report of *today*"), code("show(figure)", chart)])
    answer = site.get(f"/-/runs/{VERSION}")
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
    )
    assert "<h1>Report of <em>today</em></h1>" in answer.text
    assert '<script type="application/json">{"data":[{"type":"bar","x":["review"],"y":[3]}]' in answer.text
    assert "draw()" not in answer.text
    assert (policy["default-src"], policy["script-src"]) == ("'none'", "'self'")
    assert "allow-same-origin" not in policy["sandbox"]


def test_what_a_run_wrote_line_by_line_is_one_text(site: httpx.Client, tmp_path: Path) -> None:
    """Pieces of a stream follow one another as in a terminal; of a bar its last state is shown."""
    pieces = ["\rtasks: 10", "\rtasks: 20", "\n", "\rentries: 5\n", "published\n"]
    said = [{"output_type": "stream", "name": "stdout", "text": piece} for piece in pieces]
    warned = {"output_type": "stream", "name": "stderr", "text": "careful\n"}
    write_run(tmp_path, VERSION, [code("export()", *said, warned, said[-1])])
    texts = re.findall(r"<pre>(.*?)</pre>", site.get(f"/-/runs/{VERSION}").text, re.DOTALL)
    assert [text.strip() for text in texts if "<span" not in text] == [
        "tasks: 20\nentries: 5\npublished",
        "careful",
        "published",
    ]


def test_a_run_can_be_taken_along(site: httpx.Client, tmp_path: Path) -> None:
    """The notebook itself is there to download."""
    path = write_run(tmp_path, VERSION, [markdown("hello")])
    answer = site.get(f"/-/runs/{VERSION}.ipynb")
    assert (answer.content, answer.headers["content-disposition"]) == (path.read_bytes(), "attachment")


def test_a_notebook_that_is_cut_off(site: httpx.Client, tmp_path: Path) -> None:
    """A file that is no whole notebook is listed, and its page says so."""
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "half.ipynb").write_text('{"cells": [{"cell_ty')
    assert "half" in site.get("/-/runs").text
    assert "The notebook cannot be read" in site.get("/-/runs/half").text


@pytest.mark.parametrize("name", ["nope", "..%2Fsecret", "%2e%2e%2fsecret", "a%00b", "..", "%2Fetc%2Fpasswd"])
def test_runs_never_lead_out_of_their_folder(site: httpx.Client, tmp_path: Path, name: str) -> None:
    """A name that is no run, or that climbs, is not found."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "secret.ipynb").write_text("{}")
    for ending in ("", ".ipynb"):
        assert site.get(f"/-/runs/{name}{ending}").status_code in (302, 404)
        assert site.get(f"/-/runs/{name}{ending}", follow_redirects=True).status_code in (404, 200)


def test_assets_are_kept_by_browsers(site: httpx.Client) -> None:
    """Stylesheets and scripts are compressed, and kept until their content, and so their address, changes."""
    address = re.search(r'href="(/-/assets/site\.css\?v=[0-9a-f]{12})"', site.get("/").text)
    assert address is not None
    zipped = site.get(address[1], headers={"Accept-Encoding": "gzip"})
    plain = site.get(address[1], headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert zipped.text == plain.text
    assert site.get("/-/assets/plotly.min.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert site.get("/-/assets/../site.py").status_code == 404
    assert site.get("/-/assets/nope.css").status_code == 404


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 s"),
        (999, "0 s"),
        (59_999, "59 s"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h"),
        (3_601_000, "1 h"),
        (90_000_000, "1 d 1 h"),
        (86_400_000 * 1500, "1,500 d"),
        (-120_000, "−2 min"),
    ],
)
def test_durations_in_words(milliseconds: int, text: str) -> None:
    """A duration is told by its two largest units, neighbours, and never rounded up."""
    assert words.duration(milliseconds) == text


def test_moments_in_words() -> None:
    """A heading tells an instant in UTC, the month by its name, to the minute."""
    assert words.moment(datetime(2026, 11, 3, 21, 46, 36, tzinfo=UTC)) == "3 Nov 2026 21:46 UTC"
    east = timezone(timedelta(hours=5))
    assert words.moment(datetime(2026, 1, 1, 2, 0, tzinfo=east)) == "31 Dec 2025 21:00 UTC"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (54_100_000, "54.1 MB"), (2e12, "2000.0 GB")]
)
def test_sizes_in_words(count: int, text: str) -> None:
    """A size is told in decimal units."""
    assert words.size(count) == text
