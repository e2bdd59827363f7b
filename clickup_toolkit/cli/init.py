"""``clickup-toolkit init``: the settings, asked for, tried against ClickUp, and written to ``.env``."""

from __future__ import annotations

import dataclasses
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from dotenv import dotenv_values

from clickup_toolkit.cli.common import start_logging
from clickup_toolkit.cli.dotenv_file import write_settings
from clickup_toolkit.cli.failures import show
from clickup_toolkit.cli.password import SHORTEST
from clickup_toolkit.errors import SettingsError, TokenRejected
from clickup_toolkit.settings import SETTINGS, Settings, readers
from clickup_toolkit.settings.earlier import hash_password

if TYPE_CHECKING:
    from clickup_toolkit.cli.checks_clickup import Team

_ASKED = ("CLICKUP_TOKEN", "CLICKUP_TEAM_ID", "API_AUTH_TOKEN", "DATASETTE_PASSWORD_HASH")


@click.command()
@click.option("--team-id", help="The workspace, where the token reaches several.")
@click.option("--token-stdin", is_flag=True, help="Take the token from the first line of standard input.")
@click.option("--yes", is_flag=True, help="Ask nothing: take what the environment and the file say.")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=".env",
    show_default=True,
    help="The file to write.",
)
def init(team_id: str | None, token_stdin: bool, yes: bool, env_file: Path) -> None:
    """Ask for the settings, try them against ClickUp, and write them to .env, for you alone to read.

    Asks for the token without showing it, lets you choose among the workspaces that it reaches, invents the
    token for the JSON export, and stores a password for the pages as a hash. Other lines of the file stay.
    """
    known = _known(env_file)
    start_logging(_others(known), "error")
    token = _token(known, token_stdin, yes)
    team = _choose(token, known, team_id or known.get("CLICKUP_TEAM_ID", ""), yes or bool(team_id))
    made = {
        "CLICKUP_TOKEN": token,
        "CLICKUP_TEAM_ID": str(team.id),
        "API_AUTH_TOKEN": known.get("API_AUTH_TOKEN") or secrets.token_urlsafe(32),
        **_password(known, yes),
    }
    write_settings(env_file, made)
    click.echo(f"\nWrote {env_file.absolute()}, which you alone can read: {', '.join(made)}.")
    if "DATASETTE_PASSWORD_HASH" in made and "FLOWER_PASSWORD" in known:
        click.echo("FLOWER_PASSWORD is not needed any more: take it out, since it stands there in clear.")
    click.echo(
        "Look whether all is well: clickup-toolkit doctor\nThen start:               clickup-toolkit up"
    )


def _known(env_file: Path) -> dict[str, str]:
    """Return what the environment says, over what the file says."""
    try:
        assigned = dotenv_values(env_file, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"{env_file.absolute()} cannot be read.", "Make it readable, or remove it."
        ) from None
    known = {**{name: value or "" for name, value in assigned.items()}, **os.environ}
    return {name: value.strip() for name, value in known.items() if value.strip()}


def _others(known: Mapping[str, str]) -> Settings:
    """Return the settings that are not asked for here: where one of them is wrong, no answer would help."""
    return Settings.read({name: value for name, value in known.items() if name not in _ASKED})


def _token(known: Mapping[str, str], from_stdin: bool, yes: bool) -> str:
    """Return a token that ClickUp knows; ask again for one that it refuses."""
    from clickup_toolkit.cli.checks_clickup import token_owner

    token = sys.stdin.readline().strip() if from_stdin else known.get("CLICKUP_TOKEN", "")
    if not token and yes:
        raise SettingsError("There is no token.", f"Set CLICKUP_TOKEN. {SETTINGS['token'].remedy}")
    asked = not (token and (yes or from_stdin))
    if asked:
        click.echo(SETTINGS["token"].remedy)
    while True:
        if asked:
            token = _ask_secretly("ClickUp API token", token)
        try:
            me = token_owner(_settings(known, token))
        except (SettingsError, TokenRejected) as error:
            if not asked:
                raise
            show(error)
            token = ""
            continue
        click.echo(f"ClickUp knows you as {me.username or 'user'} ({me.id}).")
        return token


def _ask_secretly(question: str, kept: str) -> str:
    hint = " (empty: keep the one that is set)" if kept else ""
    answer: str = click.prompt(question + hint, default=kept or None, hide_input=True, show_default=False)
    return answer.strip()


def _settings(known: Mapping[str, str], token: str) -> Settings:
    """Return settings to try a token with; what is asked for here may still be wrong in the file."""
    from clickup_toolkit.cli import logs

    try:
        settings = dataclasses.replace(_others(known), token=readers.secret(token))
    except ValueError as error:
        raise SettingsError(f"The token {error}.", "Copy it again.") from None
    logs.hide(settings)
    return settings


def _choose(token: str, known: Mapping[str, str], wanted: str, sure: bool) -> Team:
    """Return the workspace that is meant, of those that the token reaches; if it is ``sure``, ask nothing."""
    from clickup_toolkit.cli.checks_clickup import reached

    teams = reached(_settings(known, token))
    meant = [team for team in teams if str(team.id) == wanted]
    if meant and sure:
        return meant[0]
    listed = "\n".join(f"  {at}  {team.name} ({team.id})" for at, team in enumerate(teams, 1))
    if not teams or (wanted and not meant and sure):
        raise SettingsError(
            f"The token does not reach {f'the workspace {wanted}' if wanted else 'any workspace'}.",
            f"It reaches:\n{listed}" if teams else "Ask an owner or admin to invite its user.",
        )
    if len(teams) == 1:
        click.echo(f"The token reaches one workspace: {teams[0].name} ({teams[0].id}).")
        return teams[0]
    if sure:
        raise SettingsError("The token reaches several workspaces.", f"Name one with --team-id:\n{listed}")
    click.echo(f"The token reaches these workspaces:\n{listed}")
    kept = teams.index(meant[0]) + 1 if meant else None
    number: int = click.prompt("Which one", type=click.IntRange(1, len(teams)), default=kept)
    return teams[number - 1]


def _password(known: Mapping[str, str], yes: bool) -> dict[str, str]:
    """Return the hash of a password for the pages; nothing where none is wanted, or one is set."""
    kept = known.get("DATASETTE_PASSWORD_HASH", "")
    password = "" if kept else known.get("FLOWER_PASSWORD", "")
    if not yes:
        hint = (
            "empty: keep the one that is set" if kept or password else "empty: none, for this machine alone"
        )
        name = known.get("DATASETTE_USERNAME") or known.get("FLOWER_USERNAME") or "admin"
        password = _ask_twice(f"Password for the pages, user {name} ({hint})") or password
    if password:
        return {"DATASETTE_PASSWORD_HASH": hash_password(password, secrets.token_hex(16))}
    return {"DATASETTE_PASSWORD_HASH": kept} if kept else {}


def _ask_twice(question: str) -> str:
    """Ask for a word that nobody sees, until it was typed the same twice, or is empty."""
    while True:
        word: str = click.prompt(question, default="", hide_input=True, show_default=False)
        if 0 < len(word) < SHORTEST:
            click.echo(f"Take one of {SHORTEST} characters or more.")
        elif not word or word == click.prompt("Once more", default="", hide_input=True, show_default=False):
            return word
        else:
            click.echo("Those were two different ones.")
