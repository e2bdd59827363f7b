"""One run of a notebook: papermill in its own process, the executed notebook kept, its outcome carried out.

The order of a run goes through a pipe and the settings through the environment, so that no secret reaches a
command line or the executed notebook. What the export reports travels inside the executed notebook:
:func:`note_report` puts it there, :func:`read_report` takes it out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import clickup_toolkit
from clickup_toolkit import errors
from clickup_toolkit.errors import NotebookFailed, SettingsError, StorageError
from clickup_toolkit.schedule.executed import Cell, drop_unreadable, make_target, read_cells
from clickup_toolkit.schedule.outcome import recorded
from clickup_toolkit.schedule.processes import kill_family
from clickup_toolkit.settings import Settings
from clickup_toolkit.settings.passing import environment
from clickup_toolkit.store.files import no_space

__all__ = ["EXPORT", "NO_SPACE", "check_parameters", "environment", "find_notebook", "run_notebook"]

EXPORT = "scheduled/export.ipynb"
_GRACE_SECONDS = 30.0  # what a stopped run may take to give back its lock and save the notebook
_LOOK_SECONDS = 0.2
_STOPPED = "The run was stopped before its end."
NO_SPACE = 3  # how the runner ends when the disk is full; 2 is for settings, 1 for all else

Parameter: TypeAlias = bool | int | float | str | None


def find_notebook(name: str = EXPORT) -> Path:
    """Return where a notebook of the toolkit lies: inside the installed package, or in the checkout."""
    package = Path(clickup_toolkit.__file__).parent
    for place in (package / "_notebooks" / name, package.parent / name):
        if place.is_file():
            return place
    raise StorageError(
        f"The notebook {name} is missing.", "Install the toolkit again, or check it out again."
    )


def check_parameters(notebook: Path, parameters: Mapping[str, Parameter]) -> None:
    """Refuse parameters that the notebook's parameters cell does not name; papermill would only warn.

    Raises :class:`SettingsError` that names the unknown and the known ones.
    """
    from papermill import inspect_notebook

    known = inspect_notebook(str(notebook).replace("{", "{{").replace("}", "}}"))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise SettingsError(
            f"{notebook.name} has no parameter {' or '.join(unknown)}.",
            f"Its parameters are: {', '.join(known) or 'none'}.",
        )


def run_notebook(
    settings: Settings,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    timeout: float | None = None,
    notebook: Path | None = None,
    stop: threading.Event | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Path:
    """Execute ``scheduled/export.ipynb`` (or ``notebook``) and return where the executed notebook lies.

    ``timeout`` limits the whole run, in seconds; setting ``stop`` from another thread ends it in order;
    ``on_line`` is told, on a thread of its own, what the cells print. Raises :class:`SettingsError` for a
    misspelled parameter, :class:`StorageError` where the executed notebook finds no room, and
    :class:`NotebookFailed` for a failing cell, with its cause, and with the exit code of the
    :class:`~clickup_toolkit.errors.ToolkitError` that was the cause.
    """
    target = make_target(settings.data_dir / "runs", settings.keep_runs)
    with recorded(target):
        _execute(notebook or find_notebook(), target, parameters or {}, settings, timeout, stop, on_line)
    return target


def _execute(
    notebook: Path,
    target: Path,
    parameters: Mapping[str, Parameter],
    settings: Settings,
    timeout: float | None,
    stop: threading.Event | None,
    on_line: Callable[[str], None] | None,
) -> None:
    with _scratch() as scratch:
        _run(_start(notebook, target, parameters, settings, scratch), target, timeout, stop, on_line)


@contextmanager
def _scratch() -> Iterator[dict[str, str]]:
    """Give the variable that names a run's own folder for temporary files, which goes with it.

    A papermill that is killed leaves its kernel's connection file behind.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="clickup-run-", ignore_cleanup_errors=True)
    except OSError:
        yield {}  # no room: the run itself says so
        return
    with folder as path:
        yield {"TMPDIR": path}


def _run(
    process: subprocess.Popen[str],
    target: Path,
    timeout: float | None,
    stop: threading.Event | None,
    on_line: Callable[[str], None] | None,
) -> None:
    told: deque[str] = deque(maxlen=20)
    reader = threading.Thread(target=_follow, args=(process, told, on_line), daemon=True)
    reader.start()
    try:
        cut_short = _wait(process, timeout, stop)
    finally:
        code = _end(process)
        reader.join(timeout=_GRACE_SECONDS)
        _close_pipes(process)
    if cut_short:
        failed = NotebookFailed(cut_short, f"The next run goes on from its journal. It stands in {target}.")
        failed.stopped = cut_short == _STOPPED
        raise failed
    if code:
        raise _failure(target, code, told)


def _start(
    notebook: Path,
    target: Path,
    parameters: Mapping[str, Parameter],
    settings: Settings,
    more: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "clickup_toolkit.schedule.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**environment(settings), **more, "NO_COLOR": "1"},  # log lines that a notebook keeps
        start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the run in order
    )
    order = {"notebook": str(notebook), "target": str(target), "parameters": dict(parameters)}
    assert process.stdin
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()  # and stays open: the runner takes its closing for our end
    return process


def _follow(process: subprocess.Popen[str], told: deque[str], on_line: Callable[[str], None] | None) -> None:
    assert process.stderr
    for line in process.stderr:
        text = line.strip("\n")
        if not text.strip() or text.startswith("[IPKernelApp]"):
            continue  # the kernel's remark on its transport, the same every time
        told.append(text)
        if on_line:
            on_line(text)


def _wait(process: subprocess.Popen[str], timeout: float | None, stop: threading.Event | None) -> str:
    """Wait for the end of the process, and return why it must be cut short, or "" when it ended by itself."""
    stop = stop or threading.Event()
    deadline = time.monotonic() + timeout if timeout else None
    while process.poll() is None:
        if stop.wait(_LOOK_SECONDS):
            return _STOPPED
        if deadline and time.monotonic() > deadline:
            return f"The run took longer than {_length(timeout)} and was ended."
    return ""


def _length(seconds: float | None) -> str:
    hours = (seconds or 0) / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{seconds:g} seconds"


def _end(process: subprocess.Popen[str]) -> int:
    """End the run in order, by TERM; after the grace kill it, and its kernel with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            kill_family(process.pid)
    return process.wait()


def _close_pipes(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stderr):
        if pipe:
            pipe.close()


def _failure(target: Path, code: int, told: deque[str]) -> errors.ToolkitError:
    last = told[-1] if told else f"exit code {code}"
    if code == SettingsError.exit_code:
        return SettingsError(last)
    if code == NO_SPACE:
        drop_unreadable(target)
        return no_space(target, last)
    number, error = _failing_cell(target)
    remedy = f"The executed notebook shows where: {target}"
    if not error:
        return NotebookFailed(f"The notebook did not come to its end: {last}.", remedy)
    name, text = error["ename"], error["evalue"]
    cause = getattr(errors, name, None) if name in errors.__all__ else None
    if cause is None:
        return NotebookFailed(f"The notebook stopped at cell {number}: {name}: {text}", remedy)
    failed = NotebookFailed(text, remedy)
    failed.exit_code, failed.cause = cause.exit_code, cause
    return failed


def _failing_cell(executed: Path) -> tuple[int, Cell | None]:
    for cell in read_cells(executed):
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                return cell["execution_count"], output
    return 0, None
