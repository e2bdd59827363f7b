"""The optional streams of a journal, gathered by task, goal or doc, as sent.

The pages of one task's comments and the replies to them arrive among those of other tasks; temporary tables
bring them together, so that memory stays flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

import msgspec

from clickup_toolkit.client import Answer
from clickup_toolkit.normalise.comments import comment_key, with_replies
from clickup_toolkit.normalise.details import details_of
from clickup_toolkit.normalise.docs import pages_of
from clickup_toolkit.normalise.goals import GoalFolder, goal_key, together
from clickup_toolkit.normalise.shapes import Reference, items, mapping, not_understood, read
from clickup_toolkit.normalise.structure import RawItem
from clickup_toolkit.normalise.values import instant_text
from clickup_toolkit.records import Gap
from clickup_toolkit.store.opening import Build

__all__ = ["comments", "doc_pages", "docs", "goals", "task_details"]

Found = Iterator[RawItem | Gap]

_SAID = "CREATE TEMP TABLE said (task_id TEXT, id TEXT, received INTEGER, body BLOB, UNIQUE (task_id, id))"
_REPLIED = "CREATE TEMP TABLE replied (id TEXT PRIMARY KEY, body BLOB)"
_TOGETHER = """
SELECT said.task_id, said.received, said.body, replied.body
FROM said LEFT JOIN replied ON replied.id = said.id ORDER BY said.task_id, said.rowid
"""


def comments(build: Build) -> Found:
    """Yield the comments of each task that was asked about, newest first, as one array."""
    for table in (_SAID, _REPLIED):
        build.db.execute(table)
    for answer in build.journal.answers("comments"):
        task_id, received = answer.context["task_id"], answer.received
        rows: list[tuple[str, str, int, bytes]] = [(task_id, "", received, b"")]  # asked, even if none came
        for found in _keyed(answer, "comments", "comments", task_id, comment_key):
            if isinstance(found, Gap):
                yield found
            else:
                rows.append((task_id, found.id, received, found.body))
        build.db.executemany("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?)", rows)
    yield from _take_replies(build)
    for task_id, rows_of_one in groupby(build.db.execute(_TOGETHER), key=lambda row: str(row[0])):
        asked, *said = rows_of_one
        bodies = [with_replies(body, replies or b"[]") for _, _, body, replies in said]
        yield RawItem("comments", task_id, instant_text(asked[1]), b"[%b]" % b",".join(bodies))


def _take_replies(build: Build) -> Found:
    for answer in build.journal.answers("comment_replies"):
        bodies = []
        for found in _keyed(answer, "comments", "comments", answer.context["task_id"], comment_key):
            if isinstance(found, Gap):
                yield found
            else:
                bodies.append(found.body)
        row = (answer.context["comment_id"], b"[%b]" % b",".join(bodies))
        build.db.execute("INSERT OR REPLACE INTO replied VALUES (?, ?)", row)


def task_details(build: Build) -> Found:
    """Yield of each task that was asked about its checklists and attachments."""
    return _whole(build, "task_details", "task_id", details_of)


def doc_pages(build: Build) -> Found:
    """Yield of each doc that was asked about its pages."""
    return _whole(build, "doc_pages", "doc_id", pages_of)


def docs(build: Build) -> Found:
    """Yield the docs of all lists."""
    for answer in build.journal.answers("docs"):
        yield from _keyed(answer, "docs", "doc", "", goal_key)


def goals(build: Build) -> Found:
    """Yield the goals with their key results, and the folders that goals lie in.

    The key results of a goal that could not be asked about are those that the export before held.
    """
    earlier = "SELECT id, CAST(body AS BLOB) FROM before_raw WHERE kind = 'goal'"
    alone: dict[str, bytes] = dict(build.db.execute(earlier))
    for answer in build.journal.answers("goal"):
        alone[answer.context["goal_id"]] = bytes((mapping(answer.body) or {}).get("goal", b"{}"))
    for answer in build.journal.answers("goals"):
        received = instant_text(answer.received)
        yield from _goals_in(answer, answer.body, alone)
        for item in items(answer.body, "folders") or ():
            folder, head = read(item, GoalFolder), read(item, Reference)
            if folder is None or head is None or head.key is None:
                yield not_understood("goals", "", item)
                continue
            parts = {key: value for key, value in (mapping(item) or {}).items() if key != "goals"}
            yield RawItem("goal_folder", head.key, received, msgspec.json.encode(parts))
            yield from _goals_in(answer, bytes(item), alone)


def _goals_in(answer: Answer, body: bytes, alone: dict[str, bytes]) -> Found:
    for found in _keyed(answer._replace(body=body), "goals", "goal", "", goal_key):
        if isinstance(found, Gap):
            yield found
        else:
            yield found._replace(body=together(found.body, alone.get(found.id)))


def _keyed(
    answer: Answer, key: str, kind: str, whose: str, key_of: Callable[[bytes | msgspec.Raw], str | None]
) -> Found:
    """Yield the items under ``key`` of a page, each by its own id."""
    found, received = items(answer.body, key), instant_text(answer.received)
    if found is None:
        yield not_understood(key, whose, answer.body)
    for item in found or ():
        identity = key_of(item)
        yield (
            not_understood(key, whose, item)
            if identity is None
            else RawItem(kind, identity, received, bytes(item))
        )


def _whole(build: Build, stream: str, owner: str, take: Callable[[bytes], bytes | None]) -> Found:
    """Yield what ``take`` makes of each answer of a stream, by its owner's id."""
    for answer in build.journal.answers(stream):
        body, key = take(answer.body), answer.context[owner]
        if body is None:
            yield not_understood(stream, key, answer.body)
        else:
            yield RawItem(stream, key, instant_text(answer.received), body)
