"""How figures are shown without asking a foreign host.

Plotly's default in a kernel writes its JSON alone, which JupyterLab and VS Code draw with a script of their
own, and which a page made by nbconvert leaves blank; its ``notebook`` renderer would do, but embeds 4.8 MB
and asks a foreign host for MathJax. So figures are written twice: as JSON, and as HTML that draws with a
copy of plotly.js, compressed, that the notebook holds once: in the cell that shows its first figure.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import plotly.graph_objects as go
import plotly.io as pio
from plotly.io.base_renderers import MimetypeRenderer

from clickup_toolkit.charts.look import FAINT

__all__ = ["PLOTLY_JS_MARK", "OfflineRenderer", "plotly_js", "show_offline", "to_html"]

PLOTLY_JS_MARK = "clickup_toolkit.plotly_js"
"""The key in the metadata of the output that holds plotly.js, for readers that have their own."""

_NAME = "clickup_toolkit"
_PLOTLYS_OWN = ("plotly_mimetype", "plotly_mimetype+notebook")
_CONFIG = {"displaylogo": False, "responsive": True, "plotlyServerURL": ""}

_Bundle: TypeAlias = dict[str, str]
_About: TypeAlias = dict[str, bool]
_Running: TypeAlias = tuple[str | None, str | None]

_LOADER = """<script>
window.clickupPlotly ??= (() => {
  let ready;
  return () => ready ??= (async () => {
    const packed = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  })();
})();
</script>"""

_FIGURE = """<div style="min-height:%(height)spx"><p style="color:%(ink)s">%(title)s</p></div>
<script>
(async () => {
  const place = document.currentScript.previousElementSibling, figure = %(figure)s;
  if (!window.clickupPlotly) {
    place.append("The chart is drawn once all cells of the notebook have been run.");
    return;
  }
  await window.clickupPlotly();
  place.replaceChildren();
  Plotly.newPlot(place, figure.data, figure.layout, figure.config);
})();
</script>"""


def show_offline() -> None:
    """Let figures of this kernel be shown without a foreign host; a renderer that somebody chose stays.

    Outside a kernel nothing changes.
    """
    if pio.renderers.default in _PLOTLYS_OWN and "ipykernel" in sys.modules:
        pio.renderers[_NAME] = OfflineRenderer()
        pio.renderers.default = _NAME


def to_html(figure: go.Figure) -> str:
    """Return a page that shows the figure on its own: plotly.js is in it, no other file or host is asked."""
    return str(
        pio.to_html(figure, config=_CONFIG, include_plotlyjs=True, full_html=True, default_width="100%")
    )


def _display(bundle: _Bundle, about: _About) -> None:
    from IPython.display import publish_display_data

    publish_display_data(bundle, metadata=about)  # type: ignore[no-untyped-call]


def _running() -> _Running:
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    request = kernel.get_parent("shell") if kernel is not None else {}
    return request.get("metadata", {}).get("cellId"), request.get("header", {}).get("msg_id")


class OfflineRenderer(MimetypeRenderer):  # type: ignore[misc]  # plotly has no types
    """Writes a figure as JSON, as HTML and as its title; the first one brings plotly.js along.

    ``display`` writes an output of its own into the running cell; ``running`` tells the id of that cell
    (None where the front end does not say) and of this run of it.
    """

    def __init__(
        self,
        display: Callable[[_Bundle, _About], None] = _display,
        running: Callable[[], _Running] = _running,
    ) -> None:
        self.display = display
        self.running = running
        self._holder: list[_Running] = []  # shared by the copies that plotly makes of a renderer

    def to_mimebundle(self, fig_dict: dict[str, Any]) -> dict[str, object]:
        """Return what the notebook stores of the figure."""
        if self._is_to_bring_plotly_js():
            self.display({"text/html": plotly_js(), "text/plain": ""}, {PLOTLY_JS_MARK: True})
        told = json.loads(pio.to_json({**fig_dict, "config": _CONFIG}, validate=False, remove_uids=False))
        title = re.sub("<[^>]*>", "", told.get("layout", {}).get("title", {}).get("text", ""))
        return {
            "application/vnd.plotly.v1+json": told,
            "text/html": _html(told, title),
            "text/plain": title,
        }

    def _is_to_bring_plotly_js(self) -> bool:
        """Tell whether no cell holds plotly.js yet, or the one that does is being run again."""
        cell, run = self.running()
        if self._holder:
            holder, earlier = self._holder[0]
            if cell is None or cell != holder or run == earlier:
                return False
        self._holder[:] = [(cell, run)]
        return True


def _html(told: dict[str, Any], title: str) -> str:
    text = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")
    height = told.get("layout", {}).get("height", 450)
    return _FIGURE % {"height": height, "ink": FAINT, "title": html.escape(title), "figure": text}


@cache
def plotly_js() -> str:
    """Return a script that holds plotly.js, compressed, and the function ``clickupPlotly`` that loads it."""
    script = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return _LOADER % base64.b64encode(gzip.compress(script, 9, mtime=0)).decode()
