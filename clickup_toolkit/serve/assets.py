"""Stylesheets and scripts of the pages, from the installed packages: no foreign host is ever asked.

Each address holds the hash of the content, so browsers keep the file until it changes.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from clickup_toolkit.serve.accept import prefers_gzip
from clickup_toolkit.serve.asgi import Scope, Send, header, send_answer, send_problem

__all__ = ["PREFIX", "asset_url", "send_asset"]

PREFIX = "/-/assets/"

_OWN = {
    "site.css": "text/css",
    "fresh.css": "text/css",
    "fresh.js": "text/javascript",
    "files.css": "text/css",
    "files.js": "text/javascript",
    "monitor.css": "text/css",
    "monitor.js": "text/javascript",
    "poll.js": "text/javascript",
    "theme.js": "text/javascript",
    "names.js": "text/javascript",
    "dashboards.css": "text/css",
    "dashboards.js": "text/javascript",
    "run.css": "text/css",
    "run.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_PLOTLY = "plotly.min.js"
_WORKERS = {"poll.js": {"content-security-policy": "default-src 'none'; connect-src 'self'"}}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """A file to serve: whole, compressed, its media type and its hash."""

    body: bytes
    compressed: bytes
    media_type: str
    hash: str


@cache
def _asset(name: str) -> Asset:
    if name == _PLOTLY:
        body, media_type = (files("plotly") / "package_data" / _PLOTLY).read_bytes(), "text/javascript"
    else:
        media_type = _OWN[name]  # first of all: no other name may become a path
        body = (files("clickup_toolkit.serve") / "assets" / name).read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, gzip.compress(body, 6, mtime=0), media_type, digest)


def asset_url(name: str) -> str:
    """Return the address of an asset."""
    return f"{PREFIX}{name}?v={_asset(name).hash}"


async def send_asset(scope: Scope, send: Send) -> None:
    """Answer a request for an asset; they hold nothing private, so everybody gets them."""
    name = scope["path"].removeprefix(PREFIX)
    try:
        asset = _asset(name)
    except (KeyError, ModuleNotFoundError):
        await send_problem(scope, send, 404, f"There is no {name}.", "Reload the page.")
        return
    headers = {
        "content-type": f"{asset.media_type}; charset=utf-8",
        "cache-control": _FOR_A_YEAR,
        "vary": "Accept-Encoding",
        "cross-origin-resource-policy": "cross-origin",  # the page of a notebook has no origin
        **_WORKERS.get(name, {}),
    }
    if prefers_gzip(header(scope, "accept-encoding")):
        await send_answer(scope, send, 200, {**headers, "content-encoding": "gzip"}, asset.compressed)
    else:
        await send_answer(scope, send, 200, headers, asset.body)
