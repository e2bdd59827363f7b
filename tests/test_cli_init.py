"""`init`: asks at a real terminal, tries against ClickUp, writes `.env` for one pair of eyes."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from datasette_auth_passwords.utils import verify_password
from dotenv import dotenv_values

from clickup_toolkit.cli.dotenv_file import write_settings
from clickup_toolkit.demo import DemoServer
from clickup_toolkit.demo.server import OAUTH_TOKEN
from clickup_toolkit.errors import StorageError
from clickup_toolkit.settings import SETTINGS, Settings
from tests.worlds import living_world

COMMAND = ["-m", "clickup_toolkit.cli", "init"]
PASSWORD = "open it for me"
BEFORE = "# mine\nexport CONCURRENCY=4 # four\nAPI_AUTH_TOKEN=\nCLICKUP_TEAM_ID='1'\nOTHER=\"a\nb\"\nLAST=x"


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """Give a small workspace behind a server."""
    with DemoServer(living_world(tasks=60, time_entries=20), rate_limit=1_000_000) as started:
        yield started


def clean(server: DemoServer, **environ: str) -> dict[str, str]:
    """Return an environment without settings, but for the server's address and these."""
    ours = {setting.variable for setting in SETTINGS.values()}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "CLICKUP_API_URL": server.url, "INITIAL_BACKOFF": "0.01", "MAX_RETRIES": "1", **environ}


def at_terminal(server: DemoServer, folder: Path, *words: str, **environ: str) -> pexpect.spawn[str]:
    """Start `init` at a terminal of its own."""
    return pexpect.spawn(
        sys.executable,
        [*COMMAND, *words],
        cwd=str(folder),
        env=clean(server, **environ),  # type: ignore[arg-type]
        encoding="utf-8",
        timeout=30,
        dimensions=(50, 200),
    )


def answer(terminal: pexpect.spawn[str], question: str, word: str) -> None:
    """Wait for the question, and type the word."""
    terminal.expect(question)
    terminal.sendline(word)


def give(
    server: DemoServer, folder: Path, *words: str, said: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Give the command without a terminal."""
    return subprocess.run(
        [sys.executable, *COMMAND, *words],
        cwd=folder,
        env=clean(server, **environ),
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_at_a_terminal_everything_is_asked_and_tried(server: DemoServer, tmp_path: Path) -> None:
    """A wrong token is asked for again; neither token nor password is shown; the file is private."""
    (tmp_path / ".env").write_text(BEFORE)
    (tmp_path / ".env").chmod(0o644)
    terminal = at_terminal(server, tmp_path)
    answer(terminal, "ClickUp API token: ", "pk_1_WRONG")
    terminal.expect("ClickUp refuses the token")
    answer(terminal, "ClickUp API token: ", OAUTH_TOKEN)
    terminal.expect(r"ClickUp knows you as .*\(\d+\)\.")
    shown = terminal.before + terminal.after
    answer(terminal, "Which one: ", "9")
    answer(terminal, "Which one: ", "1")
    answer(terminal, "Password for the pages, user admin .*: ", "open it")
    terminal.expect("Take one of 8 characters or more")
    answer(terminal, "Password for the pages, user admin .*: ", PASSWORD)
    answer(terminal, "Once more: ", "opn it for me")
    terminal.expect("Those were two different ones")
    answer(terminal, "Password for the pages, user admin .*: ", PASSWORD)
    answer(terminal, "Once more: ", PASSWORD)
    terminal.expect(pexpect.EOF)
    shown += terminal.before
    terminal.close()
    assert terminal.exitstatus == 0
    assert not re.search(f"{OAUTH_TOKEN}|open it|WRONG", shown)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
    now = dotenv_values(tmp_path / ".env")
    bearer, hashed = now.pop("API_AUTH_TOKEN"), now.pop("DATASETTE_PASSWORD_HASH")
    assert now == {
        "CONCURRENCY": "4",
        "CLICKUP_TEAM_ID": server.team_id,
        "OTHER": "a\nb",
        "LAST": "x",
        "CLICKUP_TOKEN": OAUTH_TOKEN,
    }
    assert bearer
    assert len(bearer) == 43
    assert verify_password(PASSWORD, hashed)
    assert (tmp_path / ".env").read_text().startswith("# mine\nexport CONCURRENCY=4 # four\n")


def test_what_is_set_is_kept(server: DemoServer, tmp_path: Path) -> None:
    """Empty answers keep token, workspace, bearer token and password of the file: it does not change."""
    first = give(server, tmp_path, "--yes", CLICKUP_TOKEN=server.token, FLOWER_PASSWORD="open it")
    assert (first.returncode, first.stdout.splitlines()[4]) == (
        0,
        "FLOWER_PASSWORD is not needed any more: take it out, since it stands there in clear.",
    )
    before = (tmp_path / ".env").read_text()
    terminal = at_terminal(server, tmp_path)
    answer(terminal, r"ClickUp API token \(empty: keep the one that is set\): ", "")
    terminal.expect("The token reaches one workspace: ")
    answer(terminal, r"user admin \(empty: keep the one that is set\): ", "")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert (tmp_path / ".env").read_text() == before


def test_without_a_terminal_nothing_is_asked(server: DemoServer, tmp_path: Path) -> None:
    """The token comes from standard input or the environment; the settings can be read at once."""
    process = give(server, tmp_path, "--yes", "--token-stdin", said=f"{server.token}\n")
    assert (process.returncode, process.stderr) == (0, "")
    assert server.token not in process.stdout
    settings = Settings.read({}, dotenv=tmp_path / ".env")
    written = {name: value or "" for name, value in dotenv_values(tmp_path / ".env").items()}
    settings = Settings.read(written, need=("token", "team_id", "api_auth_token"))
    assert settings.token
    assert (settings.token.reveal(), settings.team_id) == (server.token, server.team_id)
    assert settings.password_hash is None


def test_what_no_answer_heals_is_told_at_once(server: DemoServer, tmp_path: Path) -> None:
    """A wrong setting of the file and a ClickUp out of reach are no fault of the token: nothing is asked."""
    (tmp_path / ".env").write_text("CONCURRENCY=many\nPORT=none\n")
    process = give(server, tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.splitlines() == [
        "Error: CONCURRENCY must be a whole number (it is 'many').",
        "PORT must be a whole number (it is 'none').",
    ]
    (tmp_path / ".env").unlink()
    terminal = at_terminal(server, tmp_path, CLICKUP_API_URL="http://127.0.0.1:9/api/v2")
    answer(terminal, "ClickUp API token: ", server.token)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 1
    first, *others = terminal.before.split("\r\n")[1:-1]
    assert first.startswith("Error: ClickUp cannot be reached at http://127.0.0.1:9/api/v2: ")
    assert others == ["Check the network, a proxy, and CLICKUP_API_URL."]
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_was_named_is_the_one_or_none(server: DemoServer, tmp_path: Path) -> None:
    """`--team-id` at a terminal: no other is taken instead, and one that is reached is not asked about."""
    terminal = at_terminal(server, tmp_path, "--team-id", "404")
    answer(terminal, "ClickUp API token: ", server.token)
    terminal.expect("Error: The token does not reach the workspace 404.")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2
    assert list(tmp_path.iterdir()) == []
    terminal = at_terminal(server, tmp_path, "--team-id", server.team_id)
    answer(terminal, "ClickUp API token: ", OAUTH_TOKEN)
    answer(terminal, "Password for the pages, user admin .*: ", "")
    shown = terminal.before
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert (terminal.exitstatus, "Which one" in shown) == (0, False)
    assert dotenv_values(tmp_path / ".env")["CLICKUP_TEAM_ID"] == server.team_id


def test_ctrl_c_at_a_question_writes_nothing(server: DemoServer, tmp_path: Path) -> None:
    """It ends as every interrupted command does."""
    terminal = at_terminal(server, tmp_path)
    terminal.expect("ClickUp API token: ")
    terminal.sendintr()
    terminal.expect("Stopped.")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "environ", "message"),
    [
        ([], {}, "There is no token."),
        ([], {"CLICKUP_TOKEN": "pk_1_WRONG"}, "ClickUp refuses the token: "),
        ([], {"CLICKUP_TOKEN": OAUTH_TOKEN}, "The token reaches several workspaces."),
        (["--team-id", "404"], {"CLICKUP_TOKEN": OAUTH_TOKEN}, "The token does not reach the workspace 404."),
    ],
)
def test_what_cannot_work_is_not_written(
    server: DemoServer, tmp_path: Path, words: list[str], environ: dict[str, str], message: str
) -> None:
    """With `--yes` a missing or wrong setting is an error with its remedy, and no file."""
    process = give(server, tmp_path, "--yes", *words, **environ)
    assert process.returncode in (1, 2)
    assert process.stderr.startswith(f"Error: {message}")
    assert "pk_1_WRONG" not in process.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Values come back as they were, a link stays one, and nothing is left where nothing can be written."""
    real, link = tmp_path / "real", tmp_path / ".env"
    real.write_text("A=1\n A = 2\nB=old")
    link.symlink_to(real)
    values = {"A": "it's $HOME \\ #x", "C": "pbkdf2_sha256$480000$ab$cd+/="}
    write_settings(link, values)
    assert dotenv_values(link) == {"A": values["A"], "B": "old", "C": values["C"]}
    assert link.is_symlink()
    with pytest.raises(StorageError, match="cannot be written: No such file or directory"):
        write_settings(tmp_path / "nowhere" / ".env", values)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "real"]
