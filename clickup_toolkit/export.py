"""The whole run, top to bottom: from the API to a published version."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import structlog
from redis import Redis

from clickup_toolkit import parquet, publish, store
from clickup_toolkit.client import Client, Stats
from clickup_toolkit.crawl import Progress, crawl
from clickup_toolkit.errors import SettingsError
from clickup_toolkit.migrate import migrate
from clickup_toolkit.pacing import Pacer, SharedBudget, budget_key
from clickup_toolkit.rebuild import mend, publish_database
from clickup_toolkit.records import Export, Gap
from clickup_toolkit.settings import Secret, Settings

__all__ = ["Report", "run_export", "run_export_sync"]

_log = structlog.get_logger(__name__)


class Report(msgspec.Struct, kw_only=True):
    """What an export did; the line that ``export --json`` prints."""

    version: str
    complete: bool
    mode: str
    tasks: int
    changed: int
    deleted: int
    time_entries: int
    time_in_status: int
    requests: int
    throttled: int
    retries: int
    resumed: int
    seconds: float
    peak_rss_mb: float
    gaps: list[Gap]

    @property
    def exit_code(self) -> int:
        """0 for a complete export, 3 for one published with gaps."""
        return 0 if self.complete else 3


async def run_export(settings: Settings, *, full: bool = False, progress: Progress | None = None) -> Report:
    """Export the workspace that ``settings`` name, and publish it as the latest version.

    ``progress`` is told what is being done, how much of it, and of how much where that is known. Raises
    :class:`~clickup_toolkit.errors.ToolkitError`; the last good version stays in place then, and what was
    read stays in the journal, so that the next run goes on from there.
    """
    began = time.monotonic()
    team, token = _needed(settings)
    with store.lock_folder(settings.data_dir), store.LiveRun(settings.data_dir) as live:
        show = live.watching(progress or _silent)
        await asyncio.to_thread(migrate, settings.data_dir)
        redis = publish.connect(settings)
        with publish.ExportLock(redis, team, settings.redis_lock_ttl) as lock:
            await asyncio.to_thread(mend, redis, lock, settings)
            journal = _journal(settings, team, token, full)
            live.note(mode="full" if journal.since is None else "incremental")
            async with _budget(settings, token) as shared, _client(settings, shared) as client:
                live.traffic = partial(_traffic, client)
                resumed = await crawl(client, journal, team, token, show)
            run = _Run(settings, journal, client.stats, resumed, show)
            latest = await asyncio.to_thread(publish.latest_id, redis, team)
            export, built = await asyncio.to_thread(run.build, latest)
            live.note(version=export.version)
            await asyncio.to_thread(run.publish, redis, lock, export, built)
            gaps = store.gaps(built)
            journal.note_facts({"published": export.version})
            journal.close()
    _log.info("export.published", version=export.version, tasks=export.tasks, gaps=len(gaps))
    return _report(export, gaps, time.monotonic() - began)


def run_export_sync(settings: Settings, *, full: bool = False, progress: Progress | None = None) -> Report:
    """As :func:`run_export`, for callers without an event loop."""
    return asyncio.run(run_export(settings, full=full, progress=progress))


class _Run:
    """What follows the crawl: the database, the columnar files, the published version."""

    def __init__(
        self, settings: Settings, journal: store.Journal, stats: Stats, resumed: int, show: Progress
    ) -> None:
        self.settings = settings
        self.journal = journal
        self.stats = stats
        self.resumed = resumed
        self.show = show

    def build(self, latest: str | None) -> tuple[Export, Path]:
        """Build the next database beside the current one; its version follows the ``latest``."""
        self.show("database", 0, None)
        folder = self.settings.data_dir
        version, built = store.next_version(folder, self.journal.started, latest)
        export = store.build_database(
            self.journal,
            built,
            previous=store.current(folder),
            version=version,
            stale_days=self.settings.stale_days,
        )
        export = export._replace(
            requests=self.stats.requests,
            throttled=self.stats.throttled,
            retries=self.stats.retries,
            resumed=self.resumed,
        )
        store.finish(built, export)
        return export, built

    def publish(self, redis: Redis, lock: publish.ExportLock, export: Export, built: Path) -> None:
        """Publish the document, then change the local files over to the same version.

        What needs space is written before; behind the publishing nothing but renames can fail.
        """
        self.show("columnar files", 0, None)
        with parquet.prepared(built, self.settings.data_dir / "parquet") as swap_in:
            store.give_memory_back()
            self.show("documents", 0, export.tasks)
            publish_database(redis, lock, self.settings, built)
            swap_in()
        store.flip(self.settings.data_dir, built)


def _journal(settings: Settings, team: str, token: Secret, full: bool) -> store.Journal:
    """Return the journal of the crawl that is due: of all, of what changed, or an interrupted one's."""
    now, previous = _now(), store.current(settings.data_dir)
    since = store.changes_since(
        previous, team, now=now, full_every_hours=settings.full_export_hours, streams=settings.streams
    )
    return store.open_journal(
        settings.data_dir / "journal.db",
        team,
        (settings.api_url, token),
        since=None if full else since,
        previous=previous,
        now=now,
        streams=settings.streams,
        reread_days=settings.reread_days,
    )


@asynccontextmanager
async def _budget(settings: Settings, token: Secret) -> AsyncIterator[SharedBudget]:
    """Give this process's part in the rate budget that all processes with this token share."""
    client = await publish.async_connect(settings)
    shared = SharedBudget(client, budget_key(token.reveal()))
    try:
        yield shared
    finally:
        await shared.leave()
        await client.aclose()


def _client(settings: Settings, shared: SharedBudget) -> Client:
    return Client(settings, Pacer(settings.concurrency, shared=shared))


def _traffic(client: Client) -> store.Traffic:
    stats, pacer = client.stats, client.pacer
    return store.Traffic(
        requests=stats.requests,
        throttled=stats.throttled,
        retries=stats.retries,
        limit=pacer.limit,
        remaining=pacer.remaining,
        reset_seconds=pacer.reset_seconds,
        waiting_seconds=pacer.waiting_seconds,
    )


def _silent(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""


def _now() -> int:
    return time.time_ns() // 1_000_000


def _needed(settings: Settings) -> tuple[str, Secret]:
    if settings.token is None or settings.team_id is None:
        raise SettingsError("An export needs CLICKUP_TOKEN and CLICKUP_TEAM_ID.")
    return settings.team_id, settings.token


def _report(export: Export, gaps: list[Gap], seconds: float) -> Report:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Report(
        version=export.version,
        complete=not gaps,
        mode=export.mode,
        tasks=export.tasks,
        changed=export.changed,
        deleted=export.deleted,
        time_entries=export.time_entries,
        time_in_status=export.time_in_status,
        requests=export.requests,
        throttled=export.throttled,
        retries=export.retries,
        resumed=export.resumed,
        seconds=round(seconds, 2),
        peak_rss_mb=round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1),
        gaps=gaps,
    )
