"""Time in status of every task, a hundred in one question, across lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from clickup_toolkit.client import Request
from clickup_toolkit.crawl.reader import Reader, each
from clickup_toolkit.errors import Refused, Unanswered

__all__ = ["read_time_in_status"]

MOST = 100
"""Tasks in one question; ClickUp refuses more."""
_UNAVAILABLE = frozenset({"TIS_027"})


class _One(msgspec.Struct):
    current_status: object
    status_history: list[object]


_decode_many = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_one = msgspec.json.Decoder(_One).decode


async def read_time_in_status(reader: Reader) -> None:
    """Read the time in status of every task noted in the journal.

    ClickUp leaves out tasks for which it has none. A plan or workspace without the feature is noticed at the
    first questions and becomes one gap.
    """
    times = _StatusTimes(reader)
    chunks = times.chunks()
    for chunk in chunks:  # one after the other until the first answer that holds something
        await times.read(chunk)
        if times.unavailable:
            return
        if times.answered:
            break
    await each(times.read, chunks)


class _StatusTimes:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.unavailable = False
        self.answered = 0
        self.absent = 0
        self.total = reader.journal.count_tasks()

    def chunks(self) -> Iterator[list[str]]:
        last = ""
        while chunk := self.reader.journal.task_ids(after=last, most=MOST):
            last = chunk[-1]
            yield chunk

    async def read(self, chunk: Sequence[str]) -> None:
        if self.unavailable:
            return
        self._note_covered(chunk)
        try:
            found = await self._ask(chunk)
        except (Refused, Unanswered) as error:
            await self._refused(chunk, error)
            return
        self.answered += len(found)
        self._count(chunk, found)

    def _note_covered(self, chunk: Sequence[str]) -> None:
        """Settle earlier gaps; only an incremental crawl looks for them task by task."""
        self.reader.journal.note_covered("time_in_status", "")
        if self.reader.journal.since is not None:
            for task in chunk:
                self.reader.journal.note_covered("time_in_status", task)

    async def _ask(self, chunk: Sequence[str]) -> set[str]:
        if len(chunk) == 1:  # ClickUp documents two or more for the question about many
            path = f"/task/{chunk[0]}/time_in_status"
            context = {"task_id": chunk[0]}
            await self.reader.ask("time_in_status_one", Request(path), _decode_one, context)
            return set(chunk)
        query = [("task_ids", task) for task in chunk]
        request = Request("/task/bulk_time_in_status/task_ids", query)
        return set(await self.reader.ask("time_in_status", request, _decode_many))

    async def _refused(self, chunk: Sequence[str], error: Refused | Unanswered) -> None:
        """Stop for good, or find the task that spoils the question."""
        if error.code in _UNAVAILABLE:
            self.unavailable = True
            self.reader.note_gap("time_in_status", "", error)
        elif len(chunk) == 1 or isinstance(error, Unanswered):
            for task in chunk:
                self.reader.note_gap("time_in_status", task, error)
        else:
            middle = len(chunk) // 2
            await self.read(chunk[:middle])
            await self.read(chunk[middle:])

    def _count(self, chunk: Sequence[str], found: set[str]) -> None:
        self.absent += len(chunk) - len(found.intersection(chunk))
        self.reader.progress("time in status", self.answered + self.absent, self.total)
