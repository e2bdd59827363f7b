"""Where marks, figures and rows lead: to a task's own page, or to the tasks that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

import pandas as pd
from datasette.utils import tilde_encode

from clickup_toolkit.analyse.basis import text
from clickup_toolkit.serve.assigned import assigned
from clickup_toolkit.serve.dashboards.filters import Filters
from clickup_toolkit.serve.dashboards.source import Source

__all__ = ["TASK", "TASKS", "Links"]

TASKS = "/clickup/tasks"
TASK = f"{TASKS}/"
"""What the address of a task's page begins with; its id follows, as datasette writes it."""

NOTHING: Mapping[str, str] = {}
_LONGEST = 6_000  # characters of an address: servers and browsers take 8,000 at least


class Links:
    """The addresses of one page, narrowed to its filters."""

    def __init__(self, source: Source, filters: Filters) -> None:
        self._source = source
        self._filters = filters

    def task(self, task_id: str) -> str:
        """Return the address of a task."""
        return f"{TASK}{tilde_encode(task_id)}"

    def tasks(self, conditions: Mapping[str, str] | None = None, **more: str) -> str:
        """Return the address of the task table, narrowed as the page is, and by the columns' conditions."""
        own = {**(conditions or {}), **more}
        said = [*own.items(), *(pair for pair in self._of_filters() if pair[0].split("__")[0] not in own)]
        return _address(TASKS, said)

    def done_between(self, since: datetime | None, until: datetime | None) -> str:
        """Return the address of the tasks done in a period."""
        return self.tasks(self.done(since, until), _sort_desc="date_done")

    def done(self, since: datetime | None, until: datetime | None) -> dict[str, str]:
        """Return the conditions of the tasks done in a period, both its ends in it."""
        return _between("date_done", since, until) or {"date_done__notblank": "1"}

    def entries(self, member: str, since: datetime | None, until: datetime | None) -> str:
        """Return the address of a member's time entries of a period."""
        who = {"member_id": member} if member else {"member_id__isblank": "1"}
        said = {**who, **_between("start", since, until), "_sort_desc": "start"}
        return _address("/clickup/time_entries", list(said.items()))

    def of(self, kind: str, key: str, more: Mapping[str, str] = NOTHING) -> str:
        """Return where a mark of this kind leads (see :mod:`clickup_toolkit.charts`); empty for nowhere.

        ``more`` are conditions that the tasks of a group meet, too.
        """
        if kind == "task":
            return self.task(key)
        if kind == "status":
            return self._of_status(key)
        if kind in ("list", "space", "folder"):
            return self.tasks({f"{kind}_id": key} if key else {f"{kind}_id__isblank": "1"}, **more)
        if kind == "priority":
            return self.tasks({"priority": key} if key else {"priority__isblank": "1"}, **more)
        if kind == "task_type":
            return self.tasks({"task_type_id": key}, **more)
        if kind == "member" and key:
            return self.tasks({**more, "_where": assigned([key])})
        return ""

    def _of_status(self, key: str) -> str:
        status, lists = self._statuses.get(key, ("", []))
        if not status and ":" in key:
            home, _, status = key.partition(":")
            lists = [home]
        if not status:
            return ""
        chosen = [each for each in lists if each in self._filters.list] if self._filters.list else lists
        where = {"list_id__in": ",".join(chosen)} if chosen else {}
        return self.tasks({"status": status, **where, "archived": "0", "_sort": "status_since"})

    @cached_property
    def _statuses(self) -> dict[str, tuple[str, list[str]]]:
        """Return name and lists of each status that ClickUp gives an id."""
        rows = self._source.columns("statuses", ("list_id", "status", "status_id"))
        rows = rows[rows["status_id"].notna()]
        found: dict[str, tuple[str, list[str]]] = {}
        for key, name, home in zip(
            text(rows["status_id"]), text(rows["status"]), text(rows["list_id"]), strict=True
        ):
            found.setdefault(str(key), (str(name), []))[1].append(str(home))
        return found

    def _of_filters(self) -> Iterable[tuple[str, str]]:
        for kind, column in (("space", "space_id"), ("list", "list_id"), ("type", "task_type_id")):
            chosen = self._filters.chosen(kind)
            if len(chosen) == 1:
                yield column, chosen[0]
            elif chosen:
                yield f"{column}__in", ",".join(chosen)
        if self._filters.member:
            yield "_where", assigned(self._filters.member)


def _between(column: str, since: datetime | None, until: datetime | None) -> dict[str, str]:
    said = {} if since is None else {f"{column}__gte": _iso(since)}
    return said if until is None else {**said, f"{column}__lte": _iso(until)}


def _address(path: str, said: list[tuple[str, str]]) -> str:
    """Return an address; conditions that would make it too long are left out, the last first."""
    while len(query := urlencode(said)) > _LONGEST:
        said = said[:-1]
    return f"{path}?{query}"


def _iso(at: datetime) -> str:
    return (
        pd.Timestamp(at).tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
    )
