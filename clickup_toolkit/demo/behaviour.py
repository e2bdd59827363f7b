"""What ClickUp is reported to do in more than one way: a switch for each."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Behaviour"]


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves where the real one is undocumented, or reported both ways.

    - ``gt_inclusive``, ``lt_inclusive``: whether ``date_*_gt`` and ``date_*_lt`` include the instant itself.
    - ``team_last_page``: whether the workspace-wide route sends ``last_page``: always, never or sometimes.
    - ``team_archived``: whether ``archived=true`` works there (archived tasks in places that are not).
    - ``team_archived_subtasks``: whether archived subtasks are among them.
    - ``team_timl``: whether ``include_timl=true`` works there.
    - ``team_hidden``: archived tasks, by id, that it leaves out.
    - ``inlined_lists``: which of a folder's open lists come inside it: all, all but one, or none.
    - ``strict_filters``: 401 when a filter names a place the token does not see; else ignored.
    - ``short_pages``: pages lose rows to access filtering, so a page may be short and not the last.
    - ``time_in_status``: whether the plan has it; else 403 ``TIS_027``.
    - ``history_from``: tasks made before (ms) have no time in status: it was switched on later.
    - ``entries_inside``: an entry is in the span that is asked for only if it ends there, too.
    - ``entries_limit``: answers about time entries are silently cut off after so many (0: never).
    - ``left_people``: time of people who left is answered when they are named; else 400 ``TIMEENTRY_007``.
    - ``docs_a_page``: the most docs in an answer, whatever limit was asked for.
    - ``plan``: name and number of the workspace's plan.
    - ``second_workspace``: an OAuth token also lists a workspace that it is not authorised for.
    """

    gt_inclusive: bool = True
    lt_inclusive: bool = False
    team_last_page: str = "sometimes"
    team_archived: bool = True
    team_archived_subtasks: bool = True
    team_timl: bool = True
    team_hidden: frozenset[str] = frozenset()
    inlined_lists: str = "all"
    strict_filters: bool = True
    short_pages: bool = False
    time_in_status: bool = True
    history_from: int = 0
    entries_inside: bool = False
    entries_limit: int = 0
    left_people: bool = False
    docs_a_page: int = 100
    plan: tuple[str, int] = ("Business", 3)
    second_workspace: bool = True
