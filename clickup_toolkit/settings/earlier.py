"""The variables of the service before this one, for a ``.env`` file that served it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

__all__ = ["hash_password", "translated"]

_ITERATIONS = 480_000  # as datasette-auth-passwords makes its hashes


def translated(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the environment with the successors of old variables filled in, and what to tell the reader.

    A successor that is set wins without a word. ``DJANGO_PORT`` is ``PORT``, ``FLOWER_USERNAME`` is
    ``DATASETTE_USERNAME``, and of ``FLOWER_PASSWORD`` the hash is made with which people sign in.
    """
    made, notes = dict(environ), []

    def old(variable: str, successor: str) -> str:
        value = environ.get(variable, "").strip()
        return value if value and not environ.get(successor, "").strip() else ""

    if port := old("DJANGO_PORT", "PORT"):
        made["PORT"] = port
        notes.append("DJANGO_PORT is an old name: call it PORT.")
    if name := old("FLOWER_USERNAME", "DATASETTE_USERNAME"):
        made["DATASETTE_USERNAME"] = name
        notes.append("FLOWER_USERNAME is an old name: call it DATASETTE_USERNAME.")
    if password := old("FLOWER_PASSWORD", "DATASETTE_PASSWORD_HASH"):
        made["DATASETTE_PASSWORD_HASH"] = hash_password(password, _salt(environ))
        notes.append(
            "FLOWER_PASSWORD is an old name: it opens the pages, but set DATASETTE_PASSWORD_HASH "
            "(clickup-toolkit init makes it) and take the password out."
        )
    return made, notes


def hash_password(password: str, salt: str) -> str:
    """Return the hash as datasette-auth-passwords reads it: PBKDF2 with HMAC-SHA-256 (RFC 8018)."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ITERATIONS)
    return f"pbkdf2_sha256${_ITERATIONS}${salt}${base64.b64encode(digest).decode()}"


def _salt(environ: Mapping[str, str]) -> str:
    """Return a salt that stays the same: every start makes the hash anew, and another would sign all out."""
    own = environ.get("API_AUTH_TOKEN", "") + environ.get("CLICKUP_TEAM_ID", "")
    return hashlib.sha256(f"sign in {own}".encode()).hexdigest()[:32]
