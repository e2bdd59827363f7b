"""docs/crawl.md: the proofs that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = sorted(set(re.findall(r"`(tests/\w+\.py)::(\w+)`", (ROOT / "docs/crawl.md").read_text())))


def test_every_promise_names_its_proof() -> None:
    """Every row of the table of promises names one test."""
    page = (ROOT / "docs/crawl.md").read_text()
    rows = page.split("| promise | test |\n| --- | --- |\n")[1].split("\n\n")[0].splitlines()
    assert len(rows) == len(NAMED)
    assert all(re.fullmatch(r"\| .+ \| `tests/\w+\.py::test_\w+` \|", row) for row in rows)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_proof_exists(file: str, name: str) -> None:
    """A test that the page names is defined in the file that it names."""
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
