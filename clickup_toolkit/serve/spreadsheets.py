"""CSV that does no harm in a spreadsheet, whatever a task is called.

A spreadsheet takes a cell for a formula by how it begins, and it may cut cells at semicolons and tabs as
well as at commas. So an apostrophe goes before whatever could begin one, as OWASP advises under "CSV
Injection": ``=``, ``+``, ``-``, ``@`` (and their full-width forms) at the beginning of a text and behind a
separator or a line break within it, and a text that begins with a tab or a line break. Numbers are left
alone. JSON, NDJSON and Parquet hold every text as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasette.utils.asgi import Request, Response

    from clickup_toolkit.serve.site import Site

__all__ = ["ROUTES", "harmless"]

_BEHIND_A_CUT = re.compile("([;,|\t\r\n])(?=[ ]*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_BEGINNINGS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")


def harmless(cell: object) -> object:
    """Return a cell with which no spreadsheet does anything but show it."""
    if isinstance(cell, str):
        text = _BEHIND_A_CUT.sub("\\1'", cell)
        return f"'{text}" if text.lstrip(" ").startswith(_BEGINNINGS) else text
    if isinstance(cell, dict):  # a reference with the name of what it refers to
        return {name: harmless(value) for name, value in cell.items()}
    return cell


async def table(datasette: Site, request: Request) -> Response:
    """Send a table as CSV."""
    from datasette.views.table import TableView

    return await _harmless_view(TableView)(datasette).get(request)


async def row(datasette: Site, request: Request) -> Response:
    """Send a row as CSV."""
    from datasette.views.row import RowView

    return await _harmless_view(RowView)(datasette).get(request)


async def query(datasette: Site, request: Request) -> Response:
    """Send the outcome of a query as CSV."""
    from datasette import NotFound
    from datasette.views.database import DatabaseView

    if not request.args.get("sql"):
        raise NotFound("There is no CSV of a whole database")
    return await _harmless_view(DatabaseView)(datasette).get(request)


def _harmless_view(view: type[Any]) -> type[Any]:
    """Return a view of datasette's whose rows do no harm; it asks ``data`` for each page of a long CSV."""

    class Harmless(view):  # type: ignore[misc]  # datasette has no types
        async def data(self, *arguments: Any, **options: Any) -> Any:
            found = await super().data(*arguments, **options)
            if isinstance(found, tuple):
                data = found[0]
                data["columns"] = [harmless(name) for name in data["columns"]]
                data["rows"] = [[harmless(cell) for cell in one] for one in data["rows"]]
            return found

    return Harmless


_DATABASE = r"^/(?P<database>[^/.]+)"
_AS_CSV = r"\.(?P<format>csv)$"

ROUTES = [
    (_DATABASE + _AS_CSV, query),
    (_DATABASE + r"/(?P<table>[^/.]+)" + _AS_CSV, table),
    (_DATABASE + r"/(?P<table>[^/]+?)/(?P<pks>[^/]+?)" + _AS_CSV, row),
]
"""The addresses of datasette's that end in ``.csv``."""
