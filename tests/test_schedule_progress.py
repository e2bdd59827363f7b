"""The progress bar: a line for each stage, in a terminal as in a notebook."""

from __future__ import annotations

import io
import re

import pytest

from clickup_toolkit.schedule import ProgressBar


def lines_of(stream: io.StringIO) -> list[str]:
    """Return what the bar left on each line, without the time, which differs."""
    pictures = [
        line.split("\r")[-1].rstrip() for line in stream.getvalue().splitlines(keepends=False) if line
    ]
    return [re.sub(r"\d\d:\d\d", "m:s", picture) for picture in pictures]


def show(stream: io.StringIO, *, fail: bool = False, disable: bool | None = False) -> None:
    """Report an export's stages, in the end or in the middle of one."""
    with ProgressBar(file=stream, every=60, disable=disable) as progress:
        progress("tasks", 0, None)
        progress("tasks", 1200, None)
        progress("time in status", 100, 1200)
        if fail:
            raise ValueError("in the middle")
        progress("time in status", 600, 1200)
        progress("database", 0, None)


def test_every_stage_leaves_one_line() -> None:
    """However short a stage is, its last picture stays; what is over is whole."""
    stream = io.StringIO()
    show(stream)
    assert lines_of(stream) == [
        "tasks: 1200 tasks [m:s]",
        f"time in status: 100% |{'#' * 30}| 1200 of 1200 tasks [m:s]",
        "database [m:s]",
    ]


def test_a_stage_that_failed_stays_as_far_as_it_came() -> None:
    """An error leaves the bar where it was."""
    stream = io.StringIO()
    with pytest.raises(ValueError, match="in the middle"):
        show(stream, fail=True)
    assert lines_of(stream)[-1].endswith("100 of 1200 tasks [m:s]")


def test_nothing_is_shown_where_nobody_looks() -> None:
    """A stream that is no terminal gets no bar when that was asked for."""
    stream = io.StringIO()
    show(stream, disable=None)
    assert stream.getvalue() == ""
