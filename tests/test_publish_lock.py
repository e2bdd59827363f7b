"""The lock: one export at a time, and a late waker that cannot publish."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest
import redis

from clickup_toolkit.errors import ExportRunning, LockLost, RedisUnreachable
from clickup_toolkit.publish import ExportLock
from clickup_toolkit.publish.lock import Holder
from tests.fixtures.valkey import RedisServer, wait_until

KEY = "clickup:9001:lock"

HOLDER = """
import sys, redis
from clickup_toolkit.errors import LockLost
from clickup_toolkit.publish import ExportLock
with ExportLock(redis.Redis.from_url(sys.argv[1]), "9001", float(sys.argv[2])) as lock:
    print("held", flush=True)
    sys.stdin.read(1)
    try:
        lock.check()
    except LockLost:
        sys.exit(7)
"""


def elsewhere(redis_url: str, ttl: float) -> subprocess.Popen[str]:
    """Start another process that holds the lock until it is told to check it."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, redis_url, str(ttl)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


def test_a_second_export_is_told_who_runs(redis_client: redis.Redis) -> None:
    """Entering a held lock says since when, where and in which process it runs, and when it expires."""
    with ExportLock(redis_client, "9001", 1800):
        holder = msgspec.json.decode(redis_client.get(KEY), type=Holder)
        with pytest.raises(ExportRunning) as met, ExportLock(redis_client, "9001", 1800):
            pass
        assert 0 < redis_client.pttl(KEY) <= 1_800_000
    assert (datetime.now(UTC) - holder.since).total_seconds() < 60
    assert met.value.message == (
        f"Another export of workspace 9001 is running since {holder.since:%Y-%m-%d %H:%M:%S} UTC "
        f"on {holder.host} (process {os.getpid()})."
    )
    assert met.value.remedy.startswith(
        "Wait until it ends. If that process is gone, its lock goes too: it expi"
    )
    assert met.value.exit_code == 4


def test_leaving_releases(redis_client: redis.Redis) -> None:
    """After the block the key is gone, whether the block failed or not, and the next export may begin."""
    with pytest.raises(KeyError), ExportLock(redis_client, "9001", 1800):
        raise KeyError
    assert redis_client.keys() == []
    with ExportLock(redis_client, "9001", 1800) as lock:
        lock.check()
    assert redis_client.keys() == []


def test_workspaces_do_not_hinder_each_other(redis_client: redis.Redis) -> None:
    """Each workspace has a lock of its own."""
    with ExportLock(redis_client, "9001", 1800) as one, ExportLock(redis_client, "9002", 1800) as other:
        one.check()
        other.check()


def test_a_living_export_keeps_its_lock(redis_client: redis.Redis) -> None:
    """A thread renews the lock at a third of its life, so it outlives its time to live."""
    renewals = 0
    with ExportLock(redis_client, "9001", 1.2) as lock:
        left = 1200

        def renewed_often() -> bool:
            nonlocal renewals, left
            before, left = left, redis_client.pttl(KEY)
            renewals += left > before
            return renewals >= 4

        wait_until(renewed_often)
        lock.check()


def test_a_lost_lock_is_noticed_and_not_released(redis_client: redis.Redis) -> None:
    """Whoever lost the lock is told at the next check, and does not take it from the one who has it now."""
    with ExportLock(redis_client, "9001", 1800) as stale:
        redis_client.delete(KEY)
        with ExportLock(redis_client, "9001", 1800) as fresh:
            with pytest.raises(LockLost, match="publishes nothing"):
                stale.check()
            stale.__exit__(None, None, None)
            fresh.check()


def test_a_process_that_stood_still_finds_its_lock_taken(redis_url: str, redis_client: redis.Redis) -> None:
    """A stopped exporter's lock expires; another takes it; the first, woken late, learns that."""
    other = elsewhere(redis_url, 0.5)
    other.send_signal(signal.SIGSTOP)
    wait_until(lambda: not redis_client.exists(KEY))
    with ExportLock(redis_client, "9001", 1800) as lock:
        other.send_signal(signal.SIGCONT)
        other.communicate("x")
        lock.check()
    assert other.returncode == 7


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_killed_exports_lock_is_taken_over(redis_url: str, redis_client: redis.Redis) -> None:
    """A holder of this machine whose process is gone does not make the next export wait."""
    other = elsewhere(redis_url, 1800)
    with pytest.raises(ExportRunning), ExportLock(redis_client, "9001", 1800):
        pass
    other.kill()
    wait_until(lambda: os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    with ExportLock(redis_client, "9001", 1800) as lock:  # the other is a zombie still
        lock.check()
    other.communicate()


@pytest.mark.parametrize("machine", ["", "another boot pid:[1]"])
def test_a_holder_elsewhere_is_never_taken_for_dead(redis_client: redis.Redis, machine: str) -> None:
    """A process number means nothing on another machine, after another boot or in another container."""
    there = Holder("t", datetime(2026, 11, 23, tzinfo=UTC), "elsewhere", 2**22 + 1, machine, "1")
    redis_client.set(KEY, msgspec.json.encode(there))
    with (
        pytest.raises(ExportRunning, match="since 2026-11-23 00:00:00 UTC on elsewhere") as met,
        ExportLock(redis_client, "9001", 1800),
    ):
        pass
    assert met.value.remedy.endswith(f"delete the key {KEY} in Redis.")


def test_a_foreign_value_is_respected(redis_client: redis.Redis) -> None:
    """A lock that something else wrote is a lock."""
    redis_client.set(KEY, b"\xff", px=90_000)
    with pytest.raises(ExportRunning, match="9001 is running"), ExportLock(redis_client, "9001", 1800):
        pass


def test_a_server_that_dies_does_not_hide_what_happened(redis_server: RedisServer) -> None:
    """Releasing on a dead server raises nothing over the block's own error; entering there does."""
    client = redis_server.client()

    def fail() -> None:
        redis_server.kill()
        raise KeyError

    with pytest.raises(KeyError), ExportLock(client, "9001", 1800):
        fail()
    with pytest.raises(RedisUnreachable), ExportLock(client, "9001", 1800):
        pass


def test_a_restart_of_the_server_keeps_the_lock(redis_server: RedisServer) -> None:
    """With an append-only file the lock, too, survives the server's end."""
    client = redis_server.client()
    with ExportLock(client, "9001", 1800) as lock:
        redis_server.kill()
        with pytest.raises(RedisUnreachable):
            lock.check()
        redis_server.start()
        lock.check()
