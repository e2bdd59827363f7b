"""Takes a whole ClickUp workspace out of the API, completely and fast, and makes it useful."""

import importlib

__all__ = ["Workspace", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import :class:`Workspace` when it is asked for: pandas and plotly take two seconds."""
    if name == "Workspace":
        # By name, so that the modules below, which ask for the version, do not depend on what lies above.
        return importlib.import_module("clickup_toolkit.workspace").Workspace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
