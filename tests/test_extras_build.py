"""The optional streams in the database: what is carried over, what goes, who is met."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clickup_toolkit.store import document_tasks
from tests.exporting import head_of
from tests.journals import HOUR, STARTED, Crawl, person, rows, task

BY_TASK = "comments task_details"
SINCE = "1700000000000"


def comment(key: str, text: str, by: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a comment as ClickUp sends it."""
    return {"id": key, "comment_text": text, "user": by or person(1, "Ada"), "date": SINCE, **more}


def crawl(folder: Path, streams: str = BY_TASK, mode: str = "full", hours: int = 0) -> Crawl:
    """Return a crawl that reads these streams, some hours after the first."""
    begun = Crawl(folder / f"{mode}{hours}", mode, STARTED + hours * HOUR).structure()
    begun.journal.note_facts({"streams": streams})
    return begun


def read(database: Path) -> dict[str, Any]:
    """Return the tasks of the document by id."""
    return {key: json.loads(body) for key, body in document_tasks(database)}


def test_pages_and_replies_come_together_by_task(tmp_path: Path) -> None:
    """A task's comments stand in ClickUp's order, each once, with the replies, however they arrived."""
    told = crawl(tmp_path).tasks(task("a"), task("b"))
    told.says("comments", {"comments": [comment("9", "nine", reply_count="1")]}, task_id="a")
    told.says("comments", {"comments": []}, task_id="b")
    told.says("comment_replies", {"comments": [comment("91", "re")]}, task_id="a", comment_id="9")
    told.says("comments", {"comments": [comment("9", "again"), comment("8", "eight")]}, task_id="a")
    database, _ = told.build()
    found = read(database)
    assert [(one["id"], one["comment_text"], one["replies"]) for one in found["a"]["comments"]] == [
        ("9", "nine", [comment("91", "re")]),
        ("8", "eight", []),
    ]
    assert found["b"]["comments"] == []
    assert rows(database, "SELECT id, task_id, parent_id, text, replies FROM comments ORDER BY id") == [
        ("8", "a", None, "eight", None),
        ("9", "a", None, "nine", 1),
        ("91", "a", "9", "re", None),
    ]


def test_what_was_not_asked_again_is_carried_over(tmp_path: Path) -> None:
    """A full export keeps earlier readings of the tasks it found, and drops those of the others."""
    first = crawl(tmp_path).tasks(task("a"), task("b"), task("gone"))
    for key in ("a", "b", "gone"):
        first.says("comments", {"comments": [comment(f"1{key}", "old")]}, task_id=key)
        first.says("task_details", {"id": key, "attachments": [{"id": f"f{key}"}]}, task_id=key)
    previous, _ = first.build()
    second = crawl(tmp_path, hours=5).tasks(task("a", date_updated="1700000009000"), task("b"))
    second.says("comments", {"comments": [comment("2a", "new")]}, task_id="a")
    database, _ = second.build(previous=previous)
    assert rows(database, "SELECT id, text FROM comments ORDER BY id") == [("1b", "old"), ("2a", "new")]
    assert rows(database, "SELECT id FROM attachments ORDER BY id") == [("fa",), ("fb",)]
    assert rows(database, "SELECT what, id, updated FROM readings ORDER BY what, id") == [
        ("comments", "a", "2023-11-14T22:13:29.000Z"),
        ("comments", "b", "2023-11-14T22:13:21.000Z"),
        ("task_details", "a", "2023-11-14T22:13:21.000Z"),
        ("task_details", "b", "2023-11-14T22:13:21.000Z"),
    ]
    assert read(database)["b"]["details"] == {"checklists": [], "attachments": [{"id": "fb"}]}


def test_a_reading_that_broke_off_does_not_replace_a_whole_one(tmp_path: Path) -> None:
    """Half of the comments are better than none, and worse than those of before; neither counts as read."""
    first = crawl(tmp_path).tasks(task("a"))
    previous, _ = first.says("comments", {"comments": [comment("1", "whole")]}, task_id="a").build()
    later = crawl(tmp_path, hours=5).tasks(task("a", date_updated="1700000009000"), task("new"))
    for key in ("a", "new"):
        later.says("comments", {"comments": [comment(f"half-{key}", "half")]}, task_id=key)
        later.lacks("comments", key, "HTTP_500")
    database, _ = later.build(previous=previous)
    assert rows(database, "SELECT task_id, text FROM comments ORDER BY id") == [
        ("a", "whole"),
        ("new", "half"),
    ]
    assert rows(database, "SELECT id, updated FROM readings") == [("a", "2023-11-14T22:13:21.000Z")]


def test_an_incremental_build_replaces_what_was_read(tmp_path: Path) -> None:
    """Comments that were deleted in ClickUp go with the next reading; other tasks keep theirs."""
    first = crawl(tmp_path).tasks(task("a"), task("b"))
    for key in ("a", "b"):
        told = [comment(f"1{key}", "one"), comment(f"2{key}", "two", person(8, "Gone"))]
        first.says("comments", {"comments": told}, task_id=key)
    previous, _ = first.build()
    second = crawl(tmp_path, mode="incremental", hours=5).tasks(task("a", date_updated="1700000009000"))
    second.says("comments", {"comments": [comment("2a", "changed")]}, task_id="a")
    database, _ = second.build(previous=previous)
    assert rows(database, "SELECT id, text FROM comments ORDER BY id") == [
        ("1b", "one"),
        ("2a", "changed"),
        ("2b", "two"),
    ]
    assert rows(database, "SELECT username, state FROM members ORDER BY id") == [
        ("Ada", "active"),
        ("Gone", "left"),
    ]


def test_a_stream_that_is_off_leaves_nothing(tmp_path: Path) -> None:
    """Neither rows nor raw JSON nor readings of a stream stay once it is switched off."""
    first = crawl(tmp_path, f"{BY_TASK} docs goals").tasks(task("a"))
    first.says("comments", {"comments": [comment("1", "one")]}, task_id="a")
    first.says("goals", {"goals": [{"id": "g", "name": "Goal"}], "folders": []})
    first.says("docs", {"docs": [{"id": "d", "name": "Doc", "date_updated": 5}]}, archived="false")
    first.says("doc_pages", [{"id": "p", "content": "# Why"}], doc_id="d")
    previous, _ = first.build()
    kinds = (
        "SELECT DISTINCT kind FROM raw WHERE kind IN ('comments', 'goal', 'doc', 'doc_pages') ORDER BY kind"
    )
    assert rows(previous, kinds) == [("comments",), ("doc",), ("doc_pages",), ("goal",)]
    database, _ = crawl(tmp_path, "", "incremental", 5).build(previous=previous)
    assert rows(database, kinds) == []
    for table in ("comments", "goals", "docs", "doc_pages", "readings"):
        assert rows(database, table) == []


def test_goals_and_docs_stay_when_their_list_cannot_be_read(tmp_path: Path) -> None:
    """A refused list loses nothing; with a list that was read, what it lacks is gone, pages too."""
    first = crawl(tmp_path, "docs goals")
    folder = {"id": "f", "name": "Season", "goals": [{"id": "g2", "folder_id": "f"}]}
    first.says("goals", {"goals": [{"id": "g1"}], "folders": [folder]})
    first.says("goal", {"goal": {"id": "g2", "key_results": [{"id": "k", "steps_end": "4"}]}}, goal_id="g2")
    first.says("docs", {"docs": [{"id": "d1", "date_updated": 5}, {"id": "d2"}]}, archived="false")
    first.says("doc_pages", [{"id": "p", "content": "# Why"}], doc_id="d1")
    previous, _ = first.build()
    refused = crawl(tmp_path, "docs goals", "incremental", 5).lacks("goals", "9").lacks("docs")
    kept, _ = refused.build(previous=previous)
    goals = (
        "SELECT g.id, g.folder_name, k.steps_end FROM goals AS g LEFT JOIN key_results AS k ON goal_id = g.id"
    )
    docs = "SELECT d.id, p.content FROM docs AS d LEFT JOIN doc_pages AS p ON doc_id = d.id ORDER BY d.id"
    assert sorted(rows(kept, goals)) == [("g1", None, None), ("g2", "Season", 4.0)]
    assert rows(kept, docs) == [("d1", "# Why"), ("d2", None)]
    last = crawl(tmp_path, "docs goals", "incremental", 9)
    last.says("goals", {"goals": [{"id": "g1"}]}).says("docs", {"docs": [{"id": "d2"}]})
    database, _ = last.build(previous=kept)
    assert rows(database, goals) == [("g1", None, None)]
    assert rows(database, docs) == [("d2", None)]
    assert rows(database, "readings") == []
    head = head_of(database)
    assert head["docs"] == [{"id": "d2", "pages": None}]


def test_what_is_not_understood_is_a_gap(tmp_path: Path) -> None:
    """Something that is no comment, task, goal or doc is named; everything else is there."""
    told = crawl(tmp_path, f"{BY_TASK} docs goals").tasks(task("a"))
    told.says("comments", {"comments": ["what?", comment("1", "one")]}, task_id="a")
    told.says("task_details", b'"no task"', task_id="a")
    told.says("goals", {"goals": [7, {"id": "g"}], "folders": [None]})
    told.says("docs", {"docs": [{"name": "nameless"}, {"id": "d"}]})
    told.says("doc_pages", {"pages": []}, doc_id="d")
    database, _ = told.build()
    assert rows(database, "SELECT what, id FROM gaps WHERE code = 'NOT_UNDERSTOOD' ORDER BY what") == [
        ("comments", "a"),
        ("doc_pages", "d"),
        ("docs", ""),
        ("goals", ""),
        ("task_details", "a"),
    ]
    assert [rows(database, f"SELECT id FROM {name}") for name in ("comments", "goals", "docs")] == [
        [("1",)],
        [("g",)],
        [("d",)],
    ]
