"""What a soak measures: processes, files and keys now and then; what stays behind at the end."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import redis

from benchmarks._soak_service import Service
from clickup_toolkit import publish
from clickup_toolkit.publish.embedded import Place
from clickup_toolkit.publish.keys import Keys

__all__ = ["flat", "loose_keys", "sample", "strangers", "temporary_files", "trend"]

Sample = Mapping[str, float]
_LIVING = ("up", "schedule", "serve", "valkey")
_OURS = re.compile(
    r"clickup-\d{8}T\d{6}Z\.db|clickup\.db|journal\.db(-wal|-shm)?|(schedule|notified)\.json|"
    r"(export|schedule|up)\.lock|parquet/[a-z_]+/part-0\.parquet|parquet/[.a-z_]+|"
    r"runs/\d{8}T\d{6}Z(-\d+)?\.(ipynb|json)|runs/current\.(json|lock)|"
    r"redis/(valkey\.(log|pid|sock)|server\.lock|appendonlydir/appendonly\.aof\.[a-z0-9.]+)"
)


def sample(service: Service, team: str, temporary: Path) -> dict[str, float]:
    """Return every figure as it is now; what cannot be asked just now is absent."""
    found: dict[str, float] = {}
    for role in _LIVING:
        with suppress(psutil.NoSuchProcess):
            if process := service.find(role):
                found |= _of_process(role, process)
    data = [path for path in service.folder.rglob("*") if path.is_file() and path.name != "ballast"]
    found["files"] = len(data)
    found["MB of files but Redis'"] = sum(_size(path) for path in data if "redis" not in path.parts) / 1e6
    found["processes"] = len(service.family())
    found["temporary files"] = len(temporary_files(temporary))
    with suppress(redis.RedisError):
        found |= _of_redis(service.folder, team)
    return found


def _of_process(role: str, process: psutil.Process) -> dict[str, float]:
    return {
        f"{role}: MB": process.memory_full_info().uss / 1e6,
        f"{role}: descriptors": process.num_fds(),
        f"{role}: threads": process.num_threads(),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # gone since it was listed


def _of_redis(folder: Path, team: str) -> dict[str, float]:
    """Count what does not expire; versions that were dropped live on for an hour, whatever the interval."""
    with _redis(folder) as client:
        staying = [key for key in client.scan_iter("*", count=1000) if client.pttl(key) == -1]
        held = sum(client.memory_usage(key) or 0 for key in staying)
        return {
            "versions kept": sum(one.ttl is None for one in publish.versions(client, team)),
            "keys that stay": len(staying),
            "MB in them": held / 1e6,
        }


def _redis(folder: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(Place.of(folder).socket), socket_timeout=5)


def loose_keys(folder: Path, team: str) -> list[str]:
    """Return the keys that neither expire nor belong to a kept version."""
    keys = Keys(team)
    with _redis(folder) as client:
        kept = [one for one in publish.versions(client, team) if one.ttl is None]
        needed = {keys.latest, keys.versions, keys.leaving, keys.pinned}
        needed |= {keys.version(one.version) for one in kept}
        digests = {chunk.digest for one in kept for chunk in one.chunks}
        needed |= {
            make(digest) for digest in _with_bases(client, keys, digests) for make in (keys.chunk, keys.delta)
        }
        found = {key.decode() for key in client.scan_iter("*", count=1000) if client.pttl(key) == -1}
        return sorted(found - needed)


def _with_bases(client: redis.Redis, keys: Keys, digests: set[str]) -> set[str]:
    """Return chunks with those by which older ones are told."""
    needed, new = set(digests), set(digests)
    while new:
        told = {client.hget(keys.delta(digest), "bases") or b"" for digest in new}
        new = {base for bases in told for base in re.findall(r"[0-9a-f]{16,}", bases.decode())} - needed
        needed |= new
    return needed


def strangers(folder: Path) -> list[str]:
    """Return the files that do not belong into a data folder in which nothing runs."""
    names = (str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
    return sorted(name for name in names if not _OURS.fullmatch(name))


def temporary_files(home: Path) -> list[str]:
    """Return the files below a home but for IPython's own README, which it writes once."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "README")
    return sorted(str(path.relative_to(home)) for path in files)


def trend(samples: Sequence[Sample], name: str) -> tuple[float, float, float] | None:
    """Return a figure's first value, and its medians in the second and in the last quarter; None if rare."""
    values = [one[name] for one in samples if name in one]
    quarter = len(values) // 4
    if quarter < 3:  # too few to tell growth from what only fills up
        return None
    second, last = values[quarter : 2 * quarter], values[-quarter:]
    return values[0], statistics.median(second), statistics.median(last)


def flat(second: float, last: float, slack: float) -> bool:
    """Tell whether a figure stays: within 10 %, or ``slack``."""
    return last - second <= max(slack, 0.1 * second)
