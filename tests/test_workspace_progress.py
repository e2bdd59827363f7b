"""The progress bar that a workspace shows by itself: in a notebook a line that changes in place."""

from __future__ import annotations

import io
import re

from clickup_toolkit.progress import Line, Lines, ProgressBar, progress_bar


def test_in_a_notebook_each_stage_is_an_output_that_changes_in_place() -> None:
    """Every stage begins one output and leaves its last picture in it; nothing goes to standard error."""
    outputs: list[list[str]] = []

    def begin() -> Line:
        outputs.append([])
        return outputs[-1].append

    with ProgressBar(file=Lines(begin), every=0) as progress:
        progress("tasks", 0, 1200)
        for done in range(100, 1300, 100):
            progress("tasks", done, 1200)
        progress("database", 0, None)
    last = [re.sub(r"\d\d:\d\d", "m:s", pictures[-1]) for pictures in outputs]
    assert last == [f"tasks: 100% |{'█' * 30}| 1200 of 1200 tasks [m:s]", "database [m:s]"]
    assert all("\r" not in picture and "\n" not in picture for pictures in outputs for picture in pictures)


def test_outside_a_notebook_it_is_for_those_who_look() -> None:
    """Where standard error is no terminal and there is no kernel, nothing is shown."""
    stream = io.StringIO()
    with progress_bar() as progress:
        progress("tasks", 1, 2)
        assert isinstance(progress, ProgressBar)
    assert stream.getvalue() == ""
