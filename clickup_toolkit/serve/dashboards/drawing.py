"""From a measure's table to a panel: the chart, its dark dress, where its marks lead, its table in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

from clickup_toolkit import analyse, charts
from clickup_toolkit.serve.dashboards.links import TASK, Links
from clickup_toolkit.serve.dashboards.panels import Cell, Panel, Table

__all__ = ["Lead", "cut", "in_words", "panel"]

_ROWS = 50  # of a table beside a chart
_LETTERS = 140  # of a cell
_TOP = 10  # pixels above a plot whose title stands on the page
_MARKUP = re.compile("<[^>]*>")
_FROM = re.compile(r"(?: ·)? (?:exact figures|approximated from ClickUp.s sums|observed since .*)$")
"""What figures rest on, at the end of a chart's subtitle; the panel says it in a line of its own."""

Href = Callable[[Mapping[str, Any]], str]
Lead = Callable[[str, str], str]


def panel(
    key: str,
    table: pd.DataFrame,
    figure: go.Figure,
    links: Links,
    *,
    summary: str,
    rows: Table | None = None,
    heading: str = "",
    of_period: bool = True,
    wide: bool = False,
    lead: Lead | None = None,
) -> Panel:
    """Return the panel of a chart that :mod:`clickup_toolkit.charts` drew of ``table``.

    What the chart asks in its title becomes the heading, so that it is text of the page. ``rows`` is the
    table beside it (default: the measure's own, in words), ``lead`` where a mark of a kind and id leads
    (default: as :meth:`Links.of` says).
    """
    title = figure.layout.title
    asked = _MARKUP.sub("", title.text or "")
    said = _FROM.sub("", _MARKUP.sub("", (title.subtitle.text or "").replace("<br>", " ")))
    drawn = any(len(trace.x if trace.x is not None else trace.y or ()) for trace in figure.data)
    if not drawn:
        summary = " ".join(_MARKUP.sub(" ", note.text) for note in figure.layout.annotations) or summary
        said = ""
    light = _untitled(figure)
    return Panel(
        key=key,
        heading=heading or asked,
        said=said,
        summary=summary,
        figure=_figure(light, lead or links.of) if drawn else "",
        table=rows if rows is not None else in_words(table, links),
        source=str(analyse.provenance(table)) if "source" in table.attrs else "",
        height=int(light.layout.height or 0),
        of_period=of_period,
        wide=wide,
    )


def in_words(
    table: pd.DataFrame, links: Links, *, hrefs: Mapping[str, Href] | None = None, rows: int = _ROWS
) -> Table:
    """Return a measure's table in words; names of tasks lead to them, ``hrefs`` say what else leads where."""
    shown = table.head(rows)
    words = analyse.readable(shown)
    leads = dict(hrefs or {})
    if "task_id" in table.columns and "name" in words.columns:
        leads.setdefault("name", lambda row: links.task(str(row["task_id"])))
    records: list[Any] = shown.to_dict("records")
    cells = [
        [_cell(value, leads[str(name)](row) if str(name) in leads else "") for value, row in pairs]
        for name, pairs in ((name, zip(words[name], records, strict=True)) for name in words.columns)
    ]
    headings = tuple(str(name).capitalize() for name in words.columns)
    return Table(headings, tuple(zip(*cells, strict=True)), len(table))


def cut(name: object) -> str:
    """Return a text as a cell shows it."""
    text = " ".join(str(name).split())
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1].rstrip() + "…"


def _cell(value: object, href: str) -> Cell:
    if isinstance(value, str):
        return Cell(cut(value), href, number=bool(re.match(r"^[–<\d][\d,.]*(\u00a0\w+|%)?$", value)))
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return Cell("yes" if value else "no", href)
    if value is None or pd.isna(value):  # type: ignore[call-overload]  # of a scalar
        return Cell("–", href, number=True)
    if isinstance(value, float):
        return Cell(f"{value:,.3g}" if value % 1 else f"{value:,.0f}", href, number=True)
    return Cell(f"{value:,}" if isinstance(value, int) else str(value), href, number=isinstance(value, int))


def _untitled(figure: go.Figure) -> go.Figure:
    """Take title and room for it out of a figure; the page has them as text."""
    shown = go.Figure(figure)
    top = int(shown.layout.margin.t or 0)
    if top > _TOP and shown.layout.height:
        shown.update_layout(height=shown.layout.height - (top - _TOP), margin_t=_TOP)
    return shown.update_layout(title=None)


def _figure(light: go.Figure, lead: Lead) -> str:
    """Return the JSON of a figure for a ``<script>``: nothing in it can end that element."""
    told = _plain(light)
    dark = _plain(charts.themed(light, "dark"))
    whole = {
        "data": told["data"],
        "layout": told["layout"],
        "dark": list(_differences(told, dark, ())),
        "links": _links(told, lead),
    }
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(figure: go.Figure) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(pio.to_json(figure, validate=False))
    return told


def _differences(one: Any, other: Any, path: tuple[str | int, ...]) -> Any:
    """Yield path and value of what is unlike in ``other``; lists are taken whole where a part is unlike."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from _differences(one.get(key), other.get(key), (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and path in (("data",), ("layout", "annotations")):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, (*path, place))
    elif one != other:
        yield [list(path), other]


def _links(told: dict[str, Any], lead: Lead) -> dict[str, Any]:
    """Return where marks lead, by kind and id; tasks by what their address begins with."""
    found: dict[str, dict[str, str]] = {}
    begins = ""
    for trace in told["data"]:
        kind = (trace.get("meta") or {}).get("id") if isinstance(trace.get("meta"), dict) else None
        if kind == "task":
            begins = TASK
        elif kind:
            known = found.setdefault(kind, {})
            for key in {str(row[-1]) for row in _rows(trace.get("customdata"))} - known.keys():
                known[key] = lead(kind, key)
    return {"task": begins, **found}


def _rows(custom: Any) -> Sequence[Sequence[Any]]:
    return [row for row in custom or () if isinstance(row, list) and row]
