"""``deploy/nginx.conf`` in the real nginx: the export comes from its cache, and never unasked."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import redis

from clickup_toolkit import publish, serve
from clickup_toolkit.publish import StoredVersion
from clickup_toolkit.settings import Secret, Settings
from tests.fixtures.nginx import Front, Nginx
from tests.serving import BEARER, TOKEN, settings_for
from tests.versions import Tasks, day, document, put, workspace

PATH = "/api/v1/export/"


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    """Return the settings of the server behind nginx."""
    return settings_for(tmp_path / "data", redis_url=redis_url)


@pytest.fixture
def front(settings: Settings, nginx_before: Nginx) -> Iterator[Front]:
    """Return nginx before a server without versions."""
    with serve.background(settings) as address:
        yield nginx_before(urlsplit(address).netloc)


@pytest.fixture
def api(front: Front) -> Iterator[httpx.Client]:
    """Return a client of nginx that holds the token and takes gzip."""
    with httpx.Client(base_url=front.url, verify=front.trust(), headers=_TAKES_GZIP | BEARER) as client:
        yield client


_TAKES_GZIP = {"Accept-Encoding": "gzip"}


def stored_version(client: redis.Redis) -> StoredVersion:
    """Return the latest version."""
    found = publish.find(client, "9001")
    assert found is not None
    return found


def raw(api: httpx.Client, **headers: str) -> tuple[httpx.Response, bytes]:
    """Ask for the document and return the answer with the bytes as they came."""
    with api.stream("GET", PATH, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def seen(front: Front, requests: int) -> list[tuple[str, str]]:
    """Return what nginx noted of each request for the export: its status, and the cache's part in it."""
    return [(line["status"], line["cache"]) for line in front.log(requests)]


def told(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return an answer without what differs by time and by connection."""
    passing = {"date", "connection", "server", "strict-transport-security", "transfer-encoding"}
    return answer.status_code, {k: v for k, v in answer.headers.items() if k not in passing}, answer.content


def test_the_body_is_asked_of_us_once(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """Once fetched, the stored bytes come from the cache, with the headers that we gave them."""
    tasks = workspace()
    stored = put(redis_client, day(1), tasks).stored
    answers = [raw(api) for _ in range(3)]
    assert seen(front, 3) == [("200", "MISS"), ("200", "HIT"), ("200", "HIT")]
    received = [line["received"] for line in front.log(3)]
    assert int(received[0]) > stored.gzip_bytes
    assert received[1:] == ["-", "-"]
    for answer, body in answers:
        assert gzip.decompress(body) == document(tasks)
        assert {
            name: answer.headers[name] for name in ("etag", "content-length", "cache-control", "vary")
        } == {
            "etag": f'"{stored.etag}"',
            "content-length": str(stored.gzip_bytes),
            "cache-control": "private, no-cache",
            "vary": "Authorization, Accept-Encoding",
        }


def test_a_token_is_asked_about_each_time(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """However well the document is cached, nobody gets it without the token."""
    put(redis_client, day(1), workspace(5))
    assert [raw(api)[0].status_code for _ in range(2)] == [200, 200]
    for header in ("Bearer nonsense", f"Basic {TOKEN}", ""):
        answer = api.get(PATH, headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.json()["remedy"].startswith("Send the header Authorization: Bearer")
        assert len(answer.headers.get_list("www-authenticate")) == 1
    assert seen(front, 5)[2:] == [("401", "-")] * 3


def test_a_withdrawn_token_opens_no_more(
    settings: Settings, nginx_before: Nginx, redis_client: redis.Redis
) -> None:
    """A token that the server does not know any more gets nothing from the cache that it filled."""
    put(redis_client, day(1), workspace(5))
    with serve.background(settings) as address:
        front = nginx_before(urlsplit(address).netloc)
        before = httpx.get(front.url + PATH, headers=BEARER, verify=front.trust())
    port = urlsplit(address).port
    changed = settings_for(
        settings.data_dir, redis_url=settings.redis_url, port=port, api_auth_token=Secret("another-token")
    )
    with serve.background(changed):
        other = {"Authorization": "Bearer another-token"}
        after, again = (
            httpx.get(front.url + PATH, headers=one, verify=front.trust()) for one in (BEARER, other)
        )
    assert [answer.status_code for answer in (before, after, again)] == [200, 401, 200]
    assert seen(front, 3)[-1] == ("200", "HIT")


def test_a_new_version_is_served_at_once(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """The request after the flip gets the new version; an older one by its id still comes from the cache."""
    versions = {day(number): workspace(number) for number in (1, 2)}
    found = []
    for version, tasks in versions.items():
        put(redis_client, version, tasks)
        found.append(api.get(PATH).content)
    found.append(api.get(PATH, params={"version": day(1)}).content)
    assert found == [document(versions[day(1)]), document(versions[day(2)]), document(versions[day(1)])]
    assert [cache for _, cache in seen(front, 3)] == ["MISS", "MISS", "HIT"]


def test_plain_text_and_gzip_do_not_mix(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """Each kind of client gets its own representation, and each is kept once."""
    text = document(put_tasks(redis_client))
    for _ in range(2):
        for encoding in ("identity", "gzip", "gzip, deflate, br"):
            answer, body = raw(api, **{"Accept-Encoding": encoding})
            assert (answer.headers.get("content-encoding") == "gzip") == ("gzip" in encoding)
            assert (gzip.decompress(body) if "gzip" in encoding else body) == text
    assert [cache for _, cache in seen(front, 6)] == ["MISS", "MISS", "HIT", "HIT", "HIT", "HIT"]


def put_tasks(client: redis.Redis) -> Tasks:
    """Publish a workspace and return its tasks."""
    tasks = workspace()
    put(client, day(1), tasks)
    return tasks


def test_a_part_comes_from_the_cache(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """A download goes on from where it was cut off, as long as it is the same version."""
    put_tasks(redis_client)
    whole, body = raw(api)
    etag = whole.headers["etag"]
    part, rest = raw(api, Range="bytes=1000-", **{"If-Range": etag})
    other, anew = raw(api, Range="bytes=1000-", **{"If-Range": '"another"'})
    assert (part.status_code, part.headers["content-range"], rest) == (
        206,
        f"bytes 1000-{len(body) - 1}/{len(body)}",
        body[1000:],
    )
    assert (other.status_code, anew) == (200, body)
    beyond = api.get(PATH, headers={"Range": f"bytes={len(body)}-"})
    assert (beyond.status_code, beyond.headers["content-range"], beyond.content) == (
        416,
        f"bytes */{len(body)}",
        b"",
    )
    assert {cache for _, cache in seen(front, 4)[1:]} == {"HIT"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-3,10-20"},
        {"Range": "bytes=5-", "If-Range": "last-modified"},
        {"If-None-Match": "other"},
    ],
    ids=["several parts", "a part by time", "the other representation's tag"],
)
def test_what_is_answered_whole_is_so_through_nginx(
    settings: Settings, nginx_before: Nginx, redis_client: redis.Redis, headers: dict[str, str]
) -> None:
    """Several parts at once, a part by time, the plain text's tag for gzip: nginx answers as we do."""
    put_tasks(redis_client)
    trusting = settings_for(settings.data_dir, redis_url=settings.redis_url, trusted_proxies=("127.0.0.1",))
    with serve.background(trusting) as address:
        front = nginx_before(urlsplit(address).netloc)
        known = httpx.head(f"{address}api/v1/export/", headers=_TAKES_GZIP | BEARER).headers
        values = {"last-modified": known["last-modified"], "other": f'{known["etag"][:-1]}-text"'}
        sent = _TAKES_GZIP | BEARER | {name: values.get(value, value) for name, value in headers.items()}
        direct = httpx.get(f"{address}api/v1/export/", headers=sent)
        through = [httpx.get(front.url + PATH, headers=sent, verify=front.trust()) for _ in range(2)]
    assert direct.status_code == 200
    assert [told(answer) for answer in through] == [told(direct)] * 2
    assert [answer.headers.get_list("strict-transport-security") for answer in through] == [
        ["max-age=31536000"]
    ] * 2


def test_what_did_not_change_is_not_sent_again(
    front: Front, api: httpx.Client, redis_client: redis.Redis
) -> None:
    """A client that shows its tag, or the time of its copy, gets a 304 from the cache."""
    put_tasks(redis_client)
    first, _ = raw(api)
    conditions = [
        {"If-None-Match": first.headers["etag"]},
        {"If-Modified-Since": first.headers["last-modified"]},
        {"If-None-Match": '"another"'},
    ]
    answers = [api.get(PATH, headers=condition) for condition in conditions]
    assert [answer.status_code for answer in answers] == [304, 304, 200]
    assert answers[0].headers["etag"] == first.headers["etag"]
    assert answers[0].content == b""
    assert {line["received"] for line in front.log(4)[1:]} == {"-"}


@pytest.mark.parametrize(
    ("method", "query", "headers", "status"),
    [
        ("GET", "", {}, 503),
        ("GET", "?version=20200101T000000Z", {}, 404),
        ("POST", "", {}, 405),
        ("GET", "", {"Accept-Encoding": "br, identity;q=0"}, 406),
        ("HEAD", "", {}, 200),
        ("GET", "", {"Authorization": "Bearer nonsense"}, 401),
    ],
)
def test_all_other_answers_are_ours(
    settings: Settings,
    nginx_before: Nginx,
    redis_client: redis.Redis,
    method: str,
    query: str,
    headers: dict[str, str],
    status: int,
) -> None:
    """What is not a document goes through nginx as it is: status, headers and body."""
    if status != 503:
        put_tasks(redis_client)
    sent = _TAKES_GZIP | BEARER | headers
    with serve.background(settings) as address:
        front = nginx_before(urlsplit(address).netloc)
        direct = httpx.request(method, f"{address}api/v1/export/{query}", headers=sent)
        through = httpx.request(method, front.url + PATH + query, headers=sent, verify=front.trust())
    assert through.status_code == status
    assert told(through) == told(direct)
    assert front.written() == {}


def test_one_fetches_for_all(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """Of many who ask for a version that is not cached yet, one fetches it, and the others wait for that."""
    text = document(put_tasks(redis_client))
    with ThreadPoolExecutor(6) as pool:
        bodies = list(pool.map(lambda _: api.get(PATH).content, range(6)))
    assert bodies == [text] * 6
    assert sorted(cache for _, cache in seen(front, 6)) == ["HIT"] * 5 + ["MISS"]


@pytest.mark.slow
def test_a_large_body_is_written_once(front: Front, api: httpx.Client, redis_client: redis.Redis) -> None:
    """200 MB become one file of the cache: nothing is written aside, and nothing is copied."""
    assert api.get(PATH).status_code == 503  # who answers has taken a worker's name
    (worker,) = _workers(front)
    stored = put(redis_client, day(1), _large(200)).stored
    assert stored.text_bytes > 200_000_000
    before = worker.io_counters().write_bytes
    with api.stream("GET", PATH, headers={"Accept-Encoding": "identity"}, timeout=60) as answer:
        pieces = answer.iter_raw()
        held = len(next(pieces))
        under_way = front.written()
        held += sum(map(len, pieces))
    written = worker.io_counters().write_bytes - before
    assert held == stored.text_bytes
    assert [name for name in under_way if not name.startswith("cache/")] == []
    ((name, size),) = front.written().items()
    assert name.startswith("cache/")
    assert stored.text_bytes < size < stored.text_bytes + 4096
    assert written < 1.1 * stored.text_bytes


def _large(megabytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield tasks that make so many MB of text, quickly."""
    line = bytes(range(65, 91)) * 40
    for number in range(megabytes * 4):
        text = b"".join(str(number * step).encode() + line for step in range(241))
        yield f"t{number}", b'{"id":"t%d","text":"%s"}' % (number, text)


def _workers(front: Front) -> list[psutil.Process]:
    master = psutil.Process(int((front.folder / "nginx.pid").read_text()))
    return [process for process in master.children() if "worker" in process.cmdline()[0]]


def test_when_nobody_stands_behind(
    settings: Settings, nginx_before: Nginx, redis_client: redis.Redis
) -> None:
    """While the server is down nothing is given out, and every address says so, and when to come again."""
    put_tasks(redis_client)
    with serve.background(settings) as address:
        front = nginx_before(urlsplit(address).netloc)
        assert httpx.get(front.url + PATH, headers=BEARER, verify=front.trust()).status_code == 200
    for path in (PATH, "/", "/clickup/tasks"):
        answer = httpx.get(front.url + path, headers=BEARER, verify=front.trust())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.json()["error"] == "The service behind this address does not answer."
