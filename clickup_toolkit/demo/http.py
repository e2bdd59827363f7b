"""What routes are given and what they answer: a query, a reply, and ClickUp's errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

__all__ = ["ApiError", "Query", "Reply", "bad_id", "json_reply", "no_list", "not_authorized"]


@dataclass(frozen=True)
class Reply:
    """An answer before it is compressed."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"


class ApiError(Exception):
    """An error in ClickUp's shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def reply(self) -> Reply:
        """Return it as an answer."""
        return json_reply({"err": self.message, "ECODE": self.code}, self.status)


def json_reply(value: object, status: int = 200) -> Reply:
    """Return the value as an answer."""
    return Reply(status, msgspec.json.encode(value))


def not_authorized(what: str = "Team", code: str = "OAUTH_027") -> ApiError:
    """Return what ClickUp says about things that are not there or not visible."""
    return ApiError(401, code, f"{what} not authorized")


def bad_id() -> ApiError:
    """Return what ClickUp says about ids that are no numbers."""
    return ApiError(500, "SHARD_001", "Internal server error")


def no_list() -> ApiError:
    """Return what ClickUp says about list ids in a filter that are no numbers."""
    return ApiError(400, "INPUT_003", "List ID invalid")


class Query:
    """The parameters of a request, in their order; what nobody asks for is ignored.

    ``oauth`` tells that the request came with an OAuth token.
    """

    def __init__(self, text: str, *, oauth: bool = False) -> None:
        self.text = text
        self.oauth = oauth
        self.pairs: Sequence[tuple[str, str]] = parse_qsl(text, keep_blank_values=True)
        self._last = dict(self.pairs)

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a parameter."""
        return self._last.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self._last

    def all(self, name: str) -> list[str]:
        """Return every value of a repeated parameter."""
        return [value for key, value in self.pairs if key == name]

    def flag(self, name: str) -> bool:
        """Return whether a parameter is ``true``, in lower case."""
        return self.get(name) == "true"

    def page(self) -> int:
        """Return the number of the page; anything odd is the first."""
        text = self.get("page", "0")
        return int(text) if text.isdigit() else 0

    def without(self, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Return the parameters but for some."""
        return tuple(pair for pair in self.pairs if pair[0] not in set(names))
