"""Whether the site is alive, and whether it has something fresh to serve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from clickup_toolkit.errors import RedisError
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.serve.answers import TRY_AGAIN, send_json
from clickup_toolkit.serve.asgi import Receive, Scope, Send, send_answer, send_problem
from clickup_toolkit.serve.redis_link import RedisLink
from clickup_toolkit.serve.words import duration
from clickup_toolkit.settings import Settings

__all__ = ["Health", "Latest"]

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

    async def latest(self) -> Latest:
        """Return the latest version; reads no more than its manifest."""
        try:
            return Latest(await self._link.find("latest"))
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
            what, remedy = "There is no version yet.", "Run an export: clickup-toolkit export"
            await send_problem(scope, send, 503, what, remedy, TRY_AGAIN)
        else:
            await self._send_age(scope, send, stored)

    async def _send_age(self, scope: Scope, send: Send, stored: StoredVersion) -> None:
        age = datetime.now(UTC) - stored.updated_at
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
            told = {"status": "ready", "version": stored.version, "age_seconds": round(age.total_seconds())}
            await send_json(scope, send, told)


def _words(span: timedelta) -> str:
    return duration(span / timedelta(milliseconds=1))
