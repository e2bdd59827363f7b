"""Where a soak happens: a workspace, a small disk, a clock that can be set, and the service's settings."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import msgspec

from benchmarks._soak_reader import Reader
from benchmarks._soak_service import Service
from benchmarks._soak_troubles import Scene
from clickup_toolkit import publish
from clickup_toolkit.demo import DemoServer, build_world
from clickup_toolkit.schedule import environment
from clickup_toolkit.settings import SETTINGS, Secret, Settings

__all__ = ["TOKEN", "Stage", "staged"]

TOKEN = "soak-0123456789-abcdefghij-klmno"
_CLOCK = Path(__file__).parent / "_clock.c"
_INTERVAL, _LONGEST_RUN = 6.0, 45.0  # seconds
_DISK_MB = 256


@dataclass
class Stage:
    """The scene with its audience: who reads the export, which notices came, where it all lies."""

    scene: Scene
    reader: Reader
    notices: list[str]
    folder: Path

    @property
    def missing(self) -> list[str]:
        """What cannot be done here, and what it would take."""
        found = [] if self.scene.can_fill else ["the disk was not filled: only root can mount a small one"]
        return found if self.scene.clock else [*found, "the clock was not set: there is no cc"]


@contextmanager
def staged(tasks: int, seed: int, full_every: float) -> Iterator[Stage]:
    """Prepare everything, start nothing; at the end nothing is left, however it went.

    An export in full comes every ``full_every`` seconds.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        data = folder / "data"
        data.mkdir()
        can_fill = stack.enter_context(_small_disk(data))
        clock = _make_clock(folder)
        world = build_world(tasks=tasks, time_entries=tasks // 2, seed=seed)
        server = stack.enter_context(DemoServer(world, rate_limit=1000, window=2.0))
        notices, webhook = stack.enter_context(_told())
        settings = _settings(server, data, webhook, full_every)
        stack.callback(publish.stop, settings)
        service = Service(_environment(settings, folder, clock), data, folder / "up.log")
        stack.callback(_end_all, service)
        scene = Scene(service, server, Random(seed), clock, can_fill)
        yield Stage(scene, Reader(settings.port, TOKEN), notices, folder)


def _settings(server: DemoServer, data: Path, webhook: str, full_every: float) -> Settings:
    return Settings(
        token=Secret(server.token),
        team_id=server.team_id,
        api_auth_token=Secret(TOKEN),
        api_url=server.url,
        data_dir=data,
        port=_free_port(),
        concurrency=4,
        max_retries=4,
        initial_backoff=0.05,
        redis_lock_ttl=10,
        keep_last_n_exports=5,
        keep_daily_exports=2,
        export_interval_hours=_INTERVAL / 3600,
        full_export_hours=full_every / 3600,
        export_timeout_hours=_LONGEST_RUN / 3600,
        run_retries=2,
        run_retry_minutes=0.01,
        keep_runs=10,
        notify_webhook=Secret(webhook),
    )


def _environment(settings: Settings, folder: Path, clock: Path | None) -> dict[str, str]:
    """Return the environment of the service: homes and temporary files lie where they are counted."""
    home, quick = folder / "home", folder / "quick"
    for made in (home, home / "tmp", quick):
        made.mkdir()
    (quick / "rfc3987_syntax.py").write_text("raise ImportError\n")
    foreign = {setting.variable for setting in SETTINGS.values()} | {"PYTHONDONTWRITEBYTECODE"}
    inherited = {name: value for name, value in environment(settings).items() if name not in foreign}
    told = {name: value for name, value in environment(settings).items() if name in foreign}
    told.pop("PYTHONDONTWRITEBYTECODE", None)
    more = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": f"{quick}:{_CLOCK.parents[1]}"}
    if clock:
        more |= {"LD_PRELOAD": str(clock.with_name("clock.so")), "SOAK_CLOCK": str(clock)}
    return {**inherited, **told, **more}


@contextmanager
def _small_disk(data: Path) -> Iterator[bool]:
    """Put the data folder on a small disk of its own while the block lasts, where that is allowed."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "soak", str(data)]
    can = os.geteuid() == 0 and shutil.which("mount") is not None
    mounted = can and subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(data)], capture_output=True, check=False)


def _make_clock(folder: Path) -> Path | None:
    """Build the library that moves the service's clock; return the file that says by how much."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return None
    words = [compiler, "-shared", "-fPIC", "-O2", "-o", str(folder / "clock.so"), str(_CLOCK)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        return None
    clock = folder / "ahead"
    clock.write_bytes(bytes(8))
    return clock


@contextmanager
def _told() -> Iterator[tuple[list[str], str]]:
    """Take notices, as a chat's webhook would; give the list of them, and the address."""
    notices: list[str] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            notices.append(msgspec.json.decode(body)["event"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield notices, f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def _end_all(service: Service) -> None:
    """End what a soak that failed leaves behind."""
    if service.process and service.process.poll() is None:
        service.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
