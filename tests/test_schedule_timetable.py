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

from clickup_toolkit.errors import (
    ExportRunning,
    NotebookFailed,
    SettingsError,
    TokenRejected,
    ToolkitError,
    WorkspaceUnavailable,
)
from clickup_toolkit.schedule import SchedulerRunning, SteadyClock, environment, run_forever, run_if_due
from clickup_toolkit.settings import Secret, Settings

START = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


class FakeClock:
    """Time that passes when somebody waits; `end` is when the end is wanted."""

    anchor = ""

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
        run_forever(Settings(data_dir=tmp_path, run_retries=0), clock=clock, run=fail)
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
    assert refused["error"] == f"Another scheduler already works in {tmp_path} (process {os.getpid()})."
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
        "anchor": "",
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


def test_setting_the_clock_between_two_starts_moves_nothing(tmp_path: Path) -> None:
    """A later clock goes on evenly from an earlier one's anchor; after a boot it is the time of day again."""
    stop = threading.Event()
    boot, zero = SteadyClock(stop).anchor.split()
    before = (datetime.fromisoformat(zero) - timedelta(hours=3)).isoformat()
    with capture_logs() as logs:  # as if the clock had been set forward by three hours in between
        clock = SteadyClock(stop, f"{boot} {before}")
    behind = datetime.now(UTC) - clock.now()
    assert abs(behind - timedelta(hours=3)) < timedelta(seconds=1)
    assert clock.anchor == f"{boot} {before}"
    assert [(line["event"], line["by_seconds"]) for line in logs] == [("schedule.clock_was_set", 10800)]
    rebooted = SteadyClock(stop, f"another-boot {before}")
    damaged = SteadyClock(stop, f"{boot} 2026-13-01")
    assert all(abs(datetime.now(UTC) - each.now()) < timedelta(seconds=1) for each in (rebooted, damaged))
    due = clock.now() + timedelta(hours=1)
    plan = {"next": due.isoformat(), "interval_hours": 5.0, "running": False, "anchor": clock.anchor}
    (tmp_path / "schedule.json").write_text(json.dumps(plan))
    runs = Runs(FakeClock(START, 1))
    assert run_if_due(Settings(data_dir=tmp_path), run=runs) is None
    plan["anchor"] = ""
    (tmp_path / "schedule.json").write_text(json.dumps(plan))
    assert run_if_due(Settings(data_dir=tmp_path), run=runs) == 0


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


def test_jitter_spreads_the_starts_and_keeps_the_phase(tmp_path: Path) -> None:
    """Each start is late by a part of the jitter, not always the same one, and the same after a restart."""
    late: dict[str, list[float]] = {}
    for team in ("1", "2"):
        for part in ("whole", "restarted"):
            settings = Settings(team_id=team, data_dir=tmp_path / team / part, export_jitter_minutes=30)
            clock = FakeClock(START, 60 if part == "whole" else 22)
            runs = Runs(clock)
            run_forever(settings, clock=clock, run=runs)
            if part == "restarted":
                clock.end = START + timedelta(hours=60)
                run_forever(settings, clock=clock, run=runs)
            late[team + part] = [round(hours - 5 * turn, 3) for turn, hours in enumerate(runs.hours)]
    assert late["1whole"] == late["1restarted"]
    assert late["1whole"] != late["2whole"]
    assert all(0 <= each <= 0.5 for lates in late.values() for each in lates)
    assert len(set(late["1whole"])) == len(late["1whole"]) == 12


def test_jitter_never_makes_two_runs_of_one(tmp_path: Path) -> None:
    """A jitter longer than the interval counts as half of it: no run is skipped and none comes twice."""
    clock = FakeClock(START, 20.9)
    runs = Runs(clock)
    settings = Settings(data_dir=tmp_path, export_interval_hours=1, export_jitter_minutes=600)
    run_forever(settings, clock=clock, run=runs)
    assert [int(hours) for hours in runs.hours] == list(range(21))
    assert all(hours % 1 <= 0.5 for hours in runs.hours)


class Failing:
    """Runs that fail so many times in a row, with this error, and then go well; notes who was told what."""

    def __init__(self, clock: FakeClock, times: int, error: ToolkitError) -> None:
        self.runs = Runs(clock)
        self.left = times
        self.error = error
        self.told: list[str] = []

    def __call__(self) -> Path:
        executed = self.runs()
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return executed

    def failed(self, error: ToolkitError) -> None:
        self.told.append(error.message)

    def recovered(self) -> None:
        self.told.append("good")

    def keep(self, settings: Settings, clock: FakeClock) -> list[float]:
        """Keep the schedule; return when runs began, in minutes since START."""
        run_forever(settings, clock=clock, run=self, tell=self)
        return [round(hours * 60, 1) for hours in self.runs.hours]


def test_a_failed_run_is_tried_again_with_growing_waits(tmp_path: Path) -> None:
    """Waits double from try to try; who comes through in the end has nothing to tell but that all is well."""
    clock = FakeClock(START, 6)
    failing = Failing(clock, 2, NotebookFailed("ClickUp cannot be reached."))
    assert failing.keep(Settings(data_dir=tmp_path), clock) == [0, 5, 15, 300]
    assert failing.told == ["good", "good"]


def test_after_the_last_try_the_failure_is_told(tmp_path: Path) -> None:
    """RUN_RETRIES more tries, then the failure is told once a run, and the phase is kept."""
    clock = FakeClock(START, 6)
    failing = Failing(clock, 99, NotebookFailed("ClickUp cannot be reached."))
    settings = Settings(data_dir=tmp_path, run_retries=2, run_retry_minutes=1)
    assert failing.keep(settings, clock) == [0, 1, 3, 300, 301, 303]
    assert failing.told == ["ClickUp cannot be reached."] * 2


@pytest.mark.parametrize("kind", [SettingsError, TokenRejected, WorkspaceUnavailable])
def test_what_no_retry_can_help_is_told_at_once(tmp_path: Path, kind: type[ToolkitError]) -> None:
    """A wrong setting and a refused token stay wrong, in a notebook too: no try before the next run."""
    for inside in (True, False):
        clock = FakeClock(START, 6)
        error: ToolkitError = NotebookFailed("No.") if inside else kind("No.")
        if isinstance(error, NotebookFailed):
            error.cause, error.exit_code = kind, kind.exit_code
        failing = Failing(clock, 99, error)
        assert failing.keep(Settings(data_dir=tmp_path / str(inside)), clock) == [0, 300]
        assert failing.told == ["No.", "No."]


def test_no_try_reaches_into_the_next_run(tmp_path: Path) -> None:
    """A try that would begin when the next run is due is left to that run."""
    clock = FakeClock(START, 0.9)
    failing = Failing(clock, 99, NotebookFailed("No."))
    settings = Settings(data_dir=tmp_path, export_interval_hours=0.25, run_retries=9)
    assert failing.keep(settings, clock) == [0, 5, 15, 20, 30, 35, 45, 50]


def test_a_stop_between_two_tries_is_taken_up_again(tmp_path: Path) -> None:
    """Who ends the scheduler while it waits for the next try finds the run taken up by the next start."""
    clock = FakeClock(START, 0.1)
    failing = Failing(clock, 1, NotebookFailed("No."))
    settings = Settings(data_dir=tmp_path, run_retry_minutes=60)
    assert failing.keep(settings, clock) == [0]
    assert json.loads((tmp_path / "schedule.json").read_text())["running"] is True
    clock.end += timedelta(hours=5)
    assert failing.keep(settings, clock) == [0, 6, 300]


def test_cron_may_call_as_often_as_it_likes(tmp_path: Path) -> None:
    """Called every ten minutes, the export runs five hours apart, over midnight and a day of downtime."""
    begun: list[float] = []
    for minutes in [*range(0, 25 * 60, 10), *range(50 * 60, 62 * 60, 10)]:
        clock = FakeClock(START + timedelta(minutes=minutes), 1)
        runs = Runs(clock)
        ended = run_if_due(Settings(data_dir=tmp_path), clock=clock, run=runs)
        assert ended == (0 if runs.begun else None)
        begun += runs.hours
    assert begun == [0, 5, 10, 15, 20, 50, 55, 60]


def test_cron_gets_the_exit_code_of_the_last_try(tmp_path: Path) -> None:
    """A run that is due is tried again like any other, and its exit code is what the caller gets."""
    clock = FakeClock(START, 10)
    failing = Failing(clock, 99, NotebookFailed("No."))
    settings = Settings(data_dir=tmp_path, run_retries=1)
    assert run_if_due(settings, clock=clock, run=failing, tell=failing) == 1
    assert failing.runs.hours == [0, 0.083]
    assert failing.told == ["No."]


def test_cron_beside_a_scheduler_is_refused(tmp_path: Path) -> None:
    """While a scheduler works in the folder, nothing is run beside it."""
    clock = FakeClock(START, 1)
    runs = Runs(clock)
    refused: list[str] = []

    def run() -> Path:
        with pytest.raises(SchedulerRunning) as caught:
            run_if_due(Settings(data_dir=tmp_path), clock=clock, run=runs)
        refused.append(caught.value.message)
        return Path("executed.ipynb")

    run_forever(Settings(data_dir=tmp_path), clock=clock, run=run)
    assert refused == [f"Another scheduler already works in {tmp_path} (process {os.getpid()})."]
    assert runs.begun == []
