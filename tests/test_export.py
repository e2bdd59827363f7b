"""The whole export against the synthetic workspace, compared with the workspace's own ledger."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis

from clickup_toolkit import publish, serve
from clickup_toolkit.demo import DemoServer, World, build_world
from clickup_toolkit.demo.ledger import Ledger
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import Secret
from tests.exporting import ALONE, INSTANTS, differences, settings_for, table
from tests.fixtures.demo import NOW
from tests.serving import BEARER, TOKEN

Serve = Callable[..., DemoServer]
Raw = dict[str, msgspec.Raw]


class Exported(NamedTuple):
    """A workspace that was exported once: its server, its ledger, the data folder and the document's text."""

    server: DemoServer
    ledger: Ledger
    folder: Path
    text: bytes


@pytest.fixture(scope="module")
def exported(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Export a workspace in which time stands still."""
    world = build_world(tasks=300, time_entries=300, now=NOW)
    with DemoServer(world, rate_limit=10**6) as server:
        folder = tmp_path_factory.mktemp("data")
        run_export_sync(settings_for(server, folder, redis_url))
        yield Exported(server, world.ledger(), folder, published(redis_url, server.team_id))


def published(redis_url: str, team_id: str) -> bytes:
    """Return the text of the latest document."""
    with redis.Redis.from_url(redis_url) as client:
        found = publish.find(client, team_id)
        assert found is not None
        return gzip.decompress(b"".join(publish.body(client, found)))


def test_export_holds_exactly_what_the_token_can_see(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Every task, relation, entry, status row and place of the workspace is exported once, and as it is."""
    server = demo_server(small_world)
    ledger = small_world.ledger()
    report = run_export_sync(settings_for(server, tmp_path, redis_url))
    assert differences(tmp_path, ledger) == {}
    assert (report.tasks, report.throttled, report.retries, report.resumed) == (len(ledger.tasks), 0, 0, 0)
    assert report.time_entries == len(ledger.entries) + len(ledger.entries_by_task)
    assert report.time_in_status == len(ledger.status_rows)
    assert report.requests == server.stats.requests


def columnar(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a columnar file, times as ms."""
    found = pq.read_table(folder / "parquet" / name)
    for column in INSTANTS[name]:
        place = found.schema.get_field_index(column)
        found = found.set_column(place, column, found.column(column).cast(pa.int64()))
    return found.to_pylist()


def test_columnar_files_hold_the_rows_of_the_database(exported: Exported) -> None:
    """Each table's file has the same rows as the table, value for value."""
    folder = exported.folder
    for name, about in TABLES.items():
        wanted = sorted(table(folder, name), key=lambda row: [str(row[key]) for key in about.key])
        got = sorted(columnar(folder, name), key=lambda row: [str(row[key]) for key in about.key])
        assert got == wanted, name
    filled = {name for name in TABLES if table(folder, name)}
    assert {"tasks", "time_entries", "time_in_status", "task_custom_fields", "gaps", "exports"} <= filled


def test_the_document_holds_each_task_and_entry_once(exported: Exported) -> None:
    """Tasks and entries are those of the workspace; each entry stands on its task, or among those of none."""
    ledger, told = exported.ledger, json.loads(exported.text)
    entries = {**ledger.entries, **ledger.entries_by_task}
    of_task = {
        key: facts["task_id"] if facts["task_id"] in ledger.tasks else None for key, facts in entries.items()
    }
    on_tasks = [(entry["id"], task["id"]) for task in told["data"] for entry in task["time_summary"]]
    on_none = [(entry["id"], None) for entry in told["unassigned_time_entries"]]
    assert sorted(task["id"] for task in told["data"]) == sorted(ledger.tasks)
    assert sorted([*on_tasks, *on_none], key=str) == sorted(of_task.items(), key=str)
    assert on_tasks
    assert on_none
    timed = {task["id"] for task in told["data"] if task["time_in_status"]}
    assert timed == ledger.status_rows.keys()


def pages(api: httpx.Client, list_id: str, archived: str) -> Iterator[Raw]:
    """Yield every task of a list as the API sends it."""
    shown = {"archived": archived, "include_closed": "true", "subtasks": "true", "include_timl": "true"}
    number, last = 0, False
    while not last:
        answer = api.get(f"/list/{list_id}/task", params={**shown, "page": number})
        page = msgspec.json.decode(answer.content, type=Raw)
        yield from msgspec.json.decode(page["tasks"], type=list[Raw])
        number, last = number + 1, bytes(page["last_page"]) == b"true"


def tasks_of_api(server: DemoServer, ledger: Ledger) -> dict[str, Raw]:
    """Return every task as the API sends it: on the pages of lists, or by itself where no list shows it."""
    with httpx.Client(base_url=server.url, headers={"Authorization": server.token}) as api:
        found = {
            msgspec.json.decode(task["id"], type=str): task
            for list_id in ledger.lists
            for archived in ("false", "true")
            for task in pages(api, list_id, archived)
        }
        for key in ledger.tasks.keys() - found.keys():
            found[key] = msgspec.json.decode(api.get(f"/task/{key}").content, type=Raw)
    return found


def test_the_document_keeps_what_clickup_sends_byte_for_byte(exported: Exported) -> None:
    """Every key of a task is there with its value as sent, but for secrets; four things are added."""
    whole = msgspec.json.decode(exported.text, type=Raw)
    data = msgspec.json.decode(whole["data"], type=list[Raw])
    told = {msgspec.json.decode(task["id"], type=str): task for task in data}
    sent = tasks_of_api(exported.server, exported.ledger)
    spaces = {row["id"]: row["name"] for row in table(exported.folder, "spaces")}
    assert told.keys() == sent.keys()
    hidden = 0
    for key in told:
        assert list(told[key]) == [*sent[key], "time_in_status", "time_summary", "analytics"]
        other = {name for name in sent[key] if bytes(told[key][name]) != bytes(sent[key][name])}
        assert other - {"sharing"} == {"space"}
        space = msgspec.json.decode(sent[key]["space"])
        assert msgspec.json.decode(told[key]["space"]) == {**space, "name": spaces.get(space["id"])}
        if "sharing" in other:
            hidden += 1
            sharing = msgspec.json.decode(sent[key]["sharing"])
            assert msgspec.json.decode(told[key]["sharing"]) == {**sharing, "token": "[redacted]"}
            assert sharing["token"] is not None
    assert hidden


def test_programs_read_what_the_service_before_gave_them(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """The old address with the bearer token answers gzip with ``status``, ``data`` and ``updated_at``."""
    settings = settings_for(
        demo_server(small_world), tmp_path, redis_url, api_auth_token=Secret(TOKEN), port=0
    )
    run_export_sync(settings)
    with serve.background(settings) as address:
        answer = httpx.get(f"{address}api/v1/export/", headers={**BEARER, "Accept-Encoding": "gzip"})
        stranger = httpx.get(f"{address}api/v1/export/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == published(redis_url, small_world.team_id)
    told = answer.json()
    assert told["status"] == "success"
    assert {task["id"] for task in told["data"]} == small_world.ledger().tasks.keys()
    assert datetime.fromisoformat(told["updated_at"]).utcoffset() is not None
    assert stranger.status_code == 401


LEDGERS = ("tasks", "entries", "members", "spaces", "folders", "lists", "fields")
SEEN_OTHERWISE = {"locations", "scope", "scope_id"}
"""Facts that the comparison takes from elsewhere: the ledger's ``task_lists``, and the field's definition."""
APART = {"texts", "relations", "links", "values", "statuses"}
"""What is compared with tables of its own."""


def another(value: object) -> object:
    """Return a value of the same kind that is not ``value``."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, set):
        return value | {"another"}
    if isinstance(value, dict):
        return {**value, "another": 1}
    if isinstance(value, list):
        return [*value, "another"]
    return value + 1 if isinstance(value, int) else f"{value} other"


def test_the_comparison_passes_over_no_fact(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Were any fact of the workspace otherwise, or a column named otherwise, the comparison would say so."""
    run_export_sync(settings_for(demo_server(small_world), tmp_path, redis_url))
    assert differences(tmp_path, small_world.ledger()) == {}
    subjects: set[str] = set()
    for things in LEDGERS:
        ledger = small_world.ledger()
        key, facts = next(item for item in getattr(ledger, things).items() if not item[1].get("shared"))
        others = {name: another(value) for name, value in facts.items()}
        getattr(ledger, things)[key] = {**others, "renamed": 1}
        found = differences(tmp_path, ledger)
        seen = {line.partition(":")[0] for line in found[things]}
        assert seen == {key} | {f"{key}.{name}" for name in facts.keys() - ALONE[things] - SEEN_OTHERWISE}
        assert f"{key}: cannot be compared by ['renamed']" in found[things]
        subjects |= found.keys()
    assert subjects >= APART
