"""What the tests of the site share: small database files, their change, executed notebooks, a real server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from clickup_toolkit.records import ROW_TYPES, Export, Gap, List, Member, Space, Task, Workspace
from clickup_toolkit.settings import Secret, Settings
from clickup_toolkit.store.formats import stamp
from clickup_toolkit.store.schema import create_tables, insertion
from clickup_toolkit.store.views import finish_for_readers

TOKEN = "a-long-token-for-programs"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
VERSION = "20261123T101500Z"

GAP = Gap(
    "time_entries",
    "183034",
    "TIMEENTRY_059",
    "Time entries of Ada Lovelace were refused.",
    "Use the token of an owner or admin.",
)
"""A gap as ClickUp makes them."""


def settings_for(data_dir: Path, **changes: Any) -> Settings:
    """Return settings that serve ``data_dir`` on a free port, without a server of versions."""
    chosen = {
        "team_id": "9001",
        "api_auth_token": Secret(TOKEN),
        "data_dir": data_dir,
        "redis_url": f"unix://{data_dir}/nobody",
        "port": 0,
    }
    return Settings(**chosen | changes)


def build_file(
    path: Path,
    *,
    version: str = VERSION,
    finished: str = "2026-11-23T10:19:00.000Z",
    tasks: int = 3,
    mark: str = "",
    gaps: Sequence[Gap] = (),
    rows: Iterable[Any] = (),
) -> Path:
    """Build a database file with a few rows and ``rows``; ``mark`` stands in the name of each task."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF")
        create_tables(connection)
        stamp(connection)
        for row in (*_rows(version, finished, tasks, mark), *gaps, *rows):
            connection.execute(" VALUES ".join(insertion(ROW_TYPES[type(row)])), row)
        connection.execute("UPDATE exports SET complete = ?", [not gaps])
        finish_for_readers(connection, whole=True)
    return path


def flip(data_dir: Path, built: Path) -> None:
    """Let ``clickup.db`` name another file, in one step."""
    aside = data_dir / "clickup.db.next"
    aside.unlink(missing_ok=True)
    aside.symlink_to(built.name)
    aside.replace(data_dir / "clickup.db")


def publish_file(data_dir: Path, version: str = VERSION, **about: Any) -> Path:
    """Build a file and flip to it."""
    built = build_file(data_dir / f"clickup-{version}.db", version=version, **about)
    flip(data_dir, built)
    return built


def write_run(data_dir: Path, name: str, cells: list[dict[str, Any]], **papermill: Any) -> Path:
    """Write an executed notebook."""
    path = data_dir / "runs" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "start_time": "2026-11-23T10:15:00.000000+00:00",
        "end_time": "2026-11-23T10:19:12.000000+00:00",
        "duration": 252.0,
        "exception": None,
    }
    notebook = {
        "cells": cells,
        "metadata": {"language_info": {"name": "python"}, "papermill": told | papermill},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def markdown(text: str) -> dict[str, Any]:
    """Return a cell of text."""
    return {"cell_type": "markdown", "id": f"m{abs(hash(text)):x}"[:12], "metadata": {}, "source": text}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    """Return an executed cell of code."""
    return {
        "cell_type": "code",
        "id": f"c{abs(hash(source)):x}"[:12],
        "execution_count": 1,
        "metadata": {},
        "source": source,
        "outputs": list(outputs),
    }


def shown(data: dict[str, Any]) -> dict[str, Any]:
    """Return an output with ``data`` by media type."""
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _rows(version: str, finished: str, tasks: int, mark: str) -> Iterator[Any]:
    yield Workspace("9001", "Nimbus Labs")
    yield Space("s1", "Product")
    yield List("l1", "Backlog", space_id="s1")
    yield Member("183034", "Ada Lovelace")
    for number in range(tasks):
        yield Task(
            id=f"t{number}",
            name=f"Task {number} {mark}".strip(),
            status="in review" if number % 2 else "open",
            status_type="custom" if number % 2 else "open",
            space_id="s1",
            list_id="l1",
            creator_id="183034",
            date_updated=_ms("2026-11-22T08:00:00.000Z") + number * 60_000,
            status_ms=90_000_000 * (number + 1),
            url=f"https://app.clickup.com/t/t{number}",
        )
    started = _ms("2026-11-23T10:15:00.000Z")
    yield Export(version, started, _ms(finished), complete=True, tasks=tasks, changed=2, deleted=1)


def _ms(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1000)
