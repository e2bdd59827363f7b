"""Custom fields: values of every type as people read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.normalise.fields import Definitions, FieldValue, Reading, field_rows, reading
from clickup_toolkit.normalise.shapes import read
from clickup_toolkit.records import CustomField, TaskCustomField
from tests.test_normalise_values import JSON

OPTIONS = {
    "options": [
        {"id": "1c36", "name": "Low", "orderindex": 0},
        {"id": "6403", "name": "High", "orderindex": 1},
    ]
}
LABELS = {"options": [{"id": "aa", "label": "Web"}, {"id": "bb", "label": "Mobile"}]}
ADA, BOB = {"id": 1, "username": "Ada"}, {"id": 2, "username": None, "email": "bob@example.com"}

VALUES: list[tuple[str | None, Any, Any, Reading]] = [
    ("drop_down", 1, OPTIONS, Reading("High")),
    ("drop_down", "1", OPTIONS, Reading("High")),
    ("drop_down", "1c36", OPTIONS, Reading("Low")),
    ("drop_down", 9, OPTIONS, Reading("9")),
    ("drop_down", ["6403"], OPTIONS, Reading("High")),
    ("labels", ["aa", "bb"], LABELS, Reading("Web, Mobile")),
    ("labels", ["aa", "gone"], LABELS, Reading("Web, gone")),
    ("labels", "bb", LABELS, Reading("Mobile")),
    ("users", [ADA, BOB], {}, Reading("Ada, bob@example.com")),
    ("tasks", [{"id": "86a", "name": "Fix it"}], {}, Reading("Fix it")),
    ("list_relationship", [{"id": "86a", "name": "Fix it"}], {}, Reading("Fix it")),
    ("number", "8", {}, Reading("8", 8.0)),
    ("number", 8.5, {}, Reading("8.5", 8.5)),
    ("number", "many", {}, Reading("many")),
    ("currency", "12.5", {"currency_type": "EUR"}, Reading("12.5 EUR", 12.5)),
    ("currency", 12, {}, Reading("12", 12.0)),
    ("date", "1672770060210", {}, Reading("2023-01-03T18:21:00.210Z", None, 1672770060210)),
    ("date", "soon", {}, Reading("soon")),
    ("checkbox", "true", {}, Reading("true", 1.0)),
    ("checkbox", False, {}, Reading("false", 0.0)),
    ("emoji", "4", {"count": 5}, Reading("4", 4.0)),
    ("automatic_progress", {"percent_complete": 25}, {}, Reading("25 %", 25.0)),
    ("manual_progress", {"current": "7", "percent_completed": 70}, {}, Reading("70 %", 70.0)),
    ("manual_progress", {"current": "7"}, {}, Reading("7", 7.0)),
    ("location", {"formatted_address": "Bern", "location": {"lat": 46.9}}, {}, Reading("Bern")),
    ("location", {"location": {"lat": 46.9, "lng": 7.4}}, {}, Reading("46.9, 7.4")),
    ("text", "Long story", {}, Reading("Long story")),
    ("phone", "+41 31 000 00 00", {}, Reading("+41 31 000 00 00")),
    ("url", "https://example.com", {}, Reading("https://example.com")),
    ("formula", "12.5", {}, Reading("12.5", 12.5)),
    ("formula", "2 days", {}, Reading("2 days")),
    ("formula", None, {}, Reading(None)),
    ("rollup", 3, {}, Reading("3", 3.0)),
    ("attachment", [{"id": "x", "title": "plan.pdf"}], {}, Reading("plan.pdf")),
    ("votes", {"count": 3}, {}, Reading('{"count":3}')),
    (None, {"odd": True}, {}, Reading('{"odd":true}')),
    ("of tomorrow", [1, "b", {"name": "c"}], {}, Reading("1, b, c")),
]


@pytest.mark.parametrize(("kind", "value", "config", "read_as"), VALUES)
def test_values_are_read_by_type(kind: str | None, value: Any, config: Any, read_as: Reading) -> None:
    """A value is what people see in ClickUp, and a number or a time where it is one."""
    assert reading(kind, json.dumps(value).encode(), json.dumps(config).encode()) == read_as


@given(st.sampled_from([kind for kind, *_ in VALUES]), JSON, JSON)
def test_any_value_under_any_type_is_read(kind: str | None, value: object, config: object) -> None:
    """A field whose type changed over time, or whose configuration is odd, costs no error."""
    found = reading(kind, json.dumps(value).encode(), json.dumps(config).encode())
    assert isinstance(found.value, str | None)


def test_fields_that_are_not_set_have_no_row() -> None:
    """Absent, null and empty values are not set; a field that is sent twice counts once."""
    told = [{"id": "f0"}, *({"id": f"f{n}", "value": value} for n, value in enumerate([None, "", [], {}], 1))]
    told += [{"id": "f9", "name": "Risk", "type": "number", "value": value} for value in (0, 1)]
    shapes = [read(json.dumps(one).encode(), FieldValue) for one in told]
    assert list(field_rows("86a", [shape for shape in shapes if shape])) == [
        TaskCustomField("86a", "f9", "Risk", "number", "0", 0.0, None, "0")
    ]


def test_a_definition_counts_from_its_highest_level() -> None:
    """A field that a list and the workspace both name belongs to the workspace."""
    sent = json.dumps(
        {
            "id": "f1",
            "name": "Risk",
            "type": "drop_down",
            "type_config": OPTIONS,
            "date_created": "1672770060210",
            "hide_from_guests": False,
            "required": None,
        }
    ).encode()
    definitions = Definitions()
    known = [
        definitions.add(sent, *place) for place in (("list", "L1"), ("workspace", "9"), ("folder", "F1"))
    ]
    assert known == ["f1", "f1", "f1"]
    assert definitions.add(b"[]", "list", "L1") is None
    assert list(definitions.rows()) == [
        CustomField(
            id="f1",
            name="Risk",
            type="drop_down",
            scope="workspace",
            scope_id="9",
            required=None,
            hide_from_guests=False,
            date_created=1672770060210,
            type_config=json.dumps(OPTIONS),
        )
    ]
