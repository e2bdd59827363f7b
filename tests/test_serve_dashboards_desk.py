"""Where dashboards are computed: once, one at a time, beside the event loop, the latest kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from clickup_toolkit.serve.dashboards.desk import Busy, Desk
from clickup_toolkit.serve.dashboards.filters import Filters
from clickup_toolkit.serve.dashboards.panels import Board, Panel, Table, Told

ANY = Filters()
BOARD = Board("v1", datetime(2026, 11, 23, tzinfo=UTC), "full", True, ANY, (), (), 1)


class Makers:
    """Makes boards, and notes which and in which thread; ``gate`` holds it up until it is opened."""

    def __init__(self, figure: str = "") -> None:
        self.made: list[str] = []
        self.threads: set[str] = set()
        self.at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self._panel = Panel("k", "Heading", "", "", figure, Table((), (), 0))

    def __call__(self, folder: Path, name: str, filters: Filters) -> Board:
        self.made.append(name)
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        self.at_once += 1
        assert self.at_once == 1
        assert self.gate.wait(60)
        self.at_once -= 1
        if name == "broken":
            raise ValueError(name)
        return replace(BOARD, version=name, filters=filters, told=Told(panels=(self._panel,)))


def touch(folder: Path, text: str) -> None:
    """Replace the file of a table."""
    aside = folder / "aside"
    (folder / "tasks").mkdir(exist_ok=True)
    aside.write_text(text)
    aside.replace(folder / "tasks" / "part-0.parquet")


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run what a test does within an event loop."""

    async def in_time() -> None:
        await asyncio.wait_for(story(), 60)

    asyncio.run(in_time())


def test_a_page_is_computed_once_for_all_who_ask(tmp_path: Path) -> None:
    """Ten who ask for the same page at once, and one later, get the one that was computed."""
    makers = Makers()
    desk = Desk(tmp_path, makers)

    async def story() -> None:
        makers.gate.clear()
        asked = [asyncio.create_task(desk.board("flow", ANY)) for _ in range(10)]
        await asyncio.to_thread(makers.begun.wait, 20)  # the loop goes on while the thread computes
        makers.gate.set()
        boards = await asyncio.gather(*asked)
        again = await desk.board("flow", ANY)
        assert all(board is again for board in boards)

    run(story)
    assert makers.made == ["flow"]
    assert threading.main_thread().name not in makers.threads


def test_pages_are_computed_one_at_a_time(tmp_path: Path) -> None:
    """However many pages are asked for, memory holds the tables of one."""
    makers = Makers()
    desk = Desk(tmp_path, makers)
    names = [f"page {number}" for number in range(6)]

    async def story() -> None:
        boards = await asyncio.gather(*(desk.board(name, ANY) for name in names))
        assert [board.version for board in boards] == names

    run(story)
    assert sorted(makers.made) == names


def test_filters_make_pages_of_their_own(tmp_path: Path) -> None:
    """The same page narrowed otherwise is another one."""
    makers = Makers()
    desk = Desk(tmp_path, makers)

    async def story() -> None:
        narrow = Filters(list=("l1",))
        assert (await desk.board("flow", narrow)).filters == narrow
        assert (await desk.board("flow", ANY)).filters == ANY

    run(story)
    assert makers.made == ["flow", "flow"]


def test_who_leaves_takes_the_page_from_nobody(tmp_path: Path) -> None:
    """A visitor who goes away while the page is computed does not end it for the other."""
    makers = Makers()
    desk = Desk(tmp_path, makers)

    async def story() -> None:
        makers.gate.clear()
        leaving, staying = (asyncio.create_task(desk.board("flow", ANY)) for _ in range(2))
        await asyncio.to_thread(makers.begun.wait, 20)
        leaving.cancel()
        makers.gate.set()
        assert (await staying).version == "flow"
        with pytest.raises(asyncio.CancelledError):
            await leaving

    run(story)


def test_a_newer_export_is_computed_anew_and_the_older_forgotten(tmp_path: Path) -> None:
    """What was computed is kept for the files that it was computed of, and no longer."""
    makers = Makers()
    desk = Desk(tmp_path, makers)

    async def story() -> None:
        touch(tmp_path, "one")
        first = await desk.board("flow", ANY)
        touch(tmp_path, "another")
        second = await desk.board("flow", ANY)
        assert first is not second
        assert len(desk._kept) == 1

    run(story)
    assert makers.made == ["flow", "flow"]


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    """The page that was looked at longest ago is forgotten when there is no room; one is always kept."""
    makers = Makers(figure="x" * 100_000)
    desk = Desk(tmp_path, makers, kept_bytes=250_000)

    async def story() -> None:
        for name in ("a", "b", "a", "c", "a", "b"):
            await desk.board(name, ANY)

    run(story)
    assert makers.made == ["a", "b", "c", "b"]


def test_a_failure_is_told_to_all_and_tried_again(tmp_path: Path) -> None:
    """What goes wrong is not kept."""
    makers = Makers()
    desk = Desk(tmp_path, makers)

    async def story() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="broken"):
                await desk.board("broken", ANY)

    run(story)
    assert makers.made == ["broken", "broken"]


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    """Who asks for more pages than a crowd of people would is told that the desk is busy."""
    makers = Makers()
    desk = Desk(tmp_path, makers)

    async def story() -> None:
        makers.gate.clear()
        asked = [asyncio.create_task(desk.board(f"page {number}", ANY)) for number in range(40)]
        for refused in islice(asyncio.as_completed(asked), 24):
            with pytest.raises(Busy):
                await refused
        makers.gate.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, Board) for answer in answers) == 16

    run(story)
