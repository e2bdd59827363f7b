"""Log lines: events with fields, to standard error; readable on a terminal, JSON lines otherwise."""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Collection
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from clickup_toolkit.settings import Secret, Settings

__all__ = ["configure", "hide"]

_CHATTY = ("httpx", "httpcore", "apscheduler", "asyncio", "papermill")
_SHORTEST = 8  # a shorter word is no secret, and stands in half of the lines
_secrets: set[str] = set()


def configure(level: str, as_json: bool | None, stream: TextIO | None = None) -> None:
    """Set up structlog, and the standard library's logging through it. ``as_json`` None asks the stream."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_render(not stream.isatty() if as_json is None else as_json, stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Every try of every request that failed; the report counts them, and says what came of it.
    logging.getLogger("stamina").setLevel(logging.ERROR if level == "warning" else logging.NOTSET)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def hide(settings: Settings) -> None:
    """Let no secret of these settings pass into a log line, whatever puts it there."""
    values = (getattr(settings, field.name) for field in dataclasses.fields(settings))
    texts = (value.reveal() for value in values if isinstance(value, Secret))
    _secrets.update(word for text in texts for word in text.split() if len(word) >= _SHORTEST)


def _render(as_json: bool, colors: bool) -> Collection[Processor]:
    if as_json:
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
            _redact,
        ]
    # Plain tracebacks: a pretty one shows the local variables, and those hold tokens.
    renderer = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
    return [renderer, _redact]


def _redact(_logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
    """Take the secrets out of the finished line, where nothing can put them in again."""
    text = str(line)
    for secret in _secrets:
        text = text.replace(secret, "***")
    return text
