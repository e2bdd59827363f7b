"""Tokens by reference: ``env:NAME`` or ``file:PATH``, read where the work is done and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from clickup_toolkit.errors import SettingsError

__all__ = ["is_reference", "resolve"]

_ENV, _FILE = "env:", "file:"


def is_reference(text: str) -> bool:
    """Tell whether a value says where to find the value."""
    return text.startswith((_ENV, _FILE)) and text.partition(":")[2].strip() != ""


def resolve(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Return what ``text`` refers to; a text that is no reference is the value itself.

    ``environ`` is where variables are looked up (default: this process's).

    Raises :class:`~clickup_toolkit.errors.SettingsError` when there is nothing on this machine.
    """
    kind, _, place = text.partition(":")
    if not is_reference(text):
        return text
    place = place.strip()
    environ = os.environ if environ is None else environ
    found = environ.get(place, "").strip() if f"{kind}:" == _ENV else _read(Path(place))
    if not found:
        what = "environment variable" if f"{kind}:" == _ENV else "file"
        raise SettingsError(
            f"The {what} {place} is not set or empty on the worker.",
            "Give it to every worker that may export the workspace, and start the workers again.",
        )
    return found


def _read(path: Path) -> str:
    try:
        return path.expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
