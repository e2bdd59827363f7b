"""An executed notebook as one page: its texts and what its cells show, no code, plotly.js once.

nbconvert makes the body. Nothing that stands in the notebook runs in the page: each chart is drawn from the
JSON that Plotly stores beside its HTML, and the page's policy lets it ask no host for anything.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clickup_toolkit.errors import StorageError

__all__ = ["write_page"]

_PLOTLY = "application/vnd.plotly.v1+json"
_UNSHOWN = ("try-next", "notebook-only")
"""Tags of cells that speak to whoever runs the notebook."""
_INSTANT = re.compile(r"<td>(\d{4}-\d\d-\d\d(?: \d\d:\d\d)?)</td>")
_OF_PANDAS = re.compile(r"<style scoped>.*?</style>", re.DOTALL)
"""The style that pandas puts before each of its tables; the page has its own."""
_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem; max-width: 62rem; color: #22272e; background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
a { color: #0072b2; } p, li { overflow-wrap: anywhere; } img { max-width: 100%; height: auto; }
figure { margin: 1rem 0; } .chart { min-height: 12rem; }
.jp-OutputArea-output, .output_html, .output_subarea { overflow-x: auto; }
table { border: 0; border-collapse: collapse; font-size: .85rem; margin: .5rem 0; }
th, td { padding: .3rem .6rem; border: 0; border-bottom: 1px solid #e6e9ed; text-align: left;
  vertical-align: top; }
table.dataframe thead tr, table.dataframe thead th { text-align: left; vertical-align: bottom; }
table.dataframe tbody th { color: #6b7480; font-weight: normal; vertical-align: top; }
td.at { white-space: nowrap; } summary { cursor: pointer; }
thead th { border-bottom: 2px solid #c9ced6; } code { font-size: .9em; overflow-wrap: anywhere; }
pre { overflow-x: auto; font-size: .8rem; }
footer { margin-top: 3rem; color: #6b7480; font-size: .85rem; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; }
  figure, tr, img { break-inside: avoid; } h2 { break-after: avoid; } }
"""
_DRAW = """<script>
(async () => {
  await window.clickupPlotly();
  const config = {displaylogo: false, responsive: true, plotlyServerURL: ""};
  const places = document.querySelectorAll("figure.chart");
  for (const place of places) {
    const figure = JSON.parse(place.querySelector("script").textContent);
    place.replaceChildren();
    await Plotly.newPlot(place, figure.data, figure.layout, config);
  }
  const fit = () => places.forEach((place) => Plotly.Plots.resize(place));
  window.addEventListener("beforeprint", fit);
  window.addEventListener("afterprint", fit);
  document.body.dataset.drawn = places.length;
})();
</script>"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
<footer>Made by clickup-toolkit from the notebook {notebook}.</footer>
{scripts}
</body>
</html>
"""


def write_page(executed: Path, out: Path, *, static: bool = False, name: str = "") -> int:
    """Write what an executed notebook shows to ``out``, and return how many bytes that are.

    ``static`` puts pictures in place of charts. Raises :class:`StorageError` where ``out`` cannot be written,
    and where pictures cannot be made.
    """
    import nbformat

    notebook = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells = [
        cell for cell in notebook.cells if not set(_UNSHOWN) & set(cell.metadata.get("tags", ()))
    ]
    figures = _figures(notebook)
    shown = _pictures(figures) if static else [_place(figure) for figure in figures]
    _prepare(notebook, iter(shown).__next__)
    page = _page(notebook, name or executed.stem, draws=bool(figures) and not static)
    data = page.encode()
    try:
        out.write_bytes(data)
    except OSError as error:
        told = f"{out} cannot be written: {error.strerror}."
        raise StorageError(told, "Name another file with --out.") from error
    return len(data)


def _figures(notebook: Any) -> list[dict[str, Any]]:
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return [output["data"][_PLOTLY] for output in outputs if _PLOTLY in output.get("data", {})]


def _prepare(notebook: Any, next_chart: Callable[[], str]) -> None:
    """Put charts in their places, and leave out all scripts, the plotly.js of the notebook among them."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if _PLOTLY in data:
                data.clear()
                data["text/html"] = next_chart()
            elif "text/html" in data:
                data["text/html"] = _clean("".join(data["text/html"]))


def _clean(text: str) -> str:
    """Return a cell's HTML without scripts, without pandas' style, and with dates that stay on one line."""
    return _INSTANT.sub(r'<td class="at">\1</td>', _OF_PANDAS.sub("", _SCRIPT.sub("", text)))


def _page(notebook: Any, name: str, *, draws: bool) -> str:
    from nbconvert.exporters import HTMLExporter

    from clickup_toolkit.charts.offline import plotly_js

    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic",
        exclude_input=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    title = re.search(
        r"^#\s+(.+)$", next((c.source for c in notebook.cells if c.cell_type == "markdown"), ""), re.M
    )
    return _PAGE.format(
        policy=html.escape(_POLICY),
        title=html.escape(title[1] if title else name),
        style=_STYLE,
        body=body,
        notebook=html.escape(name),
        scripts=plotly_js() + _DRAW if draws else "",
    )


def _place(figure: dict[str, Any]) -> str:
    """Return the place and the data of a chart, which the page's own script draws."""
    told = {"data": figure.get("data", []), "layout": figure.get("layout", {})}
    text = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<figure class="chart"><script type="application/json">{text}</script>'
        f"<noscript>{html.escape(_title(figure))} This chart needs JavaScript.</noscript></figure>"
    )


def _pictures(figures: list[dict[str, Any]]) -> list[str]:
    import plotly.graph_objects as go

    from clickup_toolkit import charts

    pictures = charts.to_pngs([go.Figure(data=each["data"], layout=each["layout"]) for each in figures])
    return [
        f'<figure><img alt="{html.escape(_title(figure))}" src="data:image/png;base64,'
        f'{base64.b64encode(picture).decode()}"></figure>'
        for figure, picture in zip(figures, pictures, strict=True)
    ]


def _title(figure: dict[str, Any]) -> str:
    """Return what a chart asks, and what it says that it shows."""
    title = figure.get("layout", {}).get("title", {})
    words = f"{title.get('text', '')} {title.get('subtitle', {}).get('text', '')}"
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", words))).strip()
