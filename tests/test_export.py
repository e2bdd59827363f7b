"""The whole export against the synthetic workspace, compared with the workspace's own ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clickup_toolkit.demo import DemoServer, World
from clickup_toolkit.export import run_export_sync
from tests.exporting import ALONE, differences, settings_for

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


LEDGERS = ("tasks", "entries", "members", "spaces", "folders", "lists", "fields")
SEEN_OTHERWISE = {"locations", "scope", "scope_id"}
"""Facts that the comparison takes from elsewhere: the ledger's ``task_lists``, and the field's definition."""
APART = {"texts", "relations", "links", "values", "statuses"}
"""What is compared with tables of its own."""


def another(value: object) -> object:
    """Return a value of the same kind that is not ``value``."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, set):
        return value | {"another"}
    if isinstance(value, dict):
        return {**value, "another": 1}
    if isinstance(value, list):
        return [*value, "another"]
    return value + 1 if isinstance(value, int) else f"{value} other"


def test_the_comparison_passes_over_no_fact(
    small_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Were any fact of the workspace otherwise, or a column named otherwise, the comparison would say so."""
    run_export_sync(settings_for(demo_server(small_world), tmp_path, redis_url))
    assert differences(tmp_path, small_world.ledger()) == {}
    subjects: set[str] = set()
    for things in LEDGERS:
        ledger = small_world.ledger()
        key, facts = next(item for item in getattr(ledger, things).items() if not item[1].get("shared"))
        others = {name: another(value) for name, value in facts.items()}
        getattr(ledger, things)[key] = {**others, "renamed": 1}
        found = differences(tmp_path, ledger)
        seen = {line.partition(":")[0] for line in found[things]}
        assert seen == {key} | {f"{key}.{name}" for name in facts.keys() - ALONE[things] - SEEN_OTHERWISE}
        assert f"{key}: cannot be compared by ['renamed']" in found[things]
        subjects |= found.keys()
    assert subjects >= APART
