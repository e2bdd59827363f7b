"""Incremental crawls, many in a row: the database holds what a crawl of everything would put there."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from clickup_toolkit import store
from clickup_toolkit.client import Client
from clickup_toolkit.crawl import crawl
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.demo.drift import VISIBLE_CHANGES
from clickup_toolkit.pacing import Pacer
from clickup_toolkit.settings import Secret, Settings
from tests.exporting import comparable, head_of
from tests.worlds import living_world

CHANGES = (*VISIBLE_CHANGES, "create_list", "log", "log")
"""What an incremental export sees: also new lists, and time that was tracked lately."""


class Line:
    """Databases that are built one on the other, each from a crawl of its own."""

    def __init__(self, server: DemoServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.built: list[Path] = []

    def export(self) -> str:
        """Crawl, build the next database, and return how much was crawled: full or incremental."""
        previous = self.built[-1] if self.built else None
        team, now = self.server.team_id, self.server.world.now()
        token = Secret(self.server.token)
        since = store.changes_since(previous, team, now=now, full_every_hours=24)
        name = f"{len(self.built):03}"
        path = self.folder / f"{name}.journal"
        journal = store.open_journal(path, team, ("API", token), since=since, previous=previous, now=now)
        asyncio.run(self._crawl(journal, team, token))
        target = self.folder / f"{name}.db"
        export = store.build_database(journal, target, previous=previous, version=name)
        store.finish(target, export)
        journal.close()
        self.built.append(target)
        return export.mode

    async def _crawl(self, journal: store.Journal, team: str, token: Secret) -> None:
        ours = Settings(token=token, team_id=team, api_url=self.server.url, data_dir=self.folder)
        async with Client(ours, Pacer(8)) as client:
            await crawl(client, journal, team, token, lambda stage, done, total: None)

    def document(self) -> dict[str, Any]:
        """Return the document of the last database."""
        head = head_of(self.built[-1])
        tasks = [msgspec.json.decode(body) for _, body in store.document_tasks(self.built[-1])]
        return comparable({**head, "data": tasks, "version": "", "updated_at": ""})


@settings(max_examples=9, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rounds=st.lists(st.lists(st.sampled_from(CHANGES), max_size=12), min_size=1, max_size=4),
)
def test_many_incremental_crawls_equal_one_of_everything(seed: int, rounds: list[list[str]]) -> None:
    """After any visible changes, in any number of steps, the documents of both are the same."""
    world, rng = living_world(tasks=80, time_entries=80, lists=20, members=6, seed=1 + seed % 5), Random(seed)
    with TemporaryDirectory() as folder, DemoServer(world, rate_limit=10**6) as server:
        Path(folder, "steps").mkdir()
        steps, whole = Line(server, Path(folder, "steps")), Line(server, Path(folder))
        assert steps.export() == "full"
        for kinds in rounds:
            for kind in kinds:
                world.drift(rng, 1, (kind,))
            assert steps.export() == "incremental"
        assert whole.export() == "full"
        assert steps.document() == whole.document()


def fields_of_a_list(line: Line, list_id: str) -> dict[str, str]:
    """Return the scope of every field that the last database defines for the list alone or from a task."""
    told = line.document()["custom_fields"]
    return {field["id"]: field["scope"] for field in told if field["scope_id"] in (list_id, None)}


def test_fields_of_a_list_stay_defined_when_its_last_task_leaves_and_a_first_one_comes(
    tmp_path: Path,
) -> None:
    """Set or not, they are told by the list's tasks, and while there is none by the list."""
    world = living_world(tasks=80, time_entries=80, lists=20, members=6, seed=1)
    ledger = world.ledger()
    homes = Counter(task["list_id"] for key, task in ledger.tasks.items() if key not in ledger.hidden)
    own = next(one for one in world.lists if one.fields and homes[one.id] and not one.archived)
    other = next(one for one in world.lists if homes[one.id] and one is not own and not one.fields)
    ids = {field.id for field in own.fields}
    with DemoServer(world, rate_limit=10**6) as server:
        line = Line(server, tmp_path)
        line.export()
        from_tasks = fields_of_a_list(line, own.id)
        for task in [key for key, task in ledger.tasks.items() if task["list_id"] == own.id]:
            world.move_task(task, other.id)
        line.export()
        from_list = fields_of_a_list(line, own.id)
        world.create_task(own.id, "The first one again")
        line.export()
        again = fields_of_a_list(line, own.id)
    scopes = [{found.get(key) for key in ids} for found in (from_tasks, from_list, again)]
    assert scopes == [{"task"}, {"list"}, {"task"}]
