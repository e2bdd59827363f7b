"""What is to be exported: ``workspaces.toml``, read and checked as a whole.

A plan holds no secret: it may be shown, logged and sent to a scheduler.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.fleet.references import is_reference
from clickup_toolkit.objects import is_address
from clickup_toolkit.settings import SETTINGS, Settings

__all__ = ["KEYS", "Entry", "Plan", "read_plan"]

_SECRET = {field.name for field in dataclasses.fields(Settings) if "Secret" in str(field.type)}
_OWN = ("name", "scratch")
_ALONE = frozenset({"name", "team_id"})
KEYS = (*SETTINGS, *_OWN)
"""What may stand in an entry: every setting, ``name``, and ``scratch``, the worker's own folder."""

Texts = dict[str, str]


class Entry(msgspec.Struct, frozen=True):
    """One workspace: ``settings`` by field name, as texts or references; ``data_dir`` and ``scratch`` apart.

    ``data_dir`` and ``scratch`` are empty for what the worker's own environment says.
    """

    team_id: str
    name: str
    settings: Texts
    data_dir: str = ""
    scratch: str = ""

    @property
    def token(self) -> str:
        """Where the token is found."""
        return self.settings["token"]


class Plan(msgspec.Struct, frozen=True):
    """All workspaces, in the order of their beginning: each token's first, then each token's second…"""

    entries: tuple[Entry, ...]

    @property
    def tokens(self) -> int:
        """How many tokens there are, told apart by where they are found."""
        return len({entry.token for entry in self.entries})


def read_plan(path: Path) -> Plan:
    """Read ``workspaces.toml``.

    Raises :class:`~clickup_toolkit.errors.SettingsError` naming everything that is wrong; a misplaced token
    is not repeated there.
    """
    given = _loaded(path)
    defaults, tables = given.get("defaults", {}), given.get("workspaces", [])
    wrong = [f"{key} is not known there: only [defaults] and [[workspaces]]." for key in given.keys() - _TOP]
    if not isinstance(defaults, dict):
        wrong, defaults = [*wrong, "defaults must be a table: [defaults]."], {}
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        raise _error(path, [*wrong, "There is no workspace: write [[workspaces]] above each."])
    wrong += [f"[defaults]: {each}" for each in _wrong(defaults, needed=(), forbidden=_ALONE)]
    entries = []
    for number, table in enumerate(tables, 1):
        found = list(_wrong({**defaults, **table}, needed=("team_id", "token"), known=defaults))
        wrong += [f"Workspace {number}{_called(table)}: {each}" for each in found]
        entries.append(_entry({**defaults, **table}) if not found else None)
    read = [entry for entry in entries if entry]
    twice = [team for team, count in Counter(entry.team_id for entry in read).items() if count > 1]
    wrong += [f"Workspace {team} stands there more than once." for team in twice]
    if wrong:
        raise _error(path, wrong)
    return Plan(tuple(_in_turn(read)))


_TOP = {"defaults", "workspaces"}


def _loaded(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _error(path, [f"It cannot be read: {error}."]) from error
    except tomllib.TOMLDecodeError as error:
        raise _error(path, [f"It is not TOML: {error}."]) from None  # the cause may show the line


def _error(path: Path, wrong: list[str]) -> SettingsError:
    count = f"{len(wrong)} things are wrong" if len(wrong) > 1 else "one thing is wrong"
    return SettingsError(f"{path}: {count}.\n" + "\n".join(wrong))


def _called(table: Mapping[str, Any]) -> str:
    name = table.get("name", table.get("team_id"))
    return f" ({name})" if isinstance(name, str | int) and "pk_" not in str(name) else ""


def _wrong(
    table: Mapping[str, Any],
    *,
    needed: tuple[str, ...],
    forbidden: frozenset[str] = frozenset(),
    known: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Yield what is wrong with a table; what stands in ``known`` as it is was looked at before."""
    for key in needed:
        if key not in table:
            yield f"{key} is missing. {SETTINGS[key].remedy if key == 'team_id' else _BY_REFERENCE}"
    for key, value in table.items():
        if known is not None and key in known and known[key] is value:
            continue
        if key not in KEYS:
            yield f"{key} is not a setting."
        elif key in forbidden:
            yield f"{key} belongs to one workspace."
        elif problem := _problem(key, value):
            yield f"{key} {problem}"


_BY_REFERENCE = 'Say where it is found: token = "env:CLICKUP_TOKEN_ACME", or "file:/run/secrets/acme".'


def _problem(key: str, value: object) -> str:
    """Return what is wrong with a value; the value itself only where it cannot be a secret."""
    try:
        text = _as_text(value)
    except ValueError as error:
        return f"{error}."
    if is_reference(text):
        return "must stand there itself: it tells workspaces apart." if key in (*_ALONE, *_FOLDERS) else ""
    if key in _SECRET:
        return f"must be a reference. {_BY_REFERENCE}"
    if "://" in text and "@" in text:
        return "holds a password, so it must be a reference: env:NAME or file:PATH."
    if key in _OWN or (key == "data_dir" and is_address(text)):
        return ""
    try:
        SETTINGS[key].read(text)
    except ValueError as error:
        return f"{error}."
    return ""


_FOLDERS = ("data_dir", "scratch")


def _as_text(value: object) -> str:
    """Return a TOML value as the text of a variable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    if isinstance(value, dict):
        raise ValueError("must be one value, not a table")
    text = str(value).strip()
    if not text:
        raise ValueError("is empty")
    return text


def _entry(table: Mapping[str, Any]) -> Entry:
    texts = {key: _as_text(value) for key, value in table.items()}
    team, name = texts.pop("team_id"), texts.pop("name", "")
    data_dir, scratch = texts.pop("data_dir", ""), texts.pop("scratch", "")
    return Entry(team, name or team, texts, data_dir, scratch)


def _in_turn(entries: list[Entry]) -> list[Entry]:
    """Take the tokens in turn, so that all of their budgets are spent from the start."""
    met: Counter[str] = Counter()
    order = []
    for place, entry in enumerate(entries):
        order.append((met[entry.token], place, entry))
        met[entry.token] += 1
    return [entry for _, _, entry in sorted(order, key=lambda each: each[:2])]
