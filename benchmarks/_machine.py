"""Where and under which load figures were measured, and what is being measured now."""

from __future__ import annotations

import os
import platform
import sys

__all__ = ["facts", "load", "tell"]


def load() -> float:
    """Return how many processes wanted to run in the last minute, on average."""
    return round(os.getloadavg()[0], 1)


def facts(load_before: float) -> dict[str, object]:
    """Return what machine this is, and its load before and now."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": load_before,
        "load_after": load(),
    }


def tell(what: str) -> None:
    """Say on standard error what comes."""
    print(f"… {what}", file=sys.stderr, flush=True)
