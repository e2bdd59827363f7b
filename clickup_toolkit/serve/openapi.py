"""The OpenAPI 3.1 description, written from the table of routes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from clickup_toolkit import __version__
from clickup_toolkit.serve.document_fields import TYPES
from clickup_toolkit.serve.document_schema import document_schema
from clickup_toolkit.serve.routes import ROUTES, Parameter, Route

__all__ = ["MEANINGS", "describe"]

Json = dict[str, Any]

MEANINGS = {
    200: "What was asked for",
    206: "The part of it that Range names",
    304: "The client has it already, by If-None-Match or If-Modified-Since",
    401: "No token, or a wrong one",
    404: "There is no such version or table",
    406: "The client takes neither gzip nor plain text",
    416: "The part begins behind the end",
    429: "Too many wrong tokens from this address within a minute",
    503: "Nothing was exported yet, or what was cannot be read now",
}
"""What the statuses of answers mean."""
_WAITS = (429, 503)
_GUARDED = (401, 429)


def describe() -> Json:
    """Return the description of every declared route."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "clickup-workspace-toolkit",
            "version": __version__,
            "description": "A ClickUp workspace as one JSON document and as tables.",
        },
        "servers": [{"url": "/"}],
        "paths": {route.path: _path(route) for route in ROUTES},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _path(route: Route) -> Json:
    return {"get": _operation(route, "get"), "head": _operation(route, "head")}


def _operation(route: Route, method: str) -> Json:
    statuses = [200, *(_GUARDED if route.closed else ()), *route.statuses]
    if method == "head":
        statuses = [status for status in statuses if status not in (206, 416)]
    return {
        "operationId": f"{method}_{route.handler}",
        "summary": route.summary,
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": {str(status): _answer(route, method, status) for status in sorted(statuses)},
        "security": [{"token": []}] if route.closed else [],
    }


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.meaning,
        "required": parameter.place == "path",
        "schema": parameter.schema,
    }


def _answer(route: Route, method: str, status: int) -> Json:
    answer: Json = {"description": MEANINGS.get(status, HTTPStatus(status).phrase)}
    if status in _WAITS:
        answer["headers"] = {
            "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
        }
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if method == "get" and status != 304:
        answer["content"] = _content(route, status)
    return answer


def _content(route: Route, status: int) -> Json:
    if status >= 400:
        return {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {route.media_type: {"schema": route.schema} if status == 200 and route.schema else {}}


def _schemas() -> Json:
    document = _moved(document_schema())
    beside = document.pop("$defs")
    document.pop("$schema")
    return {"Document": document, **beside, **_SMALL}


def _moved(schema: Any) -> Any:
    """Return a schema whose references name the places that its parts have in this description."""
    if isinstance(schema, dict):
        return {name: _moved(value) for name, value in schema.items()}
    if isinstance(schema, list):
        return [_moved(value) for value in schema]
    return schema.replace("#/$defs/", "#/components/schemas/") if isinstance(schema, str) else schema


_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: Json = {"type": ["integer", "null"], "minimum": 0}


def _exact(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _with(of: Json, **optional: Json) -> Json:
    return of | {"properties": of["properties"] | optional}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


_SMALL: Json = {
    "Problem": _exact(status={"const": "error"}, error=_TEXT, remedy=_TEXT),
    "Versions": _exact(
        versions=_list(
            _exact(
                version=_TEXT,
                updated_at={"type": "string", "format": "date-time"},
                tasks=_COUNT,
                complete={"type": "boolean"},
                pinned={"type": "boolean"},
                ttl_seconds=_COUNT_OR_NULL,
                text_bytes=_COUNT,
                gzip_bytes=_COUNT,
                etag=_TEXT,
                url=_TEXT,
            )
        )
    ),
    "Tables": _exact(
        version=_TEXT,
        tables=_list(
            _exact(
                name=_TEXT,
                description=_TEXT,
                rows=_COUNT_OR_NULL,
                key=_list(_TEXT),
                columns=_list(
                    _exact(
                        name=_TEXT,
                        type={"enum": list(TYPES)},
                        nullable={"type": "boolean"},
                        description=_TEXT,
                        unit=_TEXT,
                        references=_TEXT,
                    )
                ),
                ndjson=_TEXT,
                parquet=_TEXT,
                parquet_bytes=_COUNT_OR_NULL,
            )
        ),
    ),
    "Alive": _exact(status={"const": "alive"}),
    "Ready": _with(
        _exact(status={"const": "ready"}, version=_TEXT, age_seconds={"type": "integer"}),
        instead_of=_TEXT,
        warning=_TEXT,
        remedy=_TEXT,
    ),
}
