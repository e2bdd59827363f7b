"""The checks of ``make lint``, as tests, so that ``make test`` proves them too."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "format", "--check", "."], id="format"),
        pytest.param(["ruff", "check", "."], id="ruff"),
        pytest.param(["mypy"], id="mypy"),
        pytest.param(["lint-imports", "--no-cache"], id="layers"),
    ],
)
def test_the_code_passes(command: list[str]) -> None:
    """Format, lint, strict types and the order of layers have nothing to object to."""
    process = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_checks_are_strict() -> None:
    """mypy is strict, the layers are exhaustive, and a warning is an error."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert tool["mypy"]["strict"] is True
    assert [contract["exhaustive"] for contract in tool["importlinter"]["contracts"]] == [True]
    assert tool["pytest"]["ini_options"]["filterwarnings"][0] == "error"


def test_a_module_stays_readable() -> None:
    """A module has about 300 lines at most; the tables' declarations alone are longer."""
    long = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "clickup_toolkit").rglob("*.py")
        if len(path.read_text().splitlines()) > 320
    }
    assert long <= {"clickup_toolkit/records.py"}
