"""Command lines in processes of their own, as a user gives them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from clickup_toolkit.schedule import environment
from clickup_toolkit.settings import Settings

__all__ = ["give"]


def give(
    settings: Settings, *words: str, timeout: float = 120, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Give a command line with these settings, and wait (s) for its end; ``options`` are subprocess.run's."""
    return subprocess.run(
        [sys.executable, "-m", "clickup_toolkit.cli", *words],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )
