"""What tests of killed exports share: exports in processes that start quickly, and what kills them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import re
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import unquote

import msgspec

from clickup_toolkit.demo import DemoServer
from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.export import Report, run_export_sync
from clickup_toolkit.settings import Settings

__all__ = ["Killer", "answered", "export", "told"]

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.killing"])
_LOOKED_AT_TWICE = re.compile(r"/(team|space)/\d+/(space|folder|list)\?archived=false|.*#")
"""Keys of the questions for open places, and of the same at the end of a crawl: what vanished meanwhile?"""
_PUBLISHED = "SELECT 1 FROM facts WHERE name = 'published'"


class Killer:
    """Kills the export before the server answers its n-th request, for every n in ``at``."""

    def __init__(self) -> None:
        self.at: set[int] = set()
        self.asked = 0
        self.process: BaseProcess | None = None

    def __call__(self, _: int) -> None:
        """Count a request, and kill whoever sent it when it is due."""
        self.asked += 1
        if self.process is not None and self.at and self.asked >= min(self.at):
            self.at.remove(min(self.at))
            self.kill(self.process)

    def kill(self, process: BaseProcess) -> None:
        """Kill the export; return when it is dead."""
        self.process = None  # what it sent before may still arrive
        assert process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        multiprocessing.connection.wait([process.sentinel], 10)


def export(
    settings: Settings, killer: Killer, watch: Callable[[BaseProcess], None] = lambda _: None
) -> Report | None:
    """Export in a process of its own, forked from one that is ready; return None when it was killed."""
    ours, theirs = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_export, args=(settings, theirs))
    process.start()
    theirs.close()
    killer.process = process
    watch(process)
    with ours, suppress(EOFError):
        said = ours.recv_bytes()
        process.join()
        killer.process = None
        assert process.exitcode == 0, said.decode()
        return msgspec.json.decode(said, type=Report)
    process.join()
    killer.process = None
    assert process.exitcode == -signal.SIGKILL
    return None


def _export(settings: Settings, theirs: multiprocessing.connection.Connection) -> None:
    try:
        theirs.send_bytes(msgspec.json.encode(run_export_sync(settings)))
    except ToolkitError as error:
        theirs.send_bytes(str(error).encode())
        raise SystemExit(1) from error


def answered(folder: Path) -> set[str]:
    """Return what an unfinished export was answered: the addresses that are asked for once in a crawl.

    A copy is read: reading a journal that a killed process left would mend it.
    """
    with tempfile.TemporaryDirectory() as copy:
        for file in folder.glob("journal.db*"):
            shutil.copy(file, copy)
        with closing(sqlite3.connect(Path(copy) / "journal.db")) as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
            if not {"answers", "facts"} <= tables or db.execute(_PUBLISHED).fetchall():
                return set()
            keys = [row[0] for row in db.execute("SELECT key FROM answers")]
    return {unquote(key) for key in keys if not _LOOKED_AT_TWICE.match(key)}


def told(server: DemoServer, since: int) -> Iterator[str]:
    """Yield the addresses asked for behind the ``since`` first requests, but for checks of the token."""
    for _, path, query, _ in server.requests[since:]:
        address = path.removeprefix("/api/v2").removeprefix("/api")
        if address != "/user":
            yield unquote(f"{address}?{query}" if query else address)
