"""The way to the server of versions: ``REDIS_URL``, or the embedded server in the data folder."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.retry import Retry

from clickup_toolkit.errors import RedisUnreachable
from clickup_toolkit.publish.faults import answers, plain_faults
from clickup_toolkit.settings import Settings

__all__ = ["async_connect", "connect", "is_running", "server_address", "stop"]

_ANSWER_WITHIN = 30.0  # seconds; a step over the thousands of chunks of a version takes milliseconds
_CONNECT_WITHIN = 5.0  # seconds
_RETRIES = 3  # a second or two: enough for a restart or a failover; every step may be sent twice


def connect(settings: Settings) -> redis.Redis:
    """Return a client of the server of versions that was just seen alive; values are bytes.

    Starts the embedded server when ``REDIS_URL`` is not set. A server that is not there is noticed at once.
    Raises :class:`RedisUnreachable`, saying what is wrong and what to do.
    """
    address = _seen_address(settings, _ANSWER_WITHIN)
    return _client(address, Retry(_backoff(), _RETRIES), _ANSWER_WITHIN)


async def async_connect(
    settings: Settings, *, within: float = _ANSWER_WITHIN, retries: int = _RETRIES
) -> redis.asyncio.Redis:
    """Return what :func:`connect` returns, for the running event loop; close it with ``aclose``.

    ``within`` is how many seconds an answer may take, ``retries`` how often a step is sent again.
    """
    address = await asyncio.to_thread(_seen_address, settings, within)
    return redis.asyncio.Redis.from_url(
        address,
        retry=AsyncRetry(_backoff(), retries),
        socket_timeout=within,
        socket_connect_timeout=min(within, _CONNECT_WITHIN),
    )


def server_address(settings: Settings) -> str:
    """Return the address of the server of versions, password included, starting the embedded one if needed.

    ``REDIS_URL`` is returned as it is, without asking whether anybody answers there.
    Raises :class:`RedisUnreachable` when the embedded server does not start.
    """
    if settings.redis_url is not None:
        return settings.redis_url
    _refuse_windows()
    from clickup_toolkit.publish import embedded  # needs fcntl, which Windows lacks

    return embedded.ensure(settings.data_dir)


def is_running(settings: Settings) -> bool:
    """Tell whether the embedded server of the data folder runs; False where ``REDIS_URL`` names another."""
    if settings.redis_url is not None or sys.platform == "win32":
        return False
    from clickup_toolkit.publish import embedded

    return embedded.is_running(settings.data_dir)


def stop(settings: Settings) -> bool:
    """Stop the embedded server of the data folder, keeping its data; return whether one ran.

    A server named by ``REDIS_URL`` is not ours and is left alone.
    """
    if settings.redis_url is not None or sys.platform == "win32":
        return False
    from clickup_toolkit.publish import embedded

    return embedded.stop(settings.data_dir)


def _seen_address(settings: Settings, within: float) -> str:
    address = server_address(settings)
    with _legible_address(), _client(address, Retry(NoBackoff(), 0), within) as probe, plain_faults(probe):
        answers(probe)
    return address


def _client(address: str, retry: Retry, within: float) -> redis.Redis:
    return redis.Redis.from_url(
        address, retry=retry, socket_timeout=within, socket_connect_timeout=min(within, _CONNECT_WITHIN)
    )


@contextmanager
def _legible_address() -> Iterator[None]:
    """Turn what redis-py raises for an address, or an option in it, that it cannot read."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise RedisUnreachable(
            "REDIS_URL is not an address of Redis.",
            "It reads redis://user:password@host:port/0, rediss://… for TLS, or unix:///path/to/socket.",
        ) from error


def _backoff() -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(cap=1.0, base=0.1)


def _refuse_windows() -> None:
    if sys.platform == "win32":
        raise RedisUnreachable(
            "There is no embedded server for Windows.",
            "Set REDIS_URL to a Redis or Valkey server, or run the toolkit under WSL.",
        )
