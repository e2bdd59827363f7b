"""What follows from a task's index alone, made when asked: text, watchers, checklists, comments, files."""

from __future__ import annotations

from typing import NamedTuple

from clickup_toolkit.demo.facts import Comment
from clickup_toolkit.demo.ids import mix
from clickup_toolkit.demo.model import DAY, HOUR, MINUTE
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.vocabulary import CLIENTS, COMMENTS, SENTENCES

__all__ = ["Attachment", "Checklist", "attachments", "checklists", "comments", "text", "watchers"]

_ITEMS = (
    "Agree on the copy",
    "Translations",
    "Tell support",
    "Screenshots",
    "Flag on for 10 %",
    "Remove the old code ✂️",
)


class Checklist(NamedTuple):
    """A checklist: its items are (name, resolved)."""

    id: str
    name: str
    person: int
    created: int
    items: tuple[tuple[str, bool], ...]


class Attachment(NamedTuple):
    """A file on a task."""

    id: str
    title: str
    size: int
    date: int
    person: int


def text(world: State, task: int) -> str | None:
    """Return the description; None or empty for many."""
    if task in world.texts:
        return world.texts[task]
    draw = world.draw(task, 11)
    if draw % 10 < 3:
        return None if draw % 20 < 12 else ""
    sentences = []
    for order in range(1 + draw // 10 % 3):
        sentence = SENTENCES[(draw >> 3 * order) % len(SENTENCES)]
        sentences.append(sentence.format(client=CLIENTS[(draw >> 2 * order) % len(CLIENTS)]))
    return ("\n" if draw & 64 else " ").join(dict.fromkeys(sentences))


def watchers(world: State, task: int) -> list[int]:
    """Return who watches: often the creator, sometimes the assignees and one more, or nobody."""
    draw = world.draw(task, 13)
    if draw % 3 == 0:
        return []
    people = [world.tasks.creator[task]]
    if draw % 3 == 1 and draw % 4 == 0:
        people += [*world.tasks.assignees[task], draw // 12 % len(world.people)]
    return list(dict.fromkeys(people))


def checklists(world: State, task: int) -> list[Checklist]:
    """Return the checklists, which list pages do not show."""
    draw = world.draw(task, 17)
    if draw % 9:
        return []
    count = 2 + draw // 9 % 4
    items = tuple(
        (_ITEMS[(draw + order) % len(_ITEMS)], bool(draw >> 20 + order & 1)) for order in range(count)
    )
    created = world.tasks.created[task] + HOUR
    name = ("Checklist", "Before release", "Definition of done")[draw // 64 % 3]
    return [Checklist(_uuid(draw), name, world.tasks.creator[task], created, items)]


def attachments(world: State, task: int) -> list[Attachment]:
    """Return the files, which only the task's own route shows."""
    draw = world.draw(task, 19)
    if draw % 7:
        return []
    title = ("screenshot.png", "error-logs.txt", "Angebot für Kiel.pdf", "recording 📹.mp4")[draw // 7 % 4]
    date = world.tasks.created[task] + draw % (2 * HOUR)
    return [Attachment(_uuid(draw), title, draw % 2_000_000, date, world.tasks.creator[task])]


def comments(world: State, task: int) -> list[Comment]:
    """Return the comments, newest first; some tasks have more than two pages of them."""
    draw = world.draw(task, 23)
    count = 60 if draw % 97 == 0 else max(0, draw % 9 - 4)
    end = world.tasks.path_at[world.tasks.path_first[task + 1] - 1] if task < world.first_size else 0
    begin = world.tasks.created[task]
    step = max(HOUR, (min(end + DAY, world.born_at) - begin) // (count + 1))
    made = [_comment(world, task, order, begin + (order + 1) * step) for order in range(count)]
    made += world.comments_added.get(task, [])
    return made[::-1]


def _comment(world: State, task: int, order: int, date: int) -> Comment:
    draw = mix(world.seed, task, 29, order)
    id_ = 90_120_000_000_000 + task * 100_000 + order * 100
    person = draw % len(world.people)
    replies: tuple[Comment, ...] = ()
    if draw % 5 == 0:
        replies = tuple(_reply(id_, draw, place, date) for place in range(1 + draw // 5 % 3))
    return Comment(id_, COMMENTS[draw // 7 % len(COMMENTS)], person, date, draw % 11 == 0, replies)


def _reply(id_: int, draw: int, place: int, date: int) -> Comment:
    text = COMMENTS[(draw + place) % len(COMMENTS)]
    return Comment(id_ + 1 + place, text, 0, date + (place + 1) * 10 * MINUTE, False)


def _uuid(draw: int) -> str:
    digits = f"{mix(draw):016x}{mix(draw, 1):016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
