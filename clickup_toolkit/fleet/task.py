"""What a worker does for one workspace, however often it is asked.

The scheduler may hand a task out twice: when a worker dies, when it seems to have died, when a result is
lost with the worker that held it. So a task first looks whether its run has published already, waits where
another attempt is under way, and exports only if it holds the workspace's lock and nothing was published.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import redis

from clickup_toolkit import publish
from clickup_toolkit.errors import ExportRunning, SettingsError
from clickup_toolkit.export import Report, run_export_sync
from clickup_toolkit.fleet.files import Files
from clickup_toolkit.fleet.hiding import hide, log_safely, without_secrets
from clickup_toolkit.fleet.news import Teller
from clickup_toolkit.fleet.outcome import Outcome
from clickup_toolkit.fleet.plan import Entry
from clickup_toolkit.fleet.references import resolve
from clickup_toolkit.objects import is_address
from clickup_toolkit.recording import recorded
from clickup_toolkit.settings import SETTINGS, Settings

__all__ = ["Work", "export_workspace", "settings_on_worker"]

_LOOK_AGAIN_S = 1.0


class Work(msgspec.Struct, frozen=True):
    """What is asked of a worker; it holds no secret. ``run`` names the run over all workspaces.

    ``one_machine`` says that all workers share this machine, and so may share its embedded server.
    """

    entry: Entry
    run: str
    full: bool = False
    one_machine: bool = False


def export_workspace(work: Work, environ: Mapping[str, str] | None = None) -> Outcome:
    """Export a workspace, or find that it was exported; what goes wrong is an outcome, too.

    ``environ`` is the worker's environment (default: this process's, over ``.env``).
    """
    began = time.monotonic()
    with Teller(work.entry.team_id, work.run) as tell:
        if tell.is_heard:
            log_safely()
        try:
            outcome = _export(work, tell, environ)
        except Exception as error:  # whatever it is, the other workspaces go on
            outcome = Outcome.of_error(work.entry, error)
    return msgspec.structs.replace(
        outcome,
        seconds=round(time.monotonic() - began, 2),
        worker=f"{socket.gethostname()}:{os.getpid()}",
        message=without_secrets(outcome.message),
        remedy=without_secrets(outcome.remedy),
    )


def settings_on_worker(work: Work, environ: Mapping[str, str] | None = None) -> tuple[Settings, str]:
    """Return the settings of an export, and the address of object storage (empty: none is used).

    What the entry leaves open is what the worker's environment says. Raises
    :class:`~clickup_toolkit.errors.SettingsError`.
    """
    own, entry = Settings.read(environ), work.entry
    read: dict[str, Any] = {name: _read(name, text, environ) for name, text in entry.settings.items()}
    address = entry.data_dir if is_address(entry.data_dir) else ""
    folder = entry.scratch if address else entry.data_dir
    base = SETTINGS["data_dir"].read(folder) if folder else own.data_dir
    read |= {"team_id": entry.team_id, "data_dir": base / entry.team_id}
    settings = dataclasses.replace(own, **read)
    hide(settings)
    if settings.redis_url is None:
        settings = dataclasses.replace(settings, redis_url=_embedded(work, own))
    return settings, address


def _read(name: str, text: str, environ: Mapping[str, str] | None) -> object:
    """Read a setting as its variable is read; what a secret is wrong about is said without it."""
    try:
        return SETTINGS[name].read(resolve(text, environ))
    except ValueError as error:
        raise SettingsError(f"What {text} refers to {error}.", SETTINGS[name].remedy) from None


def _embedded(work: Work, own: Settings) -> str:
    if not work.one_machine:
        raise SettingsError(
            "REDIS_URL is not set on the worker, and workers on several machines need one server for all.",
            "Set REDIS_URL for every worker, or redis_url in workspaces.toml.",
        )
    return publish.server_address(dataclasses.replace(own, redis_url=None))


def _export(work: Work, tell: Teller, environ: Mapping[str, str] | None) -> Outcome:
    settings, address = settings_on_worker(work, environ)
    team = work.entry.team_id
    with recorded(settings, without_secrets) as record, publish.connect(settings) as client:
        before = publish.version_before(client, team, work.run)

        def attempt() -> Outcome:
            with publish.FilesLock(client, team, settings.redis_lock_ttl) as lock:
                files = Files(settings.data_dir, address, team, environ)
                return _Attempt(work, settings, files, tell, record).carry_out(client, lock, before)

        return _once_free(attempt, tell, settings.export_timeout_hours * 3600)


def _once_free(attempt: Callable[[], Outcome], tell: Teller, within_s: float) -> Outcome:
    """Make an attempt as soon as no other export of the workspace is under way."""
    until = time.monotonic() + within_s
    while True:
        try:
            return attempt()
        except ExportRunning:
            if time.monotonic() > until:
                raise
            tell("another export of it is running", 0, None)
            time.sleep(_LOOK_AGAIN_S)


class _Attempt:
    """One attempt, by the holder of the workspace's lock; ``record`` is told what an export reports."""

    def __init__(
        self, work: Work, settings: Settings, files: Files, tell: Teller, record: Callable[[Report], None]
    ) -> None:
        self.work = work
        self.settings = settings
        self.tell = tell
        self.files = files
        self.record = record

    def carry_out(self, client: redis.Redis, lock: publish.ExportLock, before: str | None) -> Outcome:
        """Export, unless a version newer than ``before`` is the latest, its files in place."""
        latest = publish.latest_id(client, self.work.entry.team_id)
        if latest is not None and latest != before and self.files.keep(client, lock, latest):
            stored = publish.find(client, self.work.entry.team_id, latest)
            if stored is not None:
                return self._with_size(Outcome.of_version(self.work.entry, stored))
        self.files.bring()
        report = run_export_sync(self.settings, full=self.work.full, progress=self.tell)
        self.record(report)
        self.tell("files to object storage", 0, None)
        self.files.keep(client, lock, report.version)
        return self._with_size(Outcome.of_report(self.work.entry, report))

    def _with_size(self, outcome: Outcome) -> Outcome:
        return msgspec.structs.replace(outcome, stored_bytes=self.files.stored_bytes)
