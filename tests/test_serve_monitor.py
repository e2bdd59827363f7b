"""The run monitor: what an export is doing, who may start one, one at a time, and what Redis holds."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import redis

from clickup_toolkit import publish, serve
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.errors import ExportRunning, SettingsError
from clickup_toolkit.serve import words
from clickup_toolkit.serve.facts import LastExport
from clickup_toolkit.serve.monitor.exporter import Ended, Exporter
from clickup_toolkit.serve.monitor.state import Doing, look, next_run
from clickup_toolkit.serve.monitor.words import Shown, show
from clickup_toolkit.settings import Secret
from clickup_toolkit.store import Live, LiveRun, Traffic, read_records
from tests import exporting
from tests.fixtures.nginx import Nginx
from tests.fixtures.valkey import wait_until
from tests.serving import BEARER, TOKEN, publish_file, settings_for, write_run
from tests.test_serve_access import HASH, PASSWORD
from tests.versions import day, put, workspace

NOW = datetime(2026, 11, 23, 10, 20, tzinfo=UTC)
LAST = LastExport("20261123T051500Z", NOW - timedelta(hours=5), "full", True, 3000, 1, 0)
WAITS = (sys.executable, "-c", "import time; time.sleep(600)")
"""A run that does nothing, for long."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[httpx.Client]:
    """Serve a small workspace on an open site that knows the token for ClickUp."""
    publish_file(tmp_path)
    with (
        serve.background(settings_for(tmp_path, token=Secret("pk_1_" + "S" * 20))) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client


def live(**about: object) -> Doing:
    """Return an export that began two minutes and five seconds ago."""
    began = round(NOW.timestamp() * 1000) - 125_000
    return Doing("running", Live(started=began, updated=began, pid=1, **about))  # type: ignore[arg-type]


def csrf_of(client: httpx.Client) -> str:
    """Return what the form of the button sends along."""
    found = re.search(r'name="csrftoken" value="([^"]+)"', client.get("/-/runs").text)
    assert found is not None
    return found[1]


def test_a_running_export_in_words() -> None:
    """Stage, share, requests, rate budget, waits and the next step are told as people read them."""
    traffic = Traffic(1412, 3, 5, 100, 37, 22.4, 4.0)
    doing = live(stage="time in status", done=812, total=3248, mode="incremental", traffic=traffic)
    assert show(doing, NOW, LAST, None) == Shown(
        state="running",
        title="An export is running",
        step=1,
        progress=0.25,
        fields={
            "stage": "Reading time in status",
            "count": "812 of 3,248 tasks",
            "elapsed": "2 min 5 s",
            "mode": "what changed since the last export is read",
            "next": "Build the database",
            "requests": "1,412",
            "throttled": "3",
            "retries": "5",
            "budget": "37 of 100 left, anew in 22 s",
            "waiting": "4 s",
        },
        said="An export is running: Read ClickUp",
    )


def test_a_full_export_is_measured_by_the_last() -> None:
    """While nobody knows how many tasks there are, the last export says about how many."""
    shown = [show(live(stage="tasks", done=done, mode="full"), NOW, LAST, None) for done in (750, 3000, 5000)]
    assert [(one.progress, one.fields["count"]) for one in shown] == [
        (0.25, "750 of about 3,000 tasks"),
        (0.99, "3,000 of about 3,000 tasks"),
        (0.99, "5,000 of about 5,000 tasks"),
    ]
    assert show(live(stage="tasks", done=7, mode="full"), NOW, None, None).progress is None
    assert show(live(stage="tasks", done=7, mode="incremental"), NOW, LAST, None).fields["count"] == "7 tasks"


@pytest.mark.parametrize(
    ("stage", "step", "next_step"),
    [
        ("start", 0, "Read ClickUp"),
        ("docs", 1, "Build the database"),
        ("database", 2, "Write Parquet"),
        ("columnar files", 3, "Publish"),
        ("documents", 4, "Finish the notebook"),
    ],
)
def test_every_stage_is_a_step(stage: str, step: int, next_step: str) -> None:
    """Whatever an export is at belongs to a step, and the page says which follows."""
    shown = show(live(stage=stage), NOW, None, None)
    assert (shown.step, shown.fields["next"]) == (step, next_step)


def test_idle_says_when_the_next_run_starts(tmp_path: Path) -> None:
    """Between runs the page tells when the scheduler means to run next, or that nobody does."""
    planned = NOW + timedelta(hours=3, minutes=12)
    told = [show(Doing("idle"), NOW, None, then).fields["resting"] for then in (planned, None)]
    assert told == [
        "The next run starts in 3 h 12 min, at 13:32 UTC.",
        "No run is planned. To export on schedule: clickup-toolkit up, or schedule.",
    ]
    later = datetime.now(UTC) + timedelta(hours=1)
    plans = [{"next": later.isoformat()}, {"next": "2026-01-01T00:00:00+00:00"}, {"next": 7}, ["?"], {}]
    found = []
    for plan in plans:
        (tmp_path / "schedule.json").write_text(json.dumps(plan))
        found.append(next_run(tmp_path))
    assert found == [later, None, None, None, None]


def test_a_notebook_before_and_after_its_export(tmp_path: Path) -> None:
    """A notebook that is being executed prepares its export, or finishes after it; an old one neither."""
    name = f"{datetime.now(UTC) - timedelta(minutes=2):%Y%m%dT%H%M%SZ}"
    path = write_run(tmp_path, name, [], end_time=None)
    before, after = (look(tmp_path, at) for at in (LAST.at, datetime.now(UTC)))
    os.utime(path, (0, 0))
    assert (before, after, look(tmp_path, None)) == (
        Doing("preparing", None, name),
        Doing("finishing", None, name),
        Doing("idle"),
    )


def test_programs_can_follow_a_run(site: httpx.Client, tmp_path: Path) -> None:
    """/-/runs.json tells the same in words and in figures, and how soon to ask again."""
    idle = site.get("/-/runs.json").json()
    with LiveRun(tmp_path) as run:
        run.watching(lambda *_: None)("tasks", 7, 9)
        wait_until(lambda: site.get("/-/runs.json").json()["fields"].get("count") == "7 of 9 tasks")
        running = site.get("/-/runs.json").json()
    assert (idle["state"], idle["live"], idle["again"]) == ("idle", None, 5)
    assert (running["state"], running["live"]["done"], running["again"]) == ("running", 7, 1)


def test_an_export_is_started_from_the_page(
    tmp_path: Path, redis_url: str, small_world: World, demo_server: Callable[..., DemoServer]
) -> None:
    """The button runs the scheduled notebook in a process of its own: a record, a notebook, the new data."""
    made = exporting.settings_for(demo_server(small_world), tmp_path, redis_url)
    settings = settings_for(tmp_path, **{name: getattr(made, name) for name in _OF_CLICKUP})
    with serve.background(settings) as address, httpx.Client(base_url=address) as client:
        form = {"csrftoken": csrf_of(client)}
        answers = [client.post("/-/export", data=form) for _ in range(2)]
        states = set()

        def is_done() -> bool:
            told = client.get("/-/runs.json").json()
            states.add(told["state"])
            return told["state"] == "idle" and told["version"] != ""

        wait_until(is_done, 240)
        page = client.get("/-/runs").text
    assert [(answer.status_code, answer.headers["location"]) for answer in answers] == [(302, "/-/runs")] * 2
    assert "An export is running already. Wait until it ends." in page
    (record,) = read_records(tmp_path / "runs", 10)
    assert (record.outcome, record.tasks) in (("complete", 300), ("gaps", 300))
    assert states >= {"preparing", "running", "idle"}
    assert f'<span class="key">{record.name}</span>' in page


_OF_CLICKUP = ("token", "team_id", "api_url", "redis_url", "concurrency")


@pytest.mark.parametrize(
    ("cookie", "form"),
    [(None, {}), (None, {"csrftoken": "guess"}), ("real", {}), ("real", {"csrftoken": "guess"})],
)
def test_a_foreign_page_cannot_start_an_export(
    site: httpx.Client, tmp_path: Path, cookie: str | None, form: dict[str, str]
) -> None:
    """Without the secret of a form of ours nothing is started, whether the browser sends cookies or not."""
    if cookie:
        csrf_of(site)
    answer = site.post("/-/export", data=form)
    assert answer.status_code == 403
    assert site.get("/-/runs.json").json()["state"] == "idle"
    assert not (tmp_path / "runs").exists()


def test_reading_starts_nothing(site: httpx.Client) -> None:
    """A GET, as a link or a picture makes one, is refused."""
    answer = site.get("/-/export")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_strangers_cannot_start_an_export(tmp_path: Path) -> None:
    """Behind a password, a POST without having signed in is refused, with the token it is not."""
    settings = settings_for(tmp_path, password_hash=Secret(HASH), token=None)
    with serve.background(settings) as address, httpx.Client(base_url=address) as client:
        stranger = client.post("/-/export")
        program = client.post("/-/export", headers=BEARER)
        client.post("/-/login", data={"username": "admin", "password": PASSWORD, "csrftoken": _login(client)})
        signed_in = client.get("/-/runs").text
    assert stranger.status_code == 401
    assert (program.status_code, program.json()["error"]) == (
        403,
        "The server does not know the token for ClickUp: CLICKUP_TOKEN is not set for it.",
    )
    assert "CLICKUP_TOKEN is not set for it." in signed_in
    assert "Export now" not in signed_in


def _login(client: httpx.Client) -> str:
    found = re.search(r'name="csrftoken" value="([^"]+)"', client.get("/-/login").text)
    assert found is not None
    return found[1]


def test_nothing_is_started_beside_a_running_export(site: httpx.Client, tmp_path: Path) -> None:
    """While an export runs, whoever began it, programs are told so and the button is off."""
    with LiveRun(tmp_path):
        refused = site.post("/-/export", headers=BEARER)
        page = site.get("/-/runs").text
    assert (refused.status_code, refused.json()["error"]) == (409, "An export is running already.")
    assert re.search(r'data-part="export" disabled', page)


def exporter(tmp_path: Path, *command: str) -> Exporter:
    """Return what starts ``command`` in place of an export."""
    return Exporter(settings_for(tmp_path, token=Secret("pk_1_" + "S" * 20)), command)


def test_one_export_at_a_time(tmp_path: Path) -> None:
    """A second start is refused while the first lives, and ending the server ends it in order."""
    exports = exporter(tmp_path, *WAITS)
    exports.start()
    assert (exports.is_busy, exports.is_coming) == (True, True)
    with pytest.raises(ExportRunning, match=r"An export is running already\."):
        exports.start()
    exports.close()
    assert (exports.is_busy, exports.is_coming) == (False, False)


def test_an_export_without_a_token_is_not_begun(tmp_path: Path) -> None:
    """A server that serves without a token for ClickUp says which setting it needs."""
    with pytest.raises(SettingsError, match="Set CLICKUP_TOKEN"):
        Exporter(settings_for(tmp_path)).start()


def test_the_settings_of_the_server_reach_the_export(tmp_path: Path) -> None:
    """The export reads its settings, data folder and token included, from its environment."""
    said = "import os, sys; sys.exit(' '.join([os.environ['CLICKUP_DATA_DIR'], os.environ['CLICKUP_TOKEN']]))"
    exports = exporter(tmp_path, sys.executable, "-c", said)
    exports.start()
    wait_until(lambda: exports.failure is not None)
    exports.close()
    assert exports.failure == Ended(1, f"{tmp_path} pk_1_{'S' * 20}")


def test_an_export_that_did_not_begin_says_why(tmp_path: Path) -> None:
    """Where no run came of the button, the page says what stopped it, and what to do."""
    settings = settings_for(tmp_path, token=Secret("pk_1_" + "S" * 20))
    (tmp_path / "runs").write_text("no folder")
    with serve.background(settings) as address, httpx.Client(base_url=address) as client:
        client.post("/-/export", data={"csrftoken": csrf_of(client)})
        wait_until(lambda: "did not begin" in client.get("/-/runs").text)
        page = client.get("/-/runs").text
    assert f"The folder {tmp_path}/runs cannot be written" in page
    assert "set CLICKUP_DATA_DIR to a folder that can be written" in page


def test_versions_are_listed_with_what_they_take(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis
) -> None:
    """Each version has its sizes, what it shares, and how long it stays: kept, pinned, or for so long."""
    for number in (1, 2, 3):
        put(redis_client, day(number), workspace(50 + number), keep=2)
    stored = publish.find(redis_client, "9001", day(3))
    assert stored is not None
    publish.pin(redis_client, "9001", stored, 60)
    with serve.background(settings_for(tmp_path, redis_url=redis_url)) as address:
        page = httpx.get(f"{address}-/versions").text
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)[1:]
    names = [re.search(r'scope="row">([^<]+UTC)<?.*class="key">(\d{8}T\d{6}Z)<', row) for row in rows]
    dated = [one.updated_at for one in publish.versions(redis_client, "9001")]
    assert [name and name.groups() for name in names] == [
        (words.moment(at), name) for at, name in zip(dated, [day(3), day(2), day(1)], strict=True)
    ]
    stays = [re.search(r'class="state[^"]*">([^<]+)<', row) for row in rows]
    assert [stay and re.sub(r"\d+ min( \d+ s)?|1 h", "…", stay[1]) for stay in stays] == [
        "pinned",
        "kept",
        "for …",
    ]
    taken = {one.version: one for one in publish.memory(redis_client, "9001")}
    assert taken[day(3)].stored_bytes > 0
    assert [row.count("served") for row in rows] == [1, 0, 0]


def test_versions_say_when_redis_is_gone(site: httpx.Client) -> None:
    """Without Redis the page says so, and what to do; the other pages go on."""
    page = site.get("/-/versions").text
    assert "Redis cannot be asked" in page
    assert "cannot be reached" in page
    assert "What to do:" in page
    assert site.get("/-/runs").status_code == 200


def test_no_page_of_the_monitor_shows_a_secret(site: httpx.Client) -> None:
    """Neither token stands in any page, nor in what programs are told."""
    for path in ("/-/runs", "/-/runs.json", "/-/versions", "/-/files", "/-/fresh.json"):
        text = site.get(path).text
        assert TOKEN not in text
        assert "S" * 20 not in text


def test_the_monitor_works_behind_nginx(tmp_path: Path, nginx_before: Nginx) -> None:
    """Behind nginx the page is followed, the button heeds the same rules, addresses are the reader's."""
    publish_file(tmp_path)
    settings = settings_for(tmp_path, password_hash=Secret(HASH), trusted_proxies=("127.0.0.1",))
    with serve.background(settings) as address:
        front = nginx_before(urlsplit(address).netloc)
        with httpx.Client(base_url=front.url, verify=front.trust()) as client:
            form = {"username": "admin", "password": PASSWORD, "csrftoken": _login(client)}
            client.post("/-/login", data=form)
            with LiveRun(tmp_path):
                told = client.get("/-/runs.json").json()
            refused = client.post("/-/export", data={"csrftoken": form["csrftoken"]})
            page = client.get("/-/files").text
    assert told["state"] == "running"
    assert refused.json()["error"].startswith("The server does not know the token for ClickUp")
    assert f"{front.url}/api/v1/tables/tasks.parquet" in page
