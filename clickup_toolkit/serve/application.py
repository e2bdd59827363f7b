"""The whole site as one ASGI app: who answers what."""

from __future__ import annotations

import asyncio
from pathlib import Path

from clickup_toolkit.serve.access import Access
from clickup_toolkit.serve.asgi import Receive, Scope, Send, send_problem
from clickup_toolkit.serve.assets import PREFIX, send_asset
from clickup_toolkit.serve.json_export import JsonExport
from clickup_toolkit.serve.site import Site
from clickup_toolkit.serve.switch import Switch
from clickup_toolkit.settings import Settings

__all__ = ["Application"]


class Application:
    """``/api/`` is the JSON export, ``/-/assets/`` what pages need, everything else datasette.

    One object serves one event loop. Raises :class:`~clickup_toolkit.errors.SettingsError` when the settings
    do not allow to serve.
    """

    def __init__(self, settings: Settings) -> None:
        self._access = Access(settings)
        self._export = JsonExport(settings, self._access)

        def build(database: Path | None, problem: str) -> Site:
            return Site(settings, self._access, database, problem)

        self._switch = Switch(settings.data_dir / "clickup.db", build)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the start and the end of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def close(self) -> None:
        """Let go of files, threads and connections; a server does this through the app's lifespan."""
        await asyncio.gather(self._export.close(), self._switch.close())

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/api" or path.startswith("/api/"):
            await self._export(scope, receive, send)
        elif path.startswith(PREFIX):
            await send_asset(scope, send)
        elif not self._access.may_reach_pages(scope):
            await send_problem(
                scope,
                send,
                403,
                "These pages are open without a password, so only this machine may read them.",
                "Browse them as localhost, send the bearer token, or set DATASETTE_PASSWORD_HASH.",
            )
        else:
            async with self._switch.site() as site:
                await site.client.app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            async with self._switch.site():
                pass  # made now, so that the first visitor does not wait for it
            await send({"type": "lifespan.startup.complete"})
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})
