"""How figures are shown without asking a foreign host.

Plotly's default in a kernel writes its JSON alone, which JupyterLab and VS Code draw with a script of their
own, and which a page made by nbconvert leaves blank; its ``notebook`` renderer would do, but embeds 4.8 MB
and asks a foreign host for MathJax. So figures are written twice: as JSON, and as HTML that draws with a
copy of plotly.js, compressed, that the notebook holds once: in the cell that shows its first figure.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from functools import cache
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
from plotly.io.base_renderers import MimetypeRenderer

from clickup_toolkit.charts.look import FAINT

__all__ = ["PLOTLY_JS_MARK", "OfflineRenderer", "show_offline", "to_html"]

PLOTLY_JS_MARK = "clickup_toolkit.plotly_js"
"""The key in the metadata of the output that holds plotly.js, for readers that have their own."""

_NAME = "clickup_toolkit"
_PLOTLYS_OWN = ("plotly_mimetype", "plotly_mimetype+notebook")
_CONFIG = {"displaylogo": False, "responsive": True, "plotlyServerURL": ""}

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


class OfflineRenderer(MimetypeRenderer):  # type: ignore[misc]  # plotly has no types
    """Writes a figure as JSON, as HTML and as its title; the first one brings plotly.js along."""

    def __init__(self) -> None:
        self._seen: dict[str, object] = {}  # shared by the copies that plotly makes of a renderer

    def to_mimebundle(self, fig_dict: dict[str, Any]) -> dict[str, object]:
        """Return what the notebook stores of the figure."""
        if self._is_to_bring_plotly_js():
            _display({"text/html": _loader(), "text/plain": ""}, {PLOTLY_JS_MARK: True})
        told = json.loads(pio.to_json({**fig_dict, "config": _CONFIG}, validate=False, remove_uids=False))
        title = (
            str(told.get("layout", {}).get("title", {}).get("text", ""))
            .replace("<b>", "")
            .replace("</b>", "")
        )
        return {
            "application/vnd.plotly.v1+json": told,
            "text/html": _html(told, title),
            "text/plain": title,
        }

    def _is_to_bring_plotly_js(self) -> bool:
        """Tell whether no cell holds plotly.js yet, or the one that does is being run again."""
        cell = _cell_id()
        if "holder" in self._seen and (cell is None or self._seen["holder"] != cell):
            return False
        if self._seen.get("run") == (run := _run_id()) and run is not None:
            return False  # a second figure in the same run of that cell
        self._seen |= {"holder": cell, "run": run}
        return True


def _html(told: dict[str, Any], title: str) -> str:
    text = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")
    height = told.get("layout", {}).get("height", 450)
    return _FIGURE % {"height": height, "ink": FAINT, "title": title, "figure": text}


@cache
def _loader() -> str:
    script = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return _LOADER % base64.b64encode(gzip.compress(script, 9, mtime=0)).decode()


def _display(bundle: dict[str, str], metadata: dict[str, bool]) -> None:
    from IPython.display import publish_display_data

    publish_display_data(bundle, metadata=metadata)  # type: ignore[no-untyped-call]


def _parent() -> dict[str, Any]:
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return dict(kernel.get_parent("shell")) if kernel is not None else {}


def _cell_id() -> object:
    return _parent().get("metadata", {}).get("cellId")


def _run_id() -> object:
    return _parent().get("header", {}).get("msg_id")
