"""Builders for tests of versions: workspaces with a size, changed from export to export."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable

import redis

from clickup_toolkit.publish import ExportLock, Published, body, find, publish, versions

TEAM = "9001"
HEAD = b'{"status":"success","data":['

Tasks = list[tuple[str, bytes]]


def workspace(tasks: int = 400, seed: int = 1) -> Tasks:
    """A workspace of tasks with random ids whose texts have about 3300 bytes: 80 or so in a chunk."""
    dice = random.Random(seed)
    return [task(f"86{dice.getrandbits(35):07x}", seed) for _ in range(tasks)]


def task(name: str, revision: int) -> tuple[str, bytes]:
    """One task; another revision has another text."""
    filler = random.Random(f"{name} {revision}").randbytes(1600).hex()
    return name, json.dumps({"id": name, "text": filler}, separators=(",", ":")).encode()


def changed(tasks: Tasks, revision: int, *places: int) -> Tasks:
    """The workspace with the tasks at these places edited."""
    return [task(name, revision) if at in places else (name, text) for at, (name, text) in enumerate(tasks)]


def document(tasks: Tasks, head: bytes = HEAD) -> bytes:
    """The JSON text that is published."""
    return head + b",".join(text for _, text in tasks) + b"]}"


def day(number: int) -> str:
    """The id of a version: ten o'clock on that day of November."""
    return f"202611{number:02}T100000Z"


def put(
    client: redis.Redis,
    version: str,
    tasks: Iterable[tuple[str, bytes]],
    *,
    team_id: str = TEAM,
    keep: int = 7,
    keep_daily: int = 0,
    head: bytes = HEAD,
) -> Published:
    """Publish under a lock of its own."""
    with ExportLock(client, team_id, 60) as lock:
        return publish(
            client,
            lock,
            team_id=team_id,
            version=version,
            head=[head],
            tasks=tasks,
            facts={"complete": True, "gaps": 0},
            keep=keep,
            keep_daily=keep_daily,
        )


def staying_chunks(client: redis.Redis, team_id: str = TEAM) -> set[str]:
    """The chunks in Redis that do not expire, whole or as deltas; none is both."""
    names = [
        bytes(name) for form in ("chunk", "delta") for name in client.scan_iter(f"clickup:{team_id}:{form}:*")
    ]
    staying = [name.decode().rpartition(":")[2] for name in names if client.ttl(name) == -1]
    assert len(staying) == len(set(staying)), "a chunk stays twice"
    return set(staying)


def named_chunks(client: redis.Redis, team_id: str = TEAM) -> set[str]:
    """The chunks that the versions name that are kept."""
    staying = (stored for stored in versions(client, team_id) if stored.ttl is None)
    return {chunk.digest for stored in staying for chunk in stored.chunks}


def kept(client: redis.Redis, team_id: str = TEAM) -> list[str]:
    """The ids of the versions that are kept, the newest first."""
    return [stored.version for stored in versions(client, team_id) if stored.ttl is None]


def packed_chunks(client: redis.Redis, team_id: str = TEAM) -> set[str]:
    """The chunks in Redis that are deltas."""
    return {
        bytes(name).decode().rpartition(":")[2] for name in client.scan_iter(f"clickup:{team_id}:delta:*")
    }


def text_of(client: redis.Redis, version: str = "latest") -> bytes:
    """The document of a version, as a client that takes gzip reads it."""
    stored = find(client, TEAM, version)
    assert stored is not None
    whole = b"".join(body(client, stored))
    assert len(whole) == stored.gzip_bytes
    return gzip.decompress(whole)
