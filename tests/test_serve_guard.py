"""Guessing, rotation, proxies, cookies and headers: what stands between the workspace and a stranger."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from datasette_auth_passwords.utils import hash_password

from clickup_toolkit import serve
from clickup_toolkit.serve.headers import pages_policy
from clickup_toolkit.serve.throttle import Throttle, address_of
from clickup_toolkit.settings import Secret
from tests.serving import BEARER, TOKEN, VERSION, code, publish_file, settings_for, write_run
from tests.test_serve_access import HASH, PASSWORD, sign_in

API = "/api/v1/openapi.json"
PAGE = "/clickup/tasks.json"
WRONG = {"Authorization": "Bearer wrong"}


def served(folder: Path, **changes: Any) -> Any:
    """Serve a small workspace behind a password."""
    if not (folder / "clickup.db").exists():
        publish_file(folder)
    chosen = {"password_hash": Secret(HASH), **changes}
    return serve.background(settings_for(folder, **chosen))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve a small workspace behind a password."""
    with served(tmp_path) as address:
        yield address


def basic(name: str, password: str) -> dict[str, str]:
    """Return the header that a browser's own dialog sends."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


ask = partial(httpx.get, verify=False)
"""Visit for the first time; reading the certificates of the world takes longer than all the rest."""


def status(address: str, path: str, headers: dict[str, str] | None = None) -> int:
    """Return the status of one request by a new visitor."""
    return ask(address.rstrip("/") + path, headers=headers).status_code


def test_the_window_slides() -> None:
    """So many wrong tries within a minute make an address wait until the oldest is a minute old."""
    clock = [0.0]
    throttle = Throttle(wrong=3, window=60, now=lambda: clock[0])
    waits = []
    for second in (0, 10, 20):
        clock[0] = second
        waits.append(throttle.wait("a"))
        throttle.note("a")
    for second in (20, 59.5, 60, 61):
        clock[0] = second
        waits.append(throttle.wait("a"))
    assert waits == [0, 0, 0, 40, 1, 0, 0]
    assert throttle.wait("b") == 0
    throttle.note("a")
    assert throttle.wait("a") == 9
    throttle.forgive("a")
    assert throttle.wait("a") == 0


def test_its_memory_is_bounded() -> None:
    """However many addresses guess, those seen last are remembered and no more."""
    throttle = Throttle(wrong=1, addresses=100)
    for number in range(1000):
        throttle.note(str(number))
    assert len(throttle) == 100
    assert (throttle.wait("999") > 0, throttle.wait("0")) == (True, 0)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        ("x" * 500, "x" * 64),
    ],
)
def test_what_counts_as_one_address(host: str, counted: str) -> None:
    """An IPv6 network that one party has whole is one address; what is no address is kept short."""
    assert address_of({"client": (host, 1)}) == counted
    assert address_of({"client": None}) == ""


def test_wrong_tokens_are_slowed(address: str) -> None:
    """After ten wrong tokens the address waits, for pages and programs alike; a right long one passes."""
    first = [status(address, API, WRONG) for _ in range(10)]
    refused = ask(f"{address}api/v1/export/", headers=WRONG)
    page = ask(f"{address}clickup/tasks", headers=WRONG)
    assert first == [401] * 10
    assert (refused.status_code, page.status_code) == (429, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.json() == {
        "status": "error",
        "error": "There were too many wrong tokens or passwords from this address.",
        "remedy": f"Wait {refused.headers['retry-after']} s, and send the right one.",
    }
    assert status(address, API, BEARER) == 200
    assert status(address, API) == 401
    assert status(address, PAGE, basic("admin", PASSWORD)) == 200


@pytest.mark.parametrize("token", ["short", "password" * 4])
def test_a_token_that_could_be_guessed_waits_along(tmp_path: Path, token: str) -> None:
    """While an address waits, a guessable right token is refused like a wrong one: guessing finds nothing."""
    with served(tmp_path, api_auth_token=Secret(token)) as address:
        before = status(address, API, {"Authorization": f"Bearer {token}"})
        for _ in range(10):
            status(address, API, WRONG)
        after = status(address, API, {"Authorization": f"Bearer {token}"})
    assert (before, after) == (200, 429)


def test_wrong_passwords_are_slowed(address: str) -> None:
    """Signing in and the browser's own dialog count together; who is signed in, and tokens, do not wait."""
    with httpx.Client(base_url=address) as person:
        sign_in(person, PASSWORD)
        with httpx.Client(base_url=address) as guesser:
            pages = [sign_in(guesser, f"guess {number}").status_code for number in range(5)]
            dialogs = [status(address, PAGE, basic("admin", f"guess {number}")) for number in range(5)]
            refused = sign_in(guesser, PASSWORD)
        assert (pages, dialogs) == ([200] * 5, [401] * 5)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert "Too many wrong passwords" in refused.text
        assert "ds_actor" not in refused.headers.get("set-cookie", "")
        assert status(address, PAGE, basic("admin", PASSWORD)) == 429
        assert (person.get(PAGE).status_code, status(address, PAGE, BEARER)) == (200, 200)


def test_right_passwords_are_not_counted(address: str) -> None:
    """A program that signs in with every request is not slowed."""
    assert {status(address, PAGE, basic("admin", PASSWORD)) for _ in range(15)} == {200}


@pytest.mark.parametrize(
    "value",
    [
        *("Basic", "Basic !!!", "Basic YQ", "basic x:y"),
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_malformed_dialog_is_refused(address: str, value: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is no name and password is a wrong one, without a traceback."""
    with caplog.at_level(logging.WARNING):
        answer = ask(f"{address}clickup/tasks", headers={"Authorization": value})
    assert (answer.status_code, answer.json()["status"], caplog.records) == (401, "error", [])


def test_several_tokens_while_one_replaces_another(tmp_path: Path) -> None:
    """Each of them opens; a session holds as long as the token under which it began is among them."""
    old, new, third = "the-old-token-of-many-letters", "the-new-token-of-many-letters", "short"
    publish_file(tmp_path)
    cookies, seen = httpx.Cookies(), []
    for tokens in (old, f"{old} {new}", f"{new} {third}"):
        settings = settings_for(tmp_path, password_hash=Secret(HASH), api_auth_token=Secret(tokens))
        with serve.background(settings) as address, httpx.Client(base_url=address, cookies=cookies) as client:
            if not cookies:
                sign_in(client, PASSWORD)
                cookies = client.cookies
            shown = [{"Authorization": f"Bearer {token}"} for token in (old, new, third, tokens)]
            opened = [status(address, API, headers) for headers in shown]
            seen.append((opened, client.get(PAGE).status_code))
    assert seen == [
        ([200, 401, 401, 200], 200),
        ([200, 200, 401, 401], 200),
        ([401, 200, 200, 401], 401),
    ]


def test_a_token_in_the_address_is_taken_where_that_is_allowed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """``?token=`` opens what programs ask for, never a page, and only by a setting; nothing logs it."""
    query = f"?token={TOKEN}"
    with served(tmp_path) as address:
        shut = [status(address, path + query) for path in (API, PAGE)]
    with served(tmp_path, api_token_in_query=True) as address:
        allowed = [status(address, path + query) for path in (API, PAGE)]
        wrong = status(address, API + "?token=wrong")
        status(address, "/api/v1/nope" + query)
        status(address, f"/clickup/nope{query}", BEARER)
    printed = capfd.readouterr()
    assert (shut, allowed, wrong) == ([401, 401], [200, 401], 401)
    assert TOKEN not in printed.out + printed.err


def test_a_proxy_is_believed_only_where_it_is_trusted(tmp_path: Path) -> None:
    """Behind a trusted proxy each visitor counts alone; without, nobody gets away by inventing addresses."""
    statuses = {}
    for proxies in (None, ("127.0.0.1",), ("10.0.0.0/8",)):
        with served(tmp_path, trusted_proxies=proxies) as address:
            for number in range(12):
                forwarded = {"X-Forwarded-For": f"8.8.8.8, 192.0.2.{number}", "X-Forwarded-Proto": "https"}
                last = ask(address + API[1:], headers={**WRONG, **forwarded})
            statuses[proxies] = (last.status_code, "strict-transport-security" in last.headers)
    assert statuses == {None: (429, False), ("127.0.0.1",): (401, True), ("10.0.0.0/8",): (429, False)}


def test_a_proxy_names_whom_it_saw_last(tmp_path: Path) -> None:
    """A visitor behind a trusted proxy cannot hide behind addresses that he wrote into the header himself."""
    with served(tmp_path, trusted_proxies=("127.0.0.1",)) as address:
        statuses = [
            status(address, API, {**WRONG, "X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"})
            for number in range(11)
        ]
        other = status(address, API, {**WRONG, "X-Forwarded-For": "192.0.2.2"})
    assert (statuses, other) == ([401] * 10 + [429], 401)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies_belong_to_the_site_alone(tmp_path: Path, scheme: str) -> None:
    """No script reads a cookie, no foreign form sends one, and behind TLS none goes without it."""
    with (
        served(tmp_path, trusted_proxies=("127.0.0.1",)) as address,
        httpx.Client(base_url=address, headers={"X-Forwarded-Proto": scheme}) as client,
    ):
        form = client.get("/-/login")
        ticket = form.text.partition('name="csrftoken" value="')[2].partition('"')[0]
        csrf = form.headers["set-cookie"]
        answer = client.post(
            "/-/login",
            data={"username": "admin", "password": PASSWORD, "csrftoken": ticket},
            headers={"Cookie": csrf.partition(";")[0]},
        )
    assert answer.status_code == 302
    for cookie in (csrf, answer.headers["set-cookie"]):
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= attributes
        assert ("secure" in attributes) is (scheme == "https")


def test_a_foreign_form_signs_nobody_out(address: str) -> None:
    """A form without the site's own ticket is refused where there is a session."""
    with httpx.Client(base_url=address) as client:
        sign_in(client, PASSWORD)
        assert client.post("/-/logout", data={}).status_code == 403
        assert client.get(PAGE).status_code == 200


def test_every_answer_is_guarded(address: str) -> None:
    """Pages, files, JSON, refusals and assets forbid to be sniffed and framed, and load nothing foreign."""
    with httpx.Client(base_url=address, headers=BEARER) as client:
        style = client.get("/").text.partition("/-/assets/site.css")[2].partition('"')[0]
        for path in (
            "/",
            "/clickup",
            "/clickup/tasks",
            "/clickup/tasks.csv",
            PAGE,
            "/clickup.db",
            API,
            "/nope",
        ):
            check_guarded(client.get(path))
        check_guarded(client.get(f"/-/assets/site.css{style}"))
        check_guarded(ask(f"{address}clickup/tasks"))
        check_guarded(ask(f"{address}api/"))
        assert client.get("/").headers["content-security-policy"] == pages_policy()


def check_guarded(answer: httpx.Response) -> None:
    """See that an answer has the headers that keep browsers from mischief."""
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "'unsafe-inline'" not in policy.get("script-src", "")
    assert "http" not in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


OPEN_WITHOUT_SIGNING_IN = ["/-/login", "/-/static/app.css", "/-/healthz", "/favicon.ico"]


def test_strangers_reach_nothing_of_datasette(address: str) -> None:
    """Behind a password every address of datasette's but those of the sign-in page is shut."""
    shut = [
        *("/-/allow-debug", "/-/patterns", "/-/messages", "/-/permissions", "/-/auth-token", "/-/actor"),
        *("/-/versions", "/-/settings", "/-/threads", "/-/password-tool", "/_internal", "/clickup/raw"),
        *("/-/static-plugins/x", "/clickup/tasks.csv?_stream=1", "/clickup/tasks/t1.json", "/:memory:"),
    ]
    for path in shut:
        answer = ask(address + path[1:])
        assert answer.status_code in (302, 401), path
        assert "Task 1" not in answer.text
    for path in OPEN_WITHOUT_SIGNING_IN:
        assert status(address, path) == 200, path


def test_nobody_lets_the_server_work_for_nothing(address: str) -> None:
    """Hashing passwords for strangers is off, forms are small, and what is malformed is refused early."""
    assert status(address, "/-/password-tool", BEARER) == 404
    large = httpx.post(f"{address}-/login", content=b"x" * 70_000)
    endless = httpx.post(f"{address}-/login", content=iter([b"x"]))
    assert (large.status_code, endless.status_code) == (413, 411)


@pytest.mark.parametrize(
    ("value", "refused"),
    [('"' + '\\"' * 30_000 + '"', 400), ('"\\054"', 400), ("x" * 60_000, 431), ("x" * 4000, 302)],
)
def test_a_cookie_of_a_stranger_is_refused_before_it_is_read(address: str, value: str, refused: int) -> None:
    """Cookies that take long to unquote, or are larger than any of ours, reach nothing that parses them."""
    for path in ("/clickup/tasks", "/-/login", "/-/static/app.css"):
        expected = 200 if refused == 302 and path != "/clickup/tasks" else refused
        assert status(address, path, {"Cookie": f"ds_csrftoken=a; ds_actor={value}"}) == expected


@pytest.mark.parametrize(
    "lines",
    [
        b"GET /clickup/t\xc3\xa4sks HTTP/1.1\r\n",
        b"GET /clickup?sql=\xff HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nCookie: ds_actor=\xff\xfe\r\n",
        b"GET / HTTP/1.1\r\nCookie: a[]=b; ds_actor=x.y\r\n",
        b'GET /-/logout HTTP/1.1\r\nCookie: ds_csrftoken="\\\r\n',
        b"POST /-/login HTTP/1.1\r\nContent-Type: multipart/form-data\r\nCookie: a=b\r\n"
        b"Content-Length: 1\r\n",
        b"POST /-/login HTTP/1.1\r\nContent-Type: text/plain\r\nCookie: a=b\r\nContent-Length: 0\r\n",
    ],
)
def test_malformed_requests_leave_no_traceback(
    address: str, lines: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever bytes somebody sends, the answer is a status and the log holds none of them."""
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port or 80), 10) as connection:
        token = f"Authorization: Bearer {TOKEN}\r\n".encode()
        connection.sendall(lines + token + b"Host: localhost\r\nConnection: close\r\n\r\nx")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    printed = capfd.readouterr()
    assert answer.startswith(b"HTTP/1.1 ")
    assert int(answer.split()[1]) in ({500} if b"multipart" in lines else {200, 302, 400, 403})
    assert "Traceback" not in printed.out + printed.err
    assert status(address, "/-/healthz") == 200


def test_an_executed_notebook_keeps_its_own_policy(tmp_path: Path) -> None:
    """A page that sets a stricter policy is not given the common one."""
    write_run(tmp_path, VERSION, [code("1")])
    with served(tmp_path) as address:
        answer = ask(f"{address}-/runs/{VERSION}", headers=BEARER)
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_new_password_is_needed_after_a_change(tmp_path: Path) -> None:
    """The password that was right before a change opens nothing after it, however it is shown."""
    statuses = []
    for password_hash in (HASH, hash_password("another", salt="salt", iterations=1000)):
        with served(tmp_path, password_hash=Secret(password_hash)) as address:
            statuses.append(status(address, PAGE, basic("admin", PASSWORD)))
            statuses.append(status(address, PAGE, basic("somebody", PASSWORD)))
    assert statuses == [200, 401, 401, 401]


def test_refusals_tell_no_secret(address: str) -> None:
    """What a wrong visitor showed does not come back to him, or to whoever reads his screen."""
    secret = "pk_1234_mistaken_for_the_right_one"
    for headers in ({"Authorization": f"Bearer {secret}"}, basic("admin", secret)):
        for path in (API, "/clickup/tasks", "/metrics"):
            answer = ask(address.rstrip("/") + path, headers=headers)
            assert answer.status_code == 401
            assert secret not in answer.text + json.dumps(dict(answer.headers))
