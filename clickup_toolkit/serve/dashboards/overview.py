"""The first page: where the work stands, what changed since the export before, what could not be read."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pandas as pd

from clickup_toolkit.analyse.basis import is_finished, milliseconds, text
from clickup_toolkit.serve.dashboards.drawing import cut
from clickup_toolkit.serve.dashboards.links import Links
from clickup_toolkit.serve.dashboards.narrowed import Narrowed
from clickup_toolkit.serve.dashboards.panels import Cell, Change, Fact, Table, Told
from clickup_toolkit.serve.dashboards.parts import panels, tried
from clickup_toolkit.serve.dashboards.summaries import facts_of_flow
from clickup_toolkit.serve.dashboards.time_in_status import told_waits, waits
from clickup_toolkit.serve.dashboards.weeks import weekly

__all__ = ["make"]

_SHOWN = 10
_SHORT = 8  # bars of a chart that the page on time in status has whole
_GAPS = 20
_COLUMNS = ("id", "name", "list_name", "status", "status_type", "date_created", "date_updated")
_DONE = ("date_done", "date_closed")


def make(narrowed: Narrowed, links: Links) -> Told:
    """Return facts, changes, gaps, and the charts of what waits and of what gets finished."""
    since, changes = _changes(narrowed, links)
    return Told(
        facts=tried("facts", lambda: (_tasks(narrowed, links), *facts_of_flow(narrowed, links)), ()),
        sentence=tried("sentence", lambda: told_waits(narrowed), ""),
        panels=panels(
            narrowed, links, {"where_work_waits": partial(waits, top=_SHORT), "throughput": weekly}
        ),
        since=since,
        changes=changes,
        gaps=_gaps(narrowed),
    )


def _tasks(narrowed: Narrowed, links: Links) -> Fact:
    tasks = narrowed.table("tasks", ("status_type", "date_done", "archived", "in_archived"))
    finished = is_finished(tasks)
    put_away = int((~finished & (tasks["archived"].fillna(False) | tasks["in_archived"].fillna(False))).sum())
    done, archived = int(finished.sum()), f", {put_away:,} archived" if put_away else ""
    remark = f"{done:,} done, {len(tasks) - done - put_away:,} open{archived}"
    return Fact("Tasks", f"{len(tasks):,}", remark, links.tasks())


def _changes(narrowed: Narrowed, links: Links) -> tuple[datetime | None, tuple[Change, ...]]:
    """Return when the export before began, and what happened since; nothing where this is the first one."""
    exports = narrowed.source.columns("exports", ("version", "started")).sort_values("version")
    if len(exports) < 2:
        return None, ()
    before, last = exports["started"].iloc[-2], exports["started"].iloc[-1]
    tasks = narrowed.table("tasks", (*_COLUMNS, *_DONE))
    done = is_finished(tasks) & (milliseconds(tasks["date_done"].fillna(tasks["date_closed"])) >= _ms(before))
    new = milliseconds(tasks["date_created"]) >= _ms(before)
    changed = (milliseconds(tasks["date_updated"]) >= _ms(before)) & ~new & ~done
    iso = before.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return before.to_pydatetime(), (
        _change("New", tasks[new], "date_created", links, iso),
        _change("Done", tasks[done], "date_done", links, iso),
        _change("Changed otherwise", tasks[changed], "date_updated", links, iso),
        _deleted(narrowed, last),
    )


def _change(name: str, tasks: pd.DataFrame, column: str, links: Links, since: str) -> Change:
    first = tasks.sort_values([column, "id"], ascending=[False, True]).head(_SHOWN)
    rows = tuple(
        (Cell(cut(row["name"]), links.task(str(row["id"]))), _place(row["list_name"]), _place(row["status"]))
        for row in first.to_dict("records")
    )
    href = links.tasks({f"{column}__gte": since, "_sort_desc": column})
    return Change(name, len(tasks), Table(("Task", "List", "Status"), rows, len(tasks)), href)


def _deleted(narrowed: Narrowed, last: pd.Timestamp) -> Change:
    """Return the tasks that the last export found deleted; of those, places alone are known."""
    gone = narrowed.source.columns(
        "deleted_tasks", ("id", "name", "status", "list_id", "space_id", "missed_by")
    )
    gone = gone[milliseconds(gone["missed_by"]) >= _ms(last)]
    for kind in ("space", "list"):
        if narrowed.filters.chosen(kind):
            gone = gone[gone[f"{kind}_id"].isin(narrowed.filters.chosen(kind))]
    lists = narrowed.source.columns("lists", ("id", "name"))
    names = dict(zip(text(lists["id"]), text(lists["name"]), strict=True))
    rows = tuple(
        (
            Cell(cut(row["name"]), f"/clickup/deleted_tasks?id={row['id']}"),
            _place(names.get(row["list_id"], row["list_id"])),
            _place(row["status"]),
        )
        for row in gone.head(_SHOWN).to_dict("records")
    )
    href = "/clickup/deleted_tasks?_sort_desc=missed_by"
    return Change("Deleted", len(gone), Table(("Task", "List", "Status"), rows, len(gone)), href)


def _place(name: object) -> Cell:
    return Cell(cut(name) if isinstance(name, str) else "–")


def _gaps(narrowed: Narrowed) -> tuple[tuple[str, str, str, str, str], ...]:
    gaps = narrowed.source.columns("gaps", ("what", "id", "code", "message", "remedy"))
    rows = [tuple(cut(value) for value in row) for row in gaps.head(_GAPS).itertuples(index=False)]
    return tuple((what, key, code, message, remedy) for what, key, code, message, remedy in rows)


def _ms(at: pd.Timestamp) -> float:
    return at.timestamp() * 1000
