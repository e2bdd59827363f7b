"""Walks the workspace: from one token to everything it can see, in the journal.

The crawl asks only through :class:`Reader`, which asks the journal first. Every question follows from the
answers before it and from the start noted in the journal, never from the clock, so that an interrupted
crawl asks the same questions again and finds them answered.
"""

from __future__ import annotations

from functools import partial

import msgspec

from clickup_toolkit.client import Client, Request, is_personal
from clickup_toolkit.crawl.beside import read_docs, read_goals
from clickup_toolkit.crawl.by_task import read_by_task
from clickup_toolkit.crawl.left_time import read_left_time
from clickup_toolkit.crawl.places import Places, key_of
from clickup_toolkit.crawl.reader import Noted, Progress, Reader, each
from clickup_toolkit.crawl.remedies import token_rejected
from clickup_toolkit.crawl.status_times import read_time_in_status
from clickup_toolkit.crawl.structure import read_open_structure, read_structure
from clickup_toolkit.crawl.tasks import read_changed_tasks, read_tasks
from clickup_toolkit.crawl.time_entries import newest_window, read_time_entries
from clickup_toolkit.errors import Refused, WorkspaceUnavailable
from clickup_toolkit.settings import Secret

__all__ = ["Noted", "Progress", "Reader", "crawl", "newest_window"]


async def crawl(client: Client, journal: Noted, team: str, token: Secret, progress: Progress) -> int:
    """Read the workspace ``team`` into ``journal``; return how many answers it already had.

    All of it, or, when the journal says since when, what changed and can be seen to have changed.

    Raises :class:`TokenRejected`, :class:`WorkspaceUnavailable` and, when ClickUp stops answering at all,
    other :class:`ToolkitError`; whatever else cannot be read becomes a gap.
    """
    reader = Reader(client, journal, progress)
    journal.begin()
    members = await _read_workspace(reader, team)
    journal.note_ahead(client.ahead_ms)
    if journal.since is None:
        places = await read_structure(reader, team)
        await read_tasks(reader, team, places)
    else:
        places = await read_open_structure(reader, team)
        await read_changed_tasks(reader, team, places, journal.since)
    await _read_definitions(reader, team, places)
    await read_time_in_status(reader)
    await read_time_entries(reader, team, members, together=is_personal(token))
    await read_left_time(reader, team, members)
    await read_by_task(reader)
    await read_goals(reader, team)
    await read_docs(reader, team)
    return reader.resumed


class _Team(msgspec.Struct):
    id: object = None
    name: object = None
    members: object = None

    def people(self) -> list[dict[str, object]]:
        """Return the members as sent; what is no object is left out, and a gap where it is normalised."""
        members = self.members if isinstance(self.members, list) else ()
        people = (member.get("user") for member in members if isinstance(member, dict))
        return [person for person in people if isinstance(person, dict)]


_OF_THE_JOINED = ("username", "date_joined")


class _Teams(msgspec.Struct):
    teams: list[_Team]


async def _read_workspace(reader: Reader, team: str) -> list[str]:
    """Check the token and the workspace; return the ids of the people who may have tracked time."""
    try:
        await reader.ask("user", Request("/user"), msgspec.json.decode, refusal_stays=False)
        workspace = await reader.ask("teams", Request("/team"), partial(_find, team), refusal_stays=False)
    except Refused as refusal:
        raise token_rejected(refusal) from refusal
    await reader.ask_or_gap("plan", Request(f"/team/{team}/plan"), msgspec.json.decode, what="plan", id=team)
    joined = [who for who in workspace.people() if any(who.get(fact) is not None for fact in _OF_THE_JOINED)]
    return [key for key in (key_of(person.get("id")) for person in joined) if key]


def _find(team: str, body: bytes) -> _Team:
    """Return the workspace; an answer without it is not kept, so that it is asked for again next time."""
    found = msgspec.json.decode(body, type=_Teams).teams
    workspace = next((one for one in found if key_of(one.id) == team), None)
    if workspace is None:
        reached = ", ".join(f"{one.id} ({one.name})" for one in found) or "none"
        raise WorkspaceUnavailable(
            f"The token does not reach the workspace {team}.",
            f"Set CLICKUP_TEAM_ID to one that it reaches: {reached}.",
        )
    return workspace


async def _read_definitions(reader: Reader, team: str, places: Places) -> None:
    """Read the task types and the custom fields of the workspace, its spaces, and its lists without tasks.

    Every task comes with the definitions of all fields of its list, so only lists that showed none are
    asked for theirs.
    """

    async def fields(scope: tuple[str, str, str]) -> None:
        name, route, identity = scope
        context = {"scope": name, "scope_id": identity}
        request = Request(f"/{route}/{identity}/field")
        await reader.ask_or_gap(
            "fields", request, msgspec.json.decode, context, what="custom_fields", id=identity
        )

    scopes = [("workspace", "team", team)]
    scopes += [("space", "space", space) for space in places.spaces]
    scopes += [("list", "list", place) for place in _without_tasks(reader, places)]
    await each(fields, scopes)
    types = Request(f"/team/{team}/custom_item")
    await reader.ask_or_gap("task_types", types, msgspec.json.decode, what="task_types", id=team)


def _without_tasks(reader: Reader, places: Places) -> list[str]:
    """Return the lists that showed no task.

    An incremental crawl reads few tasks; of it these are the new ones, and those that lost their last task.
    """
    journal = reader.journal
    empty = places.lists.keys() - journal.tasks_by_list().keys()
    if journal.since is not None:
        emptied = {key for key in journal.filled_before() & empty if places.lists[key].size == 0}
        empty = empty - journal.lists_before() | emptied
    return sorted(empty)
