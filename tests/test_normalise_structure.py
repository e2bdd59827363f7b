"""The structure: one row for every place, whatever answers it came from."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.client import Answer
from clickup_toolkit.normalise.structure import STREAMS, Structure
from clickup_toolkit.records import (
    CustomField,
    Folder,
    Gap,
    List,
    Member,
    Space,
    Status,
    Tag,
    TaskType,
    Workspace,
)
from tests.test_normalise_values import JSON

OPEN = {"id": "p1", "status": "Open", "orderindex": 0, "color": "#d3d3d3", "type": "open"}
CLOSED = {"id": "p2", "status": "Closed", "orderindex": 1, "color": "#6bc950", "type": "closed"}


def told(*answers: tuple[str, Any, dict[str, str]]) -> list[NamedTuple]:
    """Return the rows that these answers make."""
    structure = Structure("9")
    for stream, body, context in answers:
        structure.add(Answer(stream, context, 1, json.dumps(body).encode()))
    return list(structure.rows())


def of(kind: type[NamedTuple], rows: list[NamedTuple]) -> list[NamedTuple]:
    """Return the rows of one table."""
    return [row for row in rows if type(row) is kind]


def test_the_workspace_and_its_members() -> None:
    """Owners, guests and invited people who never joined; another workspace's people are not ours."""
    members = [
        {"user": {"id": 1, "username": "Ada", "role": 1, "date_joined": "5", "last_active": "7"}},
        {"user": {"id": 2, "username": None, "email": "x@example.com", "role": 3, "date_joined": None,
                  "date_invited": "6"}, "invited_by": {"id": 1}},
        {"user": {"id": 3, "username": "Guest", "role": 4, "initials": "G", "color": "#1"}},
        {"user": {"id": None}},
    ]  # fmt: skip
    teams = [{"id": 9, "name": "Acme", "color": "#2", "members": members}, {"id": "8", "members": members}]
    rows = told(("teams", {"teams": teams}, {}), ("plan", {"plan_name": "Business", "plan_id": 3}, {}))
    assert of(Workspace, rows) == [Workspace("9", "Acme", "#2", "Business")]
    assert of(Member, rows) == [
        Member("1", "Ada", None, None, None, "owner", "active", 5, None, 7),
        Member("2", None, "x@example.com", None, None, "member", "invited", None, 6, None),
        Member("3", "Guest", None, "G", "#1", "guest", "active"),
    ]
    assert [gap.id for gap in of(Gap, rows) if isinstance(gap, Gap)] == ["in 9"]


SPACES = (
    "spaces",
    {"spaces": [{"id": "S1", "name": "Product", "private": False, "statuses": [OPEN, CLOSED],
                 "multiple_assignees": True}]},
    {"archived": "true"},
)  # fmt: skip


def test_places_are_told_apart_and_together() -> None:
    """Subfolders, placeholder folders, inlined, folderless and shared lists, each as one row."""
    context = {"space_id": "S1", "archived": "false", "in_archived": "true"}
    folders = [
        {"id": "F1", "name": "Web", "orderindex": 3, "hidden": False, "space": {"id": "S1"},
         "task_count": "4", "archived": False, "override_statuses": True, "statuses": [CLOSED],
         "lists": [{"id": "L1", "name": "Board", "task_count": 4, "archived": False}]},
        {"id": "F2", "name": "Sub", "parent_folder": "F1", "lists": []},
    ]  # fmt: skip
    rows = told(
        SPACES,
        ("folders", {"folders": folders}, context),
        ("folder_lists", {"lists": [{"id": "L1", "due_date": "77", "folder": {"id": "F1"}}]},
         {"folder_id": "F1", "space_id": "S1", "archived": "false", "in_archived": "true"}),
        ("folderless_lists", {"lists": [
            {"id": 7, "name": "Inbox", "folder": {"id": "F0", "hidden": True}, "override_statuses": None},
            {"id": "L8", "deleted": True}]}, {**context, "archived": "true"}),
        ("list", {"id": "7", "statuses": [OPEN, OPEN, {"status": None}], "inbound_address": "x"},
         {"list_id": "7", "space_id": "S1"}),
        ("shared", {"shared": {"tasks": [], "lists": [{"id": "L9", "name": "Theirs"}, {"id": "L1"}],
                               "folders": [{"id": "F9", "name": "Their folder"}]}}, {}),
    )  # fmt: skip
    assert of(Space, rows) == [Space("S1", "Product", None, False, True, True)]
    assert of(Folder, rows) == [
        Folder("F1", "Web", "S1", None, 3.0, False, True, False, True, 4),
        Folder("F2", "Sub", "S1", "F1", None, False, True, False, None, None),
        Folder("F9", "Their folder", None, None, None, None, False, True, None, None),
    ]
    assert of(List, rows) == [
        List("L1", "Board", "S1", "F1", None, False, True, False, None, 4, None, 77),
        List("7", "Inbox", "S1", None, None, True, True, False, None, None),
        List("L9", "Theirs", None, None, None, None, False, True, None, None),
    ]
    assert of(Status, rows) == [
        Status("L1", "Closed", "closed", 1, "#6bc950", "p2"),
        Status("7", "Open", "open", 0, "#d3d3d3", "p1"),
    ]


def test_a_list_with_statuses_of_its_own_has_no_others() -> None:
    """Where ClickUp did not tell a list's own statuses, those of its folder and space are not taken."""
    context = {"space_id": "S1", "archived": "true", "in_archived": "false"}
    listed = [
        {"id": "1", "override_statuses": True, "folder": {"id": "F1"}},
        {"id": "2", "override_statuses": False, "folder": {"id": "F1"}},
        {"id": "3", "override_statuses": None, "folder": {"id": "F2"}},
    ]
    rows = told(
        ("spaces", {"spaces": [{"id": "S1", "statuses": [OPEN]}]}, {"archived": "false"}),
        ("folders", {"folders": [{"id": "F1"}, {"id": "F2", "override_statuses": True}]}, context),
        ("folder_lists", {"lists": listed}, context),
    )
    assert [(row.list_id, row.status) for row in of(Status, rows)] == [("2", "Open")]


def test_tags_task_types_and_fields() -> None:
    """Task types may come wrapped in a list; the built-in ones are always there."""
    rows = told(
        ("tags", {"tags": [{"name": "bug", "tag_fg": "#1", "tag_bg": "#2", "creator": 3}, {"tag_fg": ""}]},
         {"space_id": "S1"}),
        ("task_types", [{"custom_items": [{"id": "1300", "name": "Bug", "name_plural": "Bugs"}]}], {}),
        ("fields", {"fields": [{"id": "f1", "name": "Risk", "type": "number"}]},
         {"scope": "space", "scope_id": "S1"}),
    )  # fmt: skip
    assert of(Tag, rows) == [Tag("S1", "bug", "#1", "#2", "3")]
    assert of(TaskType, rows) == [
        TaskType(0, "Task", "Tasks"),
        TaskType(1, "Milestone", "Milestones"),
        TaskType(1300, "Bug", "Bugs"),
    ]
    assert of(CustomField, rows) == [CustomField("f1", "Risk", "number", "space", "S1")]
    assert len(of(Gap, rows)) == 1


@pytest.mark.parametrize("stream", sorted(STREAMS.keys() - {"plan", "shared", "teams"}))
def test_an_answer_that_makes_no_sense_is_a_gap(stream: str) -> None:
    """A whole answer that is not understood is said, not dropped."""
    rows = told((stream, {"odd": 1}, {"space_id": "S1"}))
    assert [row.code for row in rows if isinstance(row, Gap)] == ["NOT_UNDERSTOOD"]


@given(st.sampled_from(sorted(STREAMS)), JSON, JSON)
def test_any_answer_of_the_structure_is_read(stream: str, value: object, inner: object) -> None:
    """Whatever ClickUp answers, the structure is read as far as it goes."""
    odd = [
        {"id": 1, "lists": [inner], "statuses": inner, "space": value, "parent_folder": inner},
        value,
        inner,
    ]
    names = ("teams", "spaces", "folders", "lists", "tags", "fields", "custom_items", "members")
    body = dict.fromkeys(names, odd)
    for sent in (body, {"shared": body}, value):
        assert isinstance(told((stream, sent, {}))[0], Workspace)
