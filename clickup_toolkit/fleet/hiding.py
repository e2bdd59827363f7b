"""No secret leaves a worker: not in a log line, not in a message that goes to the scheduler."""

from __future__ import annotations

import dataclasses
import logging
from urllib.parse import urlsplit

import structlog
from structlog.typing import EventDict, WrappedLogger

from clickup_toolkit.settings import Secret, Settings

__all__ = ["hide", "log_safely", "without_secrets"]

_SHORTEST = 8  # a shorter word is no secret, and stands in half of the lines
_secrets: set[str] = set()


def hide(settings: Settings) -> None:
    """Let no secret of these settings pass from now on, nor a password in an address."""
    values = [getattr(settings, field.name) for field in dataclasses.fields(settings)]
    words = [word for value in values if isinstance(value, Secret) for word in value.reveal().split()]
    addresses = [value for value in values if isinstance(value, str) and "://" in value]
    words += [urlsplit(address).password or "" for address in addresses]
    _secrets.update(word for word in words if len(word) >= _SHORTEST)


def without_secrets(text: str) -> str:
    """Return the text with every secret replaced by a marker."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return text


def log_safely() -> None:
    """Send structlog's events through the worker's own logging, as JSON lines without secrets."""
    if structlog.is_configured():
        return  # by whoever runs the worker inside a program of theirs
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
            _redact,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    for name in ("httpx", "httpcore", "stamina"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _redact(_logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
    return without_secrets(str(line))
