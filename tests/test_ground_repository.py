"""What the repository holds: no foreign addresses, no lock with addresses, no secrets, a licence."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
ADDRESS = re.compile(
    r"\b(?:https?|wss?|ftp|git)://(?:[^\s/@\"']*@)?(?P<host>\[[0-9a-f:]+\]|(?:[\w.-]|\{[^}]*\})+)",
    re.IGNORECASE,
)
HOSTS = {
    "datasette.io": "a link at the foot of its pages",
    "www.figma.com": "what people put into a custom field, in the synthetic workspace",
    "127.0.0.1": "this machine",
    "localhost": "this machine",
    "[::1]": "this machine",
    "0.0.0.0": "this machine, all its addresses",
    "clickup_toolkit": "the upstream in nginx's configuration, which is no host",
    "keepachangelog.com": "the changelog's form",
    "semver.org": "the versions' form",
    "json-schema.org": "a name, never fetched",
    "www.w3.org": "a name, never fetched",
}
CLICKUP = re.compile(r"\.(clickup|clickup-attachments)\.com$")
RESERVED = re.compile(r"(^|\.)(example(\.(com|org|net))?|test|invalid|localhost)$|^\{[^}]*\}$")
TOKEN = re.compile(r"\bpk_\d{5,}_[0-9A-Z]{32}\b")


def texts() -> dict[str, str]:
    """Return every tracked text file of the working tree."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {}
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        data = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in data:
            found[name] = data.decode()
    return found


def test_only_known_hosts_are_named() -> None:
    """No address of an index, a download or a foreign script: only ClickUp's, this machine's and names."""
    foreign = {
        f"{name}: {match['host']}"
        for name, text in texts().items()
        for match in ADDRESS.finditer(text)
        if match["host"] not in HOSTS
        and not CLICKUP.search(match["host"])
        and not RESERVED.search(match["host"])
    }
    assert foreign == set()


def test_no_tool_is_told_where_to_fetch_from() -> None:
    """Where packages come from is the machine's business: no index option stands in any file."""
    options = re.compile(
        r"(?<![\w-])--?(extra-)?(index|find|default-index)(-url|-links)\b|\[\[tool\.uv\.index"
    )
    found = {
        name: options.findall(text)
        for name, text in texts().items()
        if name != "tests/test_ground_repository.py"
    }
    assert {name for name, hits in found.items() if hits} == set()


def test_no_lock_that_records_addresses() -> None:
    """Pins live in requirements.lock alone."""
    assert {
        name for name in texts() if name.rsplit("/")[-1] in {"uv.lock", "poetry.lock", "Pipfile.lock"}
    } == set()


def test_no_real_token_is_in_a_file() -> None:
    """Nothing that looks like a real ClickUp token is tracked; examples are visibly made up."""
    assert {name for name, text in texts().items() if TOKEN.search(text)} == set()


def test_the_licence_is_mit() -> None:
    """The whole MIT text, with the year and the holder."""
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith(
        "MIT License\n\nCopyright (c) 2026 the clickup_toolkit authors\n\nPermission is hereby granted"
    )
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in text


def test_what_is_made_by_running_is_ignored() -> None:
    """Data, secrets and caches never reach a commit by accident."""
    made = [".env", "data/clickup.db", ".venv/bin/python", "uv.lock", "dist/x.whl", "tests/__pycache__/x.pyc"]
    command = ["git", "check-ignore", *made]
    ignored = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    assert ignored == made
