"""What a terminal shows while many workspaces are exported: read from a real one, as a screen."""

from __future__ import annotations

import os
import pty
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickup_toolkit.fleet.news import News
from clickup_toolkit.fleet.outcome import Outcome
from clickup_toolkit.fleet.showing import FleetProgress
from tests.fixtures.valkey import wait_until

NAMES = {"1": "One", "2": "Two", "3": "Three"}
DONE = Outcome(team_id="1", name="One", state="complete", version="20261123T101500Z", tasks=1204)
FAILED = Outcome(team_id="2", name="Two", state="failed", message="ClickUp does not answer.")
SHORT = Outcome(team_id="3", name="Three", state="gaps", version="20261123T101501Z", tasks=9, gaps=2)


class Screen:
    """The lines of a terminal, from what was written to it so far."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def shown(self) -> list[str]:
        """Return the lines that hold something, without the time that has passed."""
        self._draw(b"".join(self.written).decode(errors="replace"))
        return [re.sub(r" \[\d+:\d+\]", "", line.rstrip()) for line in self.lines if line.strip()]

    def _draw(self, written: str) -> None:
        """Do what a terminal does: letters overwrite, and few signs move the cursor."""
        self.lines, self.row, self.column = [""], 0, 0
        for part in re.findall(r"\x1b\[A|[\r\n]|[^\x1b\r\n]+", written):
            if part == "\x1b[A":
                self.row = max(0, self.row - 1)
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            else:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + part + line[self.column + len(part) :]
                self.column += len(part)


@contextmanager
def terminal(names: dict[str, str]) -> Iterator[tuple[FleetProgress, Screen]]:
    """Give the progress on a terminal, and its screen, which is complete behind the block."""
    ours, theirs = pty.openpty()
    screen = Screen()

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                screen.written.append(piece)
        except OSError:
            return  # the terminal was closed

    reading = threading.Thread(target=read)
    reading.start()
    with os.fdopen(theirs, "w") as file, FleetProgress(names, file=file) as progress:
        yield progress, screen
    reading.join(10)
    os.close(ours)


def test_each_workspace_under_way_has_a_line() -> None:
    """The first line counts workspaces, each of the others shows one: what is done, and how much of it."""
    with terminal(NAMES) as (progress, screen):
        progress(News("1", "run", "tasks", 602, 1204))
        progress(News("2", "run", "time entries", 80))
        progress(News("3", "run", "structure"))
        wanted = [
            f"workspaces: 0 of 3 |{' ' * 30}|",
            f"  One{' ' * 22}tasks:  50% |██████████{' ' * 10}| 602 of 1204",
            f"  Two{' ' * 22}time entries: 80",
            f"  Three{' ' * 20}structure",
        ]
        wait_until(lambda: screen.shown() == wanted)
    assert screen.shown() == wanted[:1]


def test_what_ended_stands_above_as_a_sentence() -> None:
    """Lines go with their workspaces, whatever news come late; what came of them stays, and the count."""
    with terminal(NAMES) as (progress, screen):
        for outcome in (DONE, FAILED, SHORT):
            progress(News(outcome.team_id, "run", "tasks", 1, 2))
            progress.ended(outcome)
            progress(News(outcome.team_id, "run", "tasks", 2, 2))
    assert screen.shown() == [
        "One: version 20261123T101500Z, 1,204 tasks",
        "Two: failed. ClickUp does not answer.",
        "Three: version 20261123T101501Z, 9 tasks, 2 gaps",
        f"workspaces: 3 of 3 |{'█' * 30}|",
    ]


def test_more_workspaces_than_lines_are_only_counted() -> None:
    """Twenty lines are shown at once; a workspace that ends makes room for the next."""
    names = {str(number): f"W{number}" for number in range(30)}
    with terminal(names) as (progress, _):
        for team in names:
            progress(News(team, "run", "tasks"))
        assert list(progress._lines) == [*names][:20]
        progress(News("0", "run", ""))
        progress(News("29", "run", "tasks"))
        assert list(progress._lines) == [*[*names][1:20], "29"]


def test_nothing_is_shown_where_there_is_no_terminal(tmp_path: Path) -> None:
    """A file gets no bars: the table at the end says everything."""
    with (tmp_path / "log").open("w") as file, FleetProgress(NAMES, file=file) as progress:
        progress(News("1", "run", "tasks", 1, 2))
        progress.ended(DONE)
    assert (tmp_path / "log").read_text() == ""
