"""Who may see what, and what never leaves: the token, the password's hash, the workspace."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from datasette.app import Datasette
from datasette.utils.baseconv import base62
from datasette_auth_passwords.utils import hash_password
from itsdangerous import URLSafeSerializer

from clickup_toolkit import serve
from clickup_toolkit.errors import SettingsError
from clickup_toolkit.serve.access import Access, is_loopback
from clickup_toolkit.serve.visitors import session
from clickup_toolkit.settings import Secret, Settings
from tests.serving import BEARER, TOKEN, VERSION, code, publish_file, settings_for, write_run

PASSWORD = "correct horse battery staple"
NEEDS_IPV6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
HASH = hash_password(PASSWORD, salt="salt", iterations=1000)

PAGES = [
    "/",
    "/clickup",
    "/clickup/tasks",
    "/clickup/tasks/t1",
    "/clickup/tasks.csv",
    "/clickup/tasks.json",
    "/clickup.db",
    "/clickup?sql=select+1",
    "/clickup.json?sql=select+1",
    "/.json",
    "/-/runs",
    f"/-/runs/{VERSION}",
    f"/-/runs/{VERSION}.ipynb",
    "/-/databases.json",
    "/-/metadata.json",
    "/-/plugins.json",
]


@pytest.fixture(scope="module")
def closed_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a workspace behind a password."""
    folder = tmp_path_factory.mktemp("closed")
    publish_file(folder)
    write_run(folder, VERSION, [code("1")])
    with serve.background(settings_for(folder, password_hash=Secret(HASH))) as address:
        yield address


@pytest.fixture
def closed(closed_address: str) -> Iterator[httpx.Client]:
    """Visit that workspace for the first time."""
    with httpx.Client(base_url=closed_address) as client:
        yield client


def sign_in(client: httpx.Client, password: str, username: str = "admin") -> httpx.Response:
    """Fill in the sign-in page."""
    form = client.get("/-/login").text
    ticket = form.partition('name="csrftoken" value="')[2].partition('"')[0]
    return client.post("/-/login", data={"username": username, "password": password, "csrftoken": ticket})


def test_people_sign_in_with_the_name_that_is_set(tmp_path: Path) -> None:
    """By form and by header; the name that is the default is a stranger's then."""
    publish_file(tmp_path)
    ours = settings_for(tmp_path, password_hash=Secret(HASH), username="boss")
    with serve.background(ours) as address, httpx.Client(base_url=address) as client:
        assert 'name="username" value="boss"' in client.get("/-/login").text
        assert sign_in(client, PASSWORD).status_code == 200
        assert client.get("/").status_code == 302
        assert sign_in(client, PASSWORD, "boss").status_code == 302
        assert client.get("/").status_code == 200
        client.cookies.clear()
        pages = [client.get("/", auth=(name, PASSWORD)).status_code for name in ("boss", "admin")]
        assert pages == [200, 401]


def test_serving_needs_a_workspace_and_a_token(tmp_path: Path) -> None:
    """Everything that is missing is said at once, with its remedy."""
    with pytest.raises(SettingsError) as caught:
        serve.app(Settings(data_dir=tmp_path))
    assert str(caught.value) == (
        "CLICKUP_TEAM_ID is not set: workspace id. It is the first number in your ClickUp addresses: "
        "app.clickup.com/<workspace id>/…\n"
        "API_AUTH_TOKEN is not set: bearer token for the JSON export. "
        'Invent one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
    )


@pytest.mark.parametrize("host", ["0.0.0.0", pytest.param("::", marks=NEEDS_IPV6), ""])
def test_open_pages_are_not_laid_before_the_network(tmp_path: Path, host: str) -> None:
    """A private workspace on an address that others reach needs a password."""
    with pytest.raises(SettingsError, match="no password protects the pages") as caught:
        serve.app(settings_for(tmp_path, host=host))
    assert "DATASETTE_PASSWORD_HASH" in caught.value.remedy
    serve.app(settings_for(tmp_path, host=host, password_hash=Secret(HASH)))


@pytest.mark.parametrize("password", [None, Secret(HASH)])
@pytest.mark.parametrize("host", ["nosuch.invalid", "192.0.2.1", "a" * 70])
def test_a_host_of_nobody_is_named(tmp_path: Path, host: str, password: Secret | None) -> None:
    """A name without address, and an address of another machine, are said to be that and nothing worse."""
    with pytest.raises(SettingsError) as caught:
        serve.app(settings_for(tmp_path, host=host, password_hash=password))
    assert (caught.value.message, caught.value.remedy) == (
        f"HOST {host} is no address of this machine.",
        "Set it to 127.0.0.1 for this machine alone, or to 0.0.0.0 for every network it is in.",
    )


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_what_counts_as_this_machine(host: str, ours: bool) -> None:
    """Only loopback addresses and the name localhost are this machine alone."""
    assert is_loopback(host) is ours


def test_open_pages_answer_to_a_loopback_name_alone(tmp_path: Path) -> None:
    """A foreign name that was pointed at 127.0.0.1 does not let a foreign page read the workspace."""
    publish_file(tmp_path)
    with serve.background(settings_for(tmp_path)) as address:
        port = httpx.URL(address).port
        statuses = {
            host: httpx.get(f"{address}clickup/tasks.json", headers={"Host": host}).status_code
            for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "evil.example.org", "")
        }
        refused = httpx.get(address, headers={"Host": "evil.example.org"})
        program = httpx.get(address, headers={"Host": "evil.example.org", **BEARER})
    assert list(statuses.values()) == [200, 200, 200, 403, 403]
    assert refused.json()["error"] == (
        "These pages are open without a password, so only this machine may read them."
    )
    assert program.status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_sees_no_page(closed: httpx.Client, path: str) -> None:
    """Behind a password every page, plugin pages and files included, sends people to sign in."""
    answer = closed.get(path)
    assert "Task 1" not in answer.text
    assert "Nimbus" not in answer.text
    if path.split("?")[0].endswith((".json", ".csv", ".db")):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer realm="clickup"',
        )
        assert answer.json()["remedy"] == "Send the header Authorization: Bearer <API_AUTH_TOKEN>."
    else:
        wanted = "" if path == "/" else f"?next={quote(answer.request.url.raw_path.decode(), safe='')}"
        assert (answer.status_code, answer.headers["location"]) == (302, f"/-/login{wanted}")


@pytest.mark.parametrize(
    ("wanted", "then"),
    [
        ("/clickup/tasks?status=in+review&_sort=name", "/clickup/tasks?status=in+review&_sort=name"),
        ("", "/"),
        ("//example.com/", "/"),
        ("/\\example.com/", "/"),
        ("https://example.com/", "/"),
        ("javascript:alert(1)", "/"),
        ("/clickup\r\nSet-Cookie: a=b", "/"),
        ("/" + "x" * 3000, "/"),
    ],
)
def test_who_signed_in_lands_where_they_wanted_to(closed: httpx.Client, wanted: str, then: str) -> None:
    """The page that somebody asked for comes after signing in; no other site ever does."""
    closed.cookies.clear()
    form = closed.get("/-/login", params={"next": wanted}).text
    kept = unescape(re.findall(r'name="next" value="([^"]*)"', form)[0])
    assert kept == then
    ticket = re.findall(r'name="csrftoken" value="([^"]*)"', form)[0]
    told = {"username": "admin", "password": PASSWORD, "csrftoken": ticket, "next": wanted}
    answer = closed.post("/-/login", data=told)
    assert (answer.status_code, answer.headers["location"]) == (302, then)
    closed.cookies.clear()


@pytest.mark.parametrize("path", PAGES)
def test_the_token_opens_every_page(closed: httpx.Client, path: str) -> None:
    """Programs reach everything with the token."""
    assert closed.get(path, headers=BEARER).status_code == 200


def test_a_wrong_token_opens_nothing(closed: httpx.Client) -> None:
    """Another token is no token."""
    answer = closed.get("/clickup/tasks.json", headers={"Authorization": f"Bearer {TOKEN[:-1]}"})
    assert answer.status_code == 401


def test_people_sign_in_and_out(closed: httpx.Client) -> None:
    """The right password opens the pages until signing out; a wrong one says so."""
    wrong = sign_in(closed, "guess")
    assert "Invalid username or password" in wrong.text
    right = sign_in(closed, PASSWORD)
    assert (right.status_code, right.headers["location"]) == (302, "/")
    home = closed.get("/")
    assert "Nimbus Labs" in home.text
    assert closed.get("/clickup/tasks").status_code == 200
    ticket = home.text.partition('name="csrftoken" value="')[2].partition('"')[0]
    closed.post("/-/logout", data={"csrftoken": ticket})
    assert closed.get("/").status_code == 302


def test_a_session_outlives_the_server_but_not_the_password(tmp_path: Path) -> None:
    """A restart keeps people signed in; a new password signs everybody out."""
    publish_file(tmp_path)
    cookies = httpx.Cookies()
    statuses = []
    for password_hash in (HASH, HASH, hash_password("another", salt="salt", iterations=1000)):
        settings = settings_for(tmp_path, password_hash=Secret(password_hash))
        with serve.background(settings) as address, httpx.Client(base_url=address, cookies=cookies) as client:
            if not cookies:
                sign_in(client, PASSWORD)
                cookies = client.cookies
            statuses.append(client.get("/clickup/tasks").status_code)
    assert statuses == [200, 200, 302]


def test_a_session_ends(tmp_path: Path) -> None:
    """Who signed in 30 days ago signs in again, and a cookie that names no end opens nothing."""
    publish_file(tmp_path)
    settings = settings_for(tmp_path, password_hash=Secret(HASH))
    signer = URLSafeSerializer(Access(settings).signing_keys, "actor")
    now, month = time.time(), 30 * 86_400
    told = [session("admin", now), session("admin", now - month + 60), session("admin", now - month)]
    with serve.background(settings) as address:
        with httpx.Client(base_url=address) as client:
            sign_in(client, PASSWORD)
            ends = base62.decode(signer.loads(client.cookies["ds_actor"])["e"])
        statuses = [
            httpx.get(f"{address}clickup/tasks", headers={"Cookie": f"ds_actor={signer.dumps(each)}"})
            for each in (*told, {"a": {"id": "admin"}})
        ]
    assert ends == pytest.approx(now + month, abs=60)
    assert [answer.status_code for answer in statuses] == [200, 200, 302, 302]


def test_no_page_tells_a_secret(closed: httpx.Client) -> None:
    """Neither the token nor the password's hash stands in anything that is served."""
    for path in [*PAGES, "/-/settings.json", "/-/actor.json", "/-/metadata", "/-/threads.json"]:
        text = closed.get(path, headers=BEARER).text
        assert TOKEN not in text
        assert HASH not in text


def test_no_log_tells_the_token(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A request that fails is logged without its headers."""
    publish_file(tmp_path)
    with serve.background(settings_for(tmp_path)) as address:
        for path in (
            "clickup/nope",
            "clickup?sql=nonsense",
            "nope",
            "clickup/tasks?_sort=nope",
            "-/runs/nope",
        ):
            assert httpx.get(address + path, headers=BEARER).status_code >= 400
    printed = capfd.readouterr()
    assert TOKEN not in printed.out + printed.err


@pytest.mark.anyio
async def test_other_datasettes_are_left_alone(anyio_backend: str) -> None:
    """Where the package is installed, another datasette keeps its own home page and gets no routes."""
    other = Datasette([], memory=True)
    await other.invoke_startup()
    home, runs = await other.client.get("/"), await other.client.get("/-/runs")
    assert "Datasette" in home.text
    assert "Nothing was exported yet" not in home.text
    assert "/-/assets/" not in home.text
    assert runs.status_code == 404


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the server does."""
    return "asyncio"
