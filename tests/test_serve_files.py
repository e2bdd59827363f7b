"""The files to take away: whole, in part, under the right name, and read with what the page tells to type."""

from __future__ import annotations

import html
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import httpx
import psutil
import pytest

from clickup_toolkit import parquet, serve
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Secret
from tests.serving import BEARER, TOKEN, VERSION, publish_file, settings_for
from tests.test_serve_access import HASH, PASSWORD

MB = 1_000_000
EMPTY_HOST = "http://localhost:8000"
FIRST_OF_EXCEL = "…your API_AUTH_TOKEN…"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data folder with a small workspace, its Parquet files included."""
    built = publish_file(tmp_path / "data", tasks=80)
    parquet.write(built, tmp_path / "data" / "parquet")
    return tmp_path / "data"


@pytest.fixture
def site(folder: Path) -> Iterator[httpx.Client]:
    """Serve the folder."""
    with serve.background(settings_for(folder)) as address, httpx.Client(base_url=address) as client:
        yield client


def rows_of(page: str) -> dict[str, list[str]]:
    """Return the cells of each table's row, by the table's name."""
    rows = re.findall(r"<tr[ >].*?</tr>", page.partition('class="plain tables"')[2], re.DOTALL)[1:]
    cells = [[_text(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows]
    return {name.split()[0]: [name, *others] for name, *others in cells}


def _text(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def snippet(page: str, name: str) -> str:
    """Return a text to copy as a person would."""
    found = re.search(rf'<pre class="shell" id="{name}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def test_the_page_lists_every_file(site: httpx.Client, folder: Path) -> None:
    """Every table stands there with rows and size, those with rows first; so does the database."""
    page = site.get("/-/files").text
    rows = rows_of(page)
    size = (folder / "parquet" / "tasks" / "part-0.parquet").stat().st_size
    assert rows["tasks"] == [
        "tasks Tasks and subtasks: open, closed, archived, each once.",
        "80",
        f"{size / 1000:.1f} kB",
        "CSV",
    ]
    assert set(rows) == set(TABLES)
    counts = [row[1] for row in rows.values()]
    assert counts[counts.index("0") :] == ["0"] * counts.count("0")
    assert f"clickup-{VERSION}.db" in page
    assert f"{(folder / 'clickup.db').stat().st_size / 1000:.1f} kB" in page


def test_every_link_of_the_page_leads_to_a_file(site: httpx.Client) -> None:
    """Each link to a file answers with a file to keep."""
    links = re.findall(r'<a href="([^"]+)" download', site.get("/-/files").text)
    assert len(links) == 1 + 2 * len(TABLES)
    answers = [site.get(html.unescape(link)) for link in links]
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.headers["content-disposition"].startswith("attachment") for answer in answers)


def test_the_database_is_taken_whole(site: httpx.Client, folder: Path) -> None:
    """The database comes byte for byte, under a name that tells its version."""
    answer = site.get("/-/files/clickup.db")
    named = answer.headers["content-disposition"]
    assert (answer.content, named, answer.headers["content-type"]) == (
        (folder / "clickup.db").read_bytes(),
        f'attachment; filename="clickup-{VERSION}.db"',
        "application/vnd.sqlite3",
    )


def test_a_table_is_taken_whole(site: httpx.Client, folder: Path) -> None:
    """A table's Parquet file comes byte for byte, under the table's name."""
    answer = site.get("/-/files/tasks.parquet")
    assert (answer.content, answer.headers["content-disposition"], answer.headers["content-type"]) == (
        (folder / "parquet" / "tasks" / "part-0.parquet").read_bytes(),
        'attachment; filename="tasks.parquet"',
        "application/vnd.apache.parquet",
    )


@pytest.mark.parametrize("path", ["/-/files/clickup.db", "/-/files/tasks.parquet"])
def test_a_download_goes_on_where_it_was_cut_off(site: httpx.Client, path: str) -> None:
    """A part is sent of the same file alone; what the client has already is not sent again."""
    whole = site.get(path)
    etag, length = whole.headers["etag"], len(whole.content)
    part = site.get(path, headers={"Range": "bytes=100-", "If-Range": etag})
    anew = site.get(path, headers={"Range": "bytes=100-", "If-Range": '"of another version"'})
    assert (part.status_code, part.headers["content-range"], part.content) == (
        206,
        f"bytes 100-{length - 1}/{length}",
        whole.content[100:],
    )
    assert (anew.status_code, anew.content) == (200, whole.content)
    assert site.get(path, headers={"Range": f"bytes={length}-"}).status_code == 416
    assert site.get(path, headers={"If-None-Match": etag}).status_code == 304
    head = site.head(path)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(length), b"")


def test_another_version_has_another_tag(site: httpx.Client, folder: Path) -> None:
    """After an export, the tag of the database is another, and so is its name."""
    before = site.head("/-/files/clickup.db").headers
    publish_file(folder, "20261123T151500Z", tasks=80)
    after = site.head("/-/files/clickup.db").headers
    assert before["etag"] != after["etag"]
    assert after["content-disposition"] == 'attachment; filename="clickup-20261123T151500Z.db"'


def test_a_large_file_needs_no_memory(site: httpx.Client, folder: Path) -> None:
    """A file of 400 MB is sent in pieces: the process does not grow with it."""
    with (folder / "parquet" / "raw.new").open("wb") as file:
        file.truncate(400 * MB)
    (folder / "parquet" / "raw.new").replace(folder / "parquet" / "tasks" / "part-0.parquet")
    process, read = psutil.Process(), 0
    before = most = process.memory_info().rss
    with site.stream("GET", "/-/files/tasks.parquet") as answer:
        for piece in answer.iter_raw():
            read += len(piece)
            most = max(most, process.memory_info().rss)
    assert read == 400 * MB
    assert most - before < 40 * MB


@pytest.mark.parametrize("name", ["nope", "raw", "..", "%2e%2e%2fclickup"])
def test_only_tables_are_files(site: httpx.Client, name: str) -> None:
    """A name that is no table's is not found, whatever lies in the folder."""
    assert site.get(f"/-/files/{name}.parquet", follow_redirects=True).status_code == 404


def test_before_the_first_export_there_is_nothing_to_take(tmp_path: Path) -> None:
    """The page says what to do, programs are told to wait."""
    with serve.background(settings_for(tmp_path)) as address, httpx.Client(base_url=address) as client:
        assert "Nothing was exported yet" in client.get("/-/files").text
        for path in ("/-/files/clickup.db", "/-/files/tasks.parquet"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert answer.json()["error"] == "Nothing was exported yet."


@pytest.mark.parametrize("path", ["/-/files/clickup.db", "/-/files/tasks.parquet", "/-/files"])
def test_files_are_for_those_who_may_read(folder: Path, path: str) -> None:
    """Behind a password a stranger gets none; who signed in gets them, and so do programs with the token."""
    with serve.background(settings_for(folder, password_hash=Secret(HASH))) as address:
        stranger = httpx.get(address + path[1:])
        wrong = httpx.get(address + path[1:], headers={"Authorization": "Bearer wrong"})
        person = httpx.get(address + path[1:], auth=("admin", PASSWORD))
        program = httpx.get(address + path[1:], headers=BEARER)
    assert stranger.status_code == (302 if path == "/-/files" else 401)
    assert [answer.status_code for answer in (wrong, person, program)] == [401, 200, 200]


def test_snippets_name_the_readers_address(folder: Path) -> None:
    """Scheme and host are those that the reader sees, as a trusted proxy tells them, and never odd."""
    settings = settings_for(folder, password_hash=Secret(HASH), trusted_proxies=("127.0.0.1",))
    odd = {"Host": "a$(reboot)`id`.example"}
    proxied = {"Host": "clickup.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    with serve.background(settings) as address, httpx.Client(base_url=address, headers=BEARER) as client:
        told = [snippet(client.get("/-/files", headers=one).text, "curl") for one in ({}, proxied, odd)]
    assert [re.findall(r"\w+://[^/\s]+", one) for one in told] == [
        [address.rstrip("/")] * 2,
        ["https://clickup.example.com"] * 2,
        [EMPTY_HOST] * 2,
    ]


def test_an_untrusted_proxy_has_no_say(site: httpx.Client) -> None:
    """What a stranger says of the scheme does not get into what people type."""
    page = site.get(
        "/-/files", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    ).text
    assert "https://" not in snippet(page, "curl")
    assert "evil.example" not in page


def test_snippets_never_hold_the_token(site: httpx.Client) -> None:
    """The token is named, not shown."""
    page = site.get("/-/files", headers=BEARER).text
    assert TOKEN not in page
    assert "$API_AUTH_TOKEN" in snippet(page, "curl")


@pytest.fixture
def desk(tmp_path: Path, site: httpx.Client) -> tuple[Path, str]:
    """Return an empty folder in which curl took the files, as the page says, and the page."""
    page = site.get("/-/files").text
    place = tmp_path / "desk"
    place.mkdir()
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    done = _run(["bash", "-c", f"set -e\n{snippet(page, 'curl')}"], place)
    assert done.returncode == 0, done.stderr
    return place, page


def _run(command: list[str], place: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"API_AUTH_TOKEN": TOKEN}
    return subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True, timeout=60)


def test_curl_takes_the_files(desk: tuple[Path, str], folder: Path) -> None:
    """What the page says to type into a shell brings both files, as they are."""
    place, _ = desk
    taken = {path.name: path.read_bytes() for path in place.iterdir()}
    assert taken == {
        "tasks.parquet": (folder / "parquet" / "tasks" / "part-0.parquet").read_bytes(),
        "clickup.db": (folder / "clickup.db").read_bytes(),
    }
    with closing(sqlite3.connect(place / "clickup.db")) as taken_database:
        assert taken_database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("name", "package", "said"),
    [
        ("pandas", "pandas", r"in review +1025"),
        ("polars", "polars", r"in review +┆ 40"),
        ("duckdb", "duckdb", r"in review │ +40 │ +1025"),
        ("sqlite", "pandas", r"in review +40"),
    ],
)
def test_what_the_page_says_to_type_works(desk: tuple[Path, str], name: str, package: str, said: str) -> None:
    """Each snippet runs as it stands there, and prints what the table holds."""
    if find_spec(package) is None and os.environ.get("CI") != "true":
        pytest.skip(f"{package} is not installed: pip install {package}")
    place, page = desk
    done = _run([sys.executable, "-c", snippet(page, name)], place)
    assert done.returncode == 0, done.stderr
    assert re.search(said, done.stdout), done.stdout


def test_excel_asks_for_what_is_there(site: httpx.Client, folder: Path) -> None:
    """What Excel's query asks for, by the header alone, is a CSV with a head and all rows."""
    text = snippet(site.get("/-/files").text, "excel")
    assert all(text.count(one) == text.count(other) for one, other in ("[]", "()"))
    path = re.search(r'RelativePath = "([^"]+)"', text)
    query = re.search(r"Query = \[([^\]]+)\]", text)
    assert path is not None
    assert query is not None
    assert f'Authorization = "Bearer " & "{FIRST_OF_EXCEL}"' in text
    asked = dict(re.findall(r'(\w+) = "(\w+)"', query[1]))
    with serve.background(settings_for(folder, password_hash=Secret(HASH))) as address:
        answer = httpx.get(f"{address}{path[1]}", params=asked, headers=BEARER)
    lines = answer.text.splitlines()
    assert answer.headers["content-type"].startswith("text/plain")
    assert {"id", "name", "status"} <= set(lines[0].split(","))
    assert len(lines) == 81
