"""Whatever ends an export, the last good version stays: in Redis, in the database, in the columnar files."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from clickup_toolkit import serve
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.schedule import environment
from clickup_toolkit.settings import Secret, Settings
from tests.exporting import document, settings_for
from tests.serving import BEARER, TOKEN

Serve = Callable[..., DemoServer]


def kept(settings: Settings, redis_url: str) -> tuple[Any, ...]:
    """Return what a failed export must leave as it is."""
    files = sorted((settings.data_dir / "parquet").rglob("*.parquet"))
    return (
        document(redis_url, str(settings.team_id)),
        (settings.data_dir / "clickup.db").resolve().read_bytes(),
        [(file.name, file.read_bytes()) for file in files],
    )


def give(settings: Settings, largest_file: int | None = None) -> subprocess.CompletedProcess[str]:
    """Export as a user does; no file may grow beyond ``largest_file`` bytes, as on a full disk."""

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    return subprocess.run(
        [sys.executable, "-m", "clickup_toolkit.cli", "export", "--quiet", "--full"],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=limit,
    )


FAILURES: dict[str, tuple[dict[str, Any], int, str]] = {
    "wrong token": ({"token": Secret("pk_wrong")}, 1, "does not accept the token"),
    "another workspace's id": ({"team_id": "404"}, 2, "holds workspace 9012345678, not 404"),
    "unreachable API": ({"api_url": "http://127.0.0.1:9/api/v2"}, 1, "cannot be reached"),
    "unreachable Redis": ({"redis_url": "redis://127.0.0.1:9/0"}, 1, "127.0.0.1:9"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_export_leaves_the_last_good_version(
    name: str, small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """One clear sentence, the right exit code, and nothing that was there is touched."""
    changes, code, said = FAILURES[name]
    settings = settings_for(demo_server(small_world), tmp_path, redis_url, max_retries=2)
    run_export_sync(settings)
    before = kept(settings, redis_url)
    process = give(dataclasses.replace(settings, **changes))
    assert process.returncode == code
    assert said in process.stderr.splitlines()[0]
    assert "Traceback" not in process.stderr
    assert kept(settings, redis_url) == before


@pytest.mark.parametrize("largest", [200_000, 900_000], ids=["in the crawl", "in the database"])
def test_a_full_disk_leaves_the_last_good_version(
    largest: int, small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """With no space left the export says where and what to do; with space again it goes on and succeeds."""
    server = demo_server(small_world)
    settings = settings_for(server, tmp_path, redis_url)
    run_export_sync(settings)
    before = kept(settings, redis_url)
    process = give(settings, largest)
    assert process.returncode == 1
    assert str(tmp_path) in process.stderr
    assert "disk space" in process.stderr
    assert "Traceback" not in process.stderr
    assert kept(settings, redis_url) == before
    asked = server.stats.requests
    assert give(settings).returncode == 3
    assert 0 < server.stats.requests - asked + 1 < asked


def served(site: httpx.Client) -> tuple[Any, ...]:
    """Return what a program and a reader get from the site."""
    document, rows = site.get("/api/v1/export/"), site.get("/clickup/tasks.json?_shape=array&_size=max")
    return document.status_code, document.content, rows.status_code, rows.json()


def test_the_site_serves_the_last_good_version_while_an_export_fails(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """During an export that cannot reach ClickUp, and after it, every answer is of the version before."""
    settings = settings_for(
        demo_server(small_world), tmp_path, redis_url, api_auth_token=Secret(TOKEN), port=0
    )
    run_export_sync(settings)
    unreachable = {"api_url": "http://127.0.0.1:9/api/v2", "max_retries": 2, "initial_backoff": 0.5}
    during = []
    with (
        serve.background(settings) as address,
        httpx.Client(base_url=address, headers=BEARER, timeout=30) as site,
    ):
        before = served(site)
        with subprocess.Popen(
            [sys.executable, "-m", "clickup_toolkit.cli", "export", "--quiet", "--full"],
            env=environment(dataclasses.replace(settings, **unreachable)),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while process.poll() is None:
                during.append(served(site))
            said = process.stderr.read() if process.stderr else ""
        after = served(site)
    assert (process.returncode, "cannot be reached" in said) == (1, True)
    status, sent, told, rows = before
    assert (status, told, json.loads(sent)) == (200, 200, document(redis_url, str(settings.team_id)))
    assert {row["id"] for row in rows} == small_world.ledger().tasks.keys()
    assert during, "the export ended before anything was asked"
    assert [answer for answer in (*during, after) if answer != before] == []


def test_a_second_export_in_the_folder_is_refused(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """While a process exports into a folder, another one there ends with 4 and asks ClickUp nothing."""
    server = demo_server(small_world)
    settings = settings_for(server, tmp_path, redis_url)
    run_export_sync(settings)
    before, asked = kept(settings, redis_url), server.stats.requests
    with (tmp_path / "export.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = give(settings)
    assert process.returncode == 4
    assert "Another export is running in" in process.stderr
    assert server.stats.requests == asked
    assert kept(settings, redis_url) == before
