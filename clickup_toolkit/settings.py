"""The environment, read once into one typed object.

Settings come from environment variables, or from a ``.env`` file in the working folder (the environment
wins). Everything that is missing or wrong is said in one :class:`~clickup_toolkit.errors.SettingsError`;
a secret is never shown: not in a repr, not in a message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from clickup_toolkit.errors import SettingsError

__all__ = ["SETTINGS", "Secret", "Setting", "Settings"]


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


@dataclass(frozen=True)
class Setting:
    """One variable: its name, meaning, default as text (None: none) and how its text is read."""

    variable: str
    meaning: str
    default: str | None
    read: Callable[[str], Any]
    remedy: str = ""


def _text(value: str) -> str:
    return value


def _secret(value: str) -> Secret:
    if any(character.isspace() for character in value):
        raise ValueError("must not contain blanks or line breaks")
    if not value.isascii():
        raise ValueError("has characters that no token has, such as a dash or dots put in by a text editor")
    return Secret(value)


def _password_hash(value: str) -> Secret:
    parts = value.split("$")
    if len(parts) != 4 or parts[0] != "pbkdf2_sha256" or not parts[1].isdigit() or not all(parts):
        raise ValueError("must be a hash that `datasette hash-password` printed")
    return Secret(value)


def _team_id(value: str) -> str:
    if not (value.isascii() and value.isdigit()):
        raise ValueError("must be a number, the one in your ClickUp addresses")
    return value


def _whole(least: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if number < least:
            raise ValueError(f"must be {least} or more")
        return number

    return read


def _decimal(above: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError("must be a number") from None
        if not above < number < float("inf"):
            raise ValueError(f"must be more than {above:g}")
        return number

    return read


def _switch(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return value.lower() == "true"


def _concurrency(value: str) -> int | None:
    return None if value == "auto" else _whole(1)(value)


def _address(*schemes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"must be an address that starts with {' or '.join(s + '://' for s in schemes)}")
        return value.rstrip("/")

    return read


def _port(value: str) -> int:
    number = _whole(0)(value)
    if number > 65535:
        raise ValueError("must be 65535 or less")
    return number


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _shown(value: str) -> str:
    """Quote a wrong value, unless it may hold a secret: a misplaced token, an address with a password."""
    secretive = "@" in value or "pk_" in value or len(value) > 40
    return "" if secretive else f" (it is {value!r})"


SETTINGS: dict[str, Setting] = {
    "token": Setting(
        "CLICKUP_TOKEN",
        "API token: personal (`pk_…`, sent bare) or OAuth (sent as Bearer)",
        None,
        _secret,
        "Make one in ClickUp: your avatar, Settings, Apps, API Token, Generate. It starts with pk_.",
    ),
    "team_id": Setting(
        "CLICKUP_TEAM_ID",
        "workspace id",
        None,
        _team_id,
        "It is the first number in your ClickUp addresses: app.clickup.com/<workspace id>/…",
    ),
    "api_auth_token": Setting(
        "API_AUTH_TOKEN",
        "bearer token for the JSON export",
        None,
        _secret,
        'Invent one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
    ),
    "concurrency": Setting(
        "CONCURRENCY",
        "concurrent API requests: a number, or `auto` "
        "(start at 2, grow while the rate limit and latency allow)",
        "2",
        _concurrency,
    ),
    "max_retries": Setting("MAX_RETRIES", "tries for a failing request", "7", _whole(1)),
    "initial_backoff": Setting(
        "INITIAL_BACKOFF", "first backoff, seconds; doubles, with full jitter", "3.0", _decimal(0)
    ),
    "redis_lock_ttl": Setting(
        "REDIS_LOCK_TTL", "export lock, seconds; renewed while the export lives", "1800", _whole(1)
    ),
    "keep_last_n_exports": Setting("KEEP_LAST_N_EXPORTS", "versions kept", "7", _whole(1)),
    "api_url": Setting(
        "CLICKUP_API_URL",
        "base address, for proxies and tests",
        "https://api.clickup.com/api/v2",
        _address("https", "http"),
    ),
    "redis_url": Setting(
        "REDIS_URL",
        "Redis or Valkey server",
        "",
        _address("redis", "rediss", "unix"),
        "Leave it unset to use the embedded server in the data folder.",
    ),
    "data_dir": Setting(
        "CLICKUP_DATA_DIR",
        "everything written locally: `clickup.db`, `parquet/`, `runs/`, the embedded server's files",
        "data",
        _folder,
    ),
    "export_interval_hours": Setting(
        "EXPORT_INTERVAL_HOURS", "time between scheduled exports", "5", _decimal(0)
    ),
    "full_export_hours": Setting(
        "FULL_EXPORT_HOURS",
        "time between full exports; those in between read what changed",
        "24",
        _decimal(0),
    ),
    "export_comments": Setting(
        "EXPORT_COMMENTS",
        "read the comments of tasks with their replies: a request or more a task",
        "false",
        _switch,
    ),
    "export_task_details": Setting(
        "EXPORT_TASK_DETAILS",
        "read the checklists of tasks and what is known of their attachments: a request a task",
        "false",
        _switch,
    ),
    "export_goals": Setting(
        "EXPORT_GOALS", "read goals with their key results: a request a goal", "false", _switch
    ),
    "export_docs": Setting("EXPORT_DOCS", "read docs with their pages: a request a doc", "false", _switch),
    "reread_days": Setting(
        "REREAD_DAYS",
        "days after which a full export reads comments, task details and pages of docs again where nothing "
        "says that they changed",
        "7",
        _decimal(0),
    ),
    "password_hash": Setting(
        "DATASETTE_PASSWORD_HASH",
        "hash of the password that people sign in with (user `admin`); unset: the pages are open, "
        "and served to this machine alone",
        "",
        _password_hash,
        "Make one: datasette hash-password",
    ),
    "host": Setting("HOST", "where to serve", "127.0.0.1", _text),
    "port": Setting("PORT", "where to serve", "8000", _port),
}

REQUIRED = frozenset({"token", "team_id", "api_auth_token"})


@dataclass(frozen=True)
class Settings:
    """Everything the environment says. ``None`` for a required one that was not asked for and is not set.

    ``concurrency`` is None for ``auto``; ``redis_url`` is None for the embedded server. The addresses are
    left out of the repr, since they may hold a password.
    """

    token: Secret | None = None
    team_id: str | None = None
    api_auth_token: Secret | None = None
    concurrency: int | None = 2
    max_retries: int = 7
    initial_backoff: float = 3.0
    redis_lock_ttl: int = 1800
    keep_last_n_exports: int = 7
    api_url: str = field(default="https://api.clickup.com/api/v2", repr=False)
    redis_url: str | None = field(default=None, repr=False)
    data_dir: Path = field(default_factory=lambda: _folder("data"))
    export_interval_hours: float = 5.0
    full_export_hours: float = 24.0
    export_comments: bool = False
    export_task_details: bool = False
    export_goals: bool = False
    export_docs: bool = False
    reread_days: float = 7.0
    password_hash: Secret | None = None
    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def streams(self) -> frozenset[str]:
        """The optional streams that are to be read: comments, task_details, goals, docs."""
        chosen = {
            "comments": self.export_comments,
            "task_details": self.export_task_details,
            "goals": self.export_goals,
            "docs": self.export_docs,
        }
        return frozenset(name for name, wanted in chosen.items() if wanted)

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        need: Iterable[str] = (),
        dotenv: Path | None = None,
    ) -> Settings:
        """Read ``environ`` (default: the process's, over ``.env`` in the working folder).

        ``need`` names the fields that must be set, such as ``("token", "team_id")``.
        Raises :class:`SettingsError` naming everything that is missing or wrong, with its remedy.
        """
        if environ is None:
            environ = {**_read_file(dotenv or Path(".env")), **os.environ}
        found: dict[str, Any] = {}
        wrong: list[str] = []
        for name, setting in SETTINGS.items():
            text = environ.get(setting.variable, "").strip()
            if not text:
                if name in set(need) & REQUIRED:
                    wrong.append(
                        f"{setting.variable} is not set: {setting.meaning}. {setting.remedy}".strip()
                    )
                continue
            try:
                found[name] = setting.read(text)
            except ValueError as error:
                shown = "" if setting.read in (_secret, _password_hash) else _shown(text)
                wrong.append(f"{setting.variable} {error}{shown}. {setting.remedy}".strip())
        if wrong:
            raise SettingsError("\n".join(wrong))
        return cls(**found)


def _read_file(path: Path) -> dict[str, str]:
    """Return what a ``.env`` file assigns; nothing where there is none."""
    try:
        assigned = dotenv_values(path, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(
            f"{path.absolute()} is not text in UTF-8.",
            "Save it in UTF-8, without the characters that are not.",
        ) from None  # the cause holds the file's text
    except OSError as error:
        raise SettingsError(
            f"{path.absolute()} cannot be read: {error.strerror}.", "Make it readable, or remove it."
        ) from error
    return {name: value for name, value in assigned.items() if value is not None}
