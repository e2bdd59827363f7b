"""Single values: every form that was seen, and none that raises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.normalise.values import (
    EARLIEST,
    LATEST,
    LONGEST,
    boolean,
    duration,
    identifier,
    instant_text,
    integer,
    real,
    text,
    timestamp,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Whatever JSON can hold."""


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("1592841559129", 1592841559129),
        (1592841559129, 1592841559129),
        (1592841559129.0, 1592841559129),
        ("1592841559129.0", 1592841559129),
        ("-86400000", -86400000),
        ("2020-06-22T15:59:19.129Z", 1592841559129),
        ("", None),
        ("0", 0),
        ("soon", None),
        (None, None),
        (True, None),
        ({"date": 1}, None),
        ([], None),
        (10**18, None),
        (float("inf"), None),
    ],
)
def test_timestamps_come_in_many_forms(sent: object, read: int | None) -> None:
    """A timestamp may be text, a number, a fraction, ISO text, empty or anything else."""
    assert timestamp(sent) == read


@pytest.mark.parametrize(
    ("parse", "sent", "read"),
    [
        (integer, "12", 12),
        (integer, 12.9, 12),
        (integer, 1 << 63, None),
        (integer, "twelve", None),
        (integer, False, None),
        (real, "12.5", 12.5),
        (real, 12, 12.0),
        (real, "nan", None),
        (real, 10**400, None),
        (real, [1], None),
        (boolean, "true", True),
        (boolean, "False", False),
        (boolean, 1, True),
        (boolean, 0, False),
        (boolean, 2, None),
        (boolean, "maybe", None),
        (boolean, None, None),
        (identifier, 901704940706, "901704940706"),
        (identifier, "901704940706", "901704940706"),
        (identifier, 12.0, "12"),
        (identifier, "", None),
        (identifier, True, None),
        (identifier, {"id": 1}, None),
        (text, "a", "a"),
        (text, "", None),
        (text, 4, "4"),
        (text, ["a"], None),
        (duration, "3600000", 3600000),
        (duration, -1592841559129, None),
        (duration, LONGEST + 1, None),
    ],
)
def test_scalars_come_in_many_forms(parse: Callable[[object], object], sent: object, read: object) -> None:
    """Numbers, booleans, ids and texts are read from every form that makes sense, and from no other."""
    assert parse(sent) == read
    assert type(parse(sent)) is type(read)


@given(ANYTHING)
def test_no_value_raises_or_leaves_the_range_that_tables_can_hold(sent: object) -> None:
    """Whatever JSON can hold is a value within 64 bits and the years 1 to 9999, or None."""
    at, number = timestamp(sent), integer(sent)
    assert at is None or EARLIEST <= at <= LATEST
    assert number is None or -(1 << 63) <= number < 1 << 63
    assert real(sent) is None or abs(real(sent) or 0) < float("inf")
    assert boolean(sent) in (True, False, None)
    assert isinstance(identifier(sent), str | None)
    assert isinstance(text(sent), str | None)


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_survives_its_text(milliseconds: int) -> None:
    """An instant written as ISO text names the same ms."""
    written = instant_text(milliseconds)
    assert (len(written), written[-1], written[10]) == (24, "Z", "T")
    assert abs((timestamp(written) or 0) - milliseconds) <= (0 if milliseconds > 0 else 1)
