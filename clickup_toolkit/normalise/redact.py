"""Secrets out of what ClickUp sends, everything else byte for byte as sent.

Some answers carry secrets that have no place in an export: a webhook's ``secret``, a list's
``inbound_address`` (whoever knows it can create tasks by mail), a goal's ``editor_token``, and the ``token``
of a task's public sharing. A page without such a key, the common case, is returned as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

__all__ = ["MARKER", "page"]

MARKER = b'"[redacted]"'
"""What stands in the place of a secret: a JSON text."""

# Within a JSON text every quote is escaped, so an unescaped quote, a name, a quote and a colon are a key.
_SECRET = re.compile(rb'(?<!\\)"(?:secret|inbound_address|editor_token)"\s*:\s*')
_SHARING = re.compile(rb'(?<!\\)"sharing"\s*:\s*')
_TOKEN = re.compile(rb'(?<!\\)"token"\s*:\s*')
_TOKEN_SET = re.compile(rb'"token"\s*:\s*(?!null|true|false|""|"\[redacted\]")\S')
# The shape that ClickUp sends, without braces inside; anything else takes the long way. A pattern that
# begins with plain text is searched for twenty times as fast, so what stands before it is looked at later.
_FLAT_SHARING = re.compile(rb'("sharing"\s*:\s*\{[^{}]*?(?<!\\)"token"\s*:\s*)"(?:[^"\\]|\\.)+"', re.DOTALL)
_SIGNS = (b'secret"', b'inbound_address"', b'editor_token"')
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]*")
_STEP = re.compile(rb'[\[{\]}]|"(?:[^"\\]|\\.)*"', re.DOTALL)
_HARMLESS = frozenset({b"null", b"true", b"false", b'""'})


def page(body: bytes) -> bytes:
    """Return a page of JSON with the secrets in it replaced by :data:`MARKER`."""
    if any(sign in body for sign in _SIGNS):
        body = _replace(body, _SECRET, _hide)
    if _TOKEN_SET.search(body):  # a task that is not shared has the key too, without a value
        body = _FLAT_SHARING.sub(_hide_flat, body)
        if _TOKEN_SET.search(body):
            body = _replace(body, _SHARING, lambda value: _replace(value, _TOKEN, _hide))
    return body


def _replace(body: bytes, key: re.Pattern[bytes], change: Callable[[bytes], bytes]) -> bytes:
    """Return ``body`` with the value behind each ``key`` changed; keys inside such a value are left."""
    parts: list[bytes] = []
    done = 0
    for match in key.finditer(body):
        start = match.end()
        if match.start() < done:
            continue
        end = _end_of_value(body, start)
        parts += (body[done:start], change(body[start:end]))
        done = end
    return b"".join(chain(parts, (body[done:],))) if parts else body


def _hide_flat(found: re.Match[bytes]) -> bytes:
    escaped = found.string[found.start() - 1 : found.start()] == b"\\"
    return found[0] if escaped else found[1] + MARKER


def _hide(value: bytes) -> bytes:
    return value if value in _HARMLESS else MARKER


def _end_of_value(body: bytes, start: int) -> int:
    first = body[start : start + 1]
    if first in (b"{", b"["):
        return _end_of_nested(body, start)
    match = (_TEXT if first == b'"' else _SCALAR).match(body, start)
    return match.end() if match else len(body)


def _end_of_nested(body: bytes, start: int) -> int:
    depth = 0
    for step in _STEP.finditer(body, start):
        sign = step[0]
        depth += (sign in (b"{", b"[")) - (sign in (b"}", b"]"))
        if depth == 0:
            return step.end()
    return len(body)
