"""The whole export against the synthetic workspace, compared with the workspace's own ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.export import run_export_sync
from tests.exporting import differences, settings_for

Serve = Callable[..., DemoServer]


def test_export_holds_exactly_what_the_token_can_see(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Every task, relation, entry, status row and place of the workspace is exported once, and as it is."""
    server = demo_server(small_world)
    ledger = small_world.ledger()
    report = run_export_sync(settings_for(server, tmp_path, redis_url))
    assert differences(tmp_path, ledger) == {}
    assert (report.tasks, report.throttled, report.retries, report.resumed) == (len(ledger.tasks), 0, 0, 0)
    assert report.time_entries == len(ledger.entries) + len(ledger.entries_by_task)
    assert report.time_in_status == len(ledger.status_rows)
    assert report.requests == server.stats.requests
