"""Every variable that the toolkit reads, declared once: settings, their docs and messages come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clickup_toolkit.settings import measured, readers

__all__ = ["REQUIRED", "SETTINGS", "Setting"]


@dataclass(frozen=True)
class Setting:
    """One variable: its name, meaning, default as text (None: none) and how its text is read."""

    variable: str
    meaning: str
    default: str | None
    read: Callable[[str], Any]
    remedy: str = ""


SETTINGS: dict[str, Setting] = {
    "token": Setting(
        "CLICKUP_TOKEN",
        "API token: personal (`pk_…`, sent bare) or OAuth (sent as Bearer)",
        None,
        readers.secret,
        "Make one in ClickUp: your avatar, Settings, Apps, API Token, Generate. It starts with pk_.",
    ),
    "team_id": Setting(
        "CLICKUP_TEAM_ID",
        "workspace id",
        None,
        readers.team_id,
        "It is the first number in your ClickUp addresses: app.clickup.com/<workspace id>/…",
    ),
    "api_auth_token": Setting(
        "API_AUTH_TOKEN",
        "bearer token for the JSON export",
        None,
        readers.secrets,
        'Invent one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
    ),
    "concurrency": Setting(
        "CONCURRENCY",
        "concurrent API requests: a number up to 512, or `auto` "
        "(start at 2, grow to at most 128 while the rate limit and latency allow)",
        "2",
        readers.concurrency,
    ),
    "max_retries": Setting("MAX_RETRIES", "tries for a failing request", "7", readers.whole(1)),
    "initial_backoff": Setting(
        "INITIAL_BACKOFF", "first backoff, seconds; doubles, with full jitter", "3.0", readers.decimal(0)
    ),
    "redis_lock_ttl": Setting(
        "REDIS_LOCK_TTL", "export lock, seconds; renewed while the export lives", "1800", readers.whole(1)
    ),
    "keep_last_n_exports": Setting("KEEP_LAST_N_EXPORTS", "versions kept", "7", readers.whole(1)),
    "keep_daily_exports": Setting(
        "KEEP_DAILY_EXPORTS",
        "days of which the newest version is kept beside them; 0: none",
        "7",
        readers.whole(0),
    ),
    "api_url": Setting(
        "CLICKUP_API_URL",
        "base address, for proxies and tests",
        "https://api.clickup.com/api/v2",
        readers.address("https", "http"),
    ),
    "redis_url": Setting(
        "REDIS_URL",
        "Redis or Valkey server",
        "",
        readers.address("redis", "rediss", "unix"),
        "Leave it unset to use the embedded server in the data folder.",
    ),
    "data_dir": Setting(
        "CLICKUP_DATA_DIR",
        "everything written locally: `clickup.db`, `parquet/`, `runs/`, the embedded server's files",
        "data",
        readers.folder,
    ),
    "export_interval_hours": Setting(
        "EXPORT_INTERVAL_HOURS", "time between scheduled exports", "5", readers.decimal(0)
    ),
    "export_jitter_minutes": Setting(
        "EXPORT_JITTER_MINUTES",
        "the most by which a scheduled export starts later than due, so that many do not start at once; "
        "half of the interval at most",
        "0",
        readers.amount,
    ),
    "export_timeout_hours": Setting(
        "EXPORT_TIMEOUT_HOURS",
        "time after which a scheduled run is ended; the next goes on from its journal",
        "24",
        readers.decimal(0),
    ),
    "run_retries": Setting(
        "RUN_RETRIES", "tries of a scheduled run after one that failed", "3", readers.whole(0)
    ),
    "run_retry_minutes": Setting(
        "RUN_RETRY_MINUTES", "wait before the first of them; doubles", "5", readers.amount
    ),
    "keep_runs": Setting("KEEP_RUNS", "executed notebooks kept", "100", readers.whole(1)),
    "notify_webhook": Setting(
        "NOTIFY_WEBHOOK",
        "address that is told, as JSON with a `text`, when exports begin to fail and when they recover "
        "(Slack, Teams, Mattermost)",
        "",
        readers.webhook,
    ),
    "notify_mail_to": Setting(
        "NOTIFY_MAIL_TO", "mail addresses that are told the same", "", readers.mailboxes
    ),
    "notify_mail_from": Setting(
        "NOTIFY_MAIL_FROM", "sender of these mails; unset: the first of the addressees", "", readers.mailbox
    ),
    "smtp_url": Setting(
        "SMTP_URL",
        "mail server: `smtp://user:password@host:587` (TLS where it is offered; no password without), or "
        "`smtps://…`",
        "smtp://localhost:25",
        readers.mail_server,
    ),
    "full_export_hours": Setting(
        "FULL_EXPORT_HOURS",
        "time between full exports; those in between read what changed",
        "24",
        readers.decimal(0),
    ),
    "export_comments": Setting(
        "EXPORT_COMMENTS",
        "read the comments of tasks with their replies: a request or more a task",
        "false",
        readers.switch,
    ),
    "export_task_details": Setting(
        "EXPORT_TASK_DETAILS",
        "read the checklists of tasks and what is known of their attachments: a request a task",
        "false",
        readers.switch,
    ),
    "export_goals": Setting(
        "EXPORT_GOALS", "read goals with their key results: a request a goal", "false", readers.switch
    ),
    "export_docs": Setting(
        "EXPORT_DOCS", "read docs with their pages: a request a doc", "false", readers.switch
    ),
    "reread_days": Setting(
        "REREAD_DAYS",
        "days after which a full export reads comments, task details and pages of docs again where nothing "
        "says that they changed",
        "7",
        readers.decimal(0),
    ),
    "working_days": Setting("WORKING_DAYS", "weekdays that are worked on", "mon-fri", measured.weekdays),
    "working_hours": Setting(
        "WORKING_HOURS",
        "hours that are worked, several spans apart by commas",
        "09:00-17:00",
        measured.working_hours,
    ),
    "holidays": Setting("HOLIDAYS", "dates off, apart by commas: `2026-12-25, …`", "", measured.holidays),
    "time_zone": Setting(
        "TIME_ZONE",
        "time zone of working hours, days and weeks, such as `Europe/Berlin`",
        "UTC",
        measured.time_zone,
    ),
    "cycle_start": Setting(
        "CYCLE_START",
        "where cycle time starts: `type:custom`, `status:doing`, `list:App/status:doing`, apart by commas",
        "type:custom",
        measured.boundaries,
    ),
    "cycle_end": Setting(
        "CYCLE_END", "where cycle time ends, in the same way", "type:done, type:closed", measured.boundaries
    ),
    "waiting_statuses": Setting(
        "WAITING_STATUSES",
        "words in the names of active statuses in which work waits",
        "blocked, on hold, waiting, pending, ready, queue, paused",
        measured.words,
    ),
    "blocked_statuses": Setting(
        "BLOCKED_STATUSES",
        "words in the names of statuses in which work is blocked",
        "blocked, on hold, impediment",
        measured.words,
    ),
    "stale_days": Setting(
        "STALE_DAYS", "days without a change after which unfinished work is stale", "14", readers.decimal(0)
    ),
    "password_hash": Setting(
        "DATASETTE_PASSWORD_HASH",
        "hash of the password that people sign in with; unset: the pages are open, and served to this "
        "machine alone",
        "",
        readers.password_hash,
        "Make one: clickup-toolkit hash-password",
    ),
    "username": Setting(
        "DATASETTE_USERNAME", "name that people sign in with, beside that password", "admin", readers.username
    ),
    "api_token_in_query": Setting(
        "API_TOKEN_IN_QUERY",
        "take the token from `?token=` below `/api/`, too; addresses end up in the logs of proxies and in "
        "the histories of browsers",
        "false",
        readers.switch,
    ),
    "metrics_open": Setting(
        "METRICS_OPEN", "answer `/-/readyz` and `/metrics` without the token", "false", readers.switch
    ),
    "trusted_proxies": Setting(
        "TRUSTED_PROXIES",
        "addresses and networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed",
        "",
        readers.proxies,
        "A proxy on this machine is 127.0.0.1.",
    ),
    "host": Setting("HOST", "where to serve", "127.0.0.1", readers.text),
    "port": Setting("PORT", "where to serve", "8000", readers.port),
}

REQUIRED = frozenset({"token", "team_id", "api_auth_token"})
