"""What Redis and the way to it answer when something is wrong, as one clear sentence with a remedy.

The only place that knows redis-py's exceptions. No sentence ever holds a password: addresses are shown
without user, password and options.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import redis
import redis.asyncio
from redis import exceptions as foreign

from clickup_toolkit.errors import RedisError, RedisFull, RedisUnreachable

__all__ = ["Client", "answers", "place_of", "plain_faults"]

Client = redis.Redis | redis.asyncio.Redis


class _Fault(NamedTuple):
    """How one of redis-py's exceptions reads: ``{place}`` is the server, ``{error}`` its own words."""

    met: type[Exception]
    begins: str
    becomes: type[RedisError]
    message: str
    remedy: str


_PIPELINED = " of pipeline caused error: "  # what redis-py puts between a command and the server's words
_NO_DISK = "MISCONF"
_START_IT = "Start it, correct REDIS_URL, or unset REDIS_URL to use the embedded server."

# The first that fits is taken, so a subclass stands before its base.
_FAULTS = (
    _Fault(
        foreign.AuthenticationError,
        "",
        RedisUnreachable,
        "Redis at {place} refuses the password.",
        "Put the right one into REDIS_URL: redis://user:password@host:port/0.",
    ),
    _Fault(
        foreign.NoPermissionError,
        "",
        RedisError,
        "The user of REDIS_URL may not do what is needed at {place}: {error}.",
        "Allow it to use scripts and all commands on keys that begin with clickup:, "
        "or name another user in REDIS_URL.",
    ),
    _Fault(
        foreign.BusyLoadingError,
        "",
        RedisUnreachable,
        "Redis at {place} is still loading its data.",
        "Wait until it has loaded, and try again.",
    ),
    _Fault(
        foreign.ReadOnlyError,
        "",
        RedisError,
        "Redis at {place} is a read-only replica, so nothing can be stored there.",
        "Set REDIS_URL to the primary server.",
    ),
    _Fault(
        foreign.OutOfMemoryError,
        "",
        RedisFull,
        "Redis at {place} is full; the versions that are to be kept stay as they are.",
        "Raise its maxmemory and export again, or keep fewer versions (KEEP_LAST_N_EXPORTS, "
        "KEEP_DAILY_EXPORTS): the next export, even if it fails, drops what is too many, and an hour later "
        "its room is free.",
    ),
    _Fault(
        foreign.ResponseError,
        _NO_DISK,
        RedisError,
        "Redis at {place} cannot write to its disk, so it takes nothing new.",
        "Free disk space where the server keeps its files, and export again.",
    ),
    _Fault(
        foreign.InvalidResponse,
        "",
        RedisUnreachable,
        "What answers at {place} is not Redis.",
        "Correct host and port in REDIS_URL.",
    ),
    _Fault(
        foreign.TimeoutError,
        "",
        RedisUnreachable,
        "Redis at {place} does not answer.",
        "See whether it is overloaded or the way to it is blocked; "
        "correct REDIS_URL if the address is wrong.",
    ),
    _Fault(
        foreign.ConnectionError,
        "",
        RedisUnreachable,
        "Redis at {place} cannot be reached: {error}.",
        _START_IT,
    ),
    _Fault(
        foreign.RedisError,
        "",
        RedisError,
        "Redis at {place} refuses: {error}.",
        "See whether REDIS_URL names a single Redis 6.2 or Valkey 7.2 server or newer.",
    ),
)


@contextmanager
def plain_faults(client: Client) -> Iterator[None]:
    """Turn redis-py's exceptions inside the block into ours."""
    try:
        yield
    except foreign.RedisError as error:
        raise _plain(error, place_of(client)) from error


def answers(client: redis.Redis) -> bool:
    """Ask for a sign of life. A server that cannot write to its disk refuses even that, and reads on."""
    try:
        return client.ping() is True
    except foreign.ResponseError as error:
        if not _said(error).startswith(_NO_DISK):
            raise
        return True


def place_of(client: Client) -> str:
    """Return where the client's server is, without user and password."""
    known = client.connection_pool.connection_kwargs
    if "path" in known:
        return f"unix://{known['path']}"
    return f"{known.get('host', 'localhost')}:{known.get('port', 6379)}"


def _plain(error: foreign.RedisError, place: str) -> RedisError:
    said = _said(error)
    fault = next(fault for fault in _FAULTS if isinstance(error, fault.met) and said.startswith(fault.begins))
    return fault.becomes(fault.message.format(place=place, error=said), fault.remedy)


def _said(error: foreign.RedisError) -> str:
    """Return the server's words alone: before them, a pipeline's error shows the bytes that were sent."""
    return str(error).rpartition(_PIPELINED)[2].strip().rstrip(".")
