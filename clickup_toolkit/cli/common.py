"""What several commands share: the settings they read, the folder option, and when to stop."""

from __future__ import annotations

import dataclasses
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import click

from clickup_toolkit.settings import Settings, old_variables

__all__ = ["data_dir_option", "end_like_ctrl_c", "read_settings", "start_logging", "stop_on_signals"]

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Command = TypeVar("Command", bound=Callable[..., None])


def data_dir_option(command: Command) -> Command:
    """Give a command the option ``--data-dir``."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder for everything written locally.  [default: CLICKUP_DATA_DIR, or data]",
    )(command)


def read_settings(*need: str, data_dir: Path | None = None) -> Settings:
    """Read the settings, of which ``need`` must be there; ``data_dir`` comes from the option."""
    settings = Settings.read(need=need)
    for note in old_variables():
        click.echo(f"Warning: {note}", err=True)
    if data_dir is None:
        return settings
    return dataclasses.replace(settings, data_dir=data_dir.expanduser().absolute())


def start_logging(settings: Settings, default: str) -> None:
    """Write log lines from now on as the options say; ``default`` is the level where they say nothing."""
    from clickup_toolkit.cli import logs

    level, as_json = click.get_current_context().find_root().obj or (None, None)
    logs.configure(level or default, as_json)
    logs.hide(settings)


def end_like_ctrl_c() -> None:
    """Let SIGTERM do what Ctrl-C does, also in the background of a script, where Ctrl-C itself is ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Give an event that the first SIGINT, SIGTERM or SIGHUP sets; a second SIGINT interrupts as usual.

    SIGHUP, which a closing terminal sends, is left alone where it was ignored from the start, as by nohup.
    """
    stop = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    heeded = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in heeded}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
