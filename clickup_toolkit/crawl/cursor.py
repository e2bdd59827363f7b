"""Reads a long list of tasks page by page, without losing one when the list changes meanwhile.

Page numbers shift when a task before them is deleted, moved or archived: one task a shift is skipped. So
the cursor does not count pages: tasks are asked for in ascending order of creation (or of the last change),
and the next page is "what came after the last one seen", always at page 0. That also keeps clear of deep
pages, which take ClickUp many seconds. Only when more tasks than fit on a page share one millisecond is
page 1 and so on asked for, within that millisecond.

Whether ClickUp's ``…_gt`` filters include the given instant is told both ways, so each question starts one
millisecond early and reads the last task once more; tasks are told apart by id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import msgspec

from clickup_toolkit.client import Query, Request
from clickup_toolkit.crawl.reader import Reader
from clickup_toolkit.errors import BrokenAnswer

__all__ = ["TaskHead", "TaskPage", "Walk", "decode_tasks", "further_lists", "home_list", "instant", "walk"]

PAGE = 100
_EMPTY_PAGES = 3  # empty pages in a row that are believed when each says it is not the last
_CURSOR_FAILS = frozenset({"PAGE_ORDER", "PAGE_REPEATED"})


class TaskHead(msgspec.Struct, gc=False):
    """The few fields of a task that the crawl itself needs; types as loose as ClickUp's."""

    id: str | int | None = None
    date_created: str | int | float | None = None
    date_updated: str | int | float | None = None
    time_spent: str | int | float | None = None
    archived: object = None
    list: object = None
    locations: object = None

    @property
    def key(self) -> str:
        """The id as text; empty where it is missing."""
        return "" if self.id is None else str(self.id)


class TaskPage(msgspec.Struct):
    """A page of tasks; ``last_page`` is None where ClickUp does not tell."""

    tasks: list[TaskHead]
    last_page: bool | None = None


class _Loose(msgspec.Struct):
    tasks: list[object]
    last_page: object = None


def instant(value: object) -> int | None:
    """Return ms since 1970 UTC of a timestamp that may be text, a number, empty or missing."""
    try:
        return int(float(value)) if isinstance(value, str | int | float) and value != "" else None
    except (ValueError, OverflowError):
        return None


def home_list(task: TaskHead) -> str | None:
    """Return the id of the list that a task lives in."""
    found = task.list.get("id") if isinstance(task.list, dict) else None
    return None if found is None else str(found)


def further_lists(task: TaskHead) -> list[str]:
    """Return the ids of the lists that a task was added to, its home apart, as far as it tells."""
    found = task.locations if isinstance(task.locations, list) else ()
    return [str(place["id"]) for place in found if isinstance(place, dict) and place.get("id") is not None]


def decode_tasks(body: bytes) -> TaskPage:
    """Decode a page of tasks; what is not understood in a task is left out here, and kept in the journal."""
    try:
        return msgspec.json.decode(body, type=TaskPage)
    except msgspec.ValidationError:
        loose = msgspec.json.decode(body, type=_Loose)
        heads = [_loose_head(task) for task in loose.tasks if isinstance(task, dict)]
        return TaskPage(heads, loose.last_page if isinstance(loose.last_page, bool) else None)


def _loose_head(task: dict[str, object]) -> TaskHead:
    def simple(name: str) -> str | int | float | None:
        value = task.get(name)
        return value if isinstance(value, str | int | float) else None

    identity = task.get("id")
    return TaskHead(
        identity if isinstance(identity, str | int) else None,
        simple("date_created"),
        simple("date_updated"),
        simple("time_spent"),
        task.get("archived"),
        task.get("list"),
        task.get("locations"),
    )


class _Step(NamedTuple):
    """Where the cursor stands: after which instant (ms), and which page behind it."""

    after: int | None
    page: int


@dataclass(frozen=True)
class Walk:
    """A long list of tasks: where it is asked for, and the order it is read in.

    ``by`` is ``created`` or ``updated``: the field that orders and that ``since`` (ms) limits. ``time`` tells
    it from the same list read earlier in the crawl.
    """

    path: str
    query: Query
    context: dict[str, str]
    by: str = "created"
    since: int | None = None
    time: str = ""

    def first(self, after: int | None) -> Request:
        """Return the question for the first page of what is not before the instant ``after`` (ms)."""
        return self.request(_Step(after, 0))

    def request(self, step: _Step) -> Request:
        """Return the question at a place of the cursor."""
        order = [("order_by", self.by), ("reverse", "true"), ("page", str(step.page))]
        after = [] if step.after is None else [(f"date_{self.by}_gt", str(max(0, step.after - 1)))]
        return Request(self.path, [*self.query, *after, *order], self.time)

    def times(self, tasks: list[TaskHead]) -> list[int]:
        """Return the instants (ms) that order these tasks; unreadable ones are left out."""
        fields = (task.date_created if self.by == "created" else task.date_updated for task in tasks)
        return [at for at in map(instant, fields) if at is not None]


async def walk(reader: Reader, walk: Walk, take: Callable[[list[TaskHead]], None]) -> None:
    """Read all tasks of ``walk`` and hand each page's new ones to ``take``.

    Raises what :meth:`Reader.ask` raises; what was handed over until then is good. Where ClickUp does not
    keep the order or the filter that the cursor relies on, pages are counted instead.
    """
    try:
        await _follow(reader, walk, take, _after_the_last)
    except BrokenAnswer as error:
        if error.code not in _CURSOR_FAILS:
            raise
        await _follow(reader, walk, take, _one_further)


async def _follow(
    reader: Reader,
    walk: Walk,
    take: Callable[[list[TaskHead]], None],
    advance: Callable[[Walk, TaskPage, list[TaskHead], _Step], _Step],
) -> None:
    step, seen = _Step(walk.since, 0), frozenset[str]()
    while True:
        check = partial(_checked, walk=walk, step=step, seen=seen, ordered=advance is _after_the_last)
        page = await reader.ask("tasks", walk.request(step), check, walk.context)
        new = [task for task in page.tasks if task.key not in seen]
        take(new)
        if _ended(page, step):
            return
        following = advance(walk, page, new, step)
        seen = frozenset(task.key for task in page.tasks) | (seen if following.page else frozenset())
        step = following


def _ended(page: TaskPage, step: _Step) -> bool:
    """Stop at the page that says so, or at an empty one; a short page may only have been thinned out."""
    if page.tasks:
        return page.last_page is True
    return page.last_page is not False or step.page >= _EMPTY_PAGES


def _after_the_last(walk: Walk, page: TaskPage, new: list[TaskHead], step: _Step) -> _Step:
    last = max(walk.times(new), default=None)
    if last is None or last == step.after:
        return _one_further(walk, page, new, step)
    if page.last_page is None and len(page.tasks) < PAGE:
        return _one_further(walk, page, new, step)  # probably the end: an empty page confirms it
    return _Step(last, 0)


def _one_further(walk: Walk, page: TaskPage, new: list[TaskHead], step: _Step) -> _Step:
    return _Step(step.after, step.page + 1)


def _checked(body: bytes, *, walk: Walk, step: _Step, seen: frozenset[str], ordered: bool) -> TaskPage:
    """Decode a page and refuse one that cannot be the answer: out of order, or seen before."""
    page = decode_tasks(body)
    times = walk.times(page.tasks)
    if ordered and any(earlier > later for earlier, later in pairwise(times)):
        raise _wrong_page("out of order", walk.request(step), "PAGE_ORDER")
    filtered = step.after is None or not times or times[0] >= step.after - 1
    if (ordered and not filtered) or (
        step.page and page.tasks and seen.issuperset(t.key for t in page.tasks)
    ):
        raise _wrong_page("that were sent before", walk.request(step), "PAGE_REPEATED")
    return page


def _wrong_page(how: str, request: Request, code: str) -> BrokenAnswer:
    return BrokenAnswer(
        f"ClickUp answered GET {request.path} with tasks {how}.", "Run the export again later.", code=code
    )
