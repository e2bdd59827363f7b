"""What is installed: the pins, the distribution, the built wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = "clickup-workspace-toolkit"
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; .+)?")
PYTHONS = [
    {"python_version": version, "python_full_version": f"{version}.9", "sys_platform": system}
    for version in ("3.11", "3.12", "3.13", "3.14")
    for system in ("linux", "darwin")
]


def pins(environment: dict[str, str] | None = None) -> dict[str, str]:
    """Return the pinned version of each package in ``environment`` (default: this Python)."""
    found = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            found[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return found


def wanted() -> list[tuple[Requirement, Marker | None]]:
    """Return what pyproject.toml asks for with all its extras, and to build."""
    project = PROJECT["project"]
    extras = [
        line for name, lines in project["optional-dependencies"].items() if name != "all" for line in lines
    ]
    lines = [*PROJECT["build-system"]["requires"], *project["dependencies"], *extras]
    return [(requirement, requirement.marker) for requirement in map(Requirement, lines)]


def test_the_lock_holds_exact_pins_and_nothing_else() -> None:
    """A line is a name, one version and perhaps a marker: no address, no option, no range."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])


@pytest.mark.parametrize("environment", PYTHONS, ids=lambda e: f"{e['python_version']}-{e['sys_platform']}")
def test_the_lock_satisfies_the_project(environment: dict[str, str]) -> None:
    """On every supported Python each requirement, extras and build included, has a pin that fits."""
    pinned = pins(environment)
    unmet = [
        str(requirement)
        for requirement, marker in wanted()
        if marker is None or marker.evaluate(environment)
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0.dev0"))
    ]
    assert unmet == []


def test_what_is_installed_is_what_is_pinned() -> None:
    """The tests run with exactly the locked versions, and those agree with each other."""
    installed = {name: metadata.version(name) for name in pins()}
    assert installed == pins()
    uv = Path(sys.executable).parent / "uv"
    check = subprocess.run(
        [uv, "pip", "check", "--python", sys.executable], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr


def test_the_distribution_has_a_name_of_its_own() -> None:
    """``clickup-toolkit`` belongs to an unrelated package; the command and the import keep that name."""
    assert PROJECT["project"]["name"] == NAME
    assert PROJECT["project"]["scripts"] == {"clickup-toolkit": "clickup_toolkit.cli:main"}


def test_all_means_every_extra() -> None:
    """The extra ``all`` brings every other one."""
    extras = PROJECT["project"]["optional-dependencies"]
    assert extras["all"] == [f"{NAME}[{','.join(name for name in extras if name != 'all')}]"]


def test_conda_and_pip_agree() -> None:
    """environment.yml takes name and Python from the project, and everything else from its extra ``all``."""
    text = (ROOT / "environment.yml").read_text()
    project = PROJECT["project"]
    assert yaml.safe_load(text) == {
        "name": project["name"],
        "channels": ["conda-forge"],
        "dependencies": [f"python{project['requires-python']}", "pip", {"pip": ["-e .[all]"]}],
    }
    assert len(text.splitlines()) == 10


def test_the_version_is_told_once() -> None:
    """The package, the project and the changelog's newest entry name the same version."""
    from clickup_toolkit import __version__

    entries = re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert [PROJECT["project"]["version"], *entries[:1]] == [__version__] * (1 + len(entries[:1]))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and from it the wheel, with the pinned build backend."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    (built,) = folder.glob("*.whl")
    return built


def sources(*folders: str) -> set[str]:
    """Return the repository's files in these folders, those not yet committed too, those ignored not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listing.split("\0") if name and (ROOT / name).exists()}


def test_the_wheel_carries_everything(wheel: Path) -> None:
    """Code, types marker, templates, static files and notebooks all travel; tests do not."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = sources("clickup_toolkit")
    notebooks = {f"clickup_toolkit/_notebooks/{name}" for name in sources("notebooks", "scheduled")}
    assert names == package | notebooks
    assert "clickup_toolkit/py.typed" in names
    assert {"clickup_toolkit/_notebooks/scheduled/export.ipynb"} <= names


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """Its metadata names the distribution, the licence, the Python and the README."""
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    about = Parser().parsestr(archive.read(name).decode())
    told = {key: about[key] for key in ("Name", "License-Expression", "License-File", "Requires-Python")}
    assert told == {
        "Name": NAME,
        "License-Expression": "MIT",
        "License-File": "LICENSE",
        "Requires-Python": ">=3.11",
    }
    assert about.get_payload() == (ROOT / "README.md").read_text()


def test_the_wheel_works_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere the package is imported from there, and finds its notebook beside itself."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import clickup_toolkit.cli as cli; print(cli.__file__); cli.main(['--help'])"
    environ = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith(str(tmp_path / "site/clickup_toolkit/cli"))
    assert "demo" in process.stdout
