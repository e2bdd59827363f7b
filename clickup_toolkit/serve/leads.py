"""Where the page of a member, list, space or folder leads: to the tasks and the time that belong to it.

ClickUp's API gives no address of a member, so these are the ways on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from clickup_toolkit.serve.assigned import assigned

if TYPE_CHECKING:
    from clickup_toolkit.serve.site import Site

__all__ = ["leads"]

_COLUMNS = {"lists": "list_id", "spaces": "space_id", "folders": "folder_id"}
_FILTERS = {"members": "member", "lists": "list", "spaces": "space"}
_OPEN = {"status_type__in": "open,custom", "archived": "0", "in_archived": "0"}


def leads(site: Site, table: str, key: str) -> list[tuple[str, str]]:
    """Return title and address of each way on from a row's page; none from the rows of most tables."""
    if table == "members":
        found = _of_member(key)
    elif table in _COLUMNS:
        found = _of_place(_COLUMNS[table], key)
    else:
        return []
    if table in _FILTERS:
        asked = {_FILTERS[table]: key}
        found += [
            ("Dashboards", "/-/dashboards", asked),
            ("Time dashboard", "/-/dashboards/time-tracking", asked),
        ]
    return [(title, f"{site.urls.path(path)}?{urlencode(asked)}") for title, path, asked in found]


def _of_member(key: str) -> list[tuple[str, str, dict[str, str]]]:
    own = {"_where": assigned([key])}
    return [
        ("Tasks assigned", "/clickup/tasks", own),
        ("Unfinished tasks", "/clickup/tasks", {**own, **_OPEN, "_sort": "status_since"}),
        ("Time entries", "/clickup/time_entries", {"member_id": key, "_sort_desc": "start"}),
        ("Tracked by week", "/clickup/tracked_by_week", {"member_id": key, "_sort_desc": "week"}),
        ("Tracked by task", "/clickup/who_tracked_what", {"member": key}),
    ]


def _of_place(column: str, key: str) -> list[tuple[str, str, dict[str, str]]]:
    return [
        ("Tasks", "/clickup/tasks", {column: key}),
        ("Unfinished tasks", "/clickup/open_tasks", {column: key, "_sort_desc": "in_status_ms"}),
        ("Time entries", "/clickup/time_entries", {column: key, "_sort_desc": "start"}),
    ]
