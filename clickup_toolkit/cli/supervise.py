"""Supervision of child processes: started together, restarted when they die, ended in order.

On Linux the kernel sends the children SIGTERM when the supervisor ends, however it ends: a killed one leaves
nobody behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from clickup_toolkit.errors import ToolkitError

__all__ = ["Child", "supervise"]

_log = structlog.get_logger("clickup_toolkit.up")
_LOOK_SECONDS = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_STEADY_SECONDS = 60.0  # who lived so long starts again with the shortest pause
_HOPELESS = 2  # the exit code for settings that are missing or wrong: a restart changes nothing
_CRASH_LOOP = 5  # deaths in a row, each soon after the start
_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 45.0  # more than a run needs to save its notebook, and a server to finish its downloads


@dataclass
class Child:
    """A process to keep alive: its name in the log, its command, and what is known of it."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = 0.0
    deaths: int = 0


def supervise(children: Sequence[Child], environ: Mapping[str, str], stop: threading.Event) -> None:
    """Keep the children alive until ``stop`` is set, then end them in order, the last one first.

    A child that dies is started again after a pause that doubles while it keeps dying; the log says so when
    it seems that no restart will help. Raises :class:`ToolkitError` when one ends because its settings are
    wrong. Call it from the main thread: the children end when the thread ends that started them.
    """
    try:
        while not stop.is_set():
            for child in children:
                _keep_alive(child, environ)
            stop.wait(_LOOK_SECONDS)
    finally:
        _end(children)


def _keep_alive(child: Child, environ: Mapping[str, str]) -> None:
    now = time.monotonic()
    if child.process is None:
        if now >= child.due:
            _start(child, environ)
    elif (code := child.process.poll()) is not None:
        if code == _HOPELESS:
            raise ToolkitError(f"`{child.name}` cannot run; what it said stands above.")
        lived = now - child.started
        child.pause = _FIRST_PAUSE if lived > _STEADY_SECONDS else min(_LONGEST_PAUSE, child.pause * 2)
        child.deaths = 1 if lived > _STEADY_SECONDS else child.deaths + 1
        child.process, child.due = None, now + child.pause
        _log.error("up.child_died", child=child.name, exit_code=code, again_in_seconds=child.pause)
        if child.deaths % _CRASH_LOOP == 0:
            _log.critical("up.crash_loop", child=child.name, deaths=child.deaths, why=_reason(code))


def _start(child: Child, environ: Mapping[str, str]) -> None:
    child.started, child.pause = time.monotonic(), child.pause or _FIRST_PAUSE / 2
    child.process = subprocess.Popen(  # noqa: S603  # our own commands
        child.command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the children in order
        preexec_fn=_dies_with_us(),
    )
    _log.info("up.child_started", child=child.name, pid=child.process.pid)


def _dies_with_us() -> Callable[[], None] | None:
    """Return what a child does before it begins: ask the kernel for SIGTERM when its parent is gone."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before we could ask
            os._exit(1)

    return ask


def _reason(code: int) -> str:
    """Say what an exit code tells, and where to look."""
    if code == -signal.SIGKILL:
        return "It was killed, as the system does when memory runs out: see the kernel's log, give it more."
    if code < 0:
        return f"It ended by signal {-code}: a library crashed. Update the packages, or report it."
    return f"It ended with exit code {code}; what it said stands above. Then try: clickup-toolkit doctor"


def _end(children: Sequence[Child]) -> None:
    for child in reversed(children):
        if child.process and child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            _log.warning("up.child_killed", child=child.name)
            child.process.kill()
            child.process.wait()
        _log.info("up.child_ended", child=child.name, exit_code=child.process.returncode)
