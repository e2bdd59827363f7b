"""workspaces.toml: what may stand in it, what is said about what may not, and in which order it is done."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.fleet import Entry, Plan, read_plan
from clickup_toolkit.fleet.cluster import slots
from clickup_toolkit.fleet.outcome import Outcome, exit_code
from clickup_toolkit.fleet.plan import KEYS
from clickup_toolkit.fleet.references import resolve
from clickup_toolkit.fleet.task import Work, settings_on_worker
from clickup_toolkit.settings import SETTINGS, Secret

GOOD = """
[defaults]
data_dir = "s3://exports/clickup"
scratch = "/var/tmp/clickup"
token = "env:CLICKUP_TOKEN"
redis_url = "env:REDIS_URL"
concurrency = 4

[[workspaces]]
team_id = 9001
name = "Acme"

[[workspaces]]
team_id = "9002"
token = "file:/run/secrets/beta"
export_comments = true
holidays = [2026-12-25, 2027-01-01]
concurrency = "auto"
data_dir = "elsewhere"
"""


def read(folder: Path, text: str) -> Plan:
    """Write a plan and read it."""
    path = folder / "workspaces.toml"
    path.write_text(text)
    return read_plan(path)


def test_defaults_are_overridden_by_each_workspace(tmp_path: Path) -> None:
    """Values become the texts of variables; what a workspace does not say, the defaults do."""
    shared = {"redis_url": "env:REDIS_URL"}
    plan = read(tmp_path, GOOD)
    assert plan.entries == (
        Entry(
            "9001",
            "Acme",
            {"token": "env:CLICKUP_TOKEN", **shared, "concurrency": "4"},
            "s3://exports/clickup",
            "/var/tmp/clickup",
        ),
        Entry(
            "9002",
            "9002",
            {
                "token": "file:/run/secrets/beta",
                **shared,
                "concurrency": "auto",
                "export_comments": "true",
                "holidays": "2026-12-25, 2027-01-01",
            },
            "elsewhere",
            "/var/tmp/clickup",
        ),
    )
    assert (plan.tokens, slots(plan)) == (2, 2)


def test_every_setting_may_stand_in_it() -> None:
    """All fields of the settings are keys, and besides them a name and the worker's own folder."""
    assert set(KEYS) == {*SETTINGS, "name", "scratch"}


def test_everything_wrong_is_said_at_once_and_no_token_with_it(tmp_path: Path) -> None:
    """One message names every mistake and its place; a token that was written down is not repeated."""
    with pytest.raises(SettingsError) as said:
        read(
            tmp_path,
            """
            extra = 1
            [defaults]
            team_id = "9001"
            keep_runs = 0
            redis_url = "redis://user:hunter2@host/0"
            [[workspaces]]
            name = "Acme"
            token = "pk_1_WRITTEN0DOWN"
            [[workspaces]]
            team_id = "nine"
            [[workspaces]]
            team_id = "9003"
            token = "env:T"
            colour = "red"
            port = {a = 1}
            [[workspaces]]
            team_id = "9004"
            token = "env:T"
            scratch = "env:SCRATCH"
            """,
        )
    by_reference = 'Say where it is found: token = "env:CLICKUP_TOKEN_ACME", or "file:/run/secrets/acme".'
    assert said.value.message.splitlines() == [
        f"{tmp_path}/workspaces.toml: 10 things are wrong.",
        "extra is not known there: only [defaults] and [[workspaces]].",
        "[defaults]: team_id belongs to one workspace.",
        "[defaults]: keep_runs must be 1 or more.",
        "[defaults]: redis_url holds a password, so it must be a reference: env:NAME or file:PATH.",
        f"Workspace 1 (Acme): token must be a reference. {by_reference}",
        "Workspace 2 (nine): token is missing. " + by_reference,
        "Workspace 2 (nine): team_id must be a number, the one in your ClickUp addresses.",
        "Workspace 3 (9003): colour is not a setting.",
        "Workspace 3 (9003): port must be one value, not a table.",
        "Workspace 4 (9004): scratch must stand there itself: it tells workspaces apart.",
    ]
    assert "WRITTEN0DOWN" not in said.value.message
    assert "hunter2" not in said.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no workspace: write [[workspaces]] above each."),
        ("workspaces = 3", "There is no workspace: write [[workspaces]] above each."),
        ("a = = 3", "It is not TOML: "),
        (GOOD + "\n[[workspaces]]\nteam_id = 9001", "Workspace 9001 stands there more than once."),
    ],
)
def test_one_thing_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    """An empty file, one that is none, a workspace named twice."""
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text)
    head, line = error.value.message.splitlines()
    assert head == f"{tmp_path}/workspaces.toml: one thing is wrong."
    assert line.startswith(said)
    assert error.value.exit_code == 2


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(SettingsError, match=r"none\.toml: one thing is wrong"):
        read_plan(tmp_path / "none.toml")


def test_tokens_take_turns(tmp_path: Path) -> None:
    """Every token's first workspace comes before any token's second, so all budgets are spent at once."""
    tokens = ("a", "a", "a", "b", "c", "b")
    text = "".join(
        f"[[workspaces]]\nteam_id = {number}\ntoken = 'env:{token}'\n" for number, token in enumerate(tokens)
    )
    plan = read(tmp_path, text)
    assert [entry.team_id for entry in plan.entries] == ["0", "3", "4", "1", "5", "2"]
    assert (plan.tokens, slots(plan)) == (3, 6)


def test_references_are_read_where_the_work_is_done(tmp_path: Path) -> None:
    """From the environment or a file of the worker; what is not there is named, a plain text is itself."""
    (tmp_path / "token").write_text(" pk_2 \n")
    environ = {"TOKEN": "pk_1", "EMPTY": " "}
    assert resolve("env:TOKEN", environ) == "pk_1"
    assert resolve(f"file:{tmp_path}/token", environ) == "pk_2"
    assert resolve("redis://host", environ) == "redis://host"
    for missing in ("env:EMPTY", "env:NONE", f"file:{tmp_path}/none"):
        with pytest.raises(SettingsError, match="on the worker"):
            resolve(missing, environ)


def test_work_holds_no_token_and_the_worker_finds_it(tmp_path: Path) -> None:
    """What is pickled for the scheduler names places; on the worker they become settings."""
    environ = {"CLICKUP_TOKEN": "pk_1_THE0TOKEN", "REDIS_URL": "redis://:hunter2@host/0", "KEEP_RUNS": "3"}
    work = Work(read(tmp_path, GOOD).entries[0], "run")
    pickled = pickle.dumps(work)
    assert b"THE0TOKEN" not in pickled
    assert b"hunter2" not in pickled
    settings, address = settings_on_worker(work, environ)
    assert settings.token == Secret("pk_1_THE0TOKEN")
    assert settings.redis_url == "redis://:hunter2@host/0"
    assert (settings.team_id, settings.concurrency, settings.keep_runs) == ("9001", 4, 3)
    assert (str(settings.data_dir), address) == ("/var/tmp/clickup/9001", "s3://exports/clickup")


def test_several_machines_need_one_redis(tmp_path: Path) -> None:
    """A worker of somebody's cluster starts no server of its own: budgets and locks would not be shared."""
    plan = read(tmp_path, f"[[workspaces]]\nteam_id = 1\ntoken = 'file:{tmp_path}/token'\n")
    (tmp_path / "token").write_text("pk_1")
    with pytest.raises(SettingsError, match="REDIS_URL is not set on the worker"):
        settings_on_worker(Work(plan.entries[0], "run"), {})


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["complete", "complete"], 0),
        (["complete", "gaps"], 3),
        (["gaps", "failed", "complete"], 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst(states: list[str], code: int) -> None:
    """0 all complete, 3 some with gaps, 1 some failed."""
    assert exit_code([Outcome(team_id="1", name="1", state=state) for state in states]) == code
