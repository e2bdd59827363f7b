"""How fast the export is served, beside nginx serving the same bytes from a file, in one run.

``python benchmarks/serve.py`` publishes a document of 20 MB as gzip and a small one, and has them read by
many clients: from nginx as a file, from one process of ours without a proxy, and from nginx with
``deploy/nginx.conf`` before it; with TLS beside a file with TLS, without beside one without. The sides take
turns, every ratio is of neighbours in time, and the median of the rounds is what counts. Rates are measured
with wrk where it is installed, times to the first byte with clients of our own.

Then it looks at the memory of our process while it serves documents of 20 MB and of 200 MB, and at every
answer that clients get while versions are published as fast as it goes. Load generator, nginx, server and
Redis share the cores: figures are those of this machine at this moment, see the load that is printed.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks import _machine
from benchmarks._serve_processes import (
    Fronts,
    Site,
    Versions,
    ask,
    fronts,
    needed_programs,
    site,
    taken,
    versions,
    wrk,
)
from benchmarks._serve_tables import show

CLIENTS = 4
LARGE, SMALL, HUGE = 20.0, 0.05, 200.0  # MB of gzip
SIDES = {  # what is compared with what
    "one process": "file",
    "nginx with the cache": "file",
    "nginx with the cache, TLS": "file, TLS",
}


@dataclass
class Rate:
    """What one side gave: MB and requests a second, and of the file's MB in the same round, the median."""

    document: str
    side: str
    megabytes: float
    requests: float
    ratio: float | None


@dataclass
class FirstByte:
    """Milliseconds from a question to the first byte of the answer, and the ratio to the file's, medians."""

    document: str
    side: str
    p50: float
    p99: float
    ratio: float | None


@dataclass
class Memory:
    """MB of memory of our process alone, while it serves a document of ``size`` MB: before, and most."""

    size: float
    before: float
    most: float


@dataclass
class Published:
    """What clients got while versions were published."""

    side: str
    versions: int
    answers: int
    failed: int
    mixed: int


@dataclass
class Target:
    """A figure that is to be kept to."""

    what: str
    bound: str
    measured: float
    met: bool


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=5, help="How often the sides take turns.")
@click.option("--seconds", default=2.0, help="How long each turn is.")
@click.option("--quick", is_flag=True, help="One small document, one short round: does it run?")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one line of JSON instead.")
def main(rounds: int, seconds: float, quick: bool, as_json: bool) -> None:
    """Measure how the export is served, and print the figures beside the targets."""
    if missing := needed_programs():
        print(f"Skipped, since it is not installed: {', '.join(missing)}.", file=sys.stderr)
        return
    large, huge = (1.0, 3.0) if quick else (LARGE, HUGE)
    rounds, seconds = (1, 0.3) if quick else (rounds, seconds)
    before = _machine.load()
    documents = {"large": large} if quick else {"large": large, "small": SMALL}
    rates, first_bytes = _speeds(documents, rounds, seconds)
    memory = [_memory(size, seconds) for size in (large, huge)]
    published = list(_publishing(large / 20, seconds * 5))
    figures = {
        "machine": _machine.facts(before),
        "rates": [asdict(row) for row in rates],
        "first_bytes": [asdict(row) for row in first_bytes],
        "memory": [asdict(row) for row in memory],
        "published": [asdict(row) for row in published],
        "targets": [asdict(target) for target in targets(rates, first_bytes, memory, published)],
    }
    click.echo(json.dumps(figures) if as_json else show(figures))


@contextmanager
def _everything(megabytes: float) -> Iterator[tuple[Versions, Site, Fronts]]:
    """Run the site with a document of so many MB as gzip, and nginx before it and with a file of the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        with versions(folder / "data") as published:
            published.save(published.put(megabytes), folder / "document.json.gz")
            with (
                site(published.settings) as served,
                fronts(folder, served.port, folder / "document.json.gz") as front,
            ):
                yield published, served, front


def _speeds(
    documents: Mapping[str, float], rounds: int, seconds: float
) -> tuple[list[Rate], list[FirstByte]]:
    rates: list[Rate] = []
    first_bytes: list[FirstByte] = []
    for document, megabytes in documents.items():
        _machine.tell(f"{document} document: {megabytes:g} MB")
        with _everything(megabytes) as (_, served, front):
            urls = _urls(served, front)
            for url in urls.values():  # every cache has it
                taken(ask(url, clients=1, seconds=0.1))
            measured = _in_turns(urls, rounds, lambda url: _rate(url, seconds))
            rates += [_as_rate(document, side, measured) for side in urls]
            waited = _in_turns(urls, rounds, lambda url: _wait(url, seconds))
            first_bytes += [_as_first_byte(document, side, waited) for side in urls]
    return rates, first_bytes


def _urls(served: Site, front: Fronts) -> dict[str, str]:
    return {
        "file": front.file,
        "one process": served.url,
        "nginx with the cache": front.cache,
        "file, TLS": front.file_tls,
        "nginx with the cache, TLS": front.cache_tls,
    }


Pair = tuple[float, float]


def _in_turns(urls: Mapping[str, str], rounds: int, measure: Callable[[str], Pair]) -> dict[str, list[Pair]]:
    """Measure each side once a round, forwards and backwards in turn."""
    found: dict[str, list[Pair]] = {side: [] for side in urls}
    for number in range(rounds):
        sides = list(urls) if number % 2 == 0 else list(reversed(urls))
        for side in sides:
            found[side].append(measure(urls[side]))
    return found


def _rate(url: str, seconds: float) -> Pair:
    """Return MB and requests a second."""
    if shutil.which("wrk"):
        return wrk(url, clients=CLIENTS, seconds=math.ceil(seconds))
    found = taken(ask(url, clients=CLIENTS, seconds=seconds))
    _refuse_failures(url, found.failed)
    return found.received / found.seconds / 1e6, found.answers / found.seconds


def _wait(url: str, seconds: float) -> Pair:
    """Return the median and the 99th percentile of the milliseconds to the first byte."""
    found = taken(ask(url, clients=CLIENTS, seconds=seconds))
    _refuse_failures(url, found.failed)
    waited = sorted(found.first_bytes)
    return 1e3 * statistics.median(waited), 1e3 * waited[int(0.99 * (len(waited) - 1))]


def _refuse_failures(url: str, failed: list[str]) -> None:
    if failed:
        raise RuntimeError(f"{url} failed under load: {failed[0]}")


def _as_rate(document: str, side: str, measured: Mapping[str, list[Pair]]) -> Rate:
    megabytes, requests = (statistics.median(values) for values in zip(*measured[side], strict=True))
    return Rate(document, side, megabytes, requests, _ratio(side, measured))


def _as_first_byte(document: str, side: str, waited: Mapping[str, list[Pair]]) -> FirstByte:
    p50, p99 = (statistics.median(values) for values in zip(*waited[side], strict=True))
    return FirstByte(document, side, p50, p99, _ratio(side, waited))


def _ratio(side: str, measured: Mapping[str, list[Pair]]) -> float | None:
    """Return the median over the rounds of a side's first figure by that of the file."""
    if side not in SIDES:
        return None
    both = zip(measured[side], measured[SIDES[side]], strict=True)
    return statistics.median(ours[0] / file[0] for ours, file in both)


def _memory(megabytes: float, seconds: float) -> Memory:
    """Watch our process while clients read a document of so many MB, each whole, with gzip."""
    _machine.tell(f"memory with {megabytes:g} MB")
    with tempfile.TemporaryDirectory() as name, versions(Path(name)) as published:
        published.put(megabytes)
        with site(published.settings) as served:
            before = most = served.megabytes()
            clients = ask(served.url, clients=CLIENTS, seconds=2 * seconds)
            while clients.poll() is None:
                most = max(most, served.megabytes())
                time.sleep(0.05)
            _refuse_failures(served.url, taken(clients).failed)
    return Memory(megabytes, before, most)


def _publishing(megabytes: float, seconds: float) -> Iterator[Published]:
    """Publish version after version while clients read, and look at all that they got."""
    _machine.tell("publishing under load")
    with _everything(megabytes) as (published, served, front):
        sides = {side: url for side, url in _urls(served, front).items() if side in SIDES}
        clients = {side: ask(url, clients=2, seconds=seconds, check=True) for side, url in sides.items()}
        count = 0
        while any(process.poll() is None for process in clients.values()):
            count += 1
            published.put(megabytes, seed=count)
        for side, process in clients.items():
            found = taken(process)
            mixed = sum(len(bodies) != 1 for bodies in found.bodies.values())
            yield Published(side, count, found.answers, len(found.failed), mixed)


def targets(
    rates: list[Rate], first_bytes: list[FirstByte], memory: list[Memory], published: list[Published]
) -> list[Target]:
    """Return the targets that these figures are held to: those of the large document."""
    least = {side: 0.6 if side == "one process" else 0.95 for side in SIDES}
    found = []
    for row in rates:
        if row.document == "large" and row.ratio is not None:
            bound = least[row.side]
            found.append(
                Target(f"rate of {row.side}, of the file's", f"≥ {bound}", row.ratio, row.ratio >= bound)
            )
    for wait in first_bytes:
        if wait.document == "large" and wait.ratio is not None:
            what = f"first byte of {wait.side}, by the file's"
            found.append(Target(what, "< 1.5", wait.ratio, wait.ratio < 1.5))
    small, huge = memory
    grown = huge.most - small.most
    found.append(
        Target(f"MB more with {huge.size:g} MB than with {small.size:g} MB", "≤ 64", grown, grown <= 64)
    )
    failed = sum(row.failed + row.mixed for row in published)
    found.append(Target("failed answers while versions are published", "0", failed, failed == 0))
    fewest = min(row.versions for row in published)
    found.append(Target("versions published meanwhile, at least", "≥ 5", fewest, fewest >= 5))
    return found


if __name__ == "__main__":
    main()
