"""Who may see what: programs with the token everything, people with the password the pages.

Without a password the pages are open, so they are served to this machine alone: on a loopback address, and
under a loopback name, since a page of a foreign site may point its own name at 127.0.0.1 and read along.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import ipaddress
import socket

from clickup_toolkit.errors import SettingsError
from clickup_toolkit.serve.asgi import Scope, header
from clickup_toolkit.settings import SETTINGS, Secret, Settings

__all__ = ["Access", "is_loopback"]


class Access:
    """The rules of one site.

    Raises :class:`SettingsError` when the settings lack what serving needs, or would lay the workspace open.
    """

    def __init__(self, settings: Settings) -> None:
        missing = [name for name in ("team_id", "api_auth_token") if not getattr(settings, name)]
        if missing:
            raise SettingsError("\n".join(_missing(name) for name in missing))
        _see_that_it_is_an_address(settings.host)
        if settings.password_hash is None and not is_loopback(settings.host):
            raise SettingsError(
                f"HOST is {settings.host}, which other machines reach, and no password protects the pages: "
                "the workspace is private.",
                "Set DATASETTE_PASSWORD_HASH to a hash made by `datasette hash-password`, "
                "or HOST to 127.0.0.1.",
            )
        assert settings.api_auth_token is not None
        self._token = _digest(settings.api_auth_token.reveal())
        self.password_hash = settings.password_hash
        self.signing_key = _signing_key(settings.api_auth_token, settings.password_hash)

    def holds_token(self, scope: Scope) -> bool:
        """Tell whether the request bears the token; takes as long for a wrong one as for the right one."""
        scheme, _, token = (header(scope, "authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(_digest(token.strip()), self._token)

    def may_reach_pages(self, scope: Scope) -> bool:
        """Tell whether datasette may see the request; whether its actor may see a page is its business."""
        if self.password_hash is not None or self.holds_token(scope):
            return True
        return is_loopback(_host_name(header(scope, "host") or ""))


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


def _signing_key(token: Secret, password_hash: Secret | None) -> str:
    """Derive the key of the cookies: it outlives a restart, and a new password signs everybody out."""
    about = b"clickup_toolkit cookies\0" + (password_hash.reveal().encode() if password_hash else b"")
    return hmac.new(token.reveal().encode(), about, hashlib.sha256).hexdigest()
