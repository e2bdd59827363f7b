"""Asks, through the journal: what was answered before is not asked again, what is refused becomes a gap."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import msgspec

from clickup_toolkit.client import Answer, Client, Request
from clickup_toolkit.crawl.patience import Doubt, Patience
from clickup_toolkit.crawl.remedies import TOKEN_CODES, remedy_for, token_rejected
from clickup_toolkit.errors import (
    ApiUnreachable,
    ClickUpError,
    RateLimited,
    Refused,
    ToolkitError,
    Unanswered,
)
from clickup_toolkit.records import Gap
from clickup_toolkit.settings.readers import MOST_REQUESTS

__all__ = ["Noted", "Progress", "Reader", "each"]

T = TypeVar("T")
Item = TypeVar("Item")
Progress = Callable[[str, int, int | None], None]
"""Told what is being read, how much of it is done, and of how much, where that is known."""

_WIDTH = MOST_REQUESTS  # coroutines that may ask at once; the pacer decides how many really do
_OUTAGE_AFTER = 3  # failures in a row, of anything, after which the API counts as gone


class Readings(Protocol):
    """What earlier crawls read thing by thing, and what is to be read now."""

    def holds(self, what: str, id: str, updated: int | None) -> bool:  # noqa: A002
        """Tell whether ``what`` of ``id``, which was changed at ``updated`` (ms), was read since."""

    def unread(self, what: str, after: str, most: int) -> list[str]:
        """Return up to ``most`` ids of noted tasks behind ``after`` whose ``what`` is due, in order."""

    def count_unread(self, what: str) -> int:
        """Return of how many noted tasks ``what`` is to be read."""

    def overtold_tasks(self) -> list[str]:
        """Return tasks of which ClickUp counts less time than before, and less than is remembered."""

    def lost_archived(self) -> dict[str, int]:
        """Return how many archived tasks of the export before were not noted, by their home list."""

    def lost_tasks(self, after: str, most: int) -> list[str]:
        """Return up to ``most`` ids behind ``after`` of known tasks that were not noted, in order."""


class Noted(Protocol):
    """What a crawl needs of its journal; :class:`clickup_toolkit.store.Journal` is one."""

    @property
    def started(self) -> int:
        """When the crawl began, in ms since 1970 UTC."""

    @property
    def watermark(self) -> int:
        """When the crawl began by ClickUp's clock, in ms since 1970 UTC, or a little earlier."""

    def note_ahead(self, ahead: int | None) -> None:
        """Remember how far our clock is ahead of ClickUp's (ms), the first time it is known."""

    @property
    def since(self) -> int | None:
        """From when on changes are to be read (ms since 1970 UTC); None: everything."""

    @property
    def streams(self) -> frozenset[str]:
        """The optional streams that are to be read."""

    @property
    def readings(self) -> Readings:
        """What earlier crawls read thing by thing."""

    def recall(self, key: str) -> Answer | Refused | None:
        """Return what was answered to a request before."""

    def record(self, key: str, answer: Answer) -> None:
        """Append an answer."""

    def record_refusal(self, key: str, stream: str, refusal: Refused) -> None:
        """Append a refusal."""

    def note_gap(self, gap: Gap) -> None:
        """Remember that something could not be read."""

    def note_covered(self, what: str, id: str) -> None:  # noqa: A002
        """Remember that this crawl asks for ``what`` of ``id``: earlier gaps about it are settled."""

    def gaps(self) -> list[Gap]:
        """Return what could not be read so far."""

    def begin(self) -> None:
        """Forget what was derived from answers: gaps, tasks, entries. A crawl derives it again."""

    def note_tasks(self, tasks: Iterable[tuple[str, int | None, int, str | None]]) -> None:
        """Remember tasks: id, date_updated (ms), time_spent (ms), home list."""

    def note_entries(self, entries: Iterable[tuple[str, str | None, int]]) -> None:
        """Remember time entries: id, task, duration (ms)."""

    def count_tasks(self) -> int:
        """Return how many tasks were noted; reads them all."""

    def task_ids(self, after: str, most: int) -> list[str]:
        """Return up to ``most`` ids of noted tasks behind ``after``, in order."""

    def tasks_by_list(self) -> dict[str, int]:
        """Return how many tasks were noted in each home list."""

    def known_lists(self) -> set[str]:
        """Return the lists that the export before held and that lay in no archived place."""

    def lists_before(self) -> set[str]:
        """Return the lists that the export before held, open or not."""

    def filled_before(self) -> set[str]:
        """Return the lists in which ClickUp counted tasks at the export before."""

    def unknown_lists(self, known: Iterable[str]) -> set[str]:
        """Return the home lists of noted tasks that are neither in ``known`` nor known from before."""

    def undertracked_tasks(self) -> list[str]:
        """Return the tasks whose time_spent exceeds their noted entries, and was not found to before."""


class Reader:
    """Asks ClickUp on behalf of a crawl.

    ``resumed`` counts answers that the journal had before this run, ``answered`` those of each stream.
    """

    def __init__(self, client: Client, journal: Noted, progress: Progress) -> None:
        self.journal = journal
        self.progress = progress
        self.resumed = 0
        self._client = client
        self.answered: Counter[str] = Counter()
        self._outages = 0
        self._token_checked = asyncio.Lock()
        self._doubt = Doubt()
        self._doubtful: list[tuple[str, str, Refused]] = []
        self._patience = defaultdict[tuple[str, ...], Patience](Patience)
        self._answered_now: set[int] = set()

    async def ask(
        self,
        stream: str,
        request: Request,
        decode: Callable[[bytes], T],
        context: dict[str, str] | None = None,
        *,
        refusal_stays: bool = True,
    ) -> T:
        """Return what ``decode`` makes of the answer. Raises what :meth:`Client.get` raises.

        A refusal is remembered for a crawl that goes on later, unless ``refusal_stays`` is False.
        """
        known = self.journal.recall(request.key)
        if isinstance(known, Refused):
            raise known
        if known is not None:
            self.resumed += hash(request.key) not in self._answered_now
            self.answered[stream] += 1
            return decode(known.body)
        try:
            body, received, decoded = await self._get(stream, request, decode)
        except Refused as refusal:
            if refusal_stays:
                self._doubtful.append((request.key, stream, refusal))
            await self._check_token(refusal)
            raise
        except Unanswered as failure:
            self._count_outage(failure)
            raise
        self._outages = 0
        self._settle_doubt()
        self.answered[stream] += 1
        self._answered_now.add(hash(request.key))
        self.journal.record(request.key, Answer(stream, context or {}, received, body))
        return decoded

    async def ask_or_gap(
        self,
        stream: str,
        request: Request,
        decode: Callable[[bytes], T],
        context: dict[str, str] | None = None,
        *,
        what: str,
        id: str = "",  # noqa: A002  # the gap's own word
    ) -> T | None:
        """As :meth:`ask`, but what stays unread becomes a gap and None."""
        self.journal.note_covered(what, id)
        try:
            return await self.ask(stream, request, decode, context)
        except (Refused, Unanswered) as error:
            self.note_gap(what, id, error)
            return None

    @asynccontextmanager
    async def gap_for(self, what: str, id: str = "") -> AsyncIterator[None]:  # noqa: A002
        """Turn a refusal or a failure inside into a gap and go on behind it."""
        self.journal.note_covered(what, id)
        try:
            yield
        except (Refused, Unanswered) as error:
            self.note_gap(what, id, error)

    def note_gap(self, what: str, id: str, error: ClickUpError) -> None:  # noqa: A002
        """Record that ``what`` of ``id`` could not be read."""
        self.journal.note_gap(Gap(what, id, error.code, error.message, remedy_for(error)))

    async def _get(self, stream: str, request: Request, decode: Callable[[bytes], T]) -> tuple[bytes, int, T]:
        """Ask; where that fails, insist, but only with a few questions to a route at once.

        So a route that is broken for many that ask at the same time costs all but a few of them one try.
        """
        patience = self._patience[_route(stream, request)]
        try:
            answer = await self._client.get(request, decode, tries=1)
        except RateLimited:  # it was waited out already
            raise
        except Unanswered as failure:
            answer = await self._insist(patience, request, decode, failure)
        patience.answered()
        return answer

    async def _insist(
        self, patience: Patience, request: Request, decode: Callable[[bytes], T], failure: Unanswered
    ) -> tuple[bytes, int, T]:
        if self._client.tries == 1 or not await patience.turn():
            raise failure
        in_vain = False
        try:
            return await self._client.get(request, decode, failed=1)
        except Unanswered:
            in_vain = True
            raise
        finally:
            patience.ended(in_vain=in_vain)

    def _count_outage(self, failure: Unanswered) -> None:
        self._outages += isinstance(failure, ApiUnreachable)
        if self._outages >= _OUTAGE_AFTER:
            raise ToolkitError(
                f"{failure.message} ClickUp stopped answering.",
                "Run the export again: it goes on where it stopped.",
            ) from failure

    async def _check_token(self, refusal: Refused) -> None:
        """Abort when the token itself is refused; the same codes also come for ids that are wrong.

        What may have been the token's refusal is remembered only once ClickUp has answered again.
        """
        if refusal.code not in TOKEN_CODES:
            self._settle_doubt()
            return
        async with self._token_checked:
            if not self._doubt.arises():
                return
            try:
                await self._client.get(Request("/user"), msgspec.json.decode)
            except Refused as error:
                raise token_rejected(error) from error
            except Unanswered:
                return
            self._settle_doubt()

    def _settle_doubt(self) -> None:
        """Note that the token is good, and with it what was refused until now."""
        self._doubt.settled()
        while self._doubtful:
            self.journal.record_refusal(*self._doubtful.pop())


def _route(stream: str, request: Request) -> tuple[str, ...]:
    """Return which questions break together: those of a stream below one kind of place, archived or not."""
    archived = [value for name, value in request.query if name == "archived"]
    return (stream, *request.path.split("/")[1:2], *archived)


async def each(work: Callable[[Item], Awaitable[None]], items: Iterable[Item]) -> None:
    """Do ``work`` for all ``items``, many at once; the first error ends the others and is raised."""
    remaining = iter(items)
    begun = 0

    async def worker(group: asyncio.TaskGroup) -> None:
        nonlocal begun
        for item in remaining:
            if begun < _WIDTH:  # one more for the items behind this one
                begun += 1
                group.create_task(worker(group))
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            await worker(group)
    except BaseExceptionGroup as group_of:
        raise _first(group_of) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
