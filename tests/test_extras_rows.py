"""Comments, details, goals and docs to rows, in the forms in which ClickUp sends them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.normalise import redact
from clickup_toolkit.normalise.comments import comment_rows, with_replies
from clickup_toolkit.normalise.details import detail_rows, details_of
from clickup_toolkit.normalise.docs import doc_row, page_rows, pages_of
from clickup_toolkit.normalise.goals import goal_rows, together
from clickup_toolkit.normalise.members import Crowd
from clickup_toolkit.records import (
    Attachment,
    Checklist,
    ChecklistItem,
    Comment,
    Doc,
    DocPage,
    Goal,
    KeyResult,
)

JOHN = {"id": 183, "username": "John", "email": "john@example.com", "color": "#827718", "initials": "J"}


def encoded(value: object) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()


def test_a_comment_is_a_row_and_so_are_the_replies() -> None:
    """Who wrote what and when, who is to act on it, and what it answers."""
    told = {
        "id": "458", "comment": [{"text": "Ship"}], "comment_text": "Ship", "user": JOHN, "resolved": False,
        "assignee": JOHN, "assigned_by": None, "reactions": [], "date": "1568036964079", "reply_count": "1",
        "replies": [{"id": 459, "comment_text": "", "user": {"id": 7}, "date": 1568036964080}],
    }  # fmt: skip
    crowd = Crowd(["183"])
    assert list(comment_rows("a", encoded([told]), crowd)) == [
        Comment("458", "a", None, "183", 1568036964079, "Ship", False, "183", None, 1),
        Comment("459", "a", "458", "7", 1568036964080, None),
    ]
    assert [member.id for member in crowd.left()] == ["7"]


def test_replies_are_added_to_what_was_sent() -> None:
    """The comment stays byte for byte as it was; what it had under the same name is replaced."""
    assert with_replies(b'{"id" : "1","x":1.50}', b"[]") == b'{"id" : "1","x":1.50,"replies":[]}'
    assert with_replies(b'{"id":"1","replies":null}', b"[2]") == b'{"id":"1","replies":[2]}'
    assert with_replies(b"{}", b"[]") == b'{"replies":[]}'


def test_checklist_items_nest() -> None:
    """Items below an item are sent inside it, beside it with its id, or as bare ids: each is one row."""
    inner = {"id": "i2", "name": "below", "parent": "i1", "resolved": True, "assignee": JOHN}
    items = [
        {"id": "i1", "name": "top", "orderindex": 0, "resolved": False, "children": [inner, "i3"]},
        {"id": "i3", "name": "beside", "parent": "i1", "due_date": "1568036964079", "children": []},
    ]
    checklist = {
        "id": "c",
        "name": "Release",
        "orderindex": 1,
        "creator": 183,
        "resolved": 1,
        "unresolved": 2,
    }
    body = details_of(encoded({"id": "a", "name": "Task", "checklists": [{**checklist, "items": items}]}))
    assert body is not None
    assert list(detail_rows("a", body, Crowd([]))) == [
        Checklist("c", "a", "Release", 1.0, "183", None, 1, 2),
        ChecklistItem("i1", "c", "a", None, "top", 0.0, False),
        ChecklistItem("i2", "c", "a", "i1", "below", None, True, "183"),
        ChecklistItem("i3", "c", "a", "i1", "beside", due_date=1568036964079),
    ]


def test_an_attachment_is_what_is_known_of_it() -> None:
    """Numbers may come as text; the file itself is nowhere."""
    file = {
        "id": "f.png", "date": "1568036964079", "title": "shot.png", "version": 0, "extension": "png",
        "mimetype": "image/png", "size": "2048", "user": JOHN, "deleted": False, "url": "https://x.test/f.png",
    }  # fmt: skip
    body = details_of(encoded({"attachments": [file, None, {"title": "without id"}]})) or b""
    assert list(detail_rows("a", body, Crowd([]))) == [
        Attachment(
            "f.png", "a", "shot.png", "png", "image/png", 2048, "0", 1568036964079, "183", False,
            "https://x.test/f.png",
        )
    ]  # fmt: skip
    assert details_of(b"[]") is None


def test_a_goal_has_the_keys_of_both_routes() -> None:
    """The list tells the newest, the goal's own route the key results; the editor's token is nowhere."""
    listed = redact.page(
        encoded({"id": "g", "name": "New", "pretty_id": "6", "folder_id": "f", "editor_token": "goal:1:2"})
    )
    result = {"id": "k", "type": "number", "unit": "ports", "steps_start": 0, "steps_end": "8"}
    more = {"steps_current": None, "owners": [JOHN], "task_ids": ["a", 9], "completed": False}
    alone = encoded({"id": "g", "name": "Old", "owners": [JOHN, 184], "key_results": [{**result, **more}]})
    body = together(listed, alone)
    assert b"goal:1:2" not in body
    assert list(goal_rows(body, {"f": "Season"}, Crowd([]))) == [
        Goal(
            "g",
            name="New",
            number="6",
            folder_id="f",
            folder_name="Season",
            owners='["183","184"]',
        ),
        KeyResult(
            "k",
            "g",
            type="number",
            unit="ports",
            steps_start=0.0,
            steps_end=8.0,
            completed=False,
            owners='["183"]',
            task_ids='["a","9"]',
        ),
    ]


def test_pages_of_a_doc_are_rows_in_reading_order() -> None:
    """A page comes before those below it; ids and times may be numbers or text."""
    doc = {"id": "d", "name": "Why", "parent": {"id": 9, "type": 4}, "creator": 183, "date_created": 5,
           "public": False, "archived": True}  # fmt: skip
    assert doc_row(encoded(doc), Crowd([])) == Doc("d", "Why", "9", 4, "183", False, True, None, 5)
    pages = [
        {"id": "p1", "name": "One", "content": "# 1", "pages": [{"id": "p2", "pages": [{"id": "p3"}]}]},
        {"id": "p4", "name": "", "creator_id": 183, "date_updated": "5"},
    ]
    body = pages_of(encoded(pages))
    assert body == encoded(pages)
    assert list(page_rows("d", body, Crowd([]))) == [
        DocPage("p1", "d", None, 0, "One", "# 1"),
        DocPage("p2", "d", "p1", 1),
        DocPage("p3", "d", "p2", 2),
        DocPage("p4", "d", None, 3, None, None, "183", None, None, 5),
    ]
    assert pages_of(b'{"pages":[]}') is None


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "user", "date", "replies", "items", "children", "checklists", "attachments", "parent",
                 "owners", "key_results", "creator", "pages", "resolved", "orderindex", "content", "size"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(odd=ODD)
def test_nothing_raises_because_of_what_clickup_sent(odd: Any) -> None:
    """Whatever comes in whatever place, there are rows or there are none."""
    body, crowd = encoded(odd), Crowd([])
    found: list[object] = [doc_row(body, crowd), *goal_rows(together(body, body), {}, crowd)]
    found += comment_rows("a", encoded([odd]), crowd)
    found += detail_rows("a", details_of(body) or b"{}", crowd)
    found += page_rows("d", pages_of(body) or b"[]", crowd)
    assert all(row is None or row[0] for row in found)  # type: ignore[index]  # rows are tuples
