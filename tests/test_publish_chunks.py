"""Cutting and stitching: any document becomes one gzip member, and edits move only what is near."""

from __future__ import annotations

import gzip
import json
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from clickup_toolkit.publish import chunks
from clickup_toolkit.publish.chunks import (
    HEADER,
    LARGEST,
    SMALLEST,
    Chunk,
    deflate,
    digest,
    inflate,
    trailer,
)

HEAD = b'{"status":"success","data":['

Tasks = list[tuple[str, bytes]]


def cut(head: bytes, tasks: Tasks) -> list[bytes]:
    """The texts of the chunks of a document."""
    return [section.text for section in chunks.cut([head], tasks)]


def document(head: bytes, tasks: Tasks) -> bytes:
    """The text that the chunks stand for."""
    return head + b",".join(text for _, text in tasks) + b"]}"


def workspace(seed: int, tasks: int, size: int = 3300) -> Tasks:
    """A workspace of tasks with random ids whose texts have about ``size`` bytes."""
    dice = random.Random(seed)
    return [task(dice, size) for _ in range(tasks)]


def task(dice: random.Random, size: int = 3300) -> tuple[str, bytes]:
    """One task."""
    name = f"86{dice.getrandbits(35):07x}"
    text = {"id": name, "text": dice.randbytes(max(1, round(dice.expovariate(2 / size)))).hex()}
    return name, json.dumps(text, separators=(",", ":")).encode()


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, Tasks]:
    """Heads and tasks of all sizes; long texts repeat, random ones do not compress."""
    texts = st.one_of(
        st.binary(max_size=50),
        st.builds(lambda piece, times: piece * times, st.binary(max_size=20), st.integers(0, 60_000)),
        st.builds(
            lambda seed, size: random.Random(seed).randbytes(size), st.integers(), st.integers(0, 500_000)
        ),
    )
    tasks = draw(st.lists(st.tuples(st.text(max_size=9), texts), max_size=12))
    return draw(texts), tasks


@given(documents())
@settings(max_examples=60, deadline=None)
def test_any_document_is_one_gzip_member(document_: tuple[bytes, Tasks]) -> None:
    """Header, stored chunks and trailer are one member that every reader reads to the same end."""
    head, tasks = document_
    pieces = [deflate(text) for text in cut(head, tasks)]
    body = HEADER + b"".join(stored for _, stored in pieces) + trailer(chunk for chunk, _ in pieces)
    whole = document(head, tasks)
    first_member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert first_member.decompress(body) == whole
    assert first_member.eof
    assert first_member.unused_data == b""
    assert gzip.decompress(body) == whole
    assert isal_zlib.decompress(body, 16 + zlib.MAX_WBITS) == whole


@given(st.binary(max_size=1000) | st.builds(lambda piece: piece * 5000, st.binary(max_size=100)))
@settings(deadline=None)
def test_a_chunk_stands_by_itself(text: bytes) -> None:
    """A chunk can be inflated without its neighbours, and its facts are those of its text and bytes."""
    chunk, stored = deflate(text)
    assert stored.endswith(b"\x00\x00\xff\xff")
    assert inflate(stored) == text
    assert chunk == Chunk(digest(stored), zlib.crc32(text), len(text), len(stored))
    assert deflate(text) == (chunk, stored)


def test_an_empty_workspace_has_a_document() -> None:
    """Without tasks there are the head and the end."""
    assert cut(HEAD, []) == [HEAD, b"]}"]


@pytest.mark.parametrize("size", [40, 3300, 20_000, 400_000])
def test_chunks_keep_their_bounds(size: int) -> None:
    """A chunk of tasks has 256 KB at least, except the last, and 1 MB at most, and holds whole tasks."""
    tasks = workspace(1, 12_000_000 // size, size)
    head, *texts = cut(HEAD, tasks)
    sizes = [len(text) for text in texts]
    assert head == HEAD
    assert b"".join([head, *texts]) == document(HEAD, tasks)
    assert min(sizes[:-1]) >= SMALLEST
    assert max(sizes) <= max(LARGEST, max(len(text) for _, text in tasks) + SMALLEST)
    assert all(text.startswith(b',{"id":') for text in texts[1:])


def test_a_long_head_is_cut() -> None:
    """A head of any length makes chunks within the bound, the same in whatever parts it comes."""
    head = random.Random(1).randbytes(3 * LARGEST + 5)
    texts = cut(head, [])
    assert [len(text) for text in texts] == [LARGEST, LARGEST, LARGEST, 5, 2]
    for size in (1000, LARGEST, 2 * LARGEST + 1):
        parts = (head[start : start + size] for start in range(0, len(head), size))
        assert [section.text for section in chunks.cut(parts, [])] == texts


def test_a_giant_task_makes_a_chunk_of_its_own() -> None:
    """A task above the bound is not cut, and takes no neighbours along."""
    tasks = [("a", bytes(SMALLEST)), ("b", bytes(2 * LARGEST)), ("c", bytes(9))]
    assert [len(text) for text in cut(HEAD, tasks)] == [len(HEAD), SMALLEST, 2 * LARGEST + 1, 12]


def test_new_tasks_change_the_last_chunk_alone() -> None:
    """In order of creation new tasks come at the end, and every chunk before the last stays as it is."""
    tasks = workspace(2, 2000)
    before, after = cut(HEAD, tasks), cut(HEAD, [*tasks, *workspace(3, 300)])
    assert len(before) > 15
    assert after[: len(before) - 1] == before[:-1]


EDITS = {
    "changed": lambda tasks, where, dice: tasks.__setitem__(where, (tasks[where][0], task(dice)[1])),
    "deleted": lambda tasks, where, dice: tasks.pop(where),
    "inserted": lambda tasks, where, dice: tasks.insert(where, task(dice)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_moves_only_nearby_cuts(edit: str) -> None:
    """After one task changed, went or came anywhere, about one chunk is new, and never more than a few."""
    new = []
    tasks = workspace(4, 4000)
    before = set(cut(HEAD, tasks))
    for seed in range(60):
        dice = random.Random(seed)
        edited = list(tasks)
        EDITS[edit](edited, dice.randrange(len(tasks)), dice)
        new.append(len(set(cut(HEAD, edited)) - before))
    assert min(new) == 1
    assert sum(new) / len(new) < 1.5
    assert max(new) <= 8


@given(st.integers(), st.integers(1, 15))
@settings(max_examples=25, deadline=None)
def test_what_is_far_from_edits_is_shared(seed: int, edits: int) -> None:
    """However many tasks are edited in one place, the chunks well before and after stay as they are."""
    dice = random.Random(seed)
    tasks = workspace(5, 3000)
    edited = list(tasks)
    for _ in range(edits):
        EDITS[dice.choice(list(EDITS))](edited, 1500, dice)
    before, after = cut(HEAD, tasks), cut(HEAD, edited)
    assert before[:10] == after[:10]
    assert before[-5:] == after[-5:]
