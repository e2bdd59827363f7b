"""Objects and pages whose fields are not what they should be."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.normalise.shapes import (
    Flag,
    Number,
    Reference,
    Span,
    Text,
    Time,
    Whole,
    items,
    mend,
    not_understood,
    read,
)
from clickup_toolkit.records import Gap
from tests.test_normalise_values import JSON


class Inner(msgspec.Struct):
    """An object within another."""

    name: Text = None


class Outer(msgspec.Struct):
    """A field of every kind."""

    name: Text = None
    flag: Flag = None
    number: Number = None
    whole: Whole = None
    time: Time = None
    span: Span = None
    inner: Inner | None = None
    either: Inner | str | None = None
    many: list[Inner] | None = None
    raw: msgspec.Raw = msgspec.Raw(b"")


def test_the_usual_types_are_read_at_once() -> None:
    """Numbers may come as text, texts stay texts."""
    sent = b'{"name": "null", "flag": "true", "number": "1.5", "whole": "7", "time": "159", "either": "x"}'
    assert read(sent, Outer) == Outer("null", True, 1.5, 7, 159, either="x")


def test_an_odd_field_costs_only_itself() -> None:
    """Each field that is not understood is None, and everything around it is read."""
    sent = {
        "name": 7,
        "flag": "yes",
        "number": "nan",
        "whole": 1 << 70,
        "time": "",
        "span": -5,
        "inner": [],
        "either": {"name": ["x"]},
        "many": [{"name": "a"}, 5, None, {"name": {}}],
    }
    expected = Outer("7", either=Inner(), many=[Inner("a"), Inner()])
    assert read(json.dumps(sent).encode(), Outer) == expected


@pytest.mark.parametrize("sent", [b"[]", b"5", b"null", b'"x"', b"", b"{", b'{"a":}'])
def test_what_is_no_object_is_none(sent: bytes) -> None:
    """Something else than an object is not understood as one."""
    assert read(sent, Outer) is None


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(Outer.__struct_fields__, JSON)))
def test_any_json_in_any_field_is_read(sent: dict[str, object]) -> None:
    """Whatever stands in the fields, the object is read and no error is raised."""
    assert isinstance(read(json.dumps(sent).encode(), Outer), Outer)


def test_items_of_a_page_keep_their_bytes() -> None:
    """A page is split without changing what is in it."""
    page = b'{"tasks": [{"id" : "1"}, 5, {"id":"2","x":1e400}], "last_page": true}'
    found = items(page, "tasks") or []
    assert [bytes(item) for item in found] == [b'{"id" : "1"}', b"5", b'{"id":"2","x":1e400}']


@pytest.mark.parametrize(
    ("page", "found"),
    [(b'{"data": null}', 0), (b'{"data": []}', 0), (b'{"data": {}}', None), (b"{}", None), (b"[]", None)],
)
def test_a_page_without_a_list_is_told_from_an_empty_one(page: bytes, found: int | None) -> None:
    """Null means that there is nothing; anything else that is no list is not understood."""
    listed = items(page, "data")
    assert (None if listed is None else len(listed)) == found


def test_a_page_with_half_a_character_is_mended() -> None:
    """Text cut in the middle of an emoji, and invalid UTF-8, do not cost the page."""
    names = (b"cut \\ud83d", b"\xff \\ud83d\\ude00 \\\\ud83d")
    page = b'{"tasks": [%s]}' % b", ".join(b'{"name": "%s"}' % name for name in names)
    found = [read(item, Inner) for item in items(page, "tasks") or ()]
    assert found == [Inner("cut \ufffd"), Inner("\ufffd \U0001f600 \\ud83d")]


@given(st.text())
def test_mending_leaves_what_is_whole(text: str) -> None:
    """Valid JSON is returned as it was."""
    sent = msgspec.json.encode(text)
    escaped = json.dumps(text).encode()
    assert (mend(sent), mend(escaped)) == (sent, escaped)


def test_the_key_of_a_reference_is_text() -> None:
    """Ids are text whether they came as number or as text."""
    assert [Reference(5).key, Reference("5").key, Reference(None).key] == ["5", "5", None]


def test_what_is_not_understood_says_what_came() -> None:
    """The gap shows the beginning of what was sent."""
    assert not_understood("tasks", "in L1", b"[1,2]") == Gap(
        "tasks",
        "in L1",
        "NOT_UNDERSTOOD",
        "ClickUp sent something that is not understood: [1,2]",
        "Report it to the toolkit's maintainers; everything else was read.",
    )
