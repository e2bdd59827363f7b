"""The runs: what the list and the page of each tell, from records and from notebooks alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickup_toolkit import serve
from clickup_toolkit.serve.monitor.bars import Bar, bars_of
from clickup_toolkit.serve.runs import list_runs
from clickup_toolkit.store import RunRecord, write_record
from tests.serving import VERSION, markdown, publish_file, settings_for, write_run

FAILED = {
    "outcome": "failed",
    "exit_code": 1,
    "message": "ClickUp does not accept the token.",
    "remedy": "Make a new token <b>now</b>.",
}
COMPLETE = {
    "outcome": "complete",
    "exit_code": 0,
    "mode": "incremental",
    "tasks": 3012,
    "changed": 1204,
    "deleted": 4,
    "requests": 2061,
    "throttled": 2,
    "retries": 3,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[httpx.Client]:
    """Serve a small workspace."""
    publish_file(tmp_path)
    with serve.background(settings_for(tmp_path)) as address, httpx.Client(base_url=address) as client:
        yield client


def record_run(data_dir: Path, name: str, seconds: float = 192.0, **about: Any) -> RunRecord:
    """Write an executed notebook with the record of its run."""
    write_run(data_dir, name, [markdown("# Export")])
    began = round(datetime.strptime(name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp() * 1000)
    published = {"version": name} if about["outcome"] in ("complete", "gaps") else {}
    about = {"name": name, "started": began, "finished": began + round(seconds * 1000)} | published | about
    record = RunRecord(seconds=seconds, **about)
    write_record(data_dir / "runs", record)
    return record


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of the table of runs as people read them, without how long ago each was."""
    rows = re.findall(r"<tr[ >].*?</tr>", page.partition('class="plain history"')[2], re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>|\S+ [^<>]* ago", " ", cell).split()) for cell in row] for row in cells]


def grow_old(path: Path) -> None:
    """Let a file be an hour old."""
    then = datetime.now(UTC) - timedelta(hours=1)
    os.utime(path, (then.timestamp(), then.timestamp()))


def test_runs_tell_what_came_of_them(site: httpx.Client, tmp_path: Path) -> None:
    """Each run, newest first, is headed by its date, with outcome and counts; one that failed says why."""
    record_run(tmp_path, "20261123T001500Z", **COMPLETE)
    record_run(tmp_path, "20261123T051500Z", **COMPLETE | {"outcome": "gaps", "exit_code": 3, "gaps": 2})
    record_run(tmp_path, "20261123T101500Z", seconds=3.2, **FAILED)
    counts = ["2,061", "2", "3", "1,204", "4"]
    assert rows_of(site.get("/-/runs").text)[1:] == [
        ["23 Nov 2026 10:15 UTC 20261123T101500Z", "failed", "3 s", *"––––––"],
        ["ClickUp does not accept the token. Make a new token &lt;b&gt;now&lt;/b&gt;."],
        ["23 Nov 2026 05:15 UTC 20261123T051500Z", "with gaps incremental", "3 min 12 s", *counts, "2"],
        ["23 Nov 2026 00:15 UTC 20261123T001500Z", "complete incremental", "3 min 12 s", *counts, "0"],
    ]


def test_runs_without_a_record_are_told_by_their_notebook(site: httpx.Client, tmp_path: Path) -> None:
    """A notebook tells how it ended; one without an end is running, or was cut off."""
    write_run(tmp_path, "20261122T001500Z", [], exception=True, duration=3.2)
    grow_old(write_run(tmp_path, "20261122T051500Z", [], end_time=None, duration=None))
    write_run(tmp_path, "20261122T101500Z", [])
    write_run(tmp_path, "20261122T151500Z", [], end_time=None, duration=None)
    (tmp_path / "runs" / "notes.txt").write_text("no notebook")
    assert [[row[0][-16:], *row[1:3]] for row in rows_of(site.get("/-/runs").text)[1:]] == [
        ["20261122T151500Z", "running", "–"],
        ["20261122T101500Z", "done", "4 min 12 s"],
        ["20261122T051500Z", "cut off", "–"],
        ["20261122T001500Z", "failed", "3 s"],
    ]


def test_exports_without_a_notebook_are_listed_by_their_record(site: httpx.Client, tmp_path: Path) -> None:
    """They stand among the others in the order of time; their page tells the figures, and has no file."""
    record_run(tmp_path, "20261123T001500Z", **COMPLETE)
    for name, about in (("20261123T051500Z", COMPLETE), ("20261123T101500Z", FAILED)):
        record_run(tmp_path, name, **about)
        (tmp_path / "runs" / f"{name}.ipynb").unlink()
    (tmp_path / "runs" / "notes.json").write_text("{}")
    listed = site.get("/-/runs").text
    assert [(row[0][-16:], row[1]) for row in rows_of(listed)[1:] if len(row) > 1] == [
        ("20261123T101500Z", "failed"),
        ("20261123T051500Z", "complete incremental"),
        ("20261123T001500Z", "complete incremental"),
    ]
    assert "Its figures</a>" in listed.partition("The last run failed")[2]
    page = site.get("/-/runs/20261123T051500Z").text
    assert "2,061 requests, 2 throttled (429)" in page
    assert "This export executed no notebook" in page
    assert "download</a>" not in page
    assert site.get("/-/runs/20261123T051500Z.ipynb").status_code == 404
    assert site.get("/-/runs/notes").status_code == 404
    assert site.get("/-/runs.json").json()["newest"] == "20261123T101500Z."


def test_the_last_failure_stands_on_top(site: httpx.Client, tmp_path: Path) -> None:
    """While the newest run that ended has failed, the page begins with why; a good one ends that."""
    record_run(tmp_path, "20261123T051500Z", **COMPLETE)
    record_run(tmp_path, "20261123T101500Z", **FAILED)
    failing = site.get("/-/runs").text
    record_run(tmp_path, "20261123T151500Z", **COMPLETE)
    note = failing.partition("The last run failed")[2].partition("</section>")[0]
    assert "ClickUp does not accept the token." in note
    assert "Make a new token &lt;b&gt;now&lt;/b&gt;." in note
    assert 'href="/-/runs/20261123T101500Z"' in note
    assert "The last run failed" not in site.get("/-/runs").text


def test_the_page_of_a_run_tells_its_outcome(site: httpx.Client, tmp_path: Path) -> None:
    """Above the notebook stand the counts of a run that published, or why it failed and what to do."""
    record_run(tmp_path, "20261123T051500Z", **COMPLETE)
    record_run(tmp_path, "20261123T101500Z", **FAILED)
    good, bad = (
        " ".join(re.sub(r"<[^>]+>", " ", site.get(f"/-/runs/20261123T{time}Z").text).split())
        for time in ("051500", "101500")
    )
    assert (
        "3,012 tasks, 1,204 new or changed, 4 deleted &middot; 2,061 requests, 2 throttled (429), "
        "3 sent again &middot; no gaps &middot; incremental &middot; published version 20261123T051500Z"
        in good
    )
    assert "ClickUp does not accept the token. What to do: Make a new token &lt;b&gt;now&lt;/b&gt;." in bad


def test_a_run_is_headed_by_its_date(site: httpx.Client, tmp_path: Path) -> None:
    """Where people look a run is named by its date, as told or as it is named for; its id stands beside."""
    record_run(tmp_path, "20261103T051500Z", **COMPLETE)
    write_run(tmp_path, "20261104T061500Z-2", [], start_time=None)
    write_run(tmp_path, "by-hand", [], start_time=None)
    pages = {name: site.get(f"/-/runs/{name}").text for name in ("20261103T051500Z", "20261104T061500Z-2")}
    heads = {name: re.findall(r"<title>(.*?) ·|<h1>(Run .*?)</h1>", page) for name, page in pages.items()}
    assert heads == {
        "20261103T051500Z": [("Run of 3 Nov 2026 05:15 UTC", ""), ("", "Run of 3 Nov 2026 05:15 UTC")],
        "20261104T061500Z-2": [("Run of 4 Nov 2026 06:15 UTC", ""), ("", "Run of 4 Nov 2026 06:15 UTC")],
    }
    assert all(f'<span class="key">{name}</span>' in page for name, page in pages.items())
    for listed in ("/", "/-/runs"):
        links = re.findall(r'<a href="/-/runs/([^"]+)">([^<]+)</a>', site.get(listed).text)
        assert links[:3] == [
            ("by-hand", "by-hand"),
            ("20261104T061500Z-2", "4 Nov 2026 06:15 UTC"),
            ("20261103T051500Z", "3 Nov 2026 05:15 UTC"),
        ]


def test_bars_show_which_run_is_not_like_the_others(tmp_path: Path) -> None:
    """Bars come oldest first, as high as the run was long against the longest; a single run has none."""
    record_run(tmp_path, "20261123T001500Z", seconds=100, **COMPLETE)
    single = bars_of(list_runs(tmp_path / "runs", 10)[0])
    record_run(tmp_path, "20261123T051500Z", seconds=400, **COMPLETE | {"outcome": "gaps", "exit_code": 3})
    record_run(tmp_path, "20261123T101500Z", seconds=1, **FAILED)
    assert single == []
    assert bars_of(list_runs(tmp_path / "runs", 10)[0]) == [
        Bar(25.0, "done", "23 Nov 2026 00:15 UTC: complete, 1 min 40 s"),
        Bar(100.0, "unfinished", "23 Nov 2026 05:15 UTC: with gaps, 6 min 40 s"),
        Bar(3, "failed", "23 Nov 2026 10:15 UTC: failed, 1 s"),
    ]


def test_notebooks_with_a_record_are_not_read(site: httpx.Client, tmp_path: Path) -> None:
    """The list takes what a record tells, so that it does not grow slow with large notebooks."""
    record_run(tmp_path, VERSION, **COMPLETE)
    (tmp_path / "runs" / f"{VERSION}.ipynb").write_text("no notebook at all")
    assert rows_of(site.get("/-/runs").text)[1][1] == "complete incremental"
