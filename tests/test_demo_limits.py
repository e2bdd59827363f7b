"""The synthetic ClickUp's rate limit, faults and changes: each as configured, the same every time."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clickup_toolkit.demo import Changes, DemoServer, Fault, World
from clickup_toolkit.demo.faults import KINDS
from clickup_toolkit.demo.window import RateWindow

START = Callable[..., DemoServer]
ALL = {"include_closed": "true", "subtasks": "true"}


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def client(server: DemoServer, **options: Any) -> httpx.Client:
    """Return a client of the server."""
    return httpx.Client(base_url=server.url, headers={"Authorization": server.token}, **options)


def statuses(http: httpx.Client, count: int, path: str = "/user") -> list[int]:
    """Return the statuses of so many requests; 0 for none."""
    found = []
    for _ in range(count):
        try:
            found.append(http.get(path).status_code)
        except httpx.TransportError:
            found.append(0)
    return found


# the rate limit


def test_a_window_opens_with_its_first_request() -> None:
    """As many as the limit pass; the next window opens with the first request after this one."""
    clock = Clock()
    window = RateWindow(3, 60, clock=clock)
    assert [window.enter().passes for _ in range(4)] == [True, True, True, False]
    clock.now += 59.9
    assert window.enter().passes is False
    clock.now += 10
    assert [window.enter().remaining for _ in range(3)] == [2, 1, 0]
    clock.now += 59.9
    assert window.enter().passes is False
    assert (window.fullest, window.throttled) == (3, 3)


def test_others_spend_part_of_the_window() -> None:
    """Somebody else's requests on the same token leave less, evenly over the window."""
    clock = Clock()
    window = RateWindow(10, 60, others=6, clock=clock)
    assert window.enter().remaining == 9
    clock.now += 30
    assert window.enter().remaining == 5
    clock.now += 29
    assert [window.enter().passes for _ in range(4)] == [True, True, True, False]


def test_every_answer_tells_the_limit(demo_server: START, small_world: World) -> None:
    """Limit, remaining and reset are on every answer, errors too; reset is the window's end in seconds."""
    with client(demo_server(small_world, rate_limit=100)) as http:
        answers = [http.get("/user"), http.get("/nowhere"), http.get("/space/1")]
    limits = [answer.headers["x-ratelimit-limit"] for answer in answers]
    assert limits == ["100"] * 3
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["99", "98", "97"]
    assert all(0 <= int(a.headers["x-ratelimit-reset"]) - time.time() <= 61 for a in answers)


def test_beyond_the_limit_comes_429(demo_server: START, small_world: World) -> None:
    """The request after the last one of the window is refused, with how long to wait."""
    server = demo_server(small_world, rate_limit=2)
    with client(server) as http:
        assert statuses(http, 2) == [200, 200]
        answer = http.get("/user")
    assert (answer.status_code, answer.json()["ECODE"]) == (429, "APP_002")
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (server.stats.requests, server.stats.throttled, server.stats.fullest_window) == (3, 1, 2)


def test_a_window_ends(demo_server: START, small_world: World) -> None:
    """After the window's length requests pass again."""
    with client(demo_server(small_world, rate_limit=1, window=0.3)) as http:
        assert statuses(http, 2) == [200, 429]
        deadline = time.monotonic() + 60
        while http.get("/user").status_code == 429:
            assert time.monotonic() < deadline


def test_headers_can_be_fewer_and_other(demo_server: START, small_world: World) -> None:
    """No Retry-After, reset in milliseconds and a clock that goes wrong are switches."""
    server = demo_server(small_world, rate_limit=1, retry_after=False, reset_in="ms", clock_skew=-3600)
    with client(server) as http:
        answer = [http.get("/user"), http.get("/user")][1]
    assert "retry-after" not in answer.headers
    date = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert -3605 < date - time.time() < -3595
    assert 0 < int(answer.headers["x-ratelimit-reset"]) / 1000 - date <= 62


def test_rate_headers_can_be_missing(demo_server: START, small_world: World) -> None:
    """A proxy may strip the headers."""
    with client(demo_server(small_world, rate_headers=False)) as http:
        assert not [name for name in http.get("/user").headers if name.startswith("x-ratelimit")]


def test_requests_are_recorded(demo_server: START, small_world: World) -> None:
    """Every request is kept with its method, path, query and status, in order of arrival."""
    server = demo_server(small_world)
    with client(server) as http:
        http.get("/user")
        http.get(f"/team/{server.team_id}/task", params={"page": 2, "order_by": "closed"})
        http.post("/list/1/task")
    assert server.requests == [
        ("GET", "/api/v2/user", "", 200),
        ("GET", f"/api/v2/team/{server.team_id}/task", "page=2&order_by=closed", 500),
        ("POST", "/api/v2/list/1/task", "", 404),
    ]


def test_deep_pages_take_longer(demo_server: START, small_world: World) -> None:
    """With ``page_latency`` page n takes n times as long; ``latency`` may depend on the path."""
    server = demo_server(
        small_world, page_latency=0.05, latency=lambda path, query: 0.2 if path.endswith("user") else 0
    )
    with client(server) as http:
        http.get("/team")
        for path, least in ((f"/team/{server.team_id}/task?page=3", 0.15), ("/user", 0.2)):
            begin = time.monotonic()
            http.get(path)
            assert time.monotonic() - begin >= least


# faults


def test_faults_have_known_kinds() -> None:
    """A fault of an unknown kind is refused when it is made."""
    with pytest.raises(ValueError, match="There is no fault 'flood'"):
        Fault("flood")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("500", every=3), [200, 200, 500, 200, 200, 500]),
        (Fault("500", times=2), [500, 500, 200, 200, 200, 200]),
        (Fault("500", every=2, times=2), [200, 500, 200, 500, 200, 200]),
        (Fault("500", path="/team"), [200] * 6),
        (Fault("refuse", path="/user", status=403, code="X_1"), [403] * 6),
        (Fault("500", probability=0.5, seed=3), None),
    ],
)
def test_faults_strike_as_told(
    demo_server: START, small_world: World, fault: Fault, expected: list[int] | None
) -> None:
    """Every n-th, the first n, or by chance with a seed: the same in every server."""
    runs = []
    for _ in range(2):
        with client(demo_server(small_world, faults=[fault])) as http:
            runs.append(statuses(http, 6))
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500} if expected is None else runs[0] == expected


def test_faulty_answers(demo_server: START, small_world: World) -> None:
    """Each fault that is an answer looks as it should; the next answer is whole."""
    looks: dict[str, Callable[[httpx.Response], bool]] = {
        "429": lambda a: a.status_code == 429 and "retry-after" in a.headers,
        "429_bare": lambda a: (
            a.status_code == 429 and not any("rate" in n or "retry" in n for n in a.headers)
        ),
        "500": lambda a: a.status_code == 500 and "ECODE" in a.json(),
        "502": lambda a: a.status_code == 502 and a.headers["content-type"] == "text/html",
        "broken_json": lambda a: a.status_code == 200 and not a.text.endswith("}"),
        "error_in_200": lambda a: a.status_code == 200 and a.json().keys() == {"err", "ECODE"},
        "refuse": lambda a: a.status_code == 401 and a.json()["ECODE"] == "OAUTH_027",
    }
    for kind, look in looks.items():
        with client(demo_server(small_world, faults=[Fault(kind, times=1)])) as http:
            assert look(http.get("/team")), kind
            assert http.get("/team").json()["teams"], kind


@pytest.mark.parametrize("kind", ["reset", "truncate", "hang"])
def test_dropped_connections(demo_server: START, small_world: World, kind: str) -> None:
    """A connection can be dropped before or in the middle of an answer, or never be answered."""
    server = demo_server(small_world, faults=[Fault(kind, times=1)])
    with client(server, timeout=0.5 if kind == "hang" else 60) as hasty, client(server) as patient:
        assert statuses(hasty, 1, "/team") + statuses(patient, 1, "/team") == [0, 200]


def test_repeated_pages(demo_server: START, small_world: World) -> None:
    """A repeated page is the first one, whichever was asked for."""
    server = demo_server(small_world, faults=[Fault("repeat", path="page=1")])
    with client(server) as http:
        path = f"/team/{server.team_id}/task"
        first, second = (http.get(path, params={**ALL, "page": page}).json()["tasks"] for page in (0, 1))
    assert first == second


def test_missing_last_page(demo_server: START, small_world: World) -> None:
    """A list page can come without ``last_page``, otherwise whole."""
    path = f"/list/{small_world.lists[8].id}/task"
    with client(demo_server(small_world, faults=[Fault("no_last_page", times=1)])) as http:
        bare, whole = http.get(path).json(), http.get(path).json()
    assert {**bare, "last_page": True} == whole


@pytest.mark.parametrize("path", ["/team/{team}/task", "/team", "/team/{team}/time_entries?start_date=0"])
def test_odd_fields_keep_their_ids(demo_server: START, small_world: World, path: str) -> None:
    """Odd answers have the same items, with some values null, of another type, or missing."""
    server = demo_server(small_world, faults=[Fault("odd", times=1)])
    with client(server) as http:
        odd, whole = (http.get(path.format(team=server.team_id)).json() for _ in range(2))
    (key,) = [key for key in whole if isinstance(whole[key], list)]
    assert [item["id"] for item in odd[key]] == [item["id"] for item in whole[key]]
    assert odd != whole


def test_every_kind_of_fault_is_tried_here() -> None:
    """The tests above know every kind."""
    tried = {"429", "429_bare", "500", "502", "broken_json", "error_in_200", "refuse", "reset", "truncate"}
    assert set(KINDS) == tried | {"hang", "repeat", "no_last_page", "odd"}


# changes while it is read


def test_changes_come_with_requests(demo_server: START, small_world: World) -> None:
    """Every second request finds the workspace changed, the same way for the same seed."""
    changes = Changes(small_world, every=2, count=3, seed=5)
    with client(demo_server(small_world, changes=changes)) as http:
        statuses(http, 7)
    assert len(changes.log) == 9
    assert small_world.version == 9


def test_what_changed_is_served_anew(demo_server: START, small_world: World) -> None:
    """A task that changed shows its new facts and a later ``date_updated`` on the next page."""
    server = demo_server(small_world)
    with client(server) as http:
        path = f"/team/{server.team_id}/task"
        before = http.get(path, params=ALL).json()["tasks"][0]
        small_world.edit_task(before["id"], name="Renamed ✏️", priority=1)
        (after,) = http.get(path, params={**ALL, "date_updated_gt": int(before["date_updated"]) + 1,
                                          "order_by": "updated"}).json()["tasks"][:1]  # fmt: skip
    assert (after["id"], after["name"], after["priority"]["priority"]) == (
        before["id"],
        "Renamed ✏️",
        "urgent",
    )
    assert int(after["date_updated"]) > int(before["date_updated"])
