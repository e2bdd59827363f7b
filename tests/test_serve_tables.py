"""The tables in datasette: names, links, times, facets, search, questions; whatever names look like."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from clickup_toolkit import serve
from clickup_toolkit.records import (
    TABLES,
    Comment,
    CustomField,
    Export,
    Folder,
    List,
    Member,
    Space,
    Task,
    TaskAssignee,
    TaskCustomField,
    TaskText,
    TimeEntry,
    TimeInStatus,
)
from clickup_toolkit.serve.columns import in_order
from clickup_toolkit.serve.labels import label_of
from clickup_toolkit.serve.queries import QUERIES
from clickup_toolkit.store.reports import REPORTS, VIEWS, create_views
from tests.fixtures.browser import watch_page
from tests.serving import publish_file, settings_for

DAY = 86_400_000
AT = 1_795_000_000_000
NAMES = [
    "قائمة المهام للربع الأخير",
    "👩‍👩‍👧‍👦 family 🚀",
    "zero\u200bwidth and \u202eturned\u202c",
    "two\nlines\tand a tab",
    "日本語の長いタスク名" * 20,
    "W" * 2000,
    "<b>bold</b> & \"quoted\" 'names'",
    "{{ 7 * 7 }} %s {0}",
]
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[httpx.Client]:
    """Serve a data folder."""
    with serve.background(settings_for(tmp_path)) as address, httpx.Client(base_url=address) as client:
        yield client


def workspace() -> list[object]:
    """Return rows of a small workspace with what a task can have."""
    return [
        Folder("f1", "Web", space_id="s1"),
        Member("2", None, "bob@example.com"),
        Task(
            id="deep",
            name="Deploy the checkout",
            status="doing",
            status_type="custom",
            space_id="s1",
            folder_id="f1",
            list_id="l1",
            parent_id="t0",
            custom_id="WEB-7",
            creator_id="2",
            date_created=AT - 40 * DAY,
            date_updated=AT - 20 * DAY,
            due_date=AT - 3 * DAY,
            status_since=AT - 25 * DAY,
            as_of=AT,
            url="https://app.clickup.com/t/deep",
        ),
        TaskText("deep", "Größere Änderungen an der Kasse, 会議室で話す"),
        Comment("c1", "deep", member_id="2", date=AT - DAY, text="Bitte prüfen"),
        CustomField("x", "Effort [h]", "number"),
        TaskCustomField("deep", "x", "Effort [h]", "number", "8", 8.0),
        TimeEntry("e1", "deep", "2", AT - 5 * DAY, AT - 4 * DAY, DAY, billable=True, list_id="l1"),
        TimeInStatus(
            "deep", 0, "doing", "custom", total_ms=25 * DAY, since=AT - 25 * DAY, current=True, as_of=AT
        ),
    ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Serve that workspace to all tests that only look at it."""
    folder = tmp_path_factory.mktemp("shared")
    publish_file(folder, rows=workspace())
    with serve.background(settings_for(folder)) as address, httpx.Client(base_url=address) as client:
        yield client


def text_of(answer: httpx.Response) -> str:
    """Return a page's text."""
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def rows_of(site: httpx.Client, path: str) -> list[dict[str, object]]:
    """Return what a page's JSON says, a row an object."""
    joint = "&" if "?" in path else "?"
    answer = site.get(
        f"/clickup/{path.replace('?', '.json?')}{joint if '?' in path else '.json?'}_shape=array"
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", [*TABLES, *REPORTS, *VIEWS])
def test_every_column_says_what_it_is(shared: httpx.Client, name: str) -> None:
    """Each table, report and view tells what it holds, and what each column means, with its unit."""
    told = shared.get("/-/metadata.json").json()["databases"]["clickup"]["tables"][name]
    shown = shared.get(f"/clickup/{name}.json").json()["columns"]
    assert told["description"].endswith(".")
    assert set(told["columns"]) == set(shown)
    assert [column for column in shown if len(told["columns"][column]) < 4] == []
    durations = [column for column in shown if column.endswith("_ms")]
    assert [column for column in durations if not told["columns"][column].endswith("(milliseconds)")] == []


def test_a_task_leads_to_its_page_and_to_clickup(shared: httpx.Client) -> None:
    """Names lead to rows and, beside that, to the place in ClickUp; ids show the names of what they mean."""
    page = shared.get("/clickup/tasks?id=deep").text
    assert '<a href="/clickup/tasks/deep">Deploy the checkout</a>' in page
    assert 'href="https://app.clickup.com/t/deep" rel="noreferrer" title="Open in ClickUp"' in page
    assert '<a href="/clickup/tasks/t0">Task 0</a>' in page
    assert '<a href="/clickup/folders/f1">Web</a>' in page
    assert '<a href="/clickup/members/2">2</a>' in page  # who never had a name
    for path, address in (
        ("lists", "https://app.clickup.com/9001/v/li/l1"),
        ("spaces", "https://app.clickup.com/9001/v/s/s1"),
        ("folders", "https://app.clickup.com/9001/v/o/f/f1"),
    ):
        assert f'href="{address}"' in shared.get(f"/clickup/{path}").text


def test_columns_stand_in_the_order_in_which_people_look(site: httpx.Client, tmp_path: Path) -> None:
    """Name, status and list come first, ids and colours last; nothing is lost."""
    publish_file(tmp_path)
    columns = [column.name for column in TABLES["tasks"].columns]
    shown = site.get("/clickup/tasks.json").json()["columns"]
    assert shown[:6] == ["id", "name", "status", "list_id", "priority", "due_date"]
    assert sorted(shown) == sorted(columns)
    heads = re.findall(r'scope="col" data-column="(\w+)"', site.get("/clickup/tasks").text)
    assert [*heads[:2], heads[-1]] == ["name", "status", "id"]
    for table in (*TABLES.values(), *REPORTS.values()):
        names = [column.name for column in table.columns]
        assert sorted(in_order(table.name, names)) == sorted(names)


def test_open_tasks_tell_their_age(site: httpx.Client, tmp_path: Path) -> None:
    """Age and time in status count up to the export, whatever the clock says, and are shown in words."""
    publish_file(tmp_path, tasks=0, rows=workspace())
    text = text_of(site.get("/clickup/open_tasks"))
    upto = "2026-11-23 10:15"  # the start of the export, which is later than what was read
    assert upto in text
    (row,) = rows_of(site, "open_tasks")
    since_export = 1_795_428_900_000 - AT
    assert row["age_ms"] == 40 * DAY + since_export
    assert row["in_status_ms"] == 25 * DAY + since_export
    for view in ("stale_tasks", "tasks_without_owner", "overdue_tasks"):
        page = site.get(f"/clickup/{view}").text
        assert '<a href="/clickup/tasks/deep">Deploy the checkout</a>' in page
        assert '<a href="/clickup/lists/l1">Backlog</a>' in page


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("tasks?_search=deploy", ["deep"]),
        ("tasks?_search=kasse+ander", ["deep"]),
        ("tasks?_search=会議", ["deep"]),
        ("tasks?_search=web-7", ["deep"]),
        ('tasks?_search="', []),
        ("tasks?_search=NEAR(", []),
        ("tasks?_search=&status=doing", ["deep"]),
        ("tasks?_search=+&status=doing", ["deep"]),
        ("comments?_search=prufen", ["c1"]),
    ],
)
def test_search(shared: httpx.Client, path: str, ids: list[str]) -> None:
    """Tasks and comments are found by their words; an empty field asks for nothing."""
    assert [row["id"] for row in rows_of(shared, path)] == ids
    assert shared.get(f"/clickup/{path}").status_code == 200


def test_open_tasks_are_searched_as_tasks_are(shared: httpx.Client) -> None:
    """The report of open tasks finds by name and description, too."""
    assert [row["task_id"] for row in rows_of(shared, "open_tasks?_search=kasse")] == ["deep"]


def test_a_page_tells_when_work_is_stale(site: httpx.Client, tmp_path: Path) -> None:
    """The report of stale tasks says after how many days they are, as its export chose."""
    built = publish_file(tmp_path)
    assert "that nobody has changed for more than 14 days." in text_of(site.get("/clickup/stale_tasks"))
    with closing(sqlite3.connect(built)) as connection, connection:
        create_views(connection, 2.5)
    assert "that nobody has changed for more than 2.5 days." in text_of(site.get("/clickup/stale_tasks"))


def test_facets_count_what_the_page_is_about(site: httpx.Client, tmp_path: Path) -> None:
    """Facets count all rows, those that a filter leaves, and those that a search finds; a click narrows."""
    publish_file(tmp_path, tasks=4, rows=workspace())

    def counts(path: str) -> dict[str, int]:
        told = site.get(f"/clickup/tasks.json{path}").json()["facet_results"]["status"]["results"]
        return {one["value"]: one["count"] for one in told}

    assert counts("") == {"in review": 2, "open": 2, "doing": 1}
    assert counts("?status_type=custom") == {"in review": 2, "doing": 1}
    assert counts("?_search=task") == {"in review": 2, "open": 2}
    told = site.get("/clickup/tasks.json?status=doing").json()["facet_results"]["status"]["results"]
    assert [(one["value"], one["selected"]) for one in told] == [("doing", True)]
    narrowed = site.get("/clickup/tasks.json").json()["facet_results"]["status"]["results"][0]["toggle_url"]
    assert site.get(narrowed).json()["filtered_table_rows_count"] == 2
    asked = site.get("/clickup/tasks.json?_facet=list_id&_facet=status").json()["facet_results"]
    assert list(asked) == ["list_id", "status", "status_type", "space_id", "priority"]


@pytest.mark.parametrize(
    "path",
    [
        "tasks?",
        "tasks?_sort=id&status_type=custom",
        "tasks?_sort_desc=date_updated&_where=(status_type='custom')",
        "tasks?_sort=date_done&_search=task",
        "tasks?_sort_desc=due_date",
        "time_in_status?_sort=status",
        "time_in_status?_sort=task_id&_where=total_ms+%3E+1+and+(1)",
        "stale_tasks?",
    ],
)
def test_every_page_of_a_table_counts_the_same(site: httpx.Client, tmp_path: Path, path: str) -> None:
    """The counts beside the second and third page are those beside the first: of all rows it is about."""
    stays = [TimeInStatus(f"t{n % 9}", n // 9, "doing" if n % 4 else "open", total_ms=n) for n in range(40)]
    publish_file(tmp_path, tasks=9, rows=[*workspace(), *stays])
    page = site.get(f"/clickup/{path.replace('?', '.json?')}&_size=2").json()
    first = counted(page)
    told = [first]
    while page["next_url"] and len(told) < 4:
        page = site.get(page["next_url"]).json()
        told.append(counted(page))
    assert told == [first] * len(told)
    assert any(counts for counts in first.values())


def counted(page: dict[str, Any]) -> dict[str, list[tuple[object, int]]]:
    """Return the facets of a page as JSON: values and their counts by column."""
    return {
        name: [(one["value"], one["count"]) for one in facet["results"]]
        for name, facet in page["facet_results"].items()
    }


def test_custom_fields_stand_in_columns(site: httpx.Client, tmp_path: Path) -> None:
    """A list with custom fields has a page with a column for each, named after the list."""
    publish_file(tmp_path, tasks=1, rows=workspace())
    text = text_of(site.get("/clickup/fields_l1"))
    assert "Custom fields of Backlog" in text
    assert [row["Effort (h)"] for row in rows_of(site, "fields_l1?_sort=task_id")] == [8.0, None]
    assert 'href="/clickup/fields_l1"' in site.get("/clickup").text


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_has_an_answer_when_nothing_is_said(shared: httpx.Client, name: str) -> None:
    """Without any parameter a question has its defaults, and says in words what it asks."""
    text = text_of(shared.get(f"/clickup/{name}"))
    assert QUERIES[name]["title"] in text
    assert (
        "message-error"
        not in shared.get(f"/clickup/{name}?from=nonsense&to=0&space=%22&list=%25&member=%00").text
    )
    assert shared.get("/clickup").text.count(f'href="/clickup/{name}"') == 1


def test_the_newest_export_is_that_of_the_greatest_version(site: httpx.Client, tmp_path: Path) -> None:
    """Questions count up to the last export, also where the clock of the one before it was a year ahead."""
    ahead = AT + 365 * DAY
    done = Task("done", "Done", "shipped", "closed", list_id="l1", date_done=AT, cycle_time_ms=DAY)
    publish_file(tmp_path, rows=[Export("20261122T101500Z", ahead, ahead, complete=True), done])
    weeks = rows_of(site, "throughput_by_week")
    assert (weeks[0], weeks[1]["week"], weeks[1]["done"]) == (
        {"week": "2026-11-23", "done": 0, "mean_of_4_weeks": 0.3},
        "2026-11-16",
        1,
    )
    assert [row["task_id"] for row in rows_of(site, "slowest_tasks")] == ["done"]


def test_a_question_suggests_names(shared: httpx.Client) -> None:
    """The fields for places and people know their names, those for days are days; links lead to the tasks."""
    page = shared.get("/clickup/who_tracked_what?member=BOB@example.com").text
    assert '<option value="Ada Lovelace">' in page
    assert '<input type="date" id="qp1" name="from"' in page
    assert '<a href="/clickup/tasks/deep">Deploy the checkout</a>' in page
    assert '<span title="86400000 ms">1 d</span>' in page


def test_a_row_is_a_list_of_its_columns(shared: httpx.Client) -> None:
    """A row's page is headed by its name, tells what each column means, and what points at the row."""
    text = text_of(shared.get("/clickup/tasks/deep"))
    assert "Deploy the checkout Tasks deep · Open in ClickUp " in text
    assert "Custom id Custom task id, where the workspace uses them WEB-7" in text
    assert "tasks_words" not in text
    assert "1 in comments as Task" in text
    assert "1 in time_entries as Task" in text


def test_a_row_shows_names_for_ids(shared: httpx.Client) -> None:
    """What a row points at is shown by its name, which leads there, as in the table."""
    page = shared.get("/clickup/tasks/deep").text
    for place, key, name in (
        ("lists", "l1", "Backlog"),
        ("spaces", "s1", "Product"),
        ("folders", "f1", "Web"),
        ("tasks", "t0", "Task 0"),
        ("members", "2", "bob@example.com"),
    ):
        assert f'<a href="/clickup/{place}/{key}">{name}</a>' in page, place
    assert '<a href="/clickup/tasks/deep">Deploy the checkout</a>' in shared.get("/clickup/comments/c1").text


def test_the_page_of_a_task_tells_what_belongs_to_it(shared: httpx.Client) -> None:
    """Time in status, fields and tracked time stand on a task's page, subtasks on that of their parent."""
    text = text_of(shared.get("/clickup/tasks/deep"))
    assert "Time in status Status Total Since doing 25 d 2026-10-24 11:06" in text
    assert "Custom fields Field Value Effort [h] 8" in text
    assert "Tracked time Start Member Duration Description 2026-11-13 11:06 bob@example.com 1 d" in text
    assert "Subtasks" not in text
    assert "Subtasks Name Status Deploy the checkout ↗ doing" in text_of(shared.get("/clickup/tasks/t0"))


def test_columns_have_headings_in_words(shared: httpx.Client) -> None:
    """A heading says what the column is; its name for SQL is in the tooltip, as is what it means."""
    page = shared.get("/clickup/tasks").text
    assert 'title="status_ms: Time in the current status up to as_of; goes on growing (milliseconds)"' in page
    told = {
        name: label_of(name) for name in ("list_id", "cycle_time_ms", "date_done", "task_count", "id", "_")
    }
    assert told == {
        "list_id": "List",
        "cycle_time_ms": "Cycle time",
        "date_done": "Done",
        "task_count": "Task count",
        "id": "Id",
        "_": "_",
    }
    for table in (*TABLES.values(), *REPORTS.values()):
        labels = [label_of(column.name) for column in table.columns]
        assert len(set(labels)) == len(labels), (table.name, sorted(labels))


def test_a_database_of_an_earlier_release_is_shown(site: httpx.Client, tmp_path: Path) -> None:
    """Until the next export has made them, pages go without reports, search and counts."""
    built = publish_file(tmp_path, tasks=4)
    with closing(sqlite3.connect(built)) as db:
        for kind, name in db.execute("SELECT type, name FROM sqlite_master WHERE type = 'view'").fetchall():
            db.execute(f"DROP {kind} {name}")
        for name in (*REPORTS, "value_counts", "tasks_words", "comments_words", "doc_pages_words"):
            db.execute(f"DROP TABLE {name}")
        db.commit()
    for path in ("/", "/clickup", "/clickup/tasks", "/clickup/tasks?_search=x", "/clickup/tasks/t1"):
        assert site.get(path).status_code == 200, path
    assert list(site.get("/clickup/tasks.json").json()["facet_results"]) == [
        "status_type",
        "space_id",
        "status",
        "priority",
    ]


def test_an_empty_workspace_has_pages(site: httpx.Client, tmp_path: Path) -> None:
    """Without a task, an entry or time in status every page answers."""
    publish_file(tmp_path, tasks=0)
    for name in (*TABLES, *REPORTS, *VIEWS, *QUERIES):
        assert site.get(f"/clickup/{name}").status_code == 200, name


@pytest.mark.parametrize("order", ["", "&_sort=date_updated", "&_sort_desc=due_date", "&_sort=status"])
def test_pages_of_a_sorted_table_follow_one_another(site: httpx.Client, tmp_path: Path, order: str) -> None:
    """Page after page, every row comes once, those without a value too."""
    dated = [Task(id=f"d{number}", date_updated=AT, due_date=AT + number % 3) for number in range(7)]
    publish_file(tmp_path, tasks=6, rows=[*dated, *(Task(id=f"u{number}") for number in range(5))])
    address, seen = f"/clickup/tasks.json?_size=4{order}", []
    while address:
        told = site.get(address).json()
        seen += [row[0] for row in told["rows"]]
        address = told["next_url"]
    assert sorted(seen) == sorted(row["id"] for row in rows_of(site, "tasks?_size=max"))
    assert len(seen) == 18


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_names_of_every_kind_fit(browser: Browser, tmp_path: Path, width: int) -> None:
    """Names in any script, of 2,000 characters or partly invisible, make no page wider than the screen."""
    rows: list[object] = [Space("s2", NAMES[5]), List("l2", NAMES[5], space_id="s2"), Member("3", NAMES[0])]
    rows += [CustomField("y", NAMES[5], "text")]
    for number, name in enumerate(NAMES):
        key = f"n{number}"
        rows += [
            Task(
                id=key,
                name=name,
                status=name[:300],
                status_type="custom",
                space_id="s2",
                list_id="l2",
                as_of=AT,
            ),
            TaskAssignee(key, "3"),
            TaskCustomField(key, "y", NAMES[5], "text", name),
            TimeEntry(
                f"e{number}", key, "3", AT - DAY, AT, DAY, list_id="l2", space_id="s2", description=name
            ),
        ]
    publish_file(tmp_path, tasks=0, rows=rows)
    paths = [
        "",
        *("tasks", "tasks/n5", "lists/l2", "open_tasks", "fields_l2", "time_entries", "tracked_by_week"),
    ]
    paths += ["who_tracked_what", "where_tasks_wait"]
    context = browser.new_context(viewport={"width": width, "height": 900})
    page, watch = watch_page(context)
    seen = {}
    with serve.background(settings_for(tmp_path)) as address:
        for path in paths:
            page.goto(f"{address}clickup/{path}".rstrip("/"))
            seen[path] = page.evaluate(WIDTH)
    context.close()
    watch.check()
    assert {path: wide for path, wide in seen.items() if wide > width} == {}
