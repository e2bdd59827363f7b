"""Custom fields: their definitions, and their values as people read them.

A value's form depends on the field's type, and sometimes not even on that: a drop-down holds the position
of its option, or on old fields its id; numbers come as text. Where a value does not fit its type, it is read
by its form alone. The value as sent is kept beside what is read from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import msgspec

from clickup_toolkit.normalise.shapes import MISSING, Flag, Number, Text, Time, read
from clickup_toolkit.normalise.values import (
    boolean,
    identifier,
    instant_text,
    real,
    text,
    timestamp,
)
from clickup_toolkit.records import CustomField, TaskCustomField

__all__ = ["Definitions", "FieldValue", "Reading", "field_rows", "reading"]


class FieldValue(msgspec.Struct, gc=False):
    """A custom field as it stands on a task."""

    id: Text = None
    name: Text = None
    type: Text = None
    type_config: msgspec.Raw = MISSING
    value: msgspec.Raw = MISSING


class _Definition(FieldValue, gc=False):
    required: Flag = None
    hide_from_guests: Flag = None
    date_created: Time = None


class Reading(NamedTuple):
    """What a value says: as text, and as number or time (ms) where it is one."""

    value: str | None
    number: float | None = None
    time: int | None = None


class _Option(msgspec.Struct, gc=False):
    id: Text = None
    name: Text = None
    label: Text = None
    orderindex: Number = None


class _Config(msgspec.Struct, gc=False):
    options: list[_Option] | None = None
    currency_type: Text = None


_SCOPES = {"workspace": 0, "space": 1, "folder": 2, "list": 3, "task": 4}


class Definitions:
    """Definitions of custom fields, each once: from the highest level, and there from the first id."""

    def __init__(self) -> None:
        self._rows: dict[str, CustomField] = {}

    def add(self, body: bytes | msgspec.Raw, scope: str, scope_id: str | None) -> str | None:
        """Take in one definition and return its id; None if it makes no sense."""
        shape = read(body, _Definition)
        key = shape.id if shape else None
        if shape is None or not key:
            return None
        known = self._rows.get(key)
        if known is None or _order(scope, scope_id) <= _order(known.scope, known.scope_id):
            self._rows[key] = CustomField(
                id=key,
                name=shape.name or None,
                type=shape.type or None,
                scope=scope,
                scope_id=scope_id,
                required=shape.required,
                hide_from_guests=shape.hide_from_guests,
                date_created=shape.date_created,
                type_config=_json(shape.type_config),
            )
        return key

    def rows(self) -> Iterable[CustomField]:
        """Return the definitions."""
        return self._rows.values()


def _order(scope: str | None, scope_id: str | None) -> tuple[int, str]:
    return _SCOPES.get(scope or "", len(_SCOPES)), scope_id or ""


def _json(body: msgspec.Raw) -> str | None:
    sent = bytes(body)
    return sent.decode("utf-8", "replace") if sent and sent != b"null" else None


_UNSET = frozenset({b"", b"null", b'""', b"[]", b"{}"})


def field_rows(task_id: str, fields: list[FieldValue]) -> Iterator[TaskCustomField]:
    """Yield the values that are set; of a field that is sent twice, the first."""
    seen: set[str] = set()
    for field in fields:
        raw = bytes(field.value)
        if raw in _UNSET:
            continue
        key, kind = field.id, field.type or None
        if not key or key in seen:
            continue
        seen.add(key)
        value, number, time = reading(kind, raw, bytes(field.type_config))
        yield TaskCustomField(task_id, key, field.name or None, kind, value, number, time, raw.decode())


def reading(kind: str | None, raw: bytes, config: bytes) -> Reading:
    """Return what the value ``raw`` of a field of type ``kind`` says; ``config`` is its ``type_config``."""
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return Reading(None)
    found = _READERS.get(kind or "", _read_any)(value, config)
    return _read_any(value, config) if found is None else found


_decode = msgspec.json.Decoder().decode


class _Options(NamedTuple):
    by_id: dict[str, str]
    by_position: dict[int, str]
    currency: str | None


@lru_cache(maxsize=2048)
def _options(config: bytes) -> _Options:
    """Return the names of a field's options; the same configuration comes with every task."""
    shape = read(config, _Config) if config else None
    by_id: dict[str, str] = {}
    by_position: dict[int, str] = {}
    for position, option in enumerate((shape.options if shape else None) or ()):
        name = option.name or option.label
        if not name:
            continue
        by_id[option.id or ""] = name
        by_position[position if option.orderindex is None else int(option.orderindex)] = name
    return _Options(by_id, by_position, shape.currency_type or None if shape else None)


def _read_any(value: object, config: bytes) -> Reading:
    """Read a value by its form."""
    if isinstance(value, bool):
        return Reading("true" if value else "false", float(value))
    if isinstance(value, int | float):
        return Reading(text(value), real(value))
    if isinstance(value, str):
        return Reading(value)
    return Reading(_name(value) if isinstance(value, dict) else _names(value))


def _read_text(value: object, config: bytes) -> Reading | None:
    return Reading(text(value)) if isinstance(value, str | int | float) else None


def _read_number(value: object, config: bytes) -> Reading | None:
    number = real(value)
    return None if number is None else Reading(text(value), number)


def _read_currency(value: object, config: bytes) -> Reading | None:
    number, currency = real(value), _options(config).currency
    if number is None:
        return None
    return Reading(f"{text(value)} {currency}" if currency else text(value), number)


def _read_checkbox(value: object, config: bytes) -> Reading | None:
    truth = boolean(value)
    return None if truth is None else Reading("true" if truth else "false", float(truth))


def _read_date(value: object, config: bytes) -> Reading | None:
    time = timestamp(value)
    return None if time is None else Reading(instant_text(time), None, time)


def _option_name(value: object, options: _Options) -> str | None:
    """Return the name of the option with this id or at this position."""
    if isinstance(value, dict):
        return _name(value)
    by_id = options.by_id.get(identifier(value) or "")
    place = real(value)
    return by_id if by_id is not None or place is None else options.by_position.get(int(place))


def _read_choice(value: object, config: bytes) -> Reading | None:
    if isinstance(value, list):
        return _read_choices(value, config)
    return Reading(_option_name(value, _options(config)) or text(value) or _names(value))


def _read_choices(value: object, config: bytes) -> Reading | None:
    if not isinstance(value, list):
        return _read_choice(value, config)
    options = _options(config)
    return Reading(_joined(_option_name(item, options) or text(item) for item in value))


def _read_progress(value: object, config: bytes) -> Reading | None:
    if not isinstance(value, dict):
        return _read_number(value, config)
    percent = real(next((value[key] for key in _PERCENT if value.get(key) is not None), None))
    if percent is None:
        return _read_number(value.get("current"), config)
    return Reading(f"{percent:g} %", percent)


_PERCENT = ("percent_completed", "percent_complete")


def _read_location(value: object, config: bytes) -> Reading | None:
    if not isinstance(value, dict):
        return None
    address, point = text(value.get("formatted_address")), value.get("location")
    if address is None and isinstance(point, dict):
        address = _joined(text(point.get(axis)) for axis in ("lat", "lng"))
    return Reading(address) if address else None


_NAMES = ("username", "name", "label", "title", "formatted_address", "email", "id")


def _name(value: dict[object, object]) -> str | None:
    """Return how people call an object: a person, a task, a file."""
    found = next((name for name in map(text, map(value.get, _NAMES)) if name), None)
    return found or msgspec.json.encode(value).decode()


def _names(value: object) -> str | None:
    if not isinstance(value, list):
        return None
    return _joined(_name(item) if isinstance(item, dict) else text(item) for item in value)


def _joined(parts: Iterable[str | None]) -> str | None:
    return ", ".join(part for part in parts if part) or None


def _read_formula(value: object, config: bytes) -> Reading | None:
    number = real(value)
    return _read_any(value, config) if number is None else Reading(text(value), number)


_READERS: dict[str, Callable[[object, bytes], Reading | None]] = {
    "attachment": _read_any,
    "automatic_progress": _read_progress,
    "checkbox": _read_checkbox,
    "currency": _read_currency,
    "date": _read_date,
    "drop_down": _read_choice,
    "email": _read_text,
    "emoji": _read_number,
    "formula": _read_formula,
    "labels": _read_choices,
    "location": _read_location,
    "manual_progress": _read_progress,
    "number": _read_number,
    "phone": _read_text,
    "rollup": _read_formula,
    "short_text": _read_text,
    "text": _read_text,
    "url": _read_text,
    "votes": _read_formula,
}
