"""What a check of ``doctor`` found, and how a check becomes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clickup_toolkit.errors import ToolkitError

__all__ = ["Finding", "Remark", "checked"]


class Finding(NamedTuple):
    """What a check found. ``state`` is ``ok``, ``warning`` or ``problem``; ``remedy`` says what to do."""

    check: str
    state: str
    found: str
    remedy: str = ""


class Remark(ToolkitError):
    """Something that works, but not as well as it could."""


def checked(name: str, check: Callable[[], str]) -> Finding:
    """Return what ``check`` says as a finding, or what it raises as a warning or a problem."""
    try:
        return Finding(name, "ok", check())
    except Remark as remark:
        return Finding(name, "warning", remark.message, remark.remedy)
    except ToolkitError as error:
        return Finding(name, "problem", error.message, error.remedy)
