"""Common clients, each reading a document of 200 MB whole from one server, as gzip and as plain text."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pandas as pd
import psutil
import pytest
import requests
from playwright.sync_api import Browser

from clickup_toolkit.settings import SETTINGS
from tests.fixtures.valkey import RedisServer, wait_until
from tests.serving import BEARER, TOKEN
from tests.versions import day, document, put

TASKS = 2_000
HEADER = f"Authorization: Bearer {TOKEN}"


class Document(NamedTuple):
    """The served document: where, what its text is, and the hash of the tasks' texts."""

    url: str
    length: int
    sha256: str
    texts: str
    process: psutil.Process


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, _session_server: RedisServer) -> Iterator[Document]:
    """Publish 200 MB and serve them by a process of its own, so that no client shares its interpreter."""
    texts = [_text(number) for number in range(TASKS)]
    tasks = [
        (f"t{at}", b'{"id":"t%d","name":"%s","text":"%s"}' % (at, _name(at), texts[at]))
        for at in range(TASKS)
    ]
    text = document(tasks)
    with _session_server.client() as client:
        client.flushall()
        put(client, day(1), tasks)
    hashes = [hashlib.sha256(whole).hexdigest() for whole in (text, b"".join(texts))]
    with _serving(tmp_path_factory.mktemp("large"), _session_server.url) as (url, process):
        yield Document(url, len(text), *hashes, process)


def _name(number: int) -> bytes:
    return f"Täsk {number}".encode()


def _text(number: int) -> bytes:
    """Return 100 KB that shrink to a fifth."""
    return random.Random(number).randbytes(10_000).hex().encode() + b" and so on" * 8_000


@contextmanager
def _serving(folder: Path, redis_url: str) -> Iterator[tuple[str, psutil.Process]]:
    foreign = {setting.variable for setting in SETTINGS.values()}
    settings = {
        "CLICKUP_TEAM_ID": "9001",
        "CLICKUP_DATA_DIR": str(folder),
        "API_AUTH_TOKEN": TOKEN,
        "REDIS_URL": redis_url,
        "PORT": str(_free_port()),
    }
    inherited = {name: value for name, value in os.environ.items() if name not in foreign}
    command = [sys.executable, "-m", "clickup_toolkit.cli", "serve"]
    said = folder / "said.txt"
    with (
        said.open("w") as log,
        subprocess.Popen(command, cwd=folder, env=inherited | settings, stdout=log, stderr=log) as process,
    ):
        url = f"http://127.0.0.1:{settings['PORT']}/api/v1/export/"
        wait_until(lambda: process.poll() is not None or _answers(url))
        try:
            assert process.poll() is None, said.read_text()
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.head(url, headers=BEARER).status_code == 200
    except httpx.TransportError:
        return False


def _told(pieces: Iterable[bytes]) -> tuple[int, str]:
    """Return the length and the hash of what came."""
    length, told = 0, hashlib.sha256()
    for piece in pieces:
        length += len(piece)
        told.update(piece)
    return length, told.hexdigest()


def _run(*command: str) -> tuple[int, str]:
    """Return the length and the hash of what a program prints."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: apt-get install {command[0]}")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = _told(iter(lambda: process.stdout.read(1 << 20), b""))  # type: ignore[union-attr]
    assert process.returncode == 0
    return found


def _by_httpx(url: str, headers: dict[str, str]) -> tuple[int, str]:
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        return _told(answer.iter_bytes(1 << 20))


def _by_requests(url: str, headers: dict[str, str]) -> tuple[int, str]:
    with requests.get(url, headers=headers, stream=True, timeout=60) as answer:
        return _told(answer.iter_content(1 << 20))


PLAIN = {**BEARER, "Accept-Encoding": "identity"}
CLIENTS: dict[str, Callable[[str], tuple[int, str]]] = {
    "httpx": lambda url: _by_httpx(url, BEARER),
    "httpx, plain": lambda url: _by_httpx(url, PLAIN),
    "requests": lambda url: _by_requests(url, BEARER),
    "requests, plain": lambda url: _by_requests(url, PLAIN),
    "curl": lambda url: _run("curl", "-fsS", "--compressed", "-H", HEADER, url),
    "curl, plain": lambda url: _run("curl", "-fsS", "-H", HEADER, url),
    "wget": lambda url: _run("wget", "-q", "-O", "-", "--compression=gzip", "--header", HEADER, url),
    "wget, plain": lambda url: _run("wget", "-q", "-O", "-", "--header", HEADER, url),
}


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
def test_it_is_read_whole(large: Document, client: str) -> None:
    """Every client gets every byte of the text, whether it takes gzip or not."""
    assert CLIENTS[client](large.url) == (large.length, large.sha256)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_pandas_reads_it_whole(large: Document, encoding: str) -> None:
    """pandas reads the document into a series, whose data make a table of all tasks."""
    headers = {**BEARER, "Accept-Encoding": encoding}
    found = pd.read_json(large.url, typ="series", storage_options=headers)
    tasks = pd.DataFrame(found["data"])
    assert found["status"] == "success"
    assert list(tasks.columns) == ["id", "name", "text"]
    assert list(tasks["name"]) == [_name(number).decode() for number in range(TASKS)]
    assert hashlib.sha256("".join(tasks["text"]).encode()).hexdigest() == large.texts


@pytest.mark.slow
@pytest.mark.browser
def test_chromium_reads_it_whole(large: Document, browser: Browser) -> None:
    """A page of ours may fetch the document, and gets all of it."""
    page = browser.new_page(base_url=large.url)
    try:
        page.goto("/")
        found = page.evaluate(
            """async ([url, header]) => {
                const answer = await fetch(url, {headers: {Authorization: header}});
                const body = await answer.arrayBuffer();
                const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
                const text = new TextDecoder().decode(body);
                return {
                    length: body.byteLength,
                    sha256: Array.from(hash, byte => byte.toString(16).padStart(2, "0")).join(""),
                    tasks: JSON.parse(text).data.length,
                };
            }""",
            [large.url, BEARER["Authorization"]],
        )
    finally:
        page.close()
    assert found == {"length": large.length, "sha256": large.sha256, "tasks": TASKS}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_curl_goes_on_with_a_cut_download(large: Document, tmp_path: Path, encoding: str) -> None:
    """What a broken connection left is completed by ``curl -C -``, of either representation."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    file = tmp_path / "export.json"
    command = ["curl", "-fsS", "-H", HEADER, "-H", f"Accept-Encoding: {encoding}", "-o", str(file), large.url]
    with subprocess.Popen([*command, "--limit-rate", "4M"]) as cut:
        wait_until(lambda: file.exists() and file.stat().st_size > 1_000_000)
        cut.kill()
    left = file.stat().st_size
    rest = subprocess.run(
        [*command, "-C", "-", "-w", "%{http_code} %{size_download}"], check=True, capture_output=True
    )
    code, received = rest.stdout.split()
    assert (code, int(received)) == (b"206", file.stat().st_size - left)
    with gzip.open(file) if encoding == "gzip" else file.open("rb") as text:
        assert _told(iter(lambda: text.read(1 << 20), b"")) == (large.length, large.sha256)


@pytest.mark.slow
def test_the_server_stays_small(large: Document) -> None:
    """Serving 200 MB as plain text takes no memory worth speaking of, for several readers at once either."""
    _by_httpx(large.url, BEARER)  # what is kept for the next one is there
    before = large.process.memory_full_info().uss
    most = before
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(_run, "curl", "-fsS", "-H", HEADER, large.url) for _ in range(2)]
        while not all(reader.done() for reader in readers):
            most = max(most, large.process.memory_full_info().uss)
    assert {reader.result() for reader in readers} == {(large.length, large.sha256)}
    assert most - before < 20_000_000
