"""How the tables' pages speak: what a page shows in a sentence, units, ways on, the newest export."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import httpx
import pytest

from clickup_toolkit import serve
from clickup_toolkit.records import (
    Folder,
    Member,
    Task,
    TaskAssignee,
    TaskType,
    TimeEntry,
    TimeInStatus,
)
from clickup_toolkit.serve.assigned import assigned, members_of
from clickup_toolkit.serve.typed import as_typed, typed_duration
from tests.serving import publish_file, settings_for

DAY = 86_400_000
AT = 1_795_000_000_000  # 2026-11-18
ODD = 'O\'Neill, "Pat" <b>'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Serve a workspace with members, time and a finished task."""
    folder = tmp_path_factory.mktemp("sentences")
    rows: list[object] = [
        Folder("f1", "Web", space_id="s1"),
        Member("2", ODD),
        Member("it's", "Quo Te"),
        TaskType(7, "Milestone"),
        Task(
            "deep",
            "Deploy",
            "doing",
            "custom",
            list_id="l1",
            space_id="s1",
            task_type_id=7,
            as_of=AT,
            status_ms=DAY,
            status_since=AT - DAY,
        ),
        TaskAssignee("deep", "2"),
        TaskAssignee("t0", "it's"),
        TimeEntry("e1", "deep", "2", AT - DAY, AT, DAY, billable=False, list_id="l1"),
        TimeInStatus(
            "deep", 0, "doing", "custom", total_ms=DAY, share=0.25, since=AT - DAY, current=True, as_of=AT
        ),
    ]
    publish_file(folder, rows=rows)
    with serve.background(settings_for(folder)) as address, httpx.Client(base_url=address) as client:
        yield client


def heading(site: httpx.Client, path: str) -> str:
    """Return what a table's page says that it shows."""
    page = site.get(f"/clickup/{path}")
    assert page.status_code == 200, page.text
    found = re.search(r'<h2 class="told">(.*?)</h2>', page.text, re.DOTALL)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("tasks", "4 rows, sorted by Updated, latest first"),
        ("tasks?_sort=status_ms", "4 rows, sorted by In status for, shortest first"),
        ("tasks?_sort_desc=status", "4 rows, sorted by Status, descending"),
        ("lists", "1 row"),
        (
            "tasks?list_id=l1&status_ms__gt=86400000&_sort=name",
            "3 rows where List is “Backlog” and In status for is more than 1 d, sorted by Name",
        ),
        (
            "tasks?status__in=open,doing&archived=0&_sort=name",
            "3 rows where Archived is no and Status is one of “open” or “doing”, sorted by Name",
        ),
        (
            "tasks?date_updated__gte=2026-11-22T08:01:00.000Z",
            "2 rows where Updated is from 2026-11-22 08:01, sorted by Updated, latest first",
        ),
        (
            "tasks?task_type_id=7&custom_id__isblank=1",
            "1 row where Custom id is empty and Task type is “Milestone”, sorted by Updated, latest first",
        ),
        ("tasks?_search=deploy", "1 row matching “deploy”, sorted by Updated, latest first"),
        (
            f"tasks?_where={quote(assigned(['2', chr(39).join(['it', 's'])]))}",
            f"2 rows assigned to “{ODD}” or “Quo Te”, sorted by Updated, latest first",
        ),
        ("time_entries?member_id=2", f"1 row where Member is “{ODD}”, sorted by Start, latest first"),
    ],
)
def test_a_page_says_in_words_what_it_shows(site: httpx.Client, path: str, told: str) -> None:
    """Filters, search and order stand in the words of the headings, ids as names, values as shown."""
    assert heading(site, path) == told


def test_a_page_without_rows_says_why(site: httpx.Client) -> None:
    """An empty table is told from one in which no row meets the filters; neither is in any order."""
    assert (heading(site, "comments"), heading(site, "tasks?status=gone")) == (
        "0 rows",
        "0 rows where Status is “gone”",
    )
    assert "There are no rows." in site.get("/clickup/comments").text
    assert "No row is like that." in site.get("/clickup/tasks?status=gone").text


def test_filters_are_chosen_by_the_words_of_the_headings(site: httpx.Client) -> None:
    """The form offers labels and sends the names that SQL knows; the columns' list tells both."""
    page = site.get("/clickup/tasks?status_ms__gt=1").text
    assert '<option value="status_ms" selected>In status for</option>' in page
    assert '<option value="date_updated" selected>Sort by Updated</option>' in page
    assert "<dt>Cycle time <code>cycle_time_ms</code></dt>" in page
    words = unescape(re.sub(r"(?s)<(script|style|details|dl).*?</\1>|<[^>]+>", " ", page))
    assert not re.findall(r"\b\w+_(?:ms|id)\b|\bdate_\w+", words)


def test_a_condition_of_dashboards_stands_in_words(site: httpx.Client) -> None:
    """Who follows a chart to the tasks of a member reads the name, not the SQL; other SQL stays as it is."""
    page = site.get("/clickup/tasks", params={"_where": [assigned(["it's"]), "id = 't0'"]}).text
    shown = unescape(page.partition('class="extra-wheres"')[2].partition("</ul>")[0])
    assert "Assigned to “Quo Te”" in shown
    assert "<code>id = 't0'</code>" in shown
    assert "task_assignees" not in re.sub(r'href="[^"]*"', "", shown)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2 d 4 h", 52 * 3_600_000),
        ("1.5h", 5_400_000),
        (" 30 min ", 1_800_000),
        ("2 Days 1 second", 2 * DAY + 1_000),
        ("1 m", None),
        ("86400000", None),
        ("soon", None),
        ("", None),
        ("-1 h", None),
    ],
)
def test_durations_are_typed_with_their_units(text: str, milliseconds: int | None) -> None:
    """Days, hours, minutes and seconds, alone or together; what says no unit is left to be milliseconds."""
    assert typed_duration(text) == milliseconds


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("cycle_time_ms", "187200000", "2 d 4 h"),
        ("cycle_time_ms", str(1500 * DAY), "1500 d"),
        ("cycle_time_ms", "187200001", "187200001"),
        ("cycle_time_ms", "9" * 400, "9" * 400),
        ("points", "60000", "60000"),
    ],
)
def test_a_field_shows_a_duration_in_words_that_say_all_of_it(column: str, value: str, text: str) -> None:
    """Sending the form again changes nothing: what words would round stays a number."""
    assert as_typed(column, value) == text


def test_a_duration_is_filtered_by_in_words(site: httpx.Client) -> None:
    """The form takes a duration as the table shows it, and so does an address, for programs too."""
    typed = {"_filter_column": "status_ms", "_filter_op": "gt", "_filter_value": "1 d 1 h"}
    page = site.get("/clickup/tasks", params=typed, follow_redirects=True)
    assert 'class="filter-value" value="1 d 1 h"' in page.text
    assert "2 rows where In status for is more than 1 d 1 h," in page.text
    found = site.get("/clickup/tasks.json?status_ms__lte=1+d&_shape=array").json()
    assert [row["id"] for row in found] == ["deep"]


@pytest.mark.parametrize("members", [["2"], ["a", "it's", "'", "', '"], [ODD]])
def test_the_condition_of_members_is_read_as_it_is_written(members: list[str]) -> None:
    """Whatever an id looks like, the members of a condition are those it was made of."""
    assert members_of(assigned(members)) == members
    assert members_of(f"{assigned(members)} or 1") == []


def test_a_row_tells_units_of_raw_numbers_alone(site: httpx.Client) -> None:
    """Beside a duration in words stands no unit; the list of columns, which names them for SQL, has it."""
    row = site.get("/clickup/tasks/deep").text
    assert '<span class="about">Time in the current status up to as_of; goes on growing</span>' in row
    assert "milliseconds" not in row
    assert "goes on growing (milliseconds)</dd>" in site.get("/clickup/tasks").text


def test_a_row_names_what_is_empty_in_one_line(site: httpx.Client) -> None:
    """Columns without a value take no room of their own."""
    row = site.get("/clickup/tasks/deep").text
    empty = re.search(r'<p class="quiet">Empty: (.*?)</p>', row, re.DOTALL)
    assert empty is not None
    names = re.sub(r"<[^>]+>", "", empty[1]).rstrip(".").split(", ")
    heads = re.findall(r'<th scope="row" title="(\w+)">', row)
    assert "Custom id" in names
    assert "Status" not in names
    assert len(names) + len(heads) == len(Task._fields)


def test_a_member_leads_to_tasks_and_time(site: httpx.Client) -> None:
    """ClickUp tells no address of a member; the page leads to what belongs to the person, all of it."""
    page = site.get("/clickup/members/2").text
    links = re.findall(
        r'<a href="([^"]+)">([^<]+)</a>', page.partition('class="leads"')[2].partition("</ul>")[0]
    )
    found = {title: unescape(href) for href, title in links}
    assert list(found) == [
        *("Tasks assigned", "Unfinished tasks", "Time entries", "Tracked by week", "Tracked by task"),
        *("Dashboards", "Time dashboard"),
    ]
    counted = {
        title: heading(site, href.removeprefix("/clickup/"))
        for title, href in found.items()
        if "clickup" in href
    }
    assert {title: told.partition(",")[0].partition(" where")[0] for title, told in counted.items()} == {
        "Tasks assigned": f"1 row assigned to “{ODD.partition(',')[0]}",
        "Unfinished tasks": f"1 row assigned to “{ODD.partition(',')[0]}",
        "Time entries": "1 row",
        "Tracked by week": "1 row",
        "Tracked by task": "1 row",
    }
    assert found["Dashboards"] == "/-/dashboards?member=2"
    for place, ways in (("lists/l1", 5), ("spaces/s1", 5), ("folders/f1", 3), ("tasks/deep", 0)):
        assert (
            site.get(f"/clickup/{place}")
            .text.partition('class="leads"')[2]
            .partition("</ul>")[0]
            .count("<li>")
            == ways
        )


def test_shares_are_percent_and_other_columns_of_that_name_are_not(site: httpx.Client) -> None:
    """A share is shown as part of a hundred, and exact in its tooltip."""
    assert '<span title="0.25">25.0%</span>' in site.get("/clickup/time_in_status").text
    assert '<span title="1.0">100.0%</span>' in site.get("/clickup/where_tasks_wait").text
    assert ">7</td>" in site.get("/clickup?sql=select+7+as+share").text


def test_flags_are_yes_or_no(site: httpx.Client) -> None:
    """In rows and in counts a flag is a word; filters, JSON and the list of columns keep the number."""
    page = site.get("/clickup/time_entries").text
    assert '<span title="0">no</span>' in page
    assert re.search(r"billable=0[^>]*>no</a> 1", page)
    row = site.get("/clickup/tasks/deep").text
    assert '<span class="about">yes when the task itself is archived</span>' in row
    assert ">1 when the task itself is archived</dd>" in site.get("/clickup/tasks").text
    assert site.get("/clickup/time_entries.json?_shape=array").json()[0]["billable"] == 0


def test_an_export_is_headed_by_its_date(site: httpx.Client) -> None:
    """The page of an export says when it was; the version stands below."""
    page = site.get("/clickup/exports/20261123T101500Z").text
    assert re.search(r"<h1[^>]*>Export of 23 Nov 2026 10:15 UTC</h1>", page)
    assert '<a href="/clickup/exports">Exports</a> <span class="key">20261123T101500Z</span>' in page
