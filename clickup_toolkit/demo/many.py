"""Several synthetic workspaces behind one server, several to a token: each token has one rate window.

A workspace's base address holds its id (``…/w/<team>/api/v2``), since an id below it, of a list or a task,
does not tell the workspace.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import uvicorn

from clickup_toolkit.demo.api import Api
from clickup_toolkit.demo.app import App, Conduct, Send
from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.demo.window import RateWindow
from clickup_toolkit.demo.world import World

__all__ = ["ManyServer"]


class ManyServer:
    """Serves workspaces while the ``with`` block lasts; ``tokens`` has the worlds of each token, by token.

    ``rate_limit`` requests of a token may pass in a ``window`` of seconds; ``latency`` (seconds) delays every
    answer. The worlds' ``team_id`` must differ.
    """

    def __init__(
        self,
        tokens: Mapping[str, list[World]],
        *,
        rate_limit: int = 100,
        window: float = 60.0,
        latency: float = 0.0,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.windows = {token: RateWindow(rate_limit, window) for token in tokens}
        self.apps: dict[str, App] = {}
        for token, worlds in tokens.items():
            for world in worlds:
                if world.team_id in self.apps:
                    raise ValueError(f"two workspaces have the id {world.team_id}")
                api = Api(world, behaviour or Behaviour())
                self.apps[world.team_id] = App(api, {token: self.windows[token]}, (), Conduct(latency))
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def url(self, team_id: str) -> str:
        """Return the base address of a workspace, what ``CLICKUP_API_URL`` is set to."""
        return f"http://127.0.0.1:{self._port}/w/{team_id}/api/v2"

    @property
    def throttled(self) -> dict[str, int]:
        """How many requests of each token met the limit."""
        return {token: window.throttled for token, window in self.windows.items()}

    @property
    def requests(self) -> dict[str, int]:
        """How many requests came for each workspace."""
        return {team: app.account.arrived for team, app in self.apps.items()}

    async def __call__(self, scope: dict[str, Any], receive: object, send: Send) -> None:
        """Answer one request, as the workspace that its address names."""
        _, kind, team, *rest = scope["path"].split("/")
        app = self.apps.get(team) if kind == "w" else None
        if app is None:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app({**scope, "path": "/" + "/".join(rest)}, receive, send)

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self, interface="asgi3", http="httptools", loop="uvloop", ws="none", lifespan="off",
            log_config=None, access_log=False, date_header=False, server_header=False, timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._run, args=(self._server, listener), name="demo-many", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(10)

    @staticmethod
    def _run(server: uvicorn.Server, listener: socket.socket) -> None:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets=[listener]))
