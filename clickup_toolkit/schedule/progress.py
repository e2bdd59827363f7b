"""The progress bar of :mod:`clickup_toolkit.progress`, where schedules have had it."""

from __future__ import annotations

from clickup_toolkit.progress import ProgressBar

__all__ = ["ProgressBar"]
