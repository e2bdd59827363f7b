"""Papermill in a process of its own that ends in order; ``run_notebook`` starts it.

``python -m papermill`` is not enough: a SIGTERM ends it at once, its kernel exits without running a single
``finally``, and the export's lock stays behind until it expires. Here SIGTERM and SIGINT, and the end of the
process that started this one (the pipe on standard input closes), interrupt the kernel instead: the running
cell is cancelled, the export gives its lock back, and papermill saves the notebook as far as it came.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from queue import Empty
from typing import ClassVar

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.schedule.notebook import NO_SPACE, check_parameters
from clickup_toolkit.store.files import is_full

_AUTOSAVE_SECONDS = 5  # a reader of the notebook sees a run under way, late by so much
_AGAIN_SECONDS = 5.0  # a kernel between two cells ignores interrupts; the next cell does not


class _Kernel(AsyncKernelManager):
    """The kernel manager that papermill makes, remembered so that its kernel can be interrupted."""

    made: ClassVar[list[_Kernel]] = []

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.made.append(self)

    def interrupt(self) -> None:
        """Interrupt the running cell, as the stop button of a notebook does."""
        pid = getattr(self.provisioner, "pid", None)
        if pid:
            os.kill(pid, signal.SIGINT)
            self._wake()

    def _wake(self) -> None:
        """Send a message after the signal: a kernel asleep in ``await`` acts on it at its next event only."""
        client = BlockingKernelClient(connection_file=self.connection_file)
        client.load_connection_file()
        client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        try:
            client.kernel_info()
            client.get_shell_msg(timeout=_AGAIN_SECONDS)  # closing at once would drop the message
        except Empty:
            pass
        finally:
            client.stop_channels()


def main() -> int:
    """Run the notebook that one line of JSON on standard input describes; 0 when every cell went well."""
    order = json.loads(sys.stdin.buffer.readline())
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("papermill").addFilter(_is_output)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for follow in (_stop_without_parent, _interrupt_when_stopped):
        threading.Thread(target=follow, args=(stop,), daemon=True).start()
    try:
        check_parameters(Path(order["notebook"]), order["parameters"])
        execute_notebook(
            _literal(order["notebook"]),
            _literal(order["target"]),
            parameters=order["parameters"],
            progress_bar=False,
            log_output=True,
            autosave_cell_every=_AUTOSAVE_SECONDS,
            kernel_manager_class=_Kernel,
        )
    except PapermillExecutionError:
        return 1  # the executed notebook tells what happened
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        if not is_full(error):
            raise
        sys.stderr.write(f"{error}\n")
        return NO_SPACE
    except DeadKernelError:
        sys.stderr.write("its kernel died, as it does when memory runs out\n")
        return 1
    return 0


def _stop_without_parent(stop: threading.Event) -> None:
    while os.read(0, 1024):  # nothing more is ever written; the end of the pipe is the end of the parent
        pass
    stop.set()


def _interrupt_when_stopped(stop: threading.Event) -> None:
    stop.wait()
    pause = threading.Event()
    while True:
        for kernel in _Kernel.made:
            kernel.interrupt()
        pause.wait(_AGAIN_SECONDS if _Kernel.made else 0.1)


def _is_output(record: logging.LogRecord) -> bool:
    """Let only what the cells print pass, not papermill's own account of itself."""
    return record.funcName == "log_output_message"


def _literal(path: str) -> str:
    """Escape a path, in which papermill would fill in parameters."""
    return path.replace("{", "{{").replace("}", "}}")


if __name__ == "__main__":
    raise SystemExit(main())
