"""The environment, read once into one typed object.

Settings come from environment variables, or from a ``.env`` file in the working folder (the environment
wins). Everything that is missing or wrong is said in one :class:`~clickup_toolkit.errors.SettingsError`;
a secret is never shown: not in a repr, not in a message.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.settings import measured, readers
from clickup_toolkit.settings.declared import REQUIRED, SETTINGS, Setting
from clickup_toolkit.settings.earlier import translated
from clickup_toolkit.settings.readers import Secret

__all__ = ["SETTINGS", "Secret", "Setting", "Settings", "is_personal", "old_variables", "without_password"]


_SECRETIVE = (
    *(readers.secret, readers.secrets, readers.password_hash),
    *(readers.webhook, readers.mail_server),
)


@dataclass(frozen=True)
class Settings:
    """Everything the environment says. ``None`` for a required one that was not asked for and is not set.

    ``api_auth_token`` may hold several tokens, see :attr:`api_tokens`.
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
    keep_daily_exports: int = 7
    api_url: str = field(default="https://api.clickup.com/api/v2", repr=False)
    redis_url: str | None = field(default=None, repr=False)
    data_dir: Path = field(default_factory=lambda: readers.folder("data"))
    export_interval_hours: float = 5.0
    export_jitter_minutes: float = 0.0
    export_timeout_hours: float = 24.0
    run_retries: int = 3
    run_retry_minutes: float = 5.0
    keep_runs: int = 100
    notify_webhook: Secret | None = None
    notify_mail_to: tuple[str, ...] | None = None
    notify_mail_from: str | None = None
    smtp_url: Secret = field(default_factory=lambda: Secret("smtp://localhost:25"))
    full_export_hours: float = 24.0
    export_comments: bool = False
    export_task_details: bool = False
    export_goals: bool = False
    export_docs: bool = False
    reread_days: float = 7.0
    working_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    working_hours: measured.Hours = ((time(9), time(17)),)
    holidays: frozenset[date] | None = None
    time_zone: str = "UTC"
    cycle_start: tuple[str, ...] = ("type:custom",)
    cycle_end: tuple[str, ...] = ("type:done", "type:closed")
    waiting_statuses: tuple[str, ...] = (
        *("blocked", "on hold", "waiting", "pending", "ready", "queue", "paused"),
    )
    blocked_statuses: tuple[str, ...] = ("blocked", "on hold", "impediment")
    stale_days: float = 14.0
    password_hash: Secret | None = None
    username: str = "admin"
    api_token_in_query: bool = False
    metrics_open: bool = False
    trusted_proxies: tuple[str, ...] | None = None
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

    @property
    def api_tokens(self) -> tuple[Secret, ...]:
        """The bearer tokens, each of which opens the JSON export."""
        return tuple(Secret(word) for word in (self.api_auth_token or Secret("")).reveal().split())

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
        environ, _ = translated(_environ(dotenv) if environ is None else environ)
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
                shown = "" if setting.read in _SECRETIVE else readers.shown(text)
                wrong.append(f"{setting.variable} {error}{shown}. {setting.remedy}".strip())
        if wrong:
            raise SettingsError("\n".join(wrong))
        return cls(**found)


def old_variables(dotenv: Path | None = None) -> list[str]:
    """Return a sentence for each variable of the earlier service that stands in for its successor."""
    return translated(_environ(dotenv))[1]


def _environ(dotenv: Path | None) -> dict[str, str]:
    return {**_read_file(dotenv or Path(".env")), **os.environ}


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


def is_personal(token: Secret) -> bool:
    """Tell whether a token is a personal one, which is sent bare and may ask for several people's time."""
    return token.reveal().startswith("pk_")


def without_password(address: str) -> str:
    """Return an address without what stands before its @."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
