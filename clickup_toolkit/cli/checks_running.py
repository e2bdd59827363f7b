"""What ``doctor`` looks at of what runs, or should: Redis, the schedule, the port."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from datetime import datetime
from typing import Any

from clickup_toolkit import publish, store
from clickup_toolkit.cli.findings import Remark
from clickup_toolkit.errors import SettingsError, ToolkitError
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.settings import Settings

__all__ = ["ask_health", "port", "redis_server", "schedule"]

_OLDEST_REDIS = (7, 0)
_LEAST_FREE_MB = 256
_MOST_SKEW_S = 60
_HEALTH = "/-/healthz"
_ANSWER_WITHIN = 5.0  # seconds


def redis_server(settings: Settings) -> str:
    """Check version, eviction, free memory and clock of the server of versions."""
    client = publish.connect(settings)
    with plain_faults(client):
        server, memory = client.info("server"), client.info("memory")
        writes = client.info("persistence").get("aof_last_write_status", "ok")
        seconds, _ = client.time()
    client.close()
    name = server.get("server_name", "redis").capitalize()
    version = server.get("valkey_version", server.get("redis_version", ""))
    where = "REDIS_URL" if settings.redis_url else f"embedded, in {settings.data_dir}"
    found = f"{name} {version} ({where})"
    if writes != "ok":
        raise ToolkitError(
            f"{found} cannot write to its disk, so it takes nothing new; what it holds can be read.",
            "Free disk space where the server keeps its files: it goes on by itself within a second.",
        )
    _see_version(found, str(server.get("redis_version", "")))
    _see_memory(found, memory)
    skew = time.time() - seconds
    if abs(skew) > _MOST_SKEW_S:
        raise Remark(
            f"{found}, whose clock is {abs(skew):,.0f} s off ours.", "Set both clocks, by NTP at best."
        )
    return f"{found}, {_free_mb(memory)}"


def _see_version(found: str, version: str) -> None:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _OLDEST_REDIS:
        raise ToolkitError(
            f"{found} is too old.", "Use Redis 7 or Valkey, or unset REDIS_URL to use the embedded server."
        )


def _see_memory(found: str, memory: dict[str, Any]) -> None:
    policy, most = str(memory.get("maxmemory_policy", "noeviction")), int(memory.get("maxmemory", 0))
    if most and policy != "noeviction":
        raise ToolkitError(
            f"{found} throws away what is stored when its memory is full (maxmemory-policy {policy}).",
            "Set maxmemory-policy noeviction in its configuration: versions must stay whole.",
        )
    free = (most - int(memory["used_memory"])) / 1e6
    if most and free < _LEAST_FREE_MB:
        raise Remark(
            f"{found} has {max(0.0, free):,.0f} MB of its maxmemory left.",
            "Raise maxmemory, or keep fewer versions (KEEP_LAST_N_EXPORTS).",
        )


def _free_mb(memory: dict[str, Any]) -> str:
    most = int(memory.get("maxmemory", 0))
    if not most:
        return f"{int(memory['used_memory']) / 1e6:,.0f} MB used, without a limit"
    return f"{(most - int(memory['used_memory'])) / 1e6:,.0f} MB free"


def schedule(settings: Settings) -> str:
    """Check that the next export will come, and how the last ended."""
    from clickup_toolkit.schedule import LOCK, PLAN, SteadyClock, read_plan

    _see_last_run(settings)
    plan = read_plan(settings.data_dir / PLAN)
    runs = store.is_held(settings.data_dir / LOCK)
    if plan is None:
        return "it has not begun" if runs else "no export was scheduled here yet: clickup-toolkit up"
    planned = datetime.fromisoformat(plan.next)
    late = (SteadyClock(threading.Event(), plan.anchor).now() - planned).total_seconds() / 3600
    if not runs and late > plan.interval_hours:
        raise ToolkitError(
            f"No scheduler runs; an export was due {planned:%Y-%m-%d %H:%M} UTC.",
            "Start it: clickup-toolkit up (or schedule), or see that cron or the timer still calls it.",
        )
    under_way = "an export is under way; " if plan.running and runs else ""
    kept = "" if runs else ", by whoever calls schedule --once-if-due"
    return f"{under_way}the next is due {planned:%Y-%m-%d %H:%M} UTC{kept}"


def _see_last_run(settings: Settings) -> None:
    for record in store.read_records(settings.data_dir / "runs", 1):
        if record.outcome == "failed":
            raise ToolkitError(f"The last run, {record.name}, failed: {record.message}", record.remedy)


def port(settings: Settings) -> str:
    """Check that HOST and PORT are free, or served by us."""
    where = f"{settings.host}:{settings.port}"
    try:
        ask_health(settings)
    except ToolkitError:
        pass
    else:
        return f"{where} is served"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        reason = str(error.strerror or error).partition(" (while")[0]
        raise SettingsError(
            f"{where} cannot be served: {reason}.",
            "Set PORT to a free port and HOST to an address of this machine, or end what holds the port.",
        ) from error
    return f"{where} is free"


def ask_health(settings: Settings) -> None:
    """Ask the server at HOST and PORT whether it is alive. Raises :class:`ToolkitError` when it is not."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=_ANSWER_WITHIN)
    try:
        connection.request("GET", _HEALTH, headers={"Host": "localhost"})
        answer = connection.getresponse()
        alive = answer.status == http.client.OK and b"alive" in answer.read(1000)
    except (OSError, http.client.HTTPException) as error:
        raise ToolkitError(
            f"Nobody serves {host}:{settings.port} ({error}).", "Start it: clickup-toolkit up"
        ) from error
    finally:
        connection.close()
    if not alive:
        raise ToolkitError(f"{host}:{settings.port} answers {answer.status}: that is something else.")
