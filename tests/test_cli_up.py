"""`up` and `demo`: everything together, in the foreground, ended in order."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from clickup_toolkit import publish
from clickup_toolkit.cli.up import end_running
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.schedule import environment, read_report
from clickup_toolkit.settings import Secret, Settings
from tests.commands import give
from tests.test_ground_make import ROOT, make
from tests.worlds import living_world

COMMAND = [sys.executable, "-m", "clickup_toolkit.cli"]


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def children_of(process: subprocess.Popen[str], *words: str) -> list[psutil.Process]:
    """Return the descendants whose command line ends in ``words``."""
    with suppress(psutil.NoSuchProcess):  # a short-lived one has ended meanwhile: look again
        found = psutil.Process(process.pid).children(recursive=True)
        return [child for child in found if tuple(child.cmdline()[-len(words) :]) == words]
    return []


def left_over(folder: Path) -> list[list[str]]:
    """Return the command lines of living processes that work in this folder."""
    lines = []
    for process in psutil.process_iter():
        try:
            environ, line = process.environ(), process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.pid != os.getpid() and str(folder) in (*line, environ.get("CLICKUP_DATA_DIR", "")):
            lines.append(line)
    return lines


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Return settings of a small workspace, with the embedded server of a data folder of its own."""
    with DemoServer(living_world(tasks=80, time_entries=40), rate_limit=1_000_000) as server:
        settings = Settings(
            token=Secret(server.token),
            team_id=server.team_id,
            api_auth_token=Secret("word"),
            api_url=server.url,
            data_dir=tmp_path,
            port=free_port(),
        )
        yield settings
        publish.stop(settings)


def status(settings: Settings) -> int:
    """Return the HTTP status of the JSON export; 0 when nobody answers."""
    try:
        return httpx.get(
            f"http://127.0.0.1:{settings.port}/api/v1/export/",
            headers={"Authorization": "Bearer word"},
            trust_env=False,
        ).status_code
    except httpx.TransportError:
        return 0


@contextmanager
def running(*words: str, env: dict[str, str], stderr: int) -> Iterator[subprocess.Popen[str]]:
    """Run a command meanwhile; a test that fails does not wait for its end."""
    with subprocess.Popen([*COMMAND, *words], env=env, stderr=stderr, text=True) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


@pytest.mark.slow
def test_up_exports_serves_and_ends_in_order(settings: Settings) -> None:
    """Export and site come up by themselves, a killed server comes back, SIGTERM leaves nothing running.

    Meanwhile a second `up` in the same folder is refused.
    """
    with running("--log-json", "up", env=environment(settings), stderr=subprocess.PIPE) as process:
        eventually(lambda: status(settings) == 200)
        (server,) = children_of(process, "serve")
        server.kill()
        eventually(lambda: status(settings) == 0)
        eventually(lambda: status(settings) == 200)
        second = give(settings, "up", timeout=60)
        eventually(lambda: any((settings.data_dir / "runs").glob("*Z.json")))  # the run is over
        process.terminate()
        assert process.stderr
        events = [json.loads(line) for line in process.stderr]
    assert process.returncode == 0
    assert second.returncode == 4
    assert f"Error: `up` already runs in {settings.data_dir} (process {process.pid})." in second.stderr
    told = [(event["event"], event.get("child")) for event in events]
    assert told.count(("up.child_died", "serve")) == 1
    ended = [child for event, child in told if event == "up.child_ended"]
    assert (told[-1][0], sorted(ended, key=str)) == ("up.child_ended", ["schedule", "serve"])
    for child in ended:  # each ends in its own time, but none is said to have ended before it said so itself
        assert told.index((f"{child}.ended", None)) < told.index(("up.child_ended", child))
    assert "word" not in " ".join(json.dumps(event) for event in events)
    (executed,) = (settings.data_dir / "runs").glob("*.ipynb")
    assert read_report(executed)
    assert left_over(settings.data_dir) == []


@pytest.mark.slow
def test_up_is_ended_in_the_middle_of_a_run(settings: Settings) -> None:
    """`make down` during an export ends it in order: the run stays noted as under way, nothing behind."""
    with DemoServer(living_world(tasks=80), rate_limit=1_000_000, latency=0.5) as slow:
        environ = {**environment(settings), "CLICKUP_API_URL": slow.url}
        with running("up", env=environ, stderr=subprocess.DEVNULL) as process:
            eventually(lambda: len(slow.requests) > 5)
            assert end_running(settings.data_dir)
            assert process.wait(60) == 0
    assert not end_running(settings.data_dir)
    assert json.loads((settings.data_dir / "schedule.json").read_text())["running"] is True
    assert left_over(settings.data_dir) == []


@pytest.mark.slow
def test_make_down_ends_an_up_of_another_terminal(settings: Settings, tmp_path: Path) -> None:
    """It ends in order, with everything that it started; a second `make down` finds nothing to end."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copy(ROOT / "Makefile", checkout)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    environ = {"CLICKUP_DATA_DIR": str(settings.data_dir), "PYTHONPATH": str(ROOT), "REDIS_URL": ""}
    with running("up", env=environment(settings), stderr=subprocess.DEVNULL) as process:
        eventually(lambda: status(settings) and children_of(process, "schedule"))
        told = make("down", cwd=checkout, **environ)
        assert process.wait(60) == 0
    again = make("down", cwd=checkout, **environ)
    assert (told.returncode, told.stdout) == (0, "What make start had started has ended.\n")
    assert (again.returncode, again.stdout) == (0, "Nothing runs in the background.\n")
    assert left_over(settings.data_dir) == []
    assert not publish.stop(settings)


def test_up_does_not_start_on_a_port_that_is_taken(settings: Settings) -> None:
    """What no restart can heal ends `up` at once, with a reason, and stops what had been started."""
    with socket.create_server(("127.0.0.1", settings.port)):
        process = give(settings, "up", timeout=60)
    assert process.returncode == 1
    assert f"Error: HOST 127.0.0.1 and PORT {settings.port} cannot be served" in process.stderr
    assert process.stderr.splitlines()[-1].startswith("Error: `serve` cannot run")
    assert left_over(settings.data_dir) == []


@pytest.mark.slow
def test_the_demo_exports_everything_and_ends(tmp_path: Path) -> None:
    """`demo --once` needs no settings, holds what its workspace holds, and leaves nothing running."""
    real = Settings(
        token=Secret("pk_1_REAL"), team_id="77", redis_url="redis://127.0.0.1:9", data_dir=tmp_path / "data"
    )
    process = subprocess.run(
        [*COMMAND, "demo", "--once", "--tasks", "100"],
        env=environment(real),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = process.stdout.splitlines()
    assert (process.returncode, lines[0][:17]) == (0, "Published version")
    at = lines.index("Compared with the workspace itself:")
    assert lines[at + 1] == "  100 of 100 tasks"
    assert "missing" not in process.stdout
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["demo"]
    (executed,) = (tmp_path / "data" / "demo" / "runs").glob("*.ipynb")
    assert f"Executed notebook: {executed}" in lines
    assert left_over(tmp_path / "data" / "demo") == []


def test_the_demo_never_empties_a_folder_of_others(tmp_path: Path) -> None:
    """A folder that holds something else is refused and left as it is."""
    (tmp_path / "clickup.db").write_text("precious")
    process = subprocess.run(
        [*COMMAND, "demo", "--once", "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        f"Error: {tmp_path} holds something else than a demo.\nChoose another folder with --data-dir.\n"
    )
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("clickup.db", "precious")]
