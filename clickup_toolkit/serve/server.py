"""Run the site under uvicorn, to a graceful end."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from types import FrameType

import uvicorn

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.serve.application import Application
from clickup_toolkit.serve.protocol import LimitedProtocol
from clickup_toolkit.settings import Settings

__all__ = ["serve"]

_GRACE_SECONDS = 10  # for downloads under way when the end is asked for
_BEGIN_SECONDS = 60  # for a server in the background to begin


def serve(application: Application, settings: Settings, ready: Callable[[str], None] | None) -> None:
    """Serve until SIGTERM or SIGINT; both end the process as a success, as a service manager expects."""
    with _listen(settings.host, settings.port) as listener:
        server = _Server(application, listener, settings, ready)
        with _ended_by_signals(server):
            server.run(sockets=[listener])


@contextlib.contextmanager
def serve_in_background(application: Application, settings: Settings) -> Iterator[str]:
    """Serve in a thread until the block ends; the block is given the address."""
    begun: Future[str] = Future()
    with _listen(settings.host, settings.port) as listener:
        server = _Server(application, listener, settings, begun.set_result)
        thread = threading.Thread(target=server.run, args=([listener],), name="serve")
        thread.start()
        try:
            yield begun.result(_BEGIN_SECONDS)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """A server that tells its address when it has begun."""

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        settings: Settings,
        ready: Callable[[str], None] | None,
    ) -> None:
        super().__init__(_configure(application, settings.trusted_proxies or ()))
        self._address = _address(settings.host, listener)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready is not None:
            self._ready(self._address)


def _configure(application: Application, proxies: Sequence[str]) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=LimitedProtocol,
        loop="asyncio" if sys.platform == "win32" else "uvloop",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,  # addresses hold queries, and queries hold names
        server_header=False,
        proxy_headers=bool(proxies),  # from anybody else, they are what a stranger likes to be taken for
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while")[0]  # what follows is said already
        raise SettingsError(
            f"HOST {host} and PORT {port} cannot be served: {reason}.",
            "Set PORT to a free port, or end the program that holds it.",
        ) from error


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let signals end the server, and nothing else.

    uvicorn heeds them while it runs, and raises them again when it has ended: by then all is done.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
