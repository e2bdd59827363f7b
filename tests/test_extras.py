"""The optional streams of a whole export: what they hold, what they cost, and when they are read again."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clickup_toolkit.crawl.by_task import PATIENCE
from clickup_toolkit.demo import Behaviour, DemoServer, Fault, World
from clickup_toolkit.demo.extras_ledger import make_extras_ledger
from clickup_toolkit.demo.traits import comments
from clickup_toolkit.export import run_export_sync
from tests.exporting import document, settings_for, table
from tests.worlds import living_world

Serve = Callable[..., DemoServer]

ALL = dict.fromkeys(("export_comments", "export_task_details", "export_goals", "export_docs"), True)
TABLES = (
    "comments",
    "checklists",
    "checklist_items",
    "attachments",
    "goals",
    "key_results",
    "docs",
    "doc_pages",
)
OPTIONAL = re.compile(r"/task/\w+$|/task/\w+/comment$|/comment/\w+/reply$|/goal|/v3/")
COMMENTS, DETAILS, PAGES = r"/task/(\w+)/comment$", r"/task/(\w+)$", r"/docs/([\w-]+)/pages$"


@pytest.fixture
def world() -> World:
    """A small workspace in the real present."""
    return living_world(tasks=120, time_entries=30)


def shared(world: World) -> set[str]:
    """Return the tasks that are shared alone, which every crawl asks for one by one."""
    return {key for key in world.ledger().tasks if world.find_task(key) in world.shared_tasks}


def asked(server: DemoServer, path: str, since: int = 0) -> Counter[str]:
    """Return how often the thing that ``path`` captures was asked about, from the request ``since`` on."""
    matches = (re.search(path, request.path) for request in server.requests[since:])
    return Counter(match[1] for match in matches if match)


def held(folder: Path, name: str, like: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the rows of a table by id, with the columns that the ledger tells."""
    rows = {row["id"]: row for row in table(folder, name)}
    return {key: {column: row[column] for column in like.get(key, row)} for key, row in rows.items()}


def quiet(world: World) -> list[str]:
    """Return ids of tasks that nobody commented on and that every crawl sees change."""
    ledger = world.ledger()
    places = {key: world.find_task(key) for key in ledger.tasks.keys() - ledger.hidden}
    return sorted(key for key, place in places.items() if not comments(world, place))


def test_everything_is_exported_as_it_is(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Each comment, reply, checklist, file, goal, key result, doc and page is held once, and as it is."""
    server = demo_server(world, behaviour=Behaviour(docs_a_page=10))
    run_export_sync(settings_for(server, tmp_path, redis_url, **ALL))
    ledger = make_extras_ledger(world)
    for name in TABLES:
        wanted = getattr(ledger, name)
        assert wanted
        assert held(tmp_path, name, wanted) == wanted
    assert {row["streams"] for row in table(tmp_path, "exports")} == {"comments docs goals task_details"}
    readings = Counter(row["what"] for row in table(tmp_path, "readings"))
    tasks = len(world.ledger().tasks)
    assert readings == {"comments": tasks, "task_details": tasks, "doc_pages": len(ledger.docs)}


def test_what_is_off_costs_nothing(world: World, demo_server: Serve, redis_url: str, tmp_path: Path) -> None:
    """Without the settings not one request is about these things, and the document knows nothing of them."""
    server = demo_server(world)
    run_export_sync(settings_for(server, tmp_path, redis_url))
    extra = {request.path for request in server.requests if OPTIONAL.search(request.path)}
    assert extra == {f"/api/v2/task/{key}" for key in shared(world)}
    assert [name for name in (*TABLES, "readings") if table(tmp_path, name)] == []
    exported = document(redis_url, server.team_id)
    assert exported.keys().isdisjoint({"goals", "docs"})
    assert exported["as_of"].keys().isdisjoint({"comments", "task_details", "goals", "docs", "doc_pages"})
    assert [task["id"] for task in exported["data"] if {"comments", "details"} & task.keys()] == []


def test_the_document_holds_what_clickup_sent(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Comments stand on their tasks with their replies, details too; goals and docs beside; no secret."""
    server = demo_server(world)
    run_export_sync(settings_for(server, tmp_path, redis_url, **ALL))
    exported = document(redis_url, server.team_id)
    for task in exported["data"]:
        told = comments(world, world.find_task(task["id"]))
        assert [
            (one["id"], one["comment_text"], [reply["id"] for reply in one["replies"]])
            for one in task["comments"]
        ] == [(str(one.id), one.text, [str(reply.id) for reply in one.replies]) for one in told]
        assert list(task["details"]) == ["checklists", "attachments"]
    ledger = make_extras_ledger(world)
    files = [file["id"] for task in exported["data"] for file in task["details"]["attachments"]]
    assert sorted(files) == sorted(ledger.attachments)
    assert {goal["id"]: len(goal["key_results"]) for goal in exported["goals"]} == {
        key: facts["key_results"] for key, facts in ledger.goals.items()
    }
    assert {goal["editor_token"] for goal in exported["goals"]} == {"[redacted]"}
    assert "demo-editor-token" not in json.dumps(exported)
    assert {doc["id"]: doc["pages"][0]["name"] for doc in exported["docs"]} == {
        facts["doc_id"]: facts["name"] for facts in ledger.doc_pages.values() if facts["position"] == 0
    }
    assert set(exported["as_of"]) >= {"comments", "task_details", "goals", "docs", "doc_pages"}


def test_comments_end_where_a_page_is_not_full(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """All comments are read with no page more than it takes to know the end, which ClickUp does not tell."""
    counts = dict(zip(quiet(world), (0, 24, 25, 26, 50, 51), strict=False))
    for task, count in counts.items():
        for number in range(count):
            world.add_comment(task, f"Comment {number}")
    server = demo_server(world)
    run_export_sync(settings_for(server, tmp_path, redis_url, export_comments=True))
    found = Counter(row["task_id"] for row in table(tmp_path, "comments"))
    assert [found[task] for task in counts] == [0, 24, 25, 26, 50, 51]
    assert [asked(server, COMMENTS)[task] for task in counts] == [1, 1, 2, 2, 3, 3]


def test_an_incremental_export_asks_about_what_changed(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Only tasks that changed are asked about again, and no doc that did not; nothing else is lost."""
    server = demo_server(world)
    ours = settings_for(server, tmp_path, redis_url, **ALL)
    run_export_sync(ours)
    edited, silent = quiet(world)[:2]
    world.edit_task(edited, name="Edited")
    world.add_comment(edited, "Seen at once")
    world.add_comment(silent, "Seen later")
    before = len(server.requests)
    assert run_export_sync(ours).mode == "incremental"
    assert asked(server, COMMENTS, before) == {edited: 1}
    assert asked(server, DETAILS, before).keys() - shared(world) == {edited}
    assert asked(server, PAGES, before) == {}
    ledger = make_extras_ledger(world)
    unseen = {key for key, facts in ledger.comments.items() if facts["text"] == "Seen later"}
    assert {row["id"] for row in table(tmp_path, "comments")} == ledger.comments.keys() - unseen
    for name in TABLES[1:]:
        assert held(tmp_path, name, getattr(ledger, name)) == getattr(ledger, name)


def test_a_full_export_asks_again_after_a_while(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """A full export carries over what did not change until the reading is as old as the setting says."""
    server = demo_server(world)
    ours = settings_for(server, tmp_path, redis_url, **ALL)
    run_export_sync(ours)
    silent = quiet(world)[0]
    world.add_comment(silent, "Seen later")
    before = len(server.requests)
    assert run_export_sync(ours, full=True).mode == "full"
    assert asked(server, COMMENTS, before) == asked(server, PAGES, before) == {}
    before, soon = len(server.requests), settings_for(server, tmp_path, redis_url, **ALL, reread_days=1e-9)
    run_export_sync(soon, full=True)
    ledger = make_extras_ledger(world)
    assert asked(server, COMMENTS, before).keys() == world.ledger().tasks.keys()
    assert asked(server, PAGES, before).keys() == ledger.docs.keys()
    for name in TABLES:
        assert held(tmp_path, name, getattr(ledger, name)) == getattr(ledger, name)


def test_a_stream_that_is_switched_on_is_read_whole(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Switched on, a stream is complete in the next export; switched off, it is gone from the next."""
    server = demo_server(world)
    run_export_sync(settings_for(server, tmp_path, redis_url))
    report = run_export_sync(settings_for(server, tmp_path, redis_url, export_comments=True))
    ledger = make_extras_ledger(world)
    assert report.mode == "full"
    assert {row["id"] for row in table(tmp_path, "comments")} == ledger.comments.keys()
    report = run_export_sync(settings_for(server, tmp_path, redis_url, export_goals=True))
    assert report.mode == "incremental"
    assert [len(table(tmp_path, name)) for name in ("comments", "readings", "goals")] == [
        0,
        0,
        len(ledger.goals),
    ]


def test_what_cannot_be_read_is_a_gap_and_is_kept(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """A task, goal or doc that refuses itself is a gap; what was read of it before stays."""
    server = demo_server(world)
    run_export_sync(settings_for(server, tmp_path, redis_url, **ALL))
    exported = document(redis_url, server.team_id)
    task = next(one["id"] for one in exported["data"] if one["comments"] and one["details"]["attachments"])
    goal, doc = (exported[name][0]["id"] for name in ("goals", "docs"))
    refused = [f"/task/{task}/comment", rf"/task/{task}(\?|$)", f"/goal/{goal}", f"/docs/{doc}/pages"]
    broken = demo_server(world, faults=[Fault("refuse", path, code="ACCESS_083") for path in refused])
    again = settings_for(broken, tmp_path, redis_url, **ALL, reread_days=1e-9)
    report = run_export_sync(again, full=True)
    assert {(gap.what, gap.id) for gap in report.gaps if gap.code == "ACCESS_083"} == {
        ("comments", task),
        ("task_details", task),
        ("goals", goal),
        ("doc_pages", doc),
    }
    ledger = make_extras_ledger(world)
    for name in TABLES:
        assert held(tmp_path, name, getattr(ledger, name)) == getattr(ledger, name)
    assert report.deleted == 0


def test_unread_comments_are_null(world: World, demo_server: Serve, redis_url: str, tmp_path: Path) -> None:
    """What could not be read and never was is null in the document, and is asked for by the next full one."""
    task = quiet(world)[0]
    server = demo_server(world, faults=[Fault("refuse", f"/task/{task}/comment", times=1)])
    ours = settings_for(server, tmp_path, redis_url, export_comments=True)
    run_export_sync(ours)
    found = {one["id"]: one["comments"] for one in document(redis_url, server.team_id)["data"]}
    assert [key for key, told in found.items() if told is None] == [task]
    before = len(server.requests)
    report = run_export_sync(ours, full=True)
    assert asked(server, COMMENTS, before) == {task: 1}
    assert [gap for gap in report.gaps if gap.what == "comments"] == []
    found = {one["id"]: one["comments"] for one in document(redis_url, server.team_id)["data"]}
    assert found[task] == []


def test_a_stream_that_refuses_itself_costs_few_requests(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """After many refusals in a row the others are left, with one gap that says so."""
    server = demo_server(world, faults=[Fault("refuse", "/comment", status=403, code="ACCESS_999")])
    report = run_export_sync(
        settings_for(server, tmp_path, redis_url, export_comments=True, export_goals=True)
    )
    gaps = [gap for gap in report.gaps if gap.what == "comments"]
    assert [gap.message for gap in gaps if not gap.id] == [
        f"Of {PATIENCE} tasks in a row the comments could not be read: those behind them were left."
    ]
    assert PATIENCE <= asked(server, COMMENTS).total() <= PATIENCE + 64
    assert table(tmp_path, "goals")


class _CutOffError(Exception):
    pass


def test_a_crawl_that_was_cut_off_goes_on(
    world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """What was answered before the cut is not asked for again, and the result is whole."""
    server = demo_server(world)
    ours = settings_for(server, tmp_path, redis_url, **ALL, concurrency=1)

    def cut(stage: str, done: int, total: int | None) -> None:
        if (stage, done) == ("task details", 60):
            raise _CutOffError

    with pytest.raises(_CutOffError):
        run_export_sync(ours, progress=cut)
    run_export_sync(ours)
    requests = Counter(
        (request.path, request.query) for request in server.requests if OPTIONAL.search(request.path)
    )
    twice = {path for (path, _), count in requests.items() if count > 1}
    assert len(twice - {f"/api/v2/task/{key}" for key in shared(world)}) <= 1
    ledger = make_extras_ledger(world)
    for name in TABLES:
        assert held(tmp_path, name, getattr(ledger, name)) == getattr(ledger, name)
