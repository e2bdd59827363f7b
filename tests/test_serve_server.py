"""The server as a process: it says where it is, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from clickup_toolkit import serve
from clickup_toolkit.errors import SettingsError
from tests.serving import TOKEN, settings_for

PROGRAM = """
from clickup_toolkit import serve
from clickup_toolkit.settings import Settings

serve.run(Settings.read(), ready=lambda address: print(address, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    """After SIGTERM or SIGINT the server returns, and the process ends as a success without a traceback."""
    environment = {
        **os.environ,
        "CLICKUP_TEAM_ID": "9001",
        "API_AUTH_TOKEN": TOKEN,
        "CLICKUP_DATA_DIR": str(tmp_path),
        "PORT": "0",
        "PYTHONWARNINGS": "error",
    }
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = next(line.strip() for line in process.stdout if line.startswith("http"))
        status = httpx.get(address).status_code
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert (status, process.returncode, output, errors) == (200, 0, "ended\n", "")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """A port that another program holds is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            serve.run(settings_for(tmp_path, port=port))
    assert str(caught.value) == (
        f"HOST 127.0.0.1 and PORT {port} cannot be served: Address already in use. "
        "Set PORT to a free port, or end the program that holds it."
    )
