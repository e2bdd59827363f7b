"""Health and metrics: alive, ready, figures that hold no name; and a version that comes back by itself."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from clickup_toolkit import publish, serve
from clickup_toolkit.store import RunRecord, write_record
from tests.fixtures.valkey import wait_until
from tests.serving import BEARER, VERSION, publish_file, settings_for
from tests.test_serve_export import HEAD

ask = partial(httpx.get, verify=False)


def publish_version(url: str, read_at: datetime, version: str = VERSION) -> None:
    """Publish a version whose data was read at an instant."""
    facts = {"updated_at": read_at.isoformat(), "complete": False, "gaps": 1}
    with redis.Redis.from_url(url) as client, publish.ExportLock(client, "9001", 60) as lock:
        publish.publish(
            client,
            lock,
            team_id="9001",
            version=version,
            head=[HEAD],
            tasks=[("t1", b"{}")],
            facts=facts,
            keep=7,
        )


def figures(address: str) -> dict[str, float]:
    """Return what ``/metrics`` tells, by name and labels."""
    answer = ask(f"{address}metrics", headers=BEARER)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_alive_is_said_to_everybody(tmp_path: Path) -> None:
    """Whether requests are answered is no secret, and asks neither Redis nor the database."""
    with serve.background(settings_for(tmp_path)) as address:
        answer = ask(f"{address}-/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["-/readyz", "metrics"])
def test_the_rest_needs_the_token_or_a_setting(tmp_path: Path, path: str) -> None:
    """Figures tell how large a workspace is, so they are shut unless a setting opens them."""
    with serve.background(settings_for(tmp_path)) as address:
        shut = [ask(address + path).status_code, ask(address + path + f"?token={BEARER}").status_code]
    with serve.background(settings_for(tmp_path, metrics_open=True)) as address:
        opened = ask(address + path).status_code
    assert shut == [401, 401]
    assert opened in (200, 503)


@pytest.mark.parametrize(("hours", "status"), [(0.0, 200), (9.9, 200), (10.1, 503), (-1.0, 200)])
def test_ready_while_a_version_is_fresh(tmp_path: Path, redis_url: str, hours: float, status: int) -> None:
    """A version is fresh for two intervals; then the answer says how old it is and where to look."""
    publish_version(redis_url, datetime.now(UTC) - timedelta(hours=hours))
    with serve.background(settings_for(tmp_path, redis_url=redis_url)) as address:
        answer = ask(f"{address}-/readyz", headers=BEARER)
    told = answer.json()
    assert answer.status_code == status
    if status == 200:
        assert (told["status"], told["version"]) == ("ready", VERSION)
        assert told["age_seconds"] == pytest.approx(max(0, hours) * 3600, abs=60)
    else:
        assert told["error"] == f"Version {VERSION} is 10 h 6 min old, more than two intervals of 5 h."
        assert "clickup-toolkit schedule" in told["remedy"]
        assert answer.headers["retry-after"] == "60"


def test_not_ready_without_a_version(tmp_path: Path, redis_url: str) -> None:
    """No version, and no Redis, are told apart, each with its remedy."""
    with serve.background(settings_for(tmp_path, redis_url=redis_url)) as address:
        nothing = ask(f"{address}-/readyz", headers=BEARER)
    with serve.background(settings_for(tmp_path)) as address:
        nowhere = ask(f"{address}-/readyz", headers=BEARER, timeout=30)
    assert (nothing.status_code, nothing.json()["error"]) == (503, "There is no version yet.")
    assert (nowhere.status_code, "cannot be reached" in nowhere.json()["error"]) == (503, True)


def run_record(**changes: Any) -> RunRecord:
    """Return the record of a scheduled run."""
    about: dict[str, Any] = {
        "name": "20261123T151500Z",
        "started": 1_795_446_900_000,
        "finished": 1_795_446_960_000,
        "seconds": 60.0,
        "outcome": "gaps",
        "exit_code": 3,
        "version": "20261123T151500Z",
        "tasks": 7,
        "requests": 120,
        "throttled": 4,
        "retries": 5,
        "gaps": 2,
    }
    return RunRecord(**about | changes)


def test_the_figures(tmp_path: Path, redis_url: str) -> None:
    """The latest version, the last run by its outcome, the runs that are kept, and what was answered."""
    runs = tmp_path / "runs"
    runs.mkdir()
    for record in (run_record(name="20261123T101500Z", outcome="failed", version=""), run_record()):
        write_record(runs, record)
    publish_version(redis_url, datetime.now(UTC) - timedelta(hours=1))
    with serve.background(settings_for(tmp_path, redis_url=redis_url)) as address:
        for path in ("api/v1/export/", "api/v1/export/?version=20200101T000000Z", "api/v1/nope", "nope"):
            ask(address + path, headers=BEARER)
        ask(f"{address}api/v1/export/")
        found = figures(address)
        publish_version(
            redis_url, datetime.now(UTC) + timedelta(hours=9), "20261124T101500Z"
        )  # a clock ahead
        of_tomorrow = figures(address)["clickup_version_age_seconds{}"]
        ready = ask(f"{address}-/readyz", headers=BEARER).json()
    age = found.pop("clickup_version_age_seconds{}")
    assert age == pytest.approx(3600, abs=60)
    assert (of_tomorrow, ready["version"], ready["age_seconds"]) == (0, "20261124T101500Z", 0)
    assert found["clickup_redis_up{}"] == 1
    assert found["clickup_version_tasks{}"] == 1
    assert found["clickup_version_complete{}"] == 0
    assert found["clickup_version_text_bytes{}"] == len(HEAD + b"{}]}")
    assert found["clickup_version_gzip_bytes{}"] > 0
    outcomes = {
        re.findall(r'"outcome": "(\w+)"', name)[0]: value
        for name, value in found.items()
        if name.startswith("clickup_runs{")
    }
    assert outcomes == {"complete": 0, "gaps": 1, "failed": 1, "stopped": 0}
    last = {
        name.partition("{")[0].removeprefix("clickup_last_run_"): value
        for name, value in found.items()
        if name.startswith("clickup_last_run_") and '"outcome": "gaps"' in name
    }
    assert last == {
        "duration_seconds": 60,
        "finished_timestamp_seconds": 1_795_446_960,
        "requests": 120,
        "throttled": 4,
        "retries": 5,
        "gaps": 2,
        "tasks": 7,
    }
    served = {
        tuple(json.loads(name.removeprefix("clickup_served_requests_total")).values()): value
        for name, value in found.items()
        if name.startswith("clickup_served_requests_total")
    }
    assert served == {
        ("GET", "/api/v1/export/", "200"): 1,
        ("GET", "/api/v1/export/", "404"): 1,
        ("GET", "/api/v1/export/", "401"): 1,
        ("GET", "unknown", "404"): 1,
        ("GET", "pages", "404"): 1,
    }


def test_an_export_by_hand_is_a_run_too(tmp_path: Path) -> None:
    """Without a scheduler, the last run is the export that built the database."""
    publish_file(tmp_path)
    with serve.background(settings_for(tmp_path)) as address:
        found = figures(address)
    assert found['clickup_last_run_duration_seconds{"outcome": "complete"}'] == 240
    assert found["clickup_redis_up{}"] == 0


def test_no_figure_holds_a_name(tmp_path: Path) -> None:
    """Whatever is asked for, and however often, the figures are few and hold nothing of it."""
    publish_file(tmp_path, mark="Secret project")
    with serve.background(settings_for(tmp_path)) as address, httpx.Client(headers=BEARER) as client:
        for number in range(30):
            client.get(f"{address}clickup/tasks/secret{number}?_search=secret")
            client.get(f"{address}api/v1/tables/secret{number}.ndjson?token=secret")
            client.request(f"SECRET{number}", f"{address}-/runs/secret")
        text = client.get(f"{address}metrics").text
    assert "secret" not in text.lower()
    assert len(text.splitlines()) < 80


def test_a_version_that_redis_lost_comes_back(tmp_path: Path, redis_url: str) -> None:
    """A server that starts with an empty Redis and a full data folder serves the version again."""
    publish_file(tmp_path)
    with (
        serve.background(settings_for(tmp_path, redis_url=redis_url)) as address,
        httpx.Client(base_url=address, headers=BEARER) as client,
    ):
        wait_until(lambda: client.get("/api/v1/export/").status_code == 200)
        assert client.get("/api/v1/export/").json()["version"] == VERSION
