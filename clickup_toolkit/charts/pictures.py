"""Figures as PNG pictures, for slides and documents that take no HTML."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import plotly.graph_objects as go

from clickup_toolkit.errors import StorageError

__all__ = ["to_png"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def to_png(figure: go.Figure, path: str | Path, *, width: int = 1000, scale: float = 2) -> Path:
    """Write the figure as a PNG picture of ``width`` and its own height, times ``scale``; return the path.

    Raises :class:`StorageError` that names what to install where kaleido or a Chromium, which draws the
    picture, is missing, and where the picture cannot be written.
    """
    target = Path(path).expanduser()
    if importlib.util.find_spec("kaleido") is None:
        raise StorageError(
            "Pictures need kaleido, which is not installed.", "Install it: pip install kaleido"
        )
    if not any(map(shutil.which, _BROWSERS)):
        raise StorageError(
            "Pictures need a Chromium or Chrome, which is not installed.",
            "Install it: apt-get install chromium",
        )
    picture = figure.to_image(format="png", width=width, height=figure.layout.height or 450, scale=scale)
    try:
        target.write_bytes(picture)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}.", "Name another file.") from error
    return target
