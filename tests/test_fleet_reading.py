"""Measures over all workspaces: the same as over each alone, from a folder and from object storage."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dask
import pandas as pd
import pytest

from clickup_toolkit import analyse, fleet
from clickup_toolkit.errors import StorageError
from tests.fixtures.s3 import S3Server
from tests.histories import Story

PAGE = (Path(__file__).parent.parent / "docs/scale.md").read_text()
IN_TURN = {"scheduler": "synchronous"}
NOW = pd.Timestamp("2026-11-23 10:00", tz="UTC")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder with the files of two workspaces, and of none that was exported."""
    acme = Story().list("App", "to do (open) > doing > shipped (closed)")
    acme.task("Login", "App", "to do 10h > doing 20h > shipped 4d")
    acme.task("Logout", "App", "to do 30h > doing 10h > shipped 2d").write(tmp_path / "all" / "9001")
    beta = Story().list("Shop", "to do (open) > doing > shipped (closed)")
    beta.task("Cart", "Shop", "to do 50h > doing 50h > shipped 1d").write(tmp_path / "all" / "9002")
    (tmp_path / "all" / "redis").mkdir()
    return tmp_path / "all"


def test_tables_hold_every_workspace_and_no_column_too_many(root: Path) -> None:
    """A partition for each workspace, with the columns that the measure reads and the workspace's id."""
    with dask.config.set(IN_TURN):
        found = fleet.tables("lead_and_cycle_time", str(root))
        assert found.keys() <= analyse.COLUMNS["lead_and_cycle_time"].keys()
        tasks = found["tasks"].compute()
    assert found["tasks"].npartitions == 2
    assert set(tasks.columns) == {*analyse.COLUMNS["lead_and_cycle_time"]["tasks"], "team_id"}
    assert list(zip(tasks["id"], tasks["team_id"], strict=True)) == [
        ("login", "9001"),
        ("logout", "9001"),
        ("cart", "9002"),
    ]


def test_a_measure_tells_of_all_what_it_tells_of_each(root: Path) -> None:
    """Grouped by workspace, the figures are those of each workspace alone; some may be named alone."""
    with dask.config.set(IN_TURN):
        found = fleet.tables("lead_and_cycle_time", str(root))
        by = fleet.by_workspace(found["tasks"], {"9001": "Acme"})
        told = analyse.lead_and_cycle_time(**found, now=NOW, by=by).set_index("workspace_id")
        only = fleet.tables("lead_and_cycle_time", str(root), only=["9002"])
        alone = analyse.lead_and_cycle_time(**only, now=NOW)
    assert dict(told["workspace"]) == {"9001": "Acme", "9002": "9002"}
    assert list(told.loc[["9001", "9002"], "done"]) == [2, 1]
    (beta,) = alone.to_dict("records")
    figures = [column for column in alone.columns if column.endswith("_ms")]
    assert figures
    assert told.loc["9002", figures].to_dict() == {name: beta[name] for name in figures}


def test_an_empty_root_says_what_to_do(tmp_path: Path) -> None:
    """There is no workspace, or no such folder."""
    with pytest.raises(StorageError, match="holds no exported workspace"):
        fleet.tables("queues", str(tmp_path))
    with pytest.raises(StorageError, match="cannot be read"):
        fleet.tables("queues", str(tmp_path / "none"))


def test_the_example_of_the_page_runs(root: Path, s3_server: S3Server) -> None:
    """What docs/scale.md tells people to type prints what it shows, from object storage."""
    for file in root.rglob("*.parquet"):
        s3_server.write(f"clickup/{file.relative_to(root).as_posix()}", file.read_bytes())
    code, shown = re.findall(
        r"```(?:python|text)\n(.+?)```", PAGE.split("## All workspaces in one table")[1], re.S
    )
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n"],
        env={**os.environ, **s3_server.environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.stdout.replace("\xa0", " "), process.stderr) == (shown, "")
