"""What a soak does to the service: faults of ClickUp, kills, Redis restarted, a full disk, another clock."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from benchmarks._soak_service import Service, until
from clickup_toolkit.demo import ALL_CHANGES, DemoServer, Fault

__all__ = ["Scene", "Trouble", "plan", "troubles"]

SLOW = ("ClickUp: answers nothing", "ClickUp: 429 without headers")  # until the run's limit is reached
_HANGS_SECONDS = 8.0
_LEAST_LISTS = 8
_FULL_SECONDS = 25.0  # at most: until a run has failed of it
_IN_THE_MIDDLE = 6.0  # seconds; a trouble comes at a random moment of so many


@dataclass
class Scene:
    """Where it happens. ``clock`` is the file that sets the service's clock, None where that cannot be."""

    service: Service
    server: DemoServer
    rng: Random
    clock: Path | None = None
    can_fill: bool = False
    least: int = 40  # tasks that the workspace shows at any time
    kills: list[float] = field(default_factory=list)  # when the site was killed, or what it hangs on

    def ended(self) -> int:
        """Return how many runs ended so far."""
        return len(self.service.runs)

    def wait_a_little(self) -> None:
        """Wait for a random moment of a run."""
        time.sleep(self.rng.uniform(0, _IN_THE_MIDDLE))

    def change(self) -> None:
        """Change the workspace, as its people do; what they finish and put away they make anew."""
        world = self.server.world
        world.drift(self.rng, self.rng.randint(1, 4), ALL_CHANGES)
        shown = sum(map(world.on_team_route, range(len(world.tasks))))
        world.drift(self.rng, max(0, self.least - shown), ("create",))
        lists = sum(one.on_team_route for one in world.lists)
        world.drift(self.rng, max(0, _LEAST_LISTS - lists), ("create_list",))


Trouble = Callable[[Scene], AbstractContextManager[None]]


def troubles(scene: Scene) -> dict[str, Trouble]:
    """Return everything that can be done here, by name."""
    found: dict[str, Trouble] = {
        f"ClickUp: {name}": partial(_commit, faults=faults) for name, faults in _FAULTS.items()
    }
    found |= {f"kill -9: {name}": partial(_kill, role=role) for name, role in _KILLED.items()}
    found |= {
        "Redis: ended": partial(_restart, keep=True),
        "Redis: ended, its data lost": partial(_restart, keep=False),
        "Redis: stands still": _freeze,
    }
    if scene.can_fill:
        found["disk: full"] = _fill
    if scene.clock:
        found |= {f"clock: {name}": partial(_set, seconds=seconds) for name, seconds in _JUMPS.items()}
    return found


def plan(names: Sequence[str], apart: Sequence[str], intervals: int, calm: int, rng: Random) -> list[str]:
    """Return the trouble of each interval, "" for every second one: all in turn, in a new order each time.

    Those ``apart`` do not happen from interval ``calm`` on, the slow ones happen once.
    """
    planned: list[str] = []
    waiting: list[str] = []
    for number in range(intervals):
        if number % 2 == 0 or number >= intervals - 1:
            planned.append("")
            continue
        allowed = [name for name in names if number < calm or name not in apart]
        allowed = [name for name in allowed if name not in SLOW or name not in planned]
        waiting = [name for name in waiting if name in allowed] or rng.sample(allowed, len(allowed))
        planned.append(waiting.pop())
    return planned


_FAULTS = {
    "429": [Fault("429", every=6, times=2)],
    "429 without headers": [Fault("429_bare", every=6, times=3)],
    "500": [Fault("500", every=5)],
    "502 as HTML": [Fault("502", every=5)],
    "drops connections": [Fault("reset", every=5)],
    "cuts bodies off": [Fault("truncate", every=7)],
    "broken JSON": [Fault("broken_json", every=7)],
    "200 with an error": [Fault("error_in_200", every=7)],
    "answers nothing": [Fault("hang", path="/team/", times=4)],
    "500 to everything": [Fault("500")],
    "refuses the token": [Fault("refuse", code="OAUTH_019", message="Oauth token not found")],
}
_KILLED = {
    "the notebook's kernel": "kernel",
    "papermill": "runner",
    "the scheduler": "schedule",
    "datasette": "serve",
    "up": "up",
    "Valkey": "valkey",
}
_JUMPS = {"90 s ahead": 90, "an hour ahead": 3600, "an hour back": -3600, "a day ahead": 86400}


@contextmanager
def _commit(scene: Scene, faults: list[Fault]) -> Iterator[None]:
    scene.server.commit(*faults)
    try:
        yield
    finally:
        scene.server.commit()


@contextmanager
def _kill(scene: Scene, role: str) -> Iterator[None]:
    until(lambda: scene.service.find(role) is not None, 30)
    scene.wait_a_little()
    until(lambda: scene.service.find(role) is not None, 30)
    if role in ("serve", "up"):
        scene.kills.append(time.monotonic())
    if not scene.service.kill(role):
        raise RuntimeError(f"there was no {role} to kill")
    yield


@contextmanager
def _restart(scene: Scene, *, keep: bool) -> Iterator[None]:
    scene.wait_a_little()
    process = scene.service.find("valkey")
    if process is not None and scene.service.kill("valkey", signal.SIGTERM):
        process.wait(30)
    if not keep:
        shutil.rmtree(scene.service.folder / "redis" / "appendonlydir", ignore_errors=True)
    yield


@contextmanager
def _freeze(scene: Scene) -> Iterator[None]:
    scene.wait_a_little()
    if process := scene.service.find("valkey"):
        process.suspend()
        time.sleep(_HANGS_SECONDS)
        process.resume()
    yield


@contextmanager
def _fill(scene: Scene) -> Iterator[None]:
    """Fill the disk until a run failed of it; then free it."""
    scene.wait_a_little()
    ballast = scene.service.folder / "ballast"
    before = sum(bool(run.failed) for run in scene.service.runs)
    try:
        deadline = time.monotonic() + _FULL_SECONDS
        while time.monotonic() < deadline:
            _grow(ballast)
            if sum(bool(run.failed) for run in scene.service.runs) > before:
                break
            time.sleep(0.2)
    finally:
        ballast.unlink(missing_ok=True)
    yield


def _grow(ballast: Path) -> None:
    for size in (1 << 20, 1 << 12):
        with suppress(OSError), ballast.open("ab", buffering=0) as file:
            while file.write(bytes(size)) == size:
                pass


@contextmanager
def _set(scene: Scene, seconds: int) -> Iterator[None]:
    """Set the clock for two runs; then set it right."""
    assert scene.clock
    scene.wait_a_little()
    _write(scene.clock, seconds)
    try:
        scene.service.wait_for_runs(scene.ended() + 1, 90)
        yield
    finally:
        _write(scene.clock, 0)


def _write(clock: Path, seconds: int) -> None:
    descriptor = os.open(clock, os.O_WRONLY)
    os.pwrite(descriptor, struct.pack("=q", seconds), 0)
    os.close(descriptor)
