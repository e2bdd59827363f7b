"""Figures as PNG pictures, for slides and documents that take no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import plotly.graph_objects as go

from clickup_toolkit.errors import StorageError

__all__ = ["to_png", "to_pngs"]

_KALEIDO = "Install it: pip install 'clickup-workspace-toolkit[notebooks]'"
_CHROMIUM = "Install it: apt-get install chromium; or name one with BROWSER_PATH."


def to_png(figure: go.Figure, path: str | Path, *, width: int = 1000, scale: float = 2) -> Path:
    """Write the figure as a PNG picture of ``width`` and its own height, times ``scale``; return the path.

    Raises :class:`StorageError` that names what to install where kaleido, or a Chromium or Chrome, which
    draws the picture, is missing, and where the picture cannot be written.
    """
    target = Path(path).expanduser()
    picture = to_pngs([figure], width=width, scale=scale)[0]
    try:
        target.write_bytes(picture)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}.", "Name another file.") from error
    return target


def to_pngs(figures: Sequence[go.Figure], *, width: int = 1000, scale: float = 2) -> list[bytes]:
    """Return the pictures that :func:`to_png` writes, all drawn by one Chromium."""
    if not figures:
        return []
    try:
        import kaleido
        from choreographer.errors import ChromeNotFoundError
    except ModuleNotFoundError as error:
        raise StorageError("Pictures need kaleido, which is not installed.", _KALEIDO) from error
    # Nothing is asked of a foreign host: plotly.js is the package's own, and MathJax is not used.
    script = str(files("plotly") / "package_data" / "plotly.min.js")
    try:
        kaleido.start_sync_server(silence_warnings=True, plotlyjs=script, mathjax=False)
        return [
            bytes(kaleido.calc_fig_sync(each.to_dict(), opts=_size(each, width, scale))) for each in figures
        ]
    except ChromeNotFoundError as error:
        raise StorageError(
            "Pictures need a Chromium or Chrome, which is not installed.", _CHROMIUM
        ) from error
    finally:
        kaleido.stop_sync_server(silence_warnings=True)


def _size(figure: go.Figure, width: int, scale: float) -> dict[str, object]:
    return {"format": "png", "width": width, "height": figure.layout.height or 450, "scale": scale}
