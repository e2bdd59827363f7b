"""Nothing is skipped under CI=true."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SKIPPING = """
import pytest

def test_runs():
    pass

@pytest.mark.skip(reason="apt install nginx")
def test_is_skipped():
    pass
"""


def closing_line(folder: Path, ci: str) -> tuple[str, bool]:
    """Run the tests in ``folder``; return pytest's last line, and whether it told the reason."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.fixtures.ci",
        "-p",
        "no:cacheprovider",
        folder,
    ]
    environ = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    process = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    return process.stdout.splitlines()[-1].split(" in ")[0], "apt install nginx" in process.stdout


def test_a_skip_fails_in_ci_and_only_there(tmp_path: Path) -> None:
    """At home a missing program skips its tests; under CI=true the same test fails and says why."""
    (tmp_path / "test_one.py").write_text(SKIPPING)
    assert closing_line(tmp_path, "")[0] == "1 passed, 1 skipped"
    assert closing_line(tmp_path, "true") == ("1 passed, 1 error", True)


def test_a_skipped_module_fails_in_ci(tmp_path: Path) -> None:
    """A module that skips itself while it is collected counts as well."""
    (tmp_path / "test_one.py").write_text(
        "import pytest\npytest.skip('apt install nginx', allow_module_level=True)\n"
    )
    assert closing_line(tmp_path, "")[0] == "1 skipped"
    assert closing_line(tmp_path, "true") == ("1 error", True)
