"""Every address that is not a page, declared once: who answers, who may ask, what comes back.

The application finds its way by this table, and the OpenAPI description is written from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from clickup_toolkit.records import TABLES

__all__ = ["ROUTES", "VERSION_PATTERN", "Parameter", "Route", "find_route"]

VERSION_PATTERN = r"^(latest|\d{8}T\d{6}Z|\d{4}-\d{2}-\d{2})$"


@dataclass(frozen=True)
class Parameter:
    """What a request may say: its name, where (``query``, ``path``, ``header``), its JSON Schema."""

    name: str
    place: str
    meaning: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True)
class Route:
    """An address, as OpenAPI writes it, for GET and HEAD.

    ``handler`` names who answers, in :class:`~clickup_toolkit.serve.api.Api`. ``closed`` is ``token``,
    ``metrics`` (the token, unless ``METRICS_OPEN``) or empty. ``media_type`` and ``schema`` are those of a
    good answer, ``statuses`` what else it may be answered with; those of every closed route come beside.
    """

    path: str
    handler: str
    summary: str
    media_type: str = "application/json"
    schema: dict[str, Any] | None = None
    closed: str = "token"
    parameters: tuple[Parameter, ...] = ()
    statuses: tuple[int, ...] = ()


def _component(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_TABLE = Parameter("table", "path", "name of a table", {"type": "string", "enum": list(TABLES)})
_CONDITION = Parameter("If-None-Match", "header", "entity tags of what the client has already")
_RANGE = (
    Parameter("Range", "header", "one range of bytes, as bytes=1000-"),
    Parameter("If-Range", "header", "the tag of what the client has a part of already"),
)
_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}

ROUTES = (
    Route(
        "/api/v1/export/",
        "document",
        "The whole workspace as one JSON document",
        schema=_component("Document"),
        parameters=(
            Parameter(
                "version",
                "query",
                "latest, the id of a version, or a day (UTC), which means its newest version",
                {"type": "string", "pattern": VERSION_PATTERN, "default": "latest"},
            ),
            _CONDITION,
            *_RANGE,
        ),
        statuses=(206, 304, 404, 406, 416, 503),
    ),
    Route(
        "/api/v1/export/versions/",
        "versions",
        "The versions that can be asked for, the newest first",
        schema=_component("Versions"),
        statuses=(503,),
    ),
    Route(
        "/api/v1/export/schema/",
        "schema",
        "The JSON Schema of the document",
        media_type="application/schema+json",
        schema={"type": "object"},
    ),
    Route(
        "/api/v1/tables/",
        "tables",
        "The tables, their columns and where to get them",
        schema=_component("Tables"),
        statuses=(503,),
    ),
    Route(
        "/api/v1/tables/{table}.ndjson",
        "rows",
        "A table, one JSON object a line",
        media_type="application/x-ndjson",
        schema={"type": "string"},
        parameters=(_TABLE, _CONDITION),
        statuses=(304, 404, 406, 503),
    ),
    Route(
        "/api/v1/tables/{table}.parquet",
        "columns",
        "A table as a Parquet file",
        media_type="application/vnd.apache.parquet",
        schema=_BINARY,
        parameters=(_TABLE, _CONDITION, *_RANGE),
        statuses=(206, 304, 404, 416, 503),
    ),
    Route("/api/v1/openapi.json", "openapi", "This description", schema={"type": "object"}),
    Route("/-/healthz", "alive", "Whether requests are answered", schema=_component("Alive"), closed=""),
    Route(
        "/-/readyz",
        "ready",
        "Whether a version is there that is not older than two intervals",
        schema=_component("Ready"),
        closed="metrics",
        statuses=(503,),
    ),
    Route(
        "/metrics",
        "metrics",
        "Figures for Prometheus",
        media_type="text/plain",
        schema={"type": "string"},
        closed="metrics",
    ),
)


def find_route(path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of an address and what its braces stand for; a slash at the end is all the same."""
    for route, pattern in _PATTERNS:
        if found := pattern.fullmatch(path):
            return route, found.groupdict()
    return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path.rstrip("/"))
    text = "".join(f"(?P<{part}>[^/]+?)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts))
    return re.compile(text + "/?")


_PATTERNS = [(route, _pattern(route.path)) for route in ROUTES]
