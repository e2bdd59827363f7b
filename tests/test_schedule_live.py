"""The export under way, as other processes see it: while it lives, and not a moment longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.store import Live, LiveRun, Traffic, live
from tests.exporting import settings_for
from tests.fixtures.valkey import wait_until

LIVES = """
import sys, time; from pathlib import Path
from clickup_toolkit.store import LiveRun
with LiveRun(Path(sys.argv[1])) as run:
    run.watching(print)("tasks", 7, 9)
    time.sleep(600)
"""


def test_another_process_sees_what_is_done(tmp_path: Path) -> None:
    """Stage, counts, mode, version, requests and rate budget can be read while the block lasts."""
    told: list[tuple[str, int, int | None]] = []
    traffic = Traffic(12, 1, 2, 100, 88, 30.5, 4.25)
    with LiveRun(tmp_path, now=lambda: 1000) as run:
        assert live(tmp_path) == Live(started=1000, updated=1000, pid=os.getpid())
        run.watching(lambda *said: told.append(said))("tasks", 7, 9)
        run.note(mode="full")
        run.note(version="20261123T101500Z")
        run.traffic = lambda: traffic
        wait_until(lambda: (seen := live(tmp_path)) and seen.stage == "tasks")
        assert live(tmp_path) == Live(
            stage="tasks",
            done=7,
            total=9,
            mode="full",
            version="20261123T101500Z",
            started=1000,
            updated=1000,
            pid=os.getpid(),
            traffic=traffic,
        )
    assert told == [("tasks", 7, 9)]
    assert live(tmp_path) is None
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_killed_export_is_not_shown_as_running(tmp_path: Path) -> None:
    """What a killed writer left behind is nobody's: it reads as nothing, and the next takes its place."""
    with subprocess.Popen(
        [sys.executable, "-c", LIVES, str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        wait_until(lambda: (seen := live(tmp_path)) and seen.pid == process.pid)
        os.kill(process.pid, signal.SIGKILL)
    assert (tmp_path / "runs/current.json").exists()
    assert live(tmp_path) is None
    with LiveRun(tmp_path):
        assert (seen := live(tmp_path))
        assert seen.pid == os.getpid()


def test_the_file_is_whole_and_written_at_most_twice_a_second(tmp_path: Path) -> None:
    """However often progress is told, the file changes every half second, and is never half a file."""
    path, written, stages = tmp_path / "runs/current.json", set(), 0
    with LiveRun(tmp_path) as run:
        show = run.watching(lambda *_: None)
        began = time.monotonic()
        while time.monotonic() - began < 1.2:
            stages += 1
            show("tasks", stages, None)
            written.add(path.stat().st_ino)
            msgspec.json.decode(path.read_bytes(), type=Live)
    assert stages > 100
    assert 2 <= len(written) <= 4


def test_a_folder_without_room_does_not_stop_the_export(tmp_path: Path) -> None:
    """Where the file cannot be written the block goes on: the export itself says what is wrong."""
    (tmp_path / "runs").write_text("a file where the folder should be")
    with LiveRun(tmp_path) as run:
        run.watching(lambda *_: None)("tasks", 1, None)
        assert live(tmp_path) is None


def test_a_real_export_tells_what_it_does(
    tmp_path: Path, redis_url: str, live_world: World, demo_server: Callable[..., DemoServer]
) -> None:
    """A whole export shows its mode, requests and the server's rate limit on its way; then it is gone."""
    server = demo_server(live_world, latency=0.02)
    seen: list[Live] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            if now := live(tmp_path):
                seen.append(now)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        report = run_export_sync(settings_for(server, tmp_path, redis_url))
    finally:
        done.set()
        looking.join()
    assert {one.mode for one in seen} - {""} == {"full"}
    busy = [one for one in seen if one.traffic.requests]
    assert busy
    assert all(0 < one.traffic.requests <= report.requests for one in busy)
    assert {one.traffic.limit for one in busy} == {1_000_000}
    assert all(0 <= 1_000_000 - one.traffic.remaining <= report.requests for one in busy)
    assert live(tmp_path) is None


def test_waiting_for_the_window_is_told(
    tmp_path: Path, redis_url: str, live_world: World, demo_server: Callable[..., DemoServer]
) -> None:
    """While the rate limit is spent, a reader sees how many seconds are left until the next request."""
    script = (
        "from clickup_toolkit.export import run_export_sync\n"
        "from clickup_toolkit.settings import Settings\nrun_export_sync(Settings.read())"
    )
    from clickup_toolkit.schedule import environment

    settings = settings_for(demo_server(live_world, rate_limit=100), tmp_path, redis_url)
    with subprocess.Popen([sys.executable, "-c", script], env=environment(settings)) as process:
        wait_until(lambda: (seen := live(tmp_path)) and seen.traffic.waiting_seconds > 0)
        seen = live(tmp_path)
        process.kill()
    assert seen
    assert 0 < seen.traffic.waiting_seconds <= seen.traffic.reset_seconds + 4 <= 64
    assert (seen.traffic.limit, seen.traffic.remaining) == (100, 0)


@pytest.fixture(autouse=True)
def _no_writer_is_left() -> None:
    """Say so when a writer's thread outlives its block."""
    assert [thread.name for thread in threading.enumerate() if thread.name == "live"] == []
