"""The timetable: so many hours apart, over restarts and after downtime, never two at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from clickup_toolkit.errors import ExportRunning, NotebookFailed
from clickup_toolkit.schedule import SteadyClock, environment, run_forever
from clickup_toolkit.settings import Secret, Settings

START = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


class FakeClock:
    """Time that passes when somebody waits; `end` is when the end is wanted."""

    def __init__(self, now: datetime, hours: float) -> None:
        self.time = now
        self.end = now + timedelta(hours=hours)

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> bool:
        self.time += timedelta(seconds=seconds)
        return self.time >= self.end


class Runs:
    """Notes when runs begin; each takes `minutes`."""

    def __init__(self, clock: FakeClock, minutes: float = 0) -> None:
        self.clock = clock
        self.minutes = minutes
        self.begun: list[datetime] = []

    def __call__(self) -> Path:
        self.begun.append(self.clock.time)
        self.clock.time += timedelta(minutes=self.minutes)
        return Path("executed.ipynb")

    @property
    def hours(self) -> list[float]:
        """When the runs began, in hours since START."""
        return [round((begun - START) / timedelta(hours=1), 3) for begun in self.begun]


@pytest.fixture
def schedule(tmp_path: Path) -> Callable[..., list[float]]:
    """Return a function that keeps the schedule from one hour to another, and tells when runs began."""

    def keep(since: float, until: float, *, every: float = 5, minutes: float = 0) -> list[float]:
        clock = FakeClock(START + timedelta(hours=since), until - since)
        runs = Runs(clock, minutes)
        run_forever(Settings(data_dir=tmp_path, export_interval_hours=every), clock=clock, run=runs)
        return runs.hours

    return keep


def test_runs_are_truly_five_hours_apart(schedule: Callable[..., list[float]]) -> None:
    """The first run starts at once, the others every five hours, over midnight and however long they take."""
    assert schedule(0, 31, minutes=42) == [0, 5, 10, 15, 20, 25, 30]


def test_the_phase_outlives_a_restart(schedule: Callable[..., list[float]]) -> None:
    """A scheduler that is started again goes on in the old phase."""
    assert schedule(0, 7) == [0, 5]
    assert schedule(8, 21) == [10, 15, 20]


def test_downtime_is_made_up_for_once(schedule: Callable[..., list[float]]) -> None:
    """However many runs were missed, one is made up for at once, and the phase stays."""
    assert schedule(0, 2) == [0]
    assert schedule(23, 31) == [23, 25, 30]


def test_a_restart_on_the_minute_does_not_run_twice(schedule: Callable[..., list[float]]) -> None:
    """Coming back exactly when a run is due starts one run, not the missed one and the due one."""
    assert schedule(0, 2) == [0]
    assert schedule(10, 16) == [10, 15]


def test_a_run_longer_than_the_interval_delays_the_next(schedule: Callable[..., list[float]]) -> None:
    """Runs never overlap: what came due meanwhile starts once, right after, and the phase stays."""
    assert schedule(0, 20, minutes=11 * 60) == [0, 11]
    assert schedule(22, 26) == [22, 25]


def test_a_changed_interval_holds_from_the_next_run(schedule: Callable[..., list[float]]) -> None:
    """A longer interval begins at the next planned run; a shorter one than the time left begins at once."""
    assert schedule(0, 1, every=5) == [0]
    assert schedule(2, 30, every=12) == [5, 17, 29]
    assert schedule(30, 33, every=1) == [30, 31, 32]


def test_fractions_of_hours_count(schedule: Callable[..., list[float]]) -> None:
    """The interval may be shorter than an hour."""
    assert schedule(0, 1, every=0.25) == [0, 0.25, 0.5, 0.75]


def test_a_run_that_was_cut_off_goes_on_at_once(tmp_path: Path) -> None:
    """A run that was stopped with its scheduler is taken up by the next start, without moving the phase."""
    settings = Settings(data_dir=tmp_path)
    stop = threading.Event()

    def stopped_in_the_middle() -> Path:
        stop.set()
        raise NotebookFailed("The run was stopped before its end.")

    run_forever(settings, clock=FakeClock(START, 100), run=stopped_in_the_middle, stop=stop)
    clock = FakeClock(START + timedelta(hours=1), 10)
    runs = Runs(clock)
    run_forever(settings, clock=clock, run=runs)
    assert runs.hours == [1, 5, 10]


def test_a_failed_run_is_logged_and_the_next_comes_at_its_time(tmp_path: Path) -> None:
    """A failure ends neither the scheduler nor the phase; its log event has message, remedy and exit code."""
    clock = FakeClock(START, 6)
    runs = Runs(clock)

    def fail() -> Path:
        runs()
        raise NotebookFailed("ClickUp cannot be reached.", "Check the network.")

    with capture_logs() as logs:
        run_forever(Settings(data_dir=tmp_path), clock=clock, run=fail)
    assert runs.hours == [0, 5]
    assert logs[:4] == [
        {"event": "schedule.next", "at": "2026-11-23T10:15:00+00:00", "log_level": "info"},
        {"event": "schedule.run_begun", "log_level": "info"},
        {
            "event": "schedule.run_failed",
            "error": "ClickUp cannot be reached.",
            "remedy": "Check the network.",
            "exit_code": 1,
            "seconds": 0.0,
            "log_level": "error",
        },
        {"event": "schedule.next", "at": "2026-11-23T15:15:00+00:00", "log_level": "info"},
    ]
    assert logs[-1] == {"event": "schedule.ended", "log_level": "info"}


def test_two_schedulers_never_share_a_folder(tmp_path: Path) -> None:
    """A second scheduler in the same data folder is refused with the exit code of a running export."""
    clock = FakeClock(START, 1)

    def run() -> Path:
        run_forever(Settings(data_dir=tmp_path), clock=clock, run=run)
        raise AssertionError("the second scheduler ran")

    with capture_logs() as logs:
        run_forever(Settings(data_dir=tmp_path), clock=clock, run=run)
    refused = next(line for line in logs if line["event"] == "schedule.run_failed")
    assert refused["error"] == f"Another scheduler already works in {tmp_path}."
    assert refused["exit_code"] == ExportRunning.exit_code == 4


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"next": "soon", "interval_hours": 5}', '{"next": "2026-11-23"}']
)
def test_a_damaged_plan_is_replaced(tmp_path: Path, text: str) -> None:
    """A plan that cannot be read costs a warning and the phase, not the exports."""
    (tmp_path / "schedule.json").write_text(text)
    clock = FakeClock(START, 6)
    runs = Runs(clock)
    with capture_logs() as logs:
        run_forever(Settings(data_dir=tmp_path), clock=clock, run=runs)
    assert runs.hours == [0, 5]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["schedule.plan_unreadable"]
    assert json.loads((tmp_path / "schedule.json").read_text()) == {
        "next": "2026-11-23T20:15:00+00:00",
        "interval_hours": 5.0,
        "running": False,
    }


def test_a_plan_of_a_wrong_clock_is_not_waited_for(tmp_path: Path) -> None:
    """A next run further ahead than the interval, noted by a clock that was wrong, is due now."""
    plan = {"next": "2031-01-01T00:00:00+00:00", "interval_hours": 5.0, "running": False}
    (tmp_path / "schedule.json").write_text(json.dumps(plan))
    clock = FakeClock(START, 6)
    runs = Runs(clock)
    run_forever(Settings(data_dir=tmp_path), clock=clock, run=runs)
    assert runs.hours == [0, 5]


def test_the_clock_is_steady() -> None:
    """The real clock begins at the time of day, goes on evenly, and wakes up for the end."""
    stop = threading.Event()
    clock = SteadyClock(stop)
    first, beside, second = clock.now(), datetime.now(UTC), clock.now()
    assert abs(first - beside) < timedelta(seconds=1)
    assert first <= second
    assert not clock.wait(0.001)
    stop.set()
    assert clock.wait(3600)


def test_sigterm_ends_the_scheduler_in_order(tmp_path: Path) -> None:
    """`schedule` waits for its next run until SIGTERM, then ends with exit code 0 and keeps its plan."""
    settings = Settings(token=Secret("pk_1"), team_id="1", data_dir=tmp_path)
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    (tmp_path / "schedule.json").write_text(
        plan := json.dumps({"next": ahead, "interval_hours": 5.0, "running": False})
    )
    command = [sys.executable, "-m", "clickup_toolkit.cli", "--log-json", "schedule"]
    with subprocess.Popen(command, env=environment(settings), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        first = json.loads(process.stderr.readline())
        began = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stderr.read()
    assert (first["event"], first["at"], first["level"]) == ("schedule.next", ahead, "info")
    assert process.returncode == 0
    assert time.monotonic() - began < 5
    assert [json.loads(line)["event"] for line in rest.splitlines()] == ["schedule.ended"]
    assert (tmp_path / "schedule.json").read_text() == plan
