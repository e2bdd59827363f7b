"""Notifications: one when exports begin to fail, one when they recover, no secret in either."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server, gethostname

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from structlog.testing import capture_logs

from clickup_toolkit.errors import NotebookFailed, ToolkitError
from clickup_toolkit.schedule import Notifier
from clickup_toolkit.settings import Secret, Settings

TOKEN = "pk_1_" + "S3CR3T" * 4
ERROR = NotebookFailed("ClickUp cannot be reached.", "Check the network.")
NOON = 1_795_435_200_000  # 2026-11-23 12:00 UTC


class Hook(ThreadingHTTPServer):
    """A web server that keeps what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.posted: list[tuple[str, str, dict[str, object]]] = []
        self.status = 200

    @property
    def url(self) -> str:
        """The webhook's address, with a secret in it as such addresses have."""
        return f"http://127.0.0.1:{self.server_port}/services/T0SECRETPATH"


class _Post(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posted.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Mails:
    """Keeps the mails that a mail server took, with whom they were for."""

    def __init__(self) -> None:
        self.taken: list[tuple[EmailMessage, list[str]]] = []

    async def handle_DATA(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append((mail, envelope.rcpt_tos))
        return "250 OK"


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Give a webhook that answers."""
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def mail_server() -> Iterator[Callable[..., tuple[Mails, str]]]:
    """Return a function that starts a mail server, and returns what it takes and its host and port."""
    running: list[Controller] = []

    def start(**options: object) -> tuple[Mails, str]:
        mails = Mails()
        with create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        controller = Controller(mails, hostname="127.0.0.1", port=port, **options)
        running.append(controller)
        controller.start()
        return mails, f"127.0.0.1:{port}"

    yield start
    for controller in running:
        controller.stop()


def settings_for(folder: Path, **changes: object) -> Settings:
    """Return settings with secrets of every kind, and these notifications."""
    return Settings(
        token=Secret(TOKEN),
        team_id="9011",
        api_auth_token=Secret("first-token second-token"),
        redis_url="redis://:redisword@127.0.0.1:9/0",
        data_dir=folder,
        **changes,  # type: ignore[arg-type]
    )


def test_a_webhook_is_told_once_and_of_the_recovery(tmp_path: Path, hook: Hook) -> None:
    """Three failures and two good runs make two messages, whichever process meets them."""
    settings = settings_for(tmp_path, notify_webhook=Secret(hook.url))
    for _ in range(3):
        Notifier(settings, now=lambda: NOON).failed(ERROR)
    for _ in range(2):
        Notifier(settings).recovered()
    where = {"workspace": "9011", "host": gethostname(), "since": "2026-11-23 12:00 UTC"}
    about = f"The export of ClickUp workspace 9011 on {gethostname()}"
    failed = {
        "text": f"{about} failed. ClickUp cannot be reached.\nCheck the network.",
        "event": "failed",
        **where,
        "message": "ClickUp cannot be reached.",
        "remedy": "Check the network.",
        "exit_code": 1,
    }
    recovered = {
        "text": f"{about} works again; it had failed since 2026-11-23 12:00 UTC.",
        "event": "recovered",
        **where,
        "message": "",
        "remedy": "",
        "exit_code": 0,
    }
    path, kind = "/services/T0SECRETPATH", "application/json"
    assert hook.posted == [(path, kind, failed), (path, kind, recovered)]
    assert list(tmp_path.iterdir()) == []


def test_each_failure_is_told_anew(tmp_path: Path, hook: Hook) -> None:
    """After a recovery the next failure is news again; a recovery without a failure is none."""
    notifier = Notifier(settings_for(tmp_path, notify_webhook=Secret(hook.url)))
    notifier.recovered()
    for _ in range(2):
        notifier.failed(ERROR)
        notifier.recovered()
    assert [body["event"] for _, _, body in hook.posted] == ["failed", "recovered"] * 2


def test_who_does_not_answer_is_told_later(tmp_path: Path, hook: Hook) -> None:
    """A channel that fails costs a log line, not the export, and gets the message with the next failure."""
    notifier = Notifier(settings_for(tmp_path, notify_webhook=Secret(hook.url)))
    hook.status = 500
    with capture_logs() as logs:
        notifier.failed(ERROR)
    assert [(line["event"], line["error"]) for line in logs] == [
        ("schedule.not_notified", "The webhook answered 500.")
    ]
    hook.status = 200
    notifier.failed(ERROR)
    notifier.failed(ERROR)
    assert len(hook.posted) == 2


def test_who_does_not_answer_is_told_of_the_recovery_later(tmp_path: Path, hook: Hook) -> None:
    """With the next good run, once; another process knows, too."""
    settings = settings_for(tmp_path, notify_webhook=Secret(hook.url))
    Notifier(settings, now=lambda: NOON).failed(ERROR)
    hook.status = 500
    Notifier(settings).recovered()
    hook.status = 200
    for _ in range(2):
        Notifier(settings).recovered()
    assert [body["event"] for _, _, body in hook.posted] == ["failed", "recovered", "recovered"]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_once_too(tmp_path: Path, hook: Hook) -> None:
    """Where nothing can be written, the process itself remembers whom it told."""
    (tmp_path / "data").write_text("a file where the folder should be")
    notifier = Notifier(settings_for(tmp_path / "data", notify_webhook=Secret(hook.url)))
    for _ in range(2):
        notifier.failed(ERROR)
    for _ in range(2):
        notifier.recovered()
    assert [body["event"] for _, _, body in hook.posted] == ["failed", "recovered"]


def test_no_secret_is_told(tmp_path: Path, hook: Hook) -> None:
    """Whatever an error quotes, tokens, passwords and the webhook's own address are taken out."""
    secrets = [TOKEN, "first-token", "second-token", "redisword", hook.url, "smtp pass"]
    settings = settings_for(
        tmp_path, notify_webhook=Secret(hook.url), smtp_url=Secret("smtp://a:smtp%20pass@h")
    )
    Notifier(settings).failed(ToolkitError(" ".join(secrets), " ".join(reversed(secrets))))
    told = json.dumps(hook.posted[0][2])
    assert [word for word in secrets if word in told] == []
    assert told.count("***") > len(secrets)


def test_the_log_does_not_show_a_webhook(tmp_path: Path) -> None:
    """An address that cannot be reached is not written to the log: whoever knows it may post there."""
    settings = settings_for(tmp_path, notify_webhook=Secret("http://127.0.0.1:9/T0SECRETPATH"))
    with capture_logs() as logs:
        Notifier(settings).failed(ERROR)
    assert [line["error"] for line in logs] == ["The webhook cannot be reached (ConnectError)."]


def test_a_mail_is_sent_to_everyone(tmp_path: Path, mail_server: Callable[..., tuple[Mails, str]]) -> None:
    """All addressees get one mail that says what failed and what to do, and one when it is over."""
    mails, address = mail_server()
    settings = settings_for(
        tmp_path,
        notify_mail_to=("ann@example.com", "bob@example.com"),
        smtp_url=Secret(f"smtp://{address}"),
    )
    notifier = Notifier(settings)
    notifier.failed(ERROR)
    notifier.failed(ERROR)
    notifier.recovered()
    (first, addressees), (second, _) = mails.taken
    assert (first["Subject"], first["From"], first["To"]) == (
        "ClickUp export failed: workspace 9011",
        "ann@example.com",
        "ann@example.com, bob@example.com",
    )
    assert addressees == ["ann@example.com", "bob@example.com"]
    assert first.get_content().splitlines()[1:] == ["Check the network."]
    assert second["Subject"] == "ClickUp export recovered: workspace 9011"


def test_a_mail_server_may_want_a_password(
    tmp_path: Path, mail_server: Callable[..., tuple[Mails, str]]
) -> None:
    """User and password of SMTP_URL sign in; a wrong one costs a log line that does not show it."""
    asked: list[bytes] = []

    def authenticate(
        _server: object, _session: object, _envelope: object, _how: str, data: object
    ) -> AuthResult:
        asked.append(data.password)  # type: ignore[attr-defined]
        return AuthResult(success=data.password == b"right@word", handled=False)  # type: ignore[attr-defined]

    mails, address = mail_server(authenticator=authenticate, auth_require_tls=False)
    changes = {"notify_mail_to": ("ann@example.com",), "notify_mail_from": "export@example.com"}
    right = settings_for(tmp_path, smtp_url=Secret(f"smtp://ann:right%40word@{address}"), **changes)
    wrong = settings_for(tmp_path, smtp_url=Secret(f"smtp://ann:wrongword@{address}"), **changes)
    with capture_logs() as logs:
        Notifier(wrong).failed(ERROR)
        Notifier(right).failed(ERROR)
    assert [line["event"] for line in logs] == ["schedule.not_notified", "schedule.notified"]
    assert "wrongword" not in str(logs)
    assert [mail["From"] for mail, _ in mails.taken] == ["export@example.com"]
    assert b"right@word" in asked
