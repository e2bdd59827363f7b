"""`clickup-toolkit versions` as a user gives it, against a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from clickup_toolkit import publish
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.export import run_export_sync
from clickup_toolkit.publish import ExportLock
from clickup_toolkit.schedule import environment
from clickup_toolkit.settings import Settings
from tests.exporting import settings_for
from tests.versions import TEAM, Tasks, day, put
from tests.worlds import living_world

Process = subprocess.CompletedProcess[str]


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    """Give settings that reach the server of versions, and nothing else."""
    return Settings(team_id=TEAM, redis_url=redis_url, data_dir=tmp_path / "data")


def give(settings: Settings, *words: str) -> Process:
    """Give a command line below `versions` with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "clickup_toolkit.cli", "versions", *words],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def task(task_id: str, status: str | None, filler: int = 0, **more: object) -> tuple[str, bytes]:
    """A task as ClickUp sends it, with what is compared; the text ends like the document does."""
    shown = status and {"status": status, "type": "open"}
    sent = {"id": task_id, "name": f"Task {task_id}", "status": shown, **more}
    return task_id, json.dumps({**sent, "text": "x" * filler, "tags": [1]}, separators=(",", ":")).encode()


def workspace() -> tuple[Tasks, Tasks]:
    """Two exports of 900 tasks in three chunks and more; between them some came, went and changed."""
    before = [task(f"t{number}", "open", 1000) for number in range(900)]
    after = [
        *before[:10],
        *before[11:300],
        task("t300", "done", 1000),
        *before[301:800],
        task("t800", "open", 1000, due="tomorrow"),
        *before[801:],
        task("t900", None, name="Evil\x1b[2J name"),
    ]
    return before, after


def published(client: redis.Redis) -> None:
    """Publish both."""
    before, after = workspace()
    put(client, day(1), before)
    put(client, day(2), after)


def test_versions_are_listed(settings: Settings, redis_client: redis.Redis) -> None:
    """Bare, the command lists what there is: time, tasks, size, what is shared, how long it stays."""
    published(redis_client)
    put(redis_client, day(3), workspace()[1], keep=2)
    assert give(settings, "pin", day(2)).stdout == f"Pinned {day(2)}\n"
    process = give(settings)
    assert (process.returncode, process.stderr) == (0, "")
    rows = [re.split(" {2,}", line) for line in process.stdout.splitlines()]
    assert rows[0] == [
        *(
            "version",
            "updated (UTC)",
            "tasks",
            "text MB",
            "gzip MB",
            "Redis MB",
            "shared",
            "complete",
            "stays",
        )
    ]
    assert [(row[0], row[1], row[2], *row[7:]) for row in rows[1:]] == [
        (day(3), "2026-11-03 10:00:00", "900", "yes", "kept"),
        (day(2), "2026-11-02 10:00:00", "900", "yes", "pinned"),
        (day(1), "2026-11-01 10:00:00", "900", "yes", "60 min"),
    ]
    assert all(re.fullmatch(r"\d\.\d\d \d\.\d\d \d\.\d\d \d+%", " ".join(row[3:7])) for row in rows[1:])
    assert give(settings, "list").stdout == process.stdout


def test_the_list_as_json_is_the_whole_truth(settings: Settings, redis_client: redis.Redis) -> None:
    """For programs every fact has a name; `show` tells the same of one version."""
    published(redis_client)
    listed = json.loads(give(settings, "list", "--json").stdout)
    stored = publish.versions(redis_client, TEAM)
    taken = publish.memory(redis_client, TEAM)
    assert listed == [
        {
            "version": one.version,
            "updated_at": f"{one.updated_at:%Y-%m-%dT%H:%M:%SZ}",
            "complete": True,
            "tasks": 900,
            "gaps": 0,
            "text_bytes": one.text_bytes,
            "gzip_bytes": one.gzip_bytes,
            "stored_bytes": size.stored_bytes,
            "shared_bytes": size.shared_bytes,
            "chunks": len(one.chunks),
            "pinned": False,
            "ttl": None,
            "etag": one.etag,
        }
        for one, size in zip(stored, taken, strict=True)
    ]
    assert json.loads(give(settings, "show", "2026-11-01", "--json").stdout) == listed[1]
    shown = give(settings, "show", "latest").stdout.splitlines()
    assert shown[0] == f"version       {day(2)}"
    assert [line.split()[0] for line in shown] == [name.partition("_")[0] for name in listed[0]]


def test_what_differs_is_said(settings: Settings, redis_client: redis.Redis) -> None:
    """Which tasks came, went, changed status or otherwise, and how many; nothing steers the terminal."""
    published(redis_client)
    assert give(settings, "diff", day(1), day(2)).stdout.splitlines() == [
        "~ t300  Task t300  (open → done)",
        "* t800  Task t800  (open)",
        "+ t900  Evil�[2J name  (no status)",
        "- t10  Task t10  (open)",
        f"{day(1)} to {day(2)}: 1 came, 1 went, 1 changed status, 1 changed otherwise",
    ]
    assert give(settings, "diff", "2026-11-02").stdout == (
        f"{day(2)} to {day(2)}: 0 came, 0 went, 0 changed status, 0 changed otherwise\n"
    )


def test_what_differs_as_json(settings: Settings, redis_client: redis.Redis) -> None:
    """One object a line; the other way round, what came went."""
    published(redis_client)
    lines = give(settings, "diff", "latest", "2026-11-01", "--json").stdout.splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert found == [
        {"what": "status", "id": "t300", "name": "Task t300", "before": "done", "after": "open"},
        {"what": "changed", "id": "t800", "name": "Task t800", "before": "open", "after": "open"},
        {"what": "came", "id": "t10", "name": "Task t10", "after": "open"},
        {"what": "went", "id": "t900", "name": "Evil\x1b[2J name"},
    ]


def test_versions_are_pinned_and_deleted(settings: Settings, redis_client: redis.Redis) -> None:
    """A pinned version cannot be deleted, nor can the latest; unpinned, it can."""
    published(redis_client)
    give(settings, "pin", "2026-11-01")
    process = give(settings, "delete", day(1))
    assert (process.returncode, process.stderr.splitlines()) == (
        1,
        [f"Error: Version {day(1)} is pinned.", f"Unpin it first: clickup-toolkit versions unpin {day(1)}"],
    )
    process = give(settings, "delete", day(2))
    assert (process.returncode, process.stderr.splitlines()) == (
        1,
        [f"Error: Version {day(2)} is the latest, which is never deleted.", "Export a newer one first."],
    )
    assert give(settings, "unpin", day(1)).stdout == f"Unpinned {day(1)}\n"
    assert give(settings, "unpin", day(1)).stdout == f"{day(1)} was not pinned\n"
    with ExportLock(redis_client, TEAM, 60):
        process = give(settings, "delete", day(1))
    assert (process.returncode, process.stdout, process.stderr) == (
        *(0, f"Deleted {day(1)}\n"),
        "An export is running; it frees the memory when it ends.\n",
    )
    process = give(settings, "show", day(1))
    assert (process.returncode, process.stderr.splitlines()) == (
        1,
        [f"Error: There is no version {day(1)}.", "List them: clickup-toolkit versions"],
    )


def test_a_lost_version_is_rebuilt(redis_url: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    """After FLUSHALL one command brings the version back from the data folder, and says so."""
    with DemoServer(living_world(tasks=60, time_entries=60), rate_limit=1_000_000) as server:
        settings = settings_for(server, tmp_path, redis_url)
        version = run_export_sync(settings).version
    redis_client.flushall()
    first = give(settings, "rebuild", "--data-dir", str(tmp_path))
    assert (first.returncode, first.stdout) == (0, f"Published version {version} again\n")
    assert "version.rebuilt" in first.stderr
    assert give(settings, "rebuild").stdout == "Nothing to rebuild\n"
    assert give(settings, "--data-dir", str(tmp_path / "none"), "rebuild").stdout == "Nothing to rebuild\n"
