"""The way back: settings as the environment of another process of ours."""

from __future__ import annotations

import dataclasses
import os

from clickup_toolkit.settings import SETTINGS, Secret, Settings

__all__ = ["environment"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which another process reads exactly these settings.

    Every variable is named, an empty one too, so that no ``.env`` file fills it in.
    """
    said = {
        SETTINGS[field.name].variable: _as_text(field.name, getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }
    return {**os.environ, **said}


def _as_text(name: str, value: object) -> str:
    if value is None:
        return "auto" if name == "concurrency" else ""
    if name == "working_days" and isinstance(value, tuple):
        return ",".join(_WEEKDAYS[day] for day in value)
    if isinstance(value, frozenset):
        value = tuple(sorted(value))
    if isinstance(value, tuple):
        return ",".join("-".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)
    return value.reveal() if isinstance(value, Secret) else str(value)
