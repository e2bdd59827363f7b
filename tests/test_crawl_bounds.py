"""What a crawl spends on what is broken, and what it does not give up too early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clickup_toolkit.demo import Behaviour, DemoServer, Fault, World, build_world
from clickup_toolkit.demo.ids import task_id
from clickup_toolkit.errors import TokenRejected, ToolkitError
from clickup_toolkit.export import run_export_sync
from tests.exporting import settings_for, table
from tests.test_crawl import crawled, ids
from tests.test_crawl_drift import buried_lists

Serve = Callable[..., DemoServer]


def test_questions_that_fail_at_the_same_time_are_tried_once(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Of all that fail before the first gave up, three are insisted on; the others cost one try each."""
    broken = [Fault("500", path="/list/.*/task.*archived=true")]
    server = demo_server(small_world, faults=broken, behaviour=Behaviour(team_archived=False))
    journal, stats = crawled(server, tmp_path)
    failed = {gap.id for gap in journal.gaps() if gap.what == "archived_tasks"}
    asked = [row for row in server.requests if "/list/" in row.path and "archived=true" in row.query]
    assert failed == small_world.ledger().lists.keys() - small_world.ledger().unreadable["lists"]
    swept = len(asked) - sum("date_updated_gt" not in row.query for row in asked)
    assert len(asked) - swept == len(failed) + 3 * 6
    assert stats.retries == 3 * 6


def test_many_failures_that_pass_leave_no_gap(small_world: World, demo_server: Serve, tmp_path: Path) -> None:
    """Questions that fail together, each once, are all answered in the end."""
    hiccup = [Fault("500", path="/list/.*/task", times=20)]
    server = demo_server(small_world, faults=hiccup, behaviour=Behaviour(team_archived=False))
    journal, _ = crawled(server, tmp_path)
    assert ids(journal) == small_world.ledger().tasks.keys()
    assert not [gap for gap in journal.gaps() if gap.what in ("tasks", "archived_tasks")]


def test_what_is_broken_for_good_takes_no_turn_from_what_passes(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Three lists never answer, the others now and then not: the three are the gaps, and nothing else."""
    broken = {place.id for place in buried_lists(small_world)[:3]}
    faults = [
        Fault("500", path=f"/list/({'|'.join(broken)})/task"),
        Fault("500", path="/list/.*/task", every=6),
    ]
    server = demo_server(small_world, faults=faults, behaviour=Behaviour(team_archived=False))
    journal, stats = crawled(server, tmp_path)
    kinds = ("tasks", "archived_tasks", "tasks_changed_meanwhile")
    assert {gap.id for gap in journal.gaps() if gap.what in kinds} == broken
    assert stats.retries < stats.requests / 2


def test_a_token_code_for_many_ids_checks_the_token_now_and_then(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Refusals that may mean the token check it one in ten times, and last only where it turned out good."""
    refuse = Fault("refuse", path="/list/.*/task", code="OAUTH_019")
    journal, _ = crawled(demo_server(small_world, faults=[refuse]), tmp_path / "good")
    gaps = {gap.id for gap in journal.gaps() if gap.code == "OAUTH_019"}
    assert gaps >= {place.id for place in buried_lists(small_world)}
    revoked = demo_server(
        small_world, faults=[refuse, Fault("refuse", path="/user", every=2, code="OAUTH_019")]
    )
    with pytest.raises(TokenRejected):
        crawled(revoked, tmp_path / "revoked")
    assert [row.path for row in revoked.requests if row.path.endswith("/user")] == ["/api/v2/user"] * 2
    assert 10 <= sum(row.path.endswith("/task") and row.status == 401 for row in revoked.requests) <= 18
    journal, _ = crawled(demo_server(small_world), tmp_path / "revoked")
    assert ids(journal) == small_world.ledger().tasks.keys()


def test_a_second_look_that_is_refused_reads_no_list_again(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """A space that does not answer at the end is a gap; its lists did not vanish, and are not read again."""
    world = small_world
    space = next(place.space for place in world.lists if place.on_team_route and place.folder)

    def change(request: int) -> None:
        row = server.requests[-1]
        if "date_updated_gt" in row.query and "/team/" in row.path:
            world.deny(space.id)

    server = demo_server(world, changes=change)
    before = world.ledger().tasks.keys()
    journal, _ = crawled(server, tmp_path)
    opens = {place.id for place in world.lists if place.space is space and place.on_team_route}
    again = [
        row for row in server.requests if row.path.split("/")[-2] in opens and "archived=false" in row.query
    ]
    assert [row for row in again if row.path.endswith("/task") and "list" in row.path] == []
    assert ("folders", space.id) in {(gap.what, gap.id) for gap in journal.gaps()}
    assert ids(journal) == before


def test_a_list_with_fewer_tasks_than_counted_is_asked_anew(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Also where it was asked by its own route before; and nothing of one run counts as resumed."""
    world, archived = live_world, list[str]()
    place = next(place for place in world.lists if place.on_team_route and len(place.home) > 3)

    def change(request: int) -> None:
        if not archived and any("list_ids" in asked.query for asked in server.requests):
            archived.append(task_id(next(task for task in place.home if not world.tasks.archived[task])))
            world.archive_task(archived[0])

    server = demo_server(world, changes=change, behaviour=Behaviour(team_timl=False))
    report = run_export_sync(settings_for(server, tmp_path, redis_url))
    mine = [row.query for row in server.requests if row.path.endswith(f"/list/{place.id}/task")]
    firsts = [query for query in mine if query.startswith("archived=false") and "order_by=created" in query]
    assert len(firsts) == 2
    assert report.resumed == 0


def test_old_tasks_without_time_in_status_end_nothing(
    small_world: World, demo_server: Serve, tmp_path: Path
) -> None:
    """Hundreds of tasks in a row that have none say nothing about those behind them."""
    world = build_world(tasks=900, time_entries=10, now=small_world.now())
    made = sorted((facts["date_created"], key) for key, facts in world.ledger().tasks.items())
    since = int(str(made[700][0]))
    server = demo_server(world, behaviour=Behaviour(history_from=since))
    journal, _ = crawled(server, tmp_path)
    answers = [answer.body for answer in journal.answers("time_in_status")]
    assert len(answers) == -(-len(world.ledger().tasks) // 100)
    assert sum(len(body) < 10 for body in answers) >= 6
    young = {key for created, key in made if int(str(created)) >= since} & world.ledger().status_rows.keys()
    assert all(any(f'"{key}"'.encode() in body for body in answers) for key in young)


@pytest.mark.parametrize("route", ["/shared", "/list/.*/task.*date_updated_gt"])
def test_an_incremental_export_does_not_pass_over_shared_lists(
    route: str, live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Where changes in shared lists cannot be read it fails, and the next one begins where it did."""
    world = live_world
    shared = next(place for place in world.lists if place.readable and place.shared and place.home)
    healthy = settings_for(demo_server(world), tmp_path, redis_url)
    run_export_sync(healthy)
    task = next(
        key
        for key, facts in world.ledger().tasks.items()
        if facts["list_id"] == shared.id and not facts["archived"]
    )
    world.edit_task(task, name="Renamed meanwhile")
    broken = demo_server(world, faults=[Fault("500", path=route)])
    with pytest.raises(ToolkitError):
        run_export_sync(settings_for(broken, tmp_path, redis_url, max_retries=1))
    assert run_export_sync(healthy).mode == "incremental"
    assert [row["name"] for row in table(tmp_path, "tasks") if row["id"] == task] == ["Renamed meanwhile"]


def test_reading_what_is_open_settles_no_gap_of_what_is_archived(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Archived folders refuse themselves in a full export: the incremental one behind it says so, too."""
    refuse = [Fault("refuse", path=r"/folder\?archived=true", code="ACCESS_190", status=404)]
    ours = settings_for(demo_server(live_world, faults=refuse), tmp_path, redis_url)
    first = {gap.id for gap in run_export_sync(ours).gaps if gap.what == "archived_folders"}
    again = run_export_sync(ours)
    assert again.mode == "incremental"
    assert first
    assert {gap.id for gap in again.gaps if gap.what == "archived_folders"} == first


def test_what_changed_in_the_archive_comes_with_its_folder(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """A folder taken out of the archive is read whole, with changes made while nobody looked there."""
    world = live_world
    task, folder = next(
        (key, place.folder)
        for place in buried_lists(world)
        if place.folder and place.folder.archived and not place.space.archived and not place.archived
        for key, facts in world.ledger().tasks.items()
        if facts["list_id"] == place.id and not facts["archived"]
    )
    ours = settings_for(demo_server(world), tmp_path, redis_url)
    run_export_sync(ours)
    world.edit_task(task, name="Renamed in the archive")
    run_export_sync(ours)
    world.archive_place(folder.id, archived=False)
    assert run_export_sync(ours).mode == "incremental"
    (row,) = [row for row in table(tmp_path, "tasks") if row["id"] == task]
    assert (row["name"], row["in_archived"]) == ("Renamed in the archive", False)


def test_what_lies_below_an_archived_folder_is_not_read_each_time(
    live_world: World, demo_server: Serve, redis_url: str, tmp_path: Path
) -> None:
    """Lists in archived places, and archived ones that are shared, are no news: none is read whole."""
    server = demo_server(live_world)
    ours = settings_for(server, tmp_path, redis_url)
    run_export_sync(ours)
    before = len(server.requests)
    assert run_export_sync(ours).mode == "incremental"
    asked = [row for row in server.requests[before:] if "list_ids" in row.query]
    whole = [
        row for row in server.requests[before:] if "/list/" in row.path and "order_by=created" in row.query
    ]
    assert (asked, whole) == ([], [])
