"""The Makefile: what it lists, when it sets up, what it removes, and .ci/run beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from clickup_toolkit.publish.embedded import ensure

ROOT = Path(__file__).parent.parent
TARGETS = {
    "demo",
    "test",
    "check",
    "bench",
    "lab",
    "start",
    "fresh_start",
    "down",
    "shell",
    "lint",
    "purge",
    "docs",
    "lock",
}


def make(
    *arguments: str, cwd: Path = ROOT, answer: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run make as from a terminal of its own, not as a part of the make that may run the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env=inherited | environ,
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the Makefile and what its set-up depends on, and nothing else."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_make_alone_lists_the_targets() -> None:
    """Without a target nothing is done but telling, with a line of help each, what there is."""
    process = make()
    lines = re.findall(r"^  (\w+) +(\w.+)$", process.stdout, re.MULTILINE)
    assert process.returncode == 0
    assert {name for name, _ in lines} == TARGETS | {"help"}
    assert set(re.findall(r"^\.PHONY: (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)) == TARGETS | {
        "help"
    }


@pytest.mark.parametrize("target", sorted(TARGETS - {"fresh_start", "purge", "down"}))
def test_a_target_sets_up_first(project: Path, target: str) -> None:
    """On a fresh machine every target begins by making .venv from the pinned packages."""
    plan = make("--dry-run", target, cwd=project).stdout
    assert "-m venv" in plan
    assert "install --quiet --compile-bytecode --python .venv/bin/python -r requirements.lock" in plan


def test_the_set_up_is_done_once(project: Path) -> None:
    """With the stamp in place a target starts at once; a changed lock or project brings the set-up back."""
    stamp = project / ".venv/.ready"
    stamp.parent.mkdir()
    stamp.touch()
    assert "requirements.lock" not in make("--dry-run", "test", cwd=project).stdout
    for name in ("requirements.lock", "pyproject.toml"):
        newer = stamp.stat().st_mtime + 5
        os.utime(project / name, (newer, newer))
        assert "-r requirements.lock" in make("--dry-run", "test", cwd=project).stdout
        os.utime(stamp, (newer, newer))


def test_once_is_passed_on(project: Path) -> None:
    """``make demo ONCE=1`` ends by itself; without it the demo goes on serving."""
    assert "clickup-toolkit demo --once" in make("--dry-run", "demo", "ONCE=1", cwd=project).stdout
    assert "demo --once" not in make("--dry-run", "demo", cwd=project).stdout


def test_an_old_python_is_refused(project: Path) -> None:
    """A Python before 3.11 is named with what to do, and nothing is left behind."""
    old = project / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    process = make("test", "PYTHON=./python-old", cwd=project)
    assert process.returncode != 0
    assert "./python-old is older than 3.11. Name a newer one: make PYTHON=python3.12 …" in process.stdout
    assert not (project / ".venv").exists()


def test_purge_asks_first(project: Path) -> None:
    """Anything but yes leaves everything as it is, also what runs, and says what would have gone."""
    (project / "data").mkdir()
    ended = project / "ended"
    python = project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ncase "$2" in *end_running*) touch "{ended}";; *) echo "{project}/data";; esac\n'
    )
    python.chmod(0o755)
    for answer in ("", "y\n", "no\n"):
        process = make("purge", cwd=project, answer=answer)
        assert process.returncode != 0
        assert (
            f"This removes, for good: {project}/data, {project}/data/demo and {project}/.venv"
            in process.stdout
        )
        assert "Nothing was removed." in process.stdout
    assert (project / "data").is_dir()
    assert not ended.exists()
    assert make("purge", cwd=project, answer="yes\n").returncode == 0
    assert ended.exists()


@pytest.mark.parametrize(("arguments", "answer"), [(("YES=1",), ""), ((), "yes\n")])
def test_purge_removes_data_and_packages(project: Path, arguments: tuple[str, ...], answer: str) -> None:
    """After a yes the data folder, wherever it is, and .venv are gone, and nothing else."""
    data = project.parent / "kept elsewhere"
    for folder in (data / "parquet", project / ".venv/lib"):
        folder.mkdir(parents=True)
    process = make("purge", *arguments, cwd=project, answer=answer, CLICKUP_DATA_DIR=str(data))
    assert (process.returncode, process.stdout.splitlines()[-1]) == (0, "Removed.")
    assert not data.exists()
    assert sorted(path.name for path in project.iterdir()) == [
        "Makefile",
        "pyproject.toml",
        "requirements.lock",
    ]


def test_purge_never_takes_a_home_or_the_repository(project: Path) -> None:
    """A data folder that holds the home folder or the repository is refused before anything is asked."""
    for folder in ("/", str(project.parent), str(project), ".", str(Path.home())):
        process = make("purge", cwd=project, CLICKUP_DATA_DIR=folder)
        assert process.returncode != 0
        assert "that holds more than data. Remove it by hand." in process.stdout
        assert "removes" not in process.stdout
    assert (project / "Makefile").exists()


def test_down_stops_what_the_demo_left(tmp_path: Path) -> None:
    """The embedded servers of the data folder and of the demo end, and what they held stays."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    folders = [tmp_path / "mine", tmp_path / "data/demo"]
    for folder in folders:
        ensure(folder)
    environ = {"CLICKUP_DATA_DIR": "mine", "PYTHONPATH": str(ROOT), "REDIS_URL": ""}
    told = [make("down", cwd=tmp_path, **environ).stdout.strip() for _ in range(2)]
    assert told == ["The embedded server has stopped.", "Nothing runs in the background."]
    assert [(folder / "redis/appendonlydir").is_dir() for folder in folders] == [True, True]


def test_the_pinned_uv_made_this_environment() -> None:
    """The Makefile pins one exact uv, and it is the one that runs here."""
    pinned = re.findall(r"^UV_VERSION := (\d+\.\d+\.\d+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = subprocess.run([ROOT / ".venv/bin/uv", "--version"], capture_output=True, text=True, check=True)
    assert pinned == told.stdout.split()[1:2]


def test_ci_is_strict_and_runs_the_tests_last() -> None:
    """The script stops at the first failure, and ends in what pytest says, with skips forbidden."""
    script = ROOT / ".ci/run"
    lines = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert lines[-1] == "CI=true make test"
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
