"""`export`, `versions` and `schedule --once` as a user gives them, against real servers."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clickup_toolkit import publish
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.schedule import environment, read_report
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store import lock_folder, read_records
from tests import commands
from tests.fixtures.valkey import RedisServer, wait_until
from tests.worlds import living_world

KEYS = [
    *("version", "complete", "mode", "tasks", "changed", "deleted", "time_entries", "time_in_status"),
    *("requests", "throttled", "retries", "resumed", "seconds", "peak_rss_mb", "gaps"),
]


@pytest.fixture(scope="module")
def world() -> World:
    """Give a small workspace that nothing changes."""
    return living_world(tasks=120, time_entries=60)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[DemoServer]:
    """Give a server in front of it."""
    with DemoServer(world, rate_limit=1_000_000) as started:
        yield started


@pytest.fixture
def settings(tmp_path: Path, server: DemoServer, redis_url: str) -> Settings:
    """Return settings that reach both servers, with a data folder of their own."""
    return Settings(
        token=Secret(server.token),
        team_id=server.team_id,
        api_auth_token=Secret("word"),
        concurrency=4,
        max_retries=2,
        initial_backoff=0.05,
        api_url=server.url,
        redis_url=redis_url,
        data_dir=tmp_path / "data",
    )


def give(settings: Settings, *words: str, **changes: object) -> subprocess.CompletedProcess[str]:
    """Give a command line with these settings, changed."""
    return commands.give(dataclasses.replace(settings, **changes), *words)


def test_json_is_one_line_with_every_key(settings: Settings, world: World) -> None:
    """`--json` prints the report's keys in their order, and nothing else anywhere; gaps give exit code 3."""
    process = give(settings, "export", "--json", "--quiet")
    (line,) = process.stdout.splitlines()
    report = json.loads(line)
    assert list(report) == KEYS
    assert (report["complete"], report["mode"], report["tasks"]) == (False, "full", len(world.ledger().tasks))
    assert {gap["what"] for gap in report["gaps"]} <= {"home_lists", "time_in_status"}
    assert [list(gap) for gap in report["gaps"][:1]] == [["what", "id", "code", "message", "remedy"]]
    assert (process.returncode, process.stderr) == (3, "")


def test_the_report_can_be_read_and_the_version_listed(settings: Settings) -> None:
    """Without `--json` the report is for people; `versions` then lists what was published."""
    process = give(settings, "export", "--data-dir", str(settings.data_dir / "other"))
    first, *_ = process.stdout.splitlines()
    version = re.fullmatch(r"Published version (\d{8}T\d{6}Z), with \d gaps?", first)
    assert version
    assert (settings.data_dir / "other" / "clickup.db").exists()
    listed = give(settings, "versions").stdout.splitlines()
    assert listed[0].startswith("version           updated (UTC)        tasks  text MB")
    assert re.fullmatch(
        version[1] + r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +120( +\d\.\d\d){3} +0%  with gaps  kept", listed[1]
    )
    assert len(listed) == 2


def test_an_export_leaves_its_record(settings: Settings) -> None:
    """One that published and one that failed stand in `runs/`, which keeps KEEP_RUNS; a refused one not."""
    report = json.loads(give(settings, "export", "--json", "--quiet", keep_runs=2).stdout)
    wrong = give(settings, "export", "--quiet", token=Secret("pk_1_WRONG0TOKEN"), keep_runs=2)
    with lock_folder(settings.data_dir):
        assert give(settings, "export", "--quiet", keep_runs=2).returncode == 4
    failed, published = read_records(settings.data_dir / "runs", 9)
    counts = ("version", "mode", "tasks", "changed", "deleted", "requests", "throttled", "retries")
    assert [getattr(published, name) for name in counts] == [report[name] for name in counts]
    assert (published.outcome, published.exit_code, published.gaps) == ("gaps", 3, len(report["gaps"]))
    assert (failed.outcome, failed.exit_code, failed.version) == ("failed", 1, "")
    assert wrong.stderr == f"Error: {failed.message}\n{failed.remedy}\n"
    give(settings, "export", "--quiet", keep_runs=2)
    assert [record.outcome for record in read_records(settings.data_dir / "runs", 9)] == ["gaps", "failed"]


def test_versions_of_an_empty_redis(settings: Settings) -> None:
    """Where there is no version yet, `versions` says how to make one."""
    process = give(settings, "versions")
    assert (process.returncode, process.stdout) == (
        0,
        f"Redis holds no version of workspace {settings.team_id}. Make one: clickup-toolkit export\n",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": Secret("pk_1_WRONG0TOKEN")}, "token"),
        ({"team_id": "404"}, "404"),
        ({"api_url": "http://127.0.0.1:9/api/v2"}, "http://127.0.0.1:9/api/v2"),
        ({"redis_url": "redis://127.0.0.1:9/0"}, "127.0.0.1:9"),
        ({"data_dir": Path("/proc/nowhere")}, "/proc/nowhere"),
    ],
    ids=["wrong token", "wrong workspace", "unreachable API", "unreachable Redis", "unwritable folder"],
)
def test_a_failed_export_says_one_clear_thing(
    settings: Settings, changes: dict[str, object], said: str
) -> None:
    """What keeps an export from working is named, with a remedy, without traceback or secret; exit code 1.

    A workspace that the token does not reach is a wrong setting: exit code 2.
    """
    process = give(settings, "export", "--quiet", **changes)
    message, *remedy = process.stderr.splitlines()
    assert process.returncode == (2 if "team_id" in changes else 1)
    assert message.startswith("Error: ")
    assert said in message
    assert len(remedy) == 1
    assert "WRONG0TOKEN" not in process.stderr
    assert process.stdout == ""


def test_a_failure_on_the_way_is_one_clear_thing_too(
    settings: Settings, world: World, redis_server: RedisServer
) -> None:
    """Redis dying in the middle is told once, with no log lines before it, where there is no terminal."""
    with DemoServer(world, rate_limit=1_000_000, latency=0.05) as slow:
        changed = dataclasses.replace(settings, api_url=slow.url, redis_url=redis_server.url)
        with subprocess.Popen(
            [sys.executable, "-m", "clickup_toolkit.cli", "export", "--json"],
            env=environment(changed),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wait_until(lambda: len(slow.requests) >= 20, 60)
            redis_server.kill()
            said = process.communicate()
    message, remedy = said[1].splitlines()
    assert message.startswith(f"Error: Redis at {redis_server.url} cannot be reached: ")
    assert remedy == "Start it, correct REDIS_URL, or unset REDIS_URL to use the embedded server."
    assert (process.returncode, said[0]) == (1, "")


def test_a_second_export_is_refused(settings: Settings) -> None:
    """While another export of the workspace holds the lock, exit code 4 says so."""
    assert settings.team_id
    with publish.ExportLock(publish.connect(settings), settings.team_id, 30):
        process = give(settings, "export", "--quiet")
    assert process.returncode == 4
    assert process.stderr.startswith(
        f"Error: Another export of workspace {settings.team_id} is running since "
    )


def ignore_ctrl_c() -> None:
    """Do what a shell does for a command that its script leaves in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("number", "background"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)]
)
def test_an_interrupted_export_can_be_taken_up(
    settings: Settings, world: World, number: int, background: bool
) -> None:
    """Ctrl-C and SIGTERM end an export with 130 and a hint; the next one asks for nothing twice.

    In the background of a script, where the shell lets Ctrl-C be ignored, SIGTERM ends it all the same.
    """
    with DemoServer(world, rate_limit=1_000_000, latency=0.05) as slow:
        settings = dataclasses.replace(settings, api_url=slow.url)
        with subprocess.Popen(
            [sys.executable, "-m", "clickup_toolkit.cli", "export", "--quiet"],
            env=environment(settings),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=ignore_ctrl_c if background else None,
        ) as process:
            deadline = time.monotonic() + 60
            while len(slow.requests) < 20:
                assert time.monotonic() < deadline, "the export does not ask"
                time.sleep(0.01)
            process.send_signal(number)
            assert process.stderr
            said = process.stderr.read()
        assert (process.returncode, said) == (
            130,
            "Stopped. Give the command again: the export goes on where it stopped.\n",
        )
        report = json.loads(give(settings, "export", "--json", "--quiet").stdout)
    assert [record.outcome for record in read_records(settings.data_dir / "runs", 9)] == ["gaps", "stopped"]
    assert report["resumed"] >= 15
    assert report["tasks"] == len(world.ledger().tasks)


def test_schedule_once_runs_the_notebook(settings: Settings, world: World) -> None:
    """The notebook exports, reports and draws; the exit code is the export's; no secret stays in it."""
    process = give(settings, "schedule", "--once", "--full")
    (executed,) = (settings.data_dir / "runs").glob("*.ipynb")
    report = read_report(executed)
    assert report
    assert report.tasks == len(world.ledger().tasks)
    assert process.stdout.splitlines()[0].startswith(f"Published version {report.version}")
    assert process.stdout.splitlines()[-1] == f"Executed notebook: {executed}"
    assert process.returncode == report.exit_code
    assert settings.token
    text = executed.read_text()
    assert settings.token.reveal() not in text
    assert '"application/vnd.plotly.v1+json"' in text


def test_schedule_once_carries_the_cause_out(settings: Settings) -> None:
    """When the export fails, its sentence and exit code come out; the notebook shows it without traceback."""
    assert settings.team_id
    with publish.ExportLock(publish.connect(settings), settings.team_id, 30):
        process = give(settings, "schedule", "--once")
    (executed,) = (settings.data_dir / "runs").glob("*.ipynb")
    message, remedy = process.stderr.splitlines()
    assert message.startswith(f"Error: Another export of workspace {settings.team_id} is running since ")
    assert remedy == f"The executed notebook shows where: {executed}"
    assert (process.returncode, process.stdout) == (4, "")
    assert read_report(executed) is None
    outputs = [
        output for cell in json.loads(executed.read_bytes())["cells"] for output in cell.get("outputs", ())
    ]
    shown = [output["traceback"] for output in outputs if output["output_type"] == "error"]
    assert shown == [[f"ExportRunning: {message.removeprefix('Error: ')}"]]
