"""How the text of a variable is read: a reader returns its value, or raises ValueError with what is wrong."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

__all__ = [
    "MOST_REQUESTS",
    "Secret",
    "address",
    "amount",
    "concurrency",
    "decimal",
    "folder",
    "mail_server",
    "mailbox",
    "mailboxes",
    "password_hash",
    "port",
    "proxies",
    "secret",
    "secrets",
    "shown",
    "switch",
    "team_id",
    "text",
    "username",
    "webhook",
    "whole",
]

MOST_REQUESTS = 512
"""Requests at once that may be asked for; a crawl has no more to ask at the same time."""


class Secret:
    """A string that shows itself only when asked with :meth:`reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; for the wire only, never for a log."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def text(value: str) -> str:
    """Take any text."""
    return value


def secret(value: str) -> Secret:
    """Read a token, as it goes into a header."""
    if any(character.isspace() for character in value):
        raise ValueError("must not contain blanks or line breaks")
    if not value.isascii():
        raise ValueError("has characters that no token has, such as a dash or dots put in by a text editor")
    return Secret(value)


def secrets(value: str) -> Secret:
    """Read one token or several, apart by commas or blanks; kept as one text, apart by single blanks."""
    words = value.replace(",", " ").split()
    if not words:
        raise ValueError("holds no token")
    return Secret(" ".join(secret(word).reveal() for word in words))


def password_hash(value: str) -> Secret:
    """Read the hash of a password, as datasette makes it."""
    parts = value.split("$")
    if len(parts) != 4 or parts[0] != "pbkdf2_sha256" or not parts[1].isdigit() or not all(parts):
        raise ValueError("must be a hash that `clickup-toolkit hash-password` printed")
    return Secret(value)


def username(value: str) -> str:
    """Read the name that people sign in with."""
    if ":" in value or not value.isprintable() or value == "token":
        raise ValueError("must be a name without a colon, and not `token`, which programs go by")
    return value


def team_id(value: str) -> str:
    """Read a workspace id."""
    if not (value.isascii() and value.isdigit()):
        raise ValueError("must be a number, the one in your ClickUp addresses")
    return value


def whole(least: int) -> Callable[[str], int]:
    """Return the reader of whole numbers that are not below ``least``."""

    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if number < least:
            raise ValueError(f"must be {least} or more")
        return number

    return read


def decimal(above: float) -> Callable[[str], float]:
    """Return the reader of finite numbers above ``above``."""

    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError("must be a number") from None
        if not above < number < float("inf"):
            raise ValueError(f"must be more than {above:g}")
        return number

    return read


def amount(value: str) -> float:
    """Read a finite number that is not below 0."""
    return 0.0 if value.strip("0.") == "" and "0" in value else decimal(0)(value)


def webhook(value: str) -> Secret:
    """Read the address of a webhook, which is a secret: whoever knows it may post there."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that starts with https:// or http://")
    return secret(value)


def mail_server(value: str) -> Secret:
    """Read the address of a mail server, which may hold a password."""
    parts = urlsplit(value)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("must read smtp://user:password@host:587, or smtps://… for TLS from the start")
    return secret(value)


def mailboxes(value: str) -> tuple[str, ...]:
    """Read mail addresses, apart by commas or blanks."""
    words = tuple(value.replace(",", " ").split())
    if not all(0 < word.find("@") < len(word) - 1 and word.isprintable() for word in words):
        raise ValueError("must be mail addresses, apart by commas")
    return words


def mailbox(value: str) -> str:
    """Read one mail address."""
    if len(mailboxes(value)) != 1:
        raise ValueError("must be one mail address")
    return value


def switch(value: str) -> bool:
    """Read true or false."""
    if value.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return value.lower() == "true"


def concurrency(value: str) -> int | None:
    """Read a number of requests; None is ``auto``."""
    number = None if value == "auto" else whole(1)(value)
    if number is not None and number > MOST_REQUESTS:
        raise ValueError(f"must be {MOST_REQUESTS} or less, or auto")
    return number


def address(*schemes: str) -> Callable[[str], str]:
    """Return the reader of addresses with one of these schemes; a slash at the end is dropped."""

    def read(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"must be an address that starts with {' or '.join(s + '://' for s in schemes)}")
        return value.rstrip("/")

    return read


def port(value: str) -> int:
    """Read a port; 0 is any that is free."""
    number = whole(0)(value)
    if number > 65535:
        raise ValueError("must be 65535 or less")
    return number


def proxies(value: str) -> tuple[str, ...]:
    """Read addresses and networks, apart by commas or blanks."""
    words = tuple(value.replace(",", " ").split())
    for word in words:
        try:
            ipaddress.ip_network(word)
        except ValueError:
            raise ValueError("must be addresses or networks, as 127.0.0.1 or 10.0.0.0/8") from None
    return words


def folder(value: str) -> Path:
    """Read a folder's path, which becomes absolute."""
    return Path(value).expanduser().absolute()


def shown(value: str) -> str:
    """Quote a wrong value, unless it may hold a secret: a misplaced token, an address with a password."""
    secretive = "@" in value or "pk_" in value or len(value) > 40
    return "" if secretive else f" (it is {value!r})"
