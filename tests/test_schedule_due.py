"""`schedule --once-if-due` and the old variables, as cron and a user give them, against real servers."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clickup_toolkit.demo import DemoServer
from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.schedule import environment
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store import hold, read_records
from tests.worlds import living_world


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def posted() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Give a webhook's address and what is posted to it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as server:
        server.posted = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/T0SECRETPATH", server.posted  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def give(settings: Settings, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Give a command line with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "clickup_toolkit.cli", "--log-json", *words],
        env={**environment(settings), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_a_run_that_fails_for_good_is_told_at_once(
    tmp_path: Path, redis_url: str, posted: tuple[str, list[dict[str, object]]]
) -> None:
    """A refused token is not tried again: record, exit code and webhook say it, without secrets."""
    address, told = posted
    with DemoServer(living_world(tasks=60), rate_limit=1_000_000) as server:
        settings = Settings(
            token=Secret("pk_1_NOBODYS0TOKEN"),
            team_id=server.team_id,
            api_url=server.url,
            redis_url=redis_url,
            data_dir=tmp_path,
            initial_backoff=0.01,
            notify_webhook=Secret(address),
        )
        process = give(settings, "schedule", "--once-if-due")
        again = give(settings, "schedule", "--once-if-due")
    events = [json.loads(line)["event"] for line in process.stderr.splitlines()]
    assert events == ["schedule.run_begun", "schedule.run_failed", "schedule.notified"]
    (record,) = read_records(tmp_path / "runs", 9)
    assert (record.outcome, record.exit_code, process.returncode) == ("failed", 1, 1)
    assert record.requests == len(server.requests) > 0
    assert record.message.startswith("ClickUp does not accept the token (OAUTH_019). Set CLICKUP_TOKEN")
    (notice,) = told
    assert (notice["event"], notice["message"], notice["exit_code"]) == ("failed", record.message, 1)
    assert str(notice["text"]).endswith(f"failed. {record.message}\n{record.remedy}")
    assert "NOBODYS0TOKEN" not in json.dumps(told) + process.stderr + process.stdout
    assert "T0SECRETPATH" not in process.stderr
    assert (again.returncode, again.stdout) == (0, "")
    assert [json.loads(line)["event"] for line in again.stderr.splitlines()] == ["schedule.next"]


def test_beside_a_scheduler_nothing_is_due(tmp_path: Path) -> None:
    """While another scheduler holds the timetable, cron's call ends at once, without a word and well."""
    settings = Settings(token=Secret("pk_1"), team_id="1", data_dir=tmp_path)
    with hold(tmp_path / "schedule.lock", lambda who: ToolkitError(who)):
        process = give(settings, "schedule", "--once-if-due")
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["schedule.lock"]


def test_once_is_either_now_or_when_due(tmp_path: Path) -> None:
    """`--once` and `--once-if-due` contradict each other."""
    process = give(Settings(data_dir=tmp_path), "schedule", "--once", "--once-if-due")
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1] == "Error: Give --once or --once-if-due, not both."


def test_old_variables_are_told_with_their_successors(tmp_path: Path) -> None:
    """A command that meets a variable of the earlier service takes it, and warns on standard error."""
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    plan = {"next": ahead, "interval_hours": 5.0, "running": False}
    (tmp_path / "schedule.json").write_text(json.dumps(plan))
    settings = dataclasses.replace(Settings(), token=Secret("pk_1"), team_id="1", data_dir=tmp_path)
    process = give(
        settings, "schedule", "--once-if-due", PORT="", DJANGO_PORT="8000", FLOWER_PASSWORD="open it"
    )
    first, second, third = process.stderr.splitlines()
    assert first == "Warning: DJANGO_PORT is an old name: call it PORT."
    assert second.startswith(
        "Warning: FLOWER_PASSWORD is an old name: it opens the pages, but set DATASETTE_"
    )
    assert json.loads(third)["event"] == "schedule.next"
    assert (process.returncode, process.stdout) == (0, "")
    assert "open it" not in process.stderr
