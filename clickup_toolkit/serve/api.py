"""Answers every declared address: checks who asks and how, and calls the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import msgspec

from clickup_toolkit.serve.access import Access, TooManyTries, WrongCredentials
from clickup_toolkit.serve.answers import PRIVATE, send_too_many, send_unauthorized
from clickup_toolkit.serve.asgi import Receive, Scope, Send, send_answer, send_problem
from clickup_toolkit.serve.document_schema import document_schema
from clickup_toolkit.serve.health import Health
from clickup_toolkit.serve.json_export import JsonExport
from clickup_toolkit.serve.metrics import Metrics
from clickup_toolkit.serve.openapi import describe
from clickup_toolkit.serve.redis_link import RedisLink
from clickup_toolkit.serve.routes import Route
from clickup_toolkit.serve.switch import Switch
from clickup_toolkit.serve.tables import Tables
from clickup_toolkit.settings import Settings

__all__ = ["Api"]

Handler = Callable[..., Awaitable[None]]


class Api:
    """The handlers of :data:`~clickup_toolkit.serve.routes.ROUTES`, by name."""

    def __init__(self, settings: Settings, access: Access, switch: Switch) -> None:
        self._access = access
        self._metrics_open = settings.metrics_open
        self.link = RedisLink(settings)
        export, tables = JsonExport(self.link), Tables(settings.data_dir, switch)
        self._export = export
        health = Health(settings, self.link)
        self.metrics = Metrics(settings.data_dir, health, switch)
        self._handlers: dict[str, Handler] = {
            "document": export.document,
            "versions": export.versions,
            "schema": _send_schema,
            "tables": tables.index,
            "rows": tables.rows,
            "columns": tables.columns,
            "openapi": _send_description,
            "alive": health.alive,
            "ready": health.ready,
            "metrics": self.metrics.show,
        }

    async def answer(
        self, route: Route, names: dict[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request for a declared address."""
        if not await self.admit(route.closed, scope, send):
            return
        if scope["method"] not in ("GET", "HEAD"):
            error = f"{scope['method']} is not allowed."
            await send_problem(scope, send, 405, error, "Use GET or HEAD.", {"allow": "GET, HEAD"})
        else:
            await self._handlers[route.handler](scope, receive, send, **names)

    async def answer_unknown(self, scope: Scope, send: Send) -> None:
        """Answer for what is not declared; whoever may not ask is not told even that."""
        if await self.admit("token", scope, send):
            remedy = "GET /api/v1/openapi.json says what there is; the JSON export is /api/v1/export/."
            await send_problem(scope, send, 404, "There is nothing here.", remedy)

    async def admit(self, closed: str, scope: Scope, send: Send) -> bool:
        """Tell whether the request may be answered; where not, the refusal is sent."""
        if not closed or (closed == "metrics" and self._metrics_open):
            return True
        try:
            if self._access.shows_token(scope):
                return True
            await send_unauthorized(scope, send, wrong=_shows_anything(scope))
        except WrongCredentials:
            await send_unauthorized(scope, send, wrong=True)
        except TooManyTries as many:
            await send_too_many(scope, send, many.seconds)
        return False

    async def close(self) -> None:
        """Let go of what is in memory, and of the connections to Redis."""
        await self._export.close()
        await self.link.close()


def _shows_anything(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])


async def _send_schema(scope: Scope, _receive: Receive, send: Send) -> None:
    await _send_kept(scope, send, _schema(), "application/schema+json")


async def _send_description(scope: Scope, _receive: Receive, send: Send) -> None:
    await _send_kept(scope, send, await asyncio.to_thread(_description), "application/json")


async def _send_kept(scope: Scope, send: Send, body: bytes, media_type: str) -> None:
    await send_answer(scope, send, 200, {"content-type": media_type, **PRIVATE}, body)


@cache
def _schema() -> bytes:
    return _written(document_schema())


@cache
def _description() -> bytes:
    return _written(describe())


def _written(found: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(found), indent=1)
