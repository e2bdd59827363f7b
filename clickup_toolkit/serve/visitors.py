"""Who comes to the pages: somebody with the token, the password, a cookie from signing in, or nobody.

Everything is looked at here, before datasette sees the request: it is handed the outcome, and none of the
credentials. (Its plugin for passwords works a sixth of a second on each, and stumbles over malformed ones.)
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import time
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from clickup_toolkit.serve.access import Access, TooManyTries, WrongCredentials
from clickup_toolkit.serve.asgi import Scope, header
from clickup_toolkit.serve.throttle import WRONG, Throttle, address_of

__all__ = ["PROGRAM", "Actor", "Visitors", "session"]

_SESSION = 30 * 86_400  # seconds after which somebody signs in again, however long the browser stays open

Actor = dict[str, Any]
"""Whom datasette takes somebody for."""

PROGRAM: Actor = {"id": "token"}
"""Whom a program with the token is taken for."""


class Visitors:
    """Tells who a request comes from, and checks passwords, one after the other."""

    def __init__(self, access: Access, tries: int = WRONG) -> None:
        self._access = access
        self._wrong_passwords = Throttle(tries)
        self._checking = asyncio.Lock()
        self._right: bytes | None = None  # the digest of the password that was last found right

    async def identify(self, scope: Scope) -> Actor | None:
        """Return whom the request comes from, or None for a stranger.

        Raises :class:`WrongCredentials` where it shows any that are wrong, and :class:`TooManyTries`.
        """
        if self._access.shows_token(scope):
            return PROGRAM
        scheme, _, shown = (header(scope, "authorization") or "").partition(" ")
        if scheme.lower() == "basic" and self._access.password_hash is not None:
            await self.check(scope, *_name_and_password(shown))
            return {"id": self._access.username}
        return self._signed_in(scope)

    async def check(self, scope: Scope, name: str, password: str) -> None:
        """Return if the password is right. Raises :class:`WrongCredentials` or :class:`TooManyTries`.

        Each try is counted before it is looked at, so that a hundred at once are no way around.
        """
        address = address_of(scope)
        if seconds := self._wrong_passwords.wait(address):
            raise TooManyTries(seconds)
        self._wrong_passwords.note(address)
        if not await self._is_right(name, password):
            raise WrongCredentials
        self._wrong_passwords.forgive(address)

    async def _is_right(self, name: str, password: str) -> bool:
        if self._access.password_hash is None or name != self._access.username:
            return False
        shown = hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
        if self._right is not None and hmac.compare_digest(shown, self._right):
            return True  # a program that shows it with every request does not wait each time
        async with self._checking:
            right = await asyncio.to_thread(_verify, password, self._access.password_hash.reveal())
        if right:
            self._right = shown
        return right

    def _signed_in(self, scope: Scope) -> Actor | None:
        cookie = _cookie(scope, "ds_actor")
        if cookie is None or self._access.password_hash is None:
            return None
        try:
            told = URLSafeSerializer(self._access.signing_keys, "actor").loads(cookie)
        except BadSignature:
            return None
        if not isinstance(told, dict) or not isinstance(told.get("a"), dict):
            return None
        return told["a"] if _is_current(told) else None


def session(person: str, now: float) -> dict[str, Any]:
    """Return what the cookie of somebody who signs in says, as datasette reads it: who, and until when.

    ``now`` is in seconds since 1970 UTC.
    """
    from datasette.utils.baseconv import base62

    return {"a": {"id": person}, "e": base62.encode(int(now) + _SESSION)}


def _is_current(told: dict[str, Any]) -> bool:
    """Tell whether a session has not ended; one that says no end is from a release that gave none."""
    from datasette.utils.baseconv import base62

    return isinstance(told.get("e"), str) and int(base62.decode(told["e"])) > time.time()


def _verify(password: str, password_hash: str) -> bool:
    from datasette_auth_passwords.utils import verify_password

    try:
        return bool(verify_password(password, password_hash))
    except UnicodeEncodeError:  # a lone surrogate: no password that anybody could have set
        return False


def _name_and_password(shown: str) -> tuple[str, str]:
    """Return what a Basic header holds. Raises :class:`WrongCredentials` where it holds nothing readable."""
    try:
        text = base64.b64decode(shown.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise WrongCredentials from None
    name, _, password = text.partition(":")
    return name, password


def _cookie(scope: Scope, wanted: str) -> str | None:
    """Return a cookie as it was sent; ours are not quoted, and unquoting takes Python 3.11 long."""
    for part in (header(scope, "cookie") or "").split(";"):
        name, _, value = part.partition("=")
        if name.strip() == wanted:
            return value.strip()
    return None
