"""Secrets inside payloads: gone wherever they stand, and nothing else touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickup_toolkit.normalise import redact

MARKED = "[redacted]"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            b'{"webhooks": [{"id":"w", "secret" : "O94IM"}]}',
            b'{"webhooks": [{"id":"w", "secret" : "[redacted]"}]}',
        ),
        (b'{"inbound_address":"a.t.1@tasks.clickup.com","x":1}', b'{"inbound_address":"[redacted]","x":1}'),
        (b'{"goal":{"editor_token":"abc\\"def"}}', b'{"goal":{"editor_token":"[redacted]"}}'),
        (b'{"sharing":{"public":true,"token":"s3"}}', b'{"sharing":{"public":true,"token":"[redacted]"}}'),
        (
            b'{"sharing":{"a":[{"token":"s3"}]},"token":"t"}',
            b'{"sharing":{"a":[{"token":"[redacted]"}]},"token":"t"}',
        ),
        (b'{"secret":{"a":"}","b":["]"]},"c":1}', b'{"secret":"[redacted]","c":1}'),
        (b'{"secret":12345}', b'{"secret":"[redacted]"}'),
        (b'{"secret":null,"inbound_address":"","editor_token":false}', None),
        (b'{"name":"secret","text":"\\"secret\\": \\"x\\"","token":"kept"}', None),
        (b'{"name":"say \\"secret", "x": "y"}', None),
    ],
)
def test_secrets_are_replaced_and_the_rest_stays(sent: bytes, kept: bytes | None) -> None:
    """Each secret's value is a marker afterwards; everything else is byte for byte as sent."""
    assert redact.page(sent) == (sent if kept is None else kept)


def test_a_page_without_secrets_is_the_same_object() -> None:
    """The common page is neither copied nor changed."""
    page = b'{"tasks":[{"id":"1","name":"x"}]}'
    assert redact.page(page) is page


_KEYS = st.sampled_from(
    ["secret", "inbound_address", "editor_token", "sharing", "token", "name", 'a "secret"']
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["hidden one", '"secret":"x"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.booleans())
def test_exactly_the_secrets_are_replaced_in_any_json(sent: object, spaced: bool) -> None:
    """For any nesting, the page equals the one in which the secrets were replaced by hand."""
    separators = (" , ", " : ") if spaced else (",", ":")
    page = json.dumps(sent, separators=separators).encode()
    assert json.loads(redact.page(page)) == _by_hand(sent, False)


def _by_hand(value: Any, shared: bool) -> Any:
    if isinstance(value, list):
        return [_by_hand(item, shared) for item in value]
    if not isinstance(value, dict):
        return value
    hidden = {"secret", "inbound_address", "editor_token"} | ({"token"} if shared else set())
    return {
        key: MARKED
        if key in hidden and not (inner is None or isinstance(inner, bool) or inner == "")
        else _by_hand(inner, shared or key == "sharing")
        for key, inner in value.items()
    }
