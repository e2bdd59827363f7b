"""Optional streams beside the tasks: goals with their key results, docs with their pages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product

import msgspec

from clickup_toolkit.client import Query, Request
from clickup_toolkit.crawl.cursor import instant
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.errors import BrokenAnswer

__all__ = ["read_docs", "read_goals"]

DOCS_A_PAGE = "100"
"""The most that ClickUp sends at once."""
_WHOLE: Query = (("max_page_depth", "-1"), ("content_format", "text/md"))


class _Goal(msgspec.Struct):
    id: str | int | None = None


class _GoalFolder(msgspec.Struct):
    goals: list[_Goal] | None = None


class _Goals(msgspec.Struct):
    goals: list[_Goal] | None
    folders: list[_GoalFolder] | None = None


class _OneGoal(msgspec.Struct):
    goal: _Goal


class _Doc(msgspec.Struct):
    id: str | int | None = None
    date_updated: object = None


class _Docs(msgspec.Struct):
    docs: list[_Doc] | None
    next_cursor: str | int | None = None


_decode_goals = msgspec.json.Decoder(_Goals).decode
_decode_goal = msgspec.json.Decoder(_OneGoal).decode
_decode_docs = msgspec.json.Decoder(_Docs).decode
_decode_pages = msgspec.json.Decoder(list[msgspec.Raw]).decode


async def read_goals(reader: Reader, team: str) -> None:
    """Read the goals of the workspace and of its folders of goals, and each one's key results."""
    if "goals" not in reader.journal.streams:
        return
    request = Request(f"/team/{team}/goal", [("include_completed", "true")])
    found = await reader.ask_or_gap("goals", request, _decode_goals, what="goals", id=team)
    if found is None:
        return
    inside = [goal for folder in found.folders or () for goal in folder.goals or ()]
    goals = {str(goal.id) for goal in [*(found.goals or ()), *inside] if goal.id is not None}

    async def read(goal: str) -> None:
        request = Request(f"/goal/{goal}")
        await reader.ask_or_gap("goal", request, _decode_goal, {"goal_id": goal}, what="goals", id=goal)

    await each(read, sorted(goals))


async def read_docs(reader: Reader, team: str) -> None:
    """Read the list of docs, and the pages of those that changed since they were last read."""
    if "docs" not in reader.journal.streams:
        return
    docs: dict[str, int | None] = {}
    for archived, deleted in product(("false", "true"), repeat=2):
        flags = [("archived", archived), ("deleted", deleted)]
        async with reader.gap_for("docs", " ".join(name for name, value in flags if value == "true")):
            await _list_docs(reader, team, flags, docs)

    async def read(doc: str) -> None:
        request = Request(f"/v3/workspaces/{team}/docs/{doc}/pages", _WHOLE)
        await reader.ask_or_gap(
            "doc_pages", request, _decode_pages, {"doc_id": doc}, what="doc_pages", id=doc
        )

    await each(read, _unread(reader, docs))


def _unread(reader: Reader, docs: dict[str, int | None]) -> Iterator[str]:
    for doc, updated in sorted(docs.items()):
        if not reader.journal.readings.holds("doc_pages", doc, updated):
            yield doc


async def _list_docs(
    reader: Reader, team: str, flags: list[tuple[str, str]], docs: dict[str, int | None]
) -> None:
    """Follow the cursor through one of ClickUp's lists of docs; note in ``docs`` when each was changed."""
    cursor, passed = "", {""}
    while True:
        query = [*flags, ("limit", DOCS_A_PAGE), *([("cursor", cursor)] if cursor else [])]
        request = Request(f"/v3/workspaces/{team}/docs", query)
        check = partial(_checked, request=request, passed=frozenset(passed))
        page = await reader.ask("docs", request, check, dict(flags))
        docs |= {str(doc.id): instant(doc.date_updated) for doc in page.docs or () if doc.id is not None}
        cursor = str(page.next_cursor or "")
        passed.add(cursor)
        reader.progress("docs", len(docs), None)
        if not cursor:
            return


def _checked(body: bytes, *, request: Request, passed: frozenset[str]) -> _Docs:
    """Decode a page and refuse one that leads back."""
    page = _decode_docs(body)
    if page.next_cursor and str(page.next_cursor) in passed:
        raise BrokenAnswer(
            f"ClickUp answered GET {request.path} with a cursor that was sent before.",
            "Run the export again later.",
            code="PAGE_REPEATED",
        )
    return page
