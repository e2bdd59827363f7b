"""A real HTTP server in front of the workspace, in a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clickup_toolkit.demo.api import Api
from clickup_toolkit.demo.app import App, Conduct, Recorded, Stats
from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.demo.faults import Fault, Faults
from clickup_toolkit.demo.window import RateWindow
from clickup_toolkit.demo.world import World

__all__ = ["OAUTH_TOKEN", "TOKEN", "DemoServer"]

TOKEN = "pk_38204117_DEMO0TOKEN0OF0THE0SYNTHETIC0WORKSPACE"  # noqa: S105  # opens nothing but the demo
OAUTH_TOKEN = "38204117_demo0oauth0token0of0the0synthetic0workspace"  # noqa: S105


class _Protocol(HttpToolsProtocol):
    """Hands the connection to the application, which may have to drop it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["demo.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class DemoServer:
    """Serves a workspace at ``url`` while the ``with`` block lasts.

    ``rate_limit`` requests may pass in a ``window`` of seconds that opens with the first; ``others`` of them
    are spent by somebody else with the same token. ``latency`` (seconds, or a function of path and query)
    delays every answer, ``page_latency`` those of page n by n times as much. ``faults`` happen on purpose;
    ``changes(n)`` is called before the n-th answer and may change the workspace. ``retry_after``,
    ``rate_headers``, ``reset_in`` ("s" or "ms") and ``clock_skew`` (seconds) say what the headers tell.
    """

    def __init__(
        self,
        world: World,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rate_limit: int = 100,
        window: float = 60.0,
        others: int = 0,
        latency: float | Callable[[str, str], float] = 0.0,
        page_latency: float = 0.0,
        faults: Sequence[Fault] = (),
        changes: Callable[[int], None] | None = None,
        retry_after: bool = True,
        rate_headers: bool = True,
        reset_in: str = "s",
        clock_skew: float = 0.0,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.world = world
        self.token, self.oauth_token, self.team_id = TOKEN, OAUTH_TOKEN, world.team_id
        self._host, self._port, self._faults = host, port, tuple(faults)
        self._conduct = Conduct(
            latency, page_latency, retry_after, rate_headers, reset_in, clock_skew, changes
        )
        self._api = Api(world, behaviour or Behaviour())
        self._windows = {
            TOKEN: RateWindow(rate_limit, window, others),
            f"Bearer {OAUTH_TOKEN}": RateWindow(rate_limit, window, others),
        }
        self._app = App(self._api, self._windows, self._faults, self._conduct)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        """The base address, what ``CLICKUP_API_URL`` is set to."""
        return f"http://{self._host}:{self._port}/api/v2"

    @property
    def requests(self) -> list[Recorded]:
        """Every request so far, in order of arrival."""
        return self._app.account.requests

    @property
    def stats(self) -> Stats:
        """The counts so far."""
        return self._app.stats

    def commit(self, *faults: Fault) -> None:
        """From now on commit these faults instead of those before; none: behave."""
        self._app.faults = Faults(faults)

    def start(self) -> DemoServer:
        """Listen; return once requests are answered. Raises OSError when the port is taken."""
        listener = socket.create_server((self._host, self._port), backlog=512)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app, interface="asgi3", http=_Protocol, loop="uvloop", ws="none", lifespan="off",
            log_config=None, access_log=False, date_header=False, server_header=False, proxy_headers=False,
            timeout_keep_alive=75, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="demo-clickup", daemon=True)
        self._thread.start()
        if not self._ready.wait(30):
            raise RuntimeError("The demo server did not start.")
        return self

    def stop(self) -> None:
        """Stop listening and drop whoever still waits for an answer."""
        if self._server and self._thread and self._loop:
            self._server.should_exit = True
            self._loop.call_soon_threadsafe(self._app.closing.set)
            self._thread.join(10)
            self._thread = None

    def __enter__(self) -> DemoServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self._loop = runner.get_loop()
            self._loop.call_soon(self._ready.set)
            assert self._server is not None
            runner.run(self._server.serve(sockets=[listener]))
