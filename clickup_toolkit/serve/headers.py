"""What every answer tells the browser that it must not do, and cookies that only the site itself can read.

A page that sets a policy of its own keeps it. Nothing is ever loaded from a foreign host.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from clickup_toolkit.serve.asgi import Message, Scope, Send

__all__ = ["DATA_POLICY", "guarded", "pages_policy"]

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""The policy of what is no page: should a browser show it as one, nothing in it runs."""

_ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
_OVER_TLS = {b"strict-transport-security": b"max-age=31536000"}
_HTML = b"text/html"

# datasette's pages hold these scripts in their text. What a name smuggles in is none of them, so never runs.
_INLINE = ("_close_open_menus.html", "_codemirror_foot.html")
_ALLOW_FACET = ("DATASETTE_ALLOW_FACET = true;", "DATASETTE_ALLOW_FACET = false;")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def pages_policy() -> str:
    """Return the policy of datasette's pages and ours: their own scripts alone, styles in the text too."""
    templates = files("datasette") / "templates"
    texts = [text for name in _INLINE for text in _SCRIPT.findall((templates / name).read_text("utf-8"))]
    scripts = " ".join(_source(text) for text in (*texts, *_ALLOW_FACET))
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def _source(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def guarded(scope: Scope, send: Send) -> Send:
    """Return ``send`` that adds the headers which are missing, and hardens cookies."""
    over_tls = scope.get("scheme") == "https"

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _hardened(message["headers"], over_tls)}
        await send(message)

    return send_guarded


def _hardened(headers: list[tuple[bytes, bytes]], over_tls: bool) -> list[tuple[bytes, bytes]]:
    given = [(name.lower(), value) for name, value in headers]
    there = dict(given)
    wanted = {**_ALWAYS, **(_OVER_TLS if over_tls else {}), b"content-security-policy": _policy(there)}
    kept = [(name, _cookie(value, over_tls) if name == b"set-cookie" else value) for name, value in given]
    return kept + [(name, value) for name, value in wanted.items() if name not in there]


def _policy(headers: dict[bytes, bytes]) -> bytes:
    is_page = headers.get(b"content-type", b"").startswith(_HTML)
    return (pages_policy() if is_page else DATA_POLICY).encode()


def _cookie(value: bytes, over_tls: bool) -> bytes:
    """Return a cookie that no script reads, that no foreign form sends, and that needs TLS where there is."""
    there = {part.strip().partition(b"=")[0] for part in value.lower().split(b";")}
    for attribute in (b"HttpOnly", b"SameSite=Lax", *([b"Secure"] if over_tls else [])):
        if attribute.lower().partition(b"=")[0] not in there:
            value += b"; " + attribute
    return value
