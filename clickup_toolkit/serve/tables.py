"""``/api/v1/tables/``: every table as NDJSON, from the database, and as the data folder's Parquet file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import structlog

from clickup_toolkit.records import TABLES, Column, Table
from clickup_toolkit.serve.accept import prefers_gzip, takes_identity
from clickup_toolkit.serve.answers import TRY_AGAIN, send_file, send_json, send_unchanged
from clickup_toolkit.serve.asgi import Receive, Scope, Send, header, send_problem, start, watched
from clickup_toolkit.serve.facts import LastExport
from clickup_toolkit.serve.site import Site
from clickup_toolkit.serve.switch import Switch
from clickup_toolkit.serve.table_rows import compressed, lines

__all__ = ["Tables"]

_PARQUET = "application/vnd.apache.parquet"
_NDJSON = "application/x-ndjson"
_VARY = "Authorization, Accept-Encoding"

_log = structlog.get_logger(__name__)


class Tables:
    """Answers requests for tables; each is answered whole from the file that was current when it came."""

    def __init__(self, data_dir: Path, switch: Switch) -> None:
        self._parquet = data_dir / "parquet"
        self._switch = switch

    async def index(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """List the tables with their columns and addresses."""
        async with self._switch.site() as site:
            export = site.facts.export
            if export is None:
                await _send_nothing_yet(scope, send)
                return
            listed = [self._listed(table, site) for table in TABLES.values()]
            await send_json(scope, send, {"version": export.version, "tables": listed})

    async def rows(self, scope: Scope, receive: Receive, send: Send, table: str) -> None:
        """Send a table as NDJSON."""
        if table not in TABLES:
            await _send_unknown(scope, send, table)
            return
        async with self._switch.site() as site:
            if site.database is None or site.facts.export is None:
                await _send_nothing_yet(scope, send)
            elif not await _send_without_rows(scope, send, table, site.facts.export):
                await _send_rows(scope, receive, send, table, site.database, site.facts.export)

    async def columns(self, scope: Scope, receive: Receive, send: Send, table: str) -> None:
        """Send a table's Parquet file."""
        if table not in TABLES:
            await _send_unknown(scope, send, table)
            return
        try:
            await send_file(scope, receive, send, self._file(table), _PARQUET, f"{table}.parquet")
        except FileNotFoundError:
            await _send_nothing_yet(scope, send)

    def _file(self, table: str) -> Path:
        return self._parquet / table / "part-0.parquet"

    def _listed(self, table: Table, site: Site) -> dict[str, object]:
        address = f"/api/v1/tables/{table.name}"
        try:
            size = self._file(table.name).stat().st_size
        except OSError:
            size = None
        return {
            "name": table.name,
            "description": table.description,
            "rows": site.facts.counts.get(table.name),
            "key": list(table.key),
            "columns": [_told(column) for column in table.columns],
            "ndjson": f"{address}.ndjson",
            "parquet": f"{address}.parquet",
            "parquet_bytes": size,
        }


def _told(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "nullable": column.nullable,
        "description": column.description,
        "unit": column.unit,
        "references": column.references,
    }


async def _send_without_rows(scope: Scope, send: Send, table: str, export: LastExport) -> bool:
    """Answer what needs no rows, and tell whether that was all."""
    accept = header(scope, "accept-encoding")
    gzip = prefers_gzip(accept)
    headers = _about(table, export, gzip)
    if not gzip and not takes_identity(accept):
        error = f"Neither gzip nor plain text is accepted: {accept}."
        await send_problem(scope, send, 406, error, "Send Accept-Encoding: gzip.", {"vary": _VARY})
    elif await send_unchanged(scope, send, headers["etag"], export.at, headers):
        pass
    elif scope["method"] == "HEAD":
        await start(send, 200, headers)
        await send({"type": "http.response.body", "body": b""})
    else:
        return False
    return True


async def _send_rows(
    scope: Scope, receive: Receive, send: Send, table: str, database: Path, export: LastExport
) -> None:
    gzip = prefers_gzip(header(scope, "accept-encoding"))
    read = lines(database, table)
    with closing(compressed(read) if gzip else read) as pieces:
        try:
            first = await asyncio.to_thread(next, pieces, b"")
        except sqlite3.Error as error:  # cleared away by an export, or from before there was this table
            _log.error("table.unreadable", table=table, error=str(error))
            remedy = "Ask again; if that does not help, run an export: clickup-toolkit export"
            await send_problem(scope, send, 503, f"The table {table} cannot be read.", remedy, TRY_AGAIN)
            return
        await start(send, 200, _about(table, export, gzip))
        async with watched(receive) as gone:
            await _send_pieces(send, first, pieces, gone)


async def _send_pieces(send: Send, piece: bytes, pieces: Iterator[bytes], gone: Callable[[], bool]) -> None:
    while piece or (piece := await asyncio.to_thread(next, pieces, b"")):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if gone():
            return
        piece = b""
    await send({"type": "http.response.body", "body": b""})


def _etag(export: LastExport, table: str, *, gzip: bool) -> str:
    return f'"{export.version}-{export.at:%H%M%S}-{table}{"" if gzip else "-text"}"'


def _about(table: str, export: LastExport, gzip: bool) -> dict[str, str]:
    about = {
        "content-type": _NDJSON,
        "content-disposition": f'attachment; filename="{table}.ndjson"',
        "etag": _etag(export, table, gzip=gzip),
        "last-modified": format_datetime(export.at, usegmt=True),
        "vary": _VARY,
        "cache-control": "private, no-cache",
        "accept-ranges": "none",
    }
    return about | ({"content-encoding": "gzip"} if gzip else {})


async def _send_unknown(scope: Scope, send: Send, table: str) -> None:
    await send_problem(scope, send, 404, f"There is no table {table}.", "List them: GET /api/v1/tables/")


async def _send_nothing_yet(scope: Scope, send: Send) -> None:
    error, remedy = "Nothing was exported yet.", "Run an export: clickup-toolkit export"
    await send_problem(scope, send, 503, error, remedy, TRY_AGAIN)
