"""`doctor`: what it finds well, what it finds wrong, and what it says to do about each."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis

from clickup_toolkit import publish
from clickup_toolkit.cli.checks import examine
from clickup_toolkit.cli.checks_running import ask_health
from clickup_toolkit.cli.findings import Finding
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.demo.behaviour import Behaviour
from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store import RunRecord, hold, write_record
from tests.commands import give
from tests.fixtures.valkey import RedisServer
from tests.test_serve_health import publish_version
from tests.worlds import living_world

CHECKS = [
    *("settings", "software", "token", "workspace", "rights", "plan", "time in status", "rate limit"),
    *("clock", "redis", "versions", "database", "disk", "schedule", "port"),
]


@pytest.fixture(scope="module")
def world() -> World:
    """Give a small workspace that nothing changes."""
    return living_world(tasks=60, time_entries=20)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[DemoServer]:
    """Give a server in front of it."""
    with DemoServer(world, rate_limit=1_000_000) as started:
        yield started


@pytest.fixture
def settings(tmp_path: Path, server: DemoServer, redis_url: str) -> Settings:
    """Return settings that reach both servers, with a data folder and a port of their own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    return Settings(
        token=Secret(server.token),
        team_id=server.team_id,
        api_auth_token=Secret("a-long-token-for-programs"),
        max_retries=2,
        initial_backoff=0.01,
        api_url=server.url,
        redis_url=redis_url,
        data_dir=tmp_path / "data",
        port=free,
    )


def found(settings: Settings, **changes: object) -> dict[str, Finding]:
    """Return what the doctor finds with these settings, by check."""
    return {finding.check: finding for finding in examine(dataclasses.replace(settings, **changes))}


def test_the_doctor_finds_everything_well_and_then_not(settings: Settings) -> None:
    """With a version published every check is well; what is stale or damaged later comes with its remedy."""
    give(settings, "export", "--quiet")
    process = give(settings, "doctor")
    assert re.findall(r"^ok    (.{14})", process.stdout, re.MULTILINE) == [f"{name:14}" for name in CHECKS]
    assert process.stdout.splitlines()[-1] == "All is well."
    assert (process.returncode, process.stderr) == (0, "")
    database = (settings.data_dir / "clickup.db").resolve()
    with closing(sqlite3.connect(database)) as db:
        (ours,) = db.execute("PRAGMA user_version").fetchone()
        db.execute(f"PRAGMA user_version = {ours - 1}")
    other = found(settings)["database"]
    assert other.state == "warning"
    assert other.found == f"{database.name} has the tables of an earlier release of the toolkit."
    with database.open("r+b") as file:
        file.seek(16384)  # the second page
        file.write(b"\xff" * 16384)
    now = found(settings, export_interval_hours=0.0001)
    wrong = {name: finding for name, finding in now.items() if finding.state != "ok"}
    assert list(wrong) == ["versions", "database"]
    assert re.fullmatch(
        r"1, but the newest is stale: \S+ \(60 tasks, 0.0 hours old\)\.", wrong["versions"].found
    )
    assert wrong["versions"].remedy.startswith("One is due every 0.0001 hours: see that `clickup-toolkit ")
    assert wrong["database"].found.startswith(f"The database of the last export, {database}, is damaged (")
    assert wrong["database"].remedy.startswith("Restore it, or move it away and run the export again")


def test_every_problem_comes_with_a_remedy(settings: Settings) -> None:
    """What depends on a broken part is not blamed; `--json` tells the same, and the exit code is 1."""
    broken = dataclasses.replace(settings, team_id="404", redis_url="redis://127.0.0.1:9/0")
    process = give(broken, "doctor", "--json")
    told = json.loads(process.stdout)
    problems = [finding for finding in told["findings"] if finding["state"] == "problem"]
    assert (process.returncode, told["problems"]) == (1, 2)
    assert [finding["check"] for finding in problems] == ["workspace", "redis"]
    assert problems[0]["found"] == "The token does not reach the workspace 404."
    assert all(finding["remedy"] for finding in problems)
    assert {finding["check"] for finding in told["findings"]} >= {"rate limit", "clock", "disk", "port"}
    assert settings.token
    assert settings.token.reveal() not in process.stdout + process.stderr


@pytest.mark.parametrize("token", ["word", "word word word word word word"])
def test_a_guessable_token_is_a_warning(settings: Settings, token: str) -> None:
    """A short token, or one of few characters, works; it is said how to make a better one."""
    process = give(dataclasses.replace(settings, api_auth_token=Secret(token)), "doctor", "--json")
    finding = json.loads(process.stdout)["findings"][0]
    assert (finding["check"], finding["state"]) == ("settings", "warning")
    assert "20 characters or more" in finding["found"]
    assert "secrets.token_urlsafe" in finding["remedy"]
    assert token not in process.stdout + process.stderr


def test_before_the_first_export_nothing_is_wrong(settings: Settings) -> None:
    """No version yet is a warning; none beside a database is a problem: Redis lost it."""
    before = found(settings)["versions"]
    assert (before.state, before.found) == ("warning", "None yet.")
    give(settings, "export", "--quiet")
    assert settings.redis_url
    with redis.Redis.from_url(settings.redis_url) as client:
        client.flushdb()
    lost = found(settings)["versions"]
    assert (lost.state, lost.found.partition(":")[0]) == (
        "problem",
        "None, though the data folder holds an export",
    )
    assert lost.remedy.startswith("Publish it again: clickup-toolkit versions rebuild.")
    give(settings, "versions", "rebuild")
    assert found(settings)["versions"].state == "ok"


def test_the_embedded_server_is_left_as_it_was_found(settings: Settings) -> None:
    """The doctor stops a server that it started itself, unless somebody has come to use it; no other one."""
    settings = dataclasses.replace(settings, redis_url=None)
    assert "embedded" in give(settings, "doctor").stdout
    assert not publish.is_running(settings), "it was started by the doctor"
    publish.connect(settings).close()
    give(settings, "doctor")
    assert publish.is_running(settings), "it ran before"
    examining = examine(settings)
    assert publish.stop(settings)
    for finding in examining:
        if finding.check == "redis":
            with hold(settings.data_dir / "up.lock", lambda who: ToolkitError(who)):
                list(examining)
    assert publish.stop(settings), "`up` had begun meanwhile"
    for finding in examine(settings):
        if finding.check == "redis":
            user = publish.connect(settings)
            user.ping()
    assert publish.stop(settings), "somebody had connected meanwhile"
    user.close()


def test_a_version_of_tomorrow_is_a_warning(settings: Settings) -> None:
    """After the clock was set back no version is a negative number of hours old: the clock is told."""
    assert settings.redis_url
    publish_version(settings.redis_url, datetime.now(UTC) + timedelta(hours=24), "20261124T101500Z")
    told = found(settings, team_id="9001")["versions"]
    assert told.state == "warning"
    ahead = (
        r"1, but the newest, 20261124T101500Z, is dated (23\.9|24\.0) hours ahead of this machine's clock\."
    )
    assert re.fullmatch(ahead, told.found)
    assert told.remedy.startswith("Set the clock, by NTP at best.")


def test_a_refused_token_is_told_once(settings: Settings) -> None:
    """With a token that ClickUp does not know nothing else is asked there."""
    now = found(settings, token=Secret("pk_1_NOBODYS"))
    assert [name for name, finding in now.items() if finding.state == "problem"] == ["token", "workspace"]
    assert "rights" not in now
    assert now["token"].remedy.startswith("Make a new one in ClickUp")


def test_limits_of_token_and_plan_are_warnings(settings: Settings, world: World) -> None:
    """A plan without time in status and a token that others use up are told, and are no problems."""
    behaviour = Behaviour(time_in_status=False, plan=("Free Forever", 13))
    with DemoServer(world, rate_limit=20, behaviour=behaviour, clock_skew=-600) as limited:
        for _ in range(3):  # the window is nearly spent at the third time
            now = found(settings, api_url=limited.url)
    warned = {name: finding.remedy for name, finding in now.items() if finding.state == "warning"}
    assert warned == {
        "time in status": "Switch on the Time in Status ClickApp; it needs a plan that has it.",
        "rate limit": "Give the export the token of a user of its own.",
        "clock": "Exports allow for that, but ages and schedules are off: set the clock, by NTP at best.",
        "versions": "`up` exports at its start; or export now: clickup-toolkit export",
    }
    assert now["plan"] == Finding("plan", "ok", "Free Forever")
    assert re.fullmatch(r"This machine's clock is (599|60\d) s ahead of ClickUp's\.", now["clock"].found)


def test_a_redis_that_forgets_is_a_problem(
    settings: Settings, redis_server: RedisServer, server: DemoServer
) -> None:
    """A server that evicts is refused; one with little memory left is a warning."""
    with redis_server.client() as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        evicting = found(settings, redis_url=redis_server.url)["redis"]
        client.config_set("maxmemory-policy", "noeviction")
        small = found(settings, redis_url=redis_server.url)["redis"]
    assert (evicting.state, small.state) == ("problem", "warning")
    assert "(maxmemory-policy allkeys-lru)" in evicting.found
    assert evicting.remedy.startswith("Set maxmemory-policy noeviction")
    assert re.search(r"has \d+ MB of its maxmemory left\.$", small.found)


def test_the_schedule_is_looked_at(settings: Settings) -> None:
    """A scheduler that is gone, one that works, and a last run that failed are told apart."""
    data = settings.data_dir
    data.mkdir()
    assert found(settings)["schedule"].found == "no export was scheduled here yet: clickup-toolkit up"
    past = datetime.now(UTC) - timedelta(hours=7)
    plan = {"next": past.isoformat(), "interval_hours": 5.0, "running": False}
    (data / "schedule.json").write_text(json.dumps(plan))
    gone = found(settings)["schedule"]
    assert gone.state == "problem"
    assert gone.found == f"No scheduler runs; an export was due {past:%Y-%m-%d %H:%M} UTC."
    with hold(data / "schedule.lock", lambda who: ToolkitError(who)):
        assert found(settings)["schedule"].found == f"the next is due {past:%Y-%m-%d %H:%M} UTC"
    (data / "runs").mkdir()
    record = RunRecord(
        name="20261123T101500Z",
        started=1,
        finished=2,
        seconds=0.0,
        outcome="failed",
        exit_code=1,
        message="The disk is full.",
        remedy="Free some.",
    )
    write_record(data / "runs", record)
    assert found(settings)["schedule"] == Finding(
        "schedule", "problem", "The last run, 20261123T101500Z, failed: The disk is full.", "Free some."
    )


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"status":"alive"}' if self.path == "/-/healthz" else b"?"
        self.send_response(200 if self.server.alive else 503)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web_server() -> Iterator[Callable[[bool], int]]:
    """Return a function that starts a web server, alive or not, and returns its port."""
    started: list[ThreadingHTTPServer] = []

    def start(alive: bool) -> int:
        web = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        web.alive = alive  # type: ignore[attr-defined]
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}).start()
        started.append(web)
        return web.server_port

    yield start
    for web in started:
        web.shutdown()
        web.server_close()


def test_the_port_is_free_served_or_taken(settings: Settings, web_server: Callable[[bool], int]) -> None:
    """A port on which the site answers is well, one that something else holds is a problem."""
    assert found(settings)["port"].found == f"127.0.0.1:{settings.port} is free"
    ours, other = web_server(True), web_server(False)
    assert found(settings, port=ours)["port"].found == f"127.0.0.1:{ours} is served"
    taken = found(settings, port=other)["port"]
    assert taken.found == f"127.0.0.1:{other} cannot be served: Address already in use."
    assert taken.remedy.startswith("Set PORT to a free port")


def test_health_is_an_exit_code(settings: Settings, web_server: Callable[[bool], int]) -> None:
    """`doctor --health` needs no settings but HOST and PORT: 0 when the server lives, 1 when not."""
    process = give(Settings(host="0.0.0.0", port=web_server(True)), "doctor", "--health")
    assert (process.returncode, process.stdout, process.stderr) == (0, "alive\n", "")
    process = give(Settings(port=settings.port), "doctor", "--health")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.splitlines()[1] == "Start it: clickup-toolkit up"
    with pytest.raises(ToolkitError, match="answers 503: that is something else"):
        ask_health(Settings(port=web_server(False)))
