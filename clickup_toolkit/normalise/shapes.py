"""Objects and pages: decoded in one go where they are as expected, field by field where they are not.

A shape is a :class:`msgspec.Struct` that names only what is needed; all its fields have defaults. ClickUp's
types differ from their description and from one day to the next, so an unexpected type costs one field and
never the object.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeAlias, TypeVar, Union, get_args, get_origin

import msgspec

from clickup_toolkit.normalise.values import (
    EARLIEST,
    LATEST,
    LONGEST,
    boolean,
    duration,
    identifier,
    integer,
    real,
    text,
    timestamp,
)
from clickup_toolkit.records import Gap

__all__ = [
    "MISSING",
    "Flag",
    "Number",
    "Reference",
    "Span",
    "Text",
    "Time",
    "Whole",
    "exact",
    "items",
    "mapping",
    "mend",
    "not_understood",
    "read",
]

Text: TypeAlias = str | None
Flag: TypeAlias = bool | None
Number: TypeAlias = Annotated[float, msgspec.Meta(ge=-1.7e308, le=1.7e308)] | None
Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None
Time: TypeAlias = Annotated[int, msgspec.Meta(ge=EARLIEST, le=LATEST)] | None
"""Milliseconds since 1970 UTC, sent as number or as text."""
Span: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=LONGEST)] | None
"""A span of time, in the unit in which it is sent."""

Shape = TypeVar("Shape", bound=msgspec.Struct)

MISSING = msgspec.Raw(b"")
"""The default of a raw field: nothing was sent."""

_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..)", re.DOTALL
)


class Reference(msgspec.Struct, gc=False):
    """The id and the name of another thing; ``hidden`` marks ClickUp's placeholder folders."""

    id: str | int | None = None
    name: Text = None
    hidden: Flag = None

    @property
    def key(self) -> str | None:
        """The id as text."""
        return identifier(self.id)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


def exact(body: bytes | msgspec.Raw, shape: type[Shape]) -> Shape | None:
    """Return ``body`` as ``shape``; None if anything in it is not as expected."""
    try:
        found: Shape = _decoder(shape).decode(body)
    except _BROKEN:
        return None
    return found


def read(body: bytes | msgspec.Raw, shape: type[Shape]) -> Shape | None:
    """Return ``body`` as ``shape``, fields that are not understood being None; None if it is no object."""
    found = exact(body, shape)
    return _rescue_object(body, shape) if found is None else found


def _rescue_object(body: bytes | msgspec.Raw, shape: type[Shape]) -> Shape | None:
    parts = mapping(body)
    if parts is None:
        return None
    found = {
        name: _rescue(parts[encoded], kind) for name, encoded, kind in _fields(shape) if encoded in parts
    }
    return shape(**{name: value for name, value in found.items() if value is not None})


@cache
def _fields(shape: type[msgspec.Struct]) -> list[tuple[str, str, Any]]:
    return [(field.name, field.encode_name, field.type) for field in msgspec.structs.fields(shape)]


def _rescue(body: msgspec.Raw, kind: Any) -> Any:
    """Return what can be understood of a value that should be of type ``kind``."""
    try:
        return body if kind is msgspec.Raw else _decoder(kind).decode(body)
    except _BROKEN:
        pass
    tolerant = _TOLERANT.get(kind)
    if tolerant is None:
        return next(filter(None, (_rescue_part(body, option) for option in _options(kind))), None)
    try:
        return tolerant(_decoder(Any).decode(body))
    except _BROKEN:
        return None


_TOLERANT: dict[Any, Callable[[object], object]] = {
    Text: text,
    Flag: boolean,
    Number: real,
    Whole: integer,
    Time: timestamp,
    Span: duration,
}
"""How a value is read that is not of its type at first sight."""


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _rescue_part(body: msgspec.Raw, kind: Any) -> Any:
    if get_origin(kind) is list:
        (inner,) = get_args(kind)
        found = (_rescue(item, inner) for item in _raw_items(body) or ())
        return [item for item in found if item is not None]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _rescue_object(body, kind)
    return None


def mapping(body: bytes | msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """Return the members of a JSON object, each as sent; None if it is no object."""
    try:
        found: dict[str, msgspec.Raw] = _decoder(dict[str, msgspec.Raw]).decode(body)
    except _BROKEN:
        return None
    return found


def _raw_items(body: bytes | msgspec.Raw) -> list[msgspec.Raw] | None:
    try:
        found: list[msgspec.Raw] = _decoder(list[msgspec.Raw]).decode(body)
    except _BROKEN:
        return None
    return found


@cache
def _page(key: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(
        msgspec.defstruct("Page", [("items", list[msgspec.Raw])], rename={"items": key})
    )


def items(body: bytes, key: str) -> list[msgspec.Raw] | None:
    """Return the items under ``key`` of a page, each as sent; None if there is no such list.

    An answer of null counts as an empty list: so ClickUp says that there are no time entries.
    """
    for attempt in (bytes, mend):
        text = attempt(body)
        try:
            found: list[msgspec.Raw] = _page(key).decode(text).items
        except _BROKEN:
            members = mapping(text)
            if members is not None and bytes(members.get(key, MISSING)) == b"null":
                return []
        else:
            return found
    return None


def mend(body: bytes) -> bytes:
    """Return ``body`` with what no JSON reader accepts replaced: invalid UTF-8, and halves of a character.

    Such halves come from texts that were cut in the middle of an emoji.
    """
    valid = body.decode("utf-8", "replace").encode()
    return _LONE_SURROGATE.sub(lambda m: m[1] + (m[2] or rb"\ufffd"), valid)


def not_understood(what: str, id: str, body: bytes | msgspec.Raw) -> Gap:  # noqa: A002  # the gap's own word
    """Return the gap that says that ClickUp sent something which is no such thing."""
    excerpt = bytes(body)[:60].decode("utf-8", "replace")
    return Gap(
        what,
        id,
        "NOT_UNDERSTOOD",
        f"ClickUp sent something that is not understood: {excerpt}",
        "Report it to the toolkit's maintainers; everything else was read.",
    )
