"""Writes a ``.env`` file: what changed changes, every other line stays, and nobody else may read it."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from dotenv.parser import parse_stream

from clickup_toolkit.errors import StorageError

__all__ = ["write_settings"]

_PLAIN = re.compile(r"[\w./:@+,-]*")  # what needs no quotes, for a shell and for Compose


def write_settings(path: Path, values: Mapping[str, str]) -> None:
    """Assign ``values`` in the file, whole or not at all, with mode 0600; a link stays a link.

    Raises :class:`StorageError` when the file cannot be written.
    """
    target = path.resolve()
    aside = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        before = target.read_text("utf-8-sig") if target.exists() else ""
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor has no path
            file.write("".join(_lines(before, dict(values))))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise StorageError(
            f"{path.absolute()} cannot be written: {error.strerror}.", "Name another file with --env-file."
        ) from error


def _lines(before: str, values: dict[str, str]) -> Iterator[str]:
    """Yield the text with the assignments replaced where they stand, or added at the end."""
    left, ended = dict(values), True
    for binding in parse_stream(io.StringIO(before)):
        original = binding.original.string
        if binding.key in values:
            left.pop(binding.key, None)
            blank = original[: len(original) - len(original.lstrip())]
            yield f"{blank}{_assignment(binding.key, values[binding.key])}"
            ended = True
        else:
            yield original
            ended = original.endswith("\n")
    if left and not ended:
        yield "\n"
    for name, value in left.items():
        yield _assignment(name, value)


def _assignment(name: str, value: str) -> str:
    """Return the line; in single quotes a ``$`` is a dollar, for Compose too."""
    if _PLAIN.fullmatch(value):
        return f"{name}={value}\n"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{escaped}'\n"
