"""The pages of the run monitor. Each asks for its permission itself, as all pages of our own do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from datasette import Response

from clickup_toolkit.errors import RedisError, ToolkitError
from clickup_toolkit.serve import words
from clickup_toolkit.serve.access import is_loopback
from clickup_toolkit.serve.monitor.bars import bars_of
from clickup_toolkit.serve.monitor.state import look, next_run
from clickup_toolkit.serve.monitor.versions import held_versions
from clickup_toolkit.serve.monitor.words import STEPS, show
from clickup_toolkit.serve.runs import Run, last_run, list_runs
from clickup_toolkit.serve.visitors import PROGRAM

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

    from clickup_toolkit.serve.site import Site

__all__ = ["export_now", "runs", "state", "versions"]

_RUNS_LISTED = 200
_SECONDS_BUSY, _SECONDS_IDLE = 1, 5
_BROKEN_MARK = "Error: "


async def runs(datasette: Site, request: Request) -> Response:
    """Show the export under way and the runs before it."""
    await _only_for_readers(datasette, request)
    now = datetime.now(UTC)
    found, total = await asyncio.to_thread(list_runs, _folder(datasette), _RUNS_LISTED)
    context = {
        "now": now,
        "words": words,
        "steps": STEPS,
        "told": await asyncio.to_thread(_told, datasette, now),
        "why_not": _why_not(datasette, request),
        "broken": _broken(datasette),
        "failed": _last_failure(found),
        "runs": found,
        "runs_total": total,
        "bars": bars_of(found),
    }
    return await _page(datasette, request, "runs.html", context)


async def state(datasette: Site, request: Request) -> Response:
    """Tell what is going on as JSON, for the page and for programs; ``again`` is when to ask again, in s."""
    await _only_for_readers(datasette, request)
    told = await asyncio.to_thread(_told, datasette, datetime.now(UTC))
    return Response.json(told, headers={"Cache-Control": "no-store"})


async def export_now(datasette: Site, request: Request) -> Response:
    """Start an export for those who may."""
    await _only_for_readers(datasette, request)
    is_program = request.actor == PROGRAM
    if request.method != "POST":
        return _refusal(405, "An export is started by a POST.", "Send one.", {"Allow": "POST"})
    if not is_program and "ds_csrftoken" not in request.cookies:  # with one, it was compared with the form's
        return _refusal(403, "This did not come from a page of this site.", "Use the button under Runs.", {})
    if why_not := _why_not(datasette, request):
        return _refusal(403, why_not, "Run on the machine itself: clickup-toolkit export", {})
    try:
        await asyncio.to_thread(datasette.monitor.exporter.start)
    except ToolkitError as error:
        if is_program:
            return _refusal(409, error.message, error.remedy or "", {})
        datasette.add_message(request, f"{error.message} {error.remedy or ''}".strip(), datasette.WARNING)
    else:
        if is_program:
            return Response.json({"status": "started"}, status=202)
    return Response.redirect(datasette.urls.path("/-/runs"))


async def versions(datasette: Site, request: Request) -> Response:
    """Show the versions that Redis holds."""
    await _only_for_readers(datasette, request)
    context: dict[str, Any] = {"words": words, "now": datetime.now(UTC), "versions": [], "problem": None}
    try:
        context["versions"] = await held_versions(datasette.monitor.link, datasette.toolkit.team_id or "")
    except RedisError as error:
        context["problem"] = error
    return await _page(datasette, request, "versions.html", context)


def _told(site: Site, now: datetime) -> dict[str, Any]:
    """Return what the page is told again and again. Reads a few small files."""
    export, data_dir = site.facts.export, site.toolkit.data_dir
    doing = look(data_dir, export.at if export else None, asked=site.monitor.exporter.is_coming)
    shown = show(doing, now, export, next_run(data_dir))
    return {
        **msgspec.to_builtins(shown),
        "live": msgspec.to_builtins(doing.live),
        "notebook": doing.notebook,
        "newest": _newest(data_dir / "runs"),
        "version": export.version if export else "",
        "again": _SECONDS_IDLE if shown.state == "idle" else _SECONDS_BUSY,
    }


def _newest(folder: Path) -> str:
    """Return what changes whenever a run begins or ends."""
    name = last_run(folder)
    return f"{name}{'.' if (folder / f'{name}.json').exists() else ''}"


def _why_not(site: Site, request: Request) -> str:
    """Return why this visitor may not start an export, or nothing."""
    if site.toolkit.token is None:
        return "The server does not know the token for ClickUp: CLICKUP_TOKEN is not set for it."
    host = (request.scope.get("client") or ("",))[0]
    if request.actor is None and not is_loopback(host):
        return "Without a password, only this machine may start an export."
    return ""


def _last_failure(found: list[Run]) -> Run | None:
    """Return the newest run that ended, if it failed and says why."""
    ended = next((run for run in found if run.state not in ("running", "stopped", "cut off")), None)
    return ended if ended and ended.state == "failed" and ended.record else None


def _broken(site: Site) -> str:
    """Return why the export that was asked for left no run; what is no message of ours stays in the log."""
    failure = site.monitor.exporter.failure
    if failure is None:
        return ""
    _, mark, said = failure.said.rpartition(_BROKEN_MARK)
    return said if mark else f"It ended with exit code {failure.exit_code}; the log of the server says more."


def _folder(site: Site) -> Path:
    return site.toolkit.data_dir / "runs"


async def _only_for_readers(site: Site, request: Request) -> None:
    await site.ensure_permissions(request.actor, ["view-instance"])


async def _page(site: Site, request: Request, template: str, context: dict[str, Any]) -> Response:
    html = await site.render_template(template, context, request=request, view_name=template)
    return Response.html(html, headers={"Cache-Control": "no-cache"})


def _refusal(status: int, error: str, remedy: str, headers: dict[str, str]) -> Response:
    about = {"status": "error", "error": error, "remedy": remedy}
    return Response.json(about, status=status, headers=headers)
