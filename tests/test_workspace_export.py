"""A fresh export from a notebook: awaited, or called where a loop runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clickup_toolkit import Workspace
from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.errors import SettingsError
from tests.histories import Story

IN_A_RUNNING_LOOP = """
import asyncio
from clickup_toolkit import Workspace

async def cell():
    ws = Workspace()
    report = ws.export_now()
    print(report.tasks, len(ws.tasks), report.mode)
    print((await ws.export(full=True)).tasks)

asyncio.run(cell())
"""


def environment(server: DemoServer, folder: Path, redis_url: str) -> dict[str, str]:
    """Return the variables that name the synthetic workspace."""
    return {
        "CLICKUP_TOKEN": server.token,
        "CLICKUP_TEAM_ID": server.team_id,
        "CLICKUP_API_URL": server.url,
        "CLICKUP_DATA_DIR": str(folder),
        "REDIS_URL": redis_url,
    }


def test_an_awaited_export_takes_the_place_of_what_was_shown(
    small_world: World,
    demo_server: Callable[..., DemoServer],
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After ``await ws.export()`` tables, measures and freshness are those of the new export."""
    for name, value in environment(demo_server(small_world), tmp_path / "other", redis_url).items():
        monkeypatch.setenv(name, value)
    story = Story("2026-01-01 10:00").list("App", "doing > shipped (closed)").task("Login", "App", "doing 1d")
    ws = Workspace(story.write(tmp_path / "data"))
    assert len(ws.tasks) == 1
    told: list[str] = []
    report = asyncio.run(ws.export(progress=lambda stage, done, total: told.append(stage)))
    assert report.tasks == len(ws.tasks) == 300
    assert told
    assert ws.now > story.now
    assert len(ws.chart_time_in_status().data) > 0
    assert not (tmp_path / "other").exists()


def test_an_export_can_be_called_where_a_loop_runs(
    small_world: World, demo_server: Callable[..., DemoServer], redis_url: str, tmp_path: Path
) -> None:
    """``ws.export_now()`` works inside a notebook's event loop, and ``await`` still does after it."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_A_RUNNING_LOOP],
        env={**os.environ, **environment(demo_server(small_world), tmp_path, redis_url)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if "export.published" not in line]
    assert lines == ["300 300 full", "300"]


def test_without_a_token_an_export_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings' own message names the variable and where to get a token."""
    for name in ("CLICKUP_TOKEN", "CLICKUP_TEAM_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="CLICKUP_TOKEN is not set"):
        Workspace(tmp_path).export_now()
