"""The running server changes over to a newer database without a restart, an error or a mixed answer."""

from __future__ import annotations

import io
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pyarrow
import pytest
from pyarrow import parquet as columnar

from clickup_toolkit import parquet, serve
from clickup_toolkit.records import Comment
from tests.serving import BEARER, build_file, flip, publish_file, settings_for


@pytest.fixture
def site(tmp_path: Path) -> Iterator[httpx.Client]:
    """Serve an empty data folder."""
    with serve.background(settings_for(tmp_path)) as address, httpx.Client(base_url=address) as client:
        yield client


def version_of(number: int) -> str:
    """Return the id of the number-th version."""
    return f"20261123T{number:06d}Z"


def open_databases(folder: Path) -> set[str]:
    """Return the names of the database files that this process holds open."""
    held = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and ".db" in target:
            held.add(Path(target).name)
    return held


def query_threads() -> int:
    """Return how many threads for queries there are."""
    return sum(thread.name.startswith("query") for thread in threading.enumerate())


def test_the_first_export_appears(site: httpx.Client, tmp_path: Path) -> None:
    """A server that was started before the first export shows it as soon as it is there."""
    before = site.get("/clickup/tasks.json")
    publish_file(tmp_path, tasks=3)
    after = site.get("/clickup/tasks.json?_shape=array")
    assert before.status_code == 503
    assert [row["id"] for row in after.json()] == ["t2", "t1", "t0"]


def test_the_next_request_reads_the_next_file(site: httpx.Client, tmp_path: Path) -> None:
    """Once a flip is done, every request is answered from the new file, on a connection that is kept, too."""
    for number in range(8):
        publish_file(tmp_path, version_of(number), tasks=number + 1, mark=f"of file {number}")
        answer = site.get("/clickup/tasks.json?_shape=array").json()
        assert [row["name"] for row in answer] == [
            f"Task {task} of file {number}" for task in reversed(range(number + 1))
        ]


def test_readers_meet_no_error_and_no_mixture(site: httpx.Client, tmp_path: Path) -> None:
    """While the file changes many times, each answer is whole: rows, count and facets of one file."""
    publish_file(tmp_path, version_of(0), tasks=5, mark="file-0")
    ended = threading.Event()
    wrong: list[object] = []
    seen: set[str] = set()

    def read() -> None:
        with httpx.Client(base_url=site.base_url, timeout=30) as client:
            while not ended.is_set():
                wrong.extend(_faults(client.get("/clickup/tasks.json?_shape=objects&_facet=status"), seen))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 121):
        publish_file(tmp_path, version_of(number), tasks=5 + number, mark=f"file-{number}")
        if number > 1:
            (tmp_path / f"clickup-{version_of(number - 2)}.db").unlink()
    ended.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(seen) > 10


def _faults(answer: httpx.Response, seen: set[str]) -> list[object]:
    if answer.status_code != 200:
        return [answer.text]
    told = answer.json()
    marks = {row["name"].rpartition(" ")[2] for row in told["rows"]}
    seen |= marks
    tasks = 5 + int(min(marks).removeprefix("file-"))
    facets = sum(one["count"] for one in told["facet_results"]["status"]["results"])
    counts = (len(marks), len(told["rows"]), told["filtered_table_rows_count"], facets)
    return [] if counts == (1, min(tasks, 50), tasks, tasks) else [marks, counts]


Answer = tuple[str, set[str]]
"""The version that an answer says it shows (empty: it says none), and those that its data are of."""


def _page(pattern: str) -> Callable[[httpx.Response], Answer]:
    """Return a reader of a page that shows by ``pattern`` how many tasks there are, or marks of its file."""

    def read(answer: httpx.Response) -> Answer:
        says = re.search(r'data-version="([^"]+)"', answer.text)
        numbers = {int(number) for number in re.findall(pattern, answer.text, re.DOTALL)}
        whole = "</html>" in answer.text
        return (
            says[1] if says else "nothing",
            {version_of(number) for number in numbers} if whole else set(),
        )

    return read


def _database(answer: httpx.Response) -> Answer:
    named = re.findall(r"clickup-(\w+)\.db", answer.headers["content-disposition"])
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(answer.content)
        (version,) = connection.execute("SELECT version FROM exports").fetchone()
        names = connection.execute("SELECT name FROM tasks").fetchall()
    return named[0], {version, *_versions(" ".join(name for (name,) in names))}


def _columns(answer: httpx.Response) -> Answer:
    texts = columnar.read_table(io.BytesIO(answer.content), columns=["text"])["text"].to_pylist()
    return "", _versions(" ".join(texts))


def _fresh(answer: httpx.Response) -> Answer:
    return "", {answer.json()["version"]}


def _versions(text: str) -> set[str]:
    return {version_of(int(number)) for number in re.findall(r"file-(\d+)", text)}


WALK: dict[str, Callable[[httpx.Response], Answer]] = {
    "/": _page(r"<p>(\d+) tasks?;"),
    "/clickup/tasks": _page(r"file-(\d+)"),
    "/clickup/tasks/t0": _page(r"file-(\d+)"),
    "/-/dashboards": _page(r"<dt>Tasks</dt>.*?<a [^>]*>(\d+)</a>"),
    "/-/files": _page(r">tasks</a>.*?<td>(\d+)</td>"),
    "/-/fresh.json": _fresh,
    "/-/files/clickup.db": _database,
    "/-/files/comments.parquet": _columns,
    "/clickup/tasks.csv?_stream=on&_size=max": lambda answer: ("", _versions(answer.text)),
    "/api/v1/tables/tasks.ndjson": lambda answer: ("", _versions(answer.text)),
}


def test_every_page_is_of_the_version_that_it_names(site: httpx.Client, tmp_path: Path) -> None:
    """While exports end many times, each page and file is whole, of one version: the one it names."""
    publish_whole(tmp_path, 1)
    ended = threading.Event()
    wrong: list[object] = []
    seen: dict[str, set[str]] = {path: set() for path in WALK}

    def walk() -> None:
        with httpx.Client(base_url=site.base_url, timeout=60, headers=BEARER) as client:
            while not ended.is_set():
                for path, read in WALK.items():
                    answer = client.get(path)
                    if answer.status_code != 200:
                        wrong.append((path, answer.status_code, answer.text[:500]))
                        continue
                    says, versions = read(answer)
                    seen[path] |= versions
                    if len(versions) != 1 or says not in ("", *versions):
                        wrong.append((path, says, versions))

    readers = [threading.Thread(target=walk) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for number in range(2, 21):
            publish_whole(tmp_path, number)
            if number % 5 == 0:
                wait_until_all_show(version_of(number), seen, wrong)
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def wait_until_all_show(version: str, seen: dict[str, set[str]], wrong: list[object]) -> None:
    """Wait until every page was seen in a version, which is current; fail where one goes on without it."""
    deadline = time.monotonic() + 100
    while missing := [path for path, versions in seen.items() if version not in versions]:
        assert wrong == []
        assert time.monotonic() < deadline, missing
        time.sleep(0.01)


def publish_whole(data_dir: Path, number: int) -> None:
    """Publish the number-th version as an export does, and clear the one before the last."""
    name = version_of(number)
    rows = [Comment("c", "t0", text=f"Task file-{number}")]
    built = build_file(
        data_dir / f"clickup-{name}.db", version=name, tasks=number, mark=f"file-{number}", rows=rows
    )
    parquet.write(built, data_dir / "parquet")
    table = pyarrow.table({"text": [f"Task file-{number}"] * 10_000})
    aside = data_dir / "parquet" / "comments" / "next"
    columnar.write_table(table, aside)
    aside.replace(aside.with_name("part-0.parquet"))
    flip(data_dir, built)
    (data_dir / f"clickup-{version_of(number - 2)}.db").unlink(missing_ok=True)


def test_a_request_under_way_ends_with_the_file_it_began_with(site: httpx.Client, tmp_path: Path) -> None:
    """A download that began before two flips gets all rows of the old file, which is removed meanwhile."""
    old = publish_file(tmp_path, version_of(1), tasks=6000, mark="x" * 3000)
    with site.stream("GET", "/clickup/tasks.csv?_stream=on&_size=max") as download:
        lines = download.iter_lines()
        head = next(lines)
        publish_file(tmp_path, version_of(2), tasks=1)
        publish_file(tmp_path, version_of(3), tasks=2)
        old.unlink()
        assert site.get("/clickup/tasks.json?_shape=array&_size=1").json()[0]["id"] == "t1"
        rows = [line.partition(",")[0] for line in lines]
    assert head.startswith("id,name,")
    assert rows == [f"t{number}" for number in reversed(range(6000))]


def test_old_files_are_let_go(site: httpx.Client, tmp_path: Path) -> None:
    """The server holds no file open but the current one, and no threads of the ones before."""
    for number in range(8):
        publish_file(tmp_path, version_of(number))
        site.get("/clickup/tasks.json")
    wanted = {f"clickup-{version_of(7)}.db"}
    deadline = time.monotonic() + 60
    while (open_databases(tmp_path) != wanted or query_threads() > 4) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert open_databases(tmp_path) == wanted
    assert query_threads() <= 4


def test_an_unreadable_file_leaves_the_good_one(site: httpx.Client, tmp_path: Path) -> None:
    """A flip to what is no database changes nothing for readers, and the next good file is taken."""
    publish_file(tmp_path, version_of(1), tasks=4)
    site.get("/")
    broken = tmp_path / "clickup-broken.db"
    broken.write_bytes(b"no database at all" * 1000)
    flip(tmp_path, broken)
    kept = site.get("/clickup/tasks.json?_shape=array").json()
    publish_file(tmp_path, version_of(2), tasks=2)
    taken = site.get("/clickup/tasks.json?_shape=array").json()
    assert (len(kept), len(taken)) == (4, 2)


def test_an_unreadable_first_file_is_named(tmp_path: Path) -> None:
    """Where there is no good file to go on with, the home page says what is wrong and what to do."""
    (tmp_path / "clickup.db").write_bytes(b"no database at all" * 1000)
    with serve.background(settings_for(tmp_path)) as address:
        home = httpx.get(address)
    assert home.status_code == 200
    assert "clickup.db cannot be read: file is not a database." in home.text
    assert "clickup-toolkit export" in home.text
