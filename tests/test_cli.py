"""The command line: its help, wrong usage, settings, errors and log lines."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from clickup_toolkit import __version__
from clickup_toolkit.cli import COMMANDS, logs, main
from clickup_toolkit.cli.failures import reported
from clickup_toolkit.errors import ExportRunning, RedisUnreachable, SettingsError, ToolkitError
from clickup_toolkit.settings import SETTINGS, Secret, Settings

TOKEN_MISSING = (
    "CLICKUP_TOKEN is not set: API token: personal (`pk_…`, sent bare) or OAuth (sent as Bearer). "
    "Make one in ClickUp: your avatar, Settings, Apps, API Token, Generate. It starts with pk_."
)
TEAM_MISSING = (
    "CLICKUP_TEAM_ID is not set: workspace id. "
    "It is the first number in your ClickUp addresses: app.clickup.com/<workspace id>/…"
)
API_TOKEN_MISSING = (
    "API_AUTH_TOKEN is not set: bearer token for the JSON export. "
    'Invent one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
)
HEAVY = {
    "apscheduler",
    "datasette",
    "httpx",
    "pandas",
    "papermill",
    "plotly",
    "pyarrow",
    "redis",
    "structlog",
    "tqdm",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that gives a command line in an empty folder, with these settings alone."""
    monkeypatch.chdir(tmp_path)
    nothing = {setting.variable: None for setting in SETTINGS.values()}

    def give(*words: str, **environ: str) -> Result:
        return CliRunner(env={**nothing, **environ}).invoke(main, words, prog_name="clickup-toolkit")

    return give


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_the_commands(run: Callable[..., Result], option: str) -> None:
    """Help names every command in the order of importance, with a line about each."""
    result = run(option)
    lines = result.stdout.partition("Commands:\n")[2].splitlines()
    assert result.exit_code == 0
    assert [tuple(line.split(maxsplit=1)) for line in lines] == list(COMMANDS.items())
    assert list(COMMANDS) == [
        "init",
        "export",
        "up",
        "serve",
        "schedule",
        "report",
        "demo",
        "versions",
        "backup",
        "restore",
        "doctor",
        "hash-password",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Callable[..., Result], command: str) -> None:
    """Help of a command needs no settings, and comes with exit code 0."""
    result = run(command, "-h")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: clickup-toolkit {command} [OPTIONS]")


def test_the_version_is_told(run: Callable[..., Result]) -> None:
    """`--version` prints the name of the command and its version."""
    result = run("--version")
    assert (result.exit_code, result.output) == (0, f"clickup-toolkit {__version__}\n")


def test_help_imports_nothing_heavy() -> None:
    """Help answers at once, because no library that takes long is imported for it."""
    script = (
        "import sys; from clickup_toolkit.cli import main\n"
        "main(['--help'], standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY & set(process.stderr.split()) == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command 'nonsense'."),
        (["export", "--nonsense"], "No such option '--nonsense'."),
        (["export", "nonsense"], "Got unexpected extra argument (nonsense)"),
        (["serve", "--port", "65536"], "Invalid value for '--port': 65536 is not in the range 0<=x<=65535."),
        (["schedule", "--full"], "--full goes with --once."),
        (["demo", "--tasks", "59"], "Invalid value for '--tasks': 59 is not in the range x>=60."),
    ],
)
def test_wrong_usage_exits_with_2(run: Callable[..., Result], words: list[str], said: str) -> None:
    """Wrong usage is said in one sentence behind the usage, before any setting is looked at."""
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: {said}"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["export"], [TOKEN_MISSING, TEAM_MISSING]),
        (["schedule"], [TOKEN_MISSING, TEAM_MISSING]),
        (["schedule", "--once"], [TOKEN_MISSING, TEAM_MISSING]),
        (["serve"], [TEAM_MISSING, API_TOKEN_MISSING]),
        (["versions"], [TEAM_MISSING]),
        (["doctor"], [TOKEN_MISSING, TEAM_MISSING, API_TOKEN_MISSING]),
        (
            ["up"],
            [
                TOKEN_MISSING,
                TEAM_MISSING,
                API_TOKEN_MISSING,
                "Put them into the environment or into a file named .env here. "
                "To see the toolkit work without any of them: make demo",
            ],
        ),
    ],
)
def test_missing_settings_are_all_named(
    tmp_path: Path, run: Callable[..., Result], words: list[str], lines: list[str]
) -> None:
    """Each command names every setting that it lacks, where to get it, and writes nothing anywhere."""
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [f"Error: {lines[0]}", *lines[1:]]
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_shows_no_secret(run: Callable[..., Result]) -> None:
    """A malformed token is refused without showing it; other malformed values are shown."""
    result = run("export", CLICKUP_TOKEN="pk_1 SECRET", CLICKUP_TEAM_ID="nine", MAX_RETRIES="0")
    assert result.exit_code == 2
    assert "SECRET" not in result.output
    assert result.stderr.splitlines()[1:] == [
        "CLICKUP_TEAM_ID must be a number, the one in your ClickUp addresses (it is 'nine'). "
        "It is the first number in your ClickUp addresses: app.clickup.com/<workspace id>/…",
        "MAX_RETRIES must be 1 or more (it is '0').",
    ]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ToolkitError("It broke."), 1, "Error: It broke.\n"),
        (RedisUnreachable("No Redis.", "Start it."), 1, "Error: No Redis.\nStart it.\n"),
        (SettingsError("One is missing."), 2, "Error: One is missing.\n"),
        (ExportRunning("Busy.", "Wait."), 4, "Error: Busy.\nWait.\n"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
        (
            ModuleNotFoundError("No module named 'datasette'", name="datasette.app"),
            1,
            "Error: This needs datasette, which is not installed.\n"
            'Install it: pip install "clickup-workspace-toolkit[serve]"\n',
        ),
    ],
)
def test_errors_become_a_sentence_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    """What was designed to fail shows its message, its remedy and no traceback."""
    context = click.Context(main)
    with pytest.raises(click.exceptions.Exit) as ended, reported(context):
        raise error
    assert ended.value.exit_code == code
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("error", [ValueError("a bug"), ModuleNotFoundError("No module", name="nonsense")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    """A bug is not dressed up as a designed failure."""
    with pytest.raises(type(error)), reported(click.Context(main)):
        raise error


@pytest.fixture
def log_lines() -> Iterator[Callable[[bool], io.StringIO]]:
    """Return a function that directs log lines, as JSON or text, into a stream; undone after the test."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers, root.level

    def direct(as_json: bool) -> io.StringIO:
        stream = io.StringIO()
        logs.configure("info", as_json, stream)
        return stream

    yield direct
    structlog.configure(**before)
    root.handlers, root.level = handlers, level


def test_log_lines_are_events_with_fields(log_lines: Callable[[bool], io.StringIO]) -> None:
    """As JSON, a line holds event, fields, level, logger and UTC time; lines below the level are left out."""
    stream = log_lines(True)
    structlog.get_logger("clickup_toolkit.tests").info("run.done", tasks=3)
    structlog.get_logger("clickup_toolkit.tests").debug("run.detail")
    logging.getLogger("some.library").warning("slow %s", "client")
    first, second = map(json.loads, stream.getvalue().splitlines())
    times = [first.pop("timestamp"), second.pop("timestamp")]
    assert all(time.endswith("Z") for time in times)
    assert first == {"event": "run.done", "tasks": 3, "level": "info", "logger": "clickup_toolkit.tests"}
    assert second == {"event": "slow client", "level": "warning", "logger": "some.library"}


@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_never_reach_a_log_line(log_lines: Callable[[bool], io.StringIO], as_json: bool) -> None:
    """Not in a message, not in a field, not in a traceback."""
    stream = log_lines(as_json)
    secrets = ("pk_77_HIDDEN0HIDDEN", "another-HIDDEN-word")
    logs.hide(Settings(token=Secret(secrets[0]), api_auth_token=Secret(secrets[1])))
    log = structlog.get_logger("clickup_toolkit.tests")
    try:
        raise ValueError(f"bad header {secrets[0]}")
    except ValueError:
        log.exception(f"failed with {secrets[1]}", header={"Authorization": f"Bearer {secrets[1]}"})
    shown = stream.getvalue()
    assert "HIDDEN" not in shown
    assert "ValueError: bad header ***" in shown


def test_the_command_is_installed() -> None:
    """The script and the module are the same command line."""
    script = Path(sys.executable).parent / "clickup-toolkit"
    told = [
        subprocess.run(
            [*words, "--version"], capture_output=True, text=True, check=True, env=os.environ
        ).stdout
        for words in ([script], [sys.executable, "-m", "clickup_toolkit.cli"])
    ]
    assert told == [f"clickup-toolkit {__version__}\n"] * 2
