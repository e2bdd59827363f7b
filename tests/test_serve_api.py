"""What programs may ask for beside the document, against a workspace that was really exported."""

from __future__ import annotations

import copy
import gzip
import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jsonschema
import pytest
from pyarrow import parquet

from clickup_toolkit import serve
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.records import TABLES
from clickup_toolkit.serve.application import Application
from clickup_toolkit.serve.routes import ROUTES
from clickup_toolkit.serve.server import serve_in_background
from clickup_toolkit.settings import Secret, Settings
from tests.exporting import settings_for
from tests.fixtures.valkey import RedisServer, serving
from tests.serving import BEARER, TOKEN
from tests.serving import settings_for as settings_of_nothing
from tests.worlds import living_world

EXPORT = "/api/v1/export/"


class Exported(NamedTuple):
    """A workspace that was exported, and a client that holds the token."""

    settings: Settings
    version: str
    client: httpx.Client

    def document(self) -> dict[str, Any]:
        """Return the document."""
        found: dict[str, Any] = self.client.get(EXPORT).json()
        return found


@pytest.fixture(scope="module")
def server_of_versions() -> Iterator[RedisServer]:
    """Give a server of versions for the whole module."""
    yield from serving()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, server_of_versions: RedisServer) -> Iterator[Exported]:
    """Export a workspace that keeps something from its token, with everything optional, and serve it.

    The pages' own limit on wrong tokens is lifted: the examiner of the description shows many.
    """
    folder = tmp_path_factory.mktemp("exported")
    streams = dict.fromkeys(("comments", "task_details", "goals", "docs"), True)
    world = living_world(tasks=80, time_entries=120, unreadable=1)
    with DemoServer(world, rate_limit=1_000_000) as demo:
        settings = settings_for(
            demo,
            folder,
            server_of_versions.url,
            api_auth_token=Secret(TOKEN),
            port=0,
            **{f"export_{name}": on for name, on in streams.items()},
        )
        report = run_export_sync(settings)
    with (
        serve_in_background(Application(settings, tries=1_000_000), settings) as address,
        httpx.Client(base_url=address, headers=BEARER, timeout=30) as client,
    ):
        yield Exported(settings, report.version, client)


def errors(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Return what a validator finds wrong."""
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_the_document_is_what_its_schema_says(exported: Exported) -> None:
    """The served document is valid by the served schema, which is a schema, and holds every optional part."""
    answer = exported.client.get("/api/v1/export/schema/")
    schema = answer.json()
    jsonschema.Draft202012Validator.check_schema(schema)
    document = exported.document()
    assert answer.headers["content-type"] == "application/schema+json"
    assert errors(document, schema) == []
    assert set(document) == set(schema["properties"])
    assert set(document["as_of"]) == set(schema["$defs"]["AsOf"]["properties"])
    assert set(document["data"][0]) >= set(schema["$defs"]["Task"]["properties"])


def set_key(document: dict[str, Any], *path: Any, value: object) -> None:
    """Put a value at a place of the document."""
    at: Any = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value


OF_OURS = [
    ("more",),
    ("as_of", "more"),
    ("workspace", "more"),
    ("spaces", 0, "more"),
    ("lists", 0, "more"),
    ("lists", 0, "statuses", 0, "more"),
    ("members", 0, "more"),
    ("gaps", 0, "more"),
    ("data", 0, "analytics", "more"),
    ("data", 0, "analytics", "statuses", 0, "more"),
]


@pytest.mark.parametrize("path", OF_OURS, ids=lambda path: ".".join(map(str, path)))
def test_what_is_ours_is_exact(exported: Exported, path: tuple[Any, ...]) -> None:
    """The schema takes no key that we do not write, and misses each that we do."""
    schema = exported.client.get("/api/v1/export/schema/").json()
    # The first of each kind is enough, and a hundred times as quick to look at.
    document = {
        key: value[:1] if isinstance(value, list) else value for key, value in exported.document().items()
    }
    too_much = copy.deepcopy(document)
    set_key(too_much, *path, value=1)
    assert len(errors(too_much, schema)) == 1
    for key in pick(document, path[:-1]):
        if key not in ("goals", "docs", "comments", "task_details", "doc_pages"):
            too_little = copy.deepcopy(document)
            del pick(too_little, path[:-1])[key]
            assert len(errors(too_little, schema)) == 1, key


def pick(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Return the object at a place of the document."""
    at: Any = document
    for key in path:
        at = at[key]
    assert isinstance(at, dict)
    return at


def test_what_is_clickups_is_free(exported: Exported) -> None:
    """ClickUp may send more, or less, in a task and in what it holds."""
    schema = exported.client.get("/api/v1/export/schema/").json()
    document = exported.document()
    set_key(document, "data", 0, "invented_tomorrow", value={"by": "ClickUp"})
    set_key(document, "data", 0, "time_in_status", "invented", value=1)
    del document["data"][0]["priority"]
    assert errors(document, schema) == []


def test_the_versions_are_listed(exported: Exported) -> None:
    """A version is told with its sizes and an address, at which it is found."""
    (listed,) = exported.client.get("/api/v1/export/versions/").json()["versions"]
    whole = exported.client.get(listed["url"])
    with exported.client.stream("GET", listed["url"], headers={"Accept-Encoding": "gzip"}) as packed:
        stored = b"".join(packed.iter_raw())
    document = whole.json()
    assert listed == {
        "version": exported.version,
        "updated_at": listed["updated_at"],
        "tasks": 80,
        "complete": False,
        "pinned": False,
        "ttl_seconds": None,
        "text_bytes": len(whole.content),
        "gzip_bytes": len(stored),
        "etag": packed.headers["etag"],
        "url": f"{EXPORT}?version={exported.version}",
    }
    assert document["version"] == exported.version
    assert listed["updated_at"][:19] == document["updated_at"][:19]


def test_a_day_means_its_newest_version(exported: Exported) -> None:
    """``?version=`` takes a day in UTC; what is no version, no day and not latest is not found."""
    version = exported.version
    day = f"{version[:4]}-{version[4:6]}-{version[6:8]}"
    found = {
        wanted: exported.client.get(EXPORT, params={"version": wanted}).status_code
        for wanted in (
            day,
            version,
            "latest",
            "2020-01-01",
            "20200101T000000Z",
            "",
            "yesterday",
            "*",
            day + " ",
        )
    }
    assert list(found.values()) == [200, 200, 200, 404, 404, 404, 404, 404, 404]


def rows_in_file(folder: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table as SQLite keeps them."""
    with closing(sqlite3.connect(folder / "clickup.db")) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(f'SELECT * FROM "{table}"')]


def as_told(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as NDJSON should tell it."""
    types = {column.name: column.type for column in TABLES[table].columns}
    reads: dict[str, Callable[[Any], Any]] = {"BOOLEAN": bool, "JSON": json.loads}
    return {
        name: value if value is None else reads.get(types[name], lambda found: found)(value)
        for name, value in row.items()
    }


@pytest.mark.parametrize("table", TABLES)
def test_tables_come_whole(exported: Exported, table: str) -> None:
    """Every table is NDJSON, every value exact, and a Parquet file with as many rows."""
    address = f"/api/v1/tables/{table}"
    answer = exported.client.get(f"{address}.ndjson")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    wanted = [as_told(table, row) for row in rows_in_file(exported.settings.data_dir, table)]
    file = exported.client.get(f"{address}.parquet")
    columns = parquet.read_table(io.BytesIO(file.content))
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert rows == wanted
    assert columns.num_rows == len(rows)
    assert columns.column_names == [column.name for column in TABLES[table].columns]
    assert file.headers["content-disposition"] == f'attachment; filename="{table}.parquet"'


def test_the_tables_are_listed(exported: Exported) -> None:
    """The index names every table with its columns and addresses, and counts its rows."""
    told = exported.client.get("/api/v1/tables/").json()
    assert told["version"] == exported.version
    assert [table["name"] for table in told["tables"]] == list(TABLES)
    for table in told["tables"]:
        assert table["rows"] == len(rows_in_file(exported.settings.data_dir, table["name"]))
        assert [column["name"] for column in table["columns"]] == [
            column.name for column in TABLES[table["name"]].columns
        ]
        assert exported.client.head(table["ndjson"]).status_code == 200
        assert exported.client.head(table["parquet"]).headers["content-length"] == str(table["parquet_bytes"])


def test_what_a_client_has_of_a_table_is_not_sent_again(exported: Exported) -> None:
    """Both forms have tags; gzip is another representation; a Parquet file can be read in parts."""
    get = exported.client.get
    plain = get("/api/v1/tables/tasks.ndjson", headers={"Accept-Encoding": "identity"})
    with exported.client.stream(
        "GET", "/api/v1/tables/tasks.ndjson", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain.content
    assert answer.headers["etag"] != plain.headers["etag"]
    file = get("/api/v1/tables/tasks.parquet")
    for address, tag in (
        ("/api/v1/tables/tasks.ndjson", answer.headers["etag"]),
        ("/api/v1/tables/tasks.parquet", file.headers["etag"]),
    ):
        again = get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
    part = get("/api/v1/tables/tasks.parquet", headers={"Range": "bytes=4-99"})
    assert (part.status_code, part.content) == (206, file.content[4:100])
    behind = get("/api/v1/tables/tasks.parquet", headers={"Range": f"bytes={len(file.content)}-"})
    assert behind.status_code == 416


@pytest.mark.parametrize("name", ["nope", "raw", "tasks%20", "..%2Fclickup", "sqlite_master", "tasks;--"])
def test_no_other_name_is_a_table(exported: Exported, name: str) -> None:
    """What is not declared as a table is not found, whatever lies there."""
    for ending in ("ndjson", "parquet"):
        answer = exported.client.get(f"/api/v1/tables/{name}.{ending}")
        assert (answer.status_code, answer.json()["status"]) == (404, "error")


def test_before_the_first_export(tmp_path: Path) -> None:
    """While there are no tables a client is told to come again, and what to do."""
    with (
        serve.background(settings_of_nothing(tmp_path)) as address,
        httpx.Client(base_url=address, headers=BEARER) as client,
    ):
        for path in ("", "tasks.ndjson", "tasks.parquet"):
            answer = client.get(f"/api/v1/tables/{path}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            assert answer.json()["error"] == "Nothing was exported yet."


def test_every_declared_route_is_described_and_answers(exported: Exported) -> None:
    """The description names the declared routes, no more and no less, and none is without an answer."""
    paths = exported.client.get("/api/v1/openapi.json").json()["paths"]
    assert list(paths) == [route.path for route in ROUTES]
    for route in ROUTES:
        answer = exported.client.get(route.path.replace("{table}", "members"))
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, route.media_type)
        assert exported.client.post(route.path.replace("{table}", "members")).status_code == 405


@pytest.mark.slow
def test_an_examiner_finds_no_fault_with_the_description(exported: Exported, tmp_path: Path) -> None:
    """schemathesis, with all its checks, sends what the description allows and what it forbids."""
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{exported.client.base_url}api/v1/openapi.json",
    ]
    options = ["--checks=all", "--max-examples=5", "--generation-deterministic", "--no-color"]
    # A part of a gzip body cannot be unpacked by a client that does so by itself, which is as it must be.
    headers = ["-H", f"Authorization: Bearer {TOKEN}", "-H", "Accept-Encoding: identity"]
    # And a range is well formed, however far behind the end it begins.
    (tmp_path / "schemathesis.toml").write_text(
        "[checks.positive_data_acceptance]\n"
        'expected-statuses = ["2xx", "3xx", 401, 403, 404, 406, 409, 416, 429, "5xx"]\n'
    )
    done = subprocess.run(
        [*command, *options, *headers], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert "No issues found" in done.stdout
