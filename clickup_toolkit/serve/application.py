"""The whole site as one ASGI app: who answers what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from traceback import extract_tb

import structlog

from clickup_toolkit.serve.access import Access, TooManyTries, WrongCredentials
from clickup_toolkit.serve.answers import send_too_many
from clickup_toolkit.serve.api import Api
from clickup_toolkit.serve.asgi import Message, Receive, Scope, Send, header, send_problem
from clickup_toolkit.serve.assets import PREFIX, send_asset
from clickup_toolkit.serve.headers import guarded
from clickup_toolkit.serve.monitor import Monitor
from clickup_toolkit.serve.routes import find_route
from clickup_toolkit.serve.sign_in import OPEN_TO_ALL, send_to_sign_in
from clickup_toolkit.serve.site import Site
from clickup_toolkit.serve.switch import Switch
from clickup_toolkit.serve.throttle import WRONG
from clickup_toolkit.serve.visitors import Actor, Visitors
from clickup_toolkit.settings import Settings

__all__ = ["Application"]

_LARGEST_FORM = 1 << 16  # bytes; the only form that matters is the one for signing in
_LARGEST_COOKIES = 8192  # bytes of all together; ours have some 500

_log = structlog.get_logger(__name__)


class Application:
    """What :mod:`~clickup_toolkit.serve.routes` declares, ``/-/assets/`` with what pages need, and datasette.

    One object serves one event loop. ``tries`` are the wrong tokens, and the wrong passwords, that an address
    may show within a minute. Raises :class:`~clickup_toolkit.errors.SettingsError` when the settings
    do not allow to serve.
    """

    def __init__(self, settings: Settings, *, tries: int = WRONG) -> None:
        self._access = Access(settings, tries)
        self._visitors = Visitors(self._access, tries)

        def build(database: Path | None, problem: str) -> Site:
            return Site(settings, self._access, self._visitors, self._monitor, database, problem)

        self._switch = Switch(settings.data_dir / "clickup.db", build)
        self._api = Api(settings, self._access, self._switch)
        self._monitor = Monitor(settings, self._api.link)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the start and the end of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer_or_fail(scope, receive, guarded(scope, send))

    async def close(self) -> None:
        """Let go of files, threads and connections; a server does this through the app's lifespan."""
        await asyncio.to_thread(self._monitor.exporter.close)
        await asyncio.gather(self._api.close(), self._switch.close())

    async def _answer_or_fail(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; what nobody foresaw is logged by its kind and place, without any value."""
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._answer(scope, receive, send_noting)
        except Exception as error:
            last = extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            _log.error("request.failed", kind=type(error).__name__, place=place)
            if not begun:
                what, remedy = "This request made the server stumble.", "Its log says where."
                await send_problem(scope, send, 500, what, remedy)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        found, counting = find_route(path), self._api.metrics.counting
        if found is not None:
            route, names = found
            await self._api.answer(route, names, scope, receive, counting(route.path, scope, send))
        elif path == "/api" or path.startswith("/api/"):
            await self._api.answer_unknown(scope, counting("unknown", scope, send))
        elif path.startswith(PREFIX):
            await send_asset(scope, counting("assets", scope, send))
        else:
            await self._show_page(scope, receive, counting("pages", scope, send))

    async def _show_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let datasette answer those who may see its pages."""
        if await _send_malformed(scope, send):
            return
        try:
            actor = await self._visitors.identify(scope)
        except WrongCredentials:
            await send_to_sign_in(scope, send, wrong=True)
        except TooManyTries as many:
            await send_too_many(scope, send, many.seconds)
        else:
            await self._show_page_to(actor, scope, receive, send)

    async def _show_page_to(self, actor: Actor | None, scope: Scope, receive: Receive, send: Send) -> None:
        if actor is None and not self._may_stranger_see(scope):
            if self._access.password_hash is not None:
                await send_to_sign_in(scope, send, wrong=False)
                return
            what = "These pages are open without a password, so only this machine may read them."
            remedy = "Browse them as localhost, send the bearer token, or set DATASETTE_PASSWORD_HASH."
            await send_problem(scope, send, 403, what, remedy)
            return
        # Datasette is told who it is, and none of the credentials.
        headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        async with self._switch.site() as site:
            await site.client.app({**scope, "headers": headers, "actor": actor}, receive, send)

    def _may_stranger_see(self, scope: Scope) -> bool:
        if self._access.password_hash is None:
            return self._access.is_open_to_strangers(scope)
        return bool(scope["path"].startswith(OPEN_TO_ALL))

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            async with self._switch.site():
                pass  # made now, so that the first visitor does not wait for it
            self._api.link.mending.begin(at_start=True)
            await send({"type": "lifespan.startup.complete"})
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _send_malformed(scope: Scope, send: Send) -> bool:
    """Refuse what datasette would stumble over, or hold in memory, and tell whether that was so."""
    length = header(scope, "content-length") or ""
    if not _is_readable(scope):
        what, remedy = (
            "The address or a cookie has characters that do not belong there.",
            "Percent-encode them.",
        )
        await send_problem(scope, send, 400, what, remedy)
    elif sum(map(len, _cookies(scope))) > _LARGEST_COOKIES:
        what, remedy = f"The cookies have more than {_LARGEST_COOKIES} bytes.", "Remove those of this host."
        await send_problem(scope, send, 431, what, remedy)
    elif scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    elif not length.isdigit():
        await send_problem(scope, send, 411, "The length of the body is not said.", "Send Content-Length.")
    elif int(length) > _LARGEST_FORM:
        await send_problem(scope, send, 413, "The body is too large.", f"Send at most {_LARGEST_FORM} bytes.")
    else:
        return False
    return True


def _is_readable(scope: Scope) -> bool:
    """Tell whether only characters came that belong there; no cookie has a backslash (RFC 6265).

    What parses cookies further on unquotes what stands behind one in quadratic time under Python 3.11.
    """
    cookies = _cookies(scope)
    texts = (scope.get("raw_path") or b"", scope["query_string"], *cookies)
    return all(text.isascii() for text in texts) and not any(b"\\" in cookie for cookie in cookies)


def _cookies(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"cookie"]
