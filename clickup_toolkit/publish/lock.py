"""The lock of a workspace: one export at a time, and none that publishes after it lost its turn.

The key holds, as JSON, a random token and who holds it. It expires by itself unless it is renewed, which a
thread does three times in its life. Only whoever knows the token renews or releases it, and every step that
publishes checks it inside Redis: an exporter that stalled and wakes up late finds that the lock is another's.
No exporter's wall clock matters: the thread waits by the monotonic one, and Redis alone lets the key expire.

A holder that was killed cannot release. On the same machine that is noticed (same boot, same process
namespace, and the process is gone), and its lock is taken over at once, by comparing and setting in one
step; elsewhere it is waited for until it expires.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec
import redis
import structlog

from clickup_toolkit.errors import ExportRunning, LockLost, RedisError
from clickup_toolkit.publish.faults import plain_faults
from clickup_toolkit.publish.keys import Keys

__all__ = ["ExportLock", "Holder"]

_log = structlog.get_logger(__name__)

# KEYS[1] the lock; ARGV[1] our value, ARGV[2] its life in ms, ARGV[3] the value of a dead holder, or ''.
# Returns {1} when the lock is ours now (also when it was: a request may be sent twice),
# else {0, the holder's value, the ms until it expires}.
_ACQUIRE = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and held ~= ARGV[3] then
  return {0, held, redis.call('PTTL', KEYS[1])}
end
redis.call('PERSIST', KEYS[1])  -- a full server lets a script go on that has written already
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1}
"""

# KEYS[1] the lock; ARGV[1] our value, ARGV[2] its life in ms. Returns 1, or 0 when the lock is not ours.
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS[1] the lock; ARGV[1] our value. Returns 1, or 0 when the lock was not ours (any more).
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock: the lock's value.

    ``machine`` names the boot and the process namespace, ``born`` when the process began, in the kernel's
    ticks; both are empty where the system does not tell.
    """

    token: str
    since: datetime
    host: str
    pid: int
    machine: str = ""
    born: str = ""

    @classmethod
    def here(cls) -> Holder:
        """Return this process with a fresh token."""
        pid = os.getpid()
        now = datetime.now(UTC).replace(microsecond=0)
        return cls(secrets.token_hex(16), now, socket.gethostname(), pid, _machine(), _born(pid))

    def is_dead(self) -> bool:
        """Tell whether the holder's process certainly ended; False whenever that cannot be known."""
        return bool(self.machine) and self.machine == _machine() and not _lives(self.pid, self.born)


class ExportLock:
    """The lock of the workspace ``team_id``, held inside a ``with`` block.

    ``ttl`` is its life in seconds, renewed at a third of it. Entering raises :class:`ExportRunning` when
    another holds it, and :class:`RedisError` when the server cannot be used.
    """

    def __init__(self, client: redis.Redis, team_id: str, ttl: float) -> None:
        self._client = client
        self._ttl = ttl
        self.team_id = team_id
        self.key = Keys(team_id).lock
        self.value = msgspec.json.encode(Holder.here())
        self._released = threading.Event()
        self._renewing = threading.Thread(target=self._keep_renewing, name="export-lock", daemon=True)

    def __enter__(self) -> ExportLock:
        with plain_faults(self._client):
            self._acquire()
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._renewing.join()
        try:
            with plain_faults(self._client):
                self._client.eval(_RELEASE, 1, self.key, self.value)
        except RedisError as fault:
            # What the block did is done, and its own error matters more; the lock expires by itself.
            _log.warning("lock.not_released", key=self.key, reason=fault.message)

    def check(self) -> None:
        """Ask Redis whether the lock is still ours, renewing it; raise :class:`LockLost` when it is not."""
        with plain_faults(self._client):
            ours = self._client.eval(_RENEW, 1, self.key, self.value, self._life())
        if not ours:
            raise self.lost()

    def lost(self) -> LockLost:
        """Return the error that says that the lock is not ours any more."""
        return LockLost(
            f"This export lost its lock on workspace {self.team_id}, so it publishes nothing: it stood still "
            f"for more than {self._ttl:g} seconds, or the lock was removed.",
            "Export again: what was read already is not asked for twice.",
        )

    def _acquire(self) -> None:
        held, left = self._attempt(b"")
        holder = _holder(held)
        if holder and holder.is_dead():
            _log.warning("lock.taken_over", key=self.key, pid=holder.pid)
            held, left = self._attempt(held)
        if held:
            raise _running(self.team_id, self.key, _holder(held), left)

    def _attempt(self, dead: bytes) -> tuple[bytes, int]:
        """Try to get the lock; return the value that stands in the way and the ms it lasts, or nothing."""
        answer = self._client.eval(_ACQUIRE, 1, self.key, self.value, self._life(), dead)
        return (b"", 0) if answer[0] else (answer[1], answer[2])

    def _keep_renewing(self) -> None:
        while not self._released.wait(self._ttl / 3):
            try:
                self.check()
            except LockLost as lost:
                _log.warning("lock.lost", key=self.key, reason=lost.message)
                return
            except RedisError as fault:
                _log.warning("lock.not_renewed", key=self.key, reason=fault.message)

    def _life(self) -> int:
        return max(1, round(self._ttl * 1000))


def _holder(value: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(value, type=Holder)
    except msgspec.DecodeError:  # not written by us
        return None


def _running(team_id: str, key: str, holder: Holder | None, left: int) -> ExportRunning:
    who = (
        f" since {holder.since:%Y-%m-%d %H:%M:%S} UTC on {holder.host} (process {holder.pid})"
        if holder
        else ""
    )
    lasts = f"it expires in {max(1, left // 1000)} seconds" if left >= 0 else f"delete the key {key} in Redis"
    return ExportRunning(
        f"Another export of workspace {team_id} is running{who}.",
        f"Wait until it ends. If that process is gone, its lock goes too: {lasts}.",
    )


def _machine() -> str:
    """Name this boot and process namespace, in which a process number means one process; '' if untold."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _lives(pid: int, born: str) -> bool:
    """Tell whether the process ``pid`` of this namespace is there and is the one that began at ``born``."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's; its start may be hidden
        return _born(pid) in (born, "")
    return _born(pid) == born


def _born(pid: int) -> str:
    """Return when the process began, in ticks since boot; '' when it ended or that is hidden."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, born = words[0], words[19]
    return "" if state in "ZX" else born
