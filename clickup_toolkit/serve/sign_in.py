"""Signing in: the page with the form, and what strangers are told instead of a page."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from datasette import NotFound, Response

from clickup_toolkit.serve.access import TooManyTries, WrongCredentials
from clickup_toolkit.serve.answers import send_unauthorized
from clickup_toolkit.serve.asgi import Scope, Send, send_answer
from clickup_toolkit.serve.visitors import session

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

    from clickup_toolkit.serve.site import Site

__all__ = ["OPEN_TO_ALL", "nothing", "page", "send_to_sign_in"]

_ADDRESS = "/-/login"
_HOME = "/"
_OWN = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}")  # //host is another site's; browsers take \ for /

OPEN_TO_ALL = (_ADDRESS, "/-/logout", "/-/static/", "/favicon.ico")
"""What the sign-in page needs; with a password set, strangers see nothing else of datasette."""

_PROGRAMS_READ = (".json", ".jsono", ".csv", ".db", ".blob", ".parquet")


async def page(datasette: Site, request: Request) -> Response:
    """Show the form, or sign in whoever sends it with the right password."""
    if request.method != "POST":
        return await _form(datasette, request, next_page=_own(request.args.get("next")))
    told = await request.post_vars()
    next_page = _own(told.get("next"))
    try:
        await datasette.visitors.check(request.scope, told.get("username") or "", told.get("password") or "")
    except WrongCredentials:
        return await _form(datasette, request, "Invalid username or password", next_page=next_page)
    except TooManyTries as many:
        answer = await _form(
            datasette, request, f"Too many wrong passwords. Wait {many.seconds} s.", 429, next_page
        )
        answer.headers["Retry-After"] = str(many.seconds)
        return answer
    answer = Response.redirect(datasette.urls.path(next_page))
    told = session(datasette.access.username, time.time())
    answer.set_cookie("ds_actor", datasette.sign(told, "actor"), httponly=True)
    return answer


async def _form(
    site: Site, request: Request, error: str = "", status: int = 200, next_page: str = _HOME
) -> Response:
    context = {"error": error, "next": next_page, "username": site.access.username}
    html = await site.render_template("password_login.html", context, request=request)
    return Response.html(html, status=status, headers={"Cache-Control": "no-store"})


def _own(address: str | None) -> str:
    """Return an address of this site as it is, the home page's for any other."""
    return address if address and _OWN.fullmatch(address) else _HOME


async def nothing(datasette: Site, request: Request) -> Response:
    """Answer where a plugin would work long for everybody; ``clickup-toolkit hash-password`` does that."""
    raise NotFound("Make a hash with clickup-toolkit hash-password")


def _wanted(scope: Scope) -> str:
    """Return the query by which the sign-in page knows where somebody wanted to go."""
    address = scope.get("raw_path", b"").decode("latin-1")
    if query := scope["query_string"].decode("latin-1"):
        address += f"?{query}"
    own = _own(address)
    return "" if own == _HOME else f"?next={quote(own, safe='')}"


async def send_to_sign_in(scope: Scope, send: Send, *, wrong: bool) -> None:
    """Send people to the sign-in page, and tell programs which header to send."""
    if wrong or scope["path"].endswith(_PROGRAMS_READ) or scope["method"] not in ("GET", "HEAD"):
        await send_unauthorized(scope, send, wrong=wrong)
    else:
        headers = {
            "location": _ADDRESS + _wanted(scope),
            "content-type": "text/plain",
            "cache-control": "private, no-store",
        }
        await send_answer(scope, send, 302, headers)
