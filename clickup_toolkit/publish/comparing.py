"""What differs between two versions: which tasks came, which went, which changed status.

Chunks that both versions name hold the same tasks and are not read. The others are read from both sides in
turn, and a task is forgotten as soon as it was met on both: since tasks keep their order, what is held at a
time is a few chunks and the tasks that really came or went.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
import redis

from clickup_toolkit.errors import RedisError
from clickup_toolkit.publish.asking import answer
from clickup_toolkit.publish.chunks import TAIL
from clickup_toolkit.publish.keys import Keys
from clickup_toolkit.publish.manifest import StoredVersion, damaged
from clickup_toolkit.publish.rebuilding import texts

__all__ = ["Difference", "differences"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task that is another in the later version.

    ``what`` is ``came``, ``went``, ``status`` (another status) or ``changed`` (anything else). ``before``
    and ``after`` are its statuses; None where it is not there, or has none.
    """

    what: Literal["came", "went", "status", "changed"]
    id: str
    name: str
    before: str | None = None
    after: str | None = None


class _Status(msgspec.Struct):
    status: str | None = None


class _Task(msgspec.Struct):
    """What is compared of a task; ClickUp sends its status as an object."""

    id: str
    name: str | None = None
    status: _Status | str | None = None

    @property
    def shown_status(self) -> str | None:
        """The status as people know it."""
        return self.status.status if isinstance(self.status, _Status) else self.status


class _Seen(msgspec.Struct):
    task: _Task
    text: int  # the hash of the whole text, for this process


_decode = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_task = msgspec.json.Decoder(_Task).decode


def differences(client: redis.Redis, older: StoredVersion, newer: StoredVersion) -> Iterator[Difference]:
    """Yield what differs between two versions of a workspace, first what changed, then what came and went.

    Memory stays flat but for the tasks that came and went. Raises :class:`VersionDamaged`, and
    :class:`RedisError` for versions of a release that did not note where tasks begin.
    """
    sides = (_tasks(client, older, newer), _tasks(client, newer, older))
    alone: tuple[dict[str, _Seen], dict[str, _Seen]] = ({}, {})
    for side, seen in _in_turn(*sides):
        name = seen.task.id
        other = alone[1 - side].pop(name, None)
        if other is None:
            alone[side][name] = seen
        elif found := _changed(other, seen) if side else _changed(seen, other):
            yield found
    for seen in alone[1].values():
        yield Difference("came", seen.task.id, seen.task.name or "", after=seen.task.shown_status)
    for seen in alone[0].values():
        yield Difference("went", seen.task.id, seen.task.name or "", before=seen.task.shown_status)


def _changed(before: _Seen, after: _Seen) -> Difference | None:
    statuses = before.task.shown_status, after.task.shown_status
    name = after.task.name or ""
    if statuses[0] != statuses[1]:
        return Difference("status", after.task.id, name, *statuses)
    if before.text != after.text:
        return Difference("changed", after.task.id, name, *statuses)
    return None


def _in_turn(*sides: Iterator[list[_Seen]]) -> Iterator[tuple[int, _Seen]]:
    """Yield the tasks of both sides, a chunk from each in turn, each with the number of its side."""
    going = dict(enumerate(sides))
    while going:
        for side, chunks in list(going.items()):
            tasks = next(chunks, None)
            if tasks is None:
                del going[side]
            for seen in tasks or ():
                yield side, seen


def _tasks(client: redis.Redis, stored: StoredVersion, other: StoredVersion) -> Iterator[list[_Seen]]:
    """Yield, chunk by chunk, the tasks of those chunks that the other version does not name."""
    shared = {chunk.digest for chunk in other.chunks}
    keys = Keys(stored.team_id)
    if stored.tasks and not any(chunk.opens for chunk in stored.chunks):
        raise RedisError(
            f"Version {stored.version} was written by an earlier release, so its tasks cannot be compared.",
            "Compare newer versions.",
        )
    for chunk in stored.chunks:
        if chunk.digest not in shared and chunk.opens:
            text = answer(client, texts(keys, [chunk.digest])).get(chunk.digest)
            if text is None:
                damaged(stored.version, f"chunk {chunk.digest} is missing or does not match its hash")
            ended = text if chunk is not stored.chunks[-1] else text.removesuffix(TAIL)
            tasks = _decode(b"[%b]" % ended.removeprefix(b","))  # but for the first, chunks begin with one
            yield [_Seen(_decode_task(task), hash(bytes(task))) for task in tasks]
