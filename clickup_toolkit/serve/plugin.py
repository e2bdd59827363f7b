"""The datasette plugin: what the hooks add to a site of ours.

datasette loads this wherever the package is installed and calls it for every datasette there, so each hook
leaves the others alone. And it loads it in the middle of its own import: nothing here may import the app.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from pluggy import HookimplMarker

from clickup_toolkit.serve import cells, dashboards, downloads, pages, sign_in, spreadsheets
from clickup_toolkit.serve.asgi import App
from clickup_toolkit.serve.blank_search import without_blank_search
from clickup_toolkit.serve.monitor import views as monitor
from clickup_toolkit.serve.typed import with_typed_durations
from clickup_toolkit.store.search import folded, matching

if TYPE_CHECKING:
    from datasette.app import Datasette

hookimpl = HookimplMarker("datasette")


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
def render_cell(
    row: Mapping[str, object], value: object, column: str, table: str | None, datasette: Datasette
) -> Markup | Awaitable[Markup | None] | None:
    """Show names that lead somewhere, durations and times as people read them."""
    if not _is_ours(datasette):
        return None
    told = cells.shown(datasette, row, value, column, table)
    return cells.named(datasette, value, column, table) if told is None and table else told


@hookimpl
def register_facet_classes() -> list[type[Any]]:
    """Count the facets that the tables come with in one pass; see :mod:`clickup_toolkit.serve.facets`."""
    from clickup_toolkit.serve.facets import CountedFacets

    return [CountedFacets]


@hookimpl
def asgi_wrapper(datasette: Datasette) -> Callable[[App], App]:
    """Take an empty search for none, and durations as people type them."""
    if not _is_ours(datasette):
        return lambda app: app
    return lambda app: without_blank_search(with_typed_durations(app))


@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection, datasette: Datasette) -> None:
    """Search for whatever people type, as our tables of words are made; and compare names in any script."""
    if _is_ours(datasette):
        conn.create_function("escape_fts", 1, matching, deterministic=True)
        conn.create_function("folded", 1, folded, deterministic=True)


def _is_ours(datasette: Datasette) -> bool:
    return hasattr(datasette, "toolkit")
