"""One way of asking Redis for threads and for event loops.

What is to be asked is told by a generator: it yields an :class:`Ask`, is sent the answer, and yields
whatever it has found out. So every walk through Redis is written once, and runs with either client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any, NamedTuple, TypeVar

import redis
import redis.asyncio
import structlog

from clickup_toolkit.errors import RedisError
from clickup_toolkit.publish.faults import plain_faults

__all__ = ["Ask", "Work", "answer", "async_answer", "async_pieces", "evaluate", "pieces"]

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)


class Ask(NamedTuple):
    """A command for Redis; an ``optional`` one may fail, as a write does on a replica."""

    words: tuple[Any, ...]
    optional: bool = False


class Work(NamedTuple):
    """Something that takes the processor for long, which an event loop has done in a thread."""

    do: Callable[[], Any]


Steps = Generator[Ask | Work, Any, Result]
Pieces = Generator[Ask | Work | bytes, Any, None]


def evaluate(script: str, keys: list[str], *arguments: object, optional: bool = False) -> Ask:
    """Return the command that runs a script."""
    return Ask(("EVAL", script, len(keys), *keys, *arguments), optional)


def answer(client: redis.Redis, steps: Steps[Result]) -> Result:
    """Return what ``steps`` find out. Raises :class:`RedisError`."""
    try:
        step = next(steps)
        while True:
            step = steps.send(_taken(client, step))
    except StopIteration as end:
        found: Result = end.value
        return found


async def async_answer(client: redis.asyncio.Redis, steps: Steps[Result]) -> Result:
    """As :func:`answer`."""
    try:
        step = next(steps)
        while True:
            step = steps.send(await _async_taken(client, step))
    except StopIteration as end:
        found: Result = end.value
        return found


def pieces(client: redis.Redis, steps: Pieces) -> Iterator[bytes]:
    """Yield the bytes that ``steps`` yield. Raises :class:`RedisError`."""
    step = next(steps, None)
    while step is not None:
        try:
            if isinstance(step, bytes):
                yield step
                step = next(steps)
            else:
                step = steps.send(_taken(client, step))
        except StopIteration:
            return


async def async_pieces(client: redis.asyncio.Redis, steps: Pieces) -> AsyncIterator[bytes]:
    """As :func:`pieces`."""
    step = next(steps, None)
    while step is not None:
        try:
            if isinstance(step, bytes):
                yield step
                step = next(steps)
            else:
                step = steps.send(await _async_taken(client, step))
        except StopIteration:
            return


def _taken(client: redis.Redis, step: Ask | Work) -> Any:
    if isinstance(step, Work):
        return step.do()
    try:
        with plain_faults(client):
            return client.execute_command(*step.words)  # type: ignore[no-untyped-call]
    except RedisError as fault:
        _let_pass(step, fault)


async def _async_taken(client: redis.asyncio.Redis, step: Ask | Work) -> Any:
    if isinstance(step, Work):
        return await asyncio.to_thread(step.do)
    try:
        with plain_faults(client):
            return await client.execute_command(*step.words)  # type: ignore[no-untyped-call]
    except RedisError as fault:
        _let_pass(step, fault)


def _let_pass(step: Ask, fault: RedisError) -> None:
    if not step.optional:
        raise fault
    _log.warning("redis.not_done", reason=fault.message)
