"""Tells people when exports begin to fail, and when they recover: by webhook, by mail, or both.

Once per failure, however many runs it lasts, and once when it is over. What was told to whom lies in
``notified.json`` in the data folder, so a restart tells nothing twice.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import structlog

from clickup_toolkit.errors import ToolkitError
from clickup_toolkit.settings import Secret, Settings

__all__ = ["Notice", "Notifier", "send_mail", "send_webhook"]

_log = structlog.get_logger("clickup_toolkit.schedule")
_FILE = "notified.json"
_ANSWER_WITHIN = 15.0  # seconds
_SHORTEST = 4  # characters; a shorter word is no secret, and stands in half of the sentences


class Notice(msgspec.Struct, kw_only=True):
    """What is told; ``text`` says all of it in words. ``event`` is ``failed`` or ``recovered``."""

    text: str
    event: str
    workspace: str
    host: str
    since: str
    message: str = ""
    remedy: str = ""
    exit_code: int = 0


class _Episode(msgspec.Struct):
    """A failure that lasts: since when (ms since 1970 UTC), and which channels were told."""

    since: int
    told: list[str]


class Notifier:
    """Told how runs end; tells on what is news. ``now`` gives ms since 1970 UTC."""

    def __init__(
        self, settings: Settings, *, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._settings = settings
        self._path = settings.data_dir / _FILE
        self._now = now
        self._kept: _Episode | None = None  # where the file cannot be written: a full disk is a failure, too
        self._channels: dict[str, Callable[[Settings, Notice], None]] = {}
        if settings.notify_webhook:
            self._channels["webhook"] = send_webhook
        if settings.notify_mail_to:
            self._channels["mail"] = send_mail

    def failed(self, error: ToolkitError) -> None:
        """Tell that exports fail, where that was not told yet; a silent channel is tried again next time."""
        episode = _read(self._path) or self._kept or _Episode(self._now(), [])
        notice = self._notice("failed", episode, error)
        waiting = [name for name in self._channels if name not in episode.told]
        episode.told += [name for name in waiting if self._send(name, notice)]
        self._keep(episode)

    def recovered(self) -> None:
        """Tell those who were told of a failure that it is over; a silent channel, next time."""
        episode = _read(self._path) or self._kept
        if episode is None:
            return
        notice = self._notice("recovered", episode, None)
        told = [name for name in episode.told if name in self._channels]
        episode.told = [name for name in told if not self._send(name, notice)]
        if episode.told:
            self._keep(episode)
            return
        self._kept = None
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _notice(self, event: str, episode: _Episode, error: ToolkitError | None) -> Notice:
        since = f"{datetime.fromtimestamp(episode.since / 1000, UTC):%Y-%m-%d %H:%M} UTC"
        host, workspace = socket.gethostname(), self._settings.team_id or ""
        where = f"The export of ClickUp workspace {workspace} on {host}"
        message = self._without_secrets(error.message) if error else ""
        remedy = self._without_secrets(error.remedy) if error else ""
        said = (
            f"failed. {message}\n{remedy}".strip() if error else f"works again; it had failed since {since}."
        )
        return Notice(
            text=f"{where} {said}",
            event=event,
            workspace=workspace,
            host=host,
            since=since,
            message=message,
            remedy=remedy,
            exit_code=error.exit_code if error else 0,
        )

    def _send(self, name: str, notice: Notice) -> bool:
        try:
            self._channels[name](self._settings, notice)
        except ToolkitError as error:
            _log.warning("schedule.not_notified", channel=name, error=self._without_secrets(error.message))
            return False
        _log.info("schedule.notified", channel=name, about=notice.event)
        return True

    def _keep(self, episode: _Episode) -> None:
        self._kept = episode
        aside = self._path.with_suffix(".new")
        try:
            aside.write_bytes(msgspec.json.encode(episode))
            aside.replace(self._path)
        except OSError as error:
            _log.warning("schedule.notice_not_kept", path=str(self._path), error=error.strerror)

    def _without_secrets(self, text: str) -> str:
        for word in sorted(_secrets(self._settings), key=len, reverse=True):
            text = text.replace(word, "***")
        return text


def send_webhook(settings: Settings, notice: Notice) -> None:
    """Post the notice as JSON. Raises :class:`ToolkitError` that does not show the address, a secret."""
    import httpx

    assert settings.notify_webhook
    try:
        answer = httpx.post(
            settings.notify_webhook.reveal(),
            content=msgspec.json.encode(notice),
            headers={"Content-Type": "application/json"},
            timeout=_ANSWER_WITHIN,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ToolkitError(f"The webhook cannot be reached ({type(error).__name__}).") from error
    if not answer.is_success:
        raise ToolkitError(f"The webhook answered {answer.status_code}.", "See that NOTIFY_WEBHOOK is right.")


def send_mail(settings: Settings, notice: Notice) -> None:
    """Send the notice as mail to all addressees. Raises :class:`ToolkitError`."""
    assert settings.notify_mail_to
    message = EmailMessage()
    message["Subject"] = f"ClickUp export {notice.event}: workspace {notice.workspace}"
    message["From"] = settings.notify_mail_from or settings.notify_mail_to[0]
    message["To"] = ", ".join(settings.notify_mail_to)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text + "\n")
    server = urlsplit(settings.smtp_url.reveal())
    try:
        with _connected(server.scheme, server.hostname or "", server.port) as smtp:
            if server.username:
                _sign_in(smtp, unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        reason = type(error).__name__ if isinstance(error, smtplib.SMTPException) else error.strerror or error
        raise ToolkitError(f"The mail server {server.hostname} did not take the mail ({reason}).") from error


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_ANSWER_WITHIN, context=context)
    smtp = smtplib.SMTP(host, port or 25, timeout=_ANSWER_WITHIN)
    smtp.ehlo()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
    return smtp


def _sign_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    assert smtp.sock
    if not isinstance(smtp.sock, ssl.SSLSocket) and smtp.sock.getpeername()[0] not in ("127.0.0.1", "::1"):
        raise ToolkitError("The mail server offers no TLS, so it was not told the password.", "Use smtps://.")
    smtp.login(user, password)


def _secrets(settings: Settings) -> set[str]:
    """Return every word of the settings that must not leave this machine."""
    values = [getattr(settings, field.name) for field in fields(settings)]
    words = {
        word
        for value in values
        if isinstance(value, Secret)
        for word in (value.reveal(), *value.reveal().split())
    }
    addresses = [settings.api_url, settings.redis_url or "", settings.smtp_url.reveal()]
    words |= {unquote(urlsplit(address).password or "") for address in addresses}
    words |= {urlsplit(address).password or "" for address in addresses}
    return {word for word in words if len(word) >= _SHORTEST}


def _read(path: Path) -> _Episode | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Episode)
    except (OSError, msgspec.DecodeError):
        return None
