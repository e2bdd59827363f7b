"""``clickup-toolkit hash-password``: the hash that signs people in, and nothing of the password."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from datasette_auth_passwords.utils import verify_password

from clickup_toolkit.settings import Settings

COMMAND = [sys.executable, "-m", "clickup_toolkit.cli", "hash-password"]
PASSWORD = "correct horse, bättery $taple "


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_that_is_piped_in(end: str) -> None:
    """The line break at its end is no part of it; everything else is, and the settings take the hash."""
    done = subprocess.run(COMMAND, input=(PASSWORD + end).encode(), capture_output=True, check=True)
    printed = done.stdout.decode().strip()
    taken = Settings.read({"DATASETTE_PASSWORD_HASH": printed}).password_hash
    assert taken is not None
    assert verify_password(PASSWORD, taken.reveal())
    assert not verify_password(PASSWORD.strip(), taken.reveal())
    assert done.stderr == b""


def test_a_password_that_is_typed() -> None:
    """On a terminal it is asked for twice, and not shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(COMMAND, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        for question in (b"Password: ", b"Repeat for confirmation: "):
            while not seen.endswith(question):
                seen += os.read(ours, 1000)
            os.write(ours, b"correct horse\n")
        output, _ = process.communicate(timeout=60)
    os.close(ours)
    assert verify_password("correct horse", output.decode().strip())
    assert b"correct" not in seen


def test_a_short_password_is_refused() -> None:
    """What can be guessed within days is no password."""
    done = subprocess.run(COMMAND, input=b"1234567\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == "Error: The password has 7 characters.\nTake one of 8 or more.\n"
