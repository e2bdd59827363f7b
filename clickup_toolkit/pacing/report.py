"""What one answer tells of the rate limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

__all__ = ["RateReport", "read_rate"]

_MILLISECONDS_FROM = 1e12  # an absolute time as large as this is in milliseconds, not seconds


@dataclass(frozen=True)
class RateReport:
    """What one answer tells of the rate limit; ``reset`` and ``date`` are Unix seconds of the server."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    reset_step: float = 1.0
    date: float | None = None
    retry_after: float | None = None


def read_rate(headers: Mapping[str, str]) -> RateReport:
    """Read the rate-limit headers; what is missing or malformed is None."""
    reset = _number(headers.get("x-ratelimit-reset"))
    step = 1.0
    if reset is not None and reset >= _MILLISECONDS_FROM:
        reset, step = reset / 1000, 0.001
    limit, remaining = (
        _number(headers.get("x-ratelimit-limit")),
        _number(headers.get("x-ratelimit-remaining")),
    )
    return RateReport(
        limit=int(limit) if limit is not None and limit >= 1 else None,
        remaining=int(remaining) if remaining is not None and remaining >= 0 else None,
        reset=reset,
        reset_step=step,
        date=_http_date(headers.get("date")),
        retry_after=_number(headers.get("retry-after")),
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _http_date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
