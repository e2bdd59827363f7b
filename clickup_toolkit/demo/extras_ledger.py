"""The ledger of the optional streams: what an export of them must hold, from the model alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clickup_toolkit.demo.extras import Doc, Page, docs, goals
from clickup_toolkit.demo.facts import Comment
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.demo.ledger import Facts
from clickup_toolkit.demo.state import State
from clickup_toolkit.demo.traits import attachments, checklists, comments

__all__ = ["ExtrasLedger", "make_extras_ledger"]


@dataclass
class ExtrasLedger:
    """What the token can read of the optional streams, by id; facts are named like the tables' columns."""

    comments: dict[str, Facts] = field(default_factory=dict)
    checklists: dict[str, Facts] = field(default_factory=dict)
    checklist_items: dict[str, Facts] = field(default_factory=dict)
    attachments: dict[str, Facts] = field(default_factory=dict)
    goals: dict[str, Facts] = field(default_factory=dict)
    key_results: dict[str, Facts] = field(default_factory=dict)
    docs: dict[str, Facts] = field(default_factory=dict)
    doc_pages: dict[str, Facts] = field(default_factory=dict)


def make_extras_ledger(world: State) -> ExtrasLedger:
    """Return the ledger of the optional streams of the workspace as it is now."""
    with world.lock:
        ledger = ExtrasLedger()
        for task in world.seen_tasks():
            for comment in comments(world, task):
                _add_comment(world, ledger, task, comment)
            _add_details(world, ledger, task)
        _add_goals(world, ledger)
        for doc in docs(world):
            _add_doc(world, ledger, doc)
    return ledger


def _person(world: State, place: int) -> str:
    return str(world.people[place].id)


def _add_comment(world: State, ledger: ExtrasLedger, task: int, one: Comment, parent: str = "") -> None:
    ledger.comments[str(one.id)] = {
        "task_id": task_id(task),
        "parent_id": parent or None,
        "member_id": _person(world, one.person),
        "date": one.date,
        "text": one.text,
        "resolved": one.resolved,
        "assignee_id": None,
        "assigned_by_id": None,
        "replies": len(one.replies),
    }
    for reply in one.replies:
        _add_comment(world, ledger, task, reply, str(one.id))


def _add_details(world: State, ledger: ExtrasLedger, task: int) -> None:
    for order, one in enumerate(checklists(world, task)):
        done = sum(resolved for _, resolved in one.items)
        ledger.checklists[one.id] = {
            "task_id": task_id(task),
            "name": one.name,
            "orderindex": order,
            "creator_id": _person(world, one.person),
            "date_created": one.created,
            "resolved": done,
            "unresolved": len(one.items) - done,
        }
        for place, (name, resolved) in enumerate(one.items):
            ledger.checklist_items[f"{one.id[:-2]}{place:02}"] = {
                "checklist_id": one.id,
                "task_id": task_id(task),
                "parent_id": None,
                "name": name,
                "orderindex": place,
                "resolved": resolved,
                "date_created": one.created,
            }
    for file in attachments(world, task):
        extension = file.title.rpartition(".")[2]
        ledger.attachments[f"{file.id}.{extension}"] = {
            "task_id": task_id(task),
            "title": file.title,
            "extension": extension,
            "size": file.size,
            "date": file.date,
            "member_id": _person(world, file.person),
            "deleted": False,
        }


def _add_goals(world: State, ledger: ExtrasLedger) -> None:
    for goal in goals(world):
        ledger.goals[goal.id] = {
            "name": goal.name,
            "number": str(goal.number),
            "folder_id": goal.folder,
            "folder_name": "Season" if goal.folder else None,
            "owners": f'["{world.me.id}"]',
            "percent_completed": goal.share_done,
            "key_results": len(goal.key_results),
            "date_created": goal.created,
            "due_date": goal.due,
        }
        for result in goal.key_results:
            ledger.key_results[result.id] = {
                "goal_id": goal.id,
                "name": result.name,
                "unit": result.unit,
                "steps_start": 0,
                "steps_current": result.reached,
                "steps_end": result.steps,
                "percent_completed": result.reached / result.steps,
                "completed": result.reached == result.steps,
                "date_created": goal.created,
            }


def _add_doc(world: State, ledger: ExtrasLedger, doc: Doc) -> None:
    ledger.docs[doc.id] = {
        "name": doc.name,
        "parent_id": world.spaces[0].id,
        "parent_type": 4,
        "creator_id": str(world.me.id),
        "public": False,
        "archived": doc.archived,
        "deleted": doc.deleted,
        "date_created": doc.created,
        "date_updated": doc.created,
    }
    for position, (page, parent) in enumerate(_pages(doc.pages, None)):
        ledger.doc_pages[page.id] = {
            "doc_id": doc.id,
            "parent_page_id": parent,
            "position": position,
            "name": page.name,
            "content": page.content or None,
            "archived": False,
        }


def _pages(pages: tuple[Page, ...], parent: str | None) -> Iterator[tuple[Page, str | None]]:
    for page in pages:
        yield page, parent
        yield from _pages(page.pages, page.id)
