"""The service of a soak: `clickup-toolkit up`, started again whenever it ends, as systemd would; its log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

__all__ = ["ROLES", "Run", "Service", "until"]

_COMMAND = (sys.executable, "-m", "clickup_toolkit.cli", "--log-json", "up")
_AGAIN_SECONDS = 1.0  # between the end of `up` and its next start
ROLES = {  # how the command line of each process of ours can be told
    "kernel": "ipykernel_launcher",
    "runner": "clickup_toolkit.schedule.runner",
    "schedule": " schedule",
    "serve": " serve",
}


@dataclass
class Run:
    """A scheduled run that ended: when it began and ended (monotonic), and why it failed, or ""."""

    began: float
    ended: float
    failed: str


@dataclass
class Service:
    """Keeps `up` running in ``folder``; counts what it says."""

    environment: Mapping[str, str]
    folder: Path
    log: Path
    runs: list[Run] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    sentences: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self._begun = 0.0
        self._told = threading.Condition()
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._sink = self.log.open("a")

    # its life

    def start(self) -> None:
        """Start it, and from now on again whenever it ends."""
        self._keeper.start()
        until(lambda: self.process is not None)

    def stop(self) -> int:
        """End it in order, and return its exit code."""
        self._over.set()
        assert self.process is not None
        self.process.terminate()
        self._keeper.join()
        return int(self.process.returncode)

    def _keep(self) -> None:
        while not self._over.is_set():
            self.process = subprocess.Popen(
                _COMMAND,
                env=dict(self.environment),
                cwd=self.folder,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            self.starts += 1
            threading.Thread(target=self._follow, args=(self.process,), daemon=True).start()
            self.process.wait()
            self._over.wait(_AGAIN_SECONDS)

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._sink.write(line)
            self._sink.flush()
            try:
                event = json.loads(line)
            except ValueError:
                self.sentences[line.strip()] += 1
            else:
                self._note(event)
        process.stderr.close()

    def _note(self, event: dict[str, Any]) -> None:
        name = str(event.get("event"))
        with self._told:
            self.events[name] = self.events.get(name, 0) + 1
            if name == "schedule.run_begun":
                self._begun = time.monotonic()
            elif name in ("schedule.run_done", "schedule.run_failed"):
                failed = str(event.get("error", "")) if name == "schedule.run_failed" else ""
                self.runs.append(Run(self._begun, time.monotonic(), failed))
            self._told.notify_all()

    # waiting

    def wait_for_runs(self, count: int, within: float) -> bool:
        """Wait until so many runs ended in all; return False when they did not in time."""
        with self._told:
            return self._told.wait_for(lambda: len(self.runs) >= count, within)

    # its processes

    def find(self, role: str) -> psutil.Process | None:
        """Return the process that has a role now: `up`, `valkey`, or one of ``ROLES``."""
        if role == "up":
            return _alive(self.process.pid if self.process else 0)
        if role == "valkey":
            return _alive(self._valkey())
        sign = ROLES[role]
        for process, line in self._descendants():
            if f"{line} ".find(f"{sign} ") >= 0 or (role in ("kernel", "runner") and sign in line):
                return process
        return None

    def family(self) -> list[int]:
        """Return the ids of all processes that work in the folder."""
        found = {process.pid for process in psutil.process_iter() if self._ours(process)}
        if valkey := self.find("valkey"):
            found.add(valkey.pid)
        return sorted(found)

    def kill(self, role: str, number: int = signal.SIGKILL) -> bool:
        """Send a signal to the process that has a role; return whether there was one."""
        process = self.find(role)
        with suppress(psutil.NoSuchProcess):
            if process is not None:
                process.send_signal(number)
                return True
        return False

    def _valkey(self) -> int:
        try:
            return int((self.folder / "redis" / "valkey.pid").read_text())
        except (OSError, ValueError):
            return 0

    def _descendants(self) -> Iterator[tuple[psutil.Process, str]]:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid if self.process else 0).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    yield process, " ".join(process.cmdline())

    def _ours(self, process: psutil.Process) -> bool:
        try:
            line, environ = process.cmdline(), process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        inside = environ.get("CLICKUP_DATA_DIR") == str(self.folder) or str(self.folder) in " ".join(line)
        return inside and process.pid != os.getpid()


def _alive(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid) if pid else None
    except psutil.NoSuchProcess:
        return None
    return process if process and process.status() != psutil.STATUS_ZOMBIE else None


def until(happens: Any, within: float = 60.0) -> bool:
    """Poll until something happened; return False when it did not in time."""
    deadline = time.monotonic() + within
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
