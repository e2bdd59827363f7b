"""What came back: the bytes of an answer, or the error that they mean.

Errors are told apart by ClickUp's ``ECODE``, not by the HTTP status, which misleads: a wrong id answers 401,
a wrong parameter 500.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import httpx
import msgspec
from isal import igzip_lib, isal_zlib

from clickup_toolkit.client.question import Request
from clickup_toolkit.errors import BrokenAnswer, ClickUpError, RateLimited, Refused, ServerFault

__all__ = ["HTTP_TOO_MANY", "TWICE", "decoded", "decompressed", "judge", "shown"]

T = TypeVar("T")
HTTP_TOO_MANY = 429
_HTTP_REQUEST_TIMEOUT = 408
_ERRORS_ARE_SMALLER = 4096  # bytes
_GZIP = 16 + 15
_DAMAGED: tuple[type[Exception], ...] = (igzip_lib.IsalError, EOFError)  # type: ignore[assignment]  # isal's stub

HOPELESS = frozenset({"SHARD_001", "GROUP_HELPERS_001", "TIMEENTRY_072"})
"""Codes that come with a 500 but mean a bad request."""
TWICE = frozenset({"ITEMV2_003", "PAGE_ORDER", "PAGE_REPEATED"})
"""Codes, ClickUp's and our own, that are sometimes intermittent: worth a second try, not a seventh."""


def decompressed(request: Request, response: httpx.Response, body: bytes) -> bytes:
    """Return the body as it was before it was sent. Raises BrokenAnswer where it cannot be."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    try:
        return bytes(isal_zlib.decompress(body, wbits=_GZIP))
    except _DAMAGED as error:
        raise _broken(request, f"the compressed body is damaged ({error})") from error


def judge(request: Request, response: httpx.Response, body: bytes) -> bytes:
    """Return the body of a good answer. Raises what a bad one means: RateLimited, ServerFault, Refused."""
    if response.status_code == httpx.codes.OK:
        return body
    text, code = _error_of(body)
    raise _error(request, response.status_code, code, text)


def _error(request: Request, status: int, code: str, text: str) -> ClickUpError:
    message = f"ClickUp answered {status} {code} to {shown(request)}: {text}".replace("  ", " ")
    if status == HTTP_TOO_MANY or code == "APP_002":
        return RateLimited(message, status=status, code=code)
    broke = status >= httpx.codes.INTERNAL_SERVER_ERROR or status == _HTTP_REQUEST_TIMEOUT or code in TWICE
    return (ServerFault if broke and code not in HOPELESS else Refused)(message, status=status, code=code)


class _ErrorBody(msgspec.Struct):
    err: object = ""
    ECODE: object = ""


def _error_of(body: bytes) -> tuple[str, str]:
    """Return the text and the code of an error body, which may be JSON, HTML or anything."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody)
        return str(error.err)[:200], str(error.ECODE or "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return " ".join(body[:200].decode("utf-8", "replace").split()), ""


def _error_inside(body: bytes) -> tuple[str, str] | None:
    """Return the text and code of an error that JSON holds at its top; None where it holds none."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        error = msgspec.json.decode(body, type=_ErrorBody)
        text, code = (value if isinstance(value, str) else "" for value in (error.err, error.ECODE))
        return (text[:200], code) if text or code else None
    return None


def decoded(request: Request, body: bytes, decode: Callable[[bytes], T]) -> T:
    """Return what ``decode`` makes of a good answer. Raises BrokenAnswer where it is none after all."""
    # ClickUp has been seen to answer 200 with an error inside. Whether it would stay is unknown: ask again.
    error = _error_inside(body) if len(body) < _ERRORS_ARE_SMALLER else None
    if error:
        raise _broken(request, f"an error inside a 200 answer: {error[0]}", error[1] or "ERROR_IN_200")
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(request, str(error)) from error


def _broken(request: Request, why: str, code: str = "BROKEN_ANSWER") -> BrokenAnswer:
    message = f"The answer to {shown(request)} is broken: {why}."
    return BrokenAnswer(message, "Run the export again later.", code=code)


def shown(request: Request) -> str:
    """Return how messages name a question."""
    return f"GET {request.path}"  # the query may be long, and says little to a reader
