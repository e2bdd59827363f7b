"""Supervision: children are restarted when they die, and ended in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from clickup_toolkit.cli.supervise import Child, supervise
from clickup_toolkit.errors import ToolkitError

NOTE = "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')"
STEADY = f"import os, sys, time; {NOTE}; time.sleep(600)"
TIDY = (
    f"import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n{NOTE}\nsignal.pause()"
)
FAREWELL = (
    f"import os, signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n{NOTE}\n"
    "signal.sigwait([signal.SIGTERM]); open(sys.argv[1], 'a').write('ended in order\\n')"
)
HOPELESS = f"import os, sys; {NOTE}; sys.exit(2)"


@pytest.fixture
def child(tmp_path: Path) -> Callable[[str, str], tuple[Child, Path]]:
    """Return a function that makes a child of a script, which notes its process in the given file."""

    def make(name: str, script: str) -> tuple[Child, Path]:
        notes = tmp_path / name
        return Child(name, [sys.executable, "-c", script, str(notes)]), notes

    return make


def noted(notes: Path, count: int) -> list[int]:
    """Wait until so many processes noted themselves; return them."""
    deadline = time.monotonic() + 60
    while not notes.exists() or notes.read_text().count("\n") < count:
        assert time.monotonic() < deadline, f"{notes.name} did not start {count} times"
        time.sleep(0.01)
    return [int(line) for line in notes.read_text().splitlines()]


def test_a_child_that_dies_is_started_again(child: Callable[..., tuple[Child, Path]]) -> None:
    """A killed child comes back, the other is left alone; both get SIGTERM at the end."""
    (first, first_notes), (second, second_notes) = child("first", STEADY), child("second", TIDY)
    stop = threading.Event()

    def kill_one() -> None:
        os.kill(noted(first_notes, 1)[0], signal.SIGKILL)
        noted(first_notes, 2)
        noted(second_notes, 1)
        stop.set()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with capture_logs() as logs:
        supervise([first, second], os.environ, stop)
    killer.join()
    events = [(line["event"], line["child"], line.get("exit_code")) for line in logs]
    assert events == [
        ("up.child_started", "first", None),
        ("up.child_started", "second", None),
        ("up.child_died", "first", -signal.SIGKILL),
        ("up.child_started", "first", None),
        ("up.child_ended", "first", -signal.SIGTERM),
        ("up.child_ended", "second", 0),
    ]
    assert len(noted(second_notes, 1)) == 1


def test_pauses_grow_while_a_child_keeps_dying(child: Callable[..., tuple[Child, Path]]) -> None:
    """A child that dies at once is started again after one second, then after two, and so on."""
    short_lived, notes = child("short", f"import os, sys; {NOTE}")
    stop = threading.Event()
    stopper = threading.Thread(target=lambda: (noted(notes, 3), stop.set()))
    stopper.start()
    with capture_logs() as logs:
        supervise([short_lived], os.environ, stop)
    stopper.join()
    assert [line["again_in_seconds"] for line in logs if line["event"] == "up.child_died"][:2] == [1.0, 2.0]


def test_children_do_not_outlive_a_killed_supervisor(
    tmp_path: Path, child: Callable[..., tuple[Child, Path]]
) -> None:
    """After kill -9 of the supervisor its children get SIGTERM, and end in order by themselves."""
    (first, first_notes), (second, second_notes) = child("first", STEADY), child("second", FAREWELL)
    script = (
        "import os, sys, threading; from clickup_toolkit.cli.supervise import Child, supervise\n"
        "supervise([Child(f'child {at}', eval(line)) for at, line in enumerate(sys.argv[1:])],"
        " os.environ, threading.Event())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, repr(first.command), repr(second.command)], stdout=subprocess.DEVNULL
    ) as supervisor:
        pids = noted(first_notes, 1) + noted(second_notes, 1)
        os.kill(supervisor.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while any(psutil.pid_exists(pid) for pid in pids):
        assert time.monotonic() < deadline, "a child lives on"
        time.sleep(0.02)
    assert second_notes.read_text().splitlines()[1:] == ["ended in order"]


def test_a_crash_loop_is_told_with_its_reason(child: Callable[..., tuple[Child, Path]]) -> None:
    """After five deaths in a row the log says how the child ended, and where to look."""
    dying, _ = child("dying", "import os; os.kill(os.getpid(), 9)")
    dying.deaths = 4
    stop = threading.Event()
    with capture_logs() as logs:
        logs_seen = threading.Thread(target=lambda: (_until_told(logs), stop.set()))
        logs_seen.start()
        supervise([dying], os.environ, stop)
        logs_seen.join()
    (told,) = [line for line in logs if line["event"] == "up.crash_loop"]
    assert told == {
        "event": "up.crash_loop",
        "log_level": "critical",
        "child": "dying",
        "deaths": 5,
        "why": "It was killed, as the system does when memory runs out: see the kernel's log, give it more.",
    }


def _until_told(logs: list[MutableMapping[str, Any]]) -> None:
    deadline = time.monotonic() + 60
    while not any(line["event"] == "up.crash_loop" for line in logs):
        assert time.monotonic() < deadline, "nothing was told"
        time.sleep(0.02)


def test_a_child_with_wrong_settings_ends_everything(child: Callable[..., tuple[Child, Path]]) -> None:
    """Exit code 2 means that no restart helps: the others are ended, and the reason is said."""
    (hopeless, _), (steady, notes) = child("hopeless", HOPELESS), child("steady", STEADY)
    with pytest.raises(ToolkitError) as ended:
        supervise([steady, hopeless], os.environ, threading.Event())
    assert ended.value.message == "`hopeless` cannot run; what it said stands above."
    (process,) = noted(notes, 1) if notes.exists() else (None,)
    assert steady.process is not None
    assert steady.process.returncode == -signal.SIGTERM
    assert process in (None, steady.process.pid)
