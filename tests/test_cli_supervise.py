"""Supervision: children are restarted when they die, and ended in order."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clickup_toolkit.cli.supervise import Child, supervise
from clickup_toolkit.errors import ToolkitError

NOTE = "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')"
STEADY = f"import os, sys, time; {NOTE}; time.sleep(600)"
TIDY = (
    f"import os, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n{NOTE}\nsignal.pause()"
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
    deadline = time.monotonic() + 30
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
