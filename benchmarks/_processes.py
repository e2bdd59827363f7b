"""The processes of a benchmark: the synthetic ClickUp, the export, the floor; measured from outside."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from clickup_toolkit.settings import SETTINGS

__all__ = ["Crawled", "Measured", "Server", "crawled", "measure", "serving"]


class Measured(NamedTuple):
    """What the kernel says a process has used, and what it printed.

    ``processor`` is its user and system time in seconds, ``peak_mb`` the most memory it held at once.
    """

    output: str
    wall: float
    processor: float
    peak_mb: float


class Server(NamedTuple):
    """The synthetic ClickUp in a process of its own."""

    url: str
    token: str
    team_id: str

    def environment(self, data_dir: Path, **more: str) -> dict[str, str]:
        """Return the environment of an export from it; settings of the caller's own are left out."""
        foreign = {setting.variable for setting in SETTINGS.values()}
        inherited = {name: value for name, value in os.environ.items() if name not in foreign}
        return {
            **inherited,
            "CLICKUP_API_URL": self.url,
            "CLICKUP_TOKEN": self.token,
            "CLICKUP_TEAM_ID": self.team_id,
            "CLICKUP_DATA_DIR": str(data_dir),
            "CONCURRENCY": "auto",
            **more,
        }


@contextmanager
def serving(options: Mapping[str, float]) -> Iterator[Server]:
    """Serve a workspace while the block lasts; ``options`` are those of the demo's command line."""
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "clickup_toolkit.demo", "--until-stdin-closes", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            facts = json.loads(process.stdout.readline())
            yield Server(facts["url"], facts["token"], facts["team_id"])
        finally:
            process.stdin.close()
            process.stdout.read()


def measure(command: Sequence[str], environment: Mapping[str, str], given: str = "") -> Measured:
    """Run a Python module with arguments to its end and measure it; ``given`` is its standard input.

    Raises RuntimeError with what it said when it failed.
    """
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as said:
        with tempfile.TemporaryFile("w+") as asked:
            asked.write(given)
            asked.seek(0)
            began = time.monotonic()
            code, usage = _run([sys.executable, "-m", *command], environment, (asked, told, said))
            wall = time.monotonic() - began
        if code not in (0, 3):
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {_text(said)[-2000:]}")
        # The kernel counts what a process held before it became another program, too: this process itself
        # has to stay smaller than those it starts.
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return Measured(_text(told), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def _run(
    command: Sequence[str], environment: Mapping[str, str], files: tuple[IO[str], ...]
) -> tuple[int, Any]:
    given, told, said = files
    folder = environment["CLICKUP_DATA_DIR"]  # where no .env file of the caller's is found
    process = subprocess.Popen(command, env=environment, stdin=given, stdout=told, stderr=said, cwd=folder)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


class Crawled(NamedTuple):
    """What an export's journal tells: what was asked, how often of each stream, in how many seconds."""

    addresses: list[str]
    streams: dict[str, int]
    seconds: float


def crawled(data_dir: Path) -> Crawled:
    """Read the journal that the last export left."""
    with closing(sqlite3.connect(data_dir / "journal.db")) as db:
        rows = db.execute("SELECT key, stream, received FROM answers ORDER BY seq").fetchall()
        started = int(db.execute("SELECT value FROM facts WHERE name = 'started'").fetchone()[0])
    streams = Counter(_stream(key, stream) for key, stream, _ in rows)
    last = max(received for _, _, received in rows)
    return Crawled([key.partition("#")[0] for key, _, _ in rows], dict(streams), (last - started) / 1000)


def _stream(key: str, stream: str) -> str:
    """Return the stream's name, and for pages of tasks the route and what was asked for, too."""
    if stream != "tasks":
        return stream
    route = "many lists" if key.startswith("/team/") else "one list"
    kind = "changed" if "order_by=updated" in key else "archived" if "archived=true" in key else "active"
    return f"tasks: {kind}, {route}"
