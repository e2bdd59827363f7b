"""Custom fields of every type, and the values ClickUp really sends for them.

A drop-down's value is the option's position (on old fields a string or the option's id), labels are option
ids, numbers and money are strings, a rating is ``"4"``, a date a string of milliseconds; and where nothing
is set the key ``value`` is missing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from clickup_toolkit.demo.ids import mix, task_id
from clickup_toolkit.demo.model import DAY, Field
from clickup_toolkit.demo.vocabulary import CLIENTS, SENTENCES

if TYPE_CHECKING:
    from clickup_toolkit.demo.state import State

__all__ = ["SPACE_FIELDS", "UNSET", "WORKSPACE_FIELDS", "field_value", "make_field"]


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = _Unset()
"""No value: the key ``value`` is absent."""

Template = tuple[str, str, float]
"""A field to be made: its name, type, and how often it is set."""

WORKSPACE_FIELDS: tuple[Template, ...] = (
    ("Operator", "drop_down", 0.6),
    ("Reviewer", "users", 0.35),
    ("Effort", "number", 0.5),
)

SPACE_FIELDS: tuple[Template, ...] = (
    ("Release", "short_text", 0.5), ("Reproducible", "checkbox", 0.5), ("Severity", "drop_down", 0.7),
    ("Feedback", "text", 0.3), ("Figma", "url", 0.6), ("Affected ports", "labels", 0.4),
    ("Go live", "date", 0.4), ("Budget", "currency", 0.4), ("Progress", "automatic_progress", 1.0),
    ("Contact", "email", 0.4), ("Hotline", "phone", 0.3), ("Port", "location", 0.4),
    ("Satisfaction", "emoji", 0.5), ("Related work", "tasks", 0.25), ("Completion", "manual_progress", 0.5),
    ("Score", "formula", 0.8), ("Campaign list", "list_relationship", 0.2), ("Contract", "attachment", 0.15),
    ("Votes", "votes", 0.3), ("Total effort", "rollup", 0.4), ("Signed by", "signature", 0.1),
    ("Approve", "button", 0.0), ("Severity", "drop_down_old", 0.5), ("Team", "people_old", 0.3),
)  # fmt: skip
"""Handed out to spaces, folders and lists in turn, so that every workspace meets every type."""

_OPTIONS = {
    "Severity": ("low", "high", "critical 🔥"),
    "Operator": CLIENTS[:2],
    "Affected ports": ("Kiel", "Göteborg", "Πειραιάς"),
}
_OPTION_COLORS = ("#2ecd6f", "#f9d900", "#ff7800", "#e50000", "#bf55ec", "#0231e8")
_PORTS = (
    (54.3213, 10.1349, "Kiel, Germany"),
    (57.7089, 11.9746, "Göteborg, Sverige"),
    (51.1279, 1.3134, "Dover, UK"),
)


def make_field(template: Template, scope: str, scope_id: str, created: int, salt: int) -> Field:
    """Return a field made after the template, defined at the place."""
    name, kind, fill = template
    config = _config(name, kind, salt)
    type_ = {"drop_down_old": "drop_down", "people_old": "users"}.get(kind, kind)
    if kind == "drop_down_old":
        config["old"] = True
    only_type = 1001 if name == "Reproducible" else None
    return Field(_uuid(salt), name, type_, config, created, scope, scope_id, fill, salt, only_type=only_type)


def _uuid(*numbers: int) -> str:
    return str(uuid.UUID(int=mix(*numbers) << 64 | mix(*numbers, 1), version=4))


def _config(name: str, kind: str, salt: int) -> dict[str, object]:
    options = _OPTIONS.get(name, ())
    if kind.startswith("drop_down"):
        return {"sorting": "manual", "new_drop_down": True, "options": _options(options, salt, "name")}
    if kind == "labels":
        return {"options": _options(options, salt, "label")}
    return dict(_CONFIGS.get(kind, {}))


def _options(names: Sequence[str], salt: int, key: str) -> list[dict[str, object]]:
    options: list[dict[str, object]] = []
    for order, name in enumerate(names):
        option: dict[str, object] = {
            "id": _uuid(salt, 7, order),
            key: name,
            "color": _OPTION_COLORS[order % 6],
        }
        if key == "name":
            option["orderindex"] = order
        options.append(option)
    return options


_CONFIGS: dict[str, dict[str, object]] = {
    "users": {"single_user": False, "include_guests": True, "include_team_members": True},
    "currency": {"default": None, "precision": 2, "currency_type": "EUR"},
    "emoji": {"count": 5, "code_point": "2b50"},
    "automatic_progress": {"tracking": {"subtasks": True, "checklists": True}, "complete_on": 3},
    "manual_progress": {"start": 0, "end": 100, "current": None},
    "formula": {"formula": "{effort} * 2 + 1", "version": "1.3", "is_dynamic": False},
    "tasks": {"fields": []},
    "list_relationship": {"fields": [], "subcategory_inverted_name": "Feeds"},
    "rollup": {"aggregate_function": "sum"},
    "votes": {"reset_votes": False, "voting_anonymous": False},
}


def field_value(world: State, task: int, field: Field) -> object:
    """Return the value that the task holds in the field, as ClickUp writes it; UNSET for none."""
    if world.field_edits and (task, field.id) in world.field_edits:
        return world.field_edits[task, field.id]
    draw = world.draw(task, field.salt)
    if (draw & 0xFFFF) / 0x10000 >= field.fill:
        return UNSET
    return _VALUES[field.type](world, task, field, draw >> 16)


def _drop_down(world: State, task: int, field: Field, draw: int) -> object:
    options = field.config["options"]
    assert isinstance(options, list)
    chosen = draw % len(options)
    if field.config.get("old"):  # fields from before the new drop-down answer in other types
        return (chosen, str(chosen), options[chosen]["id"])[draw // 8 % 3]
    return chosen


def _labels(world: State, task: int, field: Field, draw: int) -> object:
    options = field.config["options"]
    assert isinstance(options, list)
    return [option["id"] for place, option in enumerate(options) if draw >> place & 3 == 0]


def _users(world: State, task: int, field: Field, draw: int) -> object:
    return [
        world.person_json(
            world.people[draw % len(world.people)], "id username email color initials profilePicture"
        )
    ]


def _tasks(world: State, task: int, field: Field, draw: int) -> object:
    # The name as it was first: a task does not change because another one does.
    other = draw % world.first_size
    return [{
        "id": task_id(other), "name": world.first_names.get(other) or world.tasks.names[other],
        "custom_type": None, "team_id": world.team_id, "deleted": False,
        "url": f"https://app.clickup.com/t/{task_id(other)}", "access": True,
    }]  # fmt: skip


def _progress(world: State, task: int, field: Field, draw: int) -> object:
    percent = draw % 101
    return {"percent_complete": percent} if field.type == "automatic_progress" else {
        "percent_completed": percent / 100, "current": str(percent)}  # fmt: skip


def _location(world: State, task: int, field: Field, draw: int) -> object:
    lat, lng, address = _PORTS[draw % len(_PORTS)]
    return {
        "location": {"lat": lat, "lng": lng},
        "place_id": f"ChIJ{draw % 10**8}",
        "formatted_address": address,
    }


def _attachment(world: State, task: int, field: Field, draw: int) -> object:
    name = f"contract-{draw % 900}.pdf"
    return [{
        "id": _uuid(draw) + ".pdf", "date": str(field.created), "title": name, "type": 1, "extension": "pdf",
        "size": draw % 900_000, "url": f"https://t{world.team_id}.p.clickup-attachments.com/{_uuid(draw)}/{name}",
    }]  # fmt: skip


def _date(world: State, task: int, field: Field, draw: int) -> object:
    return str(world.tasks.created[task] // DAY * DAY + draw % 90 * DAY + 4 * 3_600_000)


def _old_number(world: State, task: int, field: Field, draw: int) -> object:
    amount = draw % 400 / 8
    return (f"{amount:g}", str(int(amount)), int(amount))[min(draw >> 20 & 15, 2)]


_Value = Callable[["State", int, Field, int], object]

_VALUES: dict[str, _Value] = {
    "drop_down": _drop_down,
    "labels": _labels,
    "users": _users,
    "tasks": _tasks,
    "list_relationship": _tasks,
    "automatic_progress": _progress,
    "manual_progress": _progress,
    "location": _location,
    "attachment": _attachment,
    "date": _date,
    "number": _old_number,
    "currency": lambda world, task, field, draw: f"{draw % 5_000_000 / 100:.2f}",
    "checkbox": lambda world, task, field, draw: (True, "true", False, "false")[draw % 4],
    "emoji": lambda world, task, field, draw: str(1 + draw % 5),
    "short_text": lambda world, task, field, draw: f"2{draw % 5}.{draw % 12}.{draw % 7}",
    "text": lambda world, task, field, draw: SENTENCES[draw % len(SENTENCES)].format(
        client=CLIENTS[draw % 6]
    ),
    "url": lambda world, task, field, draw: (
        f"https://www.figma.com/file/{draw % 10**9:x}?node-id={draw % 99}%3A1"
    ),
    "email": lambda world, task, field, draw: f"desk{draw % 40}@operators.example",
    "phone": lambda world, task, field, draw: f"+49 431 {draw % 900000 + 100000}",
    "formula": lambda world, task, field, draw: (draw % 90, f"{draw % 900 / 10}", None)[
        min(draw >> 20 & 7, 2)
    ],
    "rollup": lambda world, task, field, draw: {"value": draw % 300, "count": draw % 9},
    "votes": lambda world, task, field, draw: draw % 6,
    "signature": lambda world, task, field, draw: {"signed": True, "date": str(field.created + draw % DAY)},
    "button": lambda world, task, field, draw: UNSET,
}
