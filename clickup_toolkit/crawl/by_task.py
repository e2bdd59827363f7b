"""Optional streams that cost a request or more a task: comments with their replies, and task details.

Only tasks that changed since they were last read are asked about; which ones that are, the journal knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import msgspec

from clickup_toolkit.client import Query, Request
from clickup_toolkit.crawl.cursor import instant
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.crawl.remedies import remedy_for
from clickup_toolkit.errors import BrokenAnswer, ClickUpError, Refused, Unanswered
from clickup_toolkit.records import Gap

__all__ = ["read_by_task"]

COMMENTS_A_PAGE = 25
PATIENCE = 25
"""Tasks in a row that may fail before the others are not asked about any more."""
_CHUNK = 500
_AT_ONCE = 64


class _Comment(msgspec.Struct):
    id: object = None
    date: object = None
    reply_count: object = None


class _Comments(msgspec.Struct):
    comments: list[_Comment] | None


class _Details(msgspec.Struct):
    id: object


_decode_comments = msgspec.json.Decoder(_Comments).decode
_decode_details = msgspec.json.Decoder(_Details).decode


async def read_by_task(reader: Reader) -> None:
    """Read the comments and the details of all tasks noted in the journal that are due, where wanted."""
    if "comments" in reader.journal.streams:
        await _Stream(reader, "comments", _read_comments).read()
    if "task_details" in reader.journal.streams:
        await _Stream(reader, "task_details", _read_details).read()


class _Stream:
    """What is read task by task; a task that cannot be read becomes a gap, many in a row end the stream."""

    def __init__(self, reader: Reader, what: str, ask: Callable[[Reader, str], Awaitable[None]]) -> None:
        self._reader = reader
        self._what = what
        self._ask = ask
        self._done = 0
        self._failed = 0
        self._left = False
        self._turns = asyncio.Semaphore(_AT_ONCE)  # whoever has begun asks, whatever was found meanwhile
        self._total = reader.journal.readings.count_unread(what)

    async def read(self) -> None:
        """Read it of every task that is due."""
        await each(self._read_task, self._tasks())

    def _tasks(self) -> Iterator[str]:
        last = ""
        while chunk := self._reader.journal.readings.unread(self._what, last, _CHUNK):
            last = chunk[-1]
            yield from chunk

    async def _read_task(self, task: str) -> None:
        async with self._turns:
            if not self._left:
                await self._read_one(task)

    async def _read_one(self, task: str) -> None:
        self._reader.journal.note_covered(self._what, task)
        try:
            await self._ask(self._reader, task)
        except (Refused, Unanswered) as error:
            self._fail(task, error)
        else:
            self._failed = 0
        self._done += 1
        self._reader.progress(self._what.replace("_", " "), self._done, self._total)

    def _fail(self, task: str, error: ClickUpError) -> None:
        self._failed += 1
        self._reader.note_gap(self._what, task, error)
        if self._failed >= PATIENCE and not self._left:
            self._left = True
            what = self._what.replace("_", " ")
            message = (
                f"Of {PATIENCE} tasks in a row the {what} could not be read: those behind them were left."
            )
            self._reader.journal.note_gap(Gap(self._what, "", error.code, message, remedy_for(error)))


async def _read_comments(reader: Reader, task: str) -> None:
    """Read the comments of a task, newest first, a page after the other, and their replies."""
    start: Query = ()
    seen: frozenset[str] = frozenset()
    while True:
        request = Request(f"/task/{task}/comment", start)
        check = partial(_checked, request=request, seen=seen)
        comments = await reader.ask("comments", request, check, {"task_id": task})
        for comment in comments:
            if (instant(comment.reply_count) or 0) > 0:
                await _read_replies(reader, task, str(comment.id))
        if len(comments) < COMMENTS_A_PAGE:  # ClickUp does not say which page is the last
            return
        seen |= {str(comment.id) for comment in comments}
        start = [("start", str(instant(comments[-1].date))), ("start_id", str(comments[-1].id))]


async def _read_replies(reader: Reader, task: str, comment: str) -> None:
    context = {"task_id": task, "comment_id": comment}
    await reader.ask("comment_replies", Request(f"/comment/{comment}/reply"), _decode_comments, context)


def _checked(body: bytes, *, request: Request, seen: frozenset[str]) -> list[_Comment]:
    """Decode a page and refuse one behind which the next cannot be asked for."""
    comments = _decode_comments(body).comments or []
    if comments and seen.issuperset(str(comment.id) for comment in comments):
        raise _wrong_page("comments that were sent before", request, "PAGE_REPEATED")
    last = comments[-1] if len(comments) >= COMMENTS_A_PAGE else None
    if last and (last.id is None or instant(last.date) is None):
        raise _wrong_page("a last comment without id or date", request, "PAGE_ORDER")
    return comments


def _wrong_page(what: str, request: Request, code: str) -> BrokenAnswer:
    return BrokenAnswer(
        f"ClickUp answered GET {request.path} with {what}.", "Run the export again later.", code=code
    )


async def _read_details(reader: Reader, task: str) -> None:
    """Read a task by its own route, which alone shows its attachments and all of its checklists."""
    request = Request(f"/task/{task}", time="details")  # a task that is shared alone was asked for before
    await reader.ask("task_details", request, _decode_details, {"task_id": task})
