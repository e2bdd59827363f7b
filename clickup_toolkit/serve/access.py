"""Who may see what: programs with a token everything, people with the password the pages.

Without a password the pages are open, so they are served to this machine alone: on a loopback address, and
under a loopback name, since a page of a foreign site may point its own name at 127.0.0.1 and read along.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import parse_qs

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.serve.asgi import Scope, header
from clickup_toolkit.serve.throttle import WRONG, Throttle, address_of
from clickup_toolkit.settings import SETTINGS, Secret, Settings

__all__ = ["GUESSABLE", "Access", "TooManyTries", "WrongCredentials", "is_guessable", "is_loopback"]

_UNGUESSABLE = 20  # characters: a random token of that length cannot be found by trying
_DISTINCT = 10  # of them: twenty times the same is a word


GUESSABLE = (
    f"API_AUTH_TOKEN should have {_UNGUESSABLE} characters or more, {_DISTINCT} of them distinct: "
    "a guessable one waits along while somebody tries tokens from its address."
)
"""What is said of a token that might be found by trying."""


class WrongCredentials(Exception):
    """What the request shows opens nothing."""


class TooManyTries(Exception):
    """The address has shown too many wrong ones; ``seconds`` is how long it has to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Access:
    """The rules of one site.

    Raises :class:`SettingsError` when the settings lack what serving needs, or would lay the workspace open.
    """

    def __init__(self, settings: Settings, tries: int = WRONG) -> None:
        missing = [name for name in ("team_id", "api_auth_token") if not getattr(settings, name)]
        if missing:
            raise SettingsError("\n".join(_missing(name) for name in missing))
        _see_that_it_is_an_address(settings.host)
        if settings.password_hash is None and not is_loopback(settings.host):
            raise SettingsError(
                f"HOST is {settings.host}, which other machines reach, and no password protects the pages: "
                "the workspace is private.",
                "Set DATASETTE_PASSWORD_HASH to a hash made by `clickup-toolkit hash-password`, "
                "or HOST to 127.0.0.1.",
            )
        self._tokens = [_digest(token.reveal()) for token in settings.api_tokens]
        self._in_query = settings.api_token_in_query
        self._wrong_tokens = Throttle(tries)
        self.username = settings.username
        self.password_hash = settings.password_hash
        self.signing_keys = _signing_keys(settings.api_tokens, settings.password_hash)

    def shows_token(self, scope: Scope) -> bool:
        """Tell whether the request bears a right token, False where it bears none.

        Raises :class:`WrongCredentials` or, after too many of those, :class:`TooManyTries`. A right token
        that nobody can guess passes all the same: whoever shares an address with somebody who guesses, as
        behind a proxy, is not shut out. A guessable one waits along, else it could be found.
        """
        token = self._token_of(scope)
        if token is None:
            return False
        right = self._is_right(token)
        if right and not is_guessable(token):
            return True
        address = address_of(scope)
        if seconds := self._wrong_tokens.wait(address):
            raise TooManyTries(seconds)
        if not right:
            self._wrong_tokens.note(address)
            raise WrongCredentials
        return True

    def _token_of(self, scope: Scope) -> str | None:
        scheme, _, token = (header(scope, "authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        if self._in_query and scope["path"].startswith("/api/"):
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
            return given[-1] if given else None
        return None

    def _is_right(self, token: str) -> bool:
        """Compare with every token, which takes as long for a wrong one as for a right one."""
        shown = _digest(token)
        return any([hmac.compare_digest(shown, known) for known in self._tokens])  # noqa: C419  # all of them

    def is_open_to_strangers(self, scope: Scope) -> bool:
        """Tell whether strangers may see pages under the name by which they ask for them."""
        return self.password_hash is None and is_loopback(_host_name(header(scope, "host") or ""))


def is_guessable(token: str) -> bool:
    """Tell whether a token might be found by trying: a short one, or one of few distinct characters."""
    return len(token) < _UNGUESSABLE or len(set(token)) < _DISTINCT


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine's own, for itself alone."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _see_that_it_is_an_address(host: str) -> None:
    """Refuse a host that nobody could listen on, before anything else is said about it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError) as error:
        if not isinstance(error, socket.gaierror | UnicodeError) and error.errno != errno.EADDRNOTAVAIL:
            return  # listening will tell
        raise SettingsError(
            f"HOST {host} is no address of this machine.",
            "Set it to 127.0.0.1 for this machine alone, or to 0.0.0.0 for every network it is in.",
        ) from error


def _missing(name: str) -> str:
    setting = SETTINGS[name]
    return f"{setting.variable} is not set: {setting.meaning}. {setting.remedy}"


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _signing_keys(tokens: Sequence[Secret], password_hash: Secret | None) -> list[str]:
    """Derive a key of the cookies from each token: new cookies are signed with the last, all are good.

    So a session outlives a restart, and a change of tokens for as long as the token under which it began
    is among them; and a new password signs everybody out.
    """
    about = b"clickup_toolkit cookies\0" + (password_hash.reveal().encode() if password_hash else b"")
    return [hmac.new(token.reveal().encode(), about, hashlib.sha256).hexdigest() for token in tokens]
