"""The soak at its smallest size, and that it would see what it is there to see."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

from benchmarks._soak_checks import nothing, show, unlike
from benchmarks._soak_figures import flat, strangers, trend
from benchmarks._soak_reader import Reader
from benchmarks._soak_troubles import plan
from tests.fixtures.valkey import wait_until
from tests.worlds import living_world

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_a_short_soak_passes() -> None:
    """With one kill everything that must hold holds, and the tables say what happened."""
    words = ["--intervals", "3", "--calm", "0.9", "--full-every", "12", "--tasks", "60"]
    only = ["--only", "kill -9: datasette"]
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *words, *only],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert re.search(r"^\| kill -9: datasette *\| +1 \|", process.stdout, re.MULTILINE)
    assert "its children 3 times" in process.stdout
    assert process.stdout.count(" met |") == 13


def test_every_second_interval_brings_a_trouble() -> None:
    """All troubles come in turn; those that must not come late do not, and slow ones come once."""
    names = ["a", "b", "late", "ClickUp: answers nothing"]
    planned = plan(names, ["late"], 41, 20, Random(7))
    assert set(planned[::2]) == {""}
    assert planned == plan(names, ["late"], 41, 20, Random(7))
    assert set(planned[1:8:2]) == set(names)
    assert set(planned[21::2]) == {"a", "b"}
    assert planned.count("ClickUp: answers nothing") == 1


def test_growth_is_seen() -> None:
    """A figure is flat when its last quarter is within a tenth of its second, or within the slack."""
    leaking = [{"x": 100.0 + 2 * at} for at in range(40)]
    assert trend(leaking, "x") == (100.0, 129.0, 169.0)
    assert not flat(129, 169, 3)
    assert flat(100, 110, 3)
    assert flat(4, 7, 3)
    assert trend(leaking[:3], "x") is None


def test_what_is_left_in_the_folder_is_seen(tmp_path: Path) -> None:
    """A file that no part of the toolkit keeps there is told; those that belong there are not."""
    ours = ["clickup.db", "clickup-20261123T101500Z.db", "runs/20261123T101500Z.ipynb", "redis/valkey.log"]
    strange = [".clickup.db.unfinished", "runs/20261123T101500Z.json.new", "schedule.new"]
    for name in (*ours, *strange):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert strangers(tmp_path) == sorted(strange)


def test_another_document_is_seen() -> None:
    """A task that is missing, and one under another name, are told."""
    ledger = living_world(tasks=60).ledger()
    wrong = unlike([], ledger)
    assert len(wrong) == 60
    assert show([nothing("differences", wrong)]).endswith(" | MISSED |")
    assert show([nothing("differences", [])]).endswith(" met |")


class _Site(BaseHTTPRequestHandler):
    """Answers in a way that a client must not accept, another one each time."""

    turns = 0

    def do_GET(self) -> None:
        turn, _Site.turns = _Site.turns, _Site.turns + 1
        document = gzip.compress(b'{"status": "success", "data": [%d]}' % turn)
        bodies = [(200, document), (200, document), (500, b""), (503, b""), (200, document[:-9])]
        status, body = bodies[min(turn, 4)]
        self.send_response(status)
        self.send_header("ETag", '"one"' if turn < 4 else f'"{turn}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def test_wrong_answers_are_seen() -> None:
    """Two bodies under one ETag, a 500, a 503 that does not say when to come back, and half a body."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reader = Reader(server.server_port, "word")
        reader.start()
        wait_until(lambda: len(reader.wrong) >= 4)
        reader.stop()
        server.shutdown()
    assert reader.wrong[0] == 'two bodies came under the ETag "one"'
    assert reader.wrong[1] == "/api/v1/export/ answered 500: b''"
    assert reader.wrong[2] == "a 503 came without Retry-After"
    assert reader.wrong[3].startswith("a body could not be read")
