"""``clickup-toolkit hash-password``: the hash of the password that people sign in with."""

from __future__ import annotations

import sys

import click

from clickup_toolkit.errors import SettingsError

__all__ = ["SHORTEST", "hash_password"]

SHORTEST = 8
"""The fewest characters of a password."""


@click.command("hash-password")
def hash_password() -> None:
    """Print the hash of a password, for DATASETTE_PASSWORD_HASH.

    Asks for the password without showing it; what is piped in is taken as it is, but for the line break at
    its end. The hash does not tell the password, but keep it to yourself: it signs the cookies, too.
    """
    from datasette_auth_passwords.utils import hash_password as hashed

    password = _ask() if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n").removesuffix("\r")
    if len(password) < SHORTEST:
        raise SettingsError(
            f"The password has {len(password)} characters.", f"Take one of {SHORTEST} or more."
        )
    click.echo(hashed(password))


def _ask() -> str:
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer
