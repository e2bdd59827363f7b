"""The docs: their generated parts are current, and what they name exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from clickup_toolkit.cli import main
from clickup_toolkit.records import TABLES
from clickup_toolkit.settings import SETTINGS
from clickup_toolkit.settings.declared import REQUIRED

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATED = [page for page in PAGES if "[[[cog" in page.read_text()]
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def name_of(page: Path) -> str:
    """Return the page's name in the repository."""
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Return the page without code blocks and comments."""
    return COMMENT.sub("", FENCE.sub("", page.read_text()))


def table_rows(page: Path, head: str) -> list[list[str]]:
    """Return the cells of the first table on the page whose head begins with ``head``."""
    lines = page.read_text().split(f"\n| {head} |", 1)[1].splitlines()[2:]
    rows = lines[: next(index for index, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the page's headings, as they are made where the page is shown."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_generated_parts_are_current() -> None:
    """What cog makes from the code is what stands in the docs; ``make docs`` writes it anew."""
    command = [Path(sys.executable).parent / "cog", "--check", "--diff", "-P", "-I", "docs", *GENERATED]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert {name_of(page) for page in GENERATED} >= {
        "README.md",
        "docs/architecture.md",
        "docs/command-line.md",
        "docs/settings.md",
        "docs/tables.md",
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Each link within the repository names a file that is there, and a heading that stands in it."""
    broken = []
    for match in LINK.finditer(prose(page)):
        path, _, anchor = match["target"].partition("#")
        if "://" in path:
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(match["target"])
    assert broken == []


def test_every_setting_is_documented() -> None:
    """settings.md lists each variable once, in the order of declaration; the README those that all need."""
    variables = [f"`{setting.variable}`" for setting in SETTINGS.values()]
    listed, first = (
        [row[0] for row in table_rows(ROOT / page, "variable | meaning | default")]
        for page in ("docs/settings.md", "README.md")
    )
    assert listed == variables
    assert first == [variable for variable in variables if variable in first]
    assert {f"`{SETTINGS[name].variable}`" for name in REQUIRED} < set(first)


def test_every_table_and_column_is_documented() -> None:
    """tables.md has a section for each table, and in it a row for each column with its description."""
    documented: dict[str, list[tuple[str, str]]] = {}
    for section in (ROOT / "docs/tables.md").read_text().split("\n## `")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+?) \| [^|]* ?\|$", section, re.MULTILINE)
        documented[section.split("`")[0]] = rows
    assert documented == {
        name: [(column.name, column.description.replace("<", "&lt;")) for column in table.columns]
        for name, table in TABLES.items()
    }


def test_the_layers_in_the_docs_are_those_of_the_contract() -> None:
    """architecture.md shows the layers as import-linter enforces them, the topmost first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = project["tool"]["importlinter"]["contracts"]
    layers = [set(layer.split(" | ")) for layer in contract["layers"]]
    shown: dict[int, set[str]] = {}
    for layer, module, job in table_rows(ROOT / "docs/architecture.md", "layer | module | its one job"):
        shown.setdefault(int(layer), set()).add(module.strip("`"))
        assert job
    assert shown == dict(enumerate(reversed(layers)))


def test_commands_in_the_docs_exist() -> None:
    """Every ``make`` target and every command that a page tells the reader to type is there."""
    text = "\n".join(page.read_text() for page in PAGES)
    targets = set(re.findall(r"^\.PHONY: (\w+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`|&& )make ([a-z_]+)\b", text, re.MULTILINE)) <= targets
    commands = set(re.findall(r"\bclickup-toolkit ([a-z][a-z-]+)\b(?! toolkit)", text))
    assert commands == set(main.list_commands(click.Context(main)))


def test_files_in_the_docs_exist() -> None:
    """A path in back ticks that looks like one of ours names a file or folder that is there."""
    folders = r"(?:benchmarks|clickup_toolkit|deploy|docs|notebooks|scheduled|tests|\.ci)/"
    named = {match for page in PAGES for match in re.findall(rf"`({folders}[\w./-]*)`", page.read_text())}
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_changelog_keeps_its_form() -> None:
    """A head, an entry for what is not released, newest first, and only the known kinds of change."""
    text = (ROOT / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n")
    entries = re.findall(r"^## \[([^]]+)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert entries[0] == ("Unreleased", "")
    assert [date for _, date in entries[1:]] == sorted((date for _, date in entries[1:]), reverse=True)
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
