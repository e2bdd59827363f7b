"""The synthetic ClickUp is as strict as the documented one: one rule a test, over real HTTP."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from clickup_toolkit.demo import Behaviour, DemoServer, World, build_world
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.demo.traits import comments
from tests.fixtures.demo import NOW

Json = dict[str, Any]
START = Callable[..., DemoServer]
ALL = {"include_closed": "true", "subtasks": "true"}
DAY = 86_400_000


@pytest.fixture(scope="module")
def world() -> World:
    """One workspace for all tests here; none of them changes it."""
    return build_world(tasks=1200, time_entries=900, now=NOW)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[DemoServer]:
    """A server for all tests here."""
    with DemoServer(world, rate_limit=1_000_000, behaviour=Behaviour(team_last_page="always")) as started:
        yield started


@pytest.fixture
def http(server: DemoServer) -> Iterator[httpx.Client]:
    """A client with the personal token."""
    with httpx.Client(base_url=server.url, headers={"Authorization": server.token}) as client:
        yield client


def client(server: DemoServer, token: str | None = None) -> httpx.Client:
    """Return a client of the server."""
    return httpx.Client(base_url=server.url, headers={"Authorization": token or server.token})


def team(world: World, rest: str) -> str:
    """Return a path below the workspace."""
    return f"/team/{world.team_id}/{rest}"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return what matters of an error."""
    return answer.status_code, answer.json()["ECODE"]


def ids(answer: httpx.Response) -> list[str]:
    """Return the ids of the tasks on a page."""
    return [task["id"] for task in answer.json()["tasks"]]


def everything(http: httpx.Client, path: str, **params: Any) -> list[Json]:
    """Return the tasks of all pages."""
    tasks: list[Json] = []
    for page in range(100):
        found = http.get(path, params={"page": page, **params}).json()["tasks"]
        if not found:
            return tasks
        tasks += found
    raise AssertionError("no end")


# who may ask


def test_a_personal_token_is_sent_bare(server: DemoServer) -> None:
    """A personal token with Bearer in front is unknown."""
    with client(server, f"Bearer {server.token}") as http:
        assert refusal(http.get("/user")) == (401, "OAUTH_019")


def test_an_oauth_token_is_sent_as_bearer(server: DemoServer) -> None:
    """An OAuth token works with Bearer in front, and not without."""
    with client(server, f"Bearer {server.oauth_token}") as http:
        assert http.get("/user").json()["user"]["id"] == server.world.me.id
    with client(server, server.oauth_token) as http:
        assert refusal(http.get("/user")) == (401, "OAUTH_019")


def test_a_missing_header_is_a_bad_request(server: DemoServer) -> None:
    """Without an Authorization header the answer is 400."""
    assert refusal(httpx.get(f"{server.url}/user")) == (400, "OAUTH_017")


def test_an_oauth_token_lists_a_workspace_it_may_not_read(server: DemoServer) -> None:
    """A workspace can be listed and still answer 401."""
    with client(server, f"Bearer {server.oauth_token}") as http:
        _, other = http.get("/team").json()["teams"]
        assert refusal(http.get(f"/team/{other['id']}/space")) == (401, "OAUTH_192")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/team/1/space", (401, "OAUTH_027")),
        ("/team/mine/space", (500, "SHARD_001")),
        ("/space/1/folder", (401, "OAUTH_055")),
        ("/folder/1/list", (401, "OAUTH_057")),
        ("/list/1/task", (401, "OAUTH_061")),
        ("/list/inbox/task", (500, "SHARD_001")),
        ("/task/zzz", (401, "OAUTH_027")),
    ],
)
def test_what_is_not_there_is_not_authorized(
    http: httpx.Client, path: str, expected: tuple[int, str]
) -> None:
    """Unknown ids answer 401, ids that are no numbers 500."""
    assert refusal(http.get(path)) == expected


def test_an_unseen_task_is_refused(http: httpx.Client, world: World) -> None:
    """A task in somebody else's private list answers 401 with a code of its own."""
    hidden = next(task for task in range(len(world.tasks)) if not world.sees(task))
    assert refusal(http.get(f"/task/{task_id(hidden)}")) == (401, "ACCESS_083")


def test_a_deleted_task_is_gone(demo_server: START, small_world: World) -> None:
    """A deleted task answers 404, and no page shows it."""
    gone = next(iter(small_world.ledger().tasks))
    small_world.delete_task(gone)
    with client(demo_server(small_world)) as http:
        assert refusal(http.get(f"/task/{gone}")) == (404, "ITEM_013")


def test_an_unknown_route_is_plain_text(http: httpx.Client) -> None:
    """What is no route answers 404 in plain text."""
    answer = http.get("/spaces")
    assert (answer.status_code, answer.text) == (404, "404 page not found")
    assert answer.headers["content-type"].startswith("text/plain")


def test_answers_are_compressed_when_asked(server: DemoServer) -> None:
    """gzip is sent to who accepts it, and to nobody else."""
    with httpx.Client(headers={"Authorization": server.token, "Accept-Encoding": "identity"}) as http:
        plain = http.get(f"{server.url}/team")
        packed = http.get(f"{server.url}/team", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert len(gzip.compress(plain.content)) < len(plain.content)


# pages of tasks


def test_a_page_has_a_hundred_tasks_and_the_end_is_empty(http: httpx.Client, world: World) -> None:
    """Pages are full but for the last; past it comes 200 with nothing."""
    path = team(world, "task")
    total = len(everything(http, path, **ALL))
    sizes = [len(ids(http.get(path, params={**ALL, "page": page}))) for page in range(total // 100 + 2)]
    assert sizes == [100] * (total // 100) + [total % 100, 0]


def test_unknown_parameters_are_ignored(http: httpx.Client, world: World) -> None:
    """``limit`` and ``page_size`` change nothing."""
    path = team(world, "task")
    plain = http.get(path, params=ALL)
    assert ids(http.get(path, params={**ALL, "limit": 5, "page_size": 5, "offset": 100})) == ids(plain)


@pytest.mark.parametrize(("flag", "key"), [("include_closed", "closed"), ("subtasks", "subtask")])
def test_closed_and_subtasks_come_on_demand_only(
    http: httpx.Client, world: World, flag: str, key: str
) -> None:
    """Without the flag none comes, with it they do."""
    without = everything(http, team(world, "task"), **{k: v for k, v in ALL.items() if k != flag})
    tasks = everything(http, team(world, "task"), **ALL)
    for found, expected in ((without, False), (tasks, True)):
        kinds = {"closed": [t["status"]["type"] == "closed" for t in found],
                 "subtask": [t["parent"] is not None for t in found]}  # fmt: skip
        assert any(kinds[key]) is expected


def test_archived_is_exclusive(http: httpx.Client, world: World) -> None:
    """``archived=true`` brings archived tasks and no others; without it none of them comes."""
    list_ = max(
        world.lists, key=lambda one: sum(world.tasks.archived[task] for task in one.home) * one.readable
    )
    path = f"/list/{list_.id}/task"
    assert {task["archived"] for task in everything(http, path, archived="true", **ALL)} == {True}
    assert {task["archived"] for task in everything(http, path, archived="false", **ALL)} == {False}
    assert {task["archived"] for task in everything(http, path, **ALL)} == {False}


def test_tasks_of_several_lists_come_on_demand_only(http: httpx.Client, world: World) -> None:
    """A task added to a list is on its pages only with ``include_timl``, and names its home there."""
    list_ = next(one for one in world.lists if one.readable and any(map(world.sees, one.added)))
    path = f"/list/{list_.id}/task"
    without = {task["list"]["id"] for task in everything(http, path, **ALL)}
    tasks = [task for flag in ("false", "true")
             for task in everything(http, path, include_timl="true", archived=flag, **ALL)]  # fmt: skip
    assert without <= {list_.id}
    added = [task for task in tasks if task["list"]["id"] != list_.id]
    assert len(added) == len(list_.added)
    assert all(list_.id in {place["id"] for place in task["locations"]} for task in added)


def test_archived_places_are_absent_from_the_workspace_route(http: httpx.Client, world: World) -> None:
    """Tasks of archived lists, folders and spaces, and shared ones, are only on their lists' pages."""
    lists = {task["list"]["id"] for flag in ("true", "false")
             for task in everything(http, team(world, "task"), archived=flag, **ALL)}  # fmt: skip
    shown = {one.id for one in world.lists if one.on_team_route and len(one.home)}
    assert lists == shown
    archived = next(one for one in world.lists if one.archived and one.readable and len(one.home))
    assert everything(http, f"/list/{archived.id}/task", **ALL)


def test_archived_on_the_workspace_route_can_be_without_effect(demo_server: START, world: World) -> None:
    """Where the undocumented parameter is switched off, it is ignored like any other."""
    server = demo_server(world, behaviour=Behaviour(team_archived=False, team_timl=False))
    with client(server) as http:
        plain = everything(http, team(world, "task"), **ALL)
        asked = everything(http, team(world, "task"), archived="true", include_timl="true", **ALL)
    assert asked == plain


@pytest.mark.parametrize("name", ["list_ids", "space_ids", "project_ids", "statuses", "assignees", "tags"])
def test_filters_must_be_arrays(http: httpx.Client, world: World, name: str) -> None:
    """A filter without brackets is a bad request."""
    status, code = refusal(http.get(team(world, "task"), params={name: "1"}))
    assert (status, code[:10]) == (400, "PUBAPITASK")


def test_filters_by_place(http: httpx.Client, world: World) -> None:
    """``list_ids[]``, ``project_ids[]`` and ``space_ids[]`` keep the tasks whose home is there."""
    lists = [one for one in world.lists if one.on_team_route and one.folder and len(one.home) > 3]
    first, second = lists[:2]
    found = everything(http, team(world, "task"), **{"list_ids[]": [first.id, second.id]}, **ALL)
    assert {task["list"]["id"] for task in found} == {first.id, second.id}
    assert first.folder
    found = everything(http, team(world, "task"), **{"project_ids[]": [first.folder.id]}, **ALL)
    assert {task["folder"]["id"] for task in found} >= {first.folder.id}
    found = everything(http, team(world, "task"), **{"space_ids[]": [first.space.id]}, **ALL)
    assert {task["space"]["id"] for task in found} == {first.space.id}


def test_a_filter_may_not_name_what_is_not_seen(http: httpx.Client, demo_server: START, world: World) -> None:
    """One list in the filter that the token does not see refuses all, unless filters are lenient."""
    seen = next(one for one in world.lists if one.on_team_route and len(one.home))
    params = {"list_ids[]": [seen.id, "1"], **ALL}
    assert refusal(http.get(team(world, "task"), params=params)) == (401, "OAUTH_061")
    with client(demo_server(world, behaviour=Behaviour(strict_filters=False))) as lenient:
        assert ids(lenient.get(team(world, "task"), params=params))


@pytest.mark.parametrize(
    ("gt", "lt", "expected"), [(True, False, [0, 1]), (False, True, [1, 2]), (True, True, [0, 1, 2])]
)
def test_date_filters_include_their_ends_by_switch(
    demo_server: START, world: World, gt: bool, lt: bool, expected: list[int]
) -> None:
    """Whether ``date_updated_gt`` and ``_lt`` include the instant is a switch."""
    tasks = sorted(filter(world.on_team_route, range(len(world.tasks))), key=world.tasks.updated.__getitem__)
    first, _, last = (world.tasks.updated[task] for task in tasks[:3])
    with client(demo_server(world, behaviour=Behaviour(gt_inclusive=gt, lt_inclusive=lt))) as http:
        params = {"date_updated_gt": first, "date_updated_lt": last, "order_by": "updated", "reverse": "true"}
        found = ids(http.get(team(world, "task"), params={**params, **ALL}))
    assert found == [task_id(tasks[place]) for place in expected]


def test_the_newest_come_first_unless_reversed(http: httpx.Client, world: World) -> None:
    """The default order is by creation, newest first; ``reverse=true`` turns it round."""
    path = team(world, "task")
    created = [int(task["date_created"]) for task in everything(http, path, **ALL)]
    assert created == sorted(created, reverse=True)
    reverse = [int(task["date_created"]) for task in everything(http, path, reverse="true", **ALL)]
    assert reverse == sorted(created)


def test_orders_that_do_not_exist_are_a_server_error(http: httpx.Client, world: World) -> None:
    """Only four orders exist; any other is a 500."""
    for known in ("id", "created", "updated", "due_date"):
        assert http.get(team(world, "task"), params={"order_by": known}).status_code == 200
    assert refusal(http.get(team(world, "task"), params={"order_by": "closed"})) == (500, "ITEMV2_003")


@pytest.mark.parametrize(
    ("tells", "expected"), [("always", {True}), ("never", {False}), ("sometimes", {True, False})]
)
def test_the_workspace_route_may_not_say_which_page_is_last(
    demo_server: START, world: World, tells: str, expected: set[bool]
) -> None:
    """``last_page`` is there always, never, or on some pages, by switch; list pages always have it."""
    with client(demo_server(world, behaviour=Behaviour(team_last_page=tells))) as http:
        pages = [http.get(team(world, "task"), params={**ALL, "page": page}).json() for page in range(9)]
        assert {"last_page" in page for page in pages} == expected
        assert http.get(f"/list/{world.lists[8].id}/task").json()["last_page"] is True


def test_pages_may_be_short_before_the_end(demo_server: START, world: World) -> None:
    """With access filtering pages lose rows, yet no task is lost and the last page is told."""
    with client(demo_server(world, behaviour=Behaviour(short_pages=True, team_last_page="always"))) as http:
        tasks, sizes, page = [], [], 0
        while True:
            answer = http.get(team(world, "task"), params={**ALL, "page": page}).json()
            tasks += [task["id"] for task in answer["tasks"]]
            if answer["last_page"]:
                break
            sizes.append(len(answer["tasks"]))
            page += 1
    assert set(sizes) <= {88, 89}
    assert len(tasks) == len(set(tasks)) == sum(map(world.on_team_route, range(len(world.tasks))))


def test_list_pages_hide_checklists_and_attachments(http: httpx.Client, world: World) -> None:
    """Pages show empty checklists and no attachments; the task's own route shows both."""
    tasks = everything(http, team(world, "task"), **ALL)
    assert {(len(task["checklists"]), "attachments" in task) for task in tasks} == {(0, False)}
    details = [http.get(f"/task/{task['id']}").json() for task in tasks[:60]]
    assert any(task["checklists"] for task in details)
    assert any(task["attachments"] for task in details)
    same = [
        {key: value for key, value in task.items() if key != "attachments"} | {"checklists": []}
        for task in details
    ]
    assert same == tasks[:60]


def test_a_task_is_found_by_its_custom_id(http: httpx.Client, world: World) -> None:
    """``custom_task_ids=true`` looks a task up by the id that people gave it."""
    task = next(task for task in everything(http, team(world, "task"), **ALL) if task["custom_id"])
    params = {"custom_task_ids": "true", "team_id": world.team_id}
    assert http.get(f"/task/{task['custom_id']}", params=params).json()["id"] == task["id"]


def test_subtasks_and_markdown_come_on_demand(http: httpx.Client, world: World) -> None:
    """``include_subtasks`` and ``include_markdown_description`` add their keys."""
    parent = next(task for task in everything(http, team(world, "task"), **ALL) if task["parent"])["parent"]
    plain = http.get(f"/task/{parent}").json()
    more = http.get(
        f"/task/{parent}", params={"include_subtasks": "true", "include_markdown_description": "true"}
    ).json()
    assert more.keys() - plain.keys() == {"subtasks", "markdown_description"}
    assert {task["parent"] for task in more["subtasks"]} == {parent}
    page = http.get(team(world, "task"), params={"include_markdown_description": "true"}).json()["tasks"]
    assert all(task["markdown_description"] == (task["description"] or "") for task in page)


# places


def test_folderless_lists_have_a_placeholder_folder(http: httpx.Client, world: World) -> None:
    """A list without a folder names one that is hidden, and comes without its statuses."""
    lists = http.get(f"/space/{world.spaces[0].id}/list").json()["lists"]
    assert lists
    assert {(one["folder"]["name"], one["folder"]["hidden"]) for one in lists} == {("hidden", True)}
    assert not any("statuses" in one for one in lists)
    assert http.get(f"/list/{lists[0]['id']}").json()["statuses"]


def test_inlined_lists_leave_out_archived_ones(http: httpx.Client, world: World) -> None:
    """A folder shows its live lists with statuses; the archived ones are on its own list route."""
    archived = next(one for one in world.lists if one.archived and one.folder and one.space.visible)
    assert archived.folder
    folder = http.get(f"/folder/{archived.folder.id}").json()
    assert archived.id not in {one["id"] for one in folder["lists"]}
    assert all(one["statuses"] for one in folder["lists"])
    route = http.get(f"/folder/{archived.folder.id}/list", params={"archived": "true"}).json()
    assert archived.id in {one["id"] for one in route["lists"]}


def test_spaces_are_told_by_kind(http: httpx.Client, world: World) -> None:
    """Archived spaces come only when asked for; private ones list their members."""
    live = http.get(team(world, "space")).json()["spaces"]
    old = http.get(team(world, "space"), params={"archived": "true"}).json()["spaces"]
    assert {space["archived"] for space in live} == {False}
    assert {space["archived"] for space in old} == {True}
    assert {space["private"] for space in live if "members" in space} == {True}


def test_shared_things_are_reached_through_sharing_alone(http: httpx.Client, world: World) -> None:
    """Shared lists, folders and tasks lie in a space that answers 401."""
    shared = http.get(team(world, "shared")).json()["shared"]
    assert [len(shared[key]) for key in ("tasks", "lists", "folders")] == [1, 1, 1]
    inside = http.get(f"/folder/{shared['folders'][0]['id']}/list").json()["lists"]
    for list_ in (shared["lists"][0], inside[0]):
        space = http.get(f"/list/{list_['id']}").json()["space"]
        assert space["access"] is False
        assert refusal(http.get(f"/space/{space['id']}")) == (401, "OAUTH_055")
    assert http.get(f"/task/{shared['tasks'][0]['id']}").status_code == 200


def test_the_invited_have_no_name(http: httpx.Client, world: World) -> None:
    """A person who never joined has null for a name; one who left is not listed."""
    (workspace,) = http.get("/team").json()["teams"]
    members = [member["user"] for member in workspace["members"]]
    invited = [user for user in members if user["username"] is None]
    assert [(user["date_joined"], user["role"]) for user in invited] == [(None, 3)]
    assert {user["role"] for user in members} == {1, 2, 3, 4}
    assert world.people[-1].id not in {user["id"] for user in members}


def test_fields_of_every_type_exist(http: httpx.Client, world: World) -> None:
    """Every type of custom field is in use, and a field that is not set has no key ``value``."""
    fields: dict[str, list[Json]] = {}
    for flag in ("true", "false"):
        for list_ in (one for one in world.lists if one.readable):
            for task in everything(http, f"/list/{list_.id}/task", archived=flag, **ALL):
                for field in task["custom_fields"]:
                    fields.setdefault(field["type"], []).append(field)
    assert " ".join(sorted(fields)) == (
        "attachment automatic_progress button checkbox currency date drop_down email emoji formula labels "
        "list_relationship location manual_progress number phone rollup short_text signature tasks text url "
        "users votes"
    )
    unset = {type_: any("value" not in field for field in some) for type_, some in fields.items()}
    assert [type_ for type_, found in unset.items() if not found] == ["automatic_progress"]
    assert {type(field["value"]) for field in fields["drop_down"] if "value" in field} == {int, str}
    assert {type(field["value"]) for field in fields["currency"] if "value" in field} == {str}


# time in status


def bulk(http: httpx.Client, tasks: list[str]) -> httpx.Response:
    """Ask for the time in status of some tasks."""
    return http.get("/task/bulk_time_in_status/task_ids", params={"task_ids": tasks})


def test_time_in_status_takes_a_hundred_tasks(http: httpx.Client, world: World) -> None:
    """A hundred ids are answered, one too; one more than a hundred is refused."""
    tasks = [task["id"] for task in everything(http, team(world, "task"), **ALL)][:101]
    assert bulk(http, tasks[:100]).json().keys() <= set(tasks)
    assert list(bulk(http, tasks[:1]).json()) == tasks[:1]
    assert bulk(http, tasks).status_code == 400


def test_tasks_without_history_are_absent(http: httpx.Client, world: World) -> None:
    """Unknown, unseen and history-less tasks are silently left out."""
    seen = [task for task in range(len(world.tasks)) if world.sees(task)]
    silent = next(task for task in seen if not world.has_history(task))
    unseen = next(task for task in range(len(world.tasks)) if not world.sees(task))
    assert bulk(http, [task_id(silent), task_id(unseen), "zzz"]).json() == {}


def test_one_route_and_the_other_say_the_same(http: httpx.Client, world: World) -> None:
    """A task's own route gives what the batch gives."""
    task = everything(http, team(world, "task"), **ALL)[5]["id"]
    assert http.get(f"/task/{task}/time_in_status").json() == bulk(http, [task]).json()[task]


def test_deleted_statuses_have_neither_colour_nor_place(http: httpx.Client, world: World) -> None:
    """Rows of statuses that are gone have a null colour and no orderindex, and rows are not by time."""
    tasks = [task["id"] for task in everything(http, team(world, "task"), reverse="true", **ALL)][:100]
    answer = bulk(http, tasks).json().values()
    rows = [row for one in answer for row in one["status_history"]]
    former = [row for row in rows if row["status"] in ("code review", "working")]
    assert former
    assert {(row["color"], "orderindex" in row) for row in former} == {(None, False)}
    assert any(
        [row["total_time"]["since"] for row in one["status_history"]]
        != sorted(row["total_time"]["since"] for row in one["status_history"])
        for one in answer
    )


def test_time_in_status_may_not_be_on_the_plan(demo_server: START, world: World) -> None:
    """Where it is switched off, both routes answer 403."""
    with client(demo_server(world, behaviour=Behaviour(time_in_status=False))) as http:
        assert refusal(bulk(http, ["a"])) == (403, "TIS_027")
        assert refusal(http.get("/task/a/time_in_status")) == (403, "TIS_027")


# time entries


def entries(http: httpx.Client, world: World, **params: Any) -> list[Json]:
    """Return the time entries of an answer."""
    answer = http.get(team(world, "time_entries"), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"] or []


def everybody(world: World) -> str:
    """Return the ids of all members, joined."""
    return ",".join(str(person.id) for person in world.present_people)


def test_unasked_time_is_ones_own_of_thirty_days(http: httpx.Client, world: World) -> None:
    """Without parameters only the token's user and the last thirty days are told."""
    found = entries(http, world)
    assert {entry["user"]["id"] for entry in found} <= {world.me.id}
    assert all(NOW - 30 * DAY <= int(entry["start"] or entry["at"]) <= NOW for entry in found)
    assert len(entries(http, world, start_date=0, end_date=NOW)) > len(found)


def test_the_window_tests_the_start(http: httpx.Client, world: World) -> None:
    """An entry belongs to a window when it starts in it: start inclusive, end exclusive."""
    everything_ = entries(http, world, start_date=0, end_date=NOW, assignee=everybody(world))
    starts = sorted(int(entry["start"]) for entry in everything_ if entry["start"])
    first, last = starts[10], starts[20]
    found = entries(http, world, start_date=first, end_date=last, assignee=everybody(world))
    assert sorted(int(entry["start"] or entry["at"]) for entry in found)[0] == first
    assert all(first <= int(entry["start"] or entry["at"]) < last for entry in found)


def test_one_closed_member_refuses_the_whole_batch(demo_server: START) -> None:
    """403 for all of them, though each of the others would be answered."""
    world = build_world(tasks=300, now=NOW, unreadable=1)
    (closed,) = world.unreadable
    with client(demo_server(world)) as http:
        path = team(world, "time_entries")
        assert refusal(http.get(path, params={"assignee": everybody(world)})) == (403, "TIMEENTRY_059")
        assert refusal(http.get(path, params={"assignee": world.people[closed].id})) == (403, "TIMEENTRY_059")
        others = [str(person.id) for place, person in enumerate(world.present_people) if place != closed]
        assert http.get(path, params={"assignee": ",".join(others)}).status_code == 200


def test_oauth_tokens_may_ask_for_one_member_only(server: DemoServer, world: World) -> None:
    """Two assignees are 403 for an OAuth token, one is fine."""
    with client(server, f"Bearer {server.oauth_token}") as http:
        path = team(world, "time_entries")
        assert refusal(http.get(path, params={"assignee": everybody(world)})) == (403, "TIMEENTRY_059")
        assert http.get(path, params={"assignee": world.people[1].id}).status_code == 200


def test_who_is_no_member_is_an_invalid_assignee(http: httpx.Client, world: World) -> None:
    """Unknown people, and those who left, are a bad request."""
    for id_ in (1, world.people[-1].id):
        answer = http.get(team(world, "time_entries"), params={"assignee": f"{world.me.id},{id_}"})
        assert refusal(answer) == (400, "TIMEENTRY_007")


def test_dates_must_be_whole_numbers(http: httpx.Client, world: World) -> None:
    """A date that is no integer is a server error."""
    answer = http.get(team(world, "time_entries"), params={"start_date": "2026-01-01"})
    assert refusal(answer) == (500, "TIMEENTRY_072")


def test_one_place_at_a_time(http: httpx.Client, world: World) -> None:
    """Two location filters are a bad request; one keeps what was tracked there."""
    list_ = next(
        one for one in world.lists if one.on_team_route and any(world.entries_of.get(t) for t in one.home)
    )
    span = {"start_date": 0, "end_date": NOW, "assignee": everybody(world)}
    path = team(world, "time_entries")
    both = {"list_id": list_.id, "space_id": list_.space.id}
    assert refusal(http.get(path, params={**span, **both})) == (400, "TIMEENTRY_065")
    found = entries(http, world, list_id=list_.id, **span)
    assert {str(entry["task_location"]["list_id"]) for entry in found} == {list_.id}


def test_answers_may_be_cut_off_silently(demo_server: START, world: World) -> None:
    """With the switch no answer has more entries than it says, and nothing tells."""
    with client(demo_server(world, behaviour=Behaviour(entries_limit=50))) as http:
        assert len(entries(http, world, start_date=0, end_date=NOW, assignee=everybody(world))) == 50


def test_entries_come_in_all_their_kinds(http: httpx.Client, world: World) -> None:
    """Running timers, time without a task, amounts without times and nulls from the mobile app all occur."""
    found = entries(http, world, start_date=0, end_date=NOW + DAY, assignee=everybody(world))
    running = [entry for entry in found if int(entry["duration"]) < 0]
    assert {entry["duration"] == -int(entry["start"]) and "end" not in entry for entry in running} == {True}
    assert {entry["billable"] for entry in found} == {True, False, None}
    assert any(entry["start"] is None for entry in found)
    assert any(entry.get("task") is None for entry in found)
    assert any(entry["description"] is None for entry in found)
    names = entries(
        http, world, include_location_names="true", include_task_tags="true", start_date=0, end_date=NOW
    )
    assert {"list_name", "folder_name", "space_name"} <= next(e for e in names if e.get("task"))[
        "task_location"
    ].keys()


def test_the_running_timer_is_told(http: httpx.Client, world: World) -> None:
    """A member's running timer is on its own route; null for who has none."""
    running = next(e for e in range(len(world.entries)) if world.entries.duration[e] < 0)
    person = world.people[world.entries.member[running]].id
    path = team(world, "time_entries/current")
    assert http.get(path, params={"assignee": person}).json()["data"]["user"]["id"] == person
    idle = next(p for p in world.present_people if p.username is None).id
    assert http.get(path, params={"assignee": idle}).json() == {"data": None}


def test_the_legacy_route_knows_those_who_left(http: httpx.Client, world: World) -> None:
    """A task's time lists everybody's intervals, also of people the workspace no longer lists."""
    entry = next(iter(world.ledger().entries_by_task.values()))
    data = http.get(f"/task/{entry['task_id']}/time").json()["data"]
    assert str(world.people[-1].id) in {str(one["user"]["id"]) for one in data}
    assert all(one["time"] == sum(int(i["time"]) for i in one["intervals"]) for one in data)


# the rest


def test_comments_come_by_twenty_five(http: httpx.Client, world: World) -> None:
    """Comments are paged by date and id, newest first, until an empty page; replies have their own route."""
    task = next(
        task for task in range(len(world.tasks)) if world.sees(task) and len(comments(world, task)) == 60
    )
    found: list[Json] = []
    params: Json = {}
    while page := http.get(f"/task/{task_id(task)}/comment", params=params).json()["comments"]:
        assert len(page) <= 25
        found += page
        params = {"start": page[-1]["date"], "start_id": page[-1]["id"]}
    assert [int(one["id"]) for one in found] == [one.id for one in comments(world, task)]
    answered = next(one for one in found if int(one["reply_count"]))
    replies = http.get(f"/comment/{answered['id']}/reply").json()["comments"]
    assert len(replies) == int(answered["reply_count"])


def test_goals_of_folders_are_under_their_folders(http: httpx.Client, world: World) -> None:
    """The list of goals has loose ones, folders the others; key results are on the goal's own route."""
    answer = http.get(team(world, "goal")).json()
    inside = answer["folders"][0]["goals"]
    assert not {goal["id"] for goal in inside} & {goal["id"] for goal in answer["goals"]}
    goal = http.get(f"/goal/{answer['goals'][0]['id']}").json()["goal"]
    assert len(goal["key_results"]) == goal["key_result_count"] == 2


def test_docs_are_paged_by_cursor(server: DemoServer, world: World) -> None:
    """Docs come ten and more at a time until the cursor is empty; pages nest."""
    base = server.url.replace("/v2", "/v3") + f"/workspaces/{world.team_id}/docs"
    with httpx.Client(headers={"Authorization": server.token}) as http:
        found, cursor = [], ""
        while True:
            answer = http.get(base, params={"limit": 10, "cursor": cursor}).json()
            found += answer["docs"]
            cursor = answer["next_cursor"]
            if not cursor:
                break
        archived = http.get(base, params={"archived": "true"}).json()["docs"]
        (page,) = http.get(f"{base}/{found[1]['id']}/pages").json()
    assert len({doc["id"] for doc in found}) == len(found) == 21
    assert {doc["archived"] for doc in archived} == {True}
    assert page["pages"]


@pytest.mark.parametrize(
    "route", ["seats", "plan", "customroles", "custom_item", "webhook", "time_entries/tags"]
)
def test_thin_routes_answer(http: httpx.Client, world: World, route: str) -> None:
    """Routes that tell little still answer."""
    assert http.get(team(world, route)).status_code == 200


def test_groups_need_their_workspace(http: httpx.Client, world: World) -> None:
    """``/group`` wants ``team_id`` in the query."""
    assert http.get("/group", params={"team_id": world.team_id}).json()["groups"][0]["members"]
    assert refusal(http.get("/group")) == (401, "OAUTH_027")
