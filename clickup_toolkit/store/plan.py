"""What the next crawl has to read: everything, or what changed since the export before."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.store.files import current
from clickup_toolkit.store.opening import previous_database

__all__ = ["changes_since", "next_version"]

_VERSION = "%Y%m%dT%H%M%SZ"
_NAMED = re.compile(r"clickup-(\d{8}T\d{6}Z)\.db")
_BY_TASK = frozenset({"comments", "task_details"})
_PLACES = frozenset(
    {what for kind in ("spaces", "folders", "lists", "tasks") for what in (kind, f"archived_{kind}")}
    | {"shared"}
)
# The codes of what is refused for good, on which reading everything again would change nothing.
_REFUSALS = ("OAUTH_", "ACCESS_", "ITEM_", "PROJ_", "INPUT_", "TEAM_", "LOC_", "SUBCAT_", "SHARD_", "HTTP_4")
_HOUR_MS = 3_600_000
_MS = "CAST(round((julianday({}) - 2440587.5) * 86400000) AS INTEGER)"


def changes_since(
    previous: Path | None,
    team_id: str,
    *,
    now: int,
    full_every_hours: float,
    streams: Collection[str] = (),
) -> int | None:
    """Return from when on changes are to be read (ms since 1970 UTC, ClickUp's clock); None: everything.

    That is the start of the last export.

    Everything is read when there is no export yet or the last full one began ``full_every_hours`` ago, and
    when the last one did not read one of the optional ``streams`` that are read task by task, and when places
    are missing from it that may be read by now.
    Raises :class:`SettingsError` when the database ``previous`` holds another workspace.
    """
    if previous is None:
        return None
    with previous_database(previous) as db:
        _refuse_other(db, previous, team_id)
        columns = {row[1] for row in db.execute("PRAGMA table_info(exports)")}
        mark = "coalesce(watermark, started)" if "watermark" in columns else "started"
        last = _last(db, f"{_MS.format('started')}, {_MS.format(mark)}")
        missing = _BY_TASK.intersection(streams) - _streams(db)
        full = _last(db, _MS.format("started"), "WHERE mode = 'full'")
        unread = any(_passing(*gap) for gap in db.execute("SELECT what, code FROM gaps"))
    if missing or unread or last is None or full is None or last[0] > now:
        return None
    return None if now - full[0] >= full_every_hours * _HOUR_MS else last[1]


def _last(db: sqlite3.Connection, columns: str, which: str = "") -> Sequence[int] | None:
    """Return columns of the export that came last: versions grow, even where the clock was set back."""
    found: Sequence[int] | None = db.execute(
        f"SELECT {columns} FROM exports {which} ORDER BY version DESC LIMIT 1"  # noqa: S608  # our own text
    ).fetchone()
    return found


def _passing(what: str, code: str) -> bool:
    """Tell whether a gap hides tasks for a reason that may be gone: only reading everything fills it."""
    return what in _PLACES and not code.startswith(_REFUSALS) and code != "NOT_FOUND"


def _streams(db: sqlite3.Connection) -> set[str]:
    """Return the optional streams that the last export read; a database of an earlier release has none."""
    if "streams" not in {row[1] for row in db.execute("PRAGMA table_info(exports)")}:
        return set()
    row = db.execute("SELECT streams FROM exports ORDER BY version DESC LIMIT 1").fetchone()
    return set(((row and row[0]) or "").split())


def _refuse_other(db: sqlite3.Connection, previous: Path, team_id: str) -> None:
    held = [row[0] for row in db.execute("SELECT id FROM workspaces")]
    if held and team_id not in held:
        raise SettingsError(
            f"The data folder {previous.parent} holds workspace {held[0]}, not {team_id}.",
            "Correct CLICKUP_TEAM_ID, or set CLICKUP_DATA_DIR to another folder for this workspace.",
        )


def next_version(folder: Path, started: int, latest: str | None) -> tuple[str, Path]:
    """Return the version of an export that began at ``started`` (ms), and the database file to build.

    A version is the UTC time of the start; where that is not behind the ``latest`` published one and the
    current database's, or its file is there already, the next free second.
    """
    second = started // 1000
    held = current(folder)
    if held is not None and (named := _NAMED.fullmatch(held.name)):
        latest = max(latest or "", named[1])
    while True:
        version = datetime.fromtimestamp(second, UTC).strftime(_VERSION)
        path = folder / f"clickup-{version}.db"
        if latest is not None and version <= latest:
            second = round(datetime.strptime(latest, _VERSION).replace(tzinfo=UTC).timestamp())
        elif not path.exists():
            return version, path
        second += 1
