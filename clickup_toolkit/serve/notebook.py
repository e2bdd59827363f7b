"""An executed notebook as a page to read: text, code to unfold, outputs, charts.

nbconvert makes the HTML. Nothing that stands in the notebook runs in the page: a chart is drawn by our own
script from the figure's JSON, which Plotly stores beside its HTML, and the page's policy allows no other.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["CONTENT_SECURITY_POLICY", "to_html"]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads"
)
"""Nothing is asked of a foreign host; and the page is no part of the site, should a script run after all."""

_PLOTLY = "application/vnd.plotly.v1+json"
# Not a means of safety, which is the policy's business: the browser would complain of each, and plotly.js,
# which the first chart of a notebook brings along, is large.
_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.DOTALL | re.IGNORECASE)
_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)")  # by what follows on the line, as a bar is by its next state
_one_at_a_time = threading.Lock()  # nbconvert's exporter is shared, and not made for threads


def to_html(path: Path) -> str:
    """Return the notebook as a piece of HTML. Raises :class:`ModuleNotFoundError` without nbconvert."""
    about = path.stat()
    return _to_html(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=8)
def _to_html(path: Path, _changed: int, _size: int) -> str:
    import nbformat

    with _one_at_a_time:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            if "outputs" in cell:
                cell.outputs = _joined(cell.outputs)
            for output in cell.get("outputs", ()):
                _prepare(output.get("data", {}))
        html, _ = _exporter().from_notebook_node(notebook)
    return str(html)


@lru_cache(maxsize=1)
def _exporter() -> Any:
    from jinja2 import DictLoader
    from nbconvert.exporters import HTMLExporter

    template = (files("clickup_toolkit.serve") / "page_templates" / "notebook.html.j2").read_text("utf-8")
    return HTMLExporter(  # type: ignore[no-untyped-call]
        extra_loaders=[DictLoader({"clickup_run.html.j2": template})],
        template_file="clickup_run.html.j2",
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )


def _joined(outputs: list[Any]) -> list[Any]:
    """Return the outputs; what was written to one stream in a row is one text, without blank lines."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            joined.append(output)
    for output in joined:
        if output["output_type"] == "stream":
            output["text"] = _OVERWRITTEN.sub("", output["text"]).strip("\n")
    return joined


def _prepare(data: dict[str, Any]) -> None:
    """Make what an output shows fit for a page in which no script of the notebook runs."""
    if _PLOTLY in data:
        chart = _place_of_chart(data[_PLOTLY])
        data.clear()
        data["text/html"] = chart
    elif "text/html" in data:
        data["text/html"] = _SCRIPT.sub("", "".join(data["text/html"]))


def _place_of_chart(figure: object) -> str:
    """Return the place and the data of a chart, which our own script draws."""
    text = msgspec.json.encode(figure).decode().replace("<", "\\u003c")
    return (
        f'<figure class="chart"><script type="application/json">{text}</script>'
        "<noscript>This chart needs JavaScript.</noscript></figure>"
    )
