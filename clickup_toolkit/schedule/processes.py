"""Ending a process with everything that it started."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

__all__ = ["kill_family"]


def kill_family(pid: int) -> None:
    """Kill the process, its group, and on Linux whatever it started, in groups of its own too.

    A kernel that papermill started leads a group of its own, and one that hangs heeds nothing else.
    """
    family = [*_descendants(pid), pid]
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for member in family:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(member, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Return the children of a process, and theirs; none where there is no ``/proc``."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])  # the name before may hold anything
            parents.setdefault(parent, []).append(int(stat.parent.name))
    found, new = [], [pid]
    while new:
        new = [child for parent in new for child in parents.get(parent, ())]
        found += new
    return found
