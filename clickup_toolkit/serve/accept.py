"""Read the request headers that choose what is sent: Accept-Encoding, If-None-Match, If-Modified-Since."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["is_unchanged", "prefers_gzip", "takes_identity"]

_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


def prefers_gzip(accept_encoding: str | None) -> bool:
    """Tell whether to send gzip: the client takes it, and does not like plain text better.

    A client that says nothing about encodings gets plain text: it may not be able to read anything else.
    """
    weights = _weights(accept_encoding)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def takes_identity(accept_encoding: str | None) -> bool:
    """Tell whether the client takes plain text; only an explicit refusal says no."""
    weights = _weights(accept_encoding)
    return weights.get("identity", weights.get("*", 1.0)) > 0


def _weights(accept_encoding: str | None) -> dict[str, float]:
    weights = {}
    for item in (accept_encoding or "").split(","):
        coding, *parameters = (part.strip().lower() for part in item.split(";"))
        if coding:
            weights[coding] = _weight(parameters)
    return weights


def _weight(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def is_unchanged(
    etag: str, modified: datetime, if_none_match: str | None, if_modified_since: str | None
) -> bool:
    """Tell whether the client already has what it would be sent: the representation of this tag.

    A tag, where the client sent one, decides alone.
    """
    if if_none_match is not None:
        if if_none_match.strip() == "*":
            return True
        return etag in _ENTITY_TAG.findall(if_none_match)
    if if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except (ValueError, OverflowError):  # no date, or a zone farther away than any
        return False
    return modified.replace(microsecond=0) <= (since if since.tzinfo else since.replace(tzinfo=UTC))
