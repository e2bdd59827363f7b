"""The pages of our own: home, executed notebooks, and what to do before there is anything to see.

Plugin routes are not covered by datasette's permissions: each view asks for itself.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from datasette import NotFound, Response

from clickup_toolkit.records import TABLES
from clickup_toolkit.serve import notebook, words
from clickup_toolkit.serve.runs import Run, find_run, list_runs

if TYPE_CHECKING:
    from datasette.utils.asgi import Request

    from clickup_toolkit.serve.site import Site

__all__ = ["fresh", "home", "nothing_yet", "run", "run_download"]

_MAIN_TABLES = (
    "tasks",
    "time_in_status",
    "time_entries",
    "lists",
    "spaces",
    "members",
    "custom_fields",
    "status_changes",
    "exports",
)
_WAYS = (
    ("/-/dashboards", "Overview", "Where the work stands, what waits, and what has changed."),
    ("/-/dashboards/time-in-status", "Time in status", "How long tasks stay in each status, and where."),
    ("/-/dashboards/flow", "Flow", "How long work takes, how old it grows, how much gets finished."),
    ("/-/dashboards/time-tracking", "Time tracking", "Who tracked how much, and how estimates hold."),
)
_RUNS_AT_HOME = 5
_GAPS_AT_HOME = 12
_NO_NOTEBOOK = "<p>This export executed no notebook: those of the schedule do.</p>"
_PROGRAMS_READ = (".json", ".csv", ".db", ".jsono")


async def home(datasette: Site, request: Request) -> Response:
    """Say what this is, how fresh and how complete, and where to go from here."""
    await _only_for_readers(datasette, request)
    return await _show_home(datasette, request)


async def nothing_yet(datasette: Site, request: Request) -> Response:
    """Answer for every table while there is none."""
    await _only_for_readers(datasette, request)
    if request.path.endswith(_PROGRAMS_READ):
        return _problem(
            503, "Nothing was exported yet.", "Run: clickup-toolkit export", {"Retry-After": "60"}
        )
    return await _show_home(datasette, request)


async def _show_home(site: Site, request: Request) -> Response:
    now = datetime.now(UTC)
    recent, total = await asyncio.to_thread(list_runs, _runs_folder(site), _RUNS_AT_HOME)
    export = site.facts.export
    interval = timedelta(hours=site.toolkit.export_interval_hours)
    context = {
        "now": now,
        "words": words,
        "export": export,
        "stale": export is not None and now - export.at > 2 * interval,
        "gaps": site.facts.gaps[:_GAPS_AT_HOME],
        "tables": [TABLES[name] for name in _MAIN_TABLES],
        "ways": _WAYS,
        "runs": recent,
        "runs_total": total,
        "address": f"{request.scheme}://{request.host}",
        "metadata": site.metadata(),
    }
    return _html(await site.render_template("home.html", context, request=request, view_name="index"))


async def fresh(datasette: Site, request: Request) -> Response:
    """Tell which version the next page will show, and how old it is."""
    await _only_for_readers(datasette, request)
    export = datasette.facts.export
    told = {
        "version": export.version if export else "",
        "at": export.at.isoformat() if export else None,
        "text": datasette.freshness(),
    }
    return Response.json(told, headers={"Cache-Control": "no-store"})


async def run(datasette: Site, request: Request) -> Response:
    """Show a run: what came of it, and the notebook that it executed."""
    found = await _find(datasette, request)
    problem, html = "", ""
    try:
        html = await asyncio.to_thread(notebook.to_html, found.path) if found.has_notebook else _NO_NOTEBOOK
    except ModuleNotFoundError:
        problem = (
            "To read notebooks here, install the extra: pip install 'clickup-workspace-toolkit[notebooks]'"
        )
    except Exception:  # nbformat and nbconvert raise whatever a broken file makes them stumble over
        problem = "The notebook cannot be read: it is being written, or was cut off."
    template = datasette.jinja_env.get_template("run.html")
    page = await template.render_async(run=found, notebook=html, problem=problem, words=words)
    return _html(page, {"Content-Security-Policy": notebook.CONTENT_SECURITY_POLICY})


async def run_download(datasette: Site, request: Request) -> Response:
    """Hand out an executed notebook as the file it is."""
    found = await _find(datasette, request)
    if not found.has_notebook:
        raise NotFound(f"The run {found.name} executed no notebook")
    body = await asyncio.to_thread(found.path.read_bytes)
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    return Response(body, headers=headers, content_type="application/x-ipynb+json")


async def _find(site: Site, request: Request) -> Run:
    await _only_for_readers(site, request)
    name = unquote(request.url_vars["name"])
    found = await asyncio.to_thread(find_run, _runs_folder(site), name)
    if found is None:
        raise NotFound(f"There is no run {name}")
    return found


async def _only_for_readers(site: Site, request: Request) -> None:
    await site.ensure_permissions(request.actor, ["view-instance"])


def _runs_folder(site: Site) -> Path:
    return site.toolkit.data_dir / "runs"


def _html(page: str, headers: dict[str, str] | None = None) -> Response:
    return Response.html(page, headers={"Cache-Control": "no-cache", **(headers or {})})


def _problem(status: int, error: str, remedy: str, headers: dict[str, str]) -> Response:
    about = {"status": "error", "error": error, "remedy": remedy}
    return Response.json(about, status=status, headers=headers)
