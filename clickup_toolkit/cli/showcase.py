"""What ``demo`` does: everything that production does, with a ClickUp of its own."""

from __future__ import annotations

import fcntl
import shutil
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from clickup_toolkit import publish, store
from clickup_toolkit.cli.common import start_logging
from clickup_toolkit.demo import DemoServer, Ledger, World, build_world
from clickup_toolkit.errors import ExportRunning, SettingsError, StorageError
from clickup_toolkit.export import Report
from clickup_toolkit.records import Gap
from clickup_toolkit.schedule import describe, read_report, run_notebook
from clickup_toolkit.settings import Secret, Settings

__all__ = ["Size", "showcase"]

API_TOKEN = "demo-token"  # noqa: S105  # opens nothing but the demo
_MARK = ".demo"  # lies in a folder that a demo made, and that the next one may empty
_CONCURRENCY = 8
_UNREADABLE = 2  # members who do not show the token their time: what a gap looks like
_PORT = 8000
_CLEAR = "\033[K"  # clears the rest of a terminal's line


@dataclass(frozen=True)
class Size:
    """How large the workspace is, which of them, and how many requests a minute it allows."""

    tasks: int
    seed: int
    rate_limit: int


def showcase(size: Size, folder: Path, port: int | None, *, once: bool, stop: threading.Event) -> bool:
    """Export a synthetic workspace, report, serve it unless ``once``; return whether it came out whole."""
    with _own_folder(folder.absolute()) as data_dir:
        _say(f"Building a workspace of {size.tasks:,} tasks …")
        world = build_world(tasks=size.tasks, seed=size.seed, unreadable=_UNREADABLE)
        with DemoServer(world, rate_limit=size.rate_limit) as server:
            settings = _settings(server, data_dir, port)
            start_logging(settings, "warning")
            try:
                return _export_and_serve(settings, world, once, stop)
            finally:
                publish.stop(settings)


def _export_and_serve(settings: Settings, world: World, once: bool, stop: threading.Event) -> bool:
    _say("Exporting it: papermill runs scheduled/export.ipynb, as `schedule` does …")
    try:
        executed = run_notebook(settings, stop=stop, on_line=_say_progress)
    finally:
        _end_progress()
    report = read_report(executed)
    assert report is not None
    click.echo(describe(report))
    good = _compare(report, settings.data_dir, world.ledger())
    click.echo(f"\nExecuted notebook: {executed}")
    if not once:
        _serve(settings, executed)
    click.echo(f"\nThe export stays in {settings.data_dir} until the next demo.")
    return good


def _compare(report: Report, data_dir: Path, ledger: Ledger) -> bool:
    """Compare the export with the workspace, id by id, and say what differs; planned gaps do not count."""
    held = _held_ids(data_dir)
    wanted = {
        "tasks": set(ledger.tasks),
        "time entries": {*ledger.entries, *ledger.entries_by_task},
        "tasks with time in status": set(ledger.status_rows),
    }
    click.echo("\nCompared with the workspace itself:")
    for what, ids in wanted.items():
        missing, foreign = len(ids - held[what]), len(held[what] - ids)
        differs = f"; {missing:,} missing, {foreign:,} not of it" if missing or foreign else ""
        click.echo(f"  {len(ids) - missing:,} of {len(ids):,} {what}{differs}")
    return held == wanted and _gaps_are_planned(report, ledger)


def _held_ids(data_dir: Path) -> dict[str, set[str]]:
    database = store.current(data_dir)
    assert database is not None
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        return {
            what: {row[0] for row in connection.execute(f"SELECT {column} FROM {table}")}  # noqa: S608
            for what, table, column in (
                ("tasks", "tasks", "id"),
                ("time entries", "time_entries", "id"),
                ("tasks with time in status", "time_in_status", "task_id"),
            )
        }
    finally:
        connection.close()


def _gaps_are_planned(report: Report, ledger: Ledger) -> bool:
    unplanned = [gap for gap in report.gaps if not _is_planned(gap, ledger)]
    if ledger.entries_lost:
        click.echo(f"  {len(ledger.entries_lost):,} more time entries, which ClickUp shows to no such token")
    if unplanned:
        click.echo(f"  {len(unplanned)} of the gaps above should not be there")
    elif report.gaps:
        click.echo("The gaps above are meant: every workspace keeps something from a token. With a real one,")
        click.echo("`export` would end with exit code 3 because of them.")
    return not unplanned


def _is_planned(gap: Gap, ledger: Ledger) -> bool:
    """Tell whether the workspace really keeps this from the token."""
    match gap.what:
        case "time_entries":
            return gap.id in ledger.unreadable["members"]
        case "home_lists":
            return gap.id not in ledger.lists
        case "time_in_status":
            return gap.code == "ABSENT"  # whose it is missing was compared above
    return False


def _serve(settings: Settings, executed: Path) -> None:
    from clickup_toolkit import serve

    serve.run(settings, ready=lambda address: _tell_addresses(address, settings, executed))


def _tell_addresses(address: str, settings: Settings, executed: Path) -> None:
    export = f"{address}api/v1/export/"
    click.echo(f"""
Serving until Ctrl-C:
  Tables              {address}
  Executed notebook   {address}-/runs/{executed.stem}
  JSON export         {export}
    curl --fail --compressed -H "Authorization: Bearer {API_TOKEN}" -o export.json {export}
  Notebooks           CLICKUP_DATA_DIR={settings.data_dir} make lab""")


def _settings(server: DemoServer, data_dir: Path, port: int | None) -> Settings:
    """Return settings of the demo's own; the environment, which may know a real workspace, has no say."""
    return Settings(
        token=Secret(server.token),
        team_id=server.team_id,
        api_auth_token=Secret(API_TOKEN),
        concurrency=_CONCURRENCY,
        api_url=server.url,
        data_dir=data_dir,
        port=_free_port() if port is None else port,
    )


def _free_port() -> int:
    try:
        socket.create_server(("127.0.0.1", _PORT)).close()
    except OSError:
        return 0
    return _PORT


@contextmanager
def _own_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder for this demo alone; one that a demo did not make is refused, not emptied."""
    try:
        file = _mark(folder)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written: {error.strerror}.", "Choose another folder with --data-dir."
        ) from error
    with file:
        _lock(file.fileno(), folder)
        _empty(folder)
        yield folder


def _mark(folder: Path) -> TextIO:
    mark = folder / _MARK
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        raise SettingsError(
            f"{folder} holds something else than a demo.", "Choose another folder with --data-dir."
        )
    folder.mkdir(parents=True, exist_ok=True)
    return mark.open("a")


def _lock(mark: int, folder: Path) -> None:
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ExportRunning(
            f"Another demo runs in {folder}.", "End it, or choose another --data-dir."
        ) from None


def _empty(folder: Path) -> None:
    publish.stop(Settings(data_dir=folder))  # of a demo that was killed
    for path in folder.iterdir():
        if path.name == _MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _say(text: str) -> None:
    click.echo(text, err=True)


def _say_progress(line: str) -> None:
    """Show on one line of a terminal what the notebook's progress bar shows."""
    if line.endswith("]") and sys.stderr.isatty():
        click.echo(f"\r{_CLEAR}  {line.strip()}", err=True, nl=False)


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{_CLEAR}", err=True, nl=False)
