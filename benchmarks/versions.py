"""What versions cost: the memory of one and of seven, what is sent for each, and the processor's time.

``python -m benchmarks.versions`` publishes a workspace of 39,000 tasks to an embedded server of its own,
seven times, with 2 % of the tasks, anywhere, changed in between; every version is then read back.
"MB in Redis" is what Redis itself says that it needs for all keys of the workspace (``MEMORY USAGE``).
Processor time is the writer's, making the tasks not counted, and the server's beside it.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import redis
from isal import isal_zlib

from benchmarks import _machine
from benchmarks._tables import machine, table
from clickup_toolkit import publish
from clickup_toolkit.settings import Settings

TEAM = "9001"
HEAD = b'{"status":"success","data":['

Tasks = list[tuple[str, bytes]]


@dataclass
class Row:
    """One export: what was sent for it, what became of older chunks, and what all versions take then."""

    version: str
    chunks: int
    sent_chunks: int
    sent_mb: float
    packed_mb: float
    deltas_mb: float
    writer_s: float
    server_s: float
    redis_mb: float
    ratio: float


def workspace(tasks: int) -> Tasks:
    """Return tasks that look and compress as ClickUp's do: 3.3 KB each, in the order of their creation."""
    dice = random.Random(1)
    words = ["".join(dice.choices("abcdefghijklmnoprstuvw", k=dice.randint(3, 9))) for _ in range(5000)]
    return [_task(dice, words, number) for number in range(tasks)]


def _task(dice: random.Random, words: Sequence[str], number: int) -> tuple[str, bytes]:
    name = f"86{dice.getrandbits(35):07x}"
    created = 1_650_000_000_000 + number * 3_000_000

    def text(count: int) -> str:
        return " ".join(dice.choices(words, k=count))

    def person() -> dict[str, object]:
        at = dice.randrange(50)
        return {
            "id": 183_000 + at,
            "username": words[at],
            "email": f"{words[at]}@example.com",
            "color": "#0a0",
        }

    sent = {
        "id": name,
        "name": text(7),
        "text_content": text(90),
        "status": {"status": "open", "color": "#87909e", "type": "open", "orderindex": 0},
        "date_created": str(created),
        "date_updated": str(created + dice.randrange(10**9)),
        "creator": person(),
        "assignees": [person() for _ in range(dice.randint(0, 3))],
        "tags": [{"name": dice.choice(words[:40]), "tag_fg": "#fff", "tag_bg": "#000"} for _ in range(2)],
        "custom_fields": [
            {
                "id": hashlib.md5(bytes([at])).hexdigest(),
                "name": words[at],
                "type": "short_text",
                "value": text(3),
            }
            for at in range(8)
        ],
        "url": f"https://app.clickup.com/t/{name}",
        "space": {"id": "90120", "name": "Operations"},
        "time_in_status": {"current_status": _stay(dice), "status_history": [_stay(dice) for _ in range(4)]},
        "time_summary": [],
    }
    return name, json.dumps(sent, separators=(",", ":")).encode()


def _stay(dice: random.Random) -> dict[str, object]:
    minutes = dice.randrange(10**6)
    return {"status": dice.choice(("open", "doing", "review", "done")), "total_time": {"by_minute": minutes}}


def changed(tasks: Tasks, share: float, seed: int) -> Tasks:
    """Return the workspace with a share of its tasks, anywhere, moved to another status."""
    dice = random.Random(seed)
    after = list(tasks)
    for place in dice.sample(range(len(tasks)), round(len(tasks) * share)):
        name, text = after[place]
        sent = json.loads(text)
        sent["status"]["status"] = dice.choice(("doing", "review", "done"))
        sent["date_updated"] = str(1_700_000_000_000 + dice.randrange(10**9))
        sent["time_in_status"]["status_history"].append(_stay(dice))
        sent["time_summary"].append({"id": str(dice.getrandbits(60)), "duration": str(dice.randrange(10**7))})
        after[place] = name, json.dumps(sent, separators=(",", ":")).encode()
    return after


def taken(client: redis.Redis) -> float:
    """Return the MB that Redis needs for the workspace."""
    names = client.scan_iter(f"clickup:{TEAM}:*", count=1000)
    return sum(client.memory_usage(name, samples=0) or 0 for name in names) / 1e6


def exported(client: redis.Redis, states: Iterator[Tasks], keep: int) -> Iterator[Row]:
    """Publish one state after the other; yield what each took."""
    one = 0.0
    for number, tasks in enumerate(states):
        used, server = time.process_time(), _server_seconds(client)
        with publish.ExportLock(client, TEAM, 600) as lock:
            done = publish.publish(
                client,
                lock,
                team_id=TEAM,
                version=_version(number),
                head=[HEAD],
                tasks=tasks,
                facts={},
                keep=keep,
            )
        writer_s, server_s = time.process_time() - used, _server_seconds(client) - server
        now = taken(client)
        one = one or now
        _, before, after = done.packed
        yield Row(
            *(done.stored.version, len(done.stored.chunks), done.sent_chunks, done.sent_bytes / 1e6),
            *(before / 1e6, after / 1e6, writer_s, server_s, now, now / one),
        )


def read_back(client: redis.Redis, number: int, tasks: Tasks) -> float:
    """Read a version and compare it; return the reader's seconds of the processor."""
    stored = publish.find(client, TEAM, _version(number))
    assert stored is not None
    used = time.process_time()
    body = b"".join(publish.body(client, stored))
    seconds = time.process_time() - used
    whole = HEAD + b",".join(text for _, text in tasks) + b"]}"
    assert isal_zlib.decompress(body, 31) == whole, f"{stored.version} does not read back"
    return seconds


def _version(number: int) -> str:
    return f"202611{1 + number:02}T100000Z"


def _server_seconds(client: redis.Redis) -> float:
    used = client.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


@click.command(help=__doc__)
@click.option("--tasks", default=39_000, show_default=True, help="Tasks of the workspace.")
@click.option("--versions", default=7, show_default=True, help="Exports.")
@click.option("--share", default=0.02, show_default=True, help="Share of the tasks that change in between.")
def main(tasks: int, versions: int, share: float) -> None:
    """Print the table."""
    before = _machine.load()
    states = [workspace(tasks)]
    for number in range(1, versions):
        states.append(changed(states[-1], share, number))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(team_id=TEAM, data_dir=Path(folder))
        try:
            with publish.connect(settings) as client:
                rows = list(exported(client, iter(states), versions))
                reading = [read_back(client, number, state) for number, state in enumerate(states)]
        finally:
            publish.stop(settings)
    print(machine(_machine.facts(before)), "\n")
    print(_shown(rows, reading), "\n")
    print(
        f"One version takes {rows[0].redis_mb:.1f} MB, {versions} take {rows[-1].redis_mb:.1f} MB: "
        f"{rows[-1].ratio:.2f} times as much (target: 1.6 for seven)."
    )


def _shown(rows: Sequence[Row], reading: Sequence[float]) -> str:
    head = [
        *("version", "chunks sent", "MB sent", "MB packed", "into MB", "writer s", "server s"),
        *("MB in Redis", "times one", "read s"),
    ]
    lines = [
        [
            row.version,
            f"{row.sent_chunks} of {row.chunks}",
            *(f"{value:.2f}" for value in (row.sent_mb, row.packed_mb, row.deltas_mb)),
            *(f"{value:.2f}" for value in (row.writer_s, row.server_s, row.redis_mb, row.ratio, read)),
        ]
        for row, read in zip(rows, reading, strict=True)
    ]
    return table(head, lines)


if __name__ == "__main__":
    main()
