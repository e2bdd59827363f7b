"""The synthetic ClickUp against its own ledger: whoever asks every documented question finds all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import httpx
import pytest

from clickup_toolkit.demo import ALL_CHANGES, DemoServer, World, build_world
from tests.fixtures.demo import NOW

Json = dict[str, Any]
BOTH = ("false", "true")
EVERYTHING = {"include_closed": "true", "subtasks": "true", "include_timl": "true"}


class Walker:
    """Reads a whole workspace, list by list, without any cleverness."""

    def __init__(self, server: DemoServer) -> None:
        self.team = f"/team/{server.team_id}"
        self.http = httpx.Client(base_url=server.url, headers={"Authorization": server.token})

    def get(self, path: str, **params: Any) -> Json:
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def spaces(self) -> Iterator[Json]:
        for archived in BOTH:
            yield from self.get(f"{self.team}/space", archived=archived)["spaces"]

    def folders(self) -> Iterator[Json]:
        for space in self.spaces():
            for archived in BOTH:
                yield from self.get(f"/space/{space['id']}/folder", archived=archived)["folders"]
        for shared in self.shared()["folders"]:
            yield self.get(f"/folder/{shared['id']}")

    def lists(self) -> Iterator[Json]:
        for archived in BOTH:
            for space in self.spaces():
                yield from self.get(f"/space/{space['id']}/list", archived=archived)["lists"]
            for folder in self.folders():
                yield from self.get(f"/folder/{folder['id']}/list", archived=archived)["lists"]
        for shared in self.shared()["lists"]:
            yield self.get(f"/list/{shared['id']}")

    def shared(self) -> Json:
        found: Json = self.get(f"{self.team}/shared")["shared"]
        return found

    def pages(self, path: str, **params: Any) -> Iterator[Json]:
        page = 0
        while True:
            answer = self.get(path, page=page, **params)
            yield from answer["tasks"]
            if answer["last_page"]:
                return
            page += 1

    def tasks_by_list(self) -> dict[str, dict[str, Json]]:
        found: dict[str, dict[str, Json]] = {"": {task["id"]: task for task in self.shared()["tasks"]}}
        for list_ in self.lists():
            path = f"/list/{list_['id']}/task"
            found[list_["id"]] = {
                task["id"]: task
                for archived in BOTH
                for task in self.pages(path, archived=archived, **EVERYTHING)
            }
        return found

    def entries(self, people: list[str]) -> dict[str, Json]:
        span = {"start_date": 0, "end_date": 4_000_000_000_000, "assignee": ",".join(people)}
        found = self.get(f"{self.team}/time_entries", **span)["data"] or []
        return {entry["id"]: entry for entry in found}

    def status_rows(self, tasks: list[str]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for first in range(0, len(tasks), 100):
            some = tasks[first : first + 100]
            found |= self.get("/task/bulk_time_in_status/task_ids", task_ids=some)
        return found


@pytest.fixture
def walker(small_world: World, demo_server: Callable[..., DemoServer]) -> Iterator[Walker]:
    """Somebody who reads ``small_world``."""
    made = Walker(demo_server(small_world))
    yield made
    made.http.close()


def number(text: str | None) -> int | None:
    """Return a time that may be null."""
    return None if text is None else int(text)


def facts(task: Json) -> Json:
    """What the JSON of a task says, in the ledger's words."""
    folder = task["folder"]
    priority = task["priority"]
    id_ = task["id"]
    return {
        "name": task["name"],
        "status": task["status"]["status"],
        "status_type": task["status"]["type"],
        "status_color": task["status"]["color"],
        "space_id": task["space"]["id"],
        "folder_id": None if folder["hidden"] else folder["id"],
        "list_id": task["list"]["id"],
        "parent_id": task["parent"],
        "top_level_parent_id": task["top_level_parent"],
        "custom_id": task["custom_id"],
        "task_type_id": task["custom_item_id"],
        "creator_id": str(task["creator"]["id"]),
        "priority": priority and priority["priority"],
        "points": task["points"],
        "archived": task["archived"],
        "date_created": int(task["date_created"]),
        "date_updated": int(task["date_updated"]),
        "date_done": number(task["date_done"]),
        "date_closed": number(task["date_closed"]),
        "start_date": number(task["start_date"]),
        "due_date": number(task["due_date"]),
        "time_estimate_ms": task["time_estimate"],
        "time_spent_ms": task.get("time_spent"),
        "text": task["description"],
        "assignees": {str(person["id"]) for person in task["assignees"]},
        "watchers": {str(person["id"]) for person in task["watchers"]},
        "tags": {tag["name"] for tag in task["tags"]},
        "locations": {place["id"] for place in task["locations"]},
        "fields": {field["id"]: field["value"] for field in task["custom_fields"] if "value" in field},
        "waits_for": {wait["depends_on"] for wait in task["dependencies"] if wait["task_id"] == id_},
        "blocks": {wait["task_id"] for wait in task["dependencies"] if wait["depends_on"] == id_},
        "linked": {
            link["link_id"] if link["task_id"] == id_ else link["task_id"] for link in task["linked_tasks"]
        },
    }


def test_every_task_is_found_list_by_list(walker: Walker, small_world: World) -> None:
    """Every task of the ledger is on its lists' pages or shared, with the same facts; no other is."""
    ledger = small_world.ledger()
    by_list = walker.tasks_by_list()
    found = {id_: facts(task) for tasks in by_list.values() for id_, task in tasks.items()}
    expected = {
        id_: {key: value for key, value in known.items() if key != "in_archived"}
        for id_, known in ledger.tasks.items()
    }
    assert found == expected
    relation = {(id_, list_) for list_, tasks in by_list.items() for id_ in tasks if list_}
    homes = {(id_, task["list_id"]) for id_, task in found.items()}
    assert relation | homes == ledger.task_lists


def test_workspace_route_shows_all_but_the_hidden(walker: Walker, small_world: World) -> None:
    """The workspace-wide route shows exactly the tasks that the ledger does not call hidden."""
    ledger = small_world.ledger()
    params: Json = {"include_closed": "true", "subtasks": "true"}
    found: set[str] = set()
    for page in range(20):
        found |= {task["id"] for task in walker.get(f"{walker.team}/task", page=page, **params)["tasks"]}
    assert found == ledger.tasks.keys() - ledger.hidden


def test_places_are_those_of_the_ledger(walker: Walker, small_world: World) -> None:
    """Asking for both kinds everywhere finds every space, folder and list once, shared ones apart."""
    ledger = small_world.ledger()
    assert {space["id"]: space["archived"] for space in walker.spaces()} == {
        id_: space["archived"] for id_, space in ledger.spaces.items()
    }
    assert {f["id"]: (f["archived"], f.get("parent_folder")) for f in walker.folders()} == {
        id_: (folder["archived"], folder["parent_folder_id"]) for id_, folder in ledger.folders.items()
    }
    assert {list_["id"]: (list_["archived"], list_["name"]) for list_ in walker.lists()} == {
        id_: (list_["archived"], list_["name"]) for id_, list_ in ledger.lists.items()
    }


def test_fields_and_tags_are_those_of_the_ledger(walker: Walker, small_world: World) -> None:
    """The field routes of all levels together, and the tag routes, give what the ledger holds."""
    ledger = small_world.ledger()
    spaces = [space["id"] for space in walker.spaces()]
    paths = [walker.team, *(f"/space/{id_}" for id_ in spaces)]
    paths += [f"/folder/{id_}" for id_ in ledger.folders] + [f"/list/{id_}" for id_ in ledger.lists]
    found = {field["id"]: field["type"] for path in paths for field in walker.get(f"{path}/field")["fields"]}
    assert {id_: type_ for id_, type_ in found.items() if id_ in ledger.fields} == {
        id_: field["type"] for id_, field in ledger.fields.items()
    }
    assert {
        (id_, tag["name"]) for id_ in spaces for tag in walker.get(f"/space/{id_}/tag")["tags"]
    } == ledger.tags


def test_members_and_their_time_are_those_of_the_ledger(walker: Walker, small_world: World) -> None:
    """The members' entries are the ledger's; the rest is on the legacy route of tasks."""
    ledger = small_world.ledger()
    (team,) = walker.get("/team")["teams"]
    assert {str(member["user"]["id"]) for member in team["members"]} == ledger.members.keys()
    entries = walker.entries(list(ledger.members))
    assert {
        id_: (entry["task"]["id"] if entry.get("task") else None, number(entry["start"]), entry["billable"])
        for id_, entry in entries.items()
    } == {id_: (e["task_id"], e["start"], e["billable"]) for id_, e in ledger.entries.items()}
    for id_, entry in ledger.entries_by_task.items():
        data = walker.get(f"/task/{entry['task_id']}/time")["data"]
        assert id_ in {interval["id"] for person in data for interval in person["intervals"]}


def test_time_spent_counts_everybodys_finished_time(small_world: World) -> None:
    """A task's ``time_spent`` is the sum of its finished entries, those of people who left among them."""
    ledger = small_world.ledger()
    sums: dict[str, int] = {}
    for entry in (ledger.entries | ledger.entries_by_task).values():
        if entry["task_id"] in ledger.tasks and entry["duration_ms"]:
            id_ = str(entry["task_id"])
            sums[id_] = sums.get(id_, 0) + int(str(entry["duration_ms"]))
    assert sums == {id_: t["time_spent_ms"] for id_, t in ledger.tasks.items() if t["time_spent_ms"]}


def test_time_in_status_is_that_of_the_ledger(walker: Walker, small_world: World) -> None:
    """Every row of every task is told, the current status at most a minute ahead of its row."""
    ledger = small_world.ledger()
    found = walker.status_rows(list(ledger.tasks))
    assert found.keys() == ledger.status_rows.keys()
    for id_, rows in ledger.status_rows.items():
        assert [
            (row["status"], row["color"], row["type"], int(row["total_time"]["since"]),
             row["total_time"]["by_minute"], row.get("orderindex"))
            for row in found[id_]["status_history"]
        ] == [tuple(row[:6]) for row in rows]  # fmt: skip
        current = found[id_]["current_status"]
        (row,) = [row for row in rows if row.current]
        assert current["status"] == row.status
        assert current["total_time"]["by_minute"] - row.minutes in (0, 1)


def test_ledger_and_server_agree_after_changes(walker: Walker, small_world: World) -> None:
    """After two hundred random changes of every kind the pages still give what the ledger holds."""
    for change in small_world.drift(Random(7), 200, ALL_CHANGES):
        assert change
    ledger = small_world.ledger()
    by_list = walker.tasks_by_list()
    found = {id_: facts(task) for tasks in by_list.values() for id_, task in tasks.items()}
    expected = {
        id_: {key: value for key, value in known.items() if key != "in_archived"}
        for id_, known in ledger.tasks.items()
    }
    assert found == expected
    assert walker.entries(list(ledger.members)).keys() == ledger.entries.keys()
    assert walker.status_rows(list(ledger.tasks)).keys() == ledger.status_rows.keys()


def test_unreadable_time_is_out_of_reach(demo_server: Callable[..., DemoServer]) -> None:
    """Entries of a member whose time is closed are on tasks only, or lost."""
    world = build_world(tasks=300, now=NOW, unreadable=1)
    ledger = world.ledger()
    (closed,) = ledger.unreadable["members"]
    assert closed in ledger.members
    assert closed not in {entry["member_id"] for entry in ledger.entries.values()}
    assert closed in {entry["member_id"] for entry in ledger.entries_by_task.values()}


def test_denied_places_are_listed_but_not_read(demo_server: Callable[..., DemoServer]) -> None:
    """A list and a space that are denied stay in their listings; asking for what is in them answers 401."""
    world = build_world(tasks=300, now=NOW)
    list_, space = world.lists[8], world.spaces[4]
    world.deny(list_.id)
    world.deny(space.id)
    ledger = world.ledger()
    assert ledger.unreadable == {"members": set(), "lists": {list_.id}, "spaces": {space.id}}
    assert list_.id in ledger.lists
    assert space.id in ledger.spaces
    assert not {task["space_id"] for task in ledger.tasks.values() if not task["locations"]} & {space.id}
    server = demo_server(world)
    with httpx.Client(base_url=server.url, headers={"Authorization": server.token}) as http:
        for path in (f"/list/{list_.id}/task", f"/space/{space.id}/folder", f"/space/{space.id}/list"):
            assert http.get(path).status_code == 401
