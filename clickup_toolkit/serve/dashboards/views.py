"""The pages of the dashboards: what an address asks for, computed at the desk, shown by a template.

Plugin routes are not covered by datasette's permissions: the view asks for itself.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette import NotFound, Response

from clickup_toolkit.errors import StorageError
from clickup_toolkit.serve import words
from clickup_toolkit.serve.accept import prefers_gzip
from clickup_toolkit.serve.dashboards.desk import Busy, Desk
from clickup_toolkit.serve.dashboards.filters import GROUPS, PRESETS, Filters, read_filters

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

    from clickup_toolkit.serve.dashboards.panels import Board
    from clickup_toolkit.serve.site import Site
    from clickup_toolkit.settings import Settings

__all__ = ["PAGES", "ROUTES"]

PAGES = {
    "overview": "Overview",
    "time-in-status": "Time in status",
    "flow": "Flow",
    "time-tracking": "Time tracking",
}
"""The pages by the last part of their address, which the first one does without."""

_LEADS = {
    "overview": "Where the work stands, and what has changed.",
    "time-in-status": "How long tasks stay in each status, and where unfinished work waits.",
    "flow": "How long work takes, how old it grows, and how much of it flows.",
    "time-tracking": "Who tracked how much when, and how estimates hold.",
}
_GROUPED = ("time-in-status", "time-tracking")
_MISSING = "Dashboards need pandas and Plotly, which are not installed here."
_INSTALL = "pip install 'clickup-workspace-toolkit[serve]'"
_BUSY = ("Many dashboards are being computed.", "Reload the page in a moment.")
_THEMES = ("light", "dark")

_desks: WeakKeyDictionary[Site, Desk] = WeakKeyDictionary()


async def page(datasette: Site, request: Request) -> Response:
    """Show a dashboard; what stands in its way is said in its place."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    name = request.url_vars.get("page") or "overview"
    if name not in PAGES:
        raise NotFound(f"There is no dashboard {name}")
    filters, wrong = read_filters(request.args.getlist)
    try:
        board = await _desk(datasette).board(name, filters)
    except ModuleNotFoundError:
        trouble = (_MISSING, _INSTALL)
    except StorageError as error:
        trouble = (error.message, error.remedy)
    except Busy:
        trouble = _BUSY
    else:
        return await _show(datasette, request, name, board.filters, (*wrong, *board.problems), board)
    return await _show(datasette, request, name, filters, wrong, None, trouble)


async def _show(
    site: Site,
    request: Request,
    name: str,
    filters: Filters,
    problems: tuple[str, ...],
    board: Board | None,
    trouble: tuple[str, str] = ("", ""),
) -> Response:
    theme = request.args.get("theme")
    context: dict[str, Any] = {
        "page": name,
        "pages": PAGES,
        "lead": _LEADS[name],
        "filters": filters,
        "problems": problems,
        "board": board,
        "problem": trouble[0],
        "remedy": trouble[1],
        "presets": PRESETS,
        "groups": GROUPS if name in _GROUPED else {},
        "theme": theme if theme in _THEMES else "",
        "words": words,
        "now": datetime.now(UTC),
        "path": f"/-/dashboards/{name}" if name != "overview" else "/-/dashboards",
    }
    html = await site.render_template("dashboards/page.html", context, request=request, view_name="dashboard")
    return await _response(request, html, 503 if board is None else 200)


async def _response(request: Request, html: str, status: int) -> Response:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if status != 200:
        headers["Retry-After"] = "5"
    body: bytes | str = html
    if prefers_gzip(request.headers.get("accept-encoding")):
        body = await asyncio.to_thread(gzip.compress, html.encode(), 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status=status, headers=headers, content_type="text/html; charset=utf-8")


def _desk(site: Site) -> Desk:
    """Return the desk of a site; it goes with the site, and its thread with it."""
    if site not in _desks:
        _desks[site] = Desk(site.toolkit.data_dir / "parquet", _maker(site.toolkit))
    return _desks[site]


def _maker(settings: Settings) -> Callable[[Path, str, Filters], Board]:
    def make(folder: Path, name: str, filters: Filters) -> Board:
        from clickup_toolkit import analyse  # pandas takes a second or two: not when a server starts
        from clickup_toolkit.serve.dashboards.boards import make_board

        return make_board(folder, name, filters, analyse.configuration(settings))

    return make


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"^/-/dashboards$", page),
    (r"^/-/dashboards/(?P<page>[^/]+)$", page),
]
"""For datasette's ``register_routes``."""
