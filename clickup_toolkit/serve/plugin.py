"""The datasette plugin: what the hooks add to a site of ours.

datasette loads this wherever the package is installed and calls it for every datasette there, so each hook
leaves the others alone. And it loads it in the middle of its own import: nothing here may import the app.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from pluggy import HookimplMarker

from clickup_toolkit.records import TABLES
from clickup_toolkit.serve import dashboards, downloads, pages, sign_in, spreadsheets
from clickup_toolkit.serve.monitor import views as monitor
from clickup_toolkit.serve.words import duration

if TYPE_CHECKING:
    from datasette.app import Datasette

hookimpl = HookimplMarker("datasette")

_TYPES = {
    (table.name, column.name): column.type
    for table in TABLES.values()
    for column in table.columns
    if column.type in ("DURATION", "TIMESTAMP")
}


@hookimpl(tryfirst=True)
def register_routes(datasette: Datasette) -> list[tuple[str, Callable[..., Any]]]:
    """Add the home page, the executed notebooks, signing in, and CSV that is safe to open in a spreadsheet.

    Before the first export there is instead of every table what to do about that.
    """
    if not _is_ours(datasette):
        return []
    routes = [
        (r"^/$", pages.home),
        (r"^/-/login$", sign_in.page),
        (r"^/-/password-tool$", sign_in.nothing),
        (r"^/-/fresh\.json$", pages.fresh),
        (r"^/-/export$", monitor.export_now),
        (r"^/-/versions$", monitor.versions),
        *downloads.ROUTES,
        *dashboards.ROUTES,
        (r"^/-/runs$", monitor.runs),
        (r"^/-/runs\.json$", monitor.state),
        (r"^/-/runs/(?P<name>[^/]+)\.ipynb$", pages.run_download),
        (r"^/-/runs/(?P<name>[^/]+)$", pages.run),
    ]
    if datasette.database is None:
        return [*routes, (r"^/clickup([./].*)?$", pages.nothing_yet)]
    return routes + spreadsheets.ROUTES


@hookimpl
def render_cell(value: object, column: str, table: str | None, datasette: Datasette) -> Markup | None:
    """Show durations and times as people read them; the exact value stays in the tooltip."""
    kind = _TYPES.get((table or "", column)) if _is_ours(datasette) else None
    if kind == "DURATION" and isinstance(value, int | float):
        return Markup('<span title="{} ms">{}</span>').format(value, duration(value))
    if kind == "TIMESTAMP" and isinstance(value, str):
        return Markup('<time title="{0}" datetime="{0}">{1}</time>').format(
            value, value[:16].replace("T", " ")
        )
    return None


def _is_ours(datasette: Datasette) -> bool:
    return hasattr(datasette, "toolkit")
