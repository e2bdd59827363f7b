"""``deploy/nginx.conf`` in the real nginx: TLS, what is passed on, what is refused, what is written down."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from clickup_toolkit import serve
from clickup_toolkit.settings import Secret
from tests.fixtures.nginx import Front, Nginx
from tests.serving import BEARER, publish_file, settings_for

PATH = "/api/v1/export/"
HASH = "pbkdf2_sha256$1000$salt$B0o1CbzBAiT3Oe4vXN6f0Q5Qy0yM1hY2JXkTmKZ6x1I="  # of some password


class _Told(BaseHTTPRequestHandler):
    """Answers with the headers it was sent; its ETags are those that ``?head=`` and ``?get=`` name."""

    protocol_version = "HTTP/1.1"
    heard: list[dict[str, str]]

    def do_GET(self) -> None:
        self.heard.append({name.lower(): value for name, value in self.headers.items()})
        tags = parse_qs(urlsplit(self.path).query).get(self.command.lower(), ["same"])
        body = f"{tags[0]}".encode()
        self.send_response(200)
        self.send_header("ETag", f'"{tags[0]}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Give the address of a server, and what it hears."""
    heard: list[dict[str, str]] = []
    handler = type("Handler", (_Told,), {"heard": heard})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()


def client(front: Front, **more: Any) -> httpx.Client:
    """Return a client that trusts the certificate."""
    return httpx.Client(base_url=front.url, verify=front.trust(), **more)


def test_we_hear_who_asks_and_by_which_name(nginx_before: Nginx) -> None:
    """Name, scheme and address are nginx's word; what a client claims about them does not arrive."""
    claims = {
        "Host": "127.0.0.1",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "127.0.0.1",
        "Forwarded": "for=192.0.2.1;host=127.0.0.1",
    }
    with listening() as (address, heard):
        front = nginx_before(address)
        with client(front, headers=claims) as api:
            for path in ("/", PATH):
                assert api.get(path).status_code == 200
    public = urlsplit(front.url).netloc
    for told in heard:
        passed = {name: value for name, value in told.items() if "forwarded" in name or name == "host"}
        assert passed == {
            "host": public,
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "https",
            "x-forwarded-host": public,
        }
    assert len(heard) == 3  # the page, the question, the export


def test_a_version_published_in_between_is_not_kept_under_another_name(nginx_before: Nginx) -> None:
    """The body that came after a flip is passed on, but only ever kept under its own ETag."""
    with listening() as (address, _), client(nginx_before(address)) as api:
        asked = [("old", "new"), ("old", "old"), ("old", "new"), ("new", "new"), ("new", "other")]
        found = [api.get(PATH, params={"head": head, "get": get}).text for head, get in asked]
    assert found == ["new", "old", "old", "new", "new"]


def test_the_question_asks_for_nothing_but_the_state(nginx_before: Nginx) -> None:
    """Conditions and parts are nginx's to answer: with them the question would have no ETag to show."""
    conditions = {
        "Range": "bytes=1-",
        "If-Range": '"x"',
        "If-None-Match": '"x"',
        "If-Modified-Since": "Mon, 23 Nov 2026 10:15:00 GMT",
    }
    with listening() as (address, heard), client(nginx_before(address), headers=conditions) as api:
        api.get(PATH)
    assert len(heard) == 2
    for told in heard:
        assert not {name.lower() for name in conditions} & set(told)


def test_everything_else_goes_through_unkept(nginx_before: Nginx) -> None:
    """Only the export itself is cached; each other request is ours to answer."""
    with listening() as (address, heard):
        front = nginx_before(address)
        with client(front) as api:
            for path in ("/clickup/tasks", f"{PATH}versions/", "/api/v1/tables/tasks.ndjson", "/metrics"):
                assert [api.get(path).status_code for _ in range(2)] == [200, 200]
    assert len(heard) == 8
    assert {line["cache"] for line in front.log(8)} == {"-"}
    assert front.written() == {}


def test_plain_http_leads_to_tls(nginx_before: Nginx) -> None:
    """Whoever comes without TLS is sent to the same address with it."""
    front = nginx_before("127.0.0.1:9")
    answer = httpx.get(f"{front.plain_url}/clickup/tasks?_sort=name")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{front.url}/clickup/tasks?_sort=name")


def test_http_2_is_spoken(nginx_before: Nginx) -> None:
    """A client that can gets HTTP/2, and is told to come by TLS from now on."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with listening() as (address, _):
        front = nginx_before(address)
        command = ["curl", "-sS", "--http2", "--cacert", str(front.certificate), "-D", "-", front.url]
        head = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert head.startswith("HTTP/2 200")
    assert "strict-transport-security: max-age=31536000" in head
    assert "server: nginx\n" in head  # without its version


def test_cookies_travel_by_tls_alone(tmp_path: Path, nginx_before: Nginx) -> None:
    """Every cookie that the site sets is marked so that a browser never sends it without TLS."""
    settings = settings_for(tmp_path / "data", password_hash=Secret(HASH))
    with serve.background(settings) as address, client(nginx_before(urlsplit(address).netloc)) as api:
        cookies = api.get("/-/login").headers.get_list("set-cookie")
    assert cookies
    assert all("secure" in cookie.lower() for cookie in cookies)


def test_links_lead_back_to_nginx(tmp_path: Path, nginx_before: Nginx) -> None:
    """The pages make their links with the address that people see."""
    settings = settings_for(tmp_path / "data", trusted_proxies=("127.0.0.1",))
    publish_file(settings.data_dir, tasks=300)
    with serve.background(settings) as address:
        front = nginx_before(urlsplit(address).netloc)
        with client(front, headers=BEARER) as api:
            page = api.get("/clickup/tasks.json").json()
    assert page["next_url"].startswith(f"{front.url}/clickup/tasks.json?")


def test_what_is_too_large_is_refused(nginx_before: Nginx) -> None:
    """Long bodies and long headers end here."""
    with listening() as (address, heard), client(nginx_before(address)) as api:
        long_body = api.post("/-/login", content=b"x" * 70_000)
        long_header = api.get("/", headers={"Cookie": "x" * 20_000})
    assert (long_body.status_code, long_header.status_code, heard) == (413, 400, [])


def test_no_query_is_written_down(nginx_before: Nginx) -> None:
    """Neither a token in an address nor a name that was searched for stands in a log, in failures either."""
    front = nginx_before("127.0.0.1:9")
    with client(front) as api:
        assert api.get(PATH, params={"token": "secret"}).status_code == 503
        assert api.get("/clickup/tasks", params={"_search": "secret"}).status_code == 503
        assert api.get("/", headers={"Cookie": f"a={'x' * 20_000}", "Referer": "secret"}).status_code == 400
    httpx.get(f"{front.plain_url}/?token=secret")
    logs = [path.read_text() for path in (*front.folder.glob("logs/*"), front.folder / "main.log")]
    assert len(front.log(4)) == 4
    assert not [text for text in logs if "secret" in text]
