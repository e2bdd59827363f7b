"""Whether the site is alive, and whether it has something fresh to serve."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from clickup_toolkit.errors import RedisError, RedisUnreachable
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.answers import TRY_AGAIN, send_json
from clickup_toolkit.serve.asgi import Receive, Scope, Send, send_answer, send_problem
from clickup_toolkit.serve.redis_link import LATEST, RedisLink
from clickup_toolkit.serve.words import duration
from clickup_toolkit.settings import Settings

__all__ = ["Health", "Latest"]

_WITHIN = 2.0  # seconds; whoever watches us gives up soon, and a Redis that hangs is no news to wait for
_ALIVE = b'{"status":"alive"}'


class Latest(NamedTuple):
    """The latest version, None where there is none, or why that cannot be told."""

    stored: StoredVersion | None
    error: RedisError | None = None


class Health:
    """Answers ``/-/healthz`` and ``/-/readyz``."""

    def __init__(self, settings: Settings, link: RedisLink) -> None:
        self._interval = timedelta(hours=settings.export_interval_hours)
        self._link = link
        self._asking: asyncio.Task[Latest] | None = None

    async def latest(self) -> Latest:
        """Return the latest version; reads no more than its manifest, and waits 2 s at most.

        A question that takes longer is not put a second time before it is answered.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        answered, _ = await asyncio.wait({self._asking}, timeout=_WITHIN)
        return self._asking.result() if answered else Latest(None, _hanging())

    async def _ask(self) -> Latest:
        try:
            return Latest(await self._link.find(LATEST))
        except RedisError as error:
            return Latest(None, error)

    async def alive(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Say that requests are answered; asks nobody, and tells nothing."""
        headers = {"content-type": "application/json", "cache-control": "no-store"}
        await send_answer(scope, send, 200, headers, _ALIVE)

    async def ready(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Say that a version is there and not older than two intervals, or what is wrong and what to do."""
        stored, error = await self.latest()
        if error is not None:
            await send_problem(scope, send, 503, error.message, error.remedy, TRY_AGAIN)
        elif stored is None:
            what, remedy = self._link.nothing()
            await send_problem(scope, send, 503, what, remedy, TRY_AGAIN)
        else:
            await self._send_age(scope, send, stored)

    async def _send_age(self, scope: Scope, send: Send, stored: StoredVersion) -> None:
        age = max(timedelta(0), datetime.now(UTC) - stored.updated_at)  # a clock may be set back
        if age > 2 * self._interval:
            await send_problem(
                scope,
                send,
                503,
                f"Version {stored.version} is {_words(age)} old, more than two intervals of "
                f"{_words(self._interval)}.",
                "See whether clickup-toolkit schedule runs and how the last notebooks in runs/ ended; "
                "clickup-toolkit doctor looks for what is wrong.",
                TRY_AGAIN,
            )
        else:
            about = {"version": stored.version, "age_seconds": round(age.total_seconds())}
            await send_json(scope, send, {"status": "ready", **about, **_standing_in(stored)})


def _standing_in(stored: StoredVersion) -> dict[str, str]:
    """Return what is said of an older version that is served because the latest is damaged."""
    if stored.instead_of is None:
        return {}
    return {
        "instead_of": stored.instead_of,
        "warning": f"Version {stored.instead_of} is damaged; this older one is served in its place.",
        "remedy": "It is published again by itself where the data folder holds it, and by the next export. "
        "If that does not help: clickup-toolkit versions rebuild",
    }


def _hanging() -> RedisError:
    return RedisUnreachable(
        f"Redis does not answer within {_WITHIN:.0f} s.",
        "See whether it is overloaded or the way to it is blocked.",
    )


def _words(span: timedelta) -> str:
    return duration(span / timedelta(milliseconds=1))
