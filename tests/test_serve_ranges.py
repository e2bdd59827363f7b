"""Parts of an answer: a download that broke off goes on, and never with the bytes of another version."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from clickup_toolkit.serve.ranges import Part, Unsatisfiable, wanted_part
from tests.serving import TOKEN
from tests.test_serve_export import PATH, api, problem, publish_document, raw, stored_version

__all__ = ["api"]


def part_of(length: int, wanted: str | None, if_range: str | None = None, method: str = "GET") -> Part | None:
    """Return what these headers ask for."""
    told = {"range": wanted, "if-range": if_range}
    headers = [(name.encode(), value.encode()) for name, value in told.items() if value is not None]
    return wanted_part({"method": method, "headers": headers}, length, '"tag"')


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("Bytes = 10 - 19 ", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        (None, None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
        ("bytes=x-y", None),
        ("bytes=٣-", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_one_range_is_read(wanted: str | None, part: tuple[int, int] | None) -> None:
    """A single range of bytes is a part; several, other units and nonsense are answered with the whole."""
    told = wanted.encode("latin-1", "ignore").decode() if wanted else wanted
    assert part_of(100, told) == part
    assert part_of(100, told, method="HEAD") is None


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_behind_the_end_there_is_nothing(wanted: str) -> None:
    """A part that begins behind the last byte cannot be sent."""
    with pytest.raises(Unsatisfiable):
        part_of(100, wanted)


@pytest.mark.parametrize(
    ("if_range", "same"),
    [
        ('"tag"', True),
        ("Mon, 23 Nov 2026 10:15:00 GMT", False),
        ('"other"', False),
        ('W/"tag"', False),
        ("", False),
    ],
)
def test_a_part_is_of_what_the_client_began_with(if_range: str, same: bool) -> None:
    """With If-Range the tag must be the very same, strongly; else, and for a time, the whole is sent."""
    assert part_of(100, "bytes=10-19", if_range) == (Part(10, 20) if same else None)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_any_part_is_those_bytes_of_the_whole(api: httpx.Client, redis_url: str, encoding: str) -> None:
    """Wherever a part begins and ends, within a chunk or across many, it is cut from the same bytes."""
    publish_document(redis_url, tasks=1500)
    whole = raw(api, **{"Accept-Encoding": encoding})[1]
    assert len(stored_version(redis_url).chunks) > 5
    dice = random.Random(7)
    spans = [sorted((dice.randrange(len(whole)), dice.randrange(len(whole)))) for _ in range(25)]
    for first, last in [(0, 0), (0, len(whole) - 1), (len(whole) - 1, len(whole) - 1), (0, 9), *spans]:
        headers = {"Accept-Encoding": encoding, "Range": f"bytes={first}-{last}"}
        answer, body = raw(api, **headers)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
        assert answer.headers["content-length"] == str(last - first + 1)
        assert body == whole[first : last + 1]


def test_a_part_is_not_mixed_with_another_version(api: httpx.Client, redis_url: str) -> None:
    """Who began with one version and goes on with If-Range gets the newer one whole."""
    publish_document(redis_url, version="20261123T051500Z")
    answer, old = raw(api)
    going_on = {"Range": "bytes=1000-", "If-Range": answer.headers["etag"]}
    assert raw(api, **going_on)[1] == old[1000:]
    text = publish_document(redis_url)
    after, body = raw(api, **going_on)
    assert (after.status_code, gzip.decompress(body)) == (200, text)


def test_a_part_behind_the_end_is_refused(api: httpx.Client, redis_url: str) -> None:
    """The refusal tells the length, so that a client that has everything already knows."""
    publish_document(redis_url)
    length = stored_version(redis_url).gzip_bytes
    answer = api.get(PATH, headers={"Range": f"bytes={length}-"})
    assert problem(answer)[0] == 416
    assert answer.headers["content-range"] == f"bytes */{length}"


def test_what_is_unchanged_is_not_sent_in_part(api: httpx.Client, redis_url: str) -> None:
    """A condition is looked at before the range."""
    publish_document(redis_url)
    tag = api.head(PATH).headers["etag"]
    assert api.get(PATH, headers={"Range": "bytes=5-", "If-None-Match": tag}).status_code == 304


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl: apt install curl")
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_curl_goes_on_with_a_broken_download(
    api: httpx.Client, redis_url: str, tmp_path: Path, encoding: str
) -> None:
    """``curl -C -`` fetches what is missing and no more, and the file is whole."""
    text = publish_document(redis_url)
    whole = raw(api, **{"Accept-Encoding": encoding})[1]
    file = tmp_path / "export"
    file.write_bytes(whole[: len(whole) // 3])
    headers = ["-H", f"Authorization: Bearer {TOKEN}", "-H", f"Accept-Encoding: {encoding}"]
    command = ["curl", "-fsS", "-C", "-", *headers, "-o", str(file), "-w", "%{size_download}"]
    done = subprocess.run(
        [*command, str(api.base_url.join(PATH))], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) == len(whole) - len(whole) // 3
    assert (gzip.decompress(file.read_bytes()) if encoding == "gzip" else file.read_bytes()) == text
