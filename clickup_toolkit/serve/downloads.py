"""The files to take away: each table as Parquet, the whole database, and how to read them elsewhere.

The addresses under ``/-/files/`` are for people who signed in, and take the bearer token as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from datasette import NotFound, Response

from clickup_toolkit.records import TABLES
from clickup_toolkit.serve import words
from clickup_toolkit.serve.answers import TRY_AGAIN, send_file
from clickup_toolkit.serve.asgi import Receive, Scope, Send, send_problem
from clickup_toolkit.serve.snippets import readers_address, snippets

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

    from clickup_toolkit.serve.site import Site

__all__ = ["DATABASE_FILE", "ROUTES", "Offered", "offered_tables"]

DATABASE_FILE = "clickup.db"
_PARQUET, _SQLITE = "application/vnd.apache.parquet", "application/vnd.sqlite3"


class Offered(NamedTuple):
    """A table to take away: its rows (None: not counted), the bytes of its Parquet file (None: no file)."""

    name: str
    description: str
    rows: int | None
    parquet_bytes: int | None


async def files(datasette: Site, request: Request) -> Response:
    """Show what there is to take away, and how to read it."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    tables = await asyncio.to_thread(offered_tables, datasette)
    context = {
        "words": words,
        "export": datasette.facts.export,
        "tables": tables,
        "parquet_bytes": sum(table.parquet_bytes or 0 for table in tables),
        "database_bytes": None if datasette.database is None else _size(datasette.database),
        "database_name": _name_to_keep(datasette),
        "snippets": snippets(readers_address(request)),
    }
    html = await datasette.render_template("files.html", context, request=request, view_name="files")
    return Response.html(html, headers={"Cache-Control": "no-cache"})


async def parquet(datasette: Site, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a table's Parquet file, or a part of it."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    name = request.url_vars["table"]
    if name not in TABLES:
        raise NotFound(f"There is no table {name}")
    try:
        await send_file(scope, receive, send, _parquet_file(datasette, name), _PARQUET, f"{name}.parquet")
    except FileNotFoundError:
        await _send_nothing_yet(scope, send)


async def database(datasette: Site, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the database of the version that is shown, or a part of it."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if datasette.database is None:
        await _send_nothing_yet(scope, send)
        return
    try:
        await send_file(scope, receive, send, datasette.database, _SQLITE, _name_to_keep(datasette))
    except FileNotFoundError:  # two exports ended since this request came: the next one gets the newer file
        await send_problem(scope, send, 503, "A newer version has just come.", "Ask again.", TRY_AGAIN)


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    (r"^/-/files$", files),
    (rf"^/-/files/{DATABASE_FILE.replace('.', '[.]')}$", database),
    (r"^/-/files/(?P<table>\w+)\.parquet$", parquet),
]


def offered_tables(site: Site) -> list[Offered]:
    """Return the tables with rows first, each kind in the order in which they are declared. Asks the disk."""
    found = [
        Offered(
            table.name,
            table.description,
            site.facts.counts.get(table.name),
            _size(_parquet_file(site, table.name)),
        )
        for table in TABLES.values()
    ]
    return sorted(found, key=lambda table: table.rows == 0)


def _parquet_file(site: Site, table: str) -> Path:
    return site.toolkit.data_dir / "parquet" / table / "part-0.parquet"


def _name_to_keep(site: Site) -> str:
    """Return a name that tells one version's file from another's."""
    export = site.facts.export
    return f"clickup-{export.version}.db" if export else DATABASE_FILE


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


async def _send_nothing_yet(scope: Scope, send: Send) -> None:
    error, remedy = "Nothing was exported yet.", "Run an export: clickup-toolkit export"
    await send_problem(scope, send, 503, error, remedy, TRY_AGAIN)
